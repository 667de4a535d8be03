//! What clients, the queue and the sweep may ask of an invoice.

use super::reduce::{Reduced, Reduction};
use super::review::held_failure;
use super::{Canceled, Cause, Collection, IllegalTransition, Invoice, Payment, State, Status, Transition};
use crate::bug::Bug;
use crate::charge::{AttemptOutcome, LiveAttempt, Phase};
use crate::customer::PaymentSource;
use crate::dunning::Policy;
use crate::gateway::{ChargeRequest, GatewayReference};
use crate::id::AttemptNumber;
use crate::{Timestamp, charge::Attempt};

/// What whoever holds an invoice's message does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextStep {
    /// It is settled, or somebody is at it, or it isn't time.
    Rest,
    /// Write this invoice, which now owns a live attempt, then send the order.
    Send(Box<Invoice>),
    /// The order may have gone out: ask what became of it. Never send blindly.
    Ask(LiveAttempt),
    /// Take back what waits at the gateway.
    Void(AttemptNumber, GatewayReference),
}

/// What came of asking to cancel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cancellation {
    Done(Box<Reduction>),
    /// Something is live at the gateway, which has to agree first.
    Requested(Box<Invoice>),
    AlreadyRequested,
}

impl Invoice {
    /// Begins to collect, now or when it is due. A total of zero needs no source: it is paid at once.
    pub fn charged(
        &self,
        source: Option<PaymentSource>,
        charge_at: Option<Timestamp>,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<Self, ChargeError> {
        let illegal = IllegalTransition { from: self.status(), to: Status::Pending };
        if self.status() != Status::Draft {
            return Err(illegal.into());
        }
        let scheduled_for = charge_at.filter(|at| *at > now);
        let Some(source) = source else {
            if self.total.is_zero() {
                return Ok(self.free(now));
            }
            return Err(ChargeError::NoPaymentMethod);
        };
        if self.total.is_zero() && scheduled_for.is_none() {
            return Ok(self.free(now));
        }
        let due = scheduled_for.or_else(|| now.checked_add(policy.resend_after).ok());
        let collection = Collection { due, scheduled_for, ..Collection::begun(source, policy, now) };
        let cause = if scheduled_for.is_some() { Cause::Scheduled } else { Cause::ChargeRequested };
        Ok(self.moved(State::Pending(collection), cause, now)?)
    }

    /// Through pending, as every paid invoice goes, though there is nobody to collect from in between.
    pub(super) fn free(&self, now: Timestamp) -> Self {
        let mut paid = Self { state: State::Paid(Payment::new(now, None)), ..self.touched(now) };
        paid.history.extend([
            Transition::new(Status::Pending, now, Cause::ChargeRequested),
            Transition::new(Status::Paid, now, Cause::NothingToPay),
        ]);
        paid
    }

    /// Decides what to do about an invoice whose message has come.
    pub fn next_step(&self, now: Timestamp) -> NextStep {
        let State::Pending(collection) = &self.state else { return NextStep::Rest };
        let Some(live) = &collection.live else {
            let is_time = collection.scheduled_for.is_none_or(|at| at <= now);
            return if is_time {
                self.sending(collection, LiveAttempt::begun(self.attempts.next(), now), now)
            } else {
                NextStep::Rest
            };
        };
        match &live.phase {
            Phase::Sending { lease_until } if *lease_until >= now && !Bug::LeaseIgnored.is_planted() => {
                NextStep::Rest
            }
            Phase::NotSent { .. } | Phase::Cleared => {
                self.sending(collection, LiveAttempt { phase: Phase::sending(now), ..live.clone() }, now)
            }
            Phase::Awaiting { reference, .. } if collection.cancel_requested => {
                NextStep::Void(live.number, reference.clone())
            }
            Phase::Sending { .. } | Phase::Unknown { .. } | Phase::Awaiting { .. } => {
                NextStep::Ask(live.clone())
            }
            Phase::Mismatched { .. } | Phase::Held => NextStep::Rest,
        }
    }

    /// What a claim makes of it, in one write that reads nothing first. None: it has moved on since that version, isn't
    /// collected, or somebody has claimed it. The store says the same as a condition.
    pub fn claimed(&self, version: u64, live: LiveAttempt, now: Timestamp) -> Option<Self> {
        let State::Pending(collection) = &self.state else { return None };
        if self.version != version || collection.live.is_some() {
            return None;
        }
        Some(self.with_live(collection, live, now))
    }

    fn sending(&self, collection: &Collection, live: LiveAttempt, now: Timestamp) -> NextStep {
        NextStep::Send(Box::new(self.with_live(collection, live, now)))
    }

    fn with_live(&self, collection: &Collection, live: LiveAttempt, now: Timestamp) -> Self {
        let attempts = live.number;
        let state = State::Pending(Collection { live: Some(live), ..collection.clone() });
        Self { state, attempts, ..self.touched(now) }
    }

    /// The order that the live attempt stands for. The same attempt is always the same order.
    pub fn charge_request(&self) -> Option<(PaymentSource, ChargeRequest)> {
        let State::Pending(collection) = &self.state else { return None };
        let live = collection.live.as_ref()?;
        let request = ChargeRequest {
            attempt: self.attempt_id(live.number),
            begun_at: live.started_at,
            amount: self.total,
            means: collection.source.means.clone(),
        };
        Some((collection.source.clone(), request))
    }

    pub fn canceled(&self, now: Timestamp) -> Result<Cancellation, IllegalTransition> {
        let done = |attempt: Option<Attempt>| {
            let invoice = self.moved(self.canceled_state(), Cause::Canceled, now)?;
            Ok(Cancellation::Done(Box::new(Reduction { attempt, ..Reduction::of(invoice) })))
        };
        let State::Pending(collection) = &self.state else { return done(None) };
        match &collection.live {
            None => done(None),
            Some(LiveAttempt { phase: Phase::NotSent { failure }, .. }) => {
                done(self.finished(AttemptOutcome::NotSent(failure.clone()), None, now))
            }
            Some(LiveAttempt { phase: Phase::Held | Phase::Cleared, .. }) => {
                done(self.finished(AttemptOutcome::NotSent(held_failure()), None, now))
            }
            Some(_) if collection.cancel_requested => Ok(Cancellation::AlreadyRequested),
            Some(live) => {
                // Where a person decides, nobody else can do anything about it.
                let due = Some(now).filter(|_| !matches!(live.phase, Phase::Mismatched { .. }));
                let collection = Collection { cancel_requested: true, due, ..collection.clone() };
                let state = State::Pending(collection);
                Ok(Cancellation::Requested(Box::new(Self { state, ..self.touched(now) })))
            }
        }
    }

    /// Whether the last attempt has failed and nothing of it is at a gateway.
    pub const fn has_failed(&self) -> bool {
        matches!(self.state, State::ChargedWithError(_) | State::Uncollectible(_))
    }

    /// Whether our own rules, or a person whom they asked, refused what was tried last. That stays so when it is canceled.
    pub fn was_refused_for_risk(&self) -> bool {
        let failed = self.history.iter().rev().find(|step| step.status == Status::ChargedWithError);
        failed.is_some_and(|step| step.cause == Cause::RiskDeclined)
    }

    /// Canceled for the sake of what takes its place. None: it hasn't failed.
    pub fn given_up(&self, now: Timestamp) -> Option<Self> {
        if !self.has_failed() {
            return None;
        }
        self.moved(self.canceled_state(), Cause::Canceled, now).ok()
    }

    pub(super) fn canceled_state(&self) -> State {
        State::Canceled(Canceled { tried: self.state.tried() })
    }

    /// The record of the live attempt, now that it is over.
    pub(super) fn finished(
        &self,
        outcome: AttemptOutcome,
        reference: Option<GatewayReference>,
        now: Timestamp,
    ) -> Option<Attempt> {
        let State::Pending(collection) = &self.state else { return None };
        let live = collection.live.as_ref()?;
        Some(Attempt {
            id: self.attempt_id(live.number),
            gateway: collection.source.gateway.clone(),
            payment_method: collection.source.method,
            why: collection.source.why,
            risk: collection.risk.clone(),
            outcome,
            reference: reference.or_else(|| live.reference().cloned()),
            started_at: live.started_at,
            finished_at: now,
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChargeError {
    #[error(transparent)]
    Illegal(#[from] IllegalTransition),
    #[error("the customer has no payment method")]
    NoPaymentMethod,
}

impl From<Reduction> for Reduced {
    fn from(reduction: Reduction) -> Self {
        Self::Applied(Box::new(reduction))
    }
}
