//! A buyer, two merchants and a platform that keeps a fee, on the deployed stack: by card, from the wallet, given back, paid out.

use crate::client::{PATIENCE, Shop, id, shared, unique};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

fn brl(amount: &str) -> Value {
    json!({"amount": amount, "currency": "BRL"})
}

impl Shop {
    /// Of its own fees, so that no other story's are in the way.
    async fn merchant(&self, name: &str) -> String {
        let email = format!("{}@shops.example.com", unique(name));
        let body = json!({"name": "Shop", "email": email, "kind": "merchant"});
        let merchant = id(&self.post("/v1/customers", body).await.expect(201));
        let fees = json!({"rate": "0.029", "fixed": [brl("0.30")]});
        self.put(&format!("/v1/customers/{merchant}/fees"), fees).await.expect(200);
        merchant
    }

    async fn order(&self, buyer: &str, merchant: &str, price: &str) -> String {
        let items = [json!({"description": "Cup", "quantity": 1, "unit_price": price})];
        let body = json!({"buyer_id": buyer, "merchant_id": merchant, "currency": "BRL", "items": items});
        id(&self.post("/v1/orders", body).await.expect(201))
    }

    async fn in_wallet(&self, customer: &str) -> Value {
        self.get(&format!("/v1/wallet/{customer}/balance")).await.expect(200)["balances"].clone()
    }

    async fn until_payment(&self, payment: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let shown = self.get(&format!("/v1/payments/{payment}")).await.expect(200);
            if is_so(&shown) {
                return shown;
            }
            assert!(Instant::now() < deadline, "{shown}");
            sleep(std::time::Duration::from_millis(200)).await;
        }
    }

    async fn adds_up(&self, customers: &[&str]) {
        for customer in customers {
            let body = json!({"customer_id": customer});
            let found = self.post("/v1/ledger/verify", body).await.expect(200);
            assert_eq!(found["findings"], json!([]), "{customer}");
        }
        let trial = self.get("/v1/ledger/trial-balance").await.expect(200);
        assert_eq!(trial["balanced"], true, "{trial}");
    }
}

#[tokio::test]
async fn a_market_day() {
    let (shop, _stack) = shared().await;
    let ana = shop.payer("tok_visa").await;
    let (one, two) = (shop.merchant("one").await, shop.merchant("two").await);
    let orders = [
        shop.order(&ana, &one, "70.00").await,
        shop.order(&ana, &two, "30.00").await,
        shop.order(&ana, &one, "0.55").await,
    ];
    let made = shop.post("/v1/payments", json!({"order_ids": orders})).await.expect(202);
    let payment = id(&made);
    let paid = shop.until_payment(&payment, |shown| shown["status"] == "paid").await;
    assert_eq!((&paid["amount_paid"], &paid["attempts"][0]["status"]), (&brl("100.55"), &json!("succeeded")));
    assert_eq!(
        (shop.in_wallet(&one).await, shop.in_wallet(&two).await),
        (json!([brl("67.90")]), json!([brl("28.83")]))
    );
    let order = shop.get(&format!("/v1/orders/{}", orders[0])).await.expect(200);
    assert_eq!((&order["status"], &order["payment_id"]), (&json!("paid"), &json!(payment)));
    shop.adds_up(&[&ana, &one, &two]).await;

    let path = format!("/v1/refunds/{payment}");
    shop.post(&path, json!({"amount": "33.33"})).await.expect(202);
    shop.until_payment(&payment, |shown| shown["amount_refunded"] == brl("33.33")).await;
    assert_eq!(
        (shop.in_wallet(&one).await, shop.in_wallet(&two).await),
        (json!([brl("45.39")]), json!([brl("19.27")]))
    );

    let credit = json!({"amount": brl("50.00")});
    shop.post(&format!("/v1/wallet/{ana}/credit"), credit).await.expect(201);
    let order = shop.order(&ana, &two, "50.00").await;
    let by_wallet = json!({"order_ids": [order], "source": {"wallet": true}});
    let by_wallet = shop.post("/v1/payments", by_wallet).await.expect(202);
    assert_eq!(by_wallet["status"], "paid");
    assert_eq!(
        (shop.in_wallet(&ana).await, shop.in_wallet(&two).await),
        (json!([brl("0.00")]), json!([brl("67.52")]))
    );
    let more = json!({"order_ids": [shop.order(&ana, &two, "0.01").await], "source": {"wallet": true}});
    let refused = shop.post("/v1/payments", more).await;
    assert_eq!((refused.status, &refused.body["code"]), (422, &json!("insufficient_funds")));
    let back = shop.post(&format!("/v1/refunds/{}", id(&by_wallet)), json!({})).await.expect(202);
    assert_eq!(back["status"], "succeeded");
    assert_eq!(shop.in_wallet(&ana).await, json!([brl("50.00")]));

    let payout = json!({"amount": brl("45.39"), "reference": "payout"});
    shop.post(&format!("/v1/wallet/{one}/debit"), payout).await.expect(201);
    shop.post(&path, json!({})).await.expect(202);
    let end = shop.until_payment(&payment, |shown| shown["status"] == "refunded").await;
    assert_eq!(end["refunds"].as_array().unwrap().len(), 2);
    assert_eq!(
        (shop.in_wallet(&one).await, shop.in_wallet(&two).await),
        (json!([brl("0.00")]), json!([brl("0.00")]))
    );
    let open = shop.get("/v1/attention?kind=merchant_not_settled&limit=100").await.expect(200);
    let owed = format!("{one} owes 45.39, which its wallet didn't have");
    assert!(
        open["data"].as_array().unwrap().iter().any(|matter| matter["detail"] == owed.as_str()),
        "{open}"
    );
    shop.adds_up(&[&ana, &one, &two]).await;
}
