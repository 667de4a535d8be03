use crate::app::App;
use crate::change_set::{Change, ChangeSet};
use crate::error::Error;
use crate::ports::{WebhookMessage, WebhookSubject};
use fatura_domain::gateway::ChargeOutcome;
use fatura_domain::invoice::Observation;
use thiserror::Error as ThisError;

#[derive(Debug, ThisError)]
pub enum ProcessError {
    #[error("the webhook is not on record")]
    NotRecorded,
    /// The message goes back and is tried again.
    #[error("the gateway could not say how the charge stands")]
    GatewaySilent,
    #[error(transparent)]
    Failed(#[from] Error),
}

impl App {
    /// A webhook is a hint: the gateway is asked how the charge stands, and its answer is what counts.
    pub async fn process_webhook(&self, message: &WebhookMessage) -> Result<(), ProcessError> {
        let event =
            self.records.webhooks.webhook(&message.gateway, &message.event_id).await.map_err(Error::from)?;
        let event = event.ok_or(ProcessError::NotRecorded)?;
        let done =
            Change::WebhookProcessed { gateway: event.gateway.clone(), event_id: event.event_id.clone() };

        let gateway = self.gateways.get(&event.gateway).ok_or(ProcessError::GatewaySilent)?;
        let lookup = match gateway.parse_webhook(&event.body) {
            Ok(hint) => match hint.subject {
                Some(WebhookSubject::Charge(lookup) | WebhookSubject::Dispute(lookup)) => Some(lookup),
                // A refund is asked about when it is due.
                Some(WebhookSubject::Refund(_)) | None => None,
            },
            Err(error) => {
                tracing::warn!(gateway = %event.gateway, event = %event.event_id, %error, "kept, but not understood");
                None
            }
        };
        let Some(lookup) = lookup else { return self.processed(done).await };
        let outcome = gateway.fetch_charge(&lookup).await;
        if matches!(outcome, ChargeOutcome::Unknown { .. }) {
            return Err(ProcessError::GatewaySilent);
        }
        let Some(invoice) =
            self.records.invoices.invoice(lookup.attempt.invoice).await.map_err(Error::from)?
        else {
            tracing::warn!(gateway = %event.gateway, event = %event.event_id, "about an invoice that does not exist");
            return self.processed(done).await;
        };
        let observation = Observation { gateway: event.gateway, attempt: lookup.attempt.number, outcome };
        Ok(self.observe(invoice, &observation, &[done]).await?)
    }

    async fn processed(&self, done: Change) -> Result<(), ProcessError> {
        self.commit(ChangeSet::of([done]), None).await?;
        Ok(())
    }
}
