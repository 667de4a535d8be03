//! What the gateway's word does to an invoice, however it comes: as the answer to a call, by webhook, by a poll; early,
//! late, twice, or against what it said before. One function, so that the order never matters.

use super::{Captured, Cause, Collection, Failed, Invoice, Orphan, Payment, State};
use crate::bug::Bug;
use crate::charge::{Attempt, AttemptOutcome, Failure, FailureClass, LiveAttempt, Phase, Retry};
use crate::customer::PaymentSource;
use crate::dunning::Policy;
use crate::gateway::{ChargeOutcome, GatewayName, GatewayReference, MeansType, PendingAction};
use crate::id::{AttemptNumber, PaymentMethodId, TransactionId};
use crate::ledger::{Account, AtGateway, Journal, MovedBy, Transaction, TransactionKind};
use crate::money::Money;
use crate::refund::Refund;
use crate::{Moment, Timestamp};

/// What a gateway said of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    pub gateway: GatewayName,
    pub attempt: AttemptNumber,
    pub outcome: ChargeOutcome,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reduced {
    Applied(Box<Reduction>),
    /// Nothing new: a replay, or a word about what is long over.
    AlreadyApplied,
}

/// The invoice after it, and what has to be written with it in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reduction {
    pub invoice: Invoice,
    pub attempt: Option<Attempt>,
    pub transaction: Option<Transaction>,
    /// The order that gives back what was not owed.
    pub refund: Option<Refund>,
    /// There is something to do for this invoice at once: send its message.
    pub wake: bool,
}

impl Reduction {
    pub(super) const fn of(invoice: Invoice) -> Self {
        Self { invoice, attempt: None, transaction: None, refund: None, wake: false }
    }
}

impl Invoice {
    pub fn observe(&self, observation: &Observation, policy: &Policy, moment: Moment) -> Reduced {
        let live = self.state.live_attempt().filter(|live| live.number == observation.attempt);
        match (&self.state, live) {
            (State::Pending(collection), Some(live)) if collection.source.gateway == observation.gateway => {
                LiveCollection { invoice: self, collection, live, policy, moment }
                    .observe(&observation.outcome)
            }
            _ => self.observe_late(observation, policy, moment),
        }
    }

    /// A word about an attempt that isn't live. Only money matters: it pays what is unpaid, or goes back.
    fn observe_late(&self, observation: &Observation, policy: &Policy, moment: Moment) -> Reduced {
        let ChargeOutcome::Approved { reference, captured } = &observation.outcome else {
            return Reduced::AlreadyApplied;
        };
        let booked = self.booked_of(&observation.gateway, reference);
        // For an attempt that was never begun there is nothing that we could have asked the gateway for.
        let is_ours = observation.attempt <= self.attempts && observation.attempt.0 > 0;
        let Some((method, means)) = self.state.tried().filter(|_| is_ours) else {
            return Reduced::AlreadyApplied;
        };
        let money = Arrived {
            attempt: observation.attempt,
            gateway: &observation.gateway,
            reference,
            captured: *captured,
            method,
            means,
        };
        if let Some(booked) = booked {
            return self.paid_again(&money, booked, policy, moment);
        }
        match &self.state {
            State::ChargedWithError(_) | State::Uncollectible(_) if *captured == self.total => {
                self.paid_by(&money, None, policy, moment)
            }
            _ => self.returning(&money, policy, moment),
        }
    }

    /// What is on our books of this very charge. None: it isn't.
    pub fn booked_of(&self, gateway: &GatewayName, reference: &GatewayReference) -> Option<Money> {
        let charge = self.state.payment().and_then(|payment| payment.charge.as_ref());
        let paid = charge.filter(|charge| charge.gateway == *gateway && charge.reference == *reference);
        let orphans =
            self.orphans.iter().filter(|orphan| orphan.gateway == *gateway && orphan.reference == *reference);
        let amounts = paid.map(|charge| charge.amount).into_iter().chain(orphans.map(|orphan| orphan.amount));
        amounts.reduce(|sum, amount| sum.plus(amount).unwrap_or(sum))
    }

