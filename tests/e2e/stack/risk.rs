//! What the risk rules hold, release and decline, on the deployed stack.

use crate::client::{Shop, alone};
use crate::days::Days;
use serde_json::{Value, json};

/// A shop whose rules are about one customer, so that nobody else's charges are judged.
struct Judged {
    shop: Shop,
    days: Days,
    customer: String,
}

impl Judged {
    async fn open(expression: &str, decision: &str) -> (Self, tokio::sync::RwLockWriteGuard<'static, ()>) {
        let (shop, stack) = alone().await;
        let customer = shop.payer("tok_visa").await;
        let mut judged = Self { shop, days: Days::none(), customer };
        let expression = format!("customer.id == '{}' && ({expression})", judged.customer);
        let rules = json!([{ "name": "about_one", "expression": expression, "decision": decision }]);
        judged.put(json!({ "rules": rules })).await;
        (judged, stack)
    }

    async fn put(&mut self, rules: Value) {
        self.shop.put("/v1/risk-rules", rules).await.expect(200);
        // Every function has read what is in force by now, whatever time another test had set.
        let second = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() % 1_000;
        self.days.pass_unseen(31 + 60 * i64::try_from(second).unwrap());
    }

    async fn charge(&self) -> String {
        let invoice = self.shop.invoice(&self.customer).await;
        self.shop.charge(&invoice).await.expect(202);
        invoice
    }

    async fn close(mut self) {
        self.put(json!({ "rules": [] })).await;
    }
}

#[tokio::test]
async fn a_review_is_held_and_released() {
    let (judged, _stack) = Judged::open("amount.minor > 1", "review").await;
    let shop = &judged.shop;
    let [released, rejected] = [judged.charge().await, judged.charge().await];
    for invoice in [&released, &rejected] {
        let held = shop.until(invoice, "held", |shown| shown["risk"]["decision"] == "review").await;
        assert_eq!(
            (&held["status"], &held["risk"]["reasons"]),
            (&json!("pending"), &json!(["about_one:review"]))
        );
        assert!(shop.journal(invoice).await.is_empty(), "no gateway has seen it");
        shop.attention("risk_review", invoice).await;
    }
    let review = async |invoice: &str, decision: &str| {
        let body = json!({ "decision": decision, "note": "called the customer" });
        shop.post(&format!("/v1/invoices/{invoice}/review"), body).await.expect(200)
    };
    review(&released, "approve").await;
    shop.assert_paid_once(&released).await;
    assert_eq!(shop.attempts(&released).await[0]["risk"]["review"]["decision"], "approve");
    assert_eq!(review(&rejected, "reject").await["failure"]["code"], "risk_rejected");
    assert!(shop.journal(&rejected).await.is_empty());
    judged.close().await;
}

#[tokio::test]
async fn velocity_lets_so_many_through_and_no_more() {
    let (judged, _stack) = Judged::open("velocity.attempts_hour > 3", "decline").await;
    let shop = &judged.shop;
    let mut invoices = Vec::new();
    for _ in 0..6 {
        invoices.push(judged.charge().await);
    }
    let mut paid = 0;
    for invoice in &invoices {
        let settled = shop.until(invoice, "settled", |shown| shown["status"] != "pending").await;
        if settled["status"] == "paid" {
            paid += 1;
            continue;
        }
        assert_eq!(settled["failure"]["code"], "risk_declined");
        assert!(shop.journal(invoice).await.is_empty());
    }
    assert_eq!(paid, 3);
    let body = json!({ "customer_id": judged.customer, "amount": { "amount": "1.00", "currency": "BRL" } });
    assert_eq!(shop.post("/v1/risk", body).await.expect(200)["decision"], "decline");
    judged.close().await;
}
