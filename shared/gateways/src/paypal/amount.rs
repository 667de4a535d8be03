//! PayPal's amounts: major units in a string. Most currencies have two decimals there; three have none, whatever ISO says.
//!
//! Source: developer.paypal.com/reference/currency-codes, with its notes on decimals; the same list is in PayPal's SDKs.
//! What is only for accounts in the country (BRL, CNY, INR, MYR) is offered all the same: PayPal knows the account.

use crate::trouble::Trouble;
use fatura_domain::money::{Currency, Money};
use serde::{Deserialize, Serialize};

const TWO_DECIMALS: &[&str] = &[
    "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "ILS", "INR", "MXN", "MYR", "NOK",
    "NZD", "PHP", "PLN", "SEK", "SGD", "THB", "USD",
];
/// "This currency does not support decimals. If you pass a decimal amount, an error occurs."
const WHOLE: &[&str] = &["HUF", "JPY", "TWD"];

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Amount {
    pub(super) currency_code: String,
    pub(super) value: String,
}

/// The amount as PayPal writes it, exactly.
pub(super) fn to_paypal(amount: Money) -> Result<Amount, Trouble> {
    let currency = amount.currency();
    let is_whole = WHOLE.contains(&currency.code());
    if !is_whole && !TWO_DECIMALS.contains(&currency.code()) {
        let message = format!("PayPal takes no payments in {currency}");
        return Err(Trouble::configuration("currency_not_offered", message));
    }
    let refuse = |why: &str| Trouble::configuration("amount_not_chargeable", format!("{currency}: {why}"));
    if !amount.is_positive() {
        return Err(refuse("there is nothing to charge"));
    }
    let written = amount.to_string();
    let value = match written.split_once('.') {
        Some((whole, decimals)) if is_whole => {
            if decimals.bytes().any(|digit| digit != b'0') {
                return Err(refuse("the amount has decimals that PayPal cannot charge"));
            }
            whole.to_owned()
        }
        _ => written,
    };
    Ok(Amount { currency_code: currency.code().to_owned(), value })
}

/// What PayPal says of an amount. None: no money that we could book. Zeros that only fill up are let pass, because the
/// reports write `500.00` where orders write `500`.
pub(super) fn from_paypal(amount: &Amount) -> Option<Money> {
    let currency: Currency = amount.currency_code.parse().ok()?;
    let value = match amount.value.split_once('.') {
        Some((whole, decimals)) if decimals.bytes().all(|digit| digit == b'0') && !decimals.is_empty() => {
            whole
        }
        Some(_) => amount.value.trim_end_matches('0'),
        None => &amount.value,
    };
    Money::parse(value, currency).ok()
}

pub(super) fn positive(amount: &Amount) -> Option<Money> {
    from_paypal(amount).filter(|amount| amount.is_positive())
}

#[cfg(test)]
mod tests {
    use super::*;
    use fatura_domain::money::MAX_MINOR;
    use proptest::prelude::*;

    fn written(minor: i64, currency: &str) -> Option<String> {
        let amount = Money::try_new(minor, currency.parse().unwrap()).unwrap();
        to_paypal(amount).ok().map(|amount| amount.value)
    }

    fn read(value: &str, currency: &str) -> Option<i64> {
        let amount = Amount { currency_code: currency.to_owned(), value: value.to_owned() };
        from_paypal(&amount).map(Money::minor)
    }

    #[test]
    fn each_kind_of_currency_as_paypal_writes_it() {
        for (minor, currency, expected) in [
            (12_345, "BRL", Some("123.45")),
            (1, "USD", Some("0.01")),
            (100, "EUR", Some("1.00")),
            (500, "JPY", Some("500")),
            // ISO gives these two decimals, PayPal none.
            (104_500, "HUF", Some("1045")),
            (80_000, "TWD", Some("800")),
            (104_550, "HUF", None),
            (1, "TWD", None),
            // Not PayPal's.
            (5_120, "KWD", None),
            (1_000, "CLP", None),
            (1_000, "RUB", None),
            (0, "USD", None),
            (-100, "USD", None),
        ] {
            assert_eq!(written(minor, currency).as_deref(), expected, "{minor} {currency}");
        }
    }

    #[test]
    fn what_is_no_money_is_none() {
        for (value, currency) in [
            ("1.00", "XXQ"),
            ("1.00", "usd"),
            ("1.001", "USD"),
            ("500.5", "JPY"),
            ("1.", "USD"),
            (".5", "USD"),
            ("1,00", "USD"),
            ("+1", "USD"),
            ("", "USD"),
            ("1e400", "USD"),
            ("0x10", "USD"),
        ] {
            assert_eq!(read(value, currency), None, "{value} {currency}");
        }
        for (value, currency, minor) in [
            ("500.00", "JPY", 500),
            ("500", "JPY", 500),
            ("1045", "HUF", 104_500),
            ("10.00", "USD", 1_000),
            ("10", "USD", 1_000),
            ("0.10", "USD", 10),
            ("-3.50", "USD", -350),
        ] {
            assert_eq!(read(value, currency), Some(minor), "{value} {currency}");
        }
        let none = Amount { currency_code: "USD".to_owned(), value: "0.00".to_owned() };
        assert_eq!(positive(&none), None);
    }

    proptest! {
        #[test]
        fn what_goes_out_is_what_comes_back(
            minor in 1_i64..=MAX_MINOR,
            currency in proptest::sample::select(vec!["BRL", "USD", "JPY", "HUF", "TWD", "SEK"]),
        ) {
            let amount = Money::try_new(minor, currency.parse().unwrap()).unwrap();
            if let Ok(told) = to_paypal(amount) {
                prop_assert_eq!(from_paypal(&told), Some(amount));
            } else {
                prop_assert!(["HUF", "TWD"].contains(&currency) && minor % 100 != 0);
            }
        }
    }
}
