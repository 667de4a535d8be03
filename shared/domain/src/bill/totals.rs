use super::line::LineKey;
use crate::money::{Currency, MAX_MINOR, Money, MoneyError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

/// An exact sum for each currency that occurs, of zero too where things cancel out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<Currency, i64>", into = "BTreeMap<Currency, i64>")]
pub struct Totals(BTreeMap<Currency, Money>);

impl Totals {
    pub fn of(amounts: impl IntoIterator<Item = Money>) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::default(), Totals::plus)
    }

    pub(super) fn only(amount: Money) -> Self {
        Self(BTreeMap::from([(amount.currency(), amount)]))
    }

    pub fn plus(mut self, amount: Money) -> Result<Self, MoneyError> {
        let sum = self.get(amount.currency()).plus(amount)?;
        self.0.insert(amount.currency(), sum);
        Ok(self)
    }

    /// Zero where the currency doesn't occur.
    pub fn get(&self, currency: Currency) -> Money {
        self.0.get(&currency).copied().unwrap_or(Money::zero(currency))
    }

    /// In the order of their codes.
    pub fn iter(&self) -> impl Iterator<Item = Money> {
        self.0.values().copied()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn by_currency(&self) -> &BTreeMap<Currency, Money> {
        &self.0
    }
}

impl TryFrom<BTreeMap<Currency, i64>> for Totals {
    type Error = MoneyError;

    fn try_from(minor: BTreeMap<Currency, i64>) -> Result<Self, MoneyError> {
        let each =
            minor.into_iter().map(|(currency, minor)| Ok((currency, Money::try_new(minor, currency)?)));
        each.collect::<Result<_, _>>().map(Self)
    }
}

impl From<Totals> for BTreeMap<Currency, i64> {
    fn from(totals: Totals) -> Self {
        totals.0.into_iter().map(|(currency, amount)| (currency, amount.minor())).collect()
    }
}

/// How many line items, and what they come to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    #[serde(rename = "n")]
    pub count: u64,
    #[serde(rename = "t")]
    pub totals: Totals,
}

impl Sums {
    /// With one line item more.
    pub fn with(self, amount: Money) -> Result<Self, MoneyError> {
        Ok(Self { count: self.count + 1, totals: self.totals.plus(amount)? })
    }

    fn and(self, other: &Self) -> Result<Self, MoneyError> {
        let totals = other.totals.iter().try_fold(self.totals, Totals::plus)?;
        Ok(Self { count: self.count + other.count, totals })
    }
}

/// Over how many items a bill's sums are spread: appends to different ones don't wait for each other. A bill keeps the
/// number that it was opened with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Shards(u8);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be from 1 to {}", Shards::MOST)]
pub struct NotShards;

impl Shards {
    pub const DEFAULT: Self = Self(8);
    /// All of them and the header fit in one transaction, with room to spare.
    pub const MOST: u8 = 64;

    pub const fn count(self) -> u8 {
        self.0
    }

    /// The numbers that its shards have.
    pub fn numbers(self) -> impl Iterator<Item = u8> {
        0..self.0
    }

    /// Which shard counts a line item: always the same one, so that a repeated append meets its own trace.
    pub fn of(self, key: &LineKey) -> u8 {
        let [first, ..] = super::digest(&[&key.to_string()]);
        first.checked_rem(self.0).unwrap_or_default()
    }

    /// How far a shard's sum may go either way in any currency. Were it more, a bill could be closed with a sum that is
    /// no amount any more, when nothing can be refused.
    pub fn limit(self) -> i64 {
        MAX_MINOR.checked_div(i64::from(self.0)).unwrap_or(MAX_MINOR)
    }
}

impl TryFrom<u8> for Shards {
    type Error = NotShards;

    fn try_from(count: u8) -> Result<Self, NotShards> {
        if (1..=Self::MOST).contains(&count) { Ok(Self(count)) } else { Err(NotShards) }
    }
}

impl From<Shards> for u8 {
    fn from(shards: Shards) -> Self {
        shards.0
    }
}

/// One part of a bill's sums. Once closed it takes nothing more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shard {
    pub number: u8,
    pub closed: bool,
    pub sums: Sums,
}

/// Why a shard didn't count a line item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ShardRefusal {
    #[error("the bill is being closed")]
    Closed,
    #[error("the bill's total would be too large in {0}")]
    Full(Currency),
}

impl Shard {
    pub fn new(number: u8) -> Self {
        Self { number, ..Self::default() }
    }

    /// With one line item more: the rule that a store has to have as the condition of its write.
    pub fn with(&self, amount: Money, of: Shards) -> Result<Self, ShardRefusal> {
        if self.closed {
            return Err(ShardRefusal::Closed);
        }
        let full = ShardRefusal::Full(amount.currency());
        let sums = self.sums.clone().with(amount).map_err(|_| full)?;
        if sums.totals.get(amount.currency()).minor().abs() > of.limit() {
            return Err(full);
        }
        Ok(Self { sums, ..self.clone() })
    }

    #[must_use]
    pub fn closed(&self) -> Self {
        Self { closed: true, ..self.clone() }
    }
}

/// Why shards have no sum that a bill could be closed with.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SumError {
    #[error("shard {0} is missing, or there twice")]
    NotEachOnce(u8),
    #[error("shard {0} still takes line items")]
    StillOpen(u8),
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl Sums {
    /// What all shards of an open bill come to just now: a look, which the next append makes old.
    pub fn so_far(shards: &[Shard]) -> Result<Self, MoneyError> {
        shards.iter().try_fold(Self::default(), |sums, shard| sums.and(&shard.sums))
    }

    /// What a bill comes to: each of its shards once, and none that still takes line items.
    pub fn exact(shards: &[Shard], of: Shards) -> Result<Self, SumError> {
        for number in of.numbers() {
            let mut same = shards.iter().filter(|shard| shard.number == number);
            match (same.next(), same.next()) {
                (Some(shard), None) if shard.closed => {}
                (Some(_), None) => return Err(SumError::StillOpen(number)),
                _ => return Err(SumError::NotEachOnce(number)),
            }
        }
        match shards.iter().find(|shard| shard.number >= of.count()) {
            Some(stranger) => Err(SumError::NotEachOnce(stranger.number)),
            None => Ok(Self::so_far(shards)?),
        }
    }
}
