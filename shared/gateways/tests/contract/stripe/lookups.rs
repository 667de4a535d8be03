//! Finding charges, and taking them back.

use super::fake::pairs;
use super::{StripeBench, card, intent};
use crate::bench::{API_KEY, Bench, by_ours, request};
use crate::contract::charging::{approved, unknown};
use crate::scripted::{Act, Scripted, answer};
use fatura_application::ports::ChargeLookup;
use fatura_domain::Timestamp;
use fatura_domain::gateway::{ChargeOutcome, GatewayReference};
use fatura_domain::money::{Currency, Money};
use serde_json::{Value, json};

/// A lie about money is passed on where the charge is looked up, so that the domain sees it.
#[tokio::test]
async fn what_was_really_taken_is_told_to_whoever_asks() {
    let order = request(card("pm_visa"));
    let mut told = intent(&order, "succeeded");
    told["amount_received"] = json!(12_344);
    let mut server = Scripted::answering("200 OK", "", &told.to_string()).await;
    let gateway = StripeBench::start().await.gateway_at(&server.url);
    let reference = GatewayReference("pi_1".to_owned());
    let lookup = ChargeLookup { reference: Some(reference.clone()), ..by_ours(&order) };
    let captured = Money::try_new(12_344, Currency::BRL).unwrap();
    assert_eq!(gateway.fetch_charge(&lookup).await, ChargeOutcome::Approved { reference, captured });
    let sent = server.next().await;
    let asked = (sent.method.as_str(), sent.target.as_str());
    assert_eq!(asked, ("GET", "/v1/payment_intents/pi_1?expand%5B%5D=latest_charge"));
    assert_eq!(sent.header("authorization"), [format!("Bearer {API_KEY}")]);
    assert!(sent.header("idempotency-key").is_empty() && sent.body.is_empty());
    // Another charge than was asked for.
    let other = ChargeLookup { reference: Some(GatewayReference("pi_2".to_owned())), ..by_ours(&order) };
    assert_eq!(unknown(&gateway.fetch_charge(&other).await), "contradictory_answer");
}

fn say(body: &Value) -> Act {
    Act::Say(answer("200 OK", "", &body.to_string()))
}

/// The search is asked first, and its copy of the charge, which may be old, is not believed.
#[tokio::test]
async fn what_the_search_finds_is_asked_for_again() {
    let order = request(card("pm_visa"));
    let (old, new) = (intent(&order, "processing"), intent(&order, "succeeded"));
    let mut server = Scripted::routed(move |received| {
        if received.target.starts_with("/v1/payment_intents/search") {
            return say(&json!({ "object": "search_result", "data": [old], "has_more": false }));
        }
        say(&new)
    })
    .await;
    let gateway = StripeBench::start().await.gateway_at(&server.url);
    approved(&gateway.fetch_charge(&by_ours(&order)).await, &order);
    let asked = server.next().await.target;
    let (path, query) = asked.split_once('?').unwrap();
    assert_eq!(path, "/v1/payment_intents/search");
    assert_eq!(pairs(query)["query"], format!("metadata['attempt']:'{}'", order.attempt));
    assert_eq!(server.next().await.target, "/v1/payment_intents/pi_1?expand%5B%5D=latest_charge");
    assert_eq!(server.unseen(), 0);
}

