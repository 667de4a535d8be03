//! What a closed bill becomes.

use super::*;
use crate::attention::AttentionKind;
use crate::event::Written;
use crate::exchange::{NotARate, PartsError};
use crate::id::InvoiceId;
use crate::invoice::{Content, Invoice};
use crate::money::MAX_MINOR;
use proptest::prelude::*;

fn steps(bill: &Bill) -> Vec<SettlementStep> {
    bill.settlement_steps().unwrap()
}

fn plans(bill: &Bill) -> Vec<InvoicePlan> {
    steps(bill).iter().filter_map(|step| step.invoice().cloned()).collect()
}

fn lines(plan: &InvoicePlan) -> Vec<String> {
    let said = |item: &crate::invoice::LineItem| format!("{} = {}", item.description, item.unit_price);
    plan.content.items.iter().map(said).collect()
}

fn settle(bill: &Bill) -> Bill {
    plans(bill).iter().fold(bill.clone(), |bill, plan| {
        applied(bill.invoiced(plan.content.currency, plan.id, end() + MILLISECOND))
    })
}

#[test]
fn without_a_settlement_currency_each_is_an_invoice_of_its_own() {
    let closed = closed_with(None, &[money("10.00", "USD"), money("27.30", "GEL"), money("0", "JPY")], None);
    let plans = plans(&closed);
    let said: Vec<_> = plans.iter().map(|plan| (plan.total.to_string(), lines(plan))).collect();
    assert_eq!(
        said,
        [
            ("27.30".to_owned(), vec!["Fees in GEL = 27.30".to_owned()]),
            ("10.00".to_owned(), vec!["Fees in USD = 10.00".to_owned()])
        ]
    );
    let content = &plans[0].content;
    assert_eq!(content.description.as_ref().unwrap().as_str(), "Fees from 2026-01-31 to 2026-02-27");
    assert_eq!(content.metadata.iter().next(), Some(("bill_id", closed.id.to_string().as_str())));
    let invoice = Invoice::draft(plans[0].id, content.clone(), None, plans[0].at).unwrap();
    assert_eq!((invoice.total, invoice.customer()), (plans[0].total, closed.customer()));

    let uncharged = closed.uncharged(&invoice);
    assert_eq!((uncharged.kind, uncharged.bill), (AttentionKind::BillNotCharged, Some(closed.id)));
    assert_eq!((uncharged.invoice, uncharged.amount), (Some(invoice.id), Some(money("27.30", "GEL"))));

    let half = applied(closed.invoiced(currency("GEL"), plans[0].id, end()));
    assert_eq!(steps(&half), [SettlementStep::Invoice(Box::new(plans[1].clone()))], "the rest, as it was");
    let settled = applied(half.invoiced(Currency::USD, plans[1].id, end()));
    assert_eq!(steps(&settled), []);
    assert_eq!(settlement(&settled).as_str(), "settled");
    assert_eq!(settlement(&settled).outcomes().unwrap()[&Currency::JPY], Outcome::Nothing);
    assert_eq!(settled.due(), None);
    assert_eq!(causes(&settled), ["created", "close_requested", "counted", "settled"]);
}

#[test]
fn a_settlement_is_the_same_however_often_and_whenever_it_is_planned() {
    let closed = closed_with(None, &[money("10.00", "USD"), money("27.30", "GEL")], None);
    let later = closed.woken(end() + SignedDuration::from_hours(5)).unwrap();
    assert_eq!(plans(&closed), plans(&later));
    let settled = settle(&closed);
    let id = plans(&closed)[0].id;
    assert_eq!(settled.invoiced(currency("GEL"), id, end()), Ok(Change::AlreadyApplied));
    let other = InvoiceId::new(CustomerId::new(ANA), end(), 5);
    let twice = settled.invoiced(currency("GEL"), other, end());
    assert_eq!(twice, Err(SettleError::OtherOutcome(currency("GEL"))), "nothing is asked for twice");
    assert_eq!(settled.invoiced(Currency::JPY, other, end()), Err(SettleError::NotOwed(Currency::JPY)));
    let not_closed = bill(None).invoiced(Currency::USD, other, end());
    assert_eq!(not_closed, Err(SettleError::NotClosed(BillStatus::Open)));

    let plan = plans(&closed).remove(0);
    assert_ne!(plan.id, plans(&closed)[1].id);
    let moved = plan.clone().with_other_id(1);
    assert_ne!(moved.id, plan.id);
    assert_eq!(plan.clone().with_other_id(0), plan);
}

