use crate::world::{Says, World, plan};
use fatura_domain::charge::FailureClass;
use futures::future::join_all;
use http::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn the_same_request_twice_is_one_effect_and_one_answer() {
    let world = World::new().await;
    let customer = world.payer().await;
    let first = world.post_as("a key!", "/v1/customers", json!({})).await;
    assert_eq!(first.status, 422, "and a blank is not visible: {}", first.text);

    let first = world.post_as("k", "/v1/invoices", plan(&customer)).await;
    assert_eq!((first.status, first.header("idempotent-replayed")), (201, ""));
    world.wait(3_600);
    // The same said otherwise: members in another order, other blanks.
    let mut reordered = serde_json::Map::new();
    for name in ["items", "currency", "customer_id"] {
        reordered.insert(name.to_owned(), plan(&customer)[name].clone());
    }
    let again = world.post_as("k", "/v1/invoices", Value::Object(reordered)).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (201, "true"));
    assert_eq!(first.text, again.text);

    let mut other = plan(&customer);
    other["items"][0]["quantity"] = json!(2);
    let reused = world.post_as("k", "/v1/invoices", other.clone()).await;
    assert_eq!(reused.code(), (422, "idempotency_key_reused"));
    let elsewhere = json!({"name": "B", "email": "b@example.com"});
    world.post_as("k", "/v1/customers", elsewhere).await.expect(201);
    let list = world.get(&format!("/v1/invoices?customer_id={customer}")).await.expect(200);
    assert_eq!(list["data"].as_array().unwrap().len(), 1);

    world.wait(31 * 24 * 3_600);
    world.post_as("k", "/v1/invoices", other).await.expect(201);
}

/// Whoever asks again asks later, or on a machine whose clock is behind.
#[tokio::test]
async fn what_the_clock_would_refuse_by_now_is_answered_as_before() {
    let world = World::new().await;
    let mut scheduled = plan(&world.payer().await);
    scheduled["charge_at"] = json!("2026-11-02T12:10:00Z");
    let until_now =
        json!({"gateway": "sandbox", "from": "2026-11-01T00:00:00Z", "to": "2026-11-02T12:00:00Z"});
    let this_month = json!({"period": "2026-11"});
    let asked = [
        ("/v1/invoices", scheduled, 3_600),
        ("/v1/reconciliations", until_now, -7_200),
        ("/v1/billing-runs", this_month, -3 * 24 * 3_600),
    ];
    for (path, body, seconds) in asked {
        let first = world.post_as("k", path, body.clone()).await;
        assert!((200..300).contains(&first.status), "{path}: {}", first.text);
        world.wait(seconds);
        assert_eq!(world.post_as("other", path, body.clone()).await.status, 422, "{path}");
        let again = world.post_as("k", path, body).await;
        assert_eq!((again.status, &again.text), (first.status, &first.text), "{path}");
        assert_eq!(again.header("idempotent-replayed"), "true", "{path}");
    }
}

#[tokio::test]
async fn what_no_gateway_would_take_by_now_is_answered_as_before() {
    let world = World::new().await;
    let invoice = world.charged(&world.payer().await, Says::Declined(FailureClass::InsufficientFunds)).await;
    let path = format!("/v1/invoices/{invoice}/requeue");
    let first = world.post_as("k", &path, json!({})).await;
    assert_eq!(first.status, 202, "{}", first.text);
    world.collect_all().await;
    for (gateway, is_enabled) in [("other", true), ("sandbox", false)] {
        let used =
            json!({"enabled": is_enabled, "priority": 1, "payment_method_types": ["credit_card", "pix"]});
        world.change(Method::PUT, &format!("/v1/gateways/{gateway}"), None, used).await.expect(200);
    }
    world.wait(60);
    let refused = world.post_as("other", &path, json!({})).await;
    assert_eq!(refused.code(), (422, "failed_precondition"), "{}", refused.text);
    let again = world.post_as("k", &path, json!({})).await;
    assert_eq!((again.status, &again.text), (202, &first.text));
}

#[tokio::test]
async fn what_an_endpoint_did_before_it_was_removed_is_answered_as_before() {
    let world = World::new().await;
    let hook = json!({"url": "https://example.com/hook", "events": ["*"]});
    let endpoint =
        format!("/v1/webhook-endpoints/{}", world.post("/v1/webhook-endpoints", hook).await.created());
    let paths = ["test", "rotate-secret"].map(|verb| format!("{endpoint}/{verb}"));
    let mut granted = Vec::new();
    for path in &paths {
        let first = world.post_as("k", path, json!({})).await;
        assert!((200..300).contains(&first.status), "{path}: {}", first.text);
        granted.push(first.status);
    }
    world.delete(&endpoint).await.expect(204);
    for (path, status) in paths.iter().zip(granted) {
        assert_eq!(world.post_as("other", path, json!({})).await.status, 404, "{path}");
        let again = world.post_as("k", path, json!({})).await;
        assert_eq!(
            (again.status, again.header("idempotent-replayed")),
            (status, "true"),
            "{path}: {}",
            again.text
        );
    }
}

#[tokio::test]
async fn a_refusal_leaves_the_key_free() {
    let world = World::new().await;
    let customer = world.customer().await;
    let invoice = world.invoice(&customer).await;
    let path = format!("/v1/invoices/{invoice}/charge");
    assert_eq!(world.post_as("k", &path, json!({})).await.code(), (422, "no_payment_method"));
    let method = json!({"type": "pix", "key": "a@b.c"});
    world.post(&format!("/v1/customers/{customer}/payment-methods"), method).await.created();
    let charged = world.post_as("k", &path, json!({})).await;
    assert_eq!((charged.status, charged.header("idempotent-replayed")), (202, ""));
    let replayed = world.post_as("k", &path, json!({})).await;
    assert_eq!((replayed.status, replayed.header("idempotent-replayed")), (202, "true"));
    assert_eq!(replayed.text, charged.text, "though it could not be charged again");
}

#[tokio::test]
async fn of_twenty_charges_at_once_one_happens() {
    let world = World::new().await;
    let customer = world.payer().await;
    let invoice = world.invoice(&customer).await;
    let path = format!("/v1/invoices/{invoice}/charge");
    let answers = join_all((0..20).map(|_| world.post_as("k", &path, json!({})))).await;
    assert!(answers.iter().all(|answer| answer.status == 202 && answer.text == answers[0].text));
    assert_eq!(answers.iter().filter(|answer| answer.header("idempotent-replayed").is_empty()).count(), 1);
    assert_eq!(world.queue.take().len(), 1);

    let invoice = world.invoice(&customer).await;
    let path = format!("/v1/invoices/{invoice}/charge");
    let answers = join_all((0..20).map(|_| world.post(&path, json!({})))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 202).count(), 1);
    assert!(answers.iter().all(|a| a.status == 202 || a.code() == (422, "failed_precondition")));
    assert_eq!(world.queue.take().len(), 1);
}
