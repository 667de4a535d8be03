//! Which invoices a run is for, and how its parts come on.

use super::*;
use crate::calendar::AnchorDay;
use crate::charge::Failure;
use crate::customer::{CustomerKind, PaymentSource, Profile};
use crate::dunning::Policy;
use crate::gateway::{Means, Token};
use crate::id::{InvoiceId, PaymentMethodId};
use crate::invoice::{Content, Failed, LineItem, Quantity, Transition, UnitPrice};
use crate::money::Currency;
use crate::text::{Description, Email, Metadata, Name};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn ana() -> CustomerId {
    CustomerId::new(7)
}

fn customer(anchor: Option<u8>) -> Customer {
    let profile = Profile {
        name: Name::parse("Ana Souza").unwrap(),
        email: Email::parse("ana@example.com").unwrap(),
        external_id: None,
        kind: CustomerKind::Buyer,
        time_zone: Some(crate::customer::TimeZoneName::parse("America/Sao_Paulo").unwrap()),
        billing_anchor_day: anchor.map(|day| AnchorDay::try_from(day).unwrap()),
        country: None,
        metadata: Metadata::default(),
    };
    Customer::new(ana(), profile, at("2026-01-01T00:00:00Z"))
}

fn draft(made: Timestamp) -> Invoice {
    let line = LineItem {
        description: Description::parse("Plan").unwrap(),
        quantity: Quantity::parse("1").unwrap(),
        unit_price: UnitPrice::parse("10.00").unwrap(),
    };
    let content = Content {
        currency: Currency::BRL,
        items: vec![line],
        description: None,
        metadata: Metadata::default(),
    };
    Invoice::draft(InvoiceId::new(ana(), made, 1), content, None, made).unwrap()
}

fn billing(scope: Scope) -> Billing {
    Billing { period: "2026-11".parse().unwrap(), scope }
}

#[test]
fn a_run_for_a_month_and_a_scope_is_there_once() {
    let id = |scope| billing(scope).id().unwrap().to_string();
    assert_eq!(id(Scope::Everybody), "run_202611");
    assert_eq!(id(Scope::Anchored), "run_202611_anchored");
    assert_eq!(id(Scope::Customer(ana())), format!("run_202611_{}", ana().code()));
    let december = Billing { period: "2026-12".parse().unwrap(), scope: Scope::Everybody };
    assert_eq!(december.id().unwrap().as_str(), "run_202612");
}

#[test]
fn a_draft_is_due_now_on_the_billing_day_or_not_in_this_run() {
    let began = at("2026-11-05T12:00:00Z");
    let now = at("2026-11-05T12:03:00Z");
    let before = draft(at("2026-11-01T00:00:00Z"));
    let midnight = |text| Due::At(at(text));
    let just_this = Scope::Customer(ana());
    let (all, anchored) = (Scope::Everybody, Scope::Anchored);
    let table = [
        ("the day is over", Some(4), all, Due::Now),
        ("it is today", Some(5), all, Due::Now),
        ("it is tomorrow", Some(6), all, midnight("2026-11-06T03:00:00Z")),
        ("the month has no such day", Some(31), all, midnight("2026-11-30T03:00:00Z")),
        ("any day will do", None, all, Due::Now),
        ("the day is over, scheduled", Some(4), anchored, Due::Now),
        ("it is tomorrow, scheduled", Some(6), anchored, midnight("2026-11-06T03:00:00Z")),
        ("no day, scheduled", None, anchored, Due::NotMeant),
        ("the day is over, asked for", Some(4), just_this, Due::Now),
        ("it is tomorrow, asked for", Some(6), just_this, midnight("2026-11-06T03:00:00Z")),
        ("no day, asked for", None, just_this, Due::Now),
    ];
    for (name, anchor, scope, due) in table {
        assert_eq!(billing(scope).due(&before, &customer(anchor), began, now), due, "{name}");
    }
}

#[test]
fn a_draft_is_due_from_the_first_instant_of_its_day() {
    let midnight = at("2026-11-06T03:00:00Z");
    let due =
        |now| billing(Scope::Everybody).due(&draft(at("2026-11-01T00:00:00Z")), &customer(Some(6)), now, now);
    assert_eq!(due(midnight), Due::Now);
    assert_eq!(due(at("2026-11-06T02:59:59.999Z")), Due::At(midnight));
}

#[test]
fn what_came_after_the_run_or_the_month_is_for_another() {
    let began = at("2026-11-05T12:00:00Z");
    let due = |invoice: &Invoice, began| {
        let now = began + crate::SignedDuration::from_mins(3);
        billing(Scope::Everybody).due(invoice, &customer(None), began, now)
    };
    assert_eq!(due(&draft(began), began), Due::Now, "made at the same instant");
    assert_eq!(due(&draft(at("2026-11-05T12:00:00.001Z")), began), Due::NotYet);
    assert_eq!(due(&draft(at("2026-03-01T00:00:00Z")), began), Due::Now, "left over from March");
    // November's run comes in December: what was made in December waits for December's.
    let late = at("2026-12-09T00:00:00Z");
    assert_eq!(due(&draft(at("2026-11-30T23:59:59.999Z")), late), Due::Now);
    assert_eq!(due(&draft(at("2026-12-01T00:00:00Z")), late), Due::NotYet);
    // What is no draft any more has been seen to.
    let charged = draft(began).charged(Some(source("sandbox")), None, &Policy::default(), began).unwrap();
    assert_eq!(due(&charged, late), Due::NotYet);
}

