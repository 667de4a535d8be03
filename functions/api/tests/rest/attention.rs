use crate::world::{BY_OPERATOR, DAY, Says, World, attempt_of, brl, steps};
use fatura_domain::charge::FailureClass;
use fatura_domain::money::{Currency, Money};
use serde_json::{Value, json};

fn resolve(invoice: &str) -> String {
    format!("/v1/attempts/{}/resolve", attempt_of(invoice, 1))
}

async fn open(world: &World) -> Value {
    world.get("/v1/attention").await.expect(200)["data"].clone()
}

#[tokio::test]
async fn an_outcome_that_nobody_knows_is_a_persons_to_decide() {
    let world = World::new().await;
    let invoice = world.lost(&world.payer().await).await;
    let id = attempt_of(&invoice, 1).replace("att_", "atn_att_");
    let matter = json!({
        "id": id, "kind": "unknown_outcome", "status": "open",
        "detail": "the gateway has not said what became of the charge: no answer",
        "invoice_id": invoice, "bill_id": null, "attempt_id": attempt_of(&invoice, 1), "refund_id": null, "dispute_id": null,
        "amount": brl("122.05"), "gateway": "sandbox", "gateway_reference": null,
        "raised_at": "2026-11-07T13:06:00.000Z", "closed_at": null, "closed_by": null, "note": null,
    });
    let list = world.get("/v1/attention?kind=unknown_outcome&limit=1").await.expect(200);
    assert_eq!(list, json!({"data": [matter], "next_cursor": null}));
    assert_eq!(world.get(&format!("/v1/attention/{id}")).await.expect(200), matter);
    let waiting = world.show(&invoice).await;
    assert_eq!((&waiting["status"], &waiting["attempt_count"]), (&json!("pending"), &json!(1)));
    assert_eq!(waiting["next_action"], json!({"action": "await_operator", "at": null, "because": "unknown"}));
    let hidden = world.post(&format!("/v1/attention/{id}/close"), json!({})).await;
    assert_eq!(hidden.code(), (422, "failed_precondition"), "the invoice would wait for ever");
    assert_eq!(hidden.body["detail"], "it ends when its attempt is resolved");

    let charged =
        json!({"outcome": "charged", "gateway_reference": "ch_9", "note": "seen in their dashboard"});
    let first = world.post_as("k", &resolve(&invoice), charged.clone()).await;
    let again = world.post_as("k", &resolve(&invoice), charged.clone()).await;
    assert_eq!((again.header("idempotent-replayed"), &again.text), ("true", &first.text));
    let paid = first.expect(200);
    assert_eq!(paid, world.show(&invoice).await);
    assert_eq!((&paid["status"], &paid["gateway_reference"]), (&json!("paid"), &json!("ch_9")));
    assert_eq!(paid["amount_paid"], brl("122.05"));
    assert_eq!(
        paid["history"][2],
        json!({"status": "paid", "at": "2026-11-07T13:06:00.000Z", "cause": "charge_succeeded", "by": BY_OPERATOR})
    );
    assert_eq!(open(&world).await, json!([]));
    let mut closed = matter;
    for (name, value) in [
        ("status", "closed"),
        ("closed_at", "2026-11-07T13:06:00.000Z"),
        ("closed_by", BY_OPERATOR),
        ("note", "seen in their dashboard"),
    ] {
        closed[name] = json!(value);
    }
    assert_eq!(world.get(&format!("/v1/attention/{id}")).await.expect(200), closed);

    let late = world.post(&resolve(&invoice), charged).await;
    assert_eq!(late.code(), (422, "failed_precondition"));
    assert_eq!(late.body["details"], json!({"status": "paid"}));
}

