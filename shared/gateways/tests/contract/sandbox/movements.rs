//! The sandbox's books over the wire, and books that can't be believed.

use super::{SandboxBench, card};
use crate::bench::{API_KEY, Bench, request};
use crate::contract::charging::{approved, keeps_secrets};
use crate::scripted::{Act, Scripted, answer};
use fatura_domain::charge::{Failure, FailureClass};
use fatura_domain::gateway::{GatewayReference, Movement, MovementKind, MovementPage};
use fatura_domain::money::{Currency, Money};
use fatura_domain::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const AT: i64 = 1_700_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn entry() -> Value {
    json!({
        "kind": "refund", "id": "re_1", "charge_id": "ch_1", "reference": "rfd_1", "amount_minor": 345,
        "currency": "BRL", "at": AT,
    })
}

fn page(data: &[Value], next: &Value) -> String {
    json!({ "data": data, "next_cursor": next }).to_string()
}

/// From one server for the minute around [`AT`], after the cursor `"a&b=c"`.
async fn asked(server: &Scripted) -> Result<MovementPage, Failure> {
    let gateway = SandboxBench::start().await.impatient_at(&server.url);
    gateway.movements(at(AT - 30), at(AT + 30), Some("a&b=c")).await
}

#[tokio::test]
async fn a_page_is_asked_for_by_whole_seconds_and_its_cursor() {
    let mut server = Scripted::answering("200 OK", "", &page(&[entry()], &json!("7"))).await;
    let gateway = SandboxBench::start().await.gateway_at(&format!("{}/v1/", server.url));
    let movement = Movement {
        kind: MovementKind::Refund,
        reference: GatewayReference("re_1".to_owned()),
        charge: GatewayReference("ch_1".to_owned()),
        ours: "rfd_1".to_owned(),
        amount: Money::try_new(345, Currency::BRL).unwrap(),
        at: at(AT),
    };
    let told = MovementPage { data: vec![movement], next: Some("7".to_owned()) };
    // Rounded up at both ends: what happened in a second is dated at its beginning.
    let part = SignedDuration::from_millis(1);
    for (from, to, after, target) in [
        (at(AT), at(AT + 60), None, "/v1/movements?from=1700000000&to=1700000060"),
        (at(AT - 1) + part, at(AT) + part, None, "/v1/movements?from=1700000000&to=1700000001"),
        (at(AT), at(AT + 1), Some("a&b=c"), "/v1/movements?from=1700000000&to=1700000001&cursor=a%26b%3Dc"),
    ] {
        assert_eq!(gateway.movements(from, to, after).await, Ok(told.clone()));
        let sent = server.next().await;
        assert_eq!((sent.method.as_str(), sent.target.as_str()), ("GET", target));
        assert_eq!(sent.header("authorization"), [format!("Bearer {API_KEY}")]);
    }
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_is_named_and_not_skipped() {
    for (field, value, code, message) in [
        ("currency", json!("XXX"), "contradictory_answer", "in a currency that we don't know"),
        ("amount_minor", json!(0), "contradictory_answer", "no amount of money"),
        ("amount_minor", json!(-345), "contradictory_answer", "no amount of money"),
        ("amount_minor", json!(i64::MAX), "contradictory_answer", "no amount of money"),
        ("kind", json!("payout"), "contradictory_answer", "of a kind that we don't know"),
        ("at", json!(AT + 30), "contradictory_answer", "not of the time that was asked for"),
        ("at", json!(AT - 31), "contradictory_answer", "not of the time that was asked for"),
        ("at", json!(i64::MAX), "contradictory_answer", "not of the time that was asked for"),
        ("amount_minor", json!("345"), "unreadable_answer", ""),
        ("amount_minor", json!(3.45), "unreadable_answer", ""),
        ("reference", Value::Null, "unreadable_answer", ""),
        ("id", json!("../x"), "unreadable_answer", ""),
        ("charge_id", json!(""), "unreadable_answer", ""),
    ] {
        let mut bad = entry();
        bad["id"] = json!("re_bad");
        bad[field] = value;
        let body = page(&[entry(), bad], &Value::Null);
        let server = Scripted::answering("200 OK", "", &body).await;
        let failure = asked(&server).await.unwrap_err();
        assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Unknown, code), "{body}");
        if !message.is_empty() {
            assert_eq!(failure.message, format!("the movement re_bad is {message}"));
        }
        keeps_secrets(&failure);
    }
}

