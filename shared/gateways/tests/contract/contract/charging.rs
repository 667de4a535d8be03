//! Orders, and what the gateway says of them afterwards.

use crate::bench::{API_KEY, Bench, Wanted, by_ours, request};
use crate::scripted::Scripted;
use fatura_application::ports::ChargeLookup;
use fatura_domain::Timestamp;
use fatura_domain::charge::FailureClass;
use fatura_domain::gateway::{ChargeOutcome, ChargeRequest, GatewayReference, MeansType, PendingAction};
use fatura_domain::money::{Currency, MAX_MINOR, Money};
use std::fmt::Debug;

pub(crate) async fn an_approval_says_what_was_captured(bench: &dyn Bench) {
    let (gateway, order) = (bench.gateway(), request(bench.means(Wanted::Approval)));
    assert!(gateway.capabilities().means.contains(&MeansType::CreditCard));
    let outcome = gateway.charge(&order).await;
    let reference = approved(&outcome, &order);
    let by_theirs = ChargeLookup { attempt: order.attempt, reference: Some(reference) };
    assert_eq!(gateway.fetch_charge(&by_theirs).await, outcome);
    assert_eq!(gateway.fetch_charge(&by_ours(&order)).await, outcome);
}

pub(crate) async fn each_decline_has_its_class(bench: &dyn Bench) {
    let gateway = bench.gateway();
    let declines = bench.declines();
    assert!(declines.len() > 5, "the counterpart knows the usual declines");
    for (means, class, raw_code) in declines {
        let order = request(means);
        let outcome = gateway.charge(&order).await;
        let ChargeOutcome::Declined { reference: Some(_), failure } = &outcome else {
            panic!("{raw_code}: {outcome:?}")
        };
        assert_eq!(failure.class, class, "{raw_code}");
        assert_eq!(failure.raw_code.as_deref(), Some(raw_code));
        assert!(!failure.code.is_empty() && !failure.message.is_empty());
        assert_eq!(gateway.fetch_charge(&by_ours(&order)).await, outcome, "{raw_code}");
    }
}

pub(crate) async fn a_repeat_is_the_same_charge(bench: &dyn Bench) {
    let (gateway, order) = (bench.gateway(), request(bench.means(Wanted::Approval)));
    let first = gateway.charge(&order).await;
    approved(&first, &order);
    assert_eq!(gateway.charge(&order).await, first);
    assert_eq!(bench.charges(order.attempt).await, 1);
}

pub(crate) async fn another_order_under_the_same_key_is_unknown(bench: &dyn Bench) {
    let (gateway, order) = (bench.gateway(), request(bench.means(Wanted::Approval)));
    let first = gateway.charge(&order).await;
    let other = ChargeRequest { amount: Money::try_new(54_321, Currency::BRL).unwrap(), ..order.clone() };
    unknown(&gateway.charge(&other).await);
    assert_eq!(gateway.fetch_charge(&by_ours(&order)).await, first);
    assert_eq!(bench.charges(order.attempt).await, 1);
}

pub(crate) async fn silence_is_unknown_until_looked_up(bench: &dyn Bench) {
    let impatient = bench.impatient_at(bench.url());
    let order = request(bench.means(Wanted::SilenceAfterCharging));
    assert_eq!(unknown(&impatient.charge(&order).await), "timeout");
    approved(&bench.gateway().fetch_charge(&by_ours(&order)).await, &order);
    // The same key: the answer that was lost, not a second charge.
    approved(&bench.gateway().charge(&order).await, &order);
    assert_eq!(bench.charges(order.attempt).await, 1);

    let order = request(bench.means(Wanted::SilenceWithoutCharging));
    unknown(&impatient.charge(&order).await);
    assert_eq!(bench.gateway().fetch_charge(&by_ours(&order)).await, ChargeOutcome::Absent);
}

pub(crate) async fn an_unreadable_answer_is_unknown_until_looked_up(bench: &dyn Bench) {
    let gateway = bench.gateway();
    for wanted in
        [Wanted::ServerErrorAfterCharging, Wanted::HtmlAfterCharging, Wanted::HalfAnAnswerAfterCharging]
    {
        let order = request(bench.means(wanted));
        unknown(&gateway.charge(&order).await);
        approved(&gateway.fetch_charge(&by_ours(&order)).await, &order);
        assert_eq!(bench.charges(order.attempt).await, 1, "{wanted:?}");
    }
    let order = request(bench.means(Wanted::ServerErrorWithoutCharging));
    unknown(&gateway.charge(&order).await);
    assert_eq!(gateway.fetch_charge(&by_ours(&order)).await, ChargeOutcome::Absent);
}

pub(crate) async fn what_was_never_ordered_is_absent(bench: &dyn Bench) {
    let (gateway, order) = (bench.gateway(), request(bench.means(Wanted::Approval)));
    let wrong =
        |id: &str| ChargeLookup { attempt: order.attempt, reference: Some(GatewayReference(id.to_owned())) };
    for lookup in [by_ours(&order), wrong("ch_unheard_of"), wrong("../charges"), wrong("")] {
        assert_eq!(gateway.fetch_charge(&lookup).await, ChargeOutcome::Absent, "{lookup:?}");
        assert_eq!(gateway.cancel(&lookup).await, ChargeOutcome::Absent, "{lookup:?}");
    }
    // A wrong id doesn't hide the charge that our own reference finds.
    let charged = gateway.charge(&order).await;
    assert_eq!(gateway.fetch_charge(&wrong("ch_unheard_of")).await, charged);
}

