use crate::world::{BROKE, BY_OPERATOR, DAY, Says, World, steps};
use fatura_domain::charge::FailureClass;
use http::Method;
use serde_json::{Value, json};

const NO_MONEY: Says = Says::Declined(FailureClass::InsufficientFunds);

fn requeue(invoice: &str) -> String {
    format!("/v1/invoices/{invoice}/requeue")
}

#[tokio::test]
async fn a_failure_is_explained_requeued_and_paid() {
    let world = World::new().await;
    let invoice = world.charged(&world.payer().await, NO_MONEY).await;
    let failed = world.show(&invoice).await;
    assert_eq!((&failed["status"], &failed["attempt_count"]), (&json!("charged_with_error"), &json!(1)));
    assert_eq!(
        failed["failure"],
        json!({"class": "insufficient_funds", "code": "insufficient_funds", "message": "the bank said no"})
    );
    assert_eq!(failed["next_attempt_at"], "2026-11-05T12:00:00.000Z");
    assert_eq!(
        failed["next_action"],
        json!({"action": "retry", "at": "2026-11-05T12:00:00.000Z", "because": "insufficient_funds"})
    );

    world.wait(DAY);
    world.gateway.says(Says::Yes);
    let request = world.request(Method::POST, &requeue(&invoice)).header("Idempotency-Key", "k");
    let requeued = world.send(request, None).await.expect(202);
    assert_eq!(requeued, world.show(&invoice).await);
    assert_eq!((&requeued["status"], &requeued["next_attempt_at"]), (&json!("pending"), &Value::Null));
    assert_eq!(requeued["next_action"], json!({"action": "charge", "at": null, "because": null}));
    assert!(requeued.get("failure").is_none(), "{requeued}");
    assert_eq!(
        requeued["history"][3],
        json!({"status": "pending", "at": "2026-11-03T12:00:00.000Z", "cause": "requeued", "by": BY_OPERATOR})
    );
    let replayed = world.post_as("k", &requeue(&invoice), json!({})).await;
    assert_eq!(replayed.header("idempotent-replayed"), "true", "no body is as good as an empty object");
    assert_eq!(replayed.expect(202), requeued);

    world.collect_all().await;
    let paid = world.show(&invoice).await;
    assert_eq!((&paid["status"], &paid["next_action"]), (&json!("paid"), &Value::Null));
    assert_eq!(
        steps(&paid),
        ["created", "charge_requested", "charge_failed", "requeued", "charge_succeeded"]
    );
    world.pass(10 * DAY).await;
    assert_eq!(world.show(&invoice).await["attempt_count"], 2, "the retry that was due is void");
}

#[tokio::test]
async fn what_failed_is_charged_again_when_it_was_said() {
    let world = World::new().await;
    let invoice = world.charged(&world.payer().await, NO_MONEY).await;
    world.gateway.says(Says::Yes);
    world.pass(3 * DAY - 1).await;
    assert_eq!(world.show(&invoice).await["status"], "charged_with_error");
    world.pass(1).await;
    let paid = world.show(&invoice).await;
    assert_eq!(
        steps(&paid),
        ["created", "charge_requested", "charge_failed", "retry_due", "charge_succeeded"]
    );
    assert_eq!(
        paid["history"][3],
        json!({"status": "pending", "at": "2026-11-05T12:00:00.000Z", "cause": "retry_due", "by": null})
    );
}

#[tokio::test]
async fn the_same_requeue_twice_is_one() {
    let world = World::new().await;
    let customer = world.payer().await;
    let invoice = world.charged(&customer, NO_MONEY).await;
    let first = world.post_as("k", &requeue(&invoice), json!({})).await;
    let again = world.post_as("k", &requeue(&invoice), json!({})).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (202, "true"));
    assert_eq!(again.text, first.text);
    assert_eq!(world.queue.take().len(), 1);

    // It fails again, so that it could be requeued: the key still stands for what was done under it.
    let failing = world.charged(&customer, NO_MONEY).await;
    let first = world.post_as("f", &requeue(&failing), json!({})).await;
    world.collect_all().await;
    let again = world.post_as("f", &requeue(&failing), json!({})).await;
    assert_eq!((again.status, again.text), (202, first.text));
    assert!(world.queue.take().is_empty());
}

#[tokio::test]
async fn a_requeue_is_remembered_though_it_could_not_be_asked_for_now() {
    let world = World::new().await;
    let customer = world.payer().await;
    let invoice = world.charged(&customer, NO_MONEY).await;
    let first = world.post_as("k", &requeue(&invoice), json!({})).await;
    world.collect_all().await;
    let method = world.show(&invoice).await["payment_method_id"].as_str().unwrap().to_owned();
    assert_eq!(world.delete(&format!("/v1/customers/{customer}/payment-methods/{method}")).await.status, 204);
    let other = world.post(&requeue(&invoice), json!({})).await;
    assert_eq!(other.code(), (422, "no_payment_method"));
    let again = world.post_as("k", &requeue(&invoice), json!({})).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (202, "true"), "{}", again.text);
    assert_eq!(again.text, first.text);
}

