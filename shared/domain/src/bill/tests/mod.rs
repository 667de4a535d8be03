mod appending;
mod closing;
mod interleaving;
mod settling;

use super::*;
use crate::SignedDuration;
use crate::exchange::{Conversion, CrossRate, Quote, RateSource};
use crate::id::LineItemId;
use crate::invoice::Quantity;
use crate::money::{Currency, Money};
use crate::text::Description;
use std::collections::BTreeMap;

const ANA: u64 = 1;
const BEA: u64 = 2;
const MILLISECOND: SignedDuration = SignedDuration::from_millis(1);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn start() -> Timestamp {
    at("2026-01-31T00:00:00Z")
}

fn end() -> Timestamp {
    at("2026-02-28T00:00:00Z")
}

fn operator() -> Actor {
    Actor::new("key_1")
}

fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

fn money(text: &str, code: &str) -> Money {
    Money::parse(text, currency(code)).unwrap()
}

fn terms(settlement_currency: Option<&str>, recurs: Recurs) -> BillTerms {
    BillTerms::try_new(TermsDraft {
        period_start: start(),
        period_end: end(),
        time_zone: None,
        settlement_currency: settlement_currency.map(currency),
        recurs,
    })
    .unwrap()
}

fn bill_of(customer: u64, settlement_currency: Option<&str>, recurs: Recurs) -> Bill {
    let id = BillId::new(CustomerId::new(customer), start(), 1);
    Bill::open(id, terms(settlement_currency, recurs), Shards::try_from(3).unwrap(), start())
}

fn bill(settlement_currency: Option<&str>) -> Bill {
    bill_of(ANA, settlement_currency, Recurs::Never)
}

fn draft(price: &str, code: &str) -> LineDraft {
    LineDraft {
        kind: if price.starts_with('-') { LineKind::Credit } else { LineKind::Fee },
        description: Description::parse("Calls").unwrap(),
        quantity: Quantity::parse("1").unwrap(),
        unit_price: Price::parse(price).unwrap(),
        currency: currency(code),
        reference: None,
        occurred_at: None,
    }
}

fn content(price: &str, code: &str) -> LineContent {
    LineContent::try_new(draft(price, code)).unwrap()
}

fn line_id(entropy: u64) -> LineItemId {
    LineItemId::new(CustomerId::new(ANA), start(), entropy)
}

fn shards_with(bill: &Bill, amounts: &[Money]) -> Vec<Shard> {
    let mut shards: Vec<Shard> = bill.shards.numbers().map(Shard::new).collect();
    for (index, amount) in amounts.iter().enumerate() {
        let number = index % shards.len();
        shards[number] = shards[number].with(*amount, bill.shards).unwrap();
    }
    shards
}

fn applied<T: std::fmt::Debug, E: std::fmt::Debug>(result: Result<Change<T>, E>) -> T {
    match result.unwrap() {
        Change::Applied(thing) => thing,
        Change::AlreadyApplied => panic!("it was applied already"),
    }
}

fn closing(bill: &Bill) -> Bill {
    applied(bill.begin_closing(CloseCause::Requested { by: operator(), is_last: false }, start()))
}

/// Closed at its end with these amounts in it.
fn closure(bill: &Bill, amounts: &[Money], conversion: Option<Conversion>) -> Closure {
    let shards: Vec<Shard> = shards_with(bill, amounts).iter().map(Shard::closed).collect();
    applied(closing(bill).finish_closing(&shards, conversion, end()))
}

fn closed_with(settlement_currency: Option<&str>, amounts: &[Money], conversion: Option<Conversion>) -> Bill {
    closure(&bill(settlement_currency), amounts, conversion).bill
}

fn settlement(bill: &Bill) -> &Settlement {
    &bill.state.closed().unwrap().settlement
}

fn conversion(into: &str, parts: &[(&str, &str)]) -> Conversion {
    let part = |(of, amount): &(&str, &str)| (currency(of), money(amount, into));
    let rates = parts.iter().filter(|(of, _)| *of != into);
    let rates = rates.map(|(of, _)| (currency(of), CrossRate::try_from("2.5".to_owned()).unwrap()));
    let quote =
        Quote { rates: rates.collect(), source: RateSource::EuropeanCentralBank, published_at: start() };
    Conversion::try_new(currency(into), parts.iter().map(part).collect(), Some(quote)).unwrap()
}

fn causes(bill: &Bill) -> Vec<&'static str> {
    bill.history.iter().map(|step| step.cause.as_str()).collect()
}

#[test]
fn a_digest_tells_its_parts_apart() {
    // What was made by one release is found by the next.
    assert_eq!(entropy_of(&["ab", "c"]), 7_105_606_079_162_413_094);
    assert_ne!(entropy_of(&["ab", "c"]), entropy_of(&["a", "bc"]));
    assert_ne!(digest(&["ab", "c"]), digest(&["ab", "c", ""]));
}
