//! What the platform keeps of an order: a rate and a fixed part, as data.

use crate::money::{Currency, Money, MoneyError, NumeralError, parse_decimal};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use thiserror::Error;

/// A part of the whole, from nothing to all of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rate(Decimal);

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RateError {
    #[error(transparent)]
    Numeral(#[from] NumeralError),
    #[error("must be from 0 to 1: 2.9 per cent are 0.029")]
    OutOfRange,
    #[error("must have at most {} decimals", Rate::MOST_DIGITS)]
    TooPrecise,
}

impl Rate {
    const MOST_DIGITS: u32 = 6;

    pub fn parse(text: &str) -> Result<Self, RateError> {
        let rate = parse_decimal(text)?;
        if rate.scale() > Self::MOST_DIGITS {
            return Err(RateError::TooPrecise);
        }
        if rate < Decimal::ZERO || rate > Decimal::ONE {
            return Err(RateError::OutOfRange);
        }
        Ok(Self(rate))
    }

    /// Multiplied exactly and rounded once, half to even.
    fn of(self, whole: Money) -> Result<Money, MoneyError> {
        let mantissa =
            i128::from(whole.minor()).checked_mul(self.0.mantissa()).ok_or(MoneyError::TooLarge)?;
        Money::rounded(mantissa, whole.currency().digits() + self.0.scale(), whole.currency())
    }
}

impl fmt::Display for Rate {
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

/// What is kept of each order. Nothing, unless somebody says so.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fees {
    #[serde(rename = "r", default)]
    rate: Rate,
    /// For each order, by its currency.
    #[serde(rename = "x", default)]
    fixed: Vec<Money>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FeesError {
    #[error("must not be negative")]
    Negative,
    #[error("must name a currency once")]
    Twice,
}

impl Fees {
    /// More than there are currencies.
    pub const MOST_FIXED: usize = 200;

    pub fn try_new(rate: Rate, fixed: Vec<Money>) -> Result<Self, FeesError> {
        if fixed.iter().any(|part| part.minor() < 0) {
            return Err(FeesError::Negative);
        }
        let currencies: BTreeSet<&str> = fixed.iter().map(|part| part.currency().code()).collect();
        if currencies.len() < fixed.len() {
            return Err(FeesError::Twice);
        }
        Ok(Self { rate, fixed })
    }

    pub const fn rate(&self) -> Rate {
        self.rate
    }

    pub fn fixed(&self) -> &[Money] {
        &self.fixed
    }

    /// The fee for an order of this amount; never more than the amount, so that a merchant never pays for selling.
    pub fn of(&self, gross: Money) -> Result<Money, MoneyError> {
        let fee = self.rate.of(gross)?.plus(self.fixed_in(gross.currency()))?;
        Ok(if fee.minor() > gross.minor() { gross } else { fee })
    }

    fn fixed_in(&self, currency: Currency) -> Money {
        let fixed = self.fixed.iter().find(|part| part.currency() == currency);
        fixed.copied().unwrap_or(Money::zero(currency))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::MAX_MINOR;
    use proptest::prelude::*;

    fn brl(minor: i64) -> Money {
        Money::try_new(minor, Currency::BRL).unwrap()
    }

    fn fees(rate: &str, fixed: &[Money]) -> Fees {
        Fees::try_new(Rate::parse(rate).unwrap(), fixed.to_vec()).unwrap()
    }

    #[test]
    fn a_rate_and_a_fixed_part_rounded_once() {
        let usual = fees("0.029", &[brl(30), Money::try_new(10, Currency::JPY).unwrap()]);
        assert_eq!(usual.of(brl(10_000)), Ok(brl(320)));
        assert_eq!(usual.of(brl(50)), Ok(brl(31)), "1.45 and 30");
        assert_eq!(usual.of(brl(500)), Ok(brl(44)), "14.5 is 14, half to even, and 30");
        assert_eq!(usual.of(brl(1_500)), Ok(brl(74)), "43.5 is 44, half to even, and 30");
        let yen = Money::try_new(1_000, Currency::JPY).unwrap();
        assert_eq!(usual.of(yen).map(Money::minor), Ok(39));
        let dollars = Money::try_new(10_000, Currency::USD).unwrap();
        assert_eq!(usual.of(dollars).map(Money::minor), Ok(290), "no fixed part in that currency");
        assert_eq!(Fees::default().of(brl(10_000)), Ok(brl(0)));
    }

    #[test]
    fn nothing_and_all_of_it_are_rates_and_nothing_is_a_fixed_part() {
        assert_eq!(fees("0", &[]).of(brl(10_000)), Ok(brl(0)));
        assert_eq!(fees("1", &[]).of(brl(10_000)), Ok(brl(10_000)));
        let free = fees("0.0000", &[brl(0)]);
        assert_eq!((free.rate().to_string(), free.fixed()), ("0.0000".to_owned(), &[brl(0)][..]));
    }

    #[test]
    fn fees_are_stored_exactly_and_read_back_as_strictly() {
        let usual = fees("0.029", &[brl(30)]);
        let stored = serde_json::to_string(&usual).unwrap();
        assert_eq!(stored, r#"{"r":"0.029","x":[{"n":30,"c":"BRL"}]}"#);
        assert_eq!(serde_json::from_str::<Fees>(&stored).unwrap(), usual);
        assert!(serde_json::from_str::<Fees>(r#"{"r":"1.5"}"#).is_err());
    }

    #[test]
    fn a_fee_is_never_more_than_the_order() {
        assert_eq!(fees("0.029", &[brl(30)]).of(brl(20)), Ok(brl(20)));
        assert_eq!(fees("1", &[brl(30)]).of(brl(20)), Ok(brl(20)));
        assert_eq!(fees("0.029", &[brl(30)]).of(brl(0)), Ok(brl(0)));
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        assert_eq!(Rate::parse("1.01"), Err(RateError::OutOfRange));
        assert_eq!(Rate::parse("-0.01"), Err(RateError::OutOfRange));
        assert_eq!(Rate::parse("0.0000001"), Err(RateError::TooPrecise));
        assert!(matches!(Rate::parse("2.9%"), Err(RateError::Numeral(_))));
        assert_eq!(Fees::try_new(Rate::default(), vec![brl(1), brl(2)]), Err(FeesError::Twice));
        assert_eq!(Fees::try_new(Rate::default(), vec![brl(-1)]), Err(FeesError::Negative));
    }

    proptest! {
        #[test]
        fn it_is_within_the_order_and_near_the_rate(gross in 0..=MAX_MINOR, rate in 0_i64..=1_000_000, fixed in 0_i64..1_000) {
            let rate = Rate::parse(&Decimal::new(rate, 6).to_string()).unwrap();
            let fee = Fees::try_new(rate, vec![brl(fixed)]).unwrap().of(brl(gross)).map(Money::minor);
            // Where the rate is nearly all and the amount is nearly the largest, the fixed part doesn't fit.
            if let Ok(fee) = fee {
                prop_assert!((0..=gross).contains(&fee));
                let exact = i128::from(gross) * rate.0.mantissa();
                let scale = 10_i128.pow(rate.0.scale());
                let apart = (i128::from(fee - fixed) * scale - exact).abs() * 2;
                prop_assert!(fee == gross || apart <= scale);
            } else {
                prop_assert!(gross > MAX_MINOR - 1_000);
            }
        }
    }
}
