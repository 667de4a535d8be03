//! Cards that are kept and forgotten.

use super::StripeBench;
use crate::bench::{API_KEY, Bench};
use crate::contract::charging::keeps_secrets;
use crate::scripted::{Act, Received, Scripted, answer};
use fatura_domain::charge::FailureClass;
use fatura_domain::gateway::{StoreKey, StoreOutcome, StoreRequest, Token};
use fatura_domain::id::CustomerId;
use serde_json::{Value, json};

fn order(token: &str) -> StoreRequest {
    let customer = CustomerId::new(42);
    StoreRequest {
        key: StoreKey("store-5f0c9a".to_owned()),
        customer,
        name: "Ana & Cia".to_owned(),
        email: "ana+fatura@example.com".to_owned(),
        token: Token(token.to_owned()),
    }
}

fn say(status: &str, body: &Value) -> Act {
    Act::Say(answer(status, "", &body.to_string()))
}

fn refused(status: &str, kind: &str, code: &str) -> Act {
    // What is said about a card is for its holder; what is said to us may name a token.
    let message = if kind == "card_error" { "Your card was declined." } else { "No such token: 'tok_x'" };
    say(status, &json!({ "error": { "type": kind, "code": code, "message": message } }))
}

fn well_behaved(received: &Received) -> Act {
    match received.target.as_str() {
        "/v1/payment_methods" => say("200 OK", &json!({ "id": "pm_9", "customer": null })),
        "/v1/customers" => say("200 OK", &json!({ "id": "cus_9", "object": "customer", "metadata": {} })),
        "/v1/payment_methods/pm_9/attach" => say("200 OK", &json!({ "id": "pm_9", "customer": "cus_9" })),
        other => panic!("Stripe is not asked for {other}"),
    }
}

#[tokio::test]
async fn a_card_is_attached_to_a_customer_of_its_own() {
    for token in ["pm_9", "tok_9"] {
        let order = order(token);
        let mut server = Scripted::routed(well_behaved).await;
        let gateway = StripeBench::start().await.gateway_at(&server.url);
        let stored = StoreOutcome::Stored(Token("cus_9/pm_9".to_owned()));
        assert_eq!(gateway.store_method(&order).await, stored);
        let (method, customer) = (order.key, order.customer);
        let mut expected = vec![
            (
                "/v1/customers",
                format!("{method}-customer"),
                format!(
                    "name=Ana+%26+Cia&email=ana%2Bfatura%40example.com\
                     &metadata%5Bcustomer%5D={customer}&metadata%5Bmethod%5D={method}"
                ),
            ),
            ("/v1/payment_methods/pm_9/attach", method.to_string(), "customer=cus_9".to_owned()),
        ];
        if token == "tok_9" {
            let body = "type=card&card%5Btoken%5D=tok_9".to_owned();
            expected.insert(0, ("/v1/payment_methods", format!("{method}-method"), body));
        }
        for (target, key, body) in expected {
            let sent = server.next().await;
            assert_eq!((sent.method.as_str(), sent.target.as_str()), ("POST", target));
            assert_eq!(sent.header("idempotency-key"), [key]);
            assert_eq!(sent.header("authorization"), [format!("Bearer {API_KEY}")]);
            assert_eq!(String::from_utf8(sent.body).unwrap(), body);
        }
        assert_eq!(server.unseen(), 0);
    }
}

