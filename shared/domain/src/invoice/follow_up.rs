//! What a state asks of others: of a person, of the customer, of a run that counts. It follows from the invoice alone, so
//! that whoever compares two versions knows what has begun and what has ended.

use super::{Collection, Draft, Failed, Invoice, Orphan, State};
use crate::Timestamp;
use crate::attention::{Attention, AttentionId, AttentionKind};
use crate::charge::{FailureClass, Phase};
use crate::gateway::{GatewayName, GatewayReference, PendingAction};
use crate::id::{PaymentMethodId, RunId};
use crate::money::Money;
use crate::run::Outcome;

/// What happens next to an unpaid invoice, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextAction {
    /// Charged for the first time.
    Charge,
    /// The same order goes out again.
    SendAgain,
    /// Charged again, as a new attempt.
    Retry,
    /// The gateway is asked what became of the order.
    Ask,
    AwaitPayer,
    AwaitPaymentMethod,
    AwaitOperator,
    /// Nothing by itself, until it is given up.
    GiveUp,
}

impl NextAction {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::SendAgain => "send_again",
            Self::Retry => "retry",
            Self::Ask => "ask_gateway",
            Self::AwaitPayer => "await_payer",
            Self::AwaitPaymentMethod => "await_payment_method",
            Self::AwaitOperator => "await_operator",
            Self::GiveUp => "give_up",
        }
    }
}

impl Invoice {
    /// Whether a new payment method of the customer's is to be tried at once.
    pub const fn awaits_method(&self) -> bool {
        match &self.state {
            State::Draft(draft) => draft.awaits_method,
            State::ChargedWithError(failed) => failed.awaits_method,
            _ => false,
        }
    }

    /// What the payer has yet to do about the live attempt.
    pub fn awaited_of_payer(&self) -> Option<&PendingAction> {
        let live = self.state.live_attempt()?;
        match &live.phase {
            Phase::Awaiting {
                action: action @ (PendingAction::Pix { .. } | PendingAction::RequiresAction { .. }),
                ..
            } => Some(action),
            _ => None,
        }
    }

    /// What happens next by itself or has to be done by somebody, and when. None: nothing is owed, or nobody asked for it.
    pub fn next_action(&self) -> Option<(NextAction, Option<Timestamp>)> {
        Some(match &self.state {
            State::Draft(Draft { awaits_method: true, .. }) => (NextAction::AwaitPaymentMethod, None),
            State::Pending(collection) => next_of_collection(collection),
            State::ChargedWithError(Failed { retry_at: Some(at), .. }) => (NextAction::Retry, Some(*at)),
            State::ChargedWithError(Failed { awaits_method: true, .. }) => {
                (NextAction::AwaitPaymentMethod, None)
            }
            State::ChargedWithError(failed) if failed.failure.class.needs_operator() => {
                (NextAction::AwaitOperator, None)
            }
            State::ChargedWithError(failed) => (NextAction::GiveUp, failed.gives_up_at),
            _ => return None,
        })
    }

    /// What a person has to look at because of the state that it is in.
    pub fn matter(&self) -> Option<Attention> {
        let (kind, gateway, reference, detail) = match &self.state {
            State::Pending(collection) => {
                let live = collection.live.as_ref()?;
                let (kind, reference, detail) = match &live.phase {
                    Phase::Unknown { failure, .. } if collection.due.is_none() => {
                        let asked = "the gateway has not said what became of the charge";
                        (AttentionKind::UnknownOutcome, None, format!("{asked}: {}", failure.message))
                    }
                    Phase::Mismatched { reference, failure } => {
                        (AttentionKind::AmountMismatch, Some(reference.clone()), failure.message.clone())
                    }
                    Phase::Held => (AttentionKind::RiskReview, None, held_for(collection)),
                    _ => return None,
                };
                (kind, &collection.source.gateway, reference, detail)
            }
            State::ChargedWithError(failed) | State::Uncollectible(failed)
                if failed.failure.class.needs_operator() && failed.retry_at.is_none() =>
            {
                let Failed { source, failure, .. } = failed;
                let detail = format!("{}: {}", failure.class.as_str(), failure.message);
                (AttentionKind::CannotCharge, &source.gateway, None, detail)
            }
            _ => return None,
        };
        let attempt = self.attempt_id(self.attempts);
        let id = match kind {
            AttentionKind::RiskReview => AttentionId::of_review(attempt),
            _ => AttentionId::of_attempt(attempt),
        };
        Some(self.attention(id, kind, self.total, gateway, reference, detail))
    }

