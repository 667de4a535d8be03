//! Money back over the wire.

use super::{StripeBench, card};
use crate::bench::{API_KEY, Bench, Wanted, request};
use crate::contract::charging::{approved, keeps_secrets};
use crate::scripted::{Act, Received, Scripted, answer};
use fatura_domain::Timestamp;
use fatura_domain::gateway::{GatewayReference, RefundOutcome, RefundRequest};
use fatura_domain::id::RefundId;
use fatura_domain::money::{Currency, Money};
use serde_json::{Value, json};

fn order() -> RefundRequest {
    let owner = request(card("pm_visa")).invoice().owner();
    RefundRequest {
        refund: RefundId::new(owner, Timestamp::now(), 7),
        charge: GatewayReference("pi_1".to_owned()),
        amount: Money::try_new(345, Currency::BRL).unwrap(),
    }
}

fn refund(order: &RefundRequest, status: &str) -> Value {
    json!({
        "id": "re_1", "object": "refund", "amount": 345, "currency": "brl", "status": status, "charge": "ch_1",
        "payment_intent": order.charge, "failure_reason": null, "metadata": { "refund": order.refund },
    })
}

fn list(data: &[Value], has_more: bool) -> Act {
    Act::Say(answer("200 OK", "", &json!({ "data": data, "has_more": has_more }).to_string()))
}

fn code(outcome: &RefundOutcome) -> (&str, &str) {
    keeps_secrets(outcome);
    match outcome {
        RefundOutcome::Failed { failure } => ("failed", &failure.code),
        RefundOutcome::Unclear { failure } => ("unclear", &failure.code),
        RefundOutcome::Pending { .. } => ("pending", ""),
        RefundOutcome::Succeeded { .. } => ("succeeded", ""),
    }
}

#[tokio::test]
async fn a_refund_is_exact_on_the_wire_and_given_once() {
    let order = order();
    let mut server = Scripted::answering("200 OK", "", &refund(&order, "succeeded").to_string()).await;
    let outcome = StripeBench::start().await.gateway_at(&server.url).refund(&order).await;
    let reference = GatewayReference("re_1".to_owned());
    assert_eq!(outcome, RefundOutcome::Succeeded { reference, amount: order.amount });
    let sent = server.next().await;
    assert_eq!((sent.method.as_str(), sent.target.as_str()), ("POST", "/v1/refunds"));
    assert_eq!(sent.header("idempotency-key"), [order.refund.to_string()]);
    assert_eq!(sent.header("authorization"), [format!("Bearer {API_KEY}")]);
    let body = format!("payment_intent=pi_1&amount=345&metadata%5Brefund%5D={}", order.refund);
    assert_eq!(String::from_utf8(sent.body).unwrap(), body);

    let bench = StripeBench::start().await;
    let (gateway, charge) = (bench.gateway(), request(bench.means(Wanted::Approval)));
    let order = RefundRequest { charge: approved(&gateway.charge(&charge).await, &charge), ..order };
    assert_eq!(gateway.fetch_refund(&order).await, None);
    let given = gateway.refund(&order).await;
    assert_eq!(code(&given), ("succeeded", ""));
    assert_eq!(gateway.refund(&order).await, given);
    assert_eq!(gateway.fetch_refund(&order).await, Some(given));
}

