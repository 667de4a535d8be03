use super::totals::Totals;
use crate::Timestamp;
use crate::money::{Currency, Money, MoneyError};
use crate::stored_instant;
use crate::text::Name;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use thiserror::Error;

/// What one unit of a currency is worth in another: greater than zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rate(Decimal);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a decimal number greater than 0")]
pub struct NotARate;

impl TryFrom<Decimal> for Rate {
    type Error = NotARate;

    fn try_from(rate: Decimal) -> Result<Self, NotARate> {
        if rate > Decimal::ZERO { Ok(Self(rate)) } else { Err(NotARate) }
    }
}

impl TryFrom<String> for Rate {
    type Error = NotARate;

    fn try_from(text: String) -> Result<Self, NotARate> {
        Self::try_from(crate::money::parse_decimal(&text).map_err(|_| NotARate)?)
    }
}

impl From<Rate> for String {
    fn from(rate: Rate) -> Self {
        rate.to_string()
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whose rates, and of when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// What one unit of each is worth in the conversion's currency.
    #[serde(rename = "r")]
    pub rates: BTreeMap<Currency, Rate>,
    #[serde(rename = "s")]
    pub source: Name,
    #[serde(rename = "t", with = "stored_instant")]
    pub as_of: Timestamp,
}

/// Sums in many currencies as one amount. How it is rounded is the exchange's to decide; here it has to add up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Conversion {
    currency: Currency,
    parts: BTreeMap<Currency, Money>,
    total: Money,
    quote: Option<Quote>,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConversionError {
    #[error("what became of {0} is in another currency")]
    OfAnother(Currency),
    #[error("the parts don't sum to an amount: {0}")]
    Money(#[from] MoneyError),
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

impl Conversion {
    /// `parts`: what became of each currency, in `currency`. The total is their exact sum.
    pub fn try_new(
        currency: Currency,
        parts: BTreeMap<Currency, Money>,
        quote: Option<Quote>,
    ) -> Result<Self, ConversionError> {
        if let Some((of, _)) = parts.iter().find(|(_, part)| part.currency() != currency) {
            return Err(ConversionError::OfAnother(*of));
        }
        let total = Money::sum(currency, parts.values().copied())?;
        Ok(Self { currency, parts, total, quote })
    }

    /// Of what is in that currency already, for which nobody needs rates. None: something is not.
    pub fn without_rates(totals: &Totals, currency: Currency) -> Option<Self> {
        let is_foreign = |amount: Money| amount.currency() != currency && !amount.is_zero();
        if totals.iter().any(is_foreign) {
            return None;
        }
        let total = totals.get(currency);
        Some(Self { currency, parts: BTreeMap::from([(currency, total)]), total, quote: None })
    }

    /// Whether it is a conversion of these totals into that currency.
    pub fn check(&self, totals: &Totals, currency: Currency) -> Result<(), ConversionError> {
        if self.currency != currency {
            return Err(ConversionError::Into(self.currency));
        }
        let all: BTreeSet<Currency> =
            totals.iter().map(Money::currency).chain(self.parts.keys().copied()).collect();
        all.into_iter().try_for_each(|of| self.check_part(totals.get(of), self.parts.get(&of).copied()))
    }

    fn check_part(&self, amount: Money, part: Option<Money>) -> Result<(), ConversionError> {
        let of = amount.currency();
        let Some(part) = part else {
            return if amount.is_zero() { Ok(()) } else { Err(ConversionError::LeavesOut(of)) };
        };
        let has_rate = self.quote.as_ref().is_some_and(|quote| quote.rates.contains_key(&of));
        if amount.is_zero() && !part.is_zero() {
            Err(ConversionError::Invents(of))
        } else if of == self.currency && part != amount {
            Err(ConversionError::Changes(of))
        } else if part.minor().signum() * amount.minor().signum() < 0 {
            Err(ConversionError::Turns(of))
        } else if of != self.currency && !amount.is_zero() && !has_rate {
            Err(ConversionError::WithoutRate(of))
        } else {
            Ok(())
        }
    }

    pub const fn currency(&self) -> Currency {
        self.currency
    }

    pub const fn parts(&self) -> &BTreeMap<Currency, Money> {
        &self.parts
    }

    pub const fn total(&self) -> Money {
        self.total
    }

    /// None: all was in that currency already.
    pub const fn quote(&self) -> Option<&Quote> {
        self.quote.as_ref()
    }
}

impl Totals {
    /// Which currencies have to have a rate before these totals are one amount.
    pub fn foreign_to(&self, currency: Currency) -> BTreeSet<Currency> {
        let is_foreign = |amount: &Money| amount.currency() != currency && !amount.is_zero();
        self.iter().filter(is_foreign).map(Money::currency).collect()
    }
}

/// The total is left out: it is what the parts come to.
#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(rename = "c")]
    currency: Currency,
    #[serde(rename = "p")]
    parts: BTreeMap<Currency, i64>,
    #[serde(rename = "q", default, skip_serializing_if = "Option::is_none")]
    quote: Option<Quote>,
}

impl From<Conversion> for Stored {
    fn from(conversion: Conversion) -> Self {
        let Conversion { currency, parts, quote, .. } = conversion;
        Self { currency, parts: parts.into_iter().map(|(of, part)| (of, part.minor())).collect(), quote }
    }
}

impl TryFrom<Stored> for Conversion {
    type Error = ConversionError;

    fn try_from(stored: Stored) -> Result<Self, ConversionError> {
        let Stored { currency, parts, quote } = stored;
        let parts = parts.into_iter().map(|(of, minor)| Ok((of, Money::try_new(minor, currency)?)));
        Self::try_new(currency, parts.collect::<Result<_, MoneyError>>()?, quote)
    }
}
