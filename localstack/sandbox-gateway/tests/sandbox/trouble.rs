use crate::shop::{Shop, card, tell};
use reqwest::Method;
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test]
async fn an_outage_is_the_merchants_alone() {
    let shop = Shop::open().await;
    let charge = shop.pay_with("tok_visa").await.body;
    let path = format!("/charges/{}", charge["id"].as_str().unwrap());
    shop.control(&json!({ "down": true })).await;
    assert_eq!(shop.charge("att_2", "inv_2", &card("tok_visa")).await.status, 503);
    assert_eq!(shop.merchant_get(&path).await.status, 503);
    assert_eq!(shop.get(&path).await.status, 200);
    assert_eq!(shop.get("/health").await.status, 200);
    assert!(shop.truth("inv_2").await.is_empty());
    shop.control(&json!({ "down": false })).await;
    assert_eq!(shop.charge("att_2", "inv_2", &card("tok_visa")).await.status, 201);
}

#[tokio::test]
async fn latency_comes_after_the_work() {
    let shop = Shop::open().await;
    shop.control(&json!({ "latency_ms": 1_200 })).await;
    let request = shop.charge_request("att_1", "inv_1", &card("tok_visa"));
    assert!(request.timeout(Duration::from_millis(600)).send().await.unwrap_err().is_timeout());
    assert_eq!(shop.only_charge().await["status"], "captured");
    let started = Instant::now();
    assert_eq!(shop.pay_with("tok_visa").await.status, 201);
    assert!(started.elapsed() >= Duration::from_millis(1_200));
}

#[tokio::test]
async fn lies_are_told_to_the_merchant_alone() {
    let shop = Shop::open().await;
    let first = shop.pay_with("tok_visa").await.body;
    let other = shop.charge("att_2", "inv_1", &card("tok_visa")).await.body;
    let path = format!("/charges/{}", first["id"].as_str().unwrap());
    let other_path = format!("/charges/{}", other["id"].as_str().unwrap());

    let lie =
        json!({ "charge_ids": [first["id"]], "amount_minor": 1, "currency": "USD", "status": "pending" });
    shop.control(&json!({ "lie": lie })).await;
    let told = shop.merchant_get(&path).await.body;
    assert_eq!((&told["amount_minor"], &told["captured_minor"]), (&json!(1), &json!(1)));
    assert_eq!((&told["currency"], &told["status"]), (&json!("USD"), &json!("pending")));
    assert_eq!(shop.merchant_get("/charges?reference=att_1").await.body["data"], json!([told]));
    assert_eq!(shop.get(&path).await.body, first);
    assert_eq!(shop.merchant_get(&other_path).await.body, other);

    shop.control(&json!({ "lie": { "missing": true } })).await;
    assert_eq!(shop.merchant_get(&path).await.status, 404);
    assert_eq!(shop.merchant_get("/charges?reference=inv_1").await.body["data"], json!([]));
    assert_eq!(shop.truth("inv_1").await.len(), 2);
    shop.control(&json!({ "lie": null })).await;
    assert_eq!(shop.merchant_get(&path).await.body, first);
}

#[tokio::test]
async fn control_merges_refuses_what_it_does_not_know_and_resets() {
    let shop = Shop::open().await;
    shop.control(&json!({ "webhook_delay_ms": 5 })).await;
    shop.control(&json!({ "webhook_duplicates": 2 })).await;
    for wrong in
        [json!({ "dwon": true }), json!({ "latency_ms": 3_600_000 }), json!([]), json!({ "down": 1 })]
    {
        assert_eq!(shop.post("/control", &wrong).await.status, 422, "{wrong}");
    }
    let control = shop.get("/control").await.body;
    assert_eq!((&control["webhook_delay_ms"], &control["webhook_duplicates"]), (&json!(5), &json!(2)));
    let target = control["webhook_target"].clone();

    shop.pay_with("tok_declines_once").await;
    assert_eq!(tell(shop.request(Method::POST, "/control/reset")).await.status, 200);
    let control = shop.get("/control").await.body;
    assert_eq!((&control["webhook_duplicates"], &control["webhook_target"]), (&json!(0), &target));
    assert!(shop.truth("inv_1").await.is_empty());
    assert!(shop.get("/webhooks").await.body["data"].as_array().unwrap().is_empty());
    // Forgotten for tokens and keys too.
    let told = shop.pay_with("tok_declines_once").await;
    assert_eq!((told.status, told.replayed), (402, false));
}

#[tokio::test]
async fn a_dropped_sandbox_lets_go() {
    let shop = Shop::open().await;
    let held = shop.charge_request("att_1", "inv_1", &card("tok_charged_no_answer"));
    let held = tokio::spawn(tell(held));
    shop.inbox.wait_for(1).await;
    let again = shop.charge_request("att_1", "inv_1", &card("tok_visa"));
    drop(shop.sandbox);
    assert_eq!(held.await.unwrap().status, 504);
    let until = Instant::now() + Duration::from_secs(2);
    while again.try_clone().unwrap().send().await.is_ok() {
        assert!(Instant::now() < until, "the sandbox still listens");
    }
}
