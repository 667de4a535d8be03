//! Money back, through the same queue.

use crate::client::shared;
use futures::future::join_all;
use serde_json::json;

#[tokio::test]
async fn a_paid_invoice_is_given_back() {
    let (shop, _stack) = shared().await;
    let invoice = shop.charged("tok_visa").await;
    shop.assert_paid_once(&invoice).await;
    let path = format!("/v1/invoices/{invoice}/refunds");
    let part = json!({ "amount": { "amount": "22.05", "currency": "BRL" } });
    shop.post(&path, part).await.expect(202);
    shop.post(&path, json!({})).await.expect(202);
    let refunded = shop.until_status(&invoice, "refunded").await;
    assert_eq!(refunded["amount_refunded"], json!({ "amount": "122.05", "currency": "BRL" }));
    assert_eq!(shop.captured(&invoice).await[0]["refunded_minor"], 12_205);
    assert_eq!(shop.transactions(&invoice).await.len(), 3);
}

#[tokio::test]
async fn many_at_once_never_give_back_more_than_came() {
    let (shop, _stack) = shared().await;
    let invoice = shop.charged("tok_visa").await;
    shop.assert_paid_once(&invoice).await;
    let path = format!("/v1/invoices/{invoice}/refunds");
    let body = json!({ "amount": { "amount": "30.00", "currency": "BRL" } });
    let answers = join_all((0..10).map(|_| shop.post(&path, body.clone()))).await;
    let taken = answers.iter().filter(|answer| answer.status == 202).count();
    assert!((1..=4).contains(&taken), "{taken}");
    let back = i64::try_from(taken).unwrap() * 3_000;
    let amount = format!("{}.00", taken * 30);
    shop.until(&invoice, "refunded in part", |shown| shown["amount_refunded"]["amount"] == amount.as_str())
        .await;
    assert_eq!(shop.captured(&invoice).await[0]["refunded_minor"], back);
}
