//! From open to closed: the shards are closed one after the other, and what they come to then is the bill's total.

use super::conversion::Mismatch;
use super::state::{BillState, BillStatus, Closed, Closing, Retry, Settlement};
use super::totals::{Shard, SumError, Sums};
use super::{Bill, BillCause, Change, entropy_of};
use crate::Timestamp;
use crate::actor::Actor;
use crate::exchange::Conversion;
use crate::id::BillId;
use thiserror::Error;

/// Why a bill is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloseCause {
    Requested {
        by: Actor,
        /// The recurrence ends with it.
        is_last: bool,
    },
    PeriodEnded,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CloseRefusal {
    #[error("the bill is canceled")]
    Canceled,
    #[error("the bill's period runs until {0}")]
    NotDue(Timestamp),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CancelRefusal {
    #[error("a bill that is {} cannot be canceled", .0.as_str())]
    NotOpen(BillStatus),
    #[error("a bill with line items cannot be canceled")]
    NotEmpty,
}

/// A closed bill, and the one that follows it: to be written together or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closure {
    pub bill: Bill,
    pub next: Option<Bill>,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FinishError {
    #[error("a bill that is {} is not being closed", .0.as_str())]
    NotClosing(BillStatus),
    #[error(transparent)]
    Sums(#[from] SumError),
    #[error("the conversion is none of this bill: it {0}")]
    Conversion(#[from] Mismatch),
}

impl Bill {
    /// From open to closing. From here on it is closed sooner or later.
    pub fn begin_closing(&self, cause: CloseCause, now: Timestamp) -> Result<Change<Self>, CloseRefusal> {
        let end = self.terms.period().end();
        match (self.status(), &cause) {
            (BillStatus::Canceled, _) => Err(CloseRefusal::Canceled),
            (BillStatus::Closing | BillStatus::Closed, _) => Ok(Change::AlreadyApplied),
            (BillStatus::Open, CloseCause::PeriodEnded) if now < end => Err(CloseRefusal::NotDue(end)),
            (BillStatus::Open, _) => {
                let (cause, by, is_last) = match cause {
                    CloseCause::Requested { by, is_last } => (BillCause::CloseRequested, Some(by), is_last),
                    CloseCause::PeriodEnded => (BillCause::PeriodEnded, None, false),
                };
                let closing = Closing { since: now, by: by.clone(), is_last, retry: Retry::first(now) };
                let bill = self.touched(BillState::Closing(closing), now);
                Ok(Change::Applied(bill.step(cause, by.as_ref(), now)))
            }
        }
    }

    /// From closing to closed, once every shard is. A conversion is of these sums, or there is none: then the bill is
    /// closed all the same, and waits for rates if it needs any.
    pub fn finish_closing(
        &self,
        shards: &[Shard],
        conversion: Option<Conversion>,
        now: Timestamp,
    ) -> Result<Change<Closure>, FinishError> {
        let closing = match &self.state {
            BillState::Closing(closing) => closing,
            BillState::Closed(_) => return Ok(Change::AlreadyApplied),
            BillState::Open | BillState::Canceled => return Err(FinishError::NotClosing(self.status())),
        };
        let sums = Sums::exact(shards, self.shards)?;
        let settlement = self.settlement_of(&sums, conversion, now)?;
        let next = if closing.is_last { None } else { self.next(0, now) };
        let closed = Closed {
            at: now,
            by: closing.by.clone(),
            sums,
            settlement,
            next: next.as_ref().map(|next| next.id),
        };
        let bill = self.touched(BillState::Closed(Box::new(closed)), now);
        let bill = bill.step(BillCause::Counted, closing.by.as_ref(), now).settled_if_done(now);
        Ok(Change::Applied(Closure { bill, next }))
    }

    fn settlement_of(
        &self,
        sums: &Sums,
        conversion: Option<Conversion>,
        now: Timestamp,
    ) -> Result<Settlement, FinishError> {
        let Some(currency) = self.terms.settlement_currency() else {
            return match conversion {
                None => Ok(Settlement::begun(sums, None, now)),
                Some(unasked) => Err(Mismatch::Into(unasked.currency()).into()),
            };
        };
        let known = sums.totals.without_rates(currency);
        if let Some(conversion) = &conversion {
            sums.totals.check(conversion, currency)?;
        }
        Ok(match known.or(conversion) {
            Some(conversion) => Settlement::begun(sums, Some(conversion), now),
            None => Settlement::AwaitingRates { since: now, retry: Retry::first(now) },
        })
    }

    /// Takes a bill away that has nothing in it. The store has to see to it that each shard is still empty, and close it, in
    /// the same transaction.
    pub fn cancel(&self, sums: &Sums, by: &Actor, now: Timestamp) -> Result<Change<Self>, CancelRefusal> {
        match self.status() {
            BillStatus::Canceled => Ok(Change::AlreadyApplied),
            BillStatus::Open if sums.count > 0 => Err(CancelRefusal::NotEmpty),
            BillStatus::Open => {
                let bill = self.touched(BillState::Canceled, now);
                Ok(Change::Applied(bill.step(BillCause::Canceled, Some(by), now)))
            }
            BillStatus::Closing | BillStatus::Closed => Err(CancelRefusal::NotOpen(self.status())),
        }
    }

    /// The bill of the period that follows. Its id follows from this bill and that period, so that it is there once.
    fn next(&self, salt: u8, now: Timestamp) -> Option<Self> {
        let terms = self.terms.following()?;
        let end = terms.period().end().as_millisecond();
        let entropy = entropy_of(&["next", self.id.code(), &end.to_string(), &salt.to_string()]);
        let id = BillId::new(self.customer(), terms.period().start(), entropy);
        Some(Self::opened(id, terms, self.shards, Some(self.id), now))
    }
}

impl Closure {
    /// The same, where another bill has the next one's id: thirty bits of a digest may meet.
    #[must_use]
    pub fn with_other_id(self, salt: u8) -> Self {
        let Self { mut bill, next } = self;
        let next = next.and_then(|next| bill.next(salt, next.created_at));
        if let BillState::Closed(closed) = &mut bill.state {
            closed.next = next.as_ref().map(|next| next.id);
        }
        Self { bill, next }
    }
}
