//! Wallets and the ledger: money that is moved at once, counted by the stream soon after, and proved by nobody's word.

use crate::client::{PATIENCE, Shop, id, shared};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

impl Shop {
    async fn move_money(&self, customer: &str, how: &str, amount: &str) -> u16 {
        let body = json!({"amount": {"amount": amount, "currency": "BRL"}});
        self.post(&format!("/v1/wallet/{customer}/{how}"), body).await.status
    }

    async fn holds(&self, customer: &str) -> Value {
        self.get(&format!("/v1/wallet/{customer}/balance")).await.expect(200)["balances"].clone()
    }

    async fn statement(&self, customer: &str) -> Value {
        self.get(&format!("/v1/ledger/{customer}?limit=100")).await.expect(200)
    }

    /// Until the relay has been told of every journal of the customer's.
    async fn until_sealed(&self, customer: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let shown = self.statement(customer).await;
            if shown["data"].as_array().unwrap().iter().all(|line| line["seal"].is_object()) {
                return shown;
            }
            assert!(Instant::now() < deadline, "not sealed: {shown}");
            sleep(std::time::Duration::from_millis(200)).await;
        }
    }

    async fn verified(&self, customer: &str) -> Value {
        self.post("/v1/ledger/verify", json!({"customer_id": customer})).await.expect(200)
    }
}

fn brl(amount: &str) -> Value {
    json!({"amount": amount, "currency": "BRL"})
}

#[tokio::test]
async fn a_wallet_gives_what_it_covers_however_many_ask_at_once() {
    let (shop, _stack) = shared().await;
    let customer = shop.customer().await;
    assert_eq!(shop.move_money(&customer, "credit", "9.00").await, 201);
    let debits =
        futures::future::join_all((0..10).map(|_| shop.move_money(&customer, "debit", "1.50"))).await;
    assert_eq!(debits.iter().filter(|status| **status == 201).count(), 6);
    assert_eq!(debits.iter().filter(|status| **status == 422).count(), 4);
    assert_eq!(shop.holds(&customer).await, json!([brl("0.00")]));
    let listed = shop.get(&format!("/v1/customers/{customer}/transactions?type=wallet")).await.expect(200);
    assert_eq!(listed["data"].as_array().unwrap().len(), 7);
}

#[tokio::test]
async fn what_was_moved_is_sealed_and_adds_up() {
    let (shop, _stack) = shared().await;
    let (ana, bea) = (shop.payer("tok_visa").await, shop.customer().await);
    let invoice = shop.invoice(&ana).await;
    shop.charge(&invoice).await.expect(202);
    shop.until_status(&invoice, "paid").await;
    assert_eq!(shop.move_money(&ana, "credit", "10.00").await, 201);
    let given = json!({"to_customer_id": bea, "amount": brl("4.00"), "reference": "for lunch"});
    let given = shop.post(&format!("/v1/wallet/{ana}/transfer"), given).await.expect(201);
    let undo = json!({"description": "lunch was cancelled", "reverses": id(&given)});
    shop.post("/v1/ledger", undo).await.expect(201);
    assert_eq!(
        (shop.holds(&ana).await, shop.holds(&bea).await),
        (json!([brl("10.00")]), json!([brl("0.00")]))
    );

    let statement = shop.until_sealed(&ana).await;
    let numbers: Vec<_> =
        statement["data"].as_array().unwrap().iter().map(|l| &l["seal"]["number"]).collect();
    assert_eq!(numbers.len(), 4);
    let closing = statement["closing"].as_array().unwrap();
    let has =
        |account: &str, amount: &str| closing.contains(&json!({"account": account, "balance": brl(amount)}));
    assert!(has("revenue", "122.05") && has("gateway_clearing:sandbox", "122.05"), "{statement}");
    assert!(has("bank", "10.00") && has(&format!("wallet:{ana}"), "10.00"), "{statement}");
    shop.until_sealed(&bea).await;
    for (customer, journals) in [(&ana, 4), (&bea, 2)] {
        let found = shop.verified(customer).await;
        assert_eq!((&found["findings"], &found["sealed"]), (&json!([]), &json!(journals)));
    }
    // Others' stories go on meanwhile: each journal is counted whole or not yet, so that it balances at any time.
    let trial = shop.get("/v1/ledger/trial-balance").await.expect(200);
    assert_eq!(trial["balanced"], true, "{trial}");
    let bank = shop.get("/v1/ledger/accounts/bank").await.expect(200);
    assert!(bank["data"].as_array().unwrap().iter().any(|account| account["currency"] == "BRL"));
}
