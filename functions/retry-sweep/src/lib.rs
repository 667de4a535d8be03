//! The sweep, once a minute: sends a message for everything that is due. What it sends for is the consumer's to do.

use fatura_application::{App, Error};
use serde_json::{Value, json};
use std::time::Duration;

/// What one more page may take; with less time left, the rest waits for the next minute.
const PAGE_TIME: Duration = Duration::from_secs(10);

pub async fn handle(app: &App, time_left: impl Fn() -> Duration) -> Result<Value, Error> {
    let swept = app.sweep_due(|| time_left() > PAGE_TIME).await?;
    tracing::info!(sent = swept.sent, skipped = swept.skipped, "swept");
    Ok(json!({ "sent": swept.sent, "skipped": swept.skipped }))
}
