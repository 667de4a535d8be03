//! Money: minor units with their currency, checked, and rounded in one place.

mod currency;
mod numeral;

pub use currency::{Currency, UnknownCurrency};
pub use numeral::{NumeralError, parse_decimal};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

/// The largest amount: what a JSON number keeps exactly in every client.
pub const MAX_MINOR: i64 = 9_007_199_254_740_991;

/// An amount of one currency in its minor unit, never beyond [`MAX_MINOR`] either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Money {
    minor: i64,
    currency: Currency,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MoneyError {
    #[error(transparent)]
    Numeral(#[from] NumeralError),
    #[error("must have at most {digits} decimals in {currency}")]
    TooPrecise { currency: Currency, digits: u32 },
    #[error("must be at most {MAX_MINOR} minor units")]
    TooLarge,
    #[error("cannot combine {0} with {1}")]
    CurrencyMismatch(Currency, Currency),
}

impl Money {
    pub const fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    pub fn try_new(minor: i64, currency: Currency) -> Result<Self, MoneyError> {
        if minor.unsigned_abs() > MAX_MINOR.unsigned_abs() {
            return Err(MoneyError::TooLarge);
        }
        Ok(Self { minor, currency })
    }

    /// Reads major units exactly, never through a float and never rounding: `"0.10"` BRL is ten centavos.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let value = parse_decimal(text)?;
        let digits = currency.digits();
        if value.scale() > digits {
            return Err(MoneyError::TooPrecise { currency, digits });
        }
        Self::rounded(value.mantissa(), value.scale(), currency)
    }

    /// The one place where money is rounded: `mantissa / 10^scale` major units, half to even, to the currency's digits.
    pub fn rounded(mantissa: i128, scale: u32, currency: Currency) -> Result<Self, MoneyError> {
        let digits = currency.digits();
        let minor = if scale <= digits {
            pow10(digits - scale)
                .and_then(|factor| mantissa.checked_mul(factor))
                .ok_or(MoneyError::TooLarge)?
        } else {
            let divisor = pow10(scale - digits).ok_or(MoneyError::TooLarge)?;
            half_to_even(mantissa, divisor)
        };
        Self::try_new(i64::try_from(minor).map_err(|_| MoneyError::TooLarge)?, currency)
    }

    pub const fn minor(self) -> i64 {
        self.minor
    }

    pub const fn currency(self) -> Currency {
        self.currency
    }

    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    pub const fn is_positive(self) -> bool {
        self.minor > 0
    }

    /// The amount in major units, for comparisons across currencies' digits.
    pub fn major(self) -> Decimal {
        Decimal::new(self.minor, self.currency.digits())
    }

    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_add)
    }

    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_sub)
    }

    /// The exact sum; the currency is named so that an empty sum has one.
    pub fn sum(currency: Currency, amounts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::zero(currency), Self::plus)
    }

    fn combine(self, other: Self, operate: fn(i64, i64) -> Option<i64>) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch(self.currency, other.currency));
        }
        Self::try_new(operate(self.minor, other.minor).ok_or(MoneyError::TooLarge)?, self.currency)
    }
}

/// Major units with exactly the currency's digits: `1234.50`, `1235`, `1.235`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.major().fmt(f)
    }
}

/// Minor units as a number beside the code: what is stored, never what clients see.
#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(rename = "n")]
    minor: i64,
    #[serde(rename = "c")]
    currency: Currency,
}

impl From<Money> for Stored {
    fn from(money: Money) -> Self {
        Self { minor: money.minor, currency: money.currency }
    }
}

impl TryFrom<Stored> for Money {
    type Error = MoneyError;

    fn try_from(stored: Stored) -> Result<Self, MoneyError> {
        Self::try_new(stored.minor, stored.currency)
    }
}

fn pow10(exponent: u32) -> Option<i128> {
    10_i128.checked_pow(exponent)
}

fn half_to_even(mantissa: i128, divisor: i128) -> i128 {
    let quotient = mantissa.div_euclid(divisor);
    let remainder = mantissa.rem_euclid(divisor);
    let round_up = match remainder.cmp(&(divisor - remainder)) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => quotient.rem_euclid(2) == 1,
    };
    quotient + i128::from(round_up)
}

#[cfg(test)]
mod tests;
