use super::RateSource;
use crate::Timestamp;
use crate::money::{Currency, Money, MoneyError, parse_decimal};
use crate::stored_instant;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use thiserror::Error;

/// What one unit of a currency is worth in another, as it is shown: greater than zero, and rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CrossRate(Decimal);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a decimal number greater than 0")]
pub struct NotARate;

impl CrossRate {
    pub const ONE: Self = Self(Decimal::ONE);

    pub const fn value(self) -> Decimal {
        self.0
    }
}

impl TryFrom<Decimal> for CrossRate {
    type Error = NotARate;

    fn try_from(rate: Decimal) -> Result<Self, NotARate> {
        if rate > Decimal::ZERO { Ok(Self(rate)) } else { Err(NotARate) }
    }
}

impl TryFrom<String> for CrossRate {
    type Error = NotARate;

    fn try_from(text: String) -> Result<Self, NotARate> {
        Self::try_from(parse_decimal(&text).map_err(|_| NotARate)?)
    }
}

impl From<CrossRate> for String {
    fn from(rate: CrossRate) -> Self {
        rate.to_string()
    }
}

impl fmt::Display for CrossRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// By whose rates something was converted, and of when they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// What one unit of each is worth in the conversion's currency.
    #[serde(rename = "r")]
    pub rates: BTreeMap<Currency, CrossRate>,
    #[serde(rename = "s")]
    pub source: RateSource,
    #[serde(rename = "t", with = "stored_instant")]
    pub published_at: Timestamp,
}

/// Amounts in many currencies as one amount. The total is the exact sum of what became of each currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Conversion {
    currency: Currency,
    parts: BTreeMap<Currency, Money>,
    total: Money,
    quote: Option<Quote>,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PartsError {
    #[error("what became of {0} is in another currency")]
    OfAnother(Currency),
    #[error("the parts don't sum to an amount: {0}")]
    Money(#[from] MoneyError),
}

impl Conversion {
    /// `parts`: what became of each currency, in `currency`. No quote: nobody needed rates.
    pub fn try_new(
        currency: Currency,
        parts: BTreeMap<Currency, Money>,
        quote: Option<Quote>,
    ) -> Result<Self, PartsError> {
        if let Some((of, _)) = parts.iter().find(|(_, part)| part.currency() != currency) {
            return Err(PartsError::OfAnother(*of));
        }
        let total = Money::sum(currency, parts.values().copied())?;
        Ok(Self { currency, parts, total, quote })
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
    type Error = PartsError;

    fn try_from(stored: Stored) -> Result<Self, PartsError> {
        let Stored { currency, parts, quote } = stored;
        let parts = parts.into_iter().map(|(of, minor)| Ok((of, Money::try_new(minor, currency)?)));
        Self::try_new(currency, parts.collect::<Result<_, MoneyError>>()?, quote)
    }
}
