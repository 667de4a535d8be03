//! Exchange rates as a source published them, what they make of amounts in many currencies, and how long they may be used.
//!
//! Invariants: every rate is positive; a conversion is exact until it is rounded, which happens once for each amount and
//! once for the total; the amounts add up to the total; whatever has no rate is named, never left out.

mod conversion;
mod convert;
mod freshness;
mod rate;

pub use conversion::{Conversion, CrossRate, NotARate, PartsError, Quote};
pub use convert::{ConvertError, MissingRates};
pub use freshness::{AgeLimits, Freshness, InvalidAgeLimits};
pub use rate::{Rate, RateError};

use crate::Timestamp;
use crate::money::Currency;
use jiff::SignedDuration;
use rust_decimal::RoundingStrategy;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use thiserror::Error;

/// Whose rates they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RateSource {
    #[serde(rename = "oxr")]
    OpenExchangeRates,
    #[serde(rename = "ecb")]
    EuropeanCentralBank,
}

impl RateSource {
    pub const ALL: [Self; 2] = [Self::OpenExchangeRates, Self::EuropeanCentralBank];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenExchangeRates => "open_exchange_rates",
            Self::EuropeanCentralBank => "european_central_bank",
        }
    }
}

impl fmt::Display for RateSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One publication: what one unit of the base is worth in other currencies, as of a time that the source gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct ExchangeRates {
    source: RateSource,
    base: Currency,
    published_at: Timestamp,
    /// Without the base, whose rate is 1.
    rates: BTreeMap<Currency, Rate>,
}

/// Why something isn't a publication of rates. One such thing makes all of it unbelievable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PublicationError {
    #[error("{0} has two rates")]
    Repeated(Currency),
    #[error("the base {0} has a rate other than 1")]
    BaseNotOne(Currency),
    #[error("there are no rates")]
    Empty,
}

impl ExchangeRates {
    /// How many significant digits [`Self::cross`] gives at most.
    pub const CROSS_DIGITS: u32 = 18;

    pub fn try_new(
        source: RateSource,
        base: Currency,
        published_at: Timestamp,
        quoted: impl IntoIterator<Item = (Currency, Rate)>,
    ) -> Result<Self, PublicationError> {
        let mut rates = BTreeMap::new();
        for (currency, rate) in quoted {
            if currency == base && rate != Rate::ONE {
                return Err(PublicationError::BaseNotOne(base));
            }
            if rates.insert(currency, rate).is_some() {
                return Err(PublicationError::Repeated(currency));
            }
        }
        rates.remove(&base);
        if rates.is_empty() {
            return Err(PublicationError::Empty);
        }
        Ok(Self { source, base, published_at, rates })
    }

    pub const fn source(&self) -> RateSource {
        self.source
    }

    pub const fn base(&self) -> Currency {
        self.base
    }

    /// When they were so, by the source's word; where it gives only a date, when that day began in UTC.
    pub const fn published_at(&self) -> Timestamp {
        self.published_at
    }

    /// The same publication with the rates of these currencies alone: what is worth keeping with what was converted.
    #[must_use]
    pub fn only(&self, currencies: &BTreeSet<Currency>) -> Self {
        let kept = self.rates.iter().filter(|(currency, _)| currencies.contains(currency));
        Self { rates: kept.map(|(currency, rate)| (*currency, *rate)).collect(), ..self.clone() }
    }

    /// What one unit of the base is worth in a currency.
    pub fn rate(&self, currency: Currency) -> Option<Rate> {
        if currency == self.base { Some(Rate::ONE) } else { self.rates.get(&currency).copied() }
    }

    /// Every currency that has a rate, the base among them.
    pub fn currencies(&self) -> impl Iterator<Item = Currency> {
        self.rates.keys().copied().chain([self.base])
    }

    /// What one major unit of `from` is worth in major units of `to`, to be shown and not to be calculated with: rounded,
    /// half to even, to [`Self::CROSS_DIGITS`] significant digits and to 28 decimals. [`Self::convert`] rounds no rate.
    /// A currency is worth one of itself, whether or not it has a rate.
    pub fn cross(&self, from: Currency, to: Currency) -> Option<CrossRate> {
        if from == to {
            return Some(CrossRate::ONE);
        }
        let quotient = self.rate(to)?.value().checked_div(self.rate(from)?.value())?;
        let rounded =
            quotient.round_sf_with_strategy(Self::CROSS_DIGITS, RoundingStrategy::MidpointNearestEven)?;
        CrossRate::try_from(rounded.normalize()).ok()
    }

    /// How old they are, by the source's own time.
    pub fn age(&self, now: Timestamp) -> SignedDuration {
        now.duration_since(self.published_at).max(SignedDuration::ZERO)
    }
}

/// A publication and when the source was last heard to say that it is its latest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    pub rates: ExchangeRates,
    pub confirmed_at: Timestamp,
}

impl Publication {
    /// Whether it may take another's place: an older publication never does, nor an older word on the same.
    pub fn supersedes(&self, other: &Self) -> bool {
        let of = |publication: &Self| (publication.rates.published_at, publication.confirmed_at);
        of(self) >= of(other)
    }
}

#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(rename = "s")]
    source: RateSource,
    #[serde(rename = "b")]
    base: Currency,
    #[serde(rename = "at", with = "crate::stored_instant")]
    published_at: Timestamp,
    #[serde(rename = "r")]
    rates: BTreeMap<Currency, Rate>,
}

impl From<ExchangeRates> for Stored {
    fn from(ExchangeRates { source, base, published_at, rates }: ExchangeRates) -> Self {
        Self { source, base, published_at, rates }
    }
}

impl TryFrom<Stored> for ExchangeRates {
    type Error = PublicationError;

    fn try_from(stored: Stored) -> Result<Self, PublicationError> {
        // Narrowed to the base alone there are none, and that is stored as well.
        if stored.rates.contains_key(&stored.base) {
            return Err(PublicationError::BaseNotOne(stored.base));
        }
        let Stored { source, base, published_at, rates } = stored;
        Ok(Self { source, base, published_at, rates })
    }
}

#[cfg(test)]
mod tests;
