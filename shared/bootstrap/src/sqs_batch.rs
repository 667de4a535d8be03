//! A batch of the queue, record by record: one that fails, or isn't ours, goes back alone.

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use fatura_domain::bug::Bug;
use futures::FutureExt;
use futures::stream::{self, StreamExt};
use serde::de::DeserializeOwned;
use std::fmt::Display;
use std::panic::AssertUnwindSafe;

/// As many as a batch has: each waits for a gateway most of its time.
const AT_ONCE: usize = 10;

/// Handles every record and names those that have to come again.
pub async fn handle<M, E, F>(event: SqsEvent, handle: impl Fn(M) -> F) -> SqsBatchResponse
where
    M: DeserializeOwned,
    E: Display,
    F: Future<Output = Result<(), E>>,
{
    handle_text(event, |body| {
        let handled = serde_json::from_str::<M>(&body).map(&handle);
        async move {
            match handled {
                // Not the parser's words: they would quote what may be anything.
                Err(_) => Err("the body is not one of our messages".to_owned()),
                Ok(handled) => handled.await.map_err(|error| error.to_string()),
            }
        }
    })
    .await
}

/// The same for whoever needs bodies word for word.
pub async fn handle_text<E, F>(event: SqsEvent, handle: impl Fn(String) -> F) -> SqsBatchResponse
where
    E: Display,
    F: Future<Output = Result<(), E>>,
{
    let failed: Vec<String> = stream::iter(event.records)
        .map(|record| {
            let id = record.message_id.unwrap_or_default();
            let handled = handle(record.body.unwrap_or_default());
            async move {
                // A panic fails its own record, not the nine beside it.
                let result = match AssertUnwindSafe(handled).catch_unwind().await {
                    Ok(result) => result.map_err(|error| error.to_string()),
                    Err(_) => Err("panicked".to_owned()),
                };
                result.err().filter(|_| !Bug::MessageDeletedBeforeSettle.is_planted()).map(|error| {
                    tracing::warn!(message_id = %id, %error, "record failed");
                    id
                })
            }
        })
        .buffer_unordered(AT_ONCE)
        .filter_map(futures::future::ready)
        .collect()
        .await;
    let mut response = SqsBatchResponse::default();
    response.set_failures(failed);
    response
}
