use crate::shop::{Received, SECRET, Shop, card};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Checks a delivery as a receiver would, by the contract's words and not by the sandbox's code.
fn verify(received: &Received) {
    let (at, v1) = received.signature.split_once(',').unwrap();
    let (at, v1) = (at.strip_prefix("t=").unwrap(), v1.strip_prefix("v1=").unwrap());
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(at.as_bytes());
    mac.update(b".");
    mac.update(received.body.as_bytes());
    mac.verify_slice(&hex::decode(v1).unwrap()).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!(now.abs_diff(at.parse().unwrap()) <= 5);
    assert_eq!(received.content_type, "application/json");
}

async fn redeliver(shop: &Shop, charge: &Value, times: u32, reverse: bool) -> Vec<Value> {
    let body = json!({ "charge_id": charge["id"], "times": times, "reverse": reverse });
    let told = shop.post("/webhooks/redeliver", &body).await;
    assert_eq!(told.status, 200, "{}", told.body);
    told.body["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn events_are_signed_and_say_what_they_are_about() {
    let shop = Shop::open().await;
    let charge = shop.pay_with("tok_visa").await.body;
    let received = shop.inbox.wait_for(1).await;
    verify(&received[0]);
    let event = received[0].event();
    assert!(event["id"].as_str().unwrap().starts_with("evt_"));
    assert!(event["created"].as_i64().unwrap() >= charge["created_at"].as_i64().unwrap());
    assert_eq!(event["type"], "charge.captured");
    let data = json!({ "charge_id": charge["id"], "reference": "att_1", "invoice_id": "inv_1" });
    assert_eq!(event["data"], data);
}

#[tokio::test]
async fn a_refused_delivery_is_tried_again() {
    let shop = Shop::open().await;
    shop.inbox.refusing.store(2, Ordering::SeqCst);
    let charge = shop.pay_with("tok_visa").await.body;
    let received = shop.inbox.wait_for(3).await;
    assert!(received.iter().all(|it| it.body == received[0].body));
    let path = format!("/webhooks?charge_id={}", charge["id"].as_str().unwrap());
    let until = Instant::now() + Duration::from_secs(2);
    let event = loop {
        let event = shop.get(&path).await.body["data"][0].clone();
        if event["delivered"] == true {
            break event;
        }
        assert!(Instant::now() < until, "never delivered: {event}");
    };
    let statuses: Vec<_> = event["deliveries"].as_array().unwrap().iter().map(|it| &it["status"]).collect();
    assert_eq!(statuses, [&json!(500), &json!(500), &json!(204)]);
}

#[tokio::test]
async fn redelivery_sends_the_same_events_in_the_order_asked_for() {
    let shop = Shop::open().await;
    let charge = shop.pix().await.body;
    shop.inbox.wait_for(1).await;
    shop.post(&format!("/charges/{}/pay", charge["id"].as_str().unwrap()), &json!({})).await;
    let first = shop.inbox.wait_for(2).await;
    let (pending, captured) = (first[0].id(), first[1].id());

    assert_eq!(redeliver(&shop, &charge, 2, false).await.len(), 4);
    redeliver(&shop, &charge, 1, true).await;
    let all = shop.inbox.all();
    all.iter().for_each(verify);
    let ids: Vec<String> = all[2..].iter().map(Received::id).collect();
    assert_eq!(ids, [&pending, &captured, &pending, &captured, &captured, &pending].map(String::as_str));
    let unknown = json!({ "charge_id": "ch_none" });
    assert_eq!(shop.post("/webhooks/redeliver", &unknown).await.status, 404);
}

#[tokio::test]
async fn duplicates_are_the_same_event() {
    let shop = Shop::open().await;
    shop.control(&json!({ "webhook_duplicates": 2 })).await;
    shop.pay_with("tok_visa").await;
    let received = shop.inbox.wait_for(3).await;
    assert_eq!(received.len(), 3);
    assert!(received.iter().all(|it| it.body == received[0].body));
}

#[tokio::test]
async fn events_that_were_not_sent_can_be_redelivered() {
    let shop = Shop::open().await;
    shop.control(&json!({ "webhooks_off": true })).await;
    // Neither of them waits for a webhook that never goes out.
    let charge = shop.pay_with("tok_webhook_first").await.body;
    assert!(shop.inbox.all().is_empty());
    let sent = redeliver(&shop, &charge, 1, false).await;
    assert_eq!(sent[0]["delivery"]["status"], 204);
    assert_eq!(shop.inbox.kinds(), ["charge.captured"]);
}

#[tokio::test]
async fn a_delay_holds_the_webhook_and_not_the_answer() {
    let shop = Shop::open().await;
    shop.control(&json!({ "webhook_delay_ms": 1_000 })).await;
    let started = Instant::now();
    shop.charge("att_1", "inv_1", &card("tok_visa")).await;
    assert!(shop.inbox.all().is_empty());
    shop.inbox.wait_for(1).await;
    assert!(started.elapsed() >= Duration::from_secs(1));
}
