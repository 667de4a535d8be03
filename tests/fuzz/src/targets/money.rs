//! Decimals as clients write them: amounts, prices, quantities, rates. What is read is written down the same, and is within its
//! bounds; what is computed of it is an amount or an error.

use super::{Subject, Target, bytes_of};
use fatura_domain::exchange::Rate;
use fatura_domain::fees;
use fatura_domain::invoice::{LineItem, Quantity, UnitPrice};
use fatura_domain::money::{Currency, MAX_MINOR, Money, parse_decimal};
use fatura_domain::text::Description;

pub(super) const TARGET: Target = Target { tries: 20_000, ..Target::pure("money", words, open) };

fn words() -> Vec<Vec<u8>> {
    bytes_of(&["BRL\n", "JPY\n", "KWD\n", "XAU\n", "CLF\n", "e", "E-", "+", "_", ".", "٣", "NaN", "inf"])
}

/// A currency, and in the next lines a quantity and a price, or an amount.
fn open() -> Subject {
    let description = Description::parse("it").unwrap();
    Subject::new(move |input| {
        let text = String::from_utf8_lossy(input);
        let mut lines = text.split('\n');
        let currency = lines.next().and_then(|code| code.parse().ok()).unwrap_or(Currency::BRL);
        let (first, second) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        numeral(first, currency);
        if let (Ok(quantity), Ok(unit_price)) = (Quantity::parse(first), UnitPrice::parse(second)) {
            let line = LineItem { description: description.clone(), quantity, unit_price };
            if let Ok(total) = line.total(currency) {
                within_bounds(total);
            }
        }
    })
}

fn numeral(text: &str, currency: Currency) {
    if let Ok(value) = parse_decimal(text) {
        assert_eq!(parse_decimal(&value.to_string()), Ok(value), "{text}");
    }
    if let Ok(money) = Money::parse(text, currency) {
        within_bounds(money);
        assert_eq!(Money::parse(&money.to_string(), currency), Ok(money), "{text}");
    }
    if let Ok(rate) = Rate::parse(text) {
        assert_eq!(Rate::parse(&rate.to_string()), Ok(rate), "{text}");
    }
    if let Ok(rate) = fees::Rate::parse(text) {
        assert!(fees::Rate::parse(&rate.to_string()).is_ok(), "{text}");
    }
}

fn within_bounds(money: Money) {
    assert!(money.minor().unsigned_abs() <= MAX_MINOR.unsigned_abs(), "{money}");
}
