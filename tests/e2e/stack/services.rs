//! The deployment's functions, found by what it has published of itself.

use crate::client::{Answer, PATIENCE, Shop, shared};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tokio::time::{Instant, sleep};

const FUNCTIONS: [&str; 8] = [
    "api",
    "auth",
    "charge-consumer",
    "event-relay",
    "notifier",
    "retry-sweep",
    "webhook-consumer",
    "webhook-intake",
];

async fn services(shop: &Shop) -> Value {
    shop.get("/v1/services").await.expect(200)
}

fn named<'a>(list: &'a Value, name: &str) -> &'a Value {
    list["data"].as_array().unwrap().iter().find(|service| service["name"] == name).unwrap()
}

#[tokio::test]
async fn every_function_is_found_and_says_that_it_has_started() {
    let (shop, _guard) = shared().await;
    let invoice = shop.charged("tok_visa").await;
    shop.until_status(&invoice, "paid").await;
    let list = services(&shop).await;
    let names: BTreeSet<_> =
        list["data"].as_array().unwrap().iter().map(|service| service["name"].as_str().unwrap()).collect();
    assert!(names.is_superset(&BTreeSet::from(FUNCTIONS)), "{names:?}");
    for endpoint in
        ["api-url", "token-keys-url", "charge-queue-url", "webhook-queue-url", "event-bus", "table"]
    {
        assert!(list["endpoints"][endpoint].as_str().is_some_and(|value| !value.is_empty()), "{endpoint}");
    }

    // Whoever took part in that charge has said so; the sweep comes by within the minute.
    let deadline = Instant::now() + PATIENCE;
    for name in ["api", "charge-consumer", "event-relay", "retry-sweep"] {
        loop {
            let list = services(&shop).await;
            let service = named(&list, name);
            assert!(service["function"].as_str().unwrap().ends_with(name), "{service}");
            if service["version"].is_string() {
                // Other tests break things: what is asserted is that it was heard.
                assert_ne!(service["health"], json!("unknown"), "{service}");
                break;
            }
            assert!(Instant::now() < deadline, "{service}");
            sleep(std::time::Duration::from_millis(500)).await;
        }
    }
}

#[tokio::test]
async fn services_are_for_operators() {
    let (shop, _guard) = shared().await;
    let key = shop.post("/v1/api-keys", json!({"role": "service"})).await.expect(201);
    let request = shop.anonymous(Method::GET, "/v1/services").bearer_auth(key["key"].as_str().unwrap());
    let refused: Answer = shop.send(request).await;
    assert_eq!((refused.status, refused.code()), (403, "forbidden"));
}
