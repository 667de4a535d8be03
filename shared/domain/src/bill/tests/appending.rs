//! What a line item may be, and which appends a bill takes.

use super::*;
use crate::invoice::FactorError;
use crate::money::MAX_MINOR;
use proptest::prelude::*;

fn faults(draft: LineDraft) -> Vec<String> {
    let said = |fault: BillFault| format!("{} {}", fault.field, fault.reason);
    LineContent::try_new(draft).err().unwrap_or_default().into_iter().map(said).collect()
}

fn referenced(reference: &str, price: &str) -> LineContent {
    let reference = Some(Reference::parse(reference).unwrap());
    LineContent::try_new(LineDraft { reference, ..draft(price, "USD") }).unwrap()
}

fn new_line(bill: &Bill, content: LineContent, now: Timestamp) -> BillLine {
    match bill.append(content, line_id(1), None, now).unwrap() {
        Append::New { line, .. } => *line,
        Append::Known(_) => panic!("nobody knew of it"),
    }
}

#[test]
fn quantities_and_prices_have_bounds() {
    let of = |quantity: &str, price: &str, kind| {
        let quantity = Quantity::parse(quantity).unwrap();
        faults(LineDraft { kind, quantity, ..draft(price, "USD") })
    };
    let (fee, credit) = (LineKind::Fee, LineKind::Credit);
    assert_eq!(of("1000000", "1000000", fee), [""; 0]);
    assert_eq!(of("1000000", "-1000000", credit), [""; 0]);
    assert_eq!(of("0.000000000001", "0", fee), [""; 0]);
    assert_eq!(of("1", "0", credit), [""; 0]);
    assert_eq!(of("1000001", "1", fee), ["quantity must be at most 1000000"]);
    assert_eq!(of("1000000.000000000001", "1", fee), ["quantity must be at most 1000000"]);
    assert_eq!(of("1", "1000000.01", fee), ["unit_price must be at most 1000000"]);
    assert_eq!(of("1", "-1", fee), ["unit_price must not be negative, unless the kind is credit"]);
    assert_eq!(of("1", "1", credit), ["unit_price must not be positive where the kind is credit"]);
    assert_eq!(of("1", "-1000000.01", credit), ["unit_price must be at least -1000000"]);
    assert_eq!(
        of("1000001", "-1", fee),
        ["quantity must be at most 1000000", "unit_price must not be negative, unless the kind is credit"]
    );
    assert_eq!(Quantity::parse("0"), Err(FactorError::NotPositive));
    assert_eq!(Price::parse("1.0000000000001"), Err(FactorError::TooPrecise));
    assert!(Price::parse(&format!("-{MAX_MINOR}")).is_ok(), "a carried balance may be as large");
    for beyond in [format!("-{MAX_MINOR}.01"), format!("-{}", MAX_MINOR + 1)] {
        assert_eq!(Price::parse(&beyond), Err(FactorError::TooLarge), "{beyond}");
    }
}

#[test]
fn shards_are_stored_as_how_many_there_are() {
    let shards = Shards::try_from(3).unwrap();
    assert_eq!(serde_json::to_string(&shards).unwrap(), "3");
    assert_eq!(serde_json::from_str::<Shards>("3").unwrap(), shards);
    for wrong in ["0", "65"] {
        assert!(serde_json::from_str::<Shards>(wrong).is_err(), "{wrong}");
    }
    assert!(Totals::default().is_empty() && !Totals::of([money("0", "USD")]).unwrap().is_empty());
}

#[test]
fn a_total_that_is_no_amount_is_refused() {
    let quantity = Quantity::parse("1000000").unwrap();
    // Four digits: the largest line is ten times what an amount may be.
    let said = faults(LineDraft { quantity, ..draft("1000000", "CLF") });
    assert_eq!(said, [format!(" has a total that must be at most {MAX_MINOR} minor units")]);
    assert_eq!(faults(LineDraft { quantity, ..draft("900000", "CLF") }), [""; 0]);
}

#[test]
fn a_total_is_rounded_once_to_its_currencys_digits() {
    for (quantity, price, code, total) in [
        ("3", "0.5", "JPY", "2"),
        ("1", "-0.5", "JPY", "0"),
        ("1.5", "-1", "JPY", "-2"),
        ("1", "1.2345", "KWD", "1.234"),
        ("3", "9.105", "GEL", "27.32"),
        ("1", "27.305", "GEL", "27.30"),
        ("1000", "0.00001", "USD", "0.01"),
        ("1000000", "1000000", "KWD", "1000000000000.000"),
    ] {
        let quantity = Quantity::parse(quantity).unwrap();
        let content = LineContent::try_new(LineDraft { quantity, ..draft(price, code) }).unwrap();
        assert_eq!(content.total().to_string(), total, "{price} {code}");
    }
}