#[tokio::test]
async fn a_no_to_the_card_is_for_good_and_silence_is_not() {
    for (target, act, expected) in [
        (
            "attach",
            refused("402 No", "card_error", "card_declined"),
            Ok((FailureClass::Generic, "card_declined")),
        ),
        (
            "attach",
            refused("400 No", "invalid_request_error", "resource_missing"),
            Ok((FailureClass::Hard, "invalid_token")),
        ),
        ("customers", refused("401 No", "invalid_request_error", "x"), Err("unauthorized")),
        ("attach", refused("403 No", "invalid_request_error", "x"), Err("unauthorized")),
        ("attach", refused("409 Busy", "idempotency_error", "x"), Err("unexpected_status")),
        ("attach", refused("400 Bad", "idempotency_error", "x"), Err("unexpected_status")),
        ("attach", refused("429 Slow", "x", "x"), Err("rate_limited")),
        ("attach", refused("500 Oops", "api_error", "x"), Err("gateway_error")),
        ("customers", say("200 OK", &json!("<html>")), Err("unreadable_answer")),
        ("attach", say("200 OK", &json!({ "id": "pm_8", "customer": "cus_9" })), Err("contradictory_answer")),
        ("attach", say("200 OK", &json!({ "id": "pm_9", "customer": "cus_8" })), Err("contradictory_answer")),
        ("attach", Act::Silence, Err("timeout")),
    ] {
        let shown = format!("{act:?}");
        let server = Scripted::routed(move |received| {
            if received.method == "GET" {
                return say("200 OK", &json!({ "id": "pm_9", "customer": null }));
            }
            if received.target.ends_with(target) { act.clone() } else { well_behaved(received) }
        })
        .await;
        let outcome = StripeBench::start().await.impatient_at(&server.url).store_method(&order("pm_9")).await;
        keeps_secrets(&outcome);
        match (expected, &outcome) {
            (Ok((class, code)), StoreOutcome::Declined { failure }) => {
                assert_eq!((failure.class, failure.code.as_str()), (class, code), "{shown}");
            }
            (Err(code), StoreOutcome::Unclear { failure }) => assert_eq!(failure.code, code, "{shown}"),
            _ => panic!("{shown}: {outcome:?}"),
        }
    }
    let server = Scripted::routed(well_behaved).await;
    for token in ["", "4242424242424242", "../x", "src_1"] {
        let outcome = StripeBench::start().await.gateway_at(&server.url).store_method(&order(token)).await;
        assert!(matches!(outcome, StoreOutcome::Declined { .. }), "{token}: {outcome:?}");
    }
    assert_eq!(server.unseen(), 0);
}

/// After the keys' life a repeat makes another customer, but the card stays with the first.
#[tokio::test]
async fn a_card_that_the_same_order_attached_is_stored() {
    let order = order("pm_9");
    for (metadata, is_stored) in
        [(json!({ "method": order.key }), true), (json!({ "method": "pm_other" }), false)]
    {
        let server = Scripted::routed(move |received| {
            if received.method == "GET" {
                assert_eq!(received.target, "/v1/payment_methods/pm_9?expand%5B%5D=customer");
                let customer = json!({ "id": "cus_first", "metadata": metadata });
                return say("200 OK", &json!({ "id": "pm_9", "customer": customer }));
            }
            if received.target.ends_with("attach") {
                return refused("400 Bad", "invalid_request_error", "");
            }
            well_behaved(received)
        })
        .await;
        let outcome = StripeBench::start().await.gateway_at(&server.url).store_method(&order).await;
        let stored = StoreOutcome::Stored(Token("cus_first/pm_9".to_owned()));
        assert_eq!(outcome == stored, is_stored, "{outcome:?}");
    }
}

#[tokio::test]
async fn forgetting_twice_is_forgetting_once() {
    let token = Token("cus_9/pm_9".to_owned());
    let attached = json!({ "id": "pm_9", "customer": "cus_9" });
    let free = json!({ "id": "pm_9", "customer": null });
    let bad = || refused("400 Bad", "invalid_request_error", "");
    for (detach, get, expected) in [
        (say("200 OK", &free), Act::Reset, None),
        (refused("404 Where", "invalid_request_error", "resource_missing"), Act::Reset, None),
        (bad(), say("200 OK", &free), None),
        (bad(), refused("404 Where", "invalid_request_error", "resource_missing"), None),
        (bad(), say("200 OK", &attached), Some("not_detached")),
        (bad(), Act::Reset, Some("connection_lost")),
        (refused("401 Who", "invalid_request_error", ""), Act::Reset, Some("unauthorized")),
        (refused("409 Busy", "idempotency_error", ""), Act::Reset, Some("unexpected_status")),
        (refused("500 Oops", "api_error", ""), Act::Reset, Some("gateway_error")),
        (Act::Silence, Act::Reset, Some("timeout")),
    ] {
        let mut server =
            Scripted::routed(
                move |received| if received.method == "GET" { get.clone() } else { detach.clone() },
            )
            .await;
        let outcome = StripeBench::start().await.impatient_at(&server.url).detach_method(&token).await;
        assert_eq!(outcome.as_ref().err().map(|failure| failure.code.as_str()), expected);
        let sent = server.next().await;
        let asked = (sent.method.as_str(), sent.target.as_str());
        assert_eq!(asked, ("POST", "/v1/payment_methods/pm_9/detach"));
    }
}
