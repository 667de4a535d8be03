use crate::money::{NumeralError, parse_decimal};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

/// What one unit of a base is worth in another currency: positive, and exactly what the source wrote.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rate(Decimal);

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RateError {
    #[error(transparent)]
    Numeral(#[from] NumeralError),
    #[error("must be greater than 0")]
    NotPositive,
    #[error("is beyond what any currency was ever worth")]
    OutOfRange,
}

impl Rate {
    pub const ONE: Self = Self(Decimal::ONE);
    /// A million million either way: more than money has been worth in the worst of times, and a quotient of two such
    /// still fits in a decimal.
    const MAX: Decimal = Decimal::from_parts(3_567_587_328, 232, 0, false, 0);
    const MIN: Decimal = Decimal::from_parts(1, 0, 0, false, 12);

    pub fn parse(text: &str) -> Result<Self, RateError> {
        let value = parse_decimal(text)?.normalize();
        if value <= Decimal::ZERO {
            return Err(RateError::NotPositive);
        }
        if (Self::MIN..=Self::MAX).contains(&value) { Ok(Self(value)) } else { Err(RateError::OutOfRange) }
    }

    pub const fn value(self) -> Decimal {
        self.0
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<String> for Rate {
    type Error = RateError;

    fn try_from(text: String) -> Result<Self, RateError> {
        Self::parse(&text)
    }
}

impl From<Rate> for String {
    fn from(rate: Rate) -> Self {
        rate.to_string()
    }
}
