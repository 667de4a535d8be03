//! Stripe's units. Most currencies are in ISO's minor unit; the tables hold the rest, and nothing is ever rounded.
//!
//! Source: docs.stripe.com/currencies, "Minor units in API amounts", "Zero-decimal currencies", "Three-decimal
//! currencies" and "Special cases" (read in 2026). That HUF and TWD are whole in payouts does not concern charges.

use crate::trouble::Trouble;
use fatura_domain::money::{Currency, Money};

const ZERO_DECIMAL: &[&str] = &[
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF",
];
/// Three decimals, of which the last must be 0.
const THREE_DECIMAL: &[&str] = &["BHD", "JOD", "KWD", "OMR", "TND"];
/// Without decimals since, but still counted in hundredths.
const WHOLE_IN_HUNDREDTHS: &[&str] = &["ISK", "UGX"];

/// How Stripe counts a currency.
struct Unit {
    digits: u32,
    /// Amounts are multiples of this.
    step: i64,
}

/// None: a currency that Stripe's table doesn't explain, such as one of ISO's with four digits.
fn unit(currency: Currency) -> Option<Unit> {
    let code = currency.code();
    if ZERO_DECIMAL.contains(&code) {
        return Some(Unit { digits: 0, step: 1 });
    }
    if THREE_DECIMAL.contains(&code) {
        return Some(Unit { digits: 3, step: 10 });
    }
    if WHOLE_IN_HUNDREDTHS.contains(&code) {
        return Some(Unit { digits: 2, step: 100 });
    }
    (currency.digits() == 2).then_some(Unit { digits: 2, step: 1 })
}

/// The amount in Stripe's unit, exactly.
pub(super) fn to_stripe(amount: Money) -> Result<i64, Trouble> {
    let currency = amount.currency();
    let refuse = |why: &str| Trouble::configuration("amount_not_chargeable", format!("{currency}: {why}"));
    let unit = unit(currency).ok_or_else(|| refuse("Stripe's unit of this currency is not known"))?;
    let units = rescaled(amount.minor(), currency.digits(), unit.digits);
    let units = units.ok_or_else(|| refuse("the amount has decimals that Stripe cannot charge"))?;
    if units % unit.step != 0 {
        return Err(refuse("the amount has decimals that Stripe cannot charge"));
    }
    Ok(units)
}

/// What Stripe says of an amount. None: no money that we could book.
pub(super) fn from_stripe(units: i64, currency: &str) -> Option<Money> {
    let currency: Currency = currency.to_ascii_uppercase().parse().ok()?;
    let minor = rescaled(units, unit(currency)?.digits, currency.digits())?;
    Money::try_new(minor, currency).ok()
}

pub(super) fn positive(units: i64, currency: &str) -> Option<Money> {
    from_stripe(units, currency).filter(|amount| amount.is_positive())
}

/// None if anything would be lost.
fn rescaled(amount: i64, from: u32, to: u32) -> Option<i64> {
    let factor = 10_i64.checked_pow(from.abs_diff(to))?;
    if to >= from {
        return amount.checked_mul(factor);
    }
    (amount % factor == 0).then_some(amount / factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fatura_domain::money::MAX_MINOR;
    use proptest::prelude::*;

    fn units(minor: i64, currency: &str) -> Option<i64> {
        to_stripe(Money::try_new(minor, currency.parse().unwrap()).unwrap()).ok()
    }

    #[test]
    fn each_kind_of_currency_in_its_unit() {
        for (minor, currency, expected) in [
            (12_345, "BRL", Some(12_345)),
            (1, "USD", Some(1)),
            (500, "JPY", Some(500)),
            (5_120, "KWD", Some(5_120)),
            (5_124, "KWD", None),
            (5, "ISK", Some(500)),
            (7, "UGX", Some(700)),
            // ISO gives the ariary two digits, Stripe none.
            (1_200, "MGA", Some(12)),
            (1_250, "MGA", None),
            (1_045, "HUF", Some(1_045)),
            (800, "TWD", Some(800)),
            // Not in Stripe's table.
            (1_000, "IQD", None),
            (10_000, "CLF", None),
            (1, "UYI", None),
            (MAX_MINOR, "ISK", Some(MAX_MINOR * 100)),
        ] {
            assert_eq!(units(minor, currency), expected, "{minor} {currency}");
        }
    }

    #[test]
    fn what_is_no_money_is_none() {
        for (units, currency) in
            [(1, "xxx"), (1, ""), (150, "isk"), (i64::MAX, "brl"), (i64::MIN, "mga"), (1, "clf")]
        {
            assert_eq!(from_stripe(units, currency), None, "{units} {currency}");
        }
        assert_eq!((positive(0, "brl"), positive(-1, "brl")), (None, None));
        assert_eq!(from_stripe(12_345, "brl"), from_stripe(12_345, "BRL"));
    }

    proptest! {
        #[test]
        fn what_goes_out_is_what_comes_back(
            minor in 0_i64..=MAX_MINOR,
            currency in proptest::sample::select(vec!["BRL", "USD", "JPY", "KWD", "ISK", "UGX", "MGA", "TND", "HUF"]),
        ) {
            let amount = Money::try_new(minor, currency.parse().unwrap()).unwrap();
            if let Ok(units) = to_stripe(amount) {
                prop_assert_eq!(from_stripe(units, &currency.to_ascii_lowercase()), Some(amount));
            } else {
                prop_assert!(["KWD", "MGA", "TND"].contains(&currency));
            }
        }
    }
}