pub(crate) async fn too_many_requests_were_not_sent(bench: &dyn Bench) {
    let (gateway, order) = (bench.gateway(), request(bench.means(Wanted::TooManyRequests)));
    let outcome = gateway.charge(&order).await;
    let ChargeOutcome::NotSent { failure } = &outcome else { panic!("{outcome:?}") };
    assert_eq!(failure.class, FailureClass::NotSent);
    assert_eq!(bench.charges(order.attempt).await, 0);
    assert_eq!(gateway.fetch_charge(&by_ours(&order)).await, ChargeOutcome::Absent);
}

pub(crate) async fn a_pix_waits_for_its_payer(bench: &dyn Bench) {
    let gateway = bench.gateway();
    let order = request(bench.means(Wanted::Pix));
    let outcome = gateway.charge(&order).await;
    let ChargeOutcome::Pending { reference, action: PendingAction::Pix { emv, expires_at } } = &outcome
    else {
        panic!("{outcome:?}")
    };
    assert!(!emv.is_empty() && *expires_at > Timestamp::now());
    assert_eq!(gateway.charge(&order).await, outcome);
    assert_eq!(gateway.fetch_charge(&by_ours(&order)).await, outcome);

    let voided = ChargeOutcome::Voided { reference: reference.clone() };
    let by_theirs = ChargeLookup { attempt: order.attempt, reference: Some(reference.clone()) };
    assert_eq!(gateway.cancel(&by_theirs).await, voided);
    assert_eq!(gateway.cancel(&by_ours(&order)).await, voided, "once more, without the gateway's id");
    assert_eq!(gateway.fetch_charge(&by_ours(&order)).await, voided);

    // Known by our reference only, as after an answer that was lost.
    let order = request(bench.means(Wanted::Pix));
    gateway.charge(&order).await;
    let canceled = gateway.cancel(&by_ours(&order)).await;
    assert!(matches!(canceled, ChargeOutcome::Voided { .. }), "{canceled:?}");
}

pub(crate) async fn a_card_charge_comes_too_late_to_cancel(bench: &dyn Bench) {
    let (gateway, order) = (bench.gateway(), request(bench.means(Wanted::Approval)));
    let charged = gateway.charge(&order).await;
    let by_theirs = ChargeLookup { attempt: order.attempt, reference: Some(approved(&charged, &order)) };
    assert_eq!(gateway.cancel(&by_theirs).await, charged);
    assert_eq!(gateway.cancel(&by_ours(&order)).await, charged);
}

pub(crate) async fn the_order_is_exact_on_the_wire(bench: &dyn Bench) {
    for amount in [
        Money::try_new(1, Currency::BRL).unwrap(),
        Money::try_new(12_345, Currency::JPY).unwrap(),
        Money::try_new(MAX_MINOR, Currency::KWD).unwrap(),
    ] {
        let order = ChargeRequest { amount, ..request(bench.means(Wanted::Approval)) };
        let mut server = Scripted::answering("201 Created", "", &bench.captured(&order)).await;
        let outcome = bench.gateway_at(&server.url).charge(&order).await;
        approved(&outcome, &order);
        let (sent, wire) = (server.next().await, bench.wire(&order));
        assert_eq!((sent.method.as_str(), sent.target.as_str()), (wire.method, wire.target.as_str()));
        assert_eq!(String::from_utf8(sent.body.clone()).unwrap(), wire.body);
        for (name, value) in &wire.headers {
            assert_eq!(sent.header(name), [value.as_str()], "{name}");
        }
        let bearers = sent.headers.iter().filter(|(_, value)| value.contains(API_KEY)).count();
        assert_eq!(bearers, 1, "the key goes where it belongs, and nowhere else");
        assert_eq!(server.unseen(), 0);
    }
}

/// The gateway's id of the whole amount, captured.
pub(crate) fn approved(outcome: &ChargeOutcome, order: &ChargeRequest) -> GatewayReference {
    let ChargeOutcome::Approved { reference, captured } = outcome else { panic!("{outcome:?}") };
    assert_eq!(*captured, order.amount);
    reference.clone()
}

/// The code of an outcome that is unknown, and that tells nothing it shouldn't.
pub(crate) fn unknown(outcome: &ChargeOutcome) -> &str {
    let ChargeOutcome::Unknown { failure } = outcome else { panic!("{outcome:?}") };
    assert_eq!(failure.class, FailureClass::Unknown);
    keeps_secrets(outcome);
    &failure.code
}

pub(crate) fn keeps_secrets(outcome: &impl Debug) {
    let told = format!("{outcome:?}");
    for secret in [API_KEY, "tok_", "http://", "https://", "127.0.0.1"] {
        assert!(!told.contains(secret), "{told}");
    }
}
