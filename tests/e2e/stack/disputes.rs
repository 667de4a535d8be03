//! The cardholder's bank against us, through the gateway's webhooks.

use crate::client::{Shop, id, shared};
use serde_json::{Value, json};

async fn paid(shop: &Shop) -> (String, String) {
    let invoice = shop.charged("tok_visa").await;
    shop.assert_paid_once(&invoice).await;
    let charge = id(&shop.captured(&invoice).await[0]);
    (invoice, format!("/charges/{charge}/dispute"))
}

async fn kinds(shop: &Shop, invoice: &str) -> Vec<Value> {
    shop.transactions(invoice).await.iter().map(|transaction| transaction["type"].clone()).collect()
}

#[tokio::test]
async fn a_contest_that_is_lost_is_a_chargeback_and_may_be_taken_back() {
    let (shop, _stack) = shared().await;
    let (invoice, dispute) = paid(&shop).await;
    let body = json!({ "reason": "fraud", "note": "not my card" });
    let contested = shop.post(&format!("/v1/invoices/{invoice}/contest"), body).await.expect(202);
    assert_eq!(contested["status"], "in_protest");
    shop.at_the_gateway(&dispute, json!({ "outcome": "lost" })).await.expect(200);
    shop.until_status(&invoice, "chargeback").await;
    assert_eq!(kinds(&shop, &invoice).await, ["chargeback", "charge"]);
    shop.at_the_gateway(&dispute, json!({ "outcome": "won" })).await.expect(200);
    shop.until_status(&invoice, "paid").await;
    assert_eq!(kinds(&shop, &invoice).await, ["reinstatement", "chargeback", "charge"]);
    let disputes = shop.get(&format!("/v1/invoices/{invoice}/disputes")).await.expect(200);
    assert_eq!(disputes["data"].as_array().unwrap().len(), 1, "one case");
    assert_eq!(disputes["data"][0]["reason"], "fraud");
}

#[tokio::test]
async fn a_dispute_that_we_hear_of_first_from_the_gateway_is_won() {
    let (shop, _stack) = shared().await;
    let (invoice, dispute) = paid(&shop).await;
    shop.at_the_gateway(&dispute, json!({ "outcome": "open" })).await.expect(200);
    shop.until_status(&invoice, "in_protest").await;
    let refund = shop.post(&format!("/v1/invoices/{invoice}/refunds"), json!({})).await;
    assert_eq!((refund.status, refund.code()), (422, "failed_precondition"), "not while it is disputed");
    shop.at_the_gateway(&dispute, json!({ "outcome": "won" })).await.expect(200);
    shop.until_status(&invoice, "paid").await;
    assert_eq!(kinds(&shop, &invoice).await, ["charge"]);
}
