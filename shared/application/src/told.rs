//! The word of gateways that can't be asked: what their signatures vouch for is compared with our books just as an answer
//! would be.

use crate::app::App;
use crate::attention::digest;
use crate::change_set::{Change, ChangeSet};
use crate::disputes::{OTHERS_DISPUTE, Whose, whose};
use crate::error::Error;
use crate::ports::{Gateway, Told, WebhookEvent};
use crate::process_webhook::NO_INVOICE;
use fatura_domain::attention::{Attention, AttentionId, AttentionKind};
use fatura_domain::charge::{LiveAttempt, Phase};
use fatura_domain::gateway::{ChargeOutcome, DisputeStanding, GatewayReference, RefundOutcome};
use fatura_domain::id::{AttemptId, RefundId};
use fatura_domain::invoice::{Invoice, Observation};
use fatura_domain::money::Money;
use fatura_domain::refund::{Refund, RefundState, RefundTo};

/// What came of one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Done,
    /// Whoever sent the order is about to be answered, and told more than this.
    TooEarly,
}

impl App {
    /// Each word has its effect, however often it comes. False: it is to come again.
    pub(crate) async fn take_word(
        &self,
        event: &WebhookEvent,
        gateway: &dyn Gateway,
        done: Change,
    ) -> Result<bool, Error> {
        for word in gateway.told(&event.body) {
            let heard = match &word {
                Told::Charge { attempt, outcome } => self.told_charge(event, *attempt, outcome).await?,
                Told::Refund { refund, charge, outcome } => {
                    self.told_refund(event, *refund, charge, outcome).await?
                }
                Told::Dispute { attempt, charge, standing } => {
                    self.told_dispute(event, *attempt, charge, standing).await?
                }
                Told::Withdrawn { attempt, charge } => self.told_withdrawn(event, *attempt, charge).await?,
            };
            if heard == Heard::TooEarly {
                return Ok(false);
            }
        }
        self.commit(ChangeSet::of([done]), None).await?;
        Ok(true)
    }

    async fn told_charge(
        &self,
        event: &WebhookEvent,
        attempt: AttemptId,
        outcome: &ChargeOutcome,
    ) -> Result<Heard, Error> {
        let captured = match outcome {
            ChargeOutcome::Approved { captured, .. } => Some(*captured),
            _ => None,
        };
        let Some(invoice) = self.about(event, attempt, captured).await? else { return Ok(Heard::Done) };
        if let ChargeOutcome::Voided { reference } = outcome
            && invoice.booked_of(&event.gateway, reference).is_some()
        {
            return self.told_withdrawn(event, attempt, reference).await;
        }
        let live = invoice.state.live_attempt().filter(|live| live.number == attempt.number);
        if let Some(live) = live {
            if is_of_another(live, outcome) {
                let detail = "it tells of another charge than the attempt's";
                self.doubted(event, Some(invoice.id), None, detail).await?;
                return Ok(Heard::Done);
            }
            // A signature vouches for no reason, and the answer that is on its way does tell one.
            if matches!(outcome, ChargeOutcome::Declined { .. }) && is_being_sent(live, self.clock.now()) {
                return Ok(Heard::TooEarly);
            }
        }
        let gateway = event.gateway.clone();
        let observation = Observation { gateway, attempt: attempt.number, outcome: outcome.clone() };
        self.observe(invoice, &observation, &[]).await?;
        Ok(Heard::Done)
    }

    async fn told_refund(
        &self,
        event: &WebhookEvent,
        id: RefundId,
        charge: &GatewayReference,
        outcome: &RefundOutcome,
    ) -> Result<Heard, Error> {
        let refund = self.records.refunds.refund(id).await?;
        let Some(refund) =
            refund.filter(|refund| refund.to == RefundTo::Gateway(event.gateway.clone(), charge.clone()))
        else {
            tracing::warn!(gateway = %event.gateway, event = %event.event_id, "about a refund that does not exist");
            return Ok(Heard::Done);
        };
        match (&refund.state, outcome) {
            (RefundState::Succeeded { .. }, RefundOutcome::Failed { .. }) => {
                let raised = Change::AttentionRaisedOnce(came_back(&refund));
                self.commit(ChangeSet::of([raised]), None).await?;
            }
            _ => self.observe_refund(refund, outcome, &[]).await?,
        }
        Ok(Heard::Done)
    }

