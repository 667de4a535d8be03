//! What the sandbox can say of a dispute, and nonsense that it can't.

use super::{SandboxBench, card, charge};
use crate::bench::{Bench, by_ours, request};
use crate::contract::charging::approved;
use crate::contract::disputes::{only, unclear};
use crate::scripted::Scripted;
use fatura_application::ports::ChargeLookup;
use fatura_domain::Timestamp;
use fatura_domain::gateway::{
    DisputeOutcome, DisputeStanding, DisputeVerdict, GatewayReference, RefundRequest,
};
use fatura_domain::id::RefundId;
use fatura_domain::money::{Currency, Money};
use serde_json::{Value, json};

fn brl(minor: i64) -> Money {
    Money::try_new(minor, Currency::BRL).unwrap()
}

#[tokio::test]
async fn a_dispute_is_about_what_was_left_of_the_charge() {
    let bench = SandboxBench::start().await;
    let (gateway, order) = (bench.gateway(), request(card("tok_visa")));
    let reference = approved(&gateway.charge(&order).await, &order);
    let refund = RefundId::new(order.invoice().owner(), Timestamp::now(), 7);
    gateway.refund(&RefundRequest { refund, charge: reference.clone(), amount: brl(2_345) }).await;
    bench.dispute(&reference, DisputeVerdict::Open).await;
    let outcome = gateway.fetch_dispute(&by_ours(&order)).await;
    assert_eq!(only(outcome).amount, Some(brl(10_000)));
}

#[tokio::test]
async fn a_lost_dispute_may_be_won_after_all() {
    let bench = SandboxBench::start().await;
    let (gateway, order) = (bench.gateway(), request(card("tok_visa")));
    let reference = approved(&gateway.charge(&order).await, &order);
    for verdict in [DisputeVerdict::Lost, DisputeVerdict::Won] {
        bench.dispute(&reference, verdict).await;
        let outcome = gateway.fetch_dispute(&by_ours(&order)).await;
        assert_eq!(only(outcome).status, verdict);
    }
}

#[tokio::test]
async fn a_word_that_contradicts_itself_is_unclear() {
    let bench = SandboxBench::start().await;
    let order = request(card("tok_visa"));
    let open = json!({ "id": "dp_1", "status": "open", "amount_minor": 12_345 });
    let with = |name: &str, value: Value| {
        let mut told = open.clone();
        told[name] = value;
        told
    };
    let standing = |amount| {
        let reference = GatewayReference("dp_1".to_owned());
        Ok(DisputeStanding { reference, status: DisputeVerdict::Open, amount })
    };
    for (told, expected) in [
        (open.clone(), standing(Some(order.amount))),
        (with("amount_minor", json!(1)), standing(Some(brl(1)))),
        (with("amount_minor", Value::Null), standing(None)),
        (with("amount_minor", json!(0)), Err("contradictory_answer")),
        (with("amount_minor", json!(-1)), Err("contradictory_answer")),
        (with("amount_minor", json!(i64::MAX)), Err("contradictory_answer")),
        (with("amount_minor", json!(1.5)), Err("unreadable_answer")),
        (with("status", json!("under_review")), Err("unreadable_answer")),
        (with("id", json!("../x")), Err("unreadable_answer")),
        (json!({}), Err("unreadable_answer")),
        (json!("dp_1"), Err("unreadable_answer")),
        (Value::Null, Err("contradictory_answer")),
    ] {
        let mut body = charge(&order, "captured");
        body["disputed"] = json!(true);
        body["dispute"] = told;
        let by_id = Scripted::answering("200 OK", "", &body.to_string()).await;
        let found = Scripted::answering("200 OK", "", &json!({ "data": [body] }).to_string()).await;
        let by_theirs =
            ChargeLookup { reference: Some(GatewayReference("ch_1".to_owned())), ..by_ours(&order) };
        for (server, lookup) in [(by_id, by_theirs), (found, by_ours(&order))] {
            let gateway = bench.gateway_at(&server.url);
            let outcome = gateway.fetch_dispute(&lookup).await;
            match &expected {
                Ok(standing) => assert_eq!(only(outcome), *standing, "{body}"),
                Err(code) => assert_eq!(unclear(&outcome), *code, "{body}"),
            }
            // The charge stands as it stood, whatever is said about its dispute.
            approved(&gateway.fetch_charge(&lookup).await, &order);
        }
    }
}

#[tokio::test]
async fn the_dispute_of_another_attempt_is_not_believed() {
    let bench = SandboxBench::start().await;
    let (order, stranger) = (request(card("tok_visa")), request(card("tok_visa")));
    let disputed = |of, id: &str| {
        let mut told = charge(of, "captured");
        told["dispute"] = json!({ "id": id, "status": "lost" });
        told
    };
    let alone = json!({ "data": [disputed(&stranger, "dp_theirs")] });
    let server = Scripted::answering("200 OK", "", &alone.to_string()).await;
    let outcome = bench.gateway_at(&server.url).fetch_dispute(&by_ours(&order)).await;
    assert_eq!(unclear(&outcome), "reference_mismatch");

    // Of several charges of ours those that are disputed are told.
    let among = json!({ "data": [disputed(&stranger, "dp_theirs"), charge(&order, "captured"), disputed(&order, "dp_1")] });
    let server = Scripted::answering("200 OK", "", &among.to_string()).await;
    let outcome = bench.gateway_at(&server.url).fetch_dispute(&by_ours(&order)).await;
    let reference = GatewayReference("dp_1".to_owned());
    let standing = DisputeStanding { reference, status: DisputeVerdict::Lost, amount: None };
    assert_eq!(only(outcome), standing);
}

/// Whoever calls a gateway has reserved the time of one call, however many it takes.
#[tokio::test]
async fn a_question_of_several_calls_takes_the_time_of_one() {
    let bench = SandboxBench::start().await;
    let order = request(card("tok_visa"));
    bench.post("/control", json!({ "latency_ms": 300 })).await;
    let reference = Some(GatewayReference("ch_unheard_of".to_owned()));
    let lookup = ChargeLookup { reference, ..by_ours(&order) };
    assert_eq!(unclear(&bench.impatient_at(bench.url()).fetch_dispute(&lookup).await), "timeout");
    assert_eq!(bench.gateway().fetch_dispute(&lookup).await, DisputeOutcome::Uncharged);
}
