//! Servers that are told of what happens, by signed webhooks.

use crate::client::{PATIENCE, Shop, id, shared};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::VecDeque;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

#[derive(Debug, Clone)]
struct Received {
    id: String,
    timestamp: String,
    signatures: String,
    body: String,
}

#[derive(Debug, Default)]
struct Receiver {
    received: Mutex<Vec<Received>>,
    answers: Mutex<VecDeque<u16>>,
}

impl Receiver {
    /// Answers with these first, and then with 200.
    async fn start(answers: impl IntoIterator<Item = u16>) -> (Arc<Self>, String) {
        let server = Arc::new(Self { answers: Mutex::new(answers.into_iter().collect()), ..Self::default() });
        let router = Router::new().route("/hook", post(take)).with_state(server.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (server, url)
    }

    async fn until(&self, count: usize) -> Vec<Received> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let received = self.received.lock().unwrap().clone();
            if received.len() >= count {
                return received;
            }
            assert!(Instant::now() < deadline, "received only {received:?}");
            sleep(Duration::from_millis(100)).await;
        }
    }
}

async fn take(State(server): State<Arc<Receiver>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    server.received.lock().unwrap().push(Received {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signatures: header("webhook-signature"),
        body: String::from_utf8(body.to_vec()).unwrap(),
    });
    let code = server.answers.lock().unwrap().pop_front().unwrap_or(200);
    StatusCode::from_u16(code).unwrap()
}

impl Received {
    /// As the specification has it, and by the package of those who wrote it, where `make gateways-outside` has installed it.
    fn assert_genuine(&self, secret: &str) {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(format!("{}.{}.{}", self.id, self.timestamp, self.body).as_bytes());
        let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        assert!(self.signatures.split(' ').any(|signature| signature == expected), "{self:?}");
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let python = root.join(".venv-outside/bin/python");
        // Their package goes by the real time, and a test may have moved the stack's.
        let real = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        if python.exists() && real.abs_diff(self.timestamp.parse().unwrap()) < 240 {
            let oracle = root.join("tests/gateways-outside/standard_webhooks_oracle.py");
            assert_eq!(self.judged_by(&python, &oracle, secret), "genuine");
        }
    }

    fn judged_by(&self, python: &Path, oracle: &Path, secret: &str) -> String {
        let mut judge = Command::new(python)
            .arg(oracle)
            .args([secret, &self.id, &self.timestamp, &self.signatures])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        judge.stdin.take().unwrap().write_all(self.body.as_bytes()).unwrap();
        String::from_utf8(judge.wait_with_output().unwrap().stdout).unwrap().trim().to_owned()
    }
}

/// Told only what concerns that customer: other stories are told at the same time.
async fn endpoint(shop: &Shop, customer: &str, url: &str, events: &[&str]) -> Value {
    let body = json!({"url": url, "events": events, "customer_id": customer});
    shop.post("/v1/webhook-endpoints", body).await.expect(201)
}

async fn until_delivered(shop: &Shop, message: &str) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let shown = shop.get(&format!("/v1/webhook-deliveries/{message}")).await.expect(200);
        if shown["status"] == "delivered" {
            return shown;
        }
        assert!(Instant::now() < deadline, "not delivered: {shown}");
        sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn a_webhook_arrives_signed_again_after_a_failure_and_once_more_by_hand() {
    let (shop, _stack) = shared().await;
    let (server, url) = Receiver::start([500]).await;
    let customer = shop.payer("tok_visa").await;
    let made = endpoint(&shop, &customer, &url, &["invoice.paid"]).await;
    let secret = made["secret"].as_str().unwrap();
    // Functions know endpoints for half a minute.
    sleep(Duration::from_secs(31)).await;
    let invoice = shop.invoice(&customer).await;
    shop.charge(&invoice).await.expect(202);
    shop.until_status(&invoice, "paid").await;

    let received = server.until(2).await;
    assert_eq!((&received[0].id, &received[0].body), (&received[1].id, &received[1].body));
    for one in &received {
        one.assert_genuine(secret);
    }
    let event: Value = serde_json::from_str(&received[0].body).unwrap();
    assert_eq!((&event["type"], &event["data"]["invoice_id"]), (&json!("invoice.paid"), &json!(invoice)));
    assert_eq!(event["data"]["amount_paid"], json!({"amount": "122.05", "currency": "BRL"}));

    let message = &received[0].id;
    let delivered = until_delivered(&shop, message).await;
    let codes: Vec<_> = delivered["attempts"].as_array().unwrap().iter().map(|a| &a["status_code"]).collect();
    assert_eq!(codes, [&json!(200), &json!(500)]);
    let list = shop.get(&format!("/v1/webhook-endpoints/{}/deliveries", id(&made))).await.expect(200);
    assert_eq!(list["data"].as_array().unwrap().len(), 1, "{list}");

    shop.post(&format!("/v1/webhook-deliveries/{message}/replay"), json!({})).await.expect(202);
    let third = server.until(3).await.pop().unwrap();
    assert_eq!((&third.id, &third.body), (message, &received[0].body));
    third.assert_genuine(secret);
}

#[tokio::test]
async fn a_test_message_arrives_at_once() {
    let (shop, _stack) = shared().await;
    let (server, url) = Receiver::start([]).await;
    let customer = shop.customer().await;
    let made = endpoint(&shop, &customer, &url, &["bill.*"]).await;
    let path = format!("/v1/webhook-endpoints/{}", id(&made));
    let rotated = shop.post(&format!("{path}/rotate-secret"), json!({})).await.expect(200);
    let sent = shop.post(&format!("{path}/test"), json!({})).await.expect(202);
    let [received] = &server.until(1).await[..] else { panic!("one") };
    assert_eq!((json!(received.id), json!(received.body)), (sent["id"].clone(), sent["body"].clone()));
    for secret in [&made["secret"], &rotated["secret"]] {
        received.assert_genuine(secret.as_str().unwrap());
    }
    until_delivered(&shop, &received.id).await;
}

#[tokio::test]
async fn no_webhook_goes_where_only_we_can_reach() {
    let (shop, _stack) = shared().await;
    for url in [
        "https://169.254.169.254/latest/meta-data",
        "https://0xa9fea9fe/",
        "https://[::ffff:169.254.169.254]/",
        "https://metadata.google.internal/",
        "https://10.1.2.3/",
    ] {
        let refused = shop.post("/v1/webhook-endpoints", json!({"url": url, "events": ["*"]})).await;
        assert_eq!((refused.status, refused.code()), (422, "invalid_argument"), "{url}");
    }
}
