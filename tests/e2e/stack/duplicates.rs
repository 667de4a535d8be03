//! The same thing twenty times is the same thing once.

use crate::aws::ChargeQueue;
use crate::client::{shared, unique};
use futures::future::join_all;
use serde_json::json;

#[tokio::test]
async fn twenty_charges_with_one_key_are_one() {
    let (shop, _stack) = shared().await;
    let invoice = shop.invoice(&shop.payer("tok_visa").await).await;
    let (path, key) = (format!("/v1/invoices/{invoice}/charge"), unique("key"));
    let answers = join_all((0..20).map(|_| shop.post_as(&path, &key, json!({})))).await;
    let first = answers.iter().find(|answer| !answer.replayed).unwrap();
    for answer in &answers {
        assert_eq!((answer.status, &answer.body), (202, &first.body));
    }
    assert_eq!(answers.iter().filter(|answer| !answer.replayed).count(), 1);
    shop.assert_paid_once(&invoice).await;
}

#[tokio::test]
async fn twenty_charges_with_twenty_keys_are_one() {
    let (shop, _stack) = shared().await;
    let invoice = shop.invoice(&shop.payer("tok_visa").await).await;
    let answers = join_all((0..20).map(|_| shop.charge(&invoice))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 202).count(), 1);
    for refused in answers.iter().filter(|answer| answer.status != 202) {
        assert_eq!((refused.status, refused.code()), (422, "failed_precondition"), "{}", refused.body);
    }
    shop.assert_paid_once(&invoice).await;
}

#[tokio::test]
async fn a_message_delivered_ten_times_charges_once() {
    let (shop, _stack) = shared().await;
    let queue = ChargeQueue::connect();
    let invoice = shop.charged("tok_slow_3s").await;
    let message = json!({ "invoice_id": invoice, "attempt": 1, "version": 2 }).to_string();
    let foreign =
        ["not json".to_owned(), json!({ "somebody": "else's" }).to_string(), json!([1]).to_string()];
    let bodies = std::iter::repeat_n(message, 10).chain(foreign);
    queue.send_all(bodies).await;
    shop.assert_paid_once(&invoice).await;
    assert_eq!(shop.journal(&invoice).await.len(), 1);
}

#[tokio::test]
async fn the_same_invoice_twice_is_one_invoice() {
    let (shop, _stack) = shared().await;
    let customer = shop.customer().await;
    let body = |price: &str| json!({ "customer_id": customer, "currency": "BRL", "items": [{ "description": "a", "quantity": 1, "unit_price": price }] });
    let key = unique("key");
    let first = shop.post_as("/v1/invoices", &key, body("1.00")).await;
    let again = shop.post_as("/v1/invoices", &key, body("1.00")).await;
    assert_eq!((first.status, again.status, again.replayed), (201, 201, true));
    assert_eq!(first.body, again.body);
    let other = shop.post_as("/v1/invoices", &key, body("2.00")).await;
    assert_eq!((other.status, other.code()), (422, "idempotency_key_reused"));
}
