//! Work over many invoices.

use crate::client::{PATIENCE, Shop, alone, id, shared};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};

async fn until_completed(shop: &Shop, path: &str) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let run = shop.get(path).await.expect(200);
        if run["status"] == "completed" {
            return run;
        }
        assert!(Instant::now() < deadline, "{path} is not completed: {run}");
        sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test]
async fn a_customers_drafts_are_charged_once_however_often_it_is_asked_for() {
    let (shop, _stack) = shared().await;
    let customer = shop.payer("tok_visa").await;
    let mut invoices = Vec::new();
    for _ in 0..3 {
        invoices.push(shop.invoice(&customer).await);
    }
    let body = json!({ "customer_id": customer });
    let run = shop.post("/v1/billing-runs", body.clone()).await.expect(202);
    let again = shop.post("/v1/billing-runs", body).await.expect(202);
    assert_eq!(run["id"], again["id"], "one run for a month and a customer");
    let done = until_completed(&shop, &format!("/v1/billing-runs/{}", id(&run))).await;
    let counts = &done["counts"];
    assert_eq!((&counts["due"], &counts["enqueued"], &counts["paid"]), (&json!(3), &json!(3), &json!(3)));
    for invoice in invoices {
        shop.assert_paid_once(&invoice).await;
    }
}

#[tokio::test]
async fn what_failed_alike_is_requeued_together() {
    let (shop, _stack) = alone().await;
    let invoice = shop.charged("tok_declines_once").await;
    let stolen = shop.charged("tok_stolen").await;
    shop.until_status(&invoice, "charged_with_error").await;
    shop.until_status(&stolen, "charged_with_error").await;
    let failed_from = shop.show(&invoice).await["updated_at"].clone();
    let body = json!({ "failure_class": "insufficient_funds", "failed_from": failed_from });
    let run = shop.post("/v1/requeues", body).await.expect(202);
    let done = until_completed(&shop, &format!("/v1/requeues/{}", id(&run))).await;
    assert_eq!((&done["counts"]["due"], &done["counts"]["paid"]), (&json!(1), &json!(1)));
    shop.assert_paid_once(&invoice).await;
    assert_eq!(shop.show(&stolen).await["status"], "charged_with_error");
}

#[tokio::test]
async fn books_that_differ_from_the_gateways_are_found() {
    let (shop, _stack) = alone().await;
    let began = shop.now().await;
    let honest = shop.charged("tok_visa").await;
    let doubted = shop.charged("tok_visa").await;
    shop.assert_paid_once(&honest).await;
    shop.assert_paid_once(&doubted).await;
    let charge = shop.captured(&doubted).await.remove(0);
    let lie = json!({ "lie": { "charge_ids": [charge["id"]], "amount_minor": 12_204 } });
    shop.at_the_gateway("/control", lie).await.expect(200);
    sleep(Duration::from_secs(1)).await;
    let body = json!({ "gateway": "sandbox", "from": began, "to": shop.now().await });
    let run = shop.post("/v1/reconciliations", body).await.expect(202);
    let path = format!("/v1/reconciliations/{}", id(&run));
    let done = until_completed(&shop, &path).await;
    shop.at_the_gateway("/control", json!({ "lie": null })).await.expect(200);
    let differences = shop.get(&format!("{path}/differences")).await.expect(200);
    let [difference] = differences["data"].as_array().unwrap().as_slice() else {
        panic!("{done} {differences}")
    };
    assert_eq!((&difference["kind"], &difference["invoice_id"]), (&json!("amount"), &json!(doubted)));
    assert_eq!(difference["amount_there"], json!({ "amount": "122.04", "currency": "BRL" }));
    let matter = shop.attention("reconciliation_difference", &doubted).await;
    assert_eq!(matter["gateway_reference"], charge["id"]);
}