#[test]
fn a_bill_takes_what_comes_before_its_end_by_the_clock() {
    let bill = bill(None);
    let append = |now| bill.append(content("1", "USD"), line_id(1), None, now);
    assert!(append(start()).is_ok());
    assert!(append(end() - MILLISECOND).is_ok());
    assert_eq!(append(end()), Err(AppendRefusal::PeriodOver(end())));
    assert_eq!(append(end() + MILLISECOND), Err(AppendRefusal::PeriodOver(end())));
}

#[test]
fn only_an_open_bill_takes_anything() {
    let open = bill(None);
    let append = |bill: &Bill| bill.append(content("1", "USD"), line_id(1), None, start());
    let canceled = applied(open.cancel(&Sums::default(), &operator(), start()));
    let closed = closed_with(None, &[], None);
    assert_eq!(append(&closing(&open)), Err(AppendRefusal::NotOpen(BillStatus::Closing)));
    assert_eq!(append(&closed), Err(AppendRefusal::NotOpen(BillStatus::Closed)));
    assert_eq!(append(&canceled), Err(AppendRefusal::NotOpen(BillStatus::Canceled)));
}

#[test]
fn what_it_is_for_occurred_within_the_period() {
    let bill = bill(None);
    let occurred = |occurred_at| {
        let content = LineContent::try_new(LineDraft { occurred_at, ..draft("1", "USD") }).unwrap();
        bill.append(content, line_id(1), None, start() + MILLISECOND)
    };
    let outside =
        |result| matches!(result, Err(AppendRefusal::Fault(BillFault { field: "occurred_at", .. })));
    assert!(outside(occurred(Some(start() - MILLISECOND))));
    assert!(outside(occurred(Some(end()))));
    assert!(occurred(Some(start())).is_ok());
    assert!(occurred(Some(end() - MILLISECOND)).is_ok());

    let line = |now| new_line(&bill, content("1", "USD"), now);
    let later = start() + SignedDuration::from_micros(2_500);
    assert_eq!(line(later).occurred_at, start() + SignedDuration::from_millis(2), "whole milliseconds");
    assert_eq!(line(start() - MILLISECOND).occurred_at, start(), "the period has not begun yet");
}

#[test]
fn the_same_reference_is_the_same_line_item_whenever_it_comes() {
    let bill = bill(None);
    let first = new_line(&bill, referenced("call-1", "1.5"), start());
    for (bill, now) in
        [(&bill, start()), (&bill, end()), (&closing(&bill), start()), (&closed_with(None, &[], None), end())]
    {
        let again = bill.append(referenced("call-1", "1.50"), line_id(2), Some(&first), now);
        assert_eq!(again, Ok(Append::Known(Box::new(first.clone()))), "with the first one's id and time");
    }
    assert_eq!(first.key().to_string(), "R#call-1");
    assert_eq!(first.reference().as_deref(), Some("call-1"));
    assert_eq!(first.content.reference().map(crate::text::Text::as_str), Some("call-1"));
}

#[test]
fn the_same_reference_for_something_else_is_a_conflict() {
    let bill = bill(None);
    let first = new_line(&bill, referenced("call-1", "2"), start());
    let reference = Some(Reference::parse("call-1").unwrap());
    let like = LineDraft { reference, ..draft("2", "USD") };
    let others = [
        LineDraft { description: Description::parse("Other").unwrap(), ..like.clone() },
        LineDraft { quantity: Quantity::parse("2").unwrap(), ..like.clone() },
        // The same total, and yet something else.
        LineDraft {
            quantity: Quantity::parse("2").unwrap(),
            unit_price: Price::parse("1").unwrap(),
            ..like.clone()
        },
        LineDraft { currency: currency("GEL"), ..like.clone() },
        LineDraft { occurred_at: Some(start()), ..like.clone() },
        LineDraft { kind: LineKind::Credit, unit_price: Price::parse("-2").unwrap(), ..like.clone() },
    ];
    for other in others {
        let other = LineContent::try_new(other).unwrap();
        let answer = bill.append(other.clone(), line_id(2), Some(&first), start());
        assert_eq!(answer, Err(AppendRefusal::ReferenceTaken), "{other:?}");
    }
    assert!(first.is_what(&LineContent::try_new(like).unwrap()));
}

#[test]
fn no_kind_of_key_can_be_anothers() {
    let bill = bill(None);
    let by_id = new_line(&bill, content("1", "USD"), start());
    let posing = new_line(&bill, referenced(&by_id.id.to_string(), "1"), start());
    assert_ne!(by_id.key().to_string(), posing.key().to_string());
    assert_eq!(by_id.key(), LineKey::Id(line_id(1)));
    assert_eq!(by_id.reference(), None);
}

