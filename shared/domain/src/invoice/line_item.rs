use crate::money::{Currency, Money, MoneyError, NumeralError, parse_decimal};
use crate::text::Description;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

/// Digits after the point that a quantity or a unit price may have: enough for a fee per request.
const MAX_FRACTION_DIGITS: u32 = 12;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FactorError {
    #[error(transparent)]
    Numeral(#[from] NumeralError),
    #[error("must be greater than 0")]
    NotPositive,
    #[error("must not be negative")]
    Negative,
    #[error("must have at most {MAX_FRACTION_DIGITS} decimals")]
    TooPrecise,
    #[error("must be at most {MAX_FACTOR}")]
    TooLarge,
}

/// Beyond this no line could fit in an amount anyway.
pub(crate) const MAX_FACTOR: i64 = 1_000_000_000_000_000;

/// How many: greater than zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Quantity(Decimal);

/// The price of one, in major units; zero for what is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UnitPrice(Decimal);

impl Quantity {
    pub fn parse(text: &str) -> Result<Self, FactorError> {
        let value = factor(text)?;
        if value > Decimal::ZERO { Ok(Self(value)) } else { Err(FactorError::NotPositive) }
    }

    pub(crate) const fn value(self) -> Decimal {
        self.0
    }
}

impl UnitPrice {
    pub fn parse(text: &str) -> Result<Self, FactorError> {
        let value = factor(text)?;
        if value >= Decimal::ZERO { Ok(Self(value)) } else { Err(FactorError::Negative) }
    }
}

/// A decimal that may be a quantity or a price, of either sign.
pub(crate) fn factor(text: &str) -> Result<Decimal, FactorError> {
    let value = parse_decimal(text)?;
    if value.scale() > MAX_FRACTION_DIGITS {
        return Err(FactorError::TooPrecise);
    }
    if value > Decimal::from(MAX_FACTOR) {
        return Err(FactorError::TooLarge);
    }
    Ok(value)
}

/// One line of an invoice. Its total is its own, rounded once; the invoice adds totals and never rounds again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineItem {
    #[serde(rename = "d")]
    pub description: Description,
    #[serde(rename = "q")]
    pub quantity: Quantity,
    #[serde(rename = "p")]
    pub unit_price: UnitPrice,
}

impl LineItem {
    pub(super) fn exact(&self) -> Decimal {
        self.quantity.0 * self.unit_price.0
    }

    /// `quantity × unit_price`, multiplied exactly and rounded once, half to even.
    pub fn total(&self, currency: Currency) -> Result<Money, MoneyError> {
        product(self.quantity.0, self.unit_price.0, currency)
    }
}

pub(crate) fn product(quantity: Decimal, price: Decimal, currency: Currency) -> Result<Money, MoneyError> {
    // Trailing zeros say nothing and would only use up digits. Without them a product that is too long for the
    // multiplication is too large for an amount, or more precise than any price.
    let (quantity, price) = (quantity.normalize(), price.normalize());
    let mantissa = quantity.mantissa().checked_mul(price.mantissa()).ok_or(MoneyError::TooLarge)?;
    Money::rounded(mantissa, quantity.scale() + price.scale(), currency)
}

macro_rules! factor_as_text {
    ($($factor:ident)*) => { $(
        impl fmt::Display for $factor {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl TryFrom<String> for $factor {
            type Error = FactorError;

            fn try_from(text: String) -> Result<Self, FactorError> {
                Self::parse(&text)
            }
        }

        impl From<$factor> for String {
            fn from(factor: $factor) -> Self {
                factor.to_string()
            }
        }
    )* };
}

factor_as_text!(Quantity UnitPrice);

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigInt;
    use proptest::prelude::*;

    fn line(quantity: &str, unit_price: &str) -> LineItem {
        LineItem {
            description: Description::parse("a").unwrap(),
            quantity: Quantity::parse(quantity).unwrap(),
            unit_price: UnitPrice::parse(unit_price).unwrap(),
        }
    }

    #[test]
    fn a_line_is_rounded_once_half_to_even() {
        for (quantity, price, currency, total) in [
            ("3", "19.90", Currency::BRL, "59.70"),
            ("0.5", "0.01", Currency::BRL, "0.00"),
            ("1.5", "0.01", Currency::BRL, "0.02"),
            ("2.5", "0.01", Currency::BRL, "0.02"),
            ("1000", "0.000000000005", Currency::BRL, "0.00"),
            ("1", "0.5", Currency::JPY, "0"),
            ("3", "0.5", Currency::JPY, "2"),
            ("1", "1.2345", Currency::KWD, "1.234"),
        ] {
            assert_eq!(
                line(quantity, price).total(currency).map(|m| m.to_string()),
                Ok(total.to_owned()),
                "{quantity} × {price}"
            );
        }
    }

    #[test]
    fn factors_are_bounded() {
        assert_eq!(Quantity::parse("0"), Err(FactorError::NotPositive));
        assert_eq!(Quantity::parse("-1"), Err(FactorError::NotPositive));
        assert_eq!(UnitPrice::parse("-0.01"), Err(FactorError::Negative));
        assert_eq!(UnitPrice::parse("0").map(|price| price.to_string()), Ok("0".to_owned()));
        assert_eq!(Quantity::parse("0.0000000000001"), Err(FactorError::TooPrecise));
        assert!(Quantity::parse("1e30").is_err());
        assert!(Quantity::parse("NaN").is_err());
    }

    proptest! {
        #[test]
        fn totals_agree_with_arithmetic_of_any_size(q in 1_i64..10_i64.pow(12), qs in 0_u32..=12, p in 0_i64..10_i64.pow(12), ps in 0_u32..=12) {
            let text = |n: i64, scale| Decimal::new(n, scale).to_string();
            let total = line(&text(q, qs), &text(p, ps)).total(Currency::BRL);
            let numerator = BigInt::from(q) * p * 100;
            let divisor = BigInt::from(10).pow(qs + ps);
            let (whole, rest) = (&numerator / &divisor, (&numerator % &divisor) * 2);
            let expected = if rest > divisor || (rest == divisor && &whole % 2 == BigInt::from(1)) { whole + 1 } else { whole };
            match total {
                Ok(total) => prop_assert_eq!(BigInt::from(total.minor()), expected),
                Err(_) => prop_assert!(expected > BigInt::from(crate::money::MAX_MINOR)),
            }
        }
    }
}