#[test]
fn converted_it_is_one_invoice_whose_lines_say_what_of() {
    let conversion = conversion("GEL", &[("GEL", "27.30"), ("USD", "25.00")]);
    let amounts = [money("10.00", "USD"), money("27.30", "GEL")];
    let closed = closed_with(Some("GEL"), &amounts, Some(conversion.clone()));
    let plans = plans(&closed);
    assert_eq!(plans.len(), 1);
    assert_eq!(plans[0].total, money("52.30", "GEL"));
    assert_eq!(lines(&plans[0]), ["Fees in GEL: 27.30 = 27.30", "Fees in USD: 10.00 at 2.5 = 25.00"]);
    let settled = settle(&closed);
    assert_eq!(settlement(&settled).conversion(), Some(&conversion));

    let json = serde_json::to_string(&settled.state).unwrap();
    assert_eq!(serde_json::from_str::<BillState>(&json).unwrap(), settled.state);
}

#[test]
fn without_rates_it_closes_and_waits_and_its_totals_stay() {
    let waiting = closed_with(Some("GEL"), &[money("10.00", "USD"), money("27.30", "GEL")], None);
    assert_eq!(waiting.status(), BillStatus::Closed);
    assert_eq!(settlement(&waiting).awaiting_rates_since(), Some(end()));
    assert_eq!(steps(&waiting), []);
    assert_eq!(waiting.due(), Some(end() + SignedDuration::from_mins(1)));
    let invoice = InvoiceId::new(CustomerId::new(ANA), end(), 5);
    assert_eq!(waiting.invoiced(Currency::USD, invoice, end()), Err(SettleError::AwaitsRates));
    let matter = waiting.matter().unwrap();
    assert_eq!(
        (matter.kind, matter.bill, matter.raised_at),
        (AttentionKind::BillAwaitsRates, Some(waiting.id), end())
    );
    assert!(
        matter.detail.starts_with("to be settled in GEL it needs rates for USD, and"),
        "{}",
        matter.detail
    );
    let sums = |bill: &Bill| bill.state.closed().unwrap().sums.clone();
    assert_eq!(sums(&waiting).totals.without_rates(currency("GEL")), None);

    let late = end() + SignedDuration::from_hours(48);
    let first = conversion("GEL", &[("GEL", "27.30"), ("USD", "25.00")]);
    let frozen = applied(waiting.freeze_rates(first.clone(), late));
    assert_eq!(sums(&frozen), sums(&waiting));
    assert_eq!(plans(&frozen)[0].at, late, "the invoice is of the day on which it was known what is owed");
    let changed = conversion("GEL", &[("GEL", "27.30"), ("USD", "99.00")]);
    assert_eq!(frozen.freeze_rates(changed, late), Ok(Change::AlreadyApplied), "frozen is frozen");
    assert_eq!(frozen.forgo_rates(&operator(), late), Ok(Change::AlreadyApplied));
    assert_eq!(settlement(&settle(&frozen)).conversion(), Some(&first));
}

#[test]
fn a_person_may_end_the_wait_for_rates() {
    let waiting = closed_with(Some("GEL"), &[money("10.00", "USD"), money("27.30", "GEL")], None);
    let forgone = applied(waiting.forgo_rates(&operator(), end()));
    assert_eq!(plans(&forgone).len(), 2);
    assert_eq!(forgone.history.last().unwrap().by, Some(operator()));
    assert_eq!(causes(&forgone)[3..], ["rates_forgone"]);
    let late = conversion("GEL", &[("GEL", "27.30"), ("USD", "25.00")]);
    assert_eq!(forgone.freeze_rates(late, end()), Ok(Change::AlreadyApplied));
}

#[test]
fn nobody_waits_for_rates_that_nobody_needs() {
    for amounts in [vec![], vec![money("27.30", "GEL")], vec![money("27.30", "GEL"), money("0", "USD")]] {
        let closed = closed_with(Some("GEL"), &amounts, None);
        assert_eq!(settlement(&closed).awaiting_rates_since(), None, "{amounts:?}");
    }
    let empty = closed_with(Some("GEL"), &[], None);
    assert_eq!(settlement(&empty).as_str(), "settled");
    assert_eq!(settlement(&closed_with(None, &[], None)).as_str(), "settled");
    let nothing = closed_with(None, &[money("5", "USD"), money("-5", "USD")], None);
    assert_eq!(settlement(&nothing).as_str(), "settled");
    assert_eq!((nothing.due(), steps(&nothing)), (None, vec![]));
}

