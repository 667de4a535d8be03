//! What a shop's own backend may do, and what is for operators alone.

use crate::bills::{fee, month};
use crate::world::{Answer, Says, World, attempt_of, brl};
use fatura_domain::charge::FailureClass;
use http::{Method, Request, header};
use serde_json::{Value, json};

const NOWHERE: &str = "txn_0000000000000000000000000000";

async fn as_service(world: &World, key: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
    let request = request(key, method, path).header("Idempotency-Key", "of-the-service");
    world.send(request, body).await
}

fn request(key: &str, method: Method, path: &str) -> http::request::Builder {
    Request::builder().method(method).uri(path).header(header::AUTHORIZATION, format!("Bearer {key}"))
}

#[tokio::test]
async fn what_keeps_the_whole_going_is_for_operators() {
    let world = World::new().await;
    let key = world.service_key().await;
    let invoice = world.charged(&world.payer().await, Says::Unknown).await;
    let resolve = format!("/v1/attempts/{}/resolve", attempt_of(&invoice, 1));
    let bill = world.bill(month(&world.customer().await)).await;
    let matter = attempt_of(&invoice, 1).replace("att_", "/v1/attention/atn_att_");
    let period = json!({"gateway": "sandbox", "from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z"});
    let entry = |account: &str, direction: &str| json!({"account": account, "direction": direction, "amount": brl("1.00")});
    let journal = json!({"description": "x", "entries": [entry("bank", "debit"), entry("fees", "credit")]});
    let settings = json!({"enabled": false, "priority": 1, "payment_method_types": ["pix"]});
    for (method, path, body) in [
        (Method::GET, "/v1/attention", None),
        (Method::GET, &matter, None),
        (Method::POST, &format!("{matter}/close"), Some(json!({}))),
        (Method::POST, &resolve, Some(json!({"outcome": "not_charged"}))),
        (Method::POST, "/v1/billing-runs", Some(json!({}))),
        (Method::GET, "/v1/billing-runs/run_202611", None),
        (Method::POST, "/v1/requeues", Some(json!({}))),
        (Method::GET, "/v1/requeues/run_202611", None),
        (Method::POST, "/v1/reconciliations", Some(period)),
        (Method::GET, "/v1/reconciliations/run_202611", None),
        (Method::GET, "/v1/reconciliations/run_202611/differences", None),
        (Method::GET, "/v1/dunning-policy", None),
        (Method::PUT, "/v1/dunning-policy", Some(json!({}))),
        (Method::GET, "/v1/dunning-policy/versions", None),
        (Method::GET, "/v1/gateways", None),
        (Method::PUT, "/v1/gateways/sandbox", Some(settings)),
        (Method::POST, "/v1/gateways/sandbox/check", Some(json!({}))),
        (Method::GET, "/v1/gateway-routing", None),
        (Method::PUT, "/v1/gateway-routing", Some(json!({"rules": []}))),
        (Method::GET, "/v1/gateway-routing/versions", None),
        (Method::GET, "/v1/invoices?status=charged_with_error&failure_class=hard", None),
        (Method::GET, "/v1/bills?status=open", None),
        (Method::POST, "/v1/ledger", Some(journal.clone())),
        (Method::POST, "/v1/ledger", Some(json!({"description": "x", "reverses": NOWHERE}))),
        (Method::GET, "/v1/ledger/trial-balance", None),
        (Method::GET, "/v1/ledger/accounts/bank", None),
        (Method::POST, "/v1/ledger/verify", Some(json!({}))),
        (Method::POST, &format!("/v1/bills/{bill}/forgo-rates"), Some(json!({}))),
    ] {
        let answer = as_service(&world, &key, method.clone(), path, body).await;
        assert_eq!(answer.code(), (403, "forbidden"), "{method} {path}");
    }
    assert_eq!(world.show(&invoice).await["status"], "pending");
    assert_eq!(world.get("/v1/dunning-policy").await.expect(200)["version"], 0);
}

#[tokio::test]
async fn what_a_shop_needs_a_service_may_do() {
    let world = World::new().await;
    let key = world.service_key().await;
    let paid = world.paid().await;
    let customer = world.payer().await;
    let failed = world.charged(&customer, Says::Declined(FailureClass::Generic)).await;
    let post = async |path: String, body| as_service(&world, &key, Method::POST, &path, Some(body)).await;
    let requeued = post(format!("/v1/invoices/{failed}/requeue"), json!({})).await.expect(202);
    let by = requeued["history"][3]["by"].as_str().unwrap();
    assert!(by.starts_with("key_") && by != "key_deployment", "{by}");
    post(format!("/v1/invoices/{paid}/contest"), json!({"reason": "other"})).await.expect(202);
    for path in [
        format!("/v1/invoices/{failed}/history"),
        format!("/v1/invoices/{failed}/attempts"),
        format!("/v1/invoices/{paid}/disputes"),
        format!("/v1/invoices?customer_id={customer}&failure_class=generic"),
    ] {
        as_service(&world, &key, Method::GET, &path, None).await.expect(200);
    }
    let money = json!({"amount": brl("1.00")});
    post(format!("/v1/wallet/{customer}/credit"), money.clone()).await.expect(201);
    post(format!("/v1/wallet/{customer}/debit"), money).await.expect(201);
    for path in [format!("/v1/wallet/{customer}/balance"), format!("/v1/ledger/{customer}")] {
        as_service(&world, &key, Method::GET, &path, None).await.expect(200);
    }
    // The platform's own journals are no customer's.
    for path in ["/v1/ledger/cus_ZZZZZZZZZZZZ", "/v1/customers/cus_ZZZZZZZZZZZZ/transactions"] {
        assert_eq!(as_service(&world, &key, Method::GET, path, None).await.code(), (404, "not_found"));
        world.get(path).await.expect(200);
    }
    let bill = post("/v1/bills".to_owned(), month(&customer)).await.created();
    let mut line = fee("1.00", "USD");
    line["reference"] = json!("r");
    post(format!("/v1/bills/{bill}/line-items"), line.clone()).await.expect(201);
    post(format!("/v1/bills/{bill}/line-items:batch"), json!({"line_items": [line]})).await.expect(201);
    for path in [
        format!("/v1/bills?customer_id={customer}"),
        format!("/v1/bills/{bill}"),
        format!("/v1/bills/{bill}/line-items"),
        format!("/v1/bills/{bill}/export"),
    ] {
        assert_eq!(as_service(&world, &key, Method::GET, &path, None).await.status, 200);
    }
    let empty = request(&key, Method::POST, "/v1/bills").header("Idempotency-Key", "another");
    let empty = world.send(empty, Some(month(&customer))).await.created();
    post(format!("/v1/bills/{empty}/cancel"), json!({})).await.expect(200);
    let closed = post(format!("/v1/bills/{bill}/close"), json!({})).await.expect(200);
    assert_eq!(closed["history"][1]["by"], by);
}