#[test]
fn a_shard_refuses_what_would_make_a_sum_that_is_no_amount() {
    let of = Shards::try_from(4).unwrap();
    let most = Money::try_new(MAX_MINOR / 4, Currency::USD).unwrap();
    let cent = money("0.01", "USD");
    let full = Shard::new(0).with(most, of).unwrap();
    assert_eq!(full.with(cent, of), Err(ShardRefusal::Full(Currency::USD)));
    assert!(full.with(money("1", "GEL"), of).is_ok(), "each currency for itself");
    assert_eq!(full.closed().with(cent, of), Err(ShardRefusal::Closed));
    let negative = Money::try_new(-(MAX_MINOR / 4), Currency::USD).unwrap();
    let empty = Shard::new(1).with(negative, of).unwrap();
    assert!(empty.with(money("-0.01", "USD"), of).is_err());
    let all: Vec<Shard> = (0..4).map(|number| Shard { number, ..full.closed() }).collect();
    assert!(Sums::exact(&all, of).is_ok(), "the fullest bill has a total");

    let wide = Bill { shards: Shards::try_from(64).unwrap(), ..bill(None) };
    let quantity = Quantity::parse("1000000").unwrap();
    let large = LineContent::try_new(LineDraft { quantity, ..draft("1000000", "KWD") }).unwrap();
    let answer = wide.append(large, line_id(1), None, start());
    assert_eq!(answer, Err(AppendRefusal::Full(Currency::KWD)));
}

#[test]
fn there_are_shards_and_not_too_many() {
    assert!(Shards::try_from(0).is_err());
    assert!(Shards::try_from(65).is_err());
    assert_eq!(Shards::try_from(64).unwrap().numbers().count(), 64);
}

#[test]
fn line_items_spread_over_all_shards_and_each_stays_where_it_is() {
    let mut met = [0_u32; 8];
    for index in 0..8_000 {
        let key = LineKey::Reference(Reference::parse(&format!("call-{index}")).unwrap());
        assert_eq!(Shards::DEFAULT.of(&key), Shards::DEFAULT.of(&key.clone()));
        met[usize::from(Shards::DEFAULT.of(&key))] += 1;
    }
    assert!(met.iter().all(|count| (800..1_200).contains(count)), "{met:?}");
}

#[test]
fn what_is_stored_is_read_back() {
    let reference = Some(Reference::parse("a").unwrap());
    let draft = LineDraft { reference, occurred_at: Some(end() - MILLISECOND), ..draft("-1.5", "GEL") };
    let line = new_line(&bill(None), LineContent::try_new(draft).unwrap(), start());
    let stored = serde_json::to_string(&line).unwrap();
    assert_eq!(serde_json::from_str::<BillLine>(&stored).unwrap(), line);
    let terms = terms(Some("GEL"), Recurs::Monthly);
    let stored = serde_json::to_string(&terms).unwrap();
    assert_eq!(serde_json::from_str::<BillTerms>(&stored).unwrap(), terms);
    assert!(serde_json::from_str::<Period>("[5,5]").is_err());
    assert!(serde_json::from_str::<Shards>("0").is_err());
    assert!(serde_json::from_str::<Totals>(r#"{"USD":9007199254740992}"#).is_err());
}

proptest! {
    #[test]
    fn sums_over_shards_are_those_of_one(amounts in prop::collection::vec((-1_000_000_i64..1_000_000, 0_usize..4), 0..60)) {
        let codes = ["JPY", "KWD", "GEL", "USD"];
        let amounts: Vec<Money> =
            amounts.into_iter().map(|(minor, which)| Money::try_new(minor, currency(codes[which])).unwrap()).collect();
        let of = Shards::try_from(3).unwrap();
        let mut shards: Vec<Shard> = of.numbers().map(Shard::new).collect();
        for (index, amount) in amounts.iter().enumerate() {
            let number = usize::from(of.of(&LineKey::Id(line_id(index as u64))));
            shards[number] = shards[number].with(*amount, of).unwrap();
        }
        let sums = Sums::so_far(&shards).unwrap();
        prop_assert_eq!(&sums.totals, &Totals::of(amounts.iter().copied()).unwrap());
        prop_assert_eq!(sums.count, amounts.len() as u64);
    }

    #[test]
    fn any_text_is_a_price_or_not(text in "-?[0-9.e-]{0,40}") {
        if let Ok(price) = Price::parse(&text) {
            prop_assert_eq!(Price::parse(&price.to_string()), Ok(price));
        }
    }
}