#[test]
fn a_conversion_of_something_else_is_refused() {
    let amounts = [money("10.00", "USD"), money("27.30", "GEL"), money("0", "JPY")];
    let closing = closing(&bill(Some("GEL")));
    let shards: Vec<Shard> = shards_with(&closing, &amounts).iter().map(Shard::closed).collect();
    let finish = |given| closing.finish_closing(&shards, Some(given), end()).err();
    let refused = |error| Some(FinishError::Conversion(error));
    let gel = currency("GEL");
    assert_eq!(finish(conversion("GEL", &[("GEL", "27.30"), ("USD", "25.00"), ("JPY", "0")])), None);
    for (given, error) in [
        (conversion("USD", &[("GEL", "9"), ("USD", "10.00")]), Mismatch::Into(Currency::USD)),
        (conversion("GEL", &[("GEL", "27.30")]), Mismatch::LeavesOut(Currency::USD)),
        (conversion("GEL", &[("GEL", "27.31"), ("USD", "25")]), Mismatch::Changes(gel)),
        (conversion("GEL", &[("GEL", "27.30"), ("USD", "-25")]), Mismatch::Turns(Currency::USD)),
        (
            conversion("GEL", &[("GEL", "27.30"), ("USD", "25"), ("JPY", "1")]),
            Mismatch::Invents(Currency::JPY),
        ),
        (
            conversion("GEL", &[("GEL", "27.30"), ("USD", "25"), ("BRL", "1")]),
            Mismatch::Invents(Currency::BRL),
        ),
    ] {
        assert_eq!(finish(given), refused(error));
    }
    let parts = BTreeMap::from([(gel, money("27.30", "GEL")), (Currency::USD, money("25", "GEL"))]);
    let unquoted = Conversion::try_new(gel, parts, None).unwrap();
    assert_eq!(finish(unquoted), refused(Mismatch::WithoutRate(Currency::USD)));
    let mixed = BTreeMap::from([(Currency::USD, money("25", "USD"))]);
    assert_eq!(Conversion::try_new(gel, mixed, None), Err(PartsError::OfAnother(Currency::USD)));
    let unasked = closing_without_currency(&amounts);
    assert_eq!(unasked, refused(Mismatch::Into(gel)));
    for text in ["0", "-1", "x", ""] {
        assert_eq!(CrossRate::try_from(text.to_owned()), Err(NotARate), "{text}");
    }
}

fn closing_without_currency(amounts: &[Money]) -> Option<FinishError> {
    let closing = closing(&bill(None));
    let shards: Vec<Shard> = shards_with(&closing, amounts).iter().map(Shard::closed).collect();
    closing.finish_closing(&shards, Some(conversion("GEL", &[])), end()).err()
}

#[test]
fn what_is_given_back_in_one_currency_lowers_what_the_others_ask_for() {
    let parts = [("BRL", "10.00"), ("JPY", "-5.00"), ("USD", "20.01")];
    let amounts = [money("4", "BRL"), money("-200", "JPY"), money("8", "USD")];
    let closed = closed_with(Some("GEL"), &amounts, Some(conversion("GEL", &parts)));
    let plan = plans(&closed).remove(0);
    assert_eq!(plan.total, money("25.01", "GEL"));
    assert_eq!(
        lines(&plan),
        ["Fees in BRL: 4.00 at 2.5, less credits = 8.33", "Fees in USD: 8.00 at 2.5, less credits = 16.68"]
    );
}

#[test]
fn others_are_told_of_a_bill_that_opens_closes_and_is_settled() {
    let told = |before: Option<&Bill>, after: &Bill| {
        let events =
            Written::Bill { before: before.cloned().map(Box::new), after: Box::new(after.clone()) }.events();
        events.into_iter().map(|event| (event.kind.as_str(), event.id)).collect::<Vec<_>>()
    };
    let (open, amounts) = (bill(Some("GEL")), [money("10.00", "USD")]);
    let waiting = closure(&open, &amounts, None).bill;
    let frozen = applied(waiting.freeze_rates(conversion("GEL", &[("USD", "25.00")]), end()));
    let id = |place: usize| format!("evt_bill_{}{place:03}", open.id.code());
    assert_eq!(told(None, &open), [("bill.opened", id(0))]);
    assert_eq!(told(Some(&open), &waiting), [("bill.closing", id(1)), ("bill.closed", id(2))]);
    assert_eq!(told(Some(&waiting), &frozen), [], "a step on the way");
    assert_eq!(told(Some(&frozen), &settle(&frozen)), [("bill.settled", id(4))]);
    let canceled = applied(open.cancel(&Sums::default(), &operator(), end()));
    assert_eq!(told(Some(&open), &canceled), [("bill.canceled", id(1))]);
    assert_eq!(frozen.updated_at, end());
}