#[tokio::test]
async fn only_what_failed_can_be_requeued() {
    let world = World::new().await;
    let customer = world.payer().await;
    let draft = world.invoice(&customer).await;
    let canceled = world.invoice(&customer).await;
    world.post(&format!("/v1/invoices/{canceled}/cancel"), json!({})).await.expect(200);
    let refunded = world.paid().await;
    world.post(&format!("/v1/invoices/{refunded}/refunds"), json!({})).await.expect(202);
    world.collect_all().await;
    let paid = world.paid().await;
    let protested = world.paid().await;
    world.post(&format!("/v1/invoices/{protested}/contest"), json!({"reason": "other"})).await.expect(202);
    let waiting = world.charged(&customer, Says::Pix).await;
    let unsent = world.charged(&customer, Says::NotSent).await;
    let unknown = world.charged(&customer, Says::Unknown).await;
    let pending = world.invoice(&customer).await;
    world.charge(&pending).await.expect(202);
    for (invoice, status) in [
        (draft, "draft"),
        (canceled, "canceled"),
        (refunded, "refunded"),
        (paid, "paid"),
        (protested, "in_protest"),
        (waiting, "pending"),
        (unsent, "pending"),
        (unknown, "pending"),
        (pending, "pending"),
    ] {
        let refused = world.post(&requeue(&invoice), json!({})).await;
        assert_eq!(refused.code(), (422, "failed_precondition"), "{status}");
        assert_eq!(refused.body["details"], json!({"status": status}));
        assert_eq!(refused.body["detail"], format!("an invoice that is {status} cannot be requeued"));
    }
    let unknown_member =
        world.post(&requeue("inv_0000000000000000000000000000"), json!({"force": true})).await;
    assert_eq!(unknown_member.faults(), ["force is not a member of this request"]);
    let nothing = world.post(&requeue("inv_0000000000000000000000000000"), json!({})).await;
    assert_eq!(nothing.code(), (404, "not_found"));
}

#[tokio::test]
async fn a_card_that_will_never_pay_is_replaced_and_charged_at_once() {
    let world = World::new().await;
    let customer = world.payer().await;
    let invoice = world.charged(&customer, Says::Declined(FailureClass::Hard)).await;
    let failed = world.show(&invoice).await;
    assert_eq!(failed["next_attempt_at"], Value::Null);
    assert_eq!(
        failed["next_action"],
        json!({"action": "await_payment_method", "at": null, "because": "hard"})
    );
    world.pass(30 * DAY).await;
    assert_eq!(world.show(&invoice).await["attempt_count"], 1, "it is never tried again by itself");

    world.gateway.says(Says::Yes);
    let card = world.add_card(&customer, "tok_new").await;
    let charged = world.show(&invoice).await;
    assert_eq!((&charged["status"], &charged["payment_method_id"]), (&json!("pending"), &json!(card)));
    assert_eq!(charged["history"][3]["cause"], "payment_method_changed");
    assert_eq!(charged["history"][3]["by"], BY_OPERATOR);
    world.collect_all().await;
    assert_eq!(world.show(&invoice).await["status"], "paid");
}

#[tokio::test]
async fn a_card_that_was_there_is_tried_when_it_becomes_the_default() {
    let world = World::new().await;
    let customer = world.payer().await;
    let path = format!("/v1/customers/{customer}/payment-methods");
    let other = world.post(&path, json!({"type": "pix", "key": "11222333003520"})).await.created();
    let invoice = world.charged(&customer, Says::Declined(FailureClass::Hard)).await;
    world.gateway.says(Says::Yes);
    world.post(&format!("{path}/{other}/default"), json!({})).await.expect(200);
    world.collect_all().await;
    let paid = world.show(&invoice).await;
    assert_eq!((&paid["status"], &paid["payment_method_id"]), (&json!("paid"), &json!(other)));
}

#[tokio::test]
async fn what_was_given_up_can_still_be_requeued() {
    let world = World::new().await;
    let customer = world.customer().await;
    world.add_card(&customer, BROKE).await;
    let invoice = world.charged(&customer, Says::Yes).await;
    for days in [3, 5, 7] {
        world.pass(days * DAY).await;
    }
    let failed = world.show(&invoice).await;
    assert_eq!(failed["attempt_count"], 4);
    assert_eq!(
        failed["next_action"],
        json!({"action": "give_up", "at": "2027-01-01T12:00:00.000Z", "because": "insufficient_funds"})
    );
    world.pass(60 * DAY).await;
    let ended = world.show(&invoice).await;
    assert_eq!((&ended["status"], &ended["next_action"]), (&json!("uncollectible"), &Value::Null));
    assert_eq!(ended["failure"]["class"], "insufficient_funds");

    let list =
        world.get("/v1/invoices?status=uncollectible&failure_class=insufficient_funds").await.expect(200);
    assert_eq!(list["data"], json!([ended]));
    let list = world.get("/v1/invoices?status=uncollectible&failure_class=hard").await.expect(200);
    assert_eq!(list["data"], json!([]));
    let path = format!("/v1/invoices?customer_id={customer}&failure_class=insufficient_funds");
    assert_eq!(world.get(&path).await.expect(200)["data"], json!([ended]));

    world.add_card(&customer, "tok_visa").await;
    world
        .delete(&format!(
            "/v1/customers/{customer}/payment-methods/{}",
            ended["payment_method_id"].as_str().unwrap()
        ))
        .await;
    assert_eq!(world.show(&invoice).await["status"], "uncollectible", "nothing is tried unasked");
    world.post(&requeue(&invoice), json!({})).await.expect(202);
    world.collect_all().await;
    assert_eq!(world.show(&invoice).await["status"], "paid");
}
