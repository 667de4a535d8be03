//! Invoices: what is owed, and everything that may happen to it.
//!
//! `status` has the table of legal steps, `state` what each status knows, `collect` what clients and the queue may ask,
//! `again` what follows a failure, `reduce` what the gateway's word does, `refund` and `dispute` how money goes back,
//! `wallet` what pays without a gateway, `split` whose the money is, `review` what the risk rules say, `resolve` what a person
//! decides, and `follow_up` what each state asks of others.

mod again;
mod collect;
mod dispute;
mod follow_up;
mod line_item;
mod reduce;
mod refund;
mod resolve;
mod review;
mod split;
mod state;
mod status;
mod wallet;

pub use again::{RequeueError, Woken};
pub use collect::{Cancellation, ChargeError, NextStep};
pub use dispute::{ContestError, DisputeReduced, DisputeReduction};
pub use follow_up::NextAction;
pub use line_item::{FactorError, LineItem, Quantity, UnitPrice};
pub(crate) use line_item::{MAX_FACTOR, factor, product};
pub use reduce::{Observation, Reduced, Reduction};
pub use refund::{RefundError, RefundReduced};
pub use resolve::{Resolution, ResolveError};
pub use review::{Begins, NotHeld, declined_by_rules};
pub use split::{Share, Split, SplitError};
pub use state::{Canceled, Captured, Collection, Draft, Failed, FromWallet, Orphan, Payment, State};
pub use status::Status;
pub use wallet::WalletPayment;

use crate::Timestamp;
use crate::actor::Actor;
use crate::bug::Bug;
use crate::id::{AttemptId, AttemptNumber, CustomerId, DisputeId, InvoiceId, PaymentMethodId, RunId};
use crate::money::{Currency, Money, MoneyError};
use crate::stored_instant;
use crate::text::{Description, Metadata};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use thiserror::Error;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    pub id: InvoiceId,
    /// Counts every change; whoever writes says which one it has seen.
    pub version: u64,
    pub content: Content,
    /// The exact sum of the lines' totals.
    pub total: Money,
    /// Whose the money is, if this is the payment of orders. None: it is ours.
    pub split: Option<Split>,
    pub state: State,
    pub history: Vec<Transition>,
    /// How many attempts were begun.
    pub attempts: AttemptNumber,
    /// How many of them failed since somebody last asked for a charge, which is where the patience of dunning counts from.
    pub failures: u8,
    /// How many the payer's bank refused.
    pub declines: u8,
    pub orphans: Vec<Orphan>,
    /// The latest case about its payment.
    pub dispute: Option<DisputeId>,
    /// The run that had it charged last, which counts what becomes of it.
    pub run: Option<RunId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What is being asked for: a client's to change while the invoice is a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    pub currency: Currency,
    pub items: Vec<LineItem>,
    pub description: Option<Description>,
    pub metadata: Metadata,
}

/// One step that an invoice took, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    #[serde(rename = "s")]
    pub status: Status,
    #[serde(rename = "t", with = "stored_instant")]
    pub at: Timestamp,
    #[serde(rename = "c")]
    pub cause: Cause,
    /// Who asked for it. None: nobody did, the cause says it all.
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Actor>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    Created,
    ChargeRequested,
    Scheduled,
    NothingToPay,
    ChargeSucceeded,
    PaidFromWallet,
    ChargeFailed,
    /// Our own rules refused the order, or a person whom they asked: to a card's network there was none.
    RiskDeclined,
    /// The gateway didn't take the order, and another one is given it.
    NotSent,
    /// The next gateway takes over from the one that didn't take the order.
    FailedOver,
    RetryDue,
    Canceled,
    /// The gateway gave back what was waiting there.
    Voided,
    GaveUp,
    Refunded,
    Requeued,
    /// The customer brought another payment method.
    PaymentMethodChanged,
    Contested,
    DisputeOpened,
    DisputeWon,
    DisputeLost,
    /// A chargeback was taken back.
    Reinstated,
}

impl Cause {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::ChargeRequested => "charge_requested",
            Self::Scheduled => "scheduled",
            Self::NothingToPay => "nothing_to_pay",
            Self::ChargeSucceeded => "charge_succeeded",
            Self::PaidFromWallet => "paid_from_wallet",
            Self::ChargeFailed => "charge_failed",
            Self::RiskDeclined => "risk_declined",
            Self::NotSent => "not_sent",
            Self::FailedOver => "failed_over",
            Self::RetryDue => "retry_due",
            Self::Canceled => "canceled",
            Self::Voided => "voided",
            Self::GaveUp => "gave_up",
            Self::Refunded => "refunded",
            Self::Requeued => "requeued",
            Self::PaymentMethodChanged => "payment_method_changed",
            Self::Contested => "contested",
            Self::DisputeOpened => "dispute_opened",
            Self::DisputeWon => "dispute_won",
            Self::DisputeLost => "dispute_lost",
            Self::Reinstated => "reinstated",
        }
    }

    /// The part of the system that a step without an asker follows from.
    pub const fn origin(self) -> &'static str {
        match self {
            Self::RetryDue | Self::GaveUp => "schedule",
            Self::ChargeSucceeded
            | Self::ChargeFailed
            | Self::NotSent
            | Self::Voided
            | Self::Refunded
            | Self::DisputeOpened
            | Self::DisputeWon
            | Self::DisputeLost
            | Self::Reinstated => "gateway",
            Self::Created
            | Self::ChargeRequested
            | Self::Scheduled
            | Self::NothingToPay
            | Self::PaidFromWallet
            | Self::RiskDeclined
            | Self::FailedOver
            | Self::Canceled
            | Self::Requeued
            | Self::PaymentMethodChanged
            | Self::Contested => "system",
        }
    }
}