#[tokio::test]
async fn a_page_that_does_not_say_whether_it_is_the_last_is_no_page() {
    for (body, code) in [
        (json!({ "data": [entry()] }).to_string(), "unreadable_answer"),
        (json!({ "next_cursor": null }).to_string(), "unreadable_answer"),
        (page(&[], &json!(7)), "unreadable_answer"),
        // It would go on for ever.
        (page(&[entry()], &json!("a&b=c")), "contradictory_answer"),
    ] {
        let server = Scripted::answering("200 OK", "", &body).await;
        let failure = asked(&server).await.unwrap_err();
        assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Unknown, code), "{body}");
    }
}

#[tokio::test]
async fn an_answer_in_trouble_is_an_error_and_never_an_empty_page() {
    let good = page(&[entry()], &Value::Null);
    let whole = answer("200 OK", "", &good);
    let half = whole[..whole.len() - good.len() / 2].to_owned();
    let html = "<!doctype html><title>Welcome</title>";
    for (act, class, code) in [
        (Act::Say(half.clone()), FailureClass::Unknown, "unreadable_answer"),
        (Act::Begin(half), FailureClass::Unknown, "timeout"),
        (Act::Say(answer("200 OK", "", &good[..good.len() / 2])), FailureClass::Unknown, "unreadable_answer"),
        (Act::Say(answer("200 OK", "", html)), FailureClass::Unknown, "unreadable_answer"),
        (Act::Say(answer("200 OK", "", "")), FailureClass::Unknown, "unreadable_answer"),
        (Act::Say(answer("500 Oops", "", &good)), FailureClass::Unknown, "gateway_error"),
        (Act::Say(answer("404 Where", "", &good)), FailureClass::Unknown, "unexpected_status"),
        (Act::Say(answer("302 Found", "location: /\r\n", &good)), FailureClass::Unknown, "unexpected_status"),
        (Act::Say(answer("429 Slow Down", "", &good)), FailureClass::NotSent, "rate_limited"),
        (Act::Reset, FailureClass::Unknown, "connection_lost"),
        (Act::Silence, FailureClass::Unknown, "timeout"),
    ] {
        let server = Scripted::always(act.clone()).await;
        let failure = asked(&server).await.unwrap_err();
        assert_eq!((failure.class, failure.code.as_str()), (class, code), "{act:?}");
        assert_eq!(server.unseen(), 1, "asked once");
        keeps_secrets(&failure);
    }
}

/// Told as they are told: to find the lie is reconciliation's business.
#[tokio::test]
async fn lies_about_movements_are_passed_on() {
    let bench = SandboxBench::start().await;
    let (gateway, order) = (bench.gateway(), request(card("tok_visa")));
    let charge = approved(&gateway.charge(&order).await, &order);
    let now = Timestamp::now();
    let hour = SignedDuration::from_hours(1);
    let told = async || gateway.movements(now - hour, now + hour, None).await.map(|page| page.data);
    let truth = told().await.unwrap();
    let [capture] = &truth[..] else { panic!("{truth:?}") };
    assert_eq!(capture.ours, order.attempt.to_string());

    let usd = Money::try_new(7, Currency::USD).unwrap();
    bench
        .post("/control", json!({ "lie": { "amount_minor": 7, "currency": "USD", "reference": "att" } }))
        .await;
    assert_eq!(told().await, Ok(vec![Movement { amount: usd, ours: "att".to_owned(), ..capture.clone() }]));
    bench.post("/control", json!({ "lie": { "missing": true } })).await;
    assert_eq!(told().await, Ok(vec![]));
    let mut invented = entry();
    invented["at"] = json!(now.as_second());
    bench.post("/control", json!({ "lie": { "movements": [invented] } })).await;
    let ids: Vec<_> = told().await.unwrap().into_iter().map(|movement| movement.reference.0).collect();
    assert_eq!(ids.len(), 2);
    assert!(ids.contains(&"re_1".to_owned()) && ids.contains(&charge.0), "{ids:?}");
    bench.post("/control", json!({ "lie": { "currency": "XXX" } })).await;
    let failure = told().await.unwrap_err();
    assert_eq!(failure.message, format!("the movement {charge} is in a currency that we don't know"));
}