/// Absent only if it is neither found nor in the list of what the search may not know yet, to its end.
#[tokio::test]
async fn only_what_is_nowhere_is_absent() {
    let (order, stranger) = (request(card("pm_visa")), request(card("pm_visa")));
    for (last, expected) in [(true, Ok(())), (false, Err("too_many_charges"))] {
        let entry = intent(&stranger, "succeeded");
        let mut server = Scripted::routed(move |received| {
            let query = pairs(received.target.split_once('?').unwrap().1);
            let (data, has_more) = match query.get("starting_after") {
                _ if received.target.contains("/search") => (vec![], false),
                None => (vec![entry.clone()], true),
                Some(_) => (vec![entry.clone()], !last),
            };
            say(&json!({ "data": data, "has_more": has_more }))
        })
        .await;
        let gateway = StripeBench::start().await.gateway_at(&server.url);
        let outcome = gateway.fetch_charge(&by_ours(&order)).await;
        match expected {
            Ok(()) => assert_eq!(outcome, ChargeOutcome::Absent),
            Err(code) => assert_eq!(unknown(&outcome), code),
        }
        assert_eq!(server.unseen(), if last { 3 } else { 21 }, "the search, and pages to a limit");
        server.next().await;
        let listed = server.next().await.target;
        let query = pairs(listed.split_once('?').unwrap().1);
        let since: i64 = query["created[gte]"].parse().unwrap();
        let age = Timestamp::now().as_second() - since;
        assert!((7_200..7_210).contains(&age), "twice the longest lag: {age}");
        assert_eq!(pairs(server.next().await.target.split_once('?').unwrap().1)["starting_after"], "pi_1");
    }
}

/// An account without the search can't say that there is no charge.
#[tokio::test]
async fn without_the_search_nothing_is_absent() {
    let order = request(card("pm_visa"));
    let server = Scripted::routed(|received| {
        if received.target.contains("/search") {
            return Act::Say(answer("400 Bad Request", "", "{}"));
        }
        say(&json!({ "data": [], "has_more": false }))
    })
    .await;
    let gateway = StripeBench::start().await.gateway_at(&server.url);
    unknown(&gateway.fetch_charge(&by_ours(&order)).await);
}

#[tokio::test]
async fn of_several_charges_the_one_that_took_money_counts() {
    let order = request(card("pm_visa"));
    let mut declined = intent(&order, "requires_payment_method");
    declined["last_payment_error"] = json!({ "code": "card_declined" });
    let mut paid = intent(&order, "succeeded");
    paid["id"] = json!("pi_2");
    let server = Scripted::routed(move |received| {
        if received.target.contains("/search") {
            return say(&json!({ "data": [declined, paid], "has_more": false }));
        }
        say(if received.target.contains("pi_2") { &paid } else { &declined })
    })
    .await;
    let gateway = StripeBench::start().await.gateway_at(&server.url);
    let found = approved(&gateway.fetch_charge(&by_ours(&order)).await, &order);
    assert_eq!(found, GatewayReference("pi_2".to_owned()));
}

/// What is declined stays declined: only what may still take money is canceled.
#[tokio::test]
async fn only_what_may_still_take_money_is_canceled() {
    let order = request(card("pm_visa"));
    let lookup = ChargeLookup { reference: Some(GatewayReference("pi_1".to_owned())), ..by_ours(&order) };
    for (status, is_canceled) in [
        ("succeeded", false),
        ("canceled", false),
        ("declined", false),
        ("processing", true),
        ("requires_action", true),
        ("requires_capture", true),
        ("requires_payment_method", true),
    ] {
        let mut told = intent(&order, if status == "declined" { "requires_payment_method" } else { status });
        if status == "declined" {
            told["last_payment_error"] = json!({ "code": "card_declined" });
        }
        let canceled = intent(&order, "canceled");
        let mut server =
            Scripted::routed(move |received| say(if received.method == "POST" { &canceled } else { &told }))
                .await;
        let outcome = StripeBench::start().await.gateway_at(&server.url).cancel(&lookup).await;
        assert_eq!(matches!(outcome, ChargeOutcome::Voided { .. }), is_canceled || status == "canceled");
        server.next().await;
        assert_eq!(server.unseen(), usize::from(is_canceled), "{status}");
        if is_canceled {
            let sent = server.next().await;
            assert_eq!(
                (sent.method.as_str(), sent.target.as_str()),
                ("POST", "/v1/payment_intents/pi_1/cancel")
            );
        }
    }
}