#[test]
fn a_negative_bill_carries_its_balance_to_the_next_one_once() {
    let amounts = [money("10.00", "USD"), money("-27.30", "GEL")];
    let Closure { bill: closed, next } = closure(&bill_of(ANA, None, Recurs::Monthly), &amounts, None);
    let next = next.unwrap();
    let gel = currency("GEL");
    assert_eq!(steps(&closed)[0], SettlementStep::Carry(money("-27.30", "GEL")));
    let carried = applied(closed.carry(gel, &next, end()));
    let line = &carried.line;
    assert_eq!((line.total(), line.bill, line.occurred_at), (money("-27.30", "GEL"), next.id, end()));
    assert_eq!(line.content.kind(), LineKind::Credit);
    assert_eq!(line.key(), LineKey::Carried { from: closed.id, currency: gel });
    assert_eq!(line.reference(), Some(format!("carried:{}:GEL", closed.id)));
    assert_eq!(carried.shard, next.shards.of(&line.key()));
    assert_eq!(applied(closed.carry(gel, &next, end())).line, *line, "the same line item each time");
    assert_eq!(carried.bill.carry(gel, &next, end()), Ok(Change::AlreadyApplied));
    let another = Bill { id: BillId::new(CustomerId::new(ANA), start(), 9), ..bill(None) };
    assert_eq!(carried.bill.carry(gel, &another, end()), Ok(Change::AlreadyApplied));

    let json = serde_json::to_string(line).unwrap();
    assert_eq!(serde_json::from_str::<BillLine>(&json).unwrap(), *line);

    assert_eq!(closed.carry(Currency::USD, &next, end()), Err(SettleError::NotOwed(Currency::USD)));
    assert_eq!(closed.invoiced(gel, plans(&closed)[0].id, end()), Err(SettleError::NotOwed(gel)));
    let settled = settle(&carried.bill);
    assert_eq!(settlement(&settled).as_str(), "settled");
    assert_eq!(settlement(&settled).outcomes().unwrap()[&gel], Outcome::Carried(next.id));
}

#[test]
fn a_balance_goes_to_an_open_bill_of_the_same_customer_or_waits() {
    let closed = closed_with(None, &[money("-1", "USD")], None);
    let to = |bill: &Bill, now| closed.carry(Currency::USD, bill, now).err();
    let other = Bill { id: BillId::new(CustomerId::new(ANA), start(), 9), ..bill(None) };
    assert_eq!(to(&closed, start()), Some(SettleError::NoBillForIt));
    assert_eq!(to(&bill_of(BEA, None, Recurs::Never), start()), Some(SettleError::NoBillForIt));
    assert_eq!(to(&other, end()), Some(SettleError::Refused(AppendRefusal::PeriodOver(end()))));
    assert_eq!(
        to(&closing(&other), start()),
        Some(SettleError::Refused(AppendRefusal::NotOpen(BillStatus::Closing)))
    );
    assert_eq!(to(&other, start()), None);

    assert!(!closed.awaits_bill());
    let waiting = applied(closed.await_bill(end()));
    assert!(waiting.awaits_bill());
    let day = SignedDuration::from_hours(24);
    assert_eq!(waiting.due(), Some(end() + day), "in case nobody says that there is one");
    let woken = waiting.woken(end() + day).unwrap();
    assert_eq!((woken.due(), woken.awaits_bill()), (Some(end() + day + day), true));
    assert_eq!(waiting.await_bill(end()), Ok(Change::AlreadyApplied));
    assert_eq!(steps(&waiting), [SettlementStep::Carry(money("-1", "USD"))]);
    assert_eq!(
        (steps(&waiting)[0].balance(), steps(&waiting)[0].invoice()),
        (Some(money("-1", "USD")), None)
    );
    let settled = applied(waiting.carry(Currency::USD, &other, start())).bill;
    assert!(!settled.awaits_bill());
    assert_eq!(settlement(&settled).as_str(), "settled");

    let owes = closed_with(None, &[money("-1", "USD"), money("1", "GEL")], None);
    assert_eq!(owes.await_bill(end()), Ok(Change::AlreadyApplied), "there is an invoice to be made first");
    assert!(!owes.awaits_bill());
}

#[test]
fn a_balance_beyond_what_clients_may_say_is_carried_all_the_same() {
    let large = Money::try_new(-(MAX_MINOR / 3), Currency::JPY).unwrap();
    let closed = closed_with(None, &[large], None);
    let other = Bill { id: BillId::new(CustomerId::new(ANA), start(), 9), ..bill(None) };
    let line = applied(closed.carry(Currency::JPY, &other, start())).line;
    assert_eq!(line.total(), large);
    let json = serde_json::to_string(&line).unwrap();
    assert_eq!(serde_json::from_str::<BillLine>(&json).unwrap(), line);
}

