//! Cases about charges.

use super::*;
use crate::bench::by_ours;
use crate::contract::disputes::{UNDISPUTED, unclear};
use fatura_application::ports::WebhookSubject;
use fatura_domain::gateway::{DisputeOutcome, DisputeStanding, DisputeVerdict};

const CASE: &str = "PP-D-27803";

fn case(status: &str, outcome: Option<&str>) -> Value {
    let mut case = json!({
        "dispute_id": CASE, "reason": "UNAUTHORISED", "status": status, "dispute_amount": amount("123.45"),
        "disputed_transactions": [{ "buyer_transaction_id": "3BC38643YC807283D", "seller_transaction_id": CAPTURE }],
    });
    if let Some(code) = outcome {
        case["dispute_outcome"] = json!({ "outcome_code": code, "amount_refunded": amount("100.00") });
    }
    case
}

async fn having(order: &ChargeRequest, cases: Vec<Value>) -> Scripted {
    let taken = capture(order, "COMPLETED");
    let waiting = made(order, "PAYER_ACTION_REQUIRED", &[]);
    let items: Vec<Value> = cases
        .iter()
        .map(|case| json!({ "dispute_id": case["dispute_id"], "status": case["status"] }))
        .collect();
    routed(move |asked| {
        let target = asked.target.as_str();
        if let Some(id) = target.strip_prefix("/v1/customer/disputes/") {
            return match cases.iter().find(|case| case["dispute_id"] == id) {
                Some(case) => say("200 OK", case),
                None => say("404 Not Found", &json!({})),
            };
        }
        match target {
            "/v2/payments/captures/2GG279541U471931P" => say("200 OK", &taken),
            "/v2/checkout/orders/5O190127TN364715T" => say("200 OK", &waiting),
            "/v1/customer/disputes?disputed_transaction_id=2GG279541U471931P&page_size=50" => {
                say("200 OK", &json!({ "items": items, "links": [] }))
            }
            _ => say("404 Not Found", &json!({})),
        }
    })
    .await
}

fn standing(status: DisputeVerdict, minor: i64) -> DisputeOutcome {
    let amount = Some(money(minor, "BRL"));
    DisputeOutcome::Told(vec![DisputeStanding { reference: named(CASE), status, amount }])
}

#[tokio::test]
async fn each_case_has_its_verdict() {
    use DisputeVerdict::{Lost, Open, Won};
    let order = order();
    for (status, outcome, verdict, minor) in [
        ("OPEN", None, Open, 12_345),
        ("WAITING_FOR_SELLER_RESPONSE", None, Open, 12_345),
        ("WAITING_FOR_BUYER_RESPONSE", None, Open, 12_345),
        ("UNDER_REVIEW", Some("NONE"), Open, 12_345),
        ("OTHER", None, Open, 12_345),
        ("RESOLVED", Some("RESOLVED_SELLER_FAVOUR"), Won, 12_345),
        ("RESOLVED", Some("RESOLVED_WITH_PAYOUT"), Won, 12_345),
        ("RESOLVED", Some("CANCELED_BY_BUYER"), Won, 12_345),
        ("RESOLVED", Some("DENIED"), Won, 12_345),
        // What was taken, which need not be all.
        ("RESOLVED", Some("RESOLVED_BUYER_FAVOUR"), Lost, 10_000),
        ("RESOLVED", Some("ACCEPTED"), Lost, 10_000),
    ] {
        let server = having(&order, vec![case(status, outcome)]).await;
        let found = gateway(&server).fetch_dispute(&theirs(&order, CAPTURE)).await;
        assert_eq!(found, standing(verdict, minor), "{status} {outcome:?}");
    }
    for (status, outcome) in [("RESOLVED", None), ("RESOLVED", Some("NONE")), ("MOON", None)] {
        let server = having(&order, vec![case(status, outcome)]).await;
        unclear(&gateway(&server).fetch_dispute(&theirs(&order, CAPTURE)).await);
    }
}

#[tokio::test]
async fn several_are_told_each() {
    let order = order();
    let other = |id: &str, told: Value| with(told, "/dispute_id", json!(id));
    let cases = vec![
        other("PP-1", case("RESOLVED", Some("DENIED"))),
        other("PP-2", case("OPEN", None)),
        case("RESOLVED", Some("RESOLVED_BUYER_FAVOUR")),
    ];
    let server = having(&order, cases).await;
    let found = gateway(&server).fetch_dispute(&theirs(&order, CAPTURE)).await;
    let DisputeOutcome::Told(told) = found else { panic!("{found:?}") };
    let told: Vec<_> = told.iter().map(|standing| (standing.reference.0.as_str(), standing.status)).collect();
    assert_eq!(
        told,
        [("PP-1", DisputeVerdict::Won), ("PP-2", DisputeVerdict::Open), (CASE, DisputeVerdict::Lost)]
    );
}

#[tokio::test]
async fn without_a_case_it_is_undisputed() {
    let order = order();
    let server = having(&order, Vec::new()).await;
    let gateway = gateway(&server);
    assert_eq!(gateway.fetch_dispute(&theirs(&order, CAPTURE)).await, UNDISPUTED);
    // Nothing was captured that anybody could dispute.
    let waiting = theirs(&order, &format!("order/{ORDER}"));
    assert_eq!(gateway.fetch_dispute(&waiting).await, DisputeOutcome::Uncharged);
    unclear(&gateway.fetch_dispute(&by_ours(&order)).await);
    unclear(&gateway.fetch_dispute(&theirs(&super::order(), CAPTURE)).await);
}

#[tokio::test]
async fn another_charges_case_is_not_believed() {
    let order = order();
    let elsewhere = with(
        case("RESOLVED", Some("RESOLVED_BUYER_FAVOUR")),
        "/disputed_transactions/0/seller_transaction_id",
        json!("OTHER"),
    );
    let server = having(&order, vec![elsewhere]).await;
    unclear(&gateway(&server).fetch_dispute(&theirs(&order, CAPTURE)).await);
}

#[tokio::test]
async fn whose_a_case_is_is_asked() {
    let order = order();
    let server = having(&order, vec![case("OPEN", None)]).await;
    let gateway = gateway(&server);
    let ask = async |about: &str| gateway.resolve(&named(about)).await;
    let lookup = theirs(&order, CAPTURE);
    assert_eq!(ask(&format!("dispute/{CASE}")).await, Ok(Some(WebhookSubject::Dispute(lookup))));
    for nothing in ["dispute/PP-404", "dispute/../x", "dispute/", "capture/1", ""] {
        assert_eq!(ask(nothing).await, Ok(None), "{nothing}");
    }
    // A capture that isn't ours, and a server that can't be asked.
    let mut theirs = capture(&order, "COMPLETED");
    theirs["custom_id"] = json!("order-of-a-shop");
    let shop = routed(move |asked| {
        if asked.target.contains("disputes") {
            say("200 OK", &case("OPEN", None))
        } else {
            say("200 OK", &theirs)
        }
    })
    .await;
    let about = named(&format!("dispute/{CASE}"));
    assert_eq!(super::gateway(&shop).resolve(&about).await, Ok(None));
    let down = super::server(say("500 Oops", &json!({}))).await;
    assert!(super::gateway(&down).resolve(&about).await.is_err(), "asked again later");
}