#[tokio::test]
async fn where_nothing_was_charged_it_can_be_tried_again() {
    let world = World::new().await;
    let invoice = world.lost(&world.payer().await).await;
    let failed = world.post(&resolve(&invoice), json!({"outcome": "not_charged"})).await.expect(200);
    assert_eq!((&failed["status"], &failed["attempt_count"]), (&json!("charged_with_error"), &json!(1)));
    assert_eq!(
        failed["failure"],
        json!({
            "class": "unknown", "code": "resolved_as_not_charged", "message": "an operator found nothing charged",
        })
    );
    assert_eq!(
        failed["next_action"],
        json!({"action": "give_up", "at": "2027-01-01T12:00:00.000Z", "because": "unknown"})
    );
    assert_eq!(open(&world).await, json!([]));
    let attempts = world.get(&format!("/v1/invoices/{invoice}/attempts")).await.expect(200);
    assert_eq!(attempts["data"][0]["status"], "not_sent");

    world.gateway.says(Says::Yes);
    world.post(&format!("/v1/invoices/{invoice}/requeue"), json!({})).await.expect(202);
    world.collect_all().await;
    assert_eq!(
        steps(&world.show(&invoice).await),
        ["created", "charge_requested", "charge_failed", "requeued", "charge_succeeded"]
    );
}

#[tokio::test]
async fn only_what_is_unknown_can_be_resolved() {
    let world = World::new().await;
    let customer = world.payer().await;
    let not_charged = json!({"outcome": "not_charged"});
    let draft = world.invoice(&customer).await;
    let paid = world.paid().await;
    let waiting = world.charged(&customer, Says::Pix).await;
    let unsent = world.charged(&customer, Says::NotSent).await;
    let failed = world.charged(&customer, Says::Declined(FailureClass::Generic)).await;
    for (invoice, status) in [
        (draft, "draft"),
        (paid, "paid"),
        (waiting, "pending"),
        (unsent, "pending"),
        (failed, "charged_with_error"),
    ] {
        let refused = world.post(&resolve(&invoice), not_charged.clone()).await;
        assert_eq!(refused.code(), (422, "failed_precondition"), "{status}");
        assert_eq!(refused.body["details"], json!({"status": status}));
        assert_eq!(refused.body["detail"], "only an attempt whose outcome is unknown can be resolved");
    }
    let unknown = world.charged(&customer, Says::Unknown).await;
    let other = format!("/v1/attempts/{}/resolve", attempt_of(&unknown, 2));
    assert_eq!(world.post(&other, not_charged.clone()).await.code(), (422, "failed_precondition"));
    let early = world.post(&resolve(&unknown), not_charged.clone()).await.expect(200);
    assert_eq!(early["status"], "charged_with_error", "whoever knows need not wait for the last look-up");
    for nobody in ["att_000000000000000000000000000001", "att_1", &customer] {
        let path = format!("/v1/attempts/{nobody}/resolve");
        assert_eq!(world.post(&path, not_charged.clone()).await.code(), (404, "not_found"), "{nobody}");
    }
}

#[tokio::test]
async fn every_fault_of_a_resolution_is_named() {
    let world = World::new().await;
    let path = resolve("inv_0000000000000000000000000000");
    for (body, faults) in [
        (json!({}), vec!["outcome is required"]),
        (json!({"outcome": "charged"}), vec!["gateway_reference is required where the gateway charged"]),
        (
            json!({"outcome": "not_charged", "gateway_reference": "ch_1"}),
            vec!["gateway_reference names a charge, and there is none"],
        ),
        (
            json!({"outcome": "paid", "gateway_reference": "", "note": "x".repeat(501), "amount": 1}),
            vec![
                "outcome must be one of: charged, not_charged",
                "gateway_reference must not be empty",
                "note must have at most 500 characters",
                "amount is not a member of this request",
            ],
        ),
    ] {
        assert_eq!(world.post(&path, body).await.faults(), faults);
    }
}

#[tokio::test]
async fn another_amount_can_only_go_back() {
    let world = World::new().await;
    let short = Money::parse("100.00", Currency::BRL).unwrap();
    let invoice = world.charged(&world.payer().await, Says::Captured(short)).await;
    let matter = &open(&world).await[0];
    assert_eq!((&matter["kind"], &matter["gateway_reference"]), (&json!("amount_mismatch"), &json!("ch_1")));
    assert_eq!(matter["detail"], "the gateway captured 100.00 instead of 122.05");
    assert_eq!(
        world.show(&invoice).await["next_action"],
        json!({"action": "await_operator", "at": null, "because": "amount_mismatch"})
    );
    let charged = json!({"outcome": "charged", "gateway_reference": "ch_1"});
    let refused = world.post(&resolve(&invoice), charged).await;
    assert_eq!((refused.code(), &refused.body["details"]), ((422, "failed_precondition"), &json!({})));

    world.gateway.says(Says::Yes);
    world.post(&resolve(&invoice), json!({"outcome": "not_charged"})).await.expect(200);
    world.collect_all().await;
    let shown = world.show(&invoice).await;
    assert_eq!((&shown["status"], &shown["amount_paid"]), (&json!("charged_with_error"), &brl("0.00")));
    let refunds = world.get(&format!("/v1/invoices/{invoice}/refunds")).await.expect(200);
    assert_eq!(
        (&refunds["data"][0]["status"], &refunds["data"][0]["amount"]),
        (&json!("succeeded"), &brl("100.00"))
    );
}

