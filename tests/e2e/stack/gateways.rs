//! Two gateways, and where charges go while somebody changes that.

use crate::aws::keep_secret;
use crate::client::{Shop, alone, id, variable};
use crate::days::Days;
use serde_json::{Value, json};

const ROUTING: &str = "/v1/gateway-routing";

/// A shop with a second gateway in use, after the first.
struct Both {
    shop: Shop,
    second: Shop,
    days: Days,
    customer: String,
}

impl Both {
    /// A customer whose card both gateways hold, each by a token of its own.
    async fn open(shop: Shop, token: &str, elsewhere: &str) -> Self {
        let second = shop.of_gateway(variable("SANDBOX_2_URL"));
        let mut both = Self { customer: shop.customer().await, shop, second, days: Days::none() };
        both.put_second(true).await;
        both.route(&["sandbox"]).await;
        let card = both.shop.card(&both.customer, token).await;
        let held = format!("/v1/customers/{}/payment-methods/{card}/tokens/sandbox-2", both.customer);
        let held = both.shop.put(&held, json!({ "token": elsewhere })).await.expect(200);
        assert_eq!(held["gateways"], json!(["sandbox", "sandbox-2"]));
        both
    }

    async fn put_second(&self, enabled: bool) {
        let body =
            json!({ "enabled": enabled, "priority": 900, "payment_method_types": ["credit_card", "pix"] });
        self.shop.put("/v1/gateways/sandbox-2", body).await.expect(200);
    }

    /// This customer's charges go to these gateways, in this order.
    async fn route(&mut self, gateways: &[&str]) {
        let rules = json!([{ "match": { "customer_id": self.customer }, "gateways": gateways }]);
        self.shop.put(ROUTING, json!({ "rules": rules })).await.expect(200);
        self.settled();
    }

    /// Every function has read what is in force by now. The stack's clock goes back after each test, so that half a minute
    /// could end where another test was: each goes on to a time of its own.
    fn settled(&mut self) {
        let second = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() % 1_000;
        self.days.pass_unseen(31 + 60 * i64::try_from(second).unwrap());
    }

    async fn charge(&self) -> String {
        let invoice = self.shop.invoice(&self.customer).await;
        self.shop.charge(&invoice).await.expect(202);
        invoice
    }

    async fn attempts(&self, invoice: &str) -> Vec<String> {
        let told = |attempt: &Value| {
            let member = |value: &Value| value.as_str().unwrap().to_owned();
            [&attempt["gateway"], &attempt["status"], &attempt["routing"]["by"]].map(member).join(" ")
        };
        self.shop.attempts(invoice).await.iter().rev().map(told).collect()
    }

    /// As it was before.
    async fn close(mut self) {
        for gateway in [&self.shop, &self.second] {
            gateway.at_the_gateway("/control", json!({ "down": false })).await.expect(200);
        }
        self.shop.put(ROUTING, json!({ "rules": [] })).await.expect(200);
        self.put_second(false).await;
        self.settled();
    }
}

#[tokio::test]
async fn a_change_leads_the_next_charge_elsewhere_and_a_refund_back() {
    let (shop, _stack) = alone().await;
    let mut both = Both::open(shop, "tok_visa", "tok_visa").await;
    let first = both.charge().await;
    both.shop.assert_paid_once(&first).await;
    both.route(&["sandbox-2", "sandbox"]).await;
    let next = both.charge().await;
    both.second.assert_paid_once(&next).await;
    assert_eq!(both.attempts(&first).await, ["sandbox succeeded rule"]);
    assert_eq!(both.attempts(&next).await, ["sandbox-2 succeeded rule"]);
    assert_eq!((both.shop.journal(&next).await.len(), both.second.journal(&first).await.len()), (0, 0));

    both.shop.post(&format!("/v1/invoices/{first}/refunds"), json!({})).await.expect(202);
    both.shop.until_journal(&first, "given back", |charge| charge["refunded_minor"] == 12_205).await;
    both.shop.until_status(&first, "refunded").await;
    assert!(both.second.journal(&first).await.is_empty());
    both.close().await;
}

#[tokio::test]
async fn a_gateway_that_takes_no_more_orders_is_passed_over() {
    let (shop, _stack) = alone().await;
    let mut both = Both::open(shop, "tok_429", "tok_visa").await;
    both.route(&["sandbox", "sandbox-2"]).await;
    let invoice = both.charge().await;
    both.second.assert_paid_once(&invoice).await;
    assert_eq!(both.attempts(&invoice).await, ["sandbox not_sent rule", "sandbox-2 succeeded failover"]);
    assert!(both.shop.captured(&invoice).await.is_empty());
    both.close().await;
}

