use crate::world::{Says, World, brl};
use fatura_domain::SignedDuration;
use fatura_domain::charge::FailureClass;
use futures::future::join_all;
use serde_json::json;

#[tokio::test]
async fn a_part_and_then_the_rest_go_back() {
    let world = World::new().await;
    let invoice = world.paid().await;
    let path = format!("/v1/invoices/{invoice}/refunds");
    let part =
        world.post(&path, json!({"amount": brl("22.05"), "reason": "one seat too many"})).await.expect(202);
    assert_eq!((&part["status"], &part["amount"]), (&json!("pending"), &brl("22.05")));
    world.collect().await;
    let shown = world.show(&invoice).await;
    assert_eq!((&shown["status"], &shown["amount_refunded"]), (&json!("paid"), &brl("22.05")));

    let rest = world.post(&path, json!({})).await.expect(202);
    assert_eq!(rest["amount"], brl("100.00"));
    world.collect().await;
    let shown = world.show(&invoice).await;
    assert_eq!((&shown["status"], &shown["amount_refunded"]), (&json!("refunded"), &brl("122.05")));

    let listed = world.get(&path).await.expect(200);
    let statuses: Vec<_> =
        listed["data"].as_array().unwrap().iter().map(|refund| &refund["status"]).collect();
    assert_eq!(statuses, ["succeeded", "succeeded"]);
    assert_eq!(listed["data"][1]["reason"], "one seat too many");
    assert_eq!(listed["data"][1]["gateway_reference"], "re_1");
    assert_eq!(world.post(&path, json!({})).await.code(), (422, "failed_precondition"));
}

#[tokio::test]
async fn an_amount_may_be_a_bare_decimal_of_the_invoices_currency() {
    let world = World::new().await;
    let path = format!("/v1/invoices/{}/refunds", world.paid().await);
    for amount in [json!("1.50"), json!(1.5)] {
        assert_eq!(world.post(&path, json!({"amount": amount})).await.expect(202)["amount"], brl("1.50"));
    }
}

#[tokio::test]
async fn what_cannot_go_back_is_said_so() {
    let world = World::new().await;
    let invoice = world.paid().await;
    let path = format!("/v1/invoices/{invoice}/refunds");
    for amount in [
        json!("122.06"),
        json!("0"),
        json!("-1"),
        json!("1.005"),
        json!("x"),
        json!(true),
        json!({"amount": "1.00"}),
        json!({"amount": "1.00", "currency": "USD"}),
        json!({"amount": "1.00", "currency": "BRL", "note": 1}),
        json!({"amount": null, "currency": "BRL"}),
    ] {
        let answer = world.post(&path, json!({"amount": amount})).await;
        assert_eq!(answer.code(), (422, "invalid_argument"), "{amount}");
        assert_eq!(answer.body["details"]["errors"][0]["field"], "amount");
    }
    let draft = world.invoice(&world.payer().await).await;
    let answer = world.post(&format!("/v1/invoices/{draft}/refunds"), json!({})).await;
    assert_eq!(answer.code(), (422, "failed_precondition"));
    assert_eq!(answer.body["details"]["status"], "draft");

    world.clock.advance(SignedDuration::from_hours(7 * 24) + SignedDuration::from_secs(1));
    assert_eq!(world.post(&path, json!({})).await.code(), (422, "failed_precondition"), "a second too late");
}

#[tokio::test]
async fn a_refusal_of_the_gateway_is_told_and_leaves_the_money_where_it_is() {
    let world = World::new().await;
    let invoice = world.paid().await;
    let path = format!("/v1/invoices/{invoice}/refunds");
    world.gateway.says(Says::Declined(FailureClass::Generic));
    world.post(&path, json!({})).await.expect(202);
    world.collect().await;
    let refund = &world.get(&path).await.expect(200)["data"][0];
    assert_eq!((&refund["status"], &refund["failure"]["code"]), (&json!("failed"), &json!("refund_failed")));
    assert_eq!(world.show(&invoice).await["amount_refunded"], brl("0.00"));
    world.post(&path, json!({})).await.expect(202);
}

/// Invariant: refunded + being refunded ≤ paid, however many ask at once.
#[tokio::test]
async fn fifty_at_once_never_give_back_more_than_came() {
    let world = World::new().await;
    let invoice = world.paid().await;
    let path = format!("/v1/invoices/{invoice}/refunds");
    let asked = join_all((0..50).map(|_| world.post(&path, json!({"amount": brl("10.00")})))).await;
    let taken = asked.iter().filter(|answer| answer.status == 202).count();
    assert!((1..=12).contains(&taken), "{taken} refunds of 10.00 out of 122.05");
    assert!(asked.iter().all(|answer| [202, 409, 422].contains(&answer.status)));
    world.collect().await;
    let back = format!("{}.00", taken * 10);
    assert_eq!(world.show(&invoice).await["amount_refunded"], brl(&back));
}

#[tokio::test]
async fn the_same_refund_twice_is_one() {
    let world = World::new().await;
    let path = format!("/v1/invoices/{}/refunds", world.paid().await);
    let first = world.post_as("refund-1", &path, json!({"amount": brl("1.00")})).await;
    let again = world.post_as("refund-1", &path, json!({"amount": brl("1.00")})).await;
    assert_eq!((again.status, &again.body), (202, &first.body));
    assert_eq!(world.get(&path).await.expect(200)["data"].as_array().unwrap().len(), 1);
    assert_eq!(world.post_as("refund-1", &path, json!({})).await.code(), (422, "idempotency_key_reused"));
}
