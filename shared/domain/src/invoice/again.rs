//! What follows a failure: the retry that is due, the one that somebody asks for, the one with another payment method, and
//! the end.

use super::{Cause, Collection, Failed, IllegalTransition, Invoice, State, Status, Transition};
use crate::charge::{Failure, LiveAttempt, Phase};
use crate::customer::PaymentSource;
use crate::dunning::Policy;
use crate::gateway::MeansType;
use crate::id::{AttemptNumber, PaymentMethodId};
use crate::{SignedDuration, Timestamp};
use thiserror::Error;

/// What a sweep has to do about an invoice whose time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Woken {
    /// Write this, then send a message about it.
    PutOff(Box<Invoice>),
    /// Charge again, by what the customer pays with now.
    Retry,
    /// Write this: it has been tried long enough.
    GaveUp(Box<Invoice>),
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RequeueError {
    #[error(transparent)]
    Illegal(#[from] IllegalTransition),
    #[error("it has been tried {} times, which is as often as one invoice can be", AttemptNumber::LAST.0)]
    TooManyAttempts,
    #[error("the card's network takes no more orders for it before {0}")]
    Barred(Timestamp),
}

impl Invoice {
    /// What to do now that its time has come; None if it hasn't. What is pending is put off for as long again as it has
    /// waited, so that a long queue isn't made longer each minute.
    pub fn woken(&self, policy: &Policy, now: Timestamp) -> Option<Woken> {
        self.state.due().filter(|due| *due <= now)?;
        match &self.state {
            State::Pending(collection) => {
                let since = collection.scheduled_for.unwrap_or(self.since());
                let wait = now.duration_since(since).clamp(policy.resend_after, policy.awaiting_poll);
                let due = now.checked_add(wait).ok();
                let state = State::Pending(Collection { due, ..collection.clone() });
                Some(Woken::PutOff(Box::new(Self { state, ..self.touched(now) })))
            }
            State::ChargedWithError(Failed { retry_at: Some(_), .. }) => Some(Woken::Retry),
            State::ChargedWithError(failed) => {
                let failed = Failed { gives_up_at: None, ..failed.clone() };
                let ended = self.moved(State::Uncollectible(failed), Cause::GaveUp, now).ok()?;
                Some(Woken::GaveUp(Box::new(ended)))
            }
            _ => None,
        }
    }

    /// The retry that was due.
    pub fn retried(
        &self,
        source: PaymentSource,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<Self, IllegalTransition> {
        self.moved(State::Pending(Collection::begun(source, policy, now)), Cause::RetryDue, now)
    }

    /// Until when the card's network has to be spared another order for this invoice, by the same method. None: it may be
    /// sent.
    pub fn barred_until(
        &self,
        source: &PaymentSource,
        brand: Option<&str>,
        policy: &Policy,
        now: Timestamp,
    ) -> Option<Timestamp> {
        if self.method_to_retry() != Some(source.method) || source.means.kind() != MeansType::CreditCard {
            return None;
        }
        let rule = policy.rules.network(brand)?;
        let window = SignedDuration::from_hours(24 * i64::from(rule.days));
        let lately =
            |step: &&Transition| step.cause == Cause::ChargeFailed && now.duration_since(step.at) < window;
        let declines: Vec<Timestamp> = self.history.iter().filter(lately).map(|step| step.at).collect();
        // The first of those that fill the window has to leave it.
        let first =
            declines.len().checked_sub(usize::from(rule.declines)).and_then(|index| declines.get(index))?;
        first.checked_add(window).ok()
    }

    /// The retry is due later, if that is before the invoice is given up.
    pub fn postponed(&self, until: Timestamp, now: Timestamp) -> Option<Self> {
        let State::ChargedWithError(failed) = &self.state else { return None };
        let retry_at = Some(until).filter(|until| failed.gives_up_at.is_none_or(|end| *until <= end));
        let state = State::ChargedWithError(Failed { retry_at, ..failed.clone() });
        Some(Self { state, ..self.touched(now) })
    }

    /// A new draft that would be charged, had its customer anything to be charged.
    #[must_use]
    pub fn awaiting_method(mut self) -> Self {
        if let State::Draft(draft) = &mut self.state {
            draft.awaits_method = true;
        }
        self
    }

    /// There is nothing left to charge: the retry waits until the customer brings something.
    pub fn without_method(&self, now: Timestamp) -> Option<Self> {
        let State::ChargedWithError(failed) = &self.state else { return None };
        let failed = Failed { retry_at: None, awaits_method: true, ..failed.clone() };
        Some(Self { state: State::ChargedWithError(failed), ..self.touched(now) })
    }

    /// Charged again because somebody asks, as patiently as the first time.
    pub fn requeued(
        &self,
        source: PaymentSource,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<Self, RequeueError> {
        if !matches!(self.state, State::ChargedWithError(_) | State::Uncollectible(_)) {
            return Err(IllegalTransition { from: self.status(), to: Status::Pending }.into());
        }
        self.again(source, Cause::Requeued, policy, now)
    }

    /// Charged at once by what the customer has just brought, if that is what it waits for.
    pub fn charged_by_new_method(
        &self,
        source: PaymentSource,
        policy: &Policy,
        now: Timestamp,
    ) -> Option<Self> {
        if matches!(self.state, State::Draft(_)) && self.awaits_method() {
            return self.charged(Some(source), None, policy, now).ok();
        }
        let State::ChargedWithError(failed) = &self.state else { return None };
        // Registered once more, a card that was refused for good is the same card.
        let is_refused = failed.failure.class.is_final() && failed.source.means == source.means;
        if !self.awaits_method() || failed.source.method == source.method || is_refused {
            return None;
        }
        self.again(source, Cause::PaymentMethodChanged, policy, now).ok()
    }

    fn again(
        &self,
        source: PaymentSource,
        cause: Cause,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<Self, RequeueError> {
        if self.attempts >= AttemptNumber::LAST {
            return Err(RequeueError::TooManyAttempts);
        }
        let state = State::Pending(Collection::begun(source, policy, now));
        Ok(Self { failures: 0, ..self.moved(state, cause, now)? })
    }

    /// The attempt that was just begun isn't sent, because its gateway takes nothing until then. That counts for nothing.
    pub fn held_back(&self, failure: Failure, until: Timestamp, now: Timestamp) -> Option<Self> {
        let State::Pending(collection) = &self.state else { return None };
        let live = collection.live.clone().filter(|live| matches!(live.phase, Phase::Sending { .. }))?;
        let live = Some(LiveAttempt { phase: Phase::NotSent { failure }, ..live });
        let state = State::Pending(Collection { live, due: Some(until), ..collection.clone() });
        Some(Self { state, ..self.touched(now) })
    }
}

impl Invoice {
    /// The next gateway for an order that this one doesn't take, if it has surely never reached this one: an order that
    /// was lost sight of in between may still be on its way there, and only its own key keeps it from being a second charge.
    pub fn elsewhere(&self) -> Option<PaymentSource> {
        let State::Pending(collection) = &self.state else { return None };
        collection.live.as_ref().filter(|live| live.unsent == 0)?;
        collection.source.elsewhere()
    }

    /// By what a charge that was planned ahead is to be paid, while it has not begun.
    pub fn planned_with(&self) -> Option<PaymentMethodId> {
        let State::Pending(collection) = &self.state else { return None };
        let is_planned = collection.scheduled_for.is_some() && collection.live.is_none();
        is_planned.then_some(collection.source.method)
    }

    /// What was planned ahead, by another gateway.
    #[must_use]
    pub fn rerouted(mut self, source: PaymentSource) -> Self {
        if self.planned_with() == Some(source.method)
            && let State::Pending(collection) = &mut self.state
        {
            collection.source = source;
        }
        self
    }
}

impl Collection {
    pub(super) fn begun(source: PaymentSource, policy: &Policy, now: Timestamp) -> Self {
        let due = now.checked_add(policy.resend_after).ok();
        Self { source, due, scheduled_for: None, live: None, cancel_requested: false, risk: None }
    }
}