/// The local stack's Stripe is an address where nobody listens.
#[tokio::test]
async fn a_gateway_that_cannot_be_reached_is_passed_over() {
    let (shop, _stack) = alone().await;
    let mut both = Both::open(shop, "tok_visa", "tok_visa").await;
    let stripe = |enabled| json!({ "enabled": enabled, "priority": 900, "payment_method_types": ["pix"] });
    both.shop.put("/v1/gateways/stripe", stripe(true)).await.expect(200);
    let check = both.shop.post("/v1/gateways/stripe/check", json!({})).await.expect(200);
    assert_eq!((&check["ok"], &check["code"]), (&json!(false), &json!("unreachable")));
    both.customer = both.shop.customer().await;
    let methods = format!("/v1/customers/{}/payment-methods", both.customer);
    both.shop.post(&methods, json!({ "type": "pix", "key": "ana@example.com" })).await.expect(201);
    both.route(&["stripe", "sandbox-2"]).await;

    let invoice = both.charge().await;
    both.shop.until(&invoice, "showing a QR code", |shown| shown["pix"]["emv"].is_string()).await;
    let charge = id(&both.second.journal(&invoice).await[0]);
    both.second.at_the_gateway(&format!("/charges/{charge}/pay"), json!({})).await.expect(200);
    both.second.assert_paid_once(&invoice).await;
    assert_eq!(both.attempts(&invoice).await, ["stripe not_sent rule", "sandbox-2 succeeded failover"]);
    both.shop.put(ROUTING, json!({ "rules": [] })).await.expect(200);
    both.shop.put("/v1/gateways/stripe", stripe(false)).await.expect(200);
    both.close().await;
}

#[tokio::test]
async fn a_gateway_that_charges_in_silence_is_not() {
    let (shop, _stack) = alone().await;
    for token in ["tok_charged_no_answer", "tok_not_charged_500"] {
        let mut both = Both::open(shop.clone(), token, "tok_visa").await;
        both.shop.at_the_gateway("/control", json!({ "webhooks_off": true })).await.expect(200);
        both.route(&["sandbox", "sandbox-2"]).await;
        let invoice = both.charge().await;
        let unknown = |shown: &Value| shown["attempt_count"] == 1 && shown["failure"]["class"] == "unknown";
        both.shop.until(&invoice, "of unknown outcome", unknown).await;
        assert_eq!(both.attempts(&invoice).await, ["sandbox unknown rule"]);
        assert!(both.second.journal(&invoice).await.is_empty(), "{token}");
        both.shop.at_the_gateway("/control", json!({ "webhooks_off": false })).await.expect(200);
        both.close().await;
    }
}

#[tokio::test]
async fn credentials_may_lie_in_a_secret_that_the_settings_refer_to() {
    let (shop, _stack) = alone().await;
    let mut both = Both::open(shop, "tok_visa", "tok_visa").await;
    both.route(&["sandbox-2"]).await;
    // A late webhook would meet the secret that nobody may read, and be logged as what a function lacks.
    both.second.at_the_gateway("/control", json!({ "webhooks_off": true })).await.expect(200);
    let right = json!({ "api_key": variable("SANDBOX_API_KEY"), "webhook_secrets": [] });
    for (folder, secret, code) in [
        ("fatura/gateways", json!({ "api_key": "another" }), json!("unauthorized")),
        ("fatura/gateways", right.clone(), Value::Null),
        ("elsewhere/gateways", right, json!("secrets_unavailable")),
    ] {
        let reference = keep_secret(folder, &secret).await;
        let mut settings =
            json!({ "enabled": true, "priority": 900, "payment_method_types": ["credit_card", "pix"] });
        settings["secret_ref"] = json!(reference);
        let put = both.shop.put("/v1/gateways/sandbox-2", settings).await.expect(200);
        assert_eq!(put["secret_ref"], reference.as_str());
        both.settled();
        let check = both.shop.post("/v1/gateways/sandbox-2/check", json!({})).await.expect(200);
        assert_eq!(check["code"], code, "{check}");
        if code.is_null() {
            let invoice = both.charge().await;
            both.second.assert_paid_once(&invoice).await;
        }
    }
    both.second.at_the_gateway("/control", json!({ "webhooks_off": false })).await.expect(200);
    both.close().await;
}
