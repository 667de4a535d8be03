//! What Stripe can say of a dispute, and nonsense that it shouldn't.

use super::{StripeBench, card, intent};
use crate::bench::{Bench, by_ours, request};
use crate::contract::disputes::{UNDISPUTED, only, unclear};
use crate::scripted::{Act, Scripted, answer};
use fatura_application::ports::{ChargeLookup, Gateway, WebhookSubject};
use fatura_domain::gateway::{
    ChargeRequest, DisputeOutcome, DisputeStanding, DisputeVerdict, GatewayReference,
};
use fatura_domain::money::{Currency, Money};
use serde_json::{Value, json};
use std::sync::Arc;

fn dispute(id: &str, status: &str, amount: i64) -> Value {
    json!({
        "id": id, "object": "dispute", "amount": amount, "currency": "brl", "status": status, "charge": "ch_1",
        "payment_intent": "pi_1", "metadata": {},
    })
}

async fn telling(order: &ChargeRequest, disputes: Vec<Value>) -> (Scripted, Arc<dyn Gateway>) {
    let intent = intent(order, "succeeded");
    let server = Scripted::routed(move |received| {
        let body = match received.target.as_str() {
            "/v1/disputes?payment_intent=pi_1&limit=100" => json!({ "data": disputes, "has_more": false }),
            "/v1/payment_intents/pi_1?expand%5B%5D=latest_charge" => intent.clone(),
            _ => return Act::Say(answer("404 Not Found", "", "{}")),
        };
        Act::Say(answer("200 OK", "", &body.to_string()))
    })
    .await;
    let gateway = StripeBench::start().await.gateway_at(&server.url);
    (server, gateway)
}

fn lookup(order: &ChargeRequest) -> ChargeLookup {
    ChargeLookup { reference: Some(GatewayReference("pi_1".to_owned())), ..by_ours(order) }
}

#[tokio::test]
async fn each_status_has_its_verdict() {
    use DisputeVerdict::{Lost, Open, Won};
    let order = request(card("pm_visa"));
    for (status, verdict) in [
        ("needs_response", Some(Open)),
        ("under_review", Some(Open)),
        ("warning_needs_response", Some(Open)),
        ("warning_under_review", Some(Open)),
        ("appeal_needs_response", Some(Open)),
        ("appeal_under_review", Some(Open)),
        ("warning_closed", Some(Won)),
        ("prevented", Some(Won)),
        ("won", Some(Won)),
        ("lost", Some(Lost)),
        ("charge_refunded", None),
    ] {
        let (_server, gateway) = telling(&order, vec![dispute("du_1", status, 345)]).await;
        let outcome = gateway.fetch_dispute(&lookup(&order)).await;
        let Some(status) = verdict else {
            assert_eq!(unclear(&outcome), "unreadable_answer");
            continue;
        };
        let amount = Some(Money::try_new(345, Currency::BRL).unwrap());
        let reference = GatewayReference("du_1".to_owned());
        assert_eq!(only(outcome), DisputeStanding { reference, status, amount });
    }
}

#[tokio::test]
async fn several_are_told_each() {
    use DisputeVerdict::{Lost, Open, Won};
    let order = request(card("pm_visa"));
    let three =
        vec![dispute("du_3", "lost", 3), dispute("du_2", "under_review", 2), dispute("du_1", "won", 1)];
    let (_server, gateway) = telling(&order, three).await;
    let outcome = gateway.fetch_dispute(&lookup(&order)).await;
    let DisputeOutcome::Told(told) = outcome else { panic!("{outcome:?}") };
    let told: Vec<_> = told.iter().map(|standing| (standing.reference.0.as_str(), standing.status)).collect();
    assert_eq!(told, [("du_3", Lost), ("du_2", Open), ("du_1", Won)]);
    let (_server, gateway) = telling(&order, vec![]).await;
    assert_eq!(gateway.fetch_dispute(&lookup(&order)).await, UNDISPUTED);
}

#[tokio::test]
async fn nonsense_is_unclear() {
    let order = request(card("pm_visa"));
    for (field, value, code) in [
        ("amount", json!(0), "contradictory_answer"),
        ("amount", json!(1.5), "unreadable_answer"),
        ("currency", json!("xxx"), "contradictory_answer"),
        ("payment_intent", json!("pi_2"), "reference_mismatch"),
        ("payment_intent", Value::Null, "reference_mismatch"),
        ("id", json!("../x"), "unreadable_answer"),
    ] {
        let mut told = dispute("du_1", "lost", 345);
        told[field] = value;
        let (_server, gateway) = telling(&order, vec![told]).await;
        assert_eq!(unclear(&gateway.fetch_dispute(&lookup(&order)).await), code, "{field}");
    }
}

/// An event about a dispute names Stripe's payment only.
#[tokio::test]
async fn whose_dispute_it_is_is_asked() {
    let order = request(card("pm_visa"));
    let (mut server, gateway) = telling(&order, vec![]).await;
    let body = super::event("evt_1", "charge.dispute.created", &dispute("du_1", "needs_response", 345));
    let hint = gateway.parse_webhook(body.as_bytes()).unwrap();
    let Some(WebhookSubject::Unresolved(subject)) = hint.subject else { panic!("{hint:?}") };
    let resolved = gateway.resolve(&subject).await.unwrap();
    assert_eq!(resolved, Some(WebhookSubject::Dispute(lookup(&order))));
    server.next().await;

    for other in ["dispute/pi_2", "dispute/../x", "dispute/", "pi_1", ""] {
        assert_eq!(gateway.resolve(&GatewayReference(other.to_owned())).await, Ok(None), "{other}");
    }
    assert_eq!(server.unseen(), 1, "only what can be an id is asked for");
    // Somebody else's payment on the same account.
    let mut foreign = intent(&order, "succeeded");
    foreign["metadata"] = json!({});
    let server = Scripted::answering("200 OK", "", &foreign.to_string()).await;
    let gateway = StripeBench::start().await.gateway_at(&server.url);
    assert_eq!(gateway.resolve(&subject).await, Ok(None));
    let server = Scripted::answering("500 Oops", "", "").await;
    let gateway = StripeBench::start().await.gateway_at(&server.url);
    assert_eq!(gateway.resolve(&subject).await.unwrap_err().code, "gateway_error");
}