fn source(gateway: &str) -> PaymentSource {
    PaymentSource::at(
        PaymentMethodId::new(ana(), at("2026-01-01T00:00:00Z"), 2),
        GatewayName::parse(gateway).unwrap(),
        Means::CreditCard(Token("tok_visa".to_owned())),
    )
}

fn failed(at: Timestamp, state: fn(Failed) -> State) -> Invoice {
    let failed = Failed {
        source: source("sandbox"),
        failure: Failure::new(FailureClass::Hard, "stolen", "stolen"),
        retry_at: None,
        gives_up_at: None,
        awaits_method: true,
    };
    let mut invoice = draft(at);
    invoice.state = state(failed);
    let cause = crate::invoice::Cause::ChargeFailed;
    invoice.history.push(Transition { status: invoice.status(), at, cause, by: None });
    invoice
}

#[test]
fn a_requeue_means_what_fits_in_everything_that_it_names() {
    let began = at("2026-11-05T12:00:00Z");
    let invoice = failed(at("2026-11-03T00:00:00Z"), State::ChargedWithError);
    let any = Requeue::default;
    let of_class = |class| Requeue { failure_class: Some(class), ..any() };
    let of_gateway = |name| Requeue { gateway: Some(GatewayName::parse(name).unwrap()), ..any() };
    let from = |text| Requeue { failed_from: Some(at(text)), ..any() };
    let to = |text| Requeue { failed_to: Some(at(text)), ..any() };
    let both = Requeue { gateway: of_gateway("sandbox").gateway, ..of_class(FailureClass::Hard) };
    let table = [
        ("anything", any(), true),
        ("its class", of_class(FailureClass::Hard), true),
        ("another class", of_class(FailureClass::Generic), false),
        ("its gateway", of_gateway("sandbox"), true),
        ("another gateway", of_gateway("stripe"), false),
        ("from before", from("2026-11-02T00:00:00Z"), true),
        ("from the very instant", from("2026-11-03T00:00:00Z"), true),
        ("from after", from("2026-11-03T00:00:00.001Z"), false),
        ("until after", to("2026-11-03T00:00:00.001Z"), true),
        ("until the very instant", to("2026-11-03T00:00:00Z"), false),
        ("both", both.clone(), true),
        ("one of both", Requeue { gateway: of_gateway("stripe").gateway, ..both }, false),
    ];
    for (name, requeue, means) in table {
        assert_eq!(requeue.means(&invoice, began), means, "{name}");
    }
    let uncollectible = failed(at("2026-11-03T00:00:00Z"), State::Uncollectible);
    assert!(any().means(&uncollectible, began));
    assert!(any().means(&failed(began, State::ChargedWithError), began));
    let since = failed(at("2026-11-05T12:00:00.001Z"), State::ChargedWithError);
    assert!(!any().means(&since, began), "charged again by this run already");
    assert!(!any().means(&draft(began), began));
}

fn run(parts: u8) -> Run {
    Run {
        id: billing(Scope::Everybody).id().unwrap(),
        kind: RunKind::Billing(billing(Scope::Everybody)),
        by: Actor::new("key_1"),
        created_at: at("2026-11-05T12:00:00Z"),
        parts,
    }
}

#[test]
fn a_part_comes_on_step_by_step_and_is_done_once() {
    let (now, due) = (at("2026-11-05T12:01:00Z"), at("2026-11-05T12:03:00Z"));
    let parts = run(3).begun(due);
    assert_eq!(parts.iter().map(|part| part.number).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(parts.iter().all(|part| part.version == 1 && part.due == Some(due) && part.place.is_none()));

    let counted = |pairs: &[(&str, u64)]| {
        pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect::<BTreeMap<_, _>>()
    };
    let first = parts[1].stepped(Some("a".to_owned()), &counted(&[("due", 3), ("enqueued", 2)]), due, now);
    assert_eq!((first.version, first.place.as_deref(), first.due), (2, Some("a"), Some(due)));
    assert_eq!((first.number, first.updated_at, first.is_done()), (1, now, false));
    // A step that only rested counts nothing, and is a step.
    let rested = first.stepped(Some("a".to_owned()), &counted(&[]), due, now);
    assert_eq!((rested.version, &rested.counts), (3, &first.counts));
    let last = rested.stepped(None, &counted(&[("due", 1), ("scheduled", 1)]), due, now);
    assert_eq!(last.counts, counted(&[("due", 4), ("enqueued", 2), ("scheduled", 1)]));
    assert!(last.is_done() && last.place.is_none());
    assert_eq!(last.woken(due, at("2027-01-01T00:00:00Z")), None, "nobody takes it up again");
}

#[test]
fn a_part_that_was_left_is_taken_up_where_it_was() {
    let (due, next) = (at("2026-11-05T12:03:00Z"), at("2026-11-05T12:05:00Z"));
    let parts = run(1).begun(due);
    let part = parts[0].stepped(Some("b".to_owned()), &BTreeMap::new(), due, at("2026-11-05T12:01:00Z"));
    assert_eq!(part.woken(next, at("2026-11-05T12:02:59.999Z")), None);
    let woken = part.woken(next, due).unwrap();
    assert_eq!((woken.version, woken.due, woken.place.as_deref()), (3, Some(next), Some("b")));
    assert_eq!(woken.updated_at, due);
    assert_eq!(woken.woken(next, due), None, "twice in a minute is once");
}
