use async_trait::async_trait;
use aws_sdk_sqs::Client;
use fatura_application::ports::SendError;

#[derive(Debug, Clone)]
pub(crate) struct SqsQueue {
    client: Client,
    url: String,
}

impl SqsQueue {
    pub(crate) const fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }
}

#[cfg(feature = "delivery-queue")]
mod batches {
    use super::{SendError, SqsQueue};
    use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
    use serde::Serialize;
    use std::time::Duration;

    /// What the queue takes in one request.
    const BATCH: usize = 10;
    /// The longest that SQS holds a message back.
    const LONGEST_DELAY_S: i32 = 900;

    impl SqsQueue {
        pub(super) async fn send_all<M: Serialize + Sync>(&self, messages: &[M]) -> Result<(), SendError> {
            for batch in messages.chunks(BATCH) {
                let entries = batch.iter().enumerate().map(|(place, message)| {
                    let body =
                        serde_json::to_string(message).map_err(|error| SendError(error.to_string()))?;
                    SendMessageBatchRequestEntry::builder()
                        .id(place.to_string())
                        .message_body(body)
                        .build()
                        .map_err(|error| SendError(error.to_string()))
                });
                let entries = entries.collect::<Result<Vec<_>, _>>()?;
                let request =
                    self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
                let answer = request
                    .send()
                    .await
                    .map_err(|error| SendError(error.into_service_error().to_string()))?;
                if let Some(failed) = answer.failed().first() {
                    return Err(SendError(format!(
                        "{} of {} refused: {}",
                        answer.failed().len(),
                        batch.len(),
                        failed.code()
                    )));
                }
            }
            Ok(())
        }

        pub(super) async fn send_held_back(
            &self,
            message: &(impl Serialize + Sync),
            wait: Duration,
        ) -> Result<(), SendError> {
            let body = serde_json::to_string(message).map_err(|error| SendError(error.to_string()))?;
            let seconds = i32::try_from(wait.as_secs()).unwrap_or(LONGEST_DELAY_S).min(LONGEST_DELAY_S);
            let request = self.client.send_message().queue_url(&self.url).message_body(body);
            let sent = request.delay_seconds(seconds).send().await;
            sent.map(drop).map_err(|error| SendError(error.into_service_error().to_string()))
        }
    }
}

#[cfg(feature = "charge-queue")]
mod charges {
    use super::{SendError, SqsQueue, async_trait};
    use fatura_application::ports::{ChargeQueue, Message};
    use std::time::Duration;

    #[async_trait]
    impl ChargeQueue for SqsQueue {
        async fn send(&self, messages: &[Message]) -> Result<(), SendError> {
            self.send_all(messages).await
        }

        async fn send_later(&self, message: &Message, wait: Duration) -> Result<(), SendError> {
            self.send_held_back(message, wait).await
        }
    }
}

#[cfg(feature = "delivery-queue")]
mod deliveries {
    use super::{SendError, SqsQueue, async_trait};
    use fatura_application::ports::{Deliver, DeliveryQueue};
    use std::time::Duration;

    #[async_trait]
    impl DeliveryQueue for SqsQueue {
        async fn send(&self, messages: &[Deliver]) -> Result<(), SendError> {
            self.send_all(messages).await
        }

        async fn send_later(&self, message: Deliver, wait: Duration) -> Result<(), SendError> {
            self.send_held_back(&message, wait).await
        }
    }
}

#[cfg(feature = "webhook-queue")]
mod webhooks {
    use super::{SendError, SqsQueue, async_trait};
    use fatura_application::ports::{WebhookMessage, WebhookQueue};

    #[async_trait]
    impl WebhookQueue for SqsQueue {
        async fn send(&self, message: &WebhookMessage) -> Result<(), SendError> {
            let body = serde_json::to_string(message).map_err(|error| SendError(error.to_string()))?;
            let request = self.client.send_message().queue_url(&self.url).message_body(body);
            request.send().await.map(drop).map_err(|error| SendError(error.into_service_error().to_string()))
        }
    }
}