#[tokio::test]
async fn each_answer_has_its_outcome() {
    let order = order();
    let with = |field: &str, value: Value| {
        let mut told = refund(&order, "succeeded");
        told[field] = value;
        told.to_string()
    };
    let error = |kind: &str, code: &str| json!({ "error": { "type": kind, "code": code } }).to_string();
    for (status, body, expected) in [
        ("200 OK", refund(&order, "pending").to_string(), ("pending", "")),
        ("200 OK", refund(&order, "requires_action").to_string(), ("pending", "")),
        ("200 OK", refund(&order, "failed").to_string(), ("failed", "refund_failed")),
        ("200 OK", refund(&order, "canceled").to_string(), ("failed", "refund_failed")),
        ("200 OK", refund(&order, "odd").to_string(), ("unclear", "unreadable_answer")),
        ("200 OK", with("amount", json!(0)), ("unclear", "contradictory_answer")),
        ("200 OK", with("metadata", json!({})), ("unclear", "reference_mismatch")),
        ("200 OK", with("payment_intent", json!("pi_2")), ("unclear", "reference_mismatch")),
        ("200 OK", "<html>".to_owned(), ("unclear", "unreadable_answer")),
        ("401 Who", error("invalid_request_error", "x"), ("unclear", "unexpected_status")),
        ("409 Busy", error("idempotency_error", "x"), ("unclear", "unexpected_status")),
        ("400 Bad", error("idempotency_error", "x"), ("unclear", "unexpected_status")),
        (
            "400 Bad",
            error("invalid_request_error", "balance_insufficient"),
            ("unclear", "balance_insufficient"),
        ),
        ("402 Bad", "<html>".to_owned(), ("unclear", "unexpected_status")),
        ("429 Slow", String::new(), ("unclear", "rate_limited")),
        ("500 Oops", String::new(), ("unclear", "gateway_error")),
        ("302 Found", String::new(), ("unclear", "unexpected_status")),
    ] {
        let server = Scripted::answering(status, "", &body).await;
        let outcome = StripeBench::start().await.gateway_at(&server.url).refund(&order).await;
        assert_eq!(code(&outcome), expected, "{status} {body}");
    }
    let server = Scripted::always(Act::Silence).await;
    let outcome = StripeBench::start().await.impatient_at(&server.url).refund(&order).await;
    assert_eq!(code(&outcome), ("unclear", "timeout"));
}

/// Past the key's life a refund that was given reads as refused: it is looked for before it is called failed.
#[tokio::test]
async fn a_refusal_is_looked_into() {
    let order = order();
    for (given, expected) in [(true, ("succeeded", "")), (false, ("failed", "refund_refused"))] {
        let told = refund(&order, "succeeded");
        let server = Scripted::routed(move |received| {
            if received.method == "POST" {
                let error = json!({ "type": "invalid_request_error", "code": "charge_already_refunded" });
                return Act::Say(answer("400 Bad", "", &json!({ "error": error }).to_string()));
            }
            list(if given { std::slice::from_ref(&told) } else { &[] }, false)
        })
        .await;
        let outcome = StripeBench::start().await.gateway_at(&server.url).refund(&order).await;
        assert_eq!(code(&outcome), expected);
    }
}

#[tokio::test]
async fn a_refund_is_found_on_a_later_page() {
    let order = order();
    let mut other = refund(&order, "failed");
    other["metadata"] = json!({});
    other["id"] = json!("re_0");
    let ours = refund(&order, "pending");
    let route = move |received: &Received| {
        if received.target.contains("starting_after=re_0") {
            list(std::slice::from_ref(&ours), false)
        } else {
            list(std::slice::from_ref(&other), true)
        }
    };
    let mut server = Scripted::routed(route).await;
    let gateway = StripeBench::start().await.gateway_at(&server.url);
    assert_eq!(code(&gateway.fetch_refund(&order).await.unwrap()), ("pending", ""));
    assert_eq!(server.next().await.target, "/v1/refunds?payment_intent=pi_1&limit=100");
    let wrong = RefundRequest { charge: GatewayReference("../x".to_owned()), ..order.clone() };
    assert_eq!(code(&gateway.fetch_refund(&wrong).await.unwrap()), ("unclear", "no_such_id"));
    for status in ["400 Bad", "401 Who", "404 Where", "500 Oops"] {
        let server = Scripted::answering(status, "", "{}").await;
        let outcome = StripeBench::start().await.gateway_at(&server.url).fetch_refund(&order).await;
        assert_eq!(code(&outcome.unwrap()).0, "unclear", "{status}");
    }
}
