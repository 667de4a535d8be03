//! What happens by the clock: the sweep, once a minute, which sends a message for everything that is due, and the runs of a
//! month and of a day. What they send for is the consumer's to do.

use fatura_application::{App, Error};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// What one more page may take; with less time left, the rest waits for the next minute.
const PAGE_TIME: Duration = Duration::from_secs(10);

/// What a schedule asks for. An event that doesn't say, as a person's own, asks for a sweep.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    #[default]
    Sweep,
    MonthlyBilling,
    DailyReconciliation,
}

#[derive(Debug, Default, Deserialize)]
pub struct Scheduled {
    #[serde(default)]
    pub task: Task,
}

pub async fn handle(app: &App, task: Task, time_left: impl Fn() -> Duration) -> Result<Value, Error> {
    match task {
        Task::Sweep => {
            let swept = app.sweep_due(|| time_left() > PAGE_TIME).await?;
            tracing::info!(sent = swept.sent, skipped = swept.skipped, "swept");
            Ok(json!({ "sent": swept.sent, "skipped": swept.skipped }))
        }
        Task::MonthlyBilling => {
            let runs = app.begin_monthly_billing().await?;
            tracing::info!(runs, "monthly billing");
            Ok(json!({ "runs": runs }))
        }
        Task::DailyReconciliation => {
            let runs = app.begin_daily_reconciliation().await?;
            tracing::info!(runs, "daily reconciliation");
            Ok(json!({ "runs": runs }))
        }
    }
}
