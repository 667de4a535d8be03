use crate::world::{Says, World, plan, steps};
use fatura_domain::charge::FailureClass;
use serde_json::{Value, json};

#[tokio::test]
async fn an_invoice_is_charged_and_paid() {
    let world = World::new().await;
    let customer = world.payer().await;
    let invoice = world.invoice(&customer).await;
    let pending = world.charge(&invoice).await.expect(202);
    assert_eq!((&pending["status"], &pending["version"]), (&json!("pending"), &json!(2)));
    world.collect().await;

    let paid = world.show(&invoice).await;
    assert_eq!(steps(&paid), ["created", "charge_requested", "charge_succeeded"]);
    assert_eq!(paid["amount_paid"], json!({"amount": "122.05", "currency": "BRL"}));
    assert_eq!((&paid["gateway"], &paid["gateway_reference"]), (&json!("sandbox"), &json!("ch_1")));
    let attempts = world.get(&format!("/v1/invoices/{invoice}/attempts")).await.expect(200);
    let key = format!("att_{}01", invoice.strip_prefix("inv_").unwrap());
    assert_eq!(
        attempts,
        json!({"next_cursor": null, "data": [{
            "id": key, "number": 1, "gateway": "sandbox", "payment_method_id": paid["payment_method_id"],
            "routing": {"by": "priority", "rule": null, "version": 0}, "status": "succeeded", "failure": null, "idempotency_key": key, "gateway_reference": "ch_1",
            "started_at": "2026-11-02T12:00:00.000Z", "finished_at": "2026-11-02T12:00:00.000Z",
        }]})
    );
    let transactions = world.get(&format!("/v1/customers/{customer}/transactions")).await.expect(200);
    let id = transactions["data"][0]["id"].clone();
    assert_eq!(
        transactions,
        json!({"next_cursor": null, "data": [{
            "id": id, "type": "charge", "status": "succeeded", "amount": {"amount": "122.05", "currency": "BRL"},
            "invoice_id": invoice, "attempt_id": key, "gateway": "sandbox", "gateway_reference": "ch_1",
            "payment_method_id": paid["payment_method_id"], "payment_method_type": "credit_card",
            "direction": null, "reference": null, "description": null,
            "items": ["Plan", "Seats"], "created_at": "2026-11-02T12:00:00.000Z",
        }]})
    );
    let again = world.charge(&invoice).await;
    assert_eq!(again.code(), (422, "failed_precondition"));
    assert_eq!(again.body["details"], json!({"status": "paid"}));
}

#[tokio::test]
async fn what_became_of_the_attempt_is_told() {
    for (says, status, attempt, class) in [
        (
            Says::Declined(FailureClass::InsufficientFunds),
            "charged_with_error",
            "declined",
            json!("insufficient_funds"),
        ),
        (Says::NotSent, "pending", "not_sent", json!("not_sent")),
        (Says::Unknown, "pending", "unknown", json!("unknown")),
        (Says::Pix, "pending", "pending", json!(null)),
        (Says::Redirect, "pending", "requires_action", json!(null)),
    ] {
        let world = World::new().await;
        let invoice = world.invoice(&world.payer().await).await;
        world.gateway.says(says);
        world.charge(&invoice).await.expect(202);
        world.collect().await;
        let shown = world.show(&invoice).await;
        assert_eq!(shown["status"], status, "{says:?}");
        assert_eq!(shown["failure"]["class"], class, "{says:?}");
        assert_eq!(
            shown["next_attempt_at"].is_string(),
            matches!(says, Says::NotSent | Says::Declined(_)),
            "{says:?}"
        );
        assert_eq!(shown["pix"]["emv"].is_string(), matches!(says, Says::Pix), "{says:?}");
        let attempts = world.get(&format!("/v1/invoices/{invoice}/attempts")).await.expect(200);
        assert_eq!(attempts["data"][0]["status"], attempt, "{says:?}");
        assert_eq!(attempts["data"].as_array().unwrap().len(), 1);
        assert_eq!(attempts["data"][0]["failure"]["class"], class);
    }
}

#[tokio::test]
async fn it_may_be_charged_as_it_is_created_or_later() {
    let world = World::new().await;
    let customer = world.payer().await;
    let with = |name: &str, value: Value| {
        let mut body = plan(&customer);
        body[name] = value;
        body
    };
    let now = world.post("/v1/invoices", with("auto_charge", json!(true))).await.expect(202);
    assert_eq!((&now["status"], &now["next_attempt_at"]), (&json!("pending"), &Value::Null));
    assert_eq!(world.queue.take().len(), 1);
    let at = json!("2026-11-03T09:00:00-03:00");
    let later = world.post("/v1/invoices", with("charge_at", at)).await.expect(201);
    assert_eq!(
        (&later["status"], &later["next_attempt_at"]),
        (&json!("pending"), &json!("2026-11-03T12:00:00.000Z"))
    );
    assert_eq!(steps(&later), ["created", "scheduled"]);
    assert!(world.queue.take().is_empty());
    let past = world.post("/v1/invoices", with("charge_at", json!("2026-11-02T12:00:00Z"))).await;
    assert_eq!(past.faults(), ["charge_at must be in the future"]);
}

#[tokio::test]
async fn what_cannot_be_charged_is_said_so() {
    let world = World::new().await;
    let customer = world.customer().await;
    let invoice = world.invoice(&customer).await;
    assert_eq!(world.charge(&invoice).await.code(), (422, "no_payment_method"));
    let free = json!({
        "customer_id": customer, "currency": "BRL", "items": [{"description": "Gift", "quantity": 1, "unit_price": 0}],
    });
    let free = world.post("/v1/invoices", free).await.created();
    let paid = world.charge(&free).await.expect(202);
    assert_eq!(
        (&paid["status"], steps(&paid)),
        (&json!("paid"), vec!["created", "charge_requested", "nothing_to_pay"])
    );
    let unknown = world.post("/v1/invoices", plan("cus_000000000000")).await;
    assert_eq!(unknown.code(), (404, "not_found"));
}

#[tokio::test]
async fn cancelling_waits_for_whoever_has_the_money_in_hand() {
    let world = World::new().await;
    let customer = world.payer().await;
    let cancel = |invoice: &str| format!("/v1/invoices/{invoice}/cancel");
    let draft = world.invoice(&customer).await;
    let bare = world.request(http::Method::POST, &cancel(&draft));
    assert_eq!(
        world.send(bare, None).await.expect(200)["status"],
        "canceled",
        "without a key and without a body"
    );
    let again = world.post(&cancel(&draft), json!({})).await;
    assert_eq!(
        (again.code(), &again.body["details"]["status"]),
        ((422, "failed_precondition"), &json!("canceled"))
    );

    let waiting = world.invoice(&customer).await;
    world.gateway.says(Says::Pix);
    world.charge(&waiting).await.expect(202);
    world.collect().await;
    assert_eq!(world.post(&cancel(&waiting), json!({})).await.expect(202)["status"], "pending");
    assert_eq!(world.post(&cancel(&waiting), json!({})).await.expect(202)["status"], "pending");
    world.collect().await;
    assert_eq!(world.show(&waiting).await["status"], "canceled");
    let attempts = world.get(&format!("/v1/invoices/{waiting}/attempts")).await.expect(200);
    assert_eq!(attempts["data"][0]["status"], "voided");
}
