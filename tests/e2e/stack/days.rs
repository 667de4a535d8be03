//! What takes days: the stack's clock is set, which a production build can't be.

use crate::aws::sweep;
use crate::client::{alone, variable};
use serde_json::{Value, json};
use std::fs;

/// Days that have passed on the stack, until this is dropped. Nobody else may be at work.
pub(crate) struct Days(i64);

impl Days {
    const DAY: i64 = 24 * 3_600;

    pub(crate) fn none() -> Self {
        Self(0)
    }

    /// Lets time pass, and the sweep see it.
    pub(crate) async fn pass(&mut self, seconds: i64) {
        self.pass_unseen(seconds);
        sweep().await;
    }

    pub(crate) fn pass_unseen(&mut self, seconds: i64) {
        self.0 += seconds;
        fs::write(variable("TEST_CLOCK_FILE"), self.0.to_string()).unwrap();
    }
}

impl Drop for Days {
    fn drop(&mut self) {
        let _ = fs::write(variable("TEST_CLOCK_FILE"), "0");
    }
}

#[tokio::test]
async fn without_funds_it_is_tried_again_on_the_third_day() {
    let (shop, _stack) = alone().await;
    let mut days = Days::none();
    let invoice = shop.charged("tok_declines_once").await;
    shop.until_status(&invoice, "charged_with_error").await;
    days.pass(3 * Days::DAY - 60).await;
    assert_eq!(shop.show(&invoice).await["status"], "charged_with_error", "not yet");
    days.pass(120).await;
    shop.assert_paid_once(&invoice).await;
}

#[tokio::test]
async fn a_refund_may_be_asked_for_within_seven_days_and_not_after() {
    let (shop, _stack) = alone().await;
    let mut days = Days::none();
    let (early, late) = (shop.charged("tok_visa").await, shop.charged("tok_visa").await);
    shop.assert_paid_once(&early).await;
    shop.assert_paid_once(&late).await;
    days.pass(7 * Days::DAY - 60).await;
    shop.post(&format!("/v1/invoices/{early}/refunds"), json!({})).await.expect(202);
    shop.until_status(&early, "refunded").await;
    days.pass(120).await;
    let refused = shop.post(&format!("/v1/invoices/{late}/refunds"), json!({})).await;
    assert_eq!((refused.status, refused.code()), (422, "failed_precondition"));
}

/// The gateway never says what became of it, so operators do: each way once.
#[tokio::test]
async fn nobody_knows_until_an_operator_has_looked() {
    let (shop, _stack) = alone().await;
    let mut days = Days::none();
    let once = json!({ "unknown": { "poll_after_minutes": [1] } });
    shop.put("/v1/dunning-policy", once).await.expect(200);
    // The new rules are in force everywhere half a minute later.
    days.pass(60).await;
    shop.at_the_gateway("/control", json!({ "webhooks_off": true })).await.expect(200);
    let charged = shop.charged("tok_charged_500").await;
    let not_charged = shop.charged("tok_not_charged_500").await;
    for invoice in [&charged, &not_charged] {
        shop.until(invoice, "unknown", |shown| shown["next_action"]["action"] == "ask_gateway").await;
    }
    shop.at_the_gateway("/control", json!({ "down": true })).await.expect(200);
    days.pass(120).await;
    for invoice in [&charged, &not_charged] {
        shop.until(invoice, "for an operator", |shown| shown["next_action"]["action"] == "await_operator")
            .await;
        assert_eq!(shop.attention("unknown_outcome", invoice).await["amount"]["amount"], "122.05");
        let requeue = shop.post(&format!("/v1/invoices/{invoice}/requeue"), json!({})).await;
        assert_eq!(requeue.code(), "failed_precondition", "nothing else is tried meanwhile");
    }
    shop.at_the_gateway("/control", json!({ "down": false, "webhooks_off": false })).await.expect(200);

    let charge = shop.captured(&charged).await.remove(0);
    let attempt = shop.attempts(&charged).await.remove(0);
    let path = format!("/v1/attempts/{}/resolve", attempt["id"].as_str().unwrap());
    let body =
        json!({ "outcome": "charged", "gateway_reference": charge["id"], "note": "seen in its dashboard" });
    assert_eq!(shop.post(&path, body).await.expect(200)["status"], "paid");
    shop.assert_paid_once(&charged).await;

    let attempt = shop.attempts(&not_charged).await.remove(0);
    let path = format!("/v1/attempts/{}/resolve", attempt["id"].as_str().unwrap());
    let resolved = shop.post(&path, json!({ "outcome": "not_charged" })).await.expect(200);
    assert_eq!(resolved["status"], "charged_with_error");
    assert_eq!(resolved["history"].as_array().unwrap().last().unwrap()["by"], "key_deployment");
    let open = shop.get("/v1/attention?kind=unknown_outcome&limit=100").await.expect(200);
    let about: Vec<&Value> =
        open["data"].as_array().unwrap().iter().map(|matter| &matter["invoice_id"]).collect();
    assert!(!about.contains(&&json!(charged)) && !about.contains(&&json!(not_charged)), "{about:?}");
    shop.put("/v1/dunning-policy", json!({})).await.expect(200);
}

#[tokio::test]
async fn the_thirty_first_of_a_month_is_the_customers_own() {
    let (shop, _stack) = alone().await;
    let mut days = Days::none();
    if shop.now().await.as_str().unwrap()[8..10].parse::<u8>().unwrap() >= 28 {
        days.pass(5 * Days::DAY).await;
    }
    let customer = shop.payer("tok_visa").await;
    let mut profile = shop.get(&format!("/v1/customers/{customer}")).await.expect(200);
    let body = json!({
        "name": profile["name"].take(), "email": profile["email"].take(),
        "time_zone": "America/Sao_Paulo", "billing_anchor_day": 31,
    });
    shop.put(&format!("/v1/customers/{customer}"), body).await.expect(200);
    let invoice = shop.invoice(&customer).await;
    shop.post("/v1/billing-runs", json!({ "customer_id": customer })).await.expect(202);
    let scheduled = shop.until_status(&invoice, "pending").await;
    let at = scheduled["next_attempt_at"].as_str().unwrap().to_owned();
    let is_midnight_there = at.ends_with("T03:00:00.000Z");
    assert!(is_midnight_there, "{at}");
    assert!(matches!(&at[8..10], "28" | "29" | "30" | "31"), "the month's last day: {at}");
    days.pass(32 * Days::DAY).await;
    shop.assert_paid_once(&invoice).await;
}