impl Transition {
    const fn new(status: Status, at: Timestamp, cause: Cause) -> Self {
        Self { status, at, cause, by: None }
    }
}

/// The state forbids what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an invoice that is {} cannot become {}", .from.as_str(), .to.as_str())]
pub struct IllegalTransition {
    pub from: Status,
    pub to: Status,
}

impl Content {
    pub const MAX_ITEMS: usize = 100;

    pub fn total(&self) -> Result<Money, MoneyError> {
        if Bug::RoundedBySum.is_planted() {
            return self.total_rounded_once();
        }
        self.items
            .iter()
            .try_fold(Money::zero(self.currency), |sum, item| sum.plus(item.total(self.currency)?))
    }

    fn total_rounded_once(&self) -> Result<Money, MoneyError> {
        let exact: Decimal = self.items.iter().map(LineItem::exact).sum();
        Money::rounded(exact.mantissa(), exact.scale(), self.currency)
    }
}

impl Invoice {
    pub fn draft(
        id: InvoiceId,
        content: Content,
        payment_method: Option<PaymentMethodId>,
        now: Timestamp,
    ) -> Result<Self, MoneyError> {
        Ok(Self {
            id,
            version: 1,
            total: content.total()?,
            content,
            split: None,
            state: State::Draft(Draft { payment_method, awaits_method: false }),
            history: vec![Transition::new(Status::Draft, now, Cause::Created)],
            attempts: AttemptNumber(0),
            failures: 0,
            declines: 0,
            orphans: Vec::new(),
            dispute: None,
            run: None,
            created_at: now,
            updated_at: now,
        })
    }

    pub fn customer(&self) -> CustomerId {
        self.id.owner()
    }

    pub const fn status(&self) -> Status {
        self.state.status()
    }

    pub const fn attempt_id(&self, number: AttemptNumber) -> AttemptId {
        AttemptId { invoice: self.id, number }
    }

    pub fn payment_method(&self) -> Option<PaymentMethodId> {
        match &self.state {
            State::Draft(draft) => draft.payment_method,
            state => state.tried().map(|(method, _)| method),
        }
    }

    /// What came in for this invoice and was meant for it.
    pub fn amount_paid(&self) -> Money {
        let paid = self.state.payment().and_then(Payment::amount);
        paid.unwrap_or(Money::zero(self.total.currency()))
    }

    /// What went back of it.
    pub fn amount_refunded(&self) -> Money {
        let refunded = self.state.payment().map_or(0, |payment| payment.refunded);
        Money::try_new(refunded, self.total.currency()).unwrap_or(Money::zero(self.total.currency()))
    }

    /// New content for a draft.
    pub fn amended(
        &self,
        content: Content,
        payment_method: Option<PaymentMethodId>,
        now: Timestamp,
    ) -> Result<Self, AmendError> {
        if self.status() != Status::Draft {
            return Err(AmendError::NotADraft(self.status()));
        }
        let total = content.total()?;
        let state = State::Draft(Draft { payment_method, awaits_method: self.awaits_method() });
        Ok(Self { content, total, state, ..self.touched(now) })
    }

    /// What its transactions say that they are for.
    fn lines(&self) -> Vec<String> {
        self.content.items.iter().map(|item| item.description.as_str().to_owned()).collect()
    }

    /// Says who asked for the steps that it has taken since it had `known` of them.
    #[must_use]
    pub fn by(mut self, actor: &Actor, known: usize) -> Self {
        for step in self.history.iter_mut().skip(known) {
            step.by = Some(actor.clone());
        }
        self
    }

    /// When it was first tried to collect, if it was. Of a charge that was planned ahead only its end is on record.
    pub fn first_charged_at(&self) -> Option<Timestamp> {
        let mut steps = self.history.iter().skip_while(|step| step.status != Status::Pending);
        let first = steps.next()?;
        if first.cause == Cause::Scheduled { steps.next().map(|step| step.at) } else { Some(first.at) }
    }

    /// Since when it has been in its status.
    pub fn since(&self) -> Timestamp {
        self.history.last().map_or(self.created_at, |step| step.at)
    }

    /// The next version, otherwise the same.
    fn touched(&self, now: Timestamp) -> Self {
        Self { version: self.version + 1, updated_at: now, ..self.clone() }
    }

    /// The next version in another state: the only way from one status to another.
    fn moved(&self, state: State, cause: Cause, now: Timestamp) -> Result<Self, IllegalTransition> {
        let (from, to) = (self.status(), state.status());
        if !from.may_become().contains(&to) {
            return Err(IllegalTransition { from, to });
        }
        let mut next = Self { state, ..self.touched(now) };
        next.history.push(Transition::new(to, now, cause));
        Ok(next)
    }

    /// A further step within the same change: the version counts changes, not steps.
    fn moved_on(self, state: State, cause: Cause, now: Timestamp) -> Result<Self, IllegalTransition> {
        let version = self.version;
        Ok(Self { version, ..self.moved(state, cause, now)? })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AmendError {
    #[error("only a draft can be changed, and this invoice is {}", .0.as_str())]
    NotADraft(Status),
    #[error(transparent)]
    Money(#[from] MoneyError),
}

#[cfg(test)]
mod tests;
