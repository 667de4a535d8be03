use crate::world::{BY_OPERATOR, DAY, World, brl};
use fatura_domain::gateway::DisputeVerdict;
use serde_json::{Value, json};

fn contest(invoice: &str) -> String {
    format!("/v1/invoices/{invoice}/contest")
}

async fn disputes(world: &World, invoice: &str) -> Value {
    world.get(&format!("/v1/invoices/{invoice}/disputes")).await.expect(200)
}

#[tokio::test]
async fn a_payment_is_contested_and_lost() {
    let world = World::new().await;
    let invoice = world.paid().await;
    let body = json!({"reason": "not_received", "note": "nothing came"});
    let first = world.post_as("k", &contest(&invoice), body.clone()).await;
    let again = world.post_as("k", &contest(&invoice), body).await;
    assert_eq!((again.header("idempotent-replayed"), &again.text), ("true", &first.text));
    let protested = first.expect(202);
    assert_eq!(protested, world.show(&invoice).await);
    assert_eq!((&protested["status"], &protested["amount_paid"]), (&json!("in_protest"), &brl("122.05")));
    assert_eq!(
        protested["history"][3],
        json!({"status": "in_protest", "at": "2026-11-02T12:00:00.000Z", "cause": "contested", "by": BY_OPERATOR})
    );
    let listed = disputes(&world, &invoice).await;
    let id = listed["data"][0]["id"].clone();
    let mut dispute = json!({
        "id": id, "invoice_id": invoice, "amount": brl("122.05"), "status": "open", "opened_by": "contest",
        "reason": "not_received", "note": "nothing came", "gateway": "sandbox", "gateway_reference": null,
        "transaction_id": null, "created_at": "2026-11-02T12:00:00.000Z", "updated_at": "2026-11-02T12:00:00.000Z",
    });
    assert_eq!(listed, json!({"data": [dispute], "next_cursor": null}));

    world.gateway.disputes("dp_1", DisputeVerdict::Lost);
    world.pass(DAY).await;
    assert_eq!(world.show(&invoice).await["status"], "chargeback");
    let transactions = world
        .get(&format!("/v1/customers/{}/transactions", protested["customer_id"].as_str().unwrap()))
        .await;
    let transactions = transactions.expect(200);
    assert_eq!(transactions["data"][0]["type"], "chargeback");
    dispute["status"] = json!("lost");
    dispute["gateway_reference"] = json!("dp_1");
    dispute["transaction_id"] = transactions["data"][0]["id"].clone();
    dispute["updated_at"] = json!("2026-11-03T12:00:00.000Z");
    assert_eq!(disputes(&world, &invoice).await["data"], json!([dispute]));
}

#[tokio::test]
async fn what_was_won_is_paid_and_may_be_contested_again() {
    let world = World::new().await;
    let invoice = world.paid().await;
    world.post(&contest(&invoice), json!({"reason": "fraud"})).await.expect(202);
    world.gateway.disputes("dp_1", DisputeVerdict::Won);
    world.pass(DAY).await;
    assert_eq!(world.show(&invoice).await["status"], "paid");
    world.post(&contest(&invoice), json!({"reason": "duplicate", "note": null})).await.expect(202);

    let path = format!("/v1/invoices/{invoice}/disputes?limit=1");
    let newest = world.get(&path).await.expect(200);
    assert_eq!(newest["data"][0]["reason"], "duplicate");
    let next = newest["next_cursor"].as_str().unwrap();
    let oldest = world.get(&format!("{path}&cursor={next}")).await.expect(200);
    assert_eq!(
        (&oldest["data"][0]["status"], &oldest["data"][0]["transaction_id"]),
        (&json!("won"), &Value::Null)
    );
    assert_eq!(oldest["next_cursor"], Value::Null);
}

#[tokio::test]
async fn only_a_payment_can_be_contested() {
    let world = World::new().await;
    let customer = world.payer().await;
    let other = json!({"reason": "other"});
    let protested = world.paid().await;
    world.post(&contest(&protested), other.clone()).await.expect(202);
    let draft = world.invoice(&customer).await;
    let pending = world.invoice(&customer).await;
    world.charge(&pending).await.expect(202);
    for (invoice, status) in [(draft, "draft"), (pending, "pending"), (protested, "in_protest")] {
        let refused = world.post(&contest(&invoice), other.clone()).await;
        assert_eq!(refused.code(), (422, "failed_precondition"), "{status}");
        assert_eq!(refused.body["details"], json!({"status": status}));
    }
    let free = json!({
        "customer_id": customer, "currency": "BRL", "auto_charge": true,
        "items": [{"description": "Gift", "quantity": 1, "unit_price": 0}],
    });
    let free = world.post("/v1/invoices", free).await.expect(202)["id"].as_str().unwrap().to_owned();
    let refused = world.post(&contest(&free), other).await;
    assert_eq!(refused.code(), (422, "failed_precondition"));
    assert_eq!(
        (&refused.body["detail"], &refused.body["details"]),
        (&json!("nothing was charged for this invoice"), &json!({}))
    );
    assert_eq!(disputes(&world, &free).await, json!({"data": [], "next_cursor": null}));
}

#[tokio::test]
async fn every_fault_of_a_contest_is_named() {
    let world = World::new().await;
    let invoice = world.paid().await;
    let body = json!({"reason": "regret", "note": "x".repeat(501), "amount": "1.00"});
    assert_eq!(
        world.post(&contest(&invoice), body).await.faults(),
        [
            "reason must be one of: fraud, not_received, duplicate, other",
            "note must have at most 500 characters",
            "amount is not a member of this request",
        ]
    );
    assert_eq!(world.post(&contest(&invoice), json!({})).await.faults(), ["reason is required"]);
}
