//! The server as its clients see it: in process, on a random port, over real HTTP.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

use rates_server::{Config, RatesServer};
use reqwest::Client;
use serde_json::{Value, json};

const APP_ID: &str = "0123456789abcdef0123456789abcdef";
const JSON: &str = "/api/latest.json?app_id=0123456789abcdef0123456789abcdef";
const XML: &str = "/stats/eurofxref/eurofxref-daily.xml";

struct Caller {
    server: RatesServer,
    client: Client,
}

async fn start() -> Caller {
    let config = Config { app_id: APP_ID.to_owned(), clock_file: None };
    let client = Client::builder().no_proxy().build().unwrap();
    Caller { server: RatesServer::start(config).await.unwrap(), client }
}

impl Caller {
    async fn get(&self, target: &str) -> (u16, String) {
        let answer = self.client.get(format!("{}{target}", self.server.url())).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn latest(&self) -> Value {
        let (status, body) = self.get(JSON).await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    async fn control(&self, body: &Value) -> u16 {
        let url = format!("{}/control", self.server.url());
        self.client.post(url).json(body).send().await.unwrap().status().as_u16()
    }
}

#[tokio::test]
async fn both_tell_the_same_rates_as_of_the_time_that_was_told() {
    let to = start().await;
    // 2026-11-22 is a Sunday: the bank's last rates are Friday's.
    let told = json!({ "rates": { "EUR": "0.8", "GEL": 2.4, "JPY": "151.370000001" }, "published_at": "2026-11-22T10:00:00Z" });
    assert_eq!(to.control(&told).await, 200);
    let latest = to.latest().await;
    assert_eq!(latest["base"], "USD");
    assert_eq!(latest["timestamp"], 1_795_341_600);
    assert_eq!(latest["rates"].to_string(), r#"{"EUR":0.8,"GEL":2.4,"JPY":151.370000001}"#);
    let (status, document) = to.get(XML).await;
    assert_eq!(status, 200);
    assert!(document.contains("<Cube time='2026-11-20'>"), "{document}");
    assert!(document.contains("<Cube currency='GEL' rate='3'/>"), "{document}");
    assert!(document.contains("<Cube currency='JPY' rate='189.213'/>"), "{document}");
    assert!(!document.contains("'EUR'"), "the base has no rate");
}

#[tokio::test]
async fn rates_are_as_of_now_unless_told() {
    let to = start().await;
    let seconds = to.latest().await["timestamp"].as_i64().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!(i64::try_from(now).unwrap() - seconds < 60);
}

#[tokio::test]
async fn whoever_has_no_app_id_gets_no_rates() {
    let to = start().await;
    for (target, message) in [
        ("/api/latest.json", "missing_app_id"),
        ("/api/latest.json?app_id=", "missing_app_id"),
        ("/api/latest.json?app_id=other", "invalid_app_id"),
    ] {
        let (status, body) = to.get(target).await;
        assert_eq!(status, 401);
        assert!(body.contains(message), "{body}");
    }
    assert_eq!(to.get(XML).await.0, 200, "the bank asks nobody who they are");
}

#[tokio::test]
async fn trouble_comes_on_demand_and_goes_on_demand() {
    let to = start().await;
    for (told, status) in [
        (json!({ "down": true }), 503),
        (json!({ "status": 429 }), 429),
        (json!({ "status": null }), 503),
        (json!({ "down": false, "status": 500 }), 500),
        (json!({ "status": null, "latency_ms": 1 }), 200),
    ] {
        assert_eq!(to.control(&told).await, 200);
        assert_eq!((to.get(JSON).await.0, to.get(XML).await.0), (status, status), "{told}");
        assert_eq!(to.get("/health").await.0, 200, "never the server's own");
    }
    assert_eq!(to.control(&json!({ "down": true, "rates": { "EUR": "0" } })).await, 200);
    let reset = to.client.post(format!("{}/control/reset", to.server.url())).send().await.unwrap();
    assert_eq!(reset.status().as_u16(), 200);
    assert_eq!(to.latest().await["rates"]["GEL"].to_string(), "2.73");
}

#[tokio::test]
async fn what_is_no_control_changes_nothing() {
    let to = start().await;
    let before = to.get("/control").await;
    for told in [
        json!({ "dwon": true }),
        json!({ "down": "yes" }),
        json!({ "status": 42 }),
        json!({ "latency_ms": 60_001 }),
        json!({ "rates": { "GEL": "much" } }),
        json!({ "published_at": "yesterday" }),
    ] {
        assert_eq!(to.control(&told).await, 422, "{told}");
    }
    assert_eq!(to.control(&json!([])).await, 400);
    assert_eq!(to.get("/control").await, before);
}
