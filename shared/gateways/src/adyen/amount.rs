//! Adyen's units: ISO's minor unit, but for four currencies. Nothing is ever rounded.
//!
//! Source: docs.adyen.com/development-resources/currency-codes (D): CLP and ISK count two decimals there, CVE and IDR none.

use crate::trouble::Trouble;
use fatura_domain::money::{Currency, Money};

const ZERO_DECIMAL: &[&str] = &[
    "CVE", "DJF", "GNF", "IDR", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF",
];
const THREE_DECIMAL: &[&str] = &["BHD", "JOD", "KWD", "LYD", "OMR", "TND"];
/// Whole in ISO's list, counted in hundredths here.
const WHOLE_IN_HUNDREDTHS: &[&str] = &["CLP", "ISK"];

/// None: a currency that Adyen's table doesn't have in the way that ISO has it.
fn digits(currency: Currency) -> Option<u32> {
    let code = currency.code();
    if ZERO_DECIMAL.contains(&code) {
        return Some(0);
    }
    if THREE_DECIMAL.contains(&code) {
        return Some(3);
    }
    (currency.digits() == 2 || WHOLE_IN_HUNDREDTHS.contains(&code)).then_some(2)
}

/// The amount in Adyen's unit, exactly.
pub(super) fn to_adyen(amount: Money) -> Result<i64, Trouble> {
    let currency = amount.currency();
    let refuse = |why: &str| Trouble::configuration("amount_not_chargeable", format!("{currency}: {why}"));
    let digits = digits(currency).ok_or_else(|| refuse("Adyen's unit of this currency is not known"))?;
    rescaled(amount.minor(), currency.digits(), digits)
        .ok_or_else(|| refuse("the amount has decimals that Adyen cannot charge"))
}

/// What Adyen says of an amount. None: no money that we could book.
pub(super) fn from_adyen(value: i64, currency: &str) -> Option<Money> {
    let currency: Currency = currency.parse().ok()?;
    let minor = rescaled(value, digits(currency)?, currency.digits())?;
    Money::try_new(minor, currency).ok().filter(|amount| amount.is_positive())
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

    fn value(minor: i64, currency: &str) -> Option<i64> {
        to_adyen(Money::try_new(minor, currency.parse().unwrap()).unwrap()).ok()
    }

    #[test]
    fn each_kind_of_currency_in_its_unit() {
        for (minor, currency, expected) in [
            (12_345, "BRL", Some(12_345)),
            (1, "USD", Some(1)),
            (500, "JPY", Some(500)),
            (5_124, "KWD", Some(5_124)),
            (5, "ISK", Some(500)),
            (1_990, "CLP", Some(199_000)),
            // ISO gives these two digits, Adyen none.
            (1_500_000, "IDR", Some(15_000)),
            (1_500_050, "IDR", None),
            (1_200, "CVE", Some(12)),
            (1_250, "CVE", None),
            // Not in Adyen's table, or not as ISO has them.
            (1_000, "IQD", None),
            (10_000, "CLF", None),
            (100, "BIF", None),
            (MAX_MINOR, "CLP", Some(MAX_MINOR * 100)),
        ] {
            assert_eq!(value(minor, currency), expected, "{minor} {currency}");
        }
    }

    #[test]
    fn what_is_no_money_is_none() {
        for (value, currency) in [(1, "XXX"), (1, ""), (1, "brl"), (150, "ISK"), (0, "BRL"), (-1, "BRL")] {
            assert_eq!(from_adyen(value, currency), None, "{value} {currency}");
        }
        assert_eq!((from_adyen(i64::MAX, "IDR"), from_adyen(i64::MAX, "BRL")), (None, None));
    }

    proptest! {
        #[test]
        fn what_goes_out_is_what_comes_back(
            minor in 1_i64..=MAX_MINOR,
            currency in proptest::sample::select(vec!["BRL", "USD", "JPY", "KWD", "ISK", "CLP", "IDR", "CVE", "TND"]),
        ) {
            let amount = Money::try_new(minor, currency.parse().unwrap()).unwrap();
            match to_adyen(amount) {
                Ok(value) => prop_assert_eq!(from_adyen(value, currency), Some(amount)),
                Err(_) => prop_assert!(["IDR", "CVE"].contains(&currency)),
            }
        }
    }
}
