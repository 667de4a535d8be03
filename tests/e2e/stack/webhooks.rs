//! Webhooks: signed or nothing, fresh or nothing, twice or once.

use crate::client::{Answer, Shop, shared, unique, variable};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;
use std::time::{SystemTime, UNIX_EPOCH};

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn signature(secret: &str, timestamp: u64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{timestamp}.{body}").as_bytes());
    format!("t={timestamp},v1={}", hex::encode(mac.finalize().into_bytes()))
}

fn captured(charge: &Value) -> String {
    let data = json!({ "charge_id": charge["id"], "reference": charge["reference"], "invoice_id": charge["invoice_id"] });
    json!({ "id": unique("evt"), "type": "charge.captured", "created": now(), "data": data }).to_string()
}

async fn deliver(shop: &Shop, body: &str, signature: Option<String>) -> Answer {
    let mut request =
        shop.request(Method::POST, "/webhooks/sandbox").header("Content-Type", "application/json");
    if let Some(signature) = signature {
        request = request.header("Sandbox-Signature", signature);
    }
    shop.send(request.body(body.to_owned())).await
}

#[tokio::test]
async fn only_a_fresh_signature_of_these_very_bytes_is_believed() {
    let (shop, _stack) = shared().await;
    let secret = variable("SANDBOX_WEBHOOK_SECRET");
    let body =
        json!({ "id": unique("evt"), "type": "charge.captured", "created": now(), "data": {} }).to_string();
    let refused = [
        None,
        Some(String::new()),
        Some(signature("another secret", now(), &body)),
        Some(signature(&secret, now(), &body.replace("captured", "declined"))),
        Some(signature(&secret, now() - 400, &body)),
        Some(signature(&secret, now() + 400, &body)),
        Some(signature(&secret, now(), &body).replace("v1=", "v0=")),
    ];
    for signature in refused {
        let answer = deliver(&shop, &body, signature.clone()).await;
        assert_eq!((answer.status, answer.code()), (401, "unauthenticated"), "{signature:?}");
    }
    let good = signature(&secret, now(), &body);
    assert_eq!(deliver(&shop, &body, Some(good)).await.status, 200);
    let nowhere = shop.send(shop.request(Method::POST, "/webhooks/nobody").body(body)).await;
    assert_eq!(nowhere.status, 404);
}

/// A signed lie: the gateway is asked, and nothing was captured.
#[tokio::test]
async fn a_webhook_is_only_a_hint() {
    let (shop, _stack) = shared().await;
    let customer = shop.customer().await;
    let method = json!({ "type": "pix", "key": "ana@example.com" });
    shop.post(&format!("/v1/customers/{customer}/payment-methods"), method).await.expect(201);
    let invoice = shop.invoice(&customer).await;
    shop.charge(&invoice).await.expect(202);
    shop.until(&invoice, "showing a QR code", |shown| shown["pix"]["emv"].is_string()).await;
    let charge = shop.journal(&invoice).await.remove(0);
    let lie = captured(&charge);
    let signed = signature(&variable("SANDBOX_WEBHOOK_SECRET"), now(), &lie);
    assert_eq!(deliver(&shop, &lie, Some(signed)).await.status, 200);
    // The truth comes behind the lie, through the same queue.
    let path = format!("/charges/{}/pay", charge["id"].as_str().unwrap());
    assert_eq!(shop.show(&invoice).await["status"], "pending");
    shop.at_the_gateway(&path, json!({})).await.expect(200);
    shop.assert_paid_once(&invoice).await;
}

#[tokio::test]
async fn the_same_webhook_five_times_is_one_effect() {
    let (shop, _stack) = shared().await;
    let invoice = shop.charged("tok_webhook_only").await;
    shop.assert_paid_once(&invoice).await;
    let charge = shop.captured(&invoice).await.remove(0);
    let again = json!({ "charge_id": charge["id"], "times": 5, "reverse": true });
    let answer = shop.at_the_gateway("/webhooks/redeliver", again).await;
    assert!((200..300).contains(&answer.status), "{}", answer.body);
    // One more, under a new id: known by what it says, not by what it is called.
    let body = captured(&charge);
    let signed = signature(&variable("SANDBOX_WEBHOOK_SECRET"), now(), &body);
    assert_eq!(deliver(&shop, &body, Some(signed)).await.status, 200);
    let version = shop.show(&invoice).await["version"].clone();
    shop.assert_paid_once(&invoice).await;
    assert_eq!(shop.show(&invoice).await["version"], version);
}
