//! Money that fails to come: why, what happens next, and how it comes after all.

use crate::client::{id, shared};
use serde_json::{Value, json};

#[tokio::test]
async fn another_card_is_tried_at_once_and_one_time() {
    let (shop, _stack) = shared().await;
    let invoice = shop.charged("tok_stolen").await;
    let failed = shop.until_status(&invoice, "charged_with_error").await;
    assert_eq!(failed["next_action"]["action"], "await_payment_method");
    assert_eq!(
        (&failed["next_attempt_at"], &failed["next_action"]["because"]),
        (&Value::Null, &json!("hard"))
    );
    let customer = failed["customer_id"].as_str().unwrap();
    let card = shop.card(customer, "tok_visa").await;
    shop.assert_paid_once(&invoice).await;
    let attempts = shop.attempts(&invoice).await;
    let told: Vec<_> = attempts.iter().map(|attempt| (&attempt["status"], &attempt["number"])).collect();
    assert_eq!(told, [(&json!("succeeded"), &json!(2)), (&json!("declined"), &json!(1))]);
    assert_eq!(attempts[0]["payment_method_id"], card.as_str());
}

#[tokio::test]
async fn what_failed_is_explained_and_requeued() {
    let (shop, _stack) = shared().await;
    let invoice = shop.charged("tok_declines_once").await;
    let failed = shop.until_status(&invoice, "charged_with_error").await;
    assert_eq!(failed["next_action"]["action"], "retry");
    assert_eq!(failed["next_action"]["at"], failed["next_attempt_at"]);
    let path = format!("/v1/invoices/{invoice}/requeue");
    shop.post(&path, json!({})).await.expect(202);
    shop.assert_paid_once(&invoice).await;
    let again = shop.post(&path, json!({})).await;
    assert_eq!((again.status, again.code()), (422, "failed_precondition"));
    let history = shop.get(&format!("/v1/invoices/{invoice}/history")).await.expect(200);
    let told: Vec<_> = history["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["cause"].as_str().or(entry["attempt"]["status"].as_str()).unwrap())
        .collect();
    assert_eq!(
        told,
        [
            "charge_succeeded",
            "succeeded",
            "requeued",
            "charge_failed",
            "declined",
            "charge_requested",
            "created"
        ]
    );
}

/// Whatever a payer's bank does late: nothing was owed, so it goes back.
#[tokio::test]
async fn money_for_a_canceled_invoice_goes_back_by_itself() {
    let (shop, _stack) = shared().await;
    let customer = shop.customer().await;
    let method = json!({ "type": "pix", "key": "ana@example.com" });
    shop.post(&format!("/v1/customers/{customer}/payment-methods"), method).await.expect(201);
    let invoice = shop.invoice(&customer).await;
    shop.charge(&invoice).await.expect(202);
    shop.until(&invoice, "showing a QR code", |shown| shown["pix"]["emv"].is_string()).await;
    shop.post(&format!("/v1/invoices/{invoice}/cancel"), json!({})).await.expect(202);
    shop.until_status(&invoice, "canceled").await;
    let charge = id(&shop.journal(&invoice).await[0]);
    shop.at_the_gateway(&format!("/charges/{charge}/pay"), json!({})).await.expect(200);
    shop.until_journal(&invoice, "given back", |charge| charge["refunded_minor"] == 12_205).await;
    shop.until_transactions(&invoice, 2).await;
    let kinds: Vec<Value> =
        shop.transactions(&invoice).await.iter().map(|transaction| transaction["type"].clone()).collect();
    assert_eq!(kinds, ["refund", "orphan"]);
    let matter = shop.attention("orphan_payment", &invoice).await;
    let closed = format!("/v1/attention/{}/close", matter["id"].as_str().unwrap());
    let closed = shop.post(&closed, json!({ "note": "the payer's bank was late" })).await.expect(200);
    assert_eq!((&closed["status"], &closed["note"]), (&json!("closed"), &json!("the payer's bank was late")));
}