    /// A QR code can be paid more than once, and stays one charge: what has come on top goes back. A card's charge is
    /// captured once, so that another amount of it is somebody's mistake, and nothing to give money away for.
    fn paid_again(&self, money: &Arrived<'_>, booked: Money, policy: &Policy, moment: Moment) -> Reduced {
        let more = money.captured.minus(booked).ok().filter(|more| more.is_positive());
        match more.filter(|_| money.means == MeansType::Pix) {
            Some(more) => self.returning(&Arrived { captured: more, ..*money }, policy, moment),
            None => Reduced::AlreadyApplied,
        }
    }

    fn paid_by(
        &self,
        money: &Arrived<'_>,
        attempt: Option<Attempt>,
        policy: &Policy,
        moment: Moment,
    ) -> Reduced {
        let clearing = Account::GatewayClearing(money.gateway.clone());
        let booked = self
            .settled(clearing, money.captured)
            .map(|journal| money.transaction(self, TransactionKind::Charge, journal, moment));
        let Some(transaction) = booked else { return Reduced::AlreadyApplied };
        let charge = Captured {
            attempt: money.attempt,
            gateway: money.gateway.clone(),
            reference: money.reference.clone(),
            payment_method: money.method,
            means: money.means,
            transaction: transaction.id,
            amount: money.captured,
        };
        let state = State::Paid(Payment::new(moment.now, Some(charge)));
        match self.moved(state, Cause::ChargeSucceeded, moment.now) {
            Ok(invoice) => {
                Reduction { attempt, transaction: Some(transaction), ..Reduction::of(invoice) }.into()
            }
            Err(_) => self.returning(money, policy, moment),
        }
    }

    /// Money that nothing is owed for goes back by itself.
    fn returning(&self, money: &Arrived<'_>, policy: &Policy, moment: Moment) -> Reduced {
        let Reduced::Applied(orphaned) = self.orphaned(money, moment) else {
            return Reduced::AlreadyApplied;
        };
        let mut reduction = *orphaned;
        reduction.refund = reduction.invoice.return_orphan(policy, moment);
        reduction.into()
    }

    fn orphaned(&self, money: &Arrived<'_>, moment: Moment) -> Reduced {
        // Nothing isn't booked.
        let clearing = Account::GatewayClearing(money.gateway.clone());
        let Ok(journal) = Journal::transfer(clearing, Account::Unapplied, money.captured) else {
            return Reduced::AlreadyApplied;
        };
        let transaction = money.transaction(self, TransactionKind::Orphan, journal, moment);
        let mut invoice = self.touched(moment.now);
        invoice.orphans.push(Orphan {
            attempt: money.attempt,
            gateway: money.gateway.clone(),
            reference: money.reference.clone(),
            amount: money.captured,
            refund: None,
            returned: false,
        });
        Reduction { transaction: Some(transaction), ..Reduction::of(invoice) }.into()
    }
}

/// An invoice with the attempt that is under way, at the moment a word about it comes.
pub(super) struct LiveCollection<'a> {
    pub(super) invoice: &'a Invoice,
    pub(super) collection: &'a Collection,
    pub(super) live: &'a LiveAttempt,
    pub(super) policy: &'a Policy,
    pub(super) moment: Moment,
}