    async fn told_dispute(
        &self,
        event: &WebhookEvent,
        attempt: AttemptId,
        charge: &GatewayReference,
        standing: &DisputeStanding,
    ) -> Result<Heard, Error> {
        let Some(invoice) = self.about(event, attempt, None).await? else { return Ok(Heard::Done) };
        match whose(&invoice, &event.gateway, attempt, Some(charge)) {
            Whose::NotYetTold => return Ok(Heard::TooEarly),
            Whose::Payment => self.observe_dispute(attempt.invoice, standing, &[]).await?,
            Whose::Others => {
                self.doubted(event, Some(invoice.id), standing.amount, OTHERS_DISPUTE).await?;
            }
        }
        Ok(Heard::Done)
    }

    /// Our books have the money, so a person has to look.
    async fn told_withdrawn(
        &self,
        event: &WebhookEvent,
        attempt: AttemptId,
        charge: &GatewayReference,
    ) -> Result<Heard, Error> {
        let Some(invoice) = self.about(event, attempt, None).await? else { return Ok(Heard::Done) };
        if let Some(amount) = invoice.booked_of(&event.gateway, charge) {
            let matter = Attention {
                id: AttentionId::of_difference(&digest(&format!("withdrawn {} {charge}", event.gateway))),
                kind: AttentionKind::ReconciliationDifference,
                invoice: Some(invoice.id),
                bill: None,
                amount: Some(amount),
                gateway: Some(event.gateway.clone()),
                reference: Some(charge.clone()),
                detail: format!(
                    "our books have {amount} {}, and the gateway says that the charge came to nothing",
                    amount.currency().code()
                ),
                raised_at: self.clock.now(),
                closed: None,
            };
            // Raised before, it is on the list, or somebody has closed it with a word that stays.
            self.commit(ChangeSet::of([Change::AttentionRaisedOnce(matter)]), None).await?;
        }
        Ok(Heard::Done)
    }

    async fn about(
        &self,
        event: &WebhookEvent,
        attempt: AttemptId,
        amount: Option<Money>,
    ) -> Result<Option<Invoice>, Error> {
        let invoice = self.records.invoices.invoice(attempt.invoice).await?;
        if invoice.is_none() {
            self.doubted(event, None, amount, NO_INVOICE).await?;
        }
        Ok(invoice)
    }
}

/// Money counts whichever charge it came by; that another one came to nothing says nothing about the attempt's own.
fn is_of_another(live: &LiveAttempt, outcome: &ChargeOutcome) -> bool {
    let told = match outcome {
        ChargeOutcome::Declined { reference, .. } => reference.as_ref(),
        ChargeOutcome::Voided { reference } => Some(reference),
        _ => None,
    };
    matches!((live.reference(), told), (Some(ours), Some(told)) if ours != told)
}

fn is_being_sent(live: &LiveAttempt, now: fatura_domain::Timestamp) -> bool {
    matches!(live.phase, Phase::Sending { lease_until } if lease_until >= now)
}

fn came_back(refund: &Refund) -> Attention {
    Attention {
        // Of its own: what was raised about its silence before was closed by its success.
        id: AttentionId::of_difference(&digest(&format!("returned {}", refund.id))),
        kind: AttentionKind::RefundFailed,
        invoice: Some(refund.invoice),
        bill: None,
        amount: Some(refund.amount),
        gateway: refund.gateway().cloned(),
        reference: refund.charge().cloned(),
        detail: "the gateway had given the money back, and says now that it came back to us".to_owned(),
        raised_at: refund.updated_at,
        closed: None,
    }
}
