//! Tells those who want to know: domain events, as the bus hands them on, and messages about what is to be sent again.

mod wire;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use fatura_application::{Notifier, NotifierError};
use fatura_bootstrap::sqs_batch;
use std::time::Duration;
use thiserror::Error;
use wire::Task;

#[derive(Debug, Error)]
enum RecordError {
    /// Not the parser's words: they would quote what may be anything.
    #[error("the body is neither an event nor one of our messages")]
    Malformed,
    #[error(transparent)]
    Failed(#[from] NotifierError),
}

/// `time_left` is asked anew for each call: one to a receiver begins only if it can end.
pub async fn handle(
    notifier: &Notifier,
    event: SqsEvent,
    time_left: impl Fn() -> Duration,
) -> SqsBatchResponse {
    let time_left = &time_left;
    sqs_batch::handle_text(event, async |body| -> Result<(), RecordError> {
        match wire::read(body).map_err(|_| RecordError::Malformed)? {
            Task::Tell(event) => notifier.tell(&event, time_left).await?,
            Task::Deliver(message) => notifier.deliver(message.delivery_id, time_left).await?,
            Task::Nothing(kind) => tracing::debug!(kind, "nobody is told of that"),
        }
        Ok(())
    })
    .await
}
