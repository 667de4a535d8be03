//! Reais as decimal numbers, digit by digit: no amount ever passes through a float.

use crate::trouble::Trouble;
use fatura_domain::money::{Currency, Money};
use serde_json::Number;
use std::str::FromStr as _;

pub(crate) const ONLY: Currency = Currency::BRL;

/// Of these gateways only reais are known.
pub(crate) fn only_brl(amount: Money) -> Result<Money, Trouble> {
    if amount.currency() == ONLY {
        return Ok(amount);
    }
    Err(Trouble::configuration(
        "currency_not_offered",
        format!("this gateway takes no {}", amount.currency()),
    ))
}

/// `123.45`, as a JSON number.
pub(crate) fn number(amount: Money) -> Result<Number, Trouble> {
    let text = only_brl(amount)?.to_string();
    Number::from_str(&text)
        .map_err(|_| Trouble::configuration("amount_not_sayable", "the amount is no number"))
}

/// What was really moved, which need not be what was ordered: that is for the domain to compare.
pub(crate) fn money(text: &str, currency: &str) -> Result<Money, Trouble> {
    let currency: Option<Currency> = currency.parse().ok();
    positive(currency.and_then(|currency| Money::parse(text, currency).ok()))
}

pub(crate) fn cents(minor: i64) -> Result<Money, Trouble> {
    positive(Money::try_new(minor, Currency::BRL).ok())
}

fn positive(amount: Option<Money>) -> Result<Money, Trouble> {
    amount
        .filter(|amount| amount.is_positive())
        .ok_or_else(|| Trouble::unknown("contradictory_answer", "money moved, but no amount of money"))
}
