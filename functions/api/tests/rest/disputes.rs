use crate::world::{BY_OPERATOR, DAY, Says, World, brl};
use fatura_domain::charge::FailureClass;
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

#[tokio::test]
async fn several_cases_are_each_followed_to_their_end() {
    let world = World::new().await;
    let invoice = world.paid().await;
    world.post(&contest(&invoice), json!({"reason": "fraud"})).await.expect(202);
    world.gateway.disputes("dp_2", DisputeVerdict::Open);
    world.gateway.disputes("dp_1", DisputeVerdict::Lost);
    world.pass(DAY).await;
    let standings = async || {
        let listed = disputes(&world, &invoice).await;
        let standing = |one: &Value| (one["gateway_reference"].clone(), one["status"].clone());
        let mut standings: Vec<_> = listed["data"].as_array().unwrap().iter().map(standing).collect();
        standings.sort_by_key(|(case, _)| case.to_string());
        standings
    };
    let [first, second] = ["dp_1", "dp_2"].map(|case| json!(case));
    let expected = [(first.clone(), json!("lost")), (second.clone(), json!("open"))];
    assert_eq!(standings().await, expected, "the contest is the first of them");
    assert_eq!(world.show(&invoice).await["status"], "chargeback");

    world.gateway.disputes("dp_2", DisputeVerdict::Lost);
    world.pass(DAY).await;
    assert_eq!(standings().await, [(first, json!("lost")), (second, json!("lost"))]);
    assert_eq!(open_matters(&world).await, json!([]));
}

async fn open_matters(world: &World) -> Value {
    world.get("/v1/attention").await.expect(200)["data"].clone()
}

/// A bank's case of which its gateway tells nothing any more: the invoice and the matter.
async fn missed(world: &World) -> (String, Value) {
    let invoice = world.paid().await;
    world.post(&contest(&invoice), json!({"reason": "fraud"})).await.expect(202);
    world.gateway.disputes("dp_1", DisputeVerdict::Open);
    world.pass(DAY).await;
    world.gateway.forgets_case("dp_1");
    world.pass(DAY).await;
    let matters = open_matters(world).await;
    assert_eq!(matters.as_array().unwrap().len(), 1);
    (invoice, matters[0].clone())
}

#[tokio::test]
async fn how_a_case_ended_that_the_gateway_tells_nothing_of_a_person_says() {
    let world = World::new().await;
    let (invoice, matter) = missed(&world).await;
    assert_eq!(
        (&matter["kind"], &matter["invoice_id"], &matter["gateway_reference"]),
        (&json!("dispute_outcome_unknown"), &json!(invoice), &json!("dp_1"))
    );
    assert_eq!(matter["dispute_id"], disputes(&world, &invoice).await["data"][0]["id"]);
    assert_eq!(matter["amount"], brl("122.05"));
    world.pass(9 * DAY).await;
    assert_eq!(open_matters(&world).await, json!([matter]), "raised once");

    let close = format!("/v1/attention/{}/close", matter["id"].as_str().unwrap());
    let refused = world.post(&close, json!({"note": "asked the bank"})).await;
    assert_eq!(refused.code(), (422, "failed_precondition"));
    assert_eq!(refused.body["detail"], "its outcome has to be said: won, or lost");
    let bad = world.post(&close, json!({"outcome": "open"})).await;
    assert_eq!(bad.faults(), ["outcome must be one of: won, lost"]);
    let closed = world.post(&close, json!({"outcome": "lost", "note": "asked the bank"})).await.expect(200);
    assert_eq!((&closed["status"], &closed["closed_by"]), (&json!("closed"), &json!(BY_OPERATOR)));
    let shown = world.show(&invoice).await;
    assert_eq!(shown["status"], "chargeback");
    assert_eq!(shown["history"][4]["by"], BY_OPERATOR);
    let dispute = disputes(&world, &invoice).await["data"][0].clone();
    assert_eq!((&dispute["status"], dispute["transaction_id"].is_string()), (&json!("lost"), true));
    assert_eq!(
        world.post(&close, json!({"outcome": "won"})).await.expect(200),
        closed,
        "the first word stays"
    );
    assert_eq!(open_matters(&world).await, json!([]));
}

#[tokio::test]
async fn a_gateway_that_tells_of_the_case_again_is_believed() {
    let world = World::new().await;
    let (invoice, matter) = missed(&world).await;
    let close = format!("/v1/attention/{}/close", matter["id"].as_str().unwrap());
    world.post(&close, json!({"outcome": "won"})).await.expect(200);
    assert_eq!(world.show(&invoice).await["status"], "paid");
    world.post(&contest(&invoice), json!({"reason": "other"})).await.expect(202);
    world.gateway.disputes("dp_1", DisputeVerdict::Lost);
    world.pass(DAY).await;
    let listed = disputes(&world, &invoice).await;
    assert_eq!(
        (&listed["data"][0]["status"], &listed["data"][1]["status"]),
        (&json!("open"), &json!("lost"))
    );
    assert_eq!(world.show(&invoice).await["status"], "chargeback", "whatever the newer one may come to");
}

#[tokio::test]
async fn only_a_dispute_has_an_outcome() {
    let world = World::new().await;
    world.charged(&world.payer().await, Says::Declined(FailureClass::Configuration)).await;
    let id = open_matters(&world).await[0]["id"].as_str().unwrap().to_owned();
    let refused = world.post(&format!("/v1/attention/{id}/close"), json!({"outcome": "won"})).await;
    assert_eq!(refused.code(), (422, "failed_precondition"));
    assert_eq!(refused.body["detail"], "it has no outcome: only a dispute has");
    assert_eq!(open_matters(&world).await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_contest_in_vain_is_won_unless_a_person_says_otherwise() {
    for (body, status) in
        [(json!({}), "paid"), (json!({"outcome": "won"}), "paid"), (json!({"outcome": "lost"}), "chargeback")]
    {
        let world = World::new().await;
        let invoice = world.paid().await;
        world.post(&contest(&invoice), json!({"reason": "fraud"})).await.expect(202);
        world.pass(120 * DAY).await;
        let id = open_matters(&world).await[0]["id"].as_str().unwrap().to_owned();
        world.post(&format!("/v1/attention/{id}/close"), body).await.expect(200);
        assert_eq!(world.show(&invoice).await["status"], status);
    }
}

#[tokio::test]
async fn a_case_that_is_open_for_a_year_stays_on_the_list_until_the_bank_or_a_person_ends_it() {
    let world = World::new().await;
    let invoice = world.paid().await;
    world.post(&contest(&invoice), json!({"reason": "fraud"})).await.expect(202);
    world.gateway.disputes("dp_1", DisputeVerdict::Open);
    world.pass(DAY).await;
    world.pass(365 * DAY).await;
    let matter = open_matters(&world).await[0].clone();
    assert_eq!(matter["kind"], "dispute_outcome_unknown");
    world.pass(DAY).await;
    assert_eq!(open_matters(&world).await, json!([matter]), "nobody asks, and nothing is written");
}
