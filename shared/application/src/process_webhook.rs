use crate::app::App;
use crate::attention::digest;
use crate::change_set::{Change, ChangeSet};
use crate::error::Error;
use crate::ports::{ChargeLookup, Gateway, WebhookEvent, WebhookMessage, WebhookSubject};
use fatura_domain::attention::{Attention, AttentionId, AttentionKind};
use fatura_domain::bug::Bug;
use fatura_domain::gateway::ChargeOutcome;
use fatura_domain::id::InvoiceId;
use fatura_domain::invoice::Observation;
use fatura_domain::money::Money;
use thiserror::Error as ThisError;

/// What a webhook is doubted for, whatever it tells of.
pub(crate) const NO_INVOICE: &str = "it is about an invoice that does not exist";

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
    /// A webhook is a hint: the gateway is asked how the charge stands, and its answer is what counts. Only where it can't
    /// be asked, what its signature vouches for is its answer.
    pub async fn process_webhook(&self, message: &WebhookMessage) -> Result<(), ProcessError> {
        let event =
            self.records.webhooks.webhook(&message.gateway, &message.event_id).await.map_err(Error::from)?;
        let event = event.ok_or(ProcessError::NotRecorded)?;
        let done =
            Change::WebhookProcessed { gateway: event.gateway.clone(), event_id: event.event_id.clone() };

        let gateway = self.gateways.get(&event.gateway).ok_or(ProcessError::GatewaySilent)?;
        if !gateway.can_be_asked() || Bug::WebhookTrusted.is_planted() {
            let has_spoken = self.take_word(&event, gateway.as_ref(), done).await?;
            return if has_spoken { Ok(()) } else { Err(ProcessError::GatewaySilent) };
        }
        let subject = match gateway.parse_webhook(&event.body) {
            Ok(hint) => hint.subject,
            Err(error) => {
                tracing::warn!(gateway = %event.gateway, event = %event.event_id, %error, "kept, but not understood");
                None
            }
        };
        let subject = match subject {
            Some(WebhookSubject::Unresolved(reference)) => {
                gateway.resolve(&reference).await.map_err(|failure| {
                    tracing::warn!(gateway = %event.gateway, event = %event.event_id, code = failure.code, "not resolved");
                    ProcessError::GatewaySilent
                })?
            }
            known => known,
        };
        let has_spoken = match subject {
            // Resolved to something unresolved: there is nothing to ask about.
            None | Some(WebhookSubject::Unresolved(_)) => self.processed(done).await.map(|()| true)?,
            Some(WebhookSubject::Charge(lookup)) => {
                self.ask_about_charge(&event, gateway.as_ref(), &lookup, done).await?
            }
            Some(WebhookSubject::Refund(refund)) => {
                self.ask_about_refund(gateway.as_ref(), refund, &[done]).await?
            }
            Some(WebhookSubject::Dispute(lookup)) => {
                self.ask_about_dispute(&event, gateway.as_ref(), &lookup, done).await?
            }
        };
        if has_spoken { Ok(()) } else { Err(ProcessError::GatewaySilent) }
    }

    /// False: the gateway could not say how the charge stands.
    async fn ask_about_charge(
        &self,
        event: &WebhookEvent,
        gateway: &dyn Gateway,
        lookup: &ChargeLookup,
        done: Change,
    ) -> Result<bool, Error> {
        let outcome = gateway.fetch_charge(lookup).await;
        if let ChargeOutcome::Unknown { failure } = &outcome {
            if failure.is_contradiction() {
                self.doubted(event, Some(lookup.attempt.invoice), None, &failure.message).await?;
                self.processed(done).await?;
                return Ok(true);
            }
            return Ok(false);
        }
        let Some(invoice) = self.records.invoices.invoice(lookup.attempt.invoice).await? else {
            let captured = match &outcome {
                ChargeOutcome::Approved { captured, .. } => Some(*captured),
                _ => None,
            };
            self.doubted(event, None, captured, NO_INVOICE).await?;
            return self.processed(done).await.map(|()| true);
        };
        let attempt = lookup.attempt.number;
        let observation = Observation { gateway: event.gateway.clone(), attempt, outcome };
        self.observe(invoice, &observation, &[done]).await?;
        Ok(true)
    }

    /// What doesn't agree with our books is for a person to look at: nothing of ours is changed by it.
    pub(crate) async fn doubted(
        &self,
        event: &WebhookEvent,
        invoice: Option<InvoiceId>,
        amount: Option<Money>,
        detail: &str,
    ) -> Result<(), Error> {
        tracing::warn!(gateway = %event.gateway, event = %event.event_id, detail, "a webhook is doubted");
        let matter = Attention {
            id: AttentionId::of_webhook(&digest(&format!("{} {}", event.gateway, event.event_id))),
            kind: AttentionKind::WebhookMismatch,
            invoice,
            bill: None,
            amount,
            gateway: Some(event.gateway.clone()),
            reference: None,
            detail: format!("webhook {}: {detail}", event.event_id),
            raised_at: self.clock.now(),
            closed: None,
        };
        // Raised before, it is on the list, or somebody has closed it with a word that stays.
        self.commit(ChangeSet::of([Change::AttentionRaisedOnce(matter)]), None).await?;
        Ok(())
    }

    async fn processed(&self, done: Change) -> Result<(), Error> {
        self.commit(ChangeSet::of([done]), None).await?;
        Ok(())
    }
}
