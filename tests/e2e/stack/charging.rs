//! One invoice, one charge, however the gateway behaves.

use crate::client::{id, shared};
use serde_json::json;

#[tokio::test]
async fn a_card_pays() {
    let (shop, _stack) = shared().await;
    let invoice = shop.charged("tok_visa").await;
    shop.assert_paid_once(&invoice).await;
    let steps: Vec<_> = shop.show(&invoice).await["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["status"].clone())
        .collect();
    assert_eq!(steps, ["draft", "pending", "paid"]);
    assert_eq!(
        shop.attempts(&invoice).await[0]["idempotency_key"],
        shop.captured(&invoice).await[0]["idempotency_key"]
    );
}

#[tokio::test]
async fn an_invoice_may_be_charged_as_it_is_created() {
    let (shop, _stack) = shared().await;
    let customer = shop.payer("tok_visa").await;
    let body = json!({
        "customer_id": customer, "currency": "BRL", "auto_charge": true,
        "items": [{ "description": "Plan", "quantity": 1, "unit_price": "122.05" }],
    });
    let invoice = shop.post("/v1/invoices", body).await.expect(202);
    assert_eq!(invoice["status"], "pending");
    shop.assert_paid_once(&id(&invoice)).await;
}

#[tokio::test]
async fn nothing_to_pay_is_paid_without_the_gateway() {
    let (shop, _stack) = shared().await;
    let customer = shop.customer().await;
    let body = json!({
        "customer_id": customer, "currency": "BRL",
        "items": [{ "description": "Gift", "quantity": 1, "unit_price": "0.00" }],
    });
    let invoice = id(&shop.post("/v1/invoices", body).await.expect(201));
    assert_eq!(shop.charge(&invoice).await.expect(202)["status"], "paid");
    assert!(shop.journal(&invoice).await.is_empty());
}

#[tokio::test]
async fn pix_is_paid_by_its_qr_code() {
    let (shop, _stack) = shared().await;
    let customer = shop.customer().await;
    let method = json!({ "type": "pix", "key": "ana@example.com" });
    shop.post(&format!("/v1/customers/{customer}/payment-methods"), method).await.expect(201);
    let invoice = shop.invoice(&customer).await;
    shop.charge(&invoice).await.expect(202);
    let waiting = shop.until(&invoice, "showing a QR code", |shown| shown["pix"]["emv"].is_string()).await;
    assert_eq!(waiting["status"], "pending");
    assert!(shop.captured(&invoice).await.is_empty());
    let charge = id(&shop.journal(&invoice).await[0]);
    shop.at_the_gateway(&format!("/charges/{charge}/pay"), json!({})).await.expect(200);
    shop.assert_paid_once(&invoice).await;
}

#[tokio::test]
async fn a_waiting_qr_code_is_voided_before_its_invoice_is_canceled() {
    let (shop, _stack) = shared().await;
    let customer = shop.customer().await;
    let method = json!({ "type": "pix", "key": "ana@example.com" });
    shop.post(&format!("/v1/customers/{customer}/payment-methods"), method).await.expect(201);
    let invoice = shop.invoice(&customer).await;
    shop.charge(&invoice).await.expect(202);
    shop.until(&invoice, "showing a QR code", |shown| shown["pix"]["emv"].is_string()).await;
    shop.post(&format!("/v1/invoices/{invoice}/cancel"), json!({})).await.expect(202);
    shop.until_status(&invoice, "canceled").await;
    assert_eq!(shop.journal(&invoice).await[0]["status"], "voided");
}

#[tokio::test]
async fn a_decline_is_told_and_nothing_is_charged() {
    let (shop, _stack) = shared().await;
    for (token, class) in [
        ("tok_insufficient_funds", "insufficient_funds"),
        ("tok_do_not_honor", "do_not_honor"),
        ("tok_issuer_unavailable", "issuer_unavailable"),
        ("tok_stolen", "hard"),
        ("tok_expired_card", "hard"),
        ("tok_authentication_required", "authentication_required"),
        ("tok_fraud", "suspected_fraud"),
        ("tok_currency_mismatch", "currency_mismatch"),
        ("tok_customer_not_found", "customer_not_found"),
    ] {
        let invoice = shop.charged(token).await;
        let failed = shop.until_status(&invoice, "charged_with_error").await;
        assert_eq!(failed["failure"]["class"], class, "{token}");
        assert_eq!(shop.attempts(&invoice).await[0]["status"], "declined");
        assert!(shop.captured(&invoice).await.is_empty(), "{token}");
        assert!(shop.transactions(&invoice).await.is_empty(), "{token}");
    }
}

#[tokio::test]
async fn charged_without_an_answer_is_found_by_look_up() {
    let (shop, _stack) = shared().await;
    for token in ["tok_charged_no_answer", "tok_charged_500", "tok_charged_truncated", "tok_charged_html_200"]
    {
        let invoice = shop.charged(token).await;
        shop.assert_paid_once(&invoice).await;
    }
}

#[tokio::test]
async fn slow_and_early_answers_pay_once() {
    let (shop, _stack) = shared().await;
    for token in ["tok_slow_3s", "tok_webhook_first", "tok_webhook_only"] {
        let invoice = shop.charged(token).await;
        shop.assert_paid_once(&invoice).await;
    }
}

#[tokio::test]
async fn what_did_not_reach_the_gateway_is_no_failure_yet() {
    let (shop, _stack) = shared().await;
    let invoice = shop.charged("tok_429").await;
    let shown = shop
        .until(&invoice, "waiting to be sent again", |shown| shown["failure"]["class"] == "not_sent")
        .await;
    assert_eq!(shown["status"], "pending");
    assert!(shown["next_attempt_at"].is_string(), "{shown}");
    assert_eq!(shop.attempts(&invoice).await[0]["status"], "not_sent");
    assert!(shop.journal(&invoice).await.is_empty());
}

#[tokio::test]
async fn operators_see_everybodys_invoices_by_status() {
    let (shop, _stack) = shared().await;
    let invoice = shop.charged("tok_stolen").await;
    shop.until_status(&invoice, "charged_with_error").await;
    let mut found = 0;
    let mut path = "/v1/invoices?status=charged_with_error&limit=100".to_owned();
    loop {
        let page = shop.get(&path).await.expect(200);
        let data = page["data"].as_array().unwrap();
        assert!(data.iter().all(|listed| listed["status"] == "charged_with_error"));
        found += data.iter().filter(|listed| listed["id"] == invoice.as_str()).count();
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/invoices?status=charged_with_error&limit=100&cursor={cursor}");
    }
    assert_eq!(found, 1, "exactly once");
}
