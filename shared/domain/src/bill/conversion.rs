//! Whether a conversion is one of what a bill comes to. How it is rounded is the exchange's to decide.

use super::totals::Totals;
use crate::exchange::Conversion;
use crate::money::{Currency, Money};
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// Why a conversion is none of some totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Mismatch {
    #[error("is into {0}, and another currency was asked for")]
    Into(Currency),
    #[error("does not say what becomes of {0}")]
    LeavesOut(Currency),
    #[error("converts {0}, of which there is nothing")]
    Invents(Currency),
    #[error("changes what is {0} already")]
    Changes(Currency),
    #[error("turns the sign of {0}")]
    Turns(Currency),
    #[error("has no rate for {0}")]
    WithoutRate(Currency),
}

impl Totals {
    /// As one amount of a currency that all of it is in already, for which nobody needs rates. None: something is not.
    pub fn without_rates(&self, currency: Currency) -> Option<Conversion> {
        let is_foreign = |amount: Money| amount.currency() != currency && !amount.is_zero();
        if self.iter().any(is_foreign) {
            return None;
        }
        Conversion::try_new(currency, BTreeMap::from([(currency, self.get(currency))]), None).ok()
    }

    /// Whether a conversion is one of these totals into that currency.
    pub(super) fn check(&self, conversion: &Conversion, currency: Currency) -> Result<(), Mismatch> {
        if conversion.currency() != currency {
            return Err(Mismatch::Into(conversion.currency()));
        }
        let all: BTreeSet<Currency> =
            self.iter().map(Money::currency).chain(conversion.parts().keys().copied()).collect();
        all.into_iter().try_for_each(|of| check_part(conversion, self.get(of)))
    }
}

fn check_part(conversion: &Conversion, amount: Money) -> Result<(), Mismatch> {
    let of = amount.currency();
    let Some(part) = conversion.parts().get(&of).copied() else {
        return if amount.is_zero() { Ok(()) } else { Err(Mismatch::LeavesOut(of)) };
    };
    let has_rate = conversion.quote().is_some_and(|quote| quote.rates.contains_key(&of));
    if amount.is_zero() && !part.is_zero() {
        Err(Mismatch::Invents(of))
    } else if of == conversion.currency() && part != amount {
        Err(Mismatch::Changes(of))
    } else if part.minor().signum() * amount.minor().signum() < 0 {
        Err(Mismatch::Turns(of))
    } else if of != conversion.currency() && !amount.is_zero() && !has_rate {
        Err(Mismatch::WithoutRate(of))
    } else {
        Ok(())
    }
}