#[test]
fn the_largest_total_is_an_invoice_of_legal_lines() {
    let third = Money::try_new(MAX_MINOR / 3, Currency::JPY).unwrap();
    let closed = closed_with(None, &[third, third, third], None);
    let plan = plans(&closed).remove(0);
    assert_eq!(plan.content.items.len(), 10, "a price is at most 10^15");
    assert_eq!(plan.content.total().unwrap(), plan.total);
}

fn all_currencies() -> Vec<Currency> {
    let letters = || b'A'..=b'Z';
    let codes = letters().flat_map(|a| letters().flat_map(move |b| letters().map(move |c| [a, b, c])));
    codes.filter_map(|code| std::str::from_utf8(&code).unwrap().parse().ok()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    /// Whatever a conversion comes to, the invoice has legal lines that sum to exactly that.
    #[test]
    fn converted_lines_sum_to_the_total(
        weights in prop::collection::vec(-1_000_000_i64..20_000_000_000_000, 0..180),
        into in 0_usize..3,
    ) {
        let into = currency(["JPY", "KWD", "GEL"][into]);
        let all = all_currencies();
        let parts: BTreeMap<Currency, Money> = all.iter().filter(|of| **of != into).zip(&weights)
            .map(|(of, minor)| (*of, Money::try_new(*minor, into).unwrap())).collect();
        let totals = parts.iter().map(|(of, part)| Money::try_new(part.minor(), *of).unwrap());
        let rates = parts.keys().map(|of| (*of, CrossRate::try_from("0.5".to_owned()).unwrap())).collect();
        let quote = Quote { rates, source: RateSource::EuropeanCentralBank, published_at: start() };
        let conversion = Conversion::try_new(into, parts.clone(), Some(quote)).unwrap();
        let total = conversion.total();
        let amounts: Vec<Money> = totals.collect();
        let closed = closed_with(Some(into.code()), &amounts, Some(conversion));
        match steps(&closed).as_slice() {
            [] => prop_assert!(total.is_zero()),
            [SettlementStep::Carry(balance)] => prop_assert!(*balance == total && total.minor() < 0),
            [SettlementStep::Invoice(plan)] => {
                prop_assert!(total.is_positive());
                prop_assert!((1..=Content::MAX_ITEMS).contains(&plan.content.items.len()));
                let sum = plan.content.items.iter().map(|item| item.total(into).unwrap());
                prop_assert_eq!(Money::sum(into, sum).unwrap(), total);
                prop_assert!(plan.content.items.iter().all(|item| item.total(into).unwrap().is_positive()));
            }
            more => prop_assert!(false, "{more:?}"),
        }
    }

    #[test]
    fn each_currency_is_settled_once_in_any_order(
        amounts in prop::collection::vec((-2_i64..3, 0_usize..5), 0..12),
        order in prop::collection::vec(0_usize..5, 0..40),
    ) {
        let codes = ["JPY", "KWD", "GEL", "USD", "BRL"].map(currency);
        let amounts: Vec<Money> =
            amounts.into_iter().map(|(minor, which)| Money::try_new(minor, codes[which]).unwrap()).collect();
        let mut bill = closed_with(None, &amounts, None);
        let target = Bill { id: BillId::new(CustomerId::new(ANA), start(), 9), ..self::bill(None) };
        let planned: BTreeMap<Currency, SettlementStep> = steps(&bill).into_iter().map(|step| match &step {
            SettlementStep::Invoice(plan) => (plan.content.currency, step.clone()),
            SettlementStep::Carry(balance) => (balance.currency(), step.clone()),
        }).collect();
        let mut done: BTreeMap<Currency, u32> = BTreeMap::new();
        for which in order.into_iter().chain(0..5) {
            let of = codes[which];
            let changed = match planned.get(&of) {
                Some(SettlementStep::Invoice(plan)) => bill.invoiced(of, plan.id, end()).unwrap(),
                Some(SettlementStep::Carry(_)) => match bill.carry(of, &target, start()).unwrap() {
                    Change::Applied(carried) => Change::Applied(carried.bill),
                    Change::AlreadyApplied => Change::AlreadyApplied,
                },
                None => continue,
            };
            if let Change::Applied(next) = changed {
                *done.entry(of).or_default() += 1;
                bill = next;
            }
        }
        prop_assert_eq!(settlement(&bill).as_str(), "settled");
        prop_assert!(done.values().all(|times| *times == 1) && done.len() == planned.len());
    }
}