impl LiveCollection<'_> {
    fn observe(&self, outcome: &ChargeOutcome) -> Reduced {
        match outcome {
            ChargeOutcome::Approved { reference, captured } => self.approved(reference, *captured),
            // Money of another amount is on the books: a word of failure doesn't give it back, a person does.
            _ if self.is_mismatched() => Reduced::AlreadyApplied,
            // No gateway has seen it: what is said of it is about something else.
            _ if matches!(self.live.phase, Phase::Held | Phase::Cleared) => Reduced::AlreadyApplied,
            ChargeOutcome::Pending { reference, action } => self.awaiting(reference, action),
            ChargeOutcome::Declined { failure, .. } if failure.class == FailureClass::Duplicate => {
                self.duplicate(failure)
            }
            ChargeOutcome::Declined { reference, failure } => {
                let ending = Ending::of(AttemptOutcome::Declined(failure.clone()), reference.clone());
                self.ended(Ending { next: self.source_after_decline(failure), ..ending }, failure)
            }
            ChargeOutcome::NotSent { failure } => self.not_sent(failure),
            ChargeOutcome::Unknown { failure } if Bug::FailoverAfterUnknown.is_planted() => {
                self.not_sent(failure)
            }
            ChargeOutcome::Unknown { failure } => self.unknown(failure),
            ChargeOutcome::Voided { reference } => self.voided(reference),
            ChargeOutcome::Absent => self.absent(),
        }
    }

    fn approved(&self, reference: &GatewayReference, captured: Money) -> Reduced {
        let money = Arrived {
            attempt: self.live.number,
            gateway: &self.collection.source.gateway,
            reference,
            captured,
            method: self.collection.source.method,
            means: self.collection.source.means.kind(),
        };
        if self.invoice.booked_of(money.gateway, money.reference).is_some() {
            return Reduced::AlreadyApplied;
        }
        if captured != self.invoice.total {
            return if self.is_mismatched() {
                self.invoice.returning(&money, self.policy, self.moment)
            } else {
                self.mismatched(&money)
            };
        }
        let attempt =
            self.invoice.finished(AttemptOutcome::Succeeded, Some(reference.clone()), self.moment.now);
        let paid = self.invoice.paid_by(&money, attempt, self.policy, self.moment);
        match paid {
            // What came before was not the payment, and nobody has to decide about it any more.
            Reduced::Applied(mut reduction) if self.is_mismatched() => {
                reduction.refund = reduction.invoice.return_orphan(self.policy, self.moment);
                Reduced::Applied(reduction)
            }
            paid => paid,
        }
    }

    const fn is_mismatched(&self) -> bool {
        matches!(self.live.phase, Phase::Mismatched { .. })
    }

    /// The money is booked as not applied, and a person decides. The attempt stays live, so that nothing else is charged.
    fn mismatched(&self, money: &Arrived<'_>) -> Reduced {
        let Reduced::Applied(orphaned) = self.invoice.orphaned(money, self.moment) else {
            return Reduced::AlreadyApplied;
        };
        let message = format!("the gateway captured {} instead of {}", money.captured, self.invoice.total);
        let failure = Failure::new(FailureClass::AmountMismatch, "amount_mismatch", &message);
        let phase = Phase::Mismatched { reference: money.reference.clone(), failure };
        let state = self.state_in(phase, self.live.unsent, None);
        let invoice = Invoice { state, ..orphaned.invoice };
        Reduction { invoice, ..*orphaned }.into()
    }

    fn awaiting(&self, reference: &GatewayReference, action: &PendingAction) -> Reduced {
        // Still waiting, as we knew; the sweep itself puts off the next look.
        if matches!(self.live.phase, Phase::Awaiting { .. }) {
            return Reduced::AlreadyApplied;
        }
        let wait = match action {
            PendingAction::Pix { expires_at, .. } => expires_at.checked_add(self.policy.pix_grace),
            PendingAction::RequiresAction { .. } | PendingAction::Review => {
                self.moment.now.checked_add(self.policy.awaiting_poll)
            }
        };
        let phase = Phase::Awaiting { reference: reference.clone(), action: action.clone() };
        let reduction = self.still_pending(phase, self.live.unsent, wait.ok());
        // What was to be canceled has only now something to void.
        Reduction { wake: self.collection.cancel_requested, ..reduction }.into()
    }

    fn not_sent(&self, failure: &Failure) -> Reduced {
        // What has reached the gateway once can't become unsent because a later call failed.
        if !matches!(self.live.phase, Phase::Sending { .. }) {
            return Reduced::AlreadyApplied;
        }
        let ending = Ending::of(AttemptOutcome::NotSent(failure.clone()), None);
        let next = self.invoice.elsewhere().filter(|_| !self.gives_up(self.invoice.declines));
        if next.is_some() {
            return self.ended(Ending { next, ..ending }, failure);
        }
        let unsent = self.live.unsent.saturating_add(1);
        match self.policy.resend_at(unsent, self.moment) {
            Some(due) if !self.collection.cancel_requested => {
                self.still_pending(Phase::NotSent { failure: failure.clone() }, unsent, Some(due)).into()
            }
            _ => self.ended(ending, failure),
        }
    }

    /// The other gateway, once before the patient retries begin: to a card's network each is one more order.
    fn source_after_decline(&self, failure: &Failure) -> Option<PaymentSource> {
        let is_first = self.invoice.failures == 0 && !self.collection.source.is_failover();
        let may_help = failure.class.retry() == Retry::OtherGateway;
        self.invoice.elsewhere().filter(|_| is_first && may_help)
    }

    fn unknown(&self, failure: &Failure) -> Reduced {
        let polls = match &self.live.phase {
            Phase::Sending { .. } => 0,
            Phase::Unknown { polls, .. } => polls.saturating_add(1),
            Phase::Held
            | Phase::Cleared
            | Phase::NotSent { .. }
            | Phase::Awaiting { .. }
            | Phase::Mismatched { .. } => return Reduced::AlreadyApplied,
        };
        let due = self.policy.poll_at(polls, self.moment.now);
        self.still_pending(Phase::Unknown { failure: failure.clone(), polls }, self.live.unsent, due).into()
    }

    /// The gateway says that it had this order before: whether it charged then is for it to say.
    fn duplicate(&self, failure: &Failure) -> Reduced {
        // Asked, it says no more than that: nobody knows yet.
        if !matches!(self.live.phase, Phase::Sending { .. }) {
            return self.unknown(failure);
        }
        let phase = Phase::Unknown { failure: failure.clone(), polls: 0 };
        let due = Some(self.moment.now);
        Reduction { wake: true, ..self.still_pending(phase, self.live.unsent, due) }.into()
    }

    /// The gateway knows nothing of the order: it goes out again under the same key, which keeps it one charge even if
    /// the first one is still on its way.
    fn absent(&self) -> Reduced {
        match &self.live.phase {
            Phase::Sending { lease_until }
                if *lease_until >= self.moment.now && !Bug::LeaseIgnored.is_planted() =>
            {
                Reduced::AlreadyApplied
            }
            Phase::Sending { .. } | Phase::Unknown { .. } => {
                let message = "the gateway has no record of the charge";
                let failure = Failure::new(FailureClass::NotSent, "not_found_at_gateway", message);
                let unsent = self.live.unsent.saturating_add(1);
                if self.collection.cancel_requested || unsent >= self.policy.rules.not_sent.most_sends {
                    // Nobody sends it again, and it may be on its way still: what it charges then only a webhook would tell.
                    if let Phase::Unknown { failure, polls: 0 } = &self.live.phase
                        && self.policy.poll_at(1, self.moment.now).is_some()
                    {
                        return self.unknown(failure);
                    }
                    return self.ended(Ending::of(AttemptOutcome::NotSent(failure.clone()), None), &failure);
                }
                let now = Some(self.moment.now);
                let reduction = self.still_pending(Phase::NotSent { failure }, unsent, now);
                Reduction { wake: true, ..reduction }.into()
            }
            Phase::Held
            | Phase::Cleared
            | Phase::NotSent { .. }
            | Phase::Awaiting { .. }
            | Phase::Mismatched { .. } => Reduced::AlreadyApplied,
        }
    }

    fn voided(&self, reference: &GatewayReference) -> Reduced {
        if self.collection.cancel_requested {
            let attempt =
                self.invoice.finished(AttemptOutcome::Voided, Some(reference.clone()), self.moment.now);
            return self.canceled(attempt, Cause::Voided);
        }
        let failure = match self.collection.source.means.kind() {
            MeansType::Pix => {
                Failure::new(FailureClass::PixExpired, "pix_expired", "the QR code expired unpaid")
            }
            MeansType::CreditCard => {
                Failure::new(FailureClass::Generic, "voided", "the gateway voided the charge")
            }
        };
        let outcome = AttemptOutcome::Declined(failure.clone());
        self.ended(Ending::of(outcome, Some(reference.clone())), &failure)
    }

    /// The attempt failed for certain.
    fn ended(&self, ending: Ending, failure: &Failure) -> Reduced {
        let now = self.moment.now;
        let attempt = self.invoice.finished(ending.outcome, ending.reference, now);
        if self.collection.cancel_requested {
            return self.canceled(attempt, Cause::Canceled);
        }
        let declines = self.invoice.declines.saturating_add(u8::from(failure.class.is_decline()));
        let gives_up_at = self.policy.gives_up_at(self.invoice.first_charged_at().unwrap_or(now));
        let gives_up = self.gives_up(declines) || gives_up_at <= now;
        let next = ending.next.filter(|_| !gives_up);
        // What goes on elsewhere has not failed yet.
        let failures = self.invoice.failures.saturating_add(u8::from(next.is_none()));
        let retry_at = self.policy.retry_at(failure.class, failures, now);
        let failed = Failed {
            source: self.collection.source.clone(),
            failure: failure.clone(),
            retry_at: retry_at.filter(|at| !gives_up && *at <= gives_up_at),
            gives_up_at: Some(gives_up_at).filter(|_| !gives_up),
            awaits_method: self.policy.rules.of(failure.class).on_new_payment_method,
        };
        // To a card's network an order that another gateway is given instead was none.
        let cause = match failure.class {
            FailureClass::NotSent if next.is_some() => Cause::NotSent,
            FailureClass::RiskDeclined => Cause::RiskDeclined,
            _ => Cause::ChargeFailed,
        };
        let moved = self.invoice.moved(State::ChargedWithError(failed.clone()), cause, now);
        let wake = next.is_some();
        let moved = match next {
            _ if gives_up => {
                moved.and_then(|invoice| invoice.moved_on(State::Uncollectible(failed), Cause::GaveUp, now))
            }
            Some(source) => moved.and_then(|invoice| {
                let risk = self.collection.risk.clone();
                let collection = Collection { risk, ..Collection::begun(source, self.policy, now) };
                invoice.moved_on(State::Pending(collection), Cause::FailedOver, now)
            }),
            None => moved,
        };
        match moved {
            Ok(invoice) => {
                let invoice = Invoice { failures, declines, ..invoice };
                Reduction { attempt, wake, ..Reduction::of(invoice) }.into()
            }
            Err(_) => Reduced::AlreadyApplied,
        }
    }

    fn canceled(&self, attempt: Option<Attempt>, cause: Cause) -> Reduced {
        match self.invoice.moved(self.invoice.canceled_state(), cause, self.moment.now) {
            Ok(invoice) => Reduction { attempt, ..Reduction::of(invoice) }.into(),
            Err(_) => Reduced::AlreadyApplied,
        }
    }

    fn gives_up(&self, declines: u8) -> bool {
        let caps = self.policy.rules.caps;
        declines >= caps.declines || self.invoice.attempts.0 >= caps.attempts
    }

    /// Whoever looked at the gateway says that nothing was charged.
    pub(super) fn resolved_as_not_charged(&self, failure: &Failure) -> Reduced {
        self.ended(Ending::of(AttemptOutcome::NotSent(failure.clone()), None), failure)
    }

    /// A person refuses it before it was sent.
    pub(super) fn refused(&self, failure: &Failure) -> Reduced {
        self.ended(Ending::of(AttemptOutcome::Declined(failure.clone()), None), failure)
    }

    fn still_pending(&self, phase: Phase, unsent: u8, due: Option<Timestamp>) -> Reduction {
        let state = self.state_in(phase, unsent, due);
        let invoice = Invoice { state, ..self.invoice.touched(self.moment.now) };
        Reduction::of(invoice)
    }

    fn state_in(&self, phase: Phase, unsent: u8, due: Option<Timestamp>) -> State {
        let live = LiveAttempt { phase, unsent, ..self.live.clone() };
        State::Pending(Collection { live: Some(live), due, ..self.collection.clone() })
    }
}

