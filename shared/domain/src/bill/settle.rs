//! A closed bill becomes invoices, each part of it once: what was done is on the bill, written together with the doing.

use super::append::AppendRefusal;
use super::conversion::Mismatch;
use super::line::BillLine;
use super::state::{BillState, BillStatus, Closed, Outcome, Retry, Settlement};
use super::totals::{Sums, Totals};
use super::{Bill, BillCause, Change};
use crate::Timestamp;
use crate::actor::Actor;
use crate::exchange::Conversion;
use crate::id::InvoiceId;
use crate::invoice::FactorError;
use crate::money::{Currency, Money};
use std::collections::BTreeMap;
use thiserror::Error;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SettleError {
    #[error("a bill that is {} is not settled yet", .0.as_str())]
    NotClosed(BillStatus),
    #[error("the bill waits for rates")]
    AwaitsRates,
    #[error("the conversion is none of this bill: it {0}")]
    Conversion(#[from] Mismatch),
    #[error("nothing of the kind is owed in {0}")]
    NotOwed(Currency),
    #[error("something else has become of what was owed in {0}")]
    OtherOutcome(Currency),
    #[error("a balance goes to another bill of the same customer")]
    NoBillForIt,
    #[error(transparent)]
    Refused(#[from] AppendRefusal),
    #[error("the balance makes no line item: {0}")]
    Line(#[from] FactorError),
}

/// A balance that moves: all three are to be written together or not at all, the shard as for any append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    pub bill: Bill,
    pub line: BillLine,
    pub shard: u8,
}

impl Closed {
    /// What is asked for, in each currency that it is asked for in. Negative: what is given back. None: nobody knows before
    /// rates come.
    pub fn owed(&self) -> Option<Totals> {
        let conversion = match &self.settlement {
            Settlement::AwaitingRates { .. } => return None,
            settlement => settlement.conversion(),
        };
        Some(owed(&self.sums, conversion))
    }

    /// What nothing has become of yet.
    pub fn unsettled(&self) -> Vec<Money> {
        let done = |amount: &Money| {
            let outcomes = self.settlement.outcomes();
            outcomes.is_some_and(|outcomes| outcomes.contains_key(&amount.currency()))
        };
        self.owed().iter().flat_map(Totals::iter).filter(|amount| !done(amount)).collect()
    }
}

fn owed(sums: &Sums, conversion: Option<&Conversion>) -> Totals {
    conversion.map_or_else(|| sums.totals.clone(), |conversion| Totals::only(conversion.total()))
}

impl Settlement {
    pub(super) fn begun(sums: &Sums, conversion: Option<Conversion>, now: Timestamp) -> Self {
        let owed = owed(sums, conversion.as_ref());
        let nothing = owed.iter().filter(|amount| amount.is_zero());
        let outcomes: BTreeMap<_, _> = nothing.map(|amount| (amount.currency(), Outcome::Nothing)).collect();
        Self::Settling { since: now, conversion, outcomes, awaits_bill: false, retry: Retry::first(now) }
    }
}

impl Bill {
    /// The rates that a closed bill waited for have come. What it was settled by once, it stays settled by.
    pub fn freeze_rates(&self, conversion: Conversion, now: Timestamp) -> Result<Change<Self>, SettleError> {
        let closed = self.closed()?;
        let (Settlement::AwaitingRates { .. }, Some(currency)) =
            (&closed.settlement, self.terms.settlement_currency())
        else {
            return Ok(Change::AlreadyApplied);
        };
        closed.sums.totals.check(&conversion, currency)?;
        Ok(Change::Applied(self.begins_settling(closed, Some(conversion), BillCause::RatesFrozen, None, now)))
    }

    /// A person ends the wait for rates: each currency is asked for as it is.
    pub fn forgo_rates(&self, by: &Actor, now: Timestamp) -> Result<Change<Self>, SettleError> {
        let closed = self.closed()?;
        if !matches!(closed.settlement, Settlement::AwaitingRates { .. }) {
            return Ok(Change::AlreadyApplied);
        }
        Ok(Change::Applied(self.begins_settling(closed, None, BillCause::RatesForgone, Some(by), now)))
    }

    fn begins_settling(
        &self,
        closed: &Closed,
        conversion: Option<Conversion>,
        cause: BillCause,
        by: Option<&Actor>,
        now: Timestamp,
    ) -> Self {
        let settlement = Settlement::begun(&closed.sums, conversion, now);
        let state = BillState::Closed(Box::new(Closed { settlement, ..closed.clone() }));
        self.touched(state, now).step(cause, by, now).settled_if_done(now)
    }

    /// What was owed in a currency is an invoice now: to be written together with it.
    pub fn invoiced(
        &self,
        currency: Currency,
        invoice: InvoiceId,
        now: Timestamp,
    ) -> Result<Change<Self>, SettleError> {
        if self.owed_in(currency)?.minor() <= 0 {
            return Err(SettleError::NotOwed(currency));
        }
        self.with_outcome(currency, Outcome::Invoiced(invoice), now)
    }

    /// What was owed to the customer in a currency becomes a credit of another bill, which has to be open still.
    pub fn carry(
        &self,
        currency: Currency,
        to: &Self,
        now: Timestamp,
    ) -> Result<Change<Carried>, SettleError> {
        let balance = self.owed_in(currency)?;
        if balance.minor() >= 0 {
            return Err(SettleError::NotOwed(currency));
        }
        // Whichever bill it went to, it went there once.
        if let Some(Outcome::Carried(_)) = self.outcome_in(currency) {
            return Ok(Change::AlreadyApplied);
        }
        if to.id == self.id || to.customer() != self.customer() {
            return Err(SettleError::NoBillForIt);
        }
        to.takes(balance, now)?;
        let line = BillLine::carried(self, to, balance, now)?;
        let shard = to.shards.of(&line.key());
        Ok(match self.with_outcome(currency, Outcome::Carried(to.id), now)? {
            Change::Applied(bill) => Change::Applied(Carried { bill, line, shard }),
            Change::AlreadyApplied => Change::AlreadyApplied,
        })
    }

    /// There is no bill that a balance could go to. It waits until the customer has one: whoever opens that says so.
    pub fn await_bill(&self, now: Timestamp) -> Result<Change<Self>, SettleError> {
        let mut closed = self.closed()?.clone();
        let only_balances = closed.unsettled().iter().all(|amount| amount.minor() < 0);
        match &mut closed.settlement {
            Settlement::Settling { awaits_bill, retry, .. } if !*awaits_bill && only_balances => {
                (*awaits_bill, *retry) = (true, Retry::rare(now));
                Ok(Change::Applied(self.touched(BillState::Closed(closed.into()), now)))
            }
            _ => Ok(Change::AlreadyApplied),
        }
    }

    /// Whether a balance waits for the customer's next bill.
    pub fn awaits_bill(&self) -> bool {
        let settlement = self.state.closed().map(|closed| &closed.settlement);
        matches!(settlement, Some(Settlement::Settling { awaits_bill: true, .. }))
    }

    pub(super) fn closed(&self) -> Result<&Closed, SettleError> {
        self.state.closed().ok_or(SettleError::NotClosed(self.status()))
    }

    fn owed_in(&self, currency: Currency) -> Result<Money, SettleError> {
        let owed = self.closed()?.owed().ok_or(SettleError::AwaitsRates)?;
        owed.by_currency().get(&currency).copied().ok_or(SettleError::NotOwed(currency))
    }

    fn outcome_in(&self, currency: Currency) -> Option<Outcome> {
        self.state.closed()?.settlement.outcomes()?.get(&currency).copied()
    }

    fn with_outcome(
        &self,
        currency: Currency,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<Change<Self>, SettleError> {
        match self.outcome_in(currency) {
            Some(known) if known == outcome => return Ok(Change::AlreadyApplied),
            Some(_) => return Err(SettleError::OtherOutcome(currency)),
            None => {}
        }
        let mut closed = self.closed()?.clone();
        if let Settlement::Settling { outcomes, awaits_bill, retry, .. } = &mut closed.settlement {
            outcomes.insert(currency, outcome);
            (*awaits_bill, *retry) = (false, Retry::first(now));
        }
        Ok(Change::Applied(self.touched(BillState::Closed(closed.into()), now).settled_if_done(now)))
    }

    /// Once something has become of everything, it is settled.
    pub(super) fn settled_if_done(self, now: Timestamp) -> Self {
        let BillState::Closed(closed) = &self.state else { return self };
        let Settlement::Settling { conversion, outcomes, .. } = &closed.settlement else { return self };
        if !closed.unsettled().is_empty() {
            return self;
        }
        let settlement =
            Settlement::Settled { at: now, conversion: conversion.clone(), outcomes: outcomes.clone() };
        let state = BillState::Closed(Box::new(Closed { settlement, ..(**closed).clone() }));
        Self { state, ..self }.step(BillCause::Settled, None, now)
    }
}
