//! The consumer of the charge queue: moves each invoice, and each refund, one step further.

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use fatura_application::App;
use fatura_bootstrap::sqs_batch;
use std::time::Duration;

/// `time_left` is asked anew for each record: a call to a gateway begins only if it can end.
pub async fn handle(app: &App, event: SqsEvent, time_left: impl Fn() -> Duration) -> SqsBatchResponse {
    sqs_batch::handle(event, |message| app.handle_message(message, time_left())).await
}