    /// An orphan by its place, which a person is told of though it goes back by itself.
    pub fn orphan_matter(&self, place: usize, orphan: &Orphan) -> Attention {
        let detail = format!("{} came for an invoice that is {}", orphan.amount, self.status().as_str());
        self.attention(
            AttentionId::of_orphan(self.id, place),
            AttentionKind::OrphanPayment,
            orphan.amount,
            &orphan.gateway,
            Some(orphan.reference.clone()),
            detail,
        )
    }

    pub(super) fn attention(
        &self,
        id: AttentionId,
        kind: AttentionKind,
        amount: Money,
        gateway: &GatewayName,
        reference: Option<GatewayReference>,
        detail: String,
    ) -> Attention {
        Attention {
            id,
            kind,
            invoice: Some(self.id),
            bill: None,
            amount: Some(amount),
            gateway: Some(gateway.clone()),
            reference,
            detail,
            raised_at: self.updated_at,
            closed: None,
        }
    }

    /// What a run that had this invoice charged counts it as.
    pub fn outcome_for_run(&self) -> Option<(RunId, Outcome)> {
        let outcome = match &self.state {
            State::Draft(_) => return None,
            State::Pending(Collection { live: Some(live), .. })
                if matches!(live.phase, Phase::Unknown { .. } | Phase::Mismatched { .. }) =>
            {
                Outcome::Unknown
            }
            State::Pending(_) => Outcome::Pending,
            State::ChargedWithError(failed) | State::Uncollectible(failed) => {
                Outcome::Failed(failed.failure.class)
            }
            State::Canceled(_) => Outcome::Canceled,
            State::Paid(_) | State::Refunded(_) | State::InProtest(_) | State::Chargeback(_) => Outcome::Paid,
        };
        self.run.clone().map(|run| (run, outcome))
    }

    /// The failure that it has most recently met, if it is still unpaid.
    pub fn failure_class(&self) -> Option<FailureClass> {
        match &self.state {
            State::ChargedWithError(failed) | State::Uncollectible(failed) => Some(failed.failure.class),
            state => state.live_attempt().and_then(|live| live.failure()).map(|failure| failure.class),
        }
    }

    /// The method that was tried last, if it isn't paid yet.
    pub fn method_to_retry(&self) -> Option<PaymentMethodId> {
        match &self.state {
            State::ChargedWithError(failed) | State::Uncollectible(failed) => Some(failed.source.method),
            _ => None,
        }
    }
}

fn next_of_collection(collection: &Collection) -> (NextAction, Option<Timestamp>) {
    let Some(live) = &collection.live else {
        return (NextAction::Charge, collection.scheduled_for);
    };
    match &live.phase {
        Phase::Sending { .. } | Phase::Cleared => (NextAction::Charge, None),
        Phase::NotSent { .. } => (NextAction::SendAgain, collection.due),
        Phase::Awaiting { .. } => (NextAction::AwaitPayer, None),
        Phase::Unknown { .. } if collection.due.is_some() => (NextAction::Ask, collection.due),
        Phase::Held | Phase::Unknown { .. } | Phase::Mismatched { .. } => (NextAction::AwaitOperator, None),
    }
}

fn held_for(collection: &Collection) -> String {
    let assessment = collection.risk.as_ref().map(|risk| &risk.assessment);
    let reasons = assessment.map(|assessment| assessment.reasons.as_slice()).unwrap_or_default();
    let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
    let score = assessment.map_or(0, |assessment| assessment.score);
    format!("held at a score of {score}: {}", reasons.join(", "))
}
