//! A merchant with a sandbox of its own and an endpoint that takes its webhooks.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use reqwest::{Client, Method, RequestBuilder};
use sandbox_gateway::{Config, Sandbox};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

pub(crate) const API_KEY: &str = "sk_sandbox_test";
pub(crate) const SECRET: &str = "whsec_test";
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) struct Shop {
    pub(crate) sandbox: Sandbox,
    pub(crate) client: Client,
    pub(crate) inbox: Arc<Inbox>,
}

/// What came to the webhook endpoint, in order.
#[derive(Default)]
pub(crate) struct Inbox {
    received: Mutex<Vec<Received>>,
    /// How many more deliveries to refuse with a 500.
    pub(crate) refusing: AtomicU32,
}

#[derive(Clone)]
pub(crate) struct Received {
    pub(crate) signature: String,
    pub(crate) content_type: String,
    pub(crate) body: String,
}

pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) replayed: bool,
}

impl Received {
    pub(crate) fn event(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn id(&self) -> String {
        self.event()["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn kind(&self) -> String {
        self.event()["type"].as_str().unwrap().to_owned()
    }
}

impl Inbox {
    pub(crate) fn all(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    pub(crate) fn kinds(&self) -> Vec<String> {
        self.all().iter().map(Received::kind).collect()
    }

    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Received> {
        let until = Instant::now() + PATIENCE;
        while self.all().len() < count {
            assert!(Instant::now() < until, "{count} webhooks expected, got {:?}", self.kinds());
            sleep(Duration::from_millis(5)).await;
        }
        self.all()
    }
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::open_with(None).await
    }

    pub(crate) async fn open_with(clock_file: Option<PathBuf>) -> Self {
        let inbox = Arc::new(Inbox::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let webhook_target = Some(format!("http://{}/hooks", listener.local_addr().unwrap()));
        let router = Router::new().route("/hooks", post(take)).with_state(Arc::clone(&inbox));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let config = Config {
            api_key: API_KEY.to_owned(),
            webhook_secret: SECRET.to_owned(),
            webhook_target,
            clock_file,
        };
        let client = Client::builder().no_proxy().build().unwrap();
        Self { sandbox: Sandbox::start(config).await.unwrap(), client, inbox }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.sandbox.url()))
    }

    /// The merchant's charge of 12345 BRL for `invoice`, with attempt and key both `attempt`.
    pub(crate) fn charge_request(&self, attempt: &str, invoice: &str, method: &Value) -> RequestBuilder {
        self.request(Method::POST, "/charges")
            .bearer_auth(API_KEY)
            .header("Idempotency-Key", attempt)
            .json(&order(attempt, invoice, method))
    }

    pub(crate) async fn charge(&self, attempt: &str, invoice: &str, method: &Value) -> Told {
        tell(self.charge_request(attempt, invoice, method)).await
    }

    pub(crate) async fn pay_with(&self, token: &str) -> Told {
        self.charge("att_1", "inv_1", &card(token)).await
    }

    pub(crate) async fn pix(&self) -> Told {
        self.charge("att_1", "inv_1", &json!({ "type": "pix", "key": "any" })).await
    }

    /// As the merchant, with its key.
    pub(crate) async fn merchant_post(&self, path: &str, key: &str, body: &Value) -> Told {
        let request = self.request(Method::POST, path).bearer_auth(API_KEY);
        tell(request.header("Idempotency-Key", key).json(body)).await
    }

    pub(crate) async fn merchant_get(&self, path: &str) -> Told {
        tell(self.request(Method::GET, path).bearer_auth(API_KEY)).await
    }

    /// As a test or the outside world, without a key.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Told {
        tell(self.request(Method::POST, path).json(body)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Told {
        tell(self.request(Method::GET, path)).await
    }

    pub(crate) async fn control(&self, body: &Value) {
        let told = self.post("/control", body).await;
        assert_eq!(told.status, 200, "{}", told.body);
    }

    /// The truth about an invoice or attempt.
    pub(crate) async fn truth(&self, reference: &str) -> Vec<Value> {
        let told = self.get(&format!("/charges?reference={reference}")).await;
        told.body["data"].as_array().unwrap().clone()
    }

    pub(crate) async fn only_charge(&self) -> Value {
        let charges = self.truth("inv_1").await;
        assert_eq!(charges.len(), 1, "{charges:?}");
        charges[0].clone()
    }

    pub(crate) async fn wait_for_status(&self, status: &str) {
        let until = Instant::now() + PATIENCE;
        while self.only_charge().await["status"] != status {
            assert!(Instant::now() < until, "the charge never became {status}");
            sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn take(State(inbox): State<Arc<Inbox>>, headers: HeaderMap, body: String) -> StatusCode {
    let header = |name| headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    let received =
        Received { signature: header("sandbox-signature"), content_type: header("content-type"), body };
    inbox.received.lock().unwrap().push(received);
    let refused = inbox.refusing.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
    if refused.is_ok() { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::NO_CONTENT }
}

pub(crate) fn card(token: &str) -> Value {
    json!({ "type": "card", "token": token })
}

pub(crate) fn order(attempt: &str, invoice: &str, method: &Value) -> Value {
    json!({
        "reference": attempt, "invoice_id": invoice, "amount_minor": 12_345, "currency": "BRL", "method": method,
    })
}

pub(crate) async fn tell(request: RequestBuilder) -> Told {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let replayed = response.headers().contains_key("idempotent-replayed");
    let text = response.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Told { status, body, replayed }
}