#[tokio::test]
async fn a_matter_is_closed_once_with_the_first_word() {
    let world = World::new().await;
    let customer = world.payer().await;
    let invoice = world.charged(&customer, Says::Declined(FailureClass::Configuration)).await;
    world.wait(60);
    let second = world.charged(&customer, Says::Declined(FailureClass::CurrencyMismatch)).await;
    let page = world.get("/v1/attention?limit=1").await.expect(200);
    let matter = page["data"][0].clone();
    assert_eq!(
        (&matter["kind"], &matter["invoice_id"], &matter["detail"]),
        (&json!("cannot_charge"), &json!(invoice), &json!("configuration: the bank said no"))
    );
    let next = format!("/v1/attention?limit=1&cursor={}", page["next_cursor"].as_str().unwrap());
    assert_eq!(world.get(&next).await.expect(200)["data"][0]["invoice_id"], json!(second), "oldest first");
    assert_eq!(world.get("/v1/attention?kind=refund_failed").await.expect(200)["data"], json!([]));

    let path = format!("/v1/attention/{}", matter["id"].as_str().unwrap());
    let closed =
        world.post(&format!("{path}/close"), json!({"note": "the account was set up"})).await.expect(200);
    assert_eq!((&closed["status"], &closed["closed_by"]), (&json!("closed"), &json!(BY_OPERATOR)));
    assert_eq!(
        (&closed["closed_at"], &closed["note"]),
        (&json!("2026-11-02T12:01:00.000Z"), &json!("the account was set up"))
    );
    world.wait(60);
    let bare = world.request(http::Method::POST, &format!("{path}/close"));
    assert_eq!(world.send(bare, None).await.expect(200), closed, "without a key and without a body");
    assert_eq!(world.get(&path).await.expect(200), closed);
    assert_eq!(open(&world).await.as_array().unwrap().len(), 1);
    let bad = world.post(&format!("{path}/close"), json!({"note": "", "status": "closed"})).await;
    assert_eq!(bad.faults(), ["note must not be empty", "status is not a member of this request"]);
    assert_eq!(world.post("/v1/attention/atn_0/close", json!({})).await.code(), (404, "not_found"));
}

#[tokio::test]
async fn what_ends_by_itself_is_closed_by_itself() {
    let world = World::new().await;
    let invoice = world.charged(&world.payer().await, Says::Declined(FailureClass::Configuration)).await;
    let id = open(&world).await[0]["id"].as_str().unwrap().to_owned();
    world.gateway.says(Says::Yes);
    world.wait(DAY);
    world.post(&format!("/v1/invoices/{invoice}/requeue"), json!({})).await.expect(202);
    assert_eq!(open(&world).await, json!([]));
    let closed = world.get(&format!("/v1/attention/{id}")).await.expect(200);
    assert_eq!(
        (&closed["status"], &closed["closed_at"], &closed["closed_by"], &closed["note"]),
        (&json!("closed"), &json!("2026-11-03T12:00:00.000Z"), &Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn a_refund_that_failed_says_which() {
    let world = World::new().await;
    let invoice = world.paid().await;
    world.gateway.says(Says::Unknown);
    let refund = world.post(&format!("/v1/invoices/{invoice}/refunds"), json!({})).await.expect(202);
    world.collect_all().await;
    let matter = &open(&world).await[0];
    assert_eq!((&matter["kind"], &matter["refund_id"]), (&json!("refund_failed"), &refund["id"]));
    assert_eq!((&matter["attempt_id"], &matter["amount"]), (&Value::Null, &brl("122.05")));
}
