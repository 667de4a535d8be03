//! Webhooks, after they were taken in: asks the gateway how things stand and puts its answer on the books.

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use fatura_application::App;
use fatura_application::ports::WebhookMessage;
use fatura_bootstrap::sqs_batch;

pub async fn handle(app: &App, event: SqsEvent) -> SqsBatchResponse {
    sqs_batch::handle(event, async |message: WebhookMessage| app.process_webhook(&message).await).await
}