/// How an attempt that failed is over.
struct Ending {
    outcome: AttemptOutcome,
    reference: Option<GatewayReference>,
    /// Where another one goes on at once.
    next: Option<PaymentSource>,
}

impl Ending {
    const fn of(outcome: AttemptOutcome, reference: Option<GatewayReference>) -> Self {
        Self { outcome, reference, next: None }
    }
}

/// Money that a gateway captured.
#[derive(Clone, Copy)]
struct Arrived<'a> {
    attempt: AttemptNumber,
    gateway: &'a GatewayName,
    reference: &'a GatewayReference,
    captured: Money,
    method: PaymentMethodId,
    means: MeansType,
}

impl Arrived<'_> {
    /// The transaction that books it.
    fn transaction(
        &self,
        invoice: &Invoice,
        kind: TransactionKind,
        journal: Journal,
        moment: Moment,
    ) -> Transaction {
        Transaction {
            id: TransactionId::new(invoice.customer(), moment.now, moment.entropy),
            kind,
            amount: self.captured,
            moved_by: MovedBy::Gateway(AtGateway {
                invoice: invoice.id,
                attempt: self.attempt,
                gateway: self.gateway.clone(),
                reference: self.reference.clone(),
                payment_method: self.method,
                means: self.means,
            }),
            lines: invoice.lines(),
            at: moment.now,
            journal,
            mirrors: None,
        }
    }
}
