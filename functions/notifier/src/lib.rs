//! Tells those who want to know: domain events, as the bus hands them on, to servers by webhook and to customers by mail, SMS
//! and push; and what is to be sent again.

mod notices;
mod wire;

pub use notices::{Teller, TellerParts, TellingError};

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use fatura_application::{Notifier, NotifierError, ToldEvent};
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
    Webhook(#[from] NotifierError),
    #[error(transparent)]
    Notice(#[from] TellingError),
}

/// `time_left` is asked anew for each call: one to a receiver begins only if it can end.
pub async fn handle(
    notifier: &Notifier,
    teller: &Teller,
    event: SqsEvent,
    time_left: impl Fn() -> Duration,
) -> SqsBatchResponse {
    let time_left = &time_left;
    sqs_batch::handle_text(event, async |body| -> Result<(), RecordError> {
        match wire::read(body).map_err(|_| RecordError::Malformed)? {
            Task::Tell(event) => tell(notifier, teller, &event, time_left).await?,
            Task::Deliver(message) => notifier.deliver(message.delivery_id, time_left).await?,
            Task::Nothing(kind) => tracing::debug!(kind, "nobody is told of that"),
        }
        Ok(())
    })
    .await
}

/// Both are done, whatever becomes of the other; what is done isn't done again when the event comes again.
async fn tell(
    notifier: &Notifier,
    teller: &Teller,
    event: &ToldEvent,
    time_left: impl Fn() -> Duration,
) -> Result<(), RecordError> {
    let (sent, told) = tokio::join!(notifier.tell(event, time_left), teller.tell(event));
    sent?;
    Ok(told?)
}
