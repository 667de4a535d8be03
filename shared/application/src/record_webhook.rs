use crate::ports::{
    Clock, Gateways, Recorded, SendError, StoreError, WebhookDelivery, WebhookEvent, WebhookMessage,
    WebhookQueue, WebhookRefusal, Webhooks,
};
use fatura_domain::gateway::GatewayName;
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::Arc;
use thiserror::Error;

/// Takes webhooks in: verified, kept, queued, and only then answered.
#[derive(Clone)]
pub struct Intake {
    pub webhooks: Arc<dyn Webhooks>,
    pub queue: Arc<dyn WebhookQueue>,
    pub gateways: Gateways,
    pub clock: Arc<dyn Clock>,
}

#[derive(Debug, Error)]
pub enum IntakeError {
    #[error("no such gateway")]
    UnknownGateway,
    #[error(transparent)]
    Refused(#[from] WebhookRefusal),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Queue(#[from] SendError),
}

impl Intake {
    pub async fn record(
        &self,
        gateway: &GatewayName,
        delivery: &WebhookDelivery,
    ) -> Result<Recorded, IntakeError> {
        let adapter = self.gateways.get(gateway).ok_or(IntakeError::UnknownGateway)?;
        let now = self.clock.now();
        adapter.verify_webhook(delivery, now).await?;
        // Verified but unreadable is kept all the same: somebody will want to know what the gateway has begun to send.
        let body = adapter.kept_body(delivery);
        let event_id = match adapter.parse_webhook(&body) {
            Ok(hint) => hint.event_id,
            Err(_) => hex::encode(Sha256::digest(&body)),
        };
        let event = WebhookEvent { gateway: gateway.clone(), event_id, body, received_at: now };
        let recorded = self.webhooks.record(&event).await?;
        // Known but not processed may mean that its message was never sent.
        if recorded != (Recorded::Known { processed: true }) {
            self.queue.send(&WebhookMessage { gateway: event.gateway, event_id: event.event_id }).await?;
        }
        Ok(recorded)
    }
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake").field("gateways", &self.gateways).finish_non_exhaustive()
    }
}
