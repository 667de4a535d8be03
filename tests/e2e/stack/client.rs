//! A shop's backend, as it would use the API.

use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use std::env;
use std::time::Duration;
use tokio::sync::{OnceCell, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::time::{Instant, sleep};

/// Longer than a lost message takes to be found: a minute until it is due, a minute until the next sweep.
pub(crate) const PATIENCE: Duration = Duration::from_mins(4);
const POLL: Duration = Duration::from_millis(200);

#[derive(Debug, Clone)]
pub(crate) struct Shop {
    http: Client,
    pub(crate) api: String,
    pub(crate) sandbox: String,
    key: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) replayed: bool,
    pub(crate) body: Value,
}

impl Answer {
    async fn read(response: Response) -> Self {
        let status = response.status().as_u16();
        let replayed = response.headers().get("idempotent-replayed").is_some_and(|value| value == "true");
        let text = response.text().await.unwrap();
        Self { status, replayed, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }

    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

pub(crate) fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `make up`, then `make e2e`"))
}

pub(crate) fn unique(prefix: &str) -> String {
    format!("{prefix}-{:016x}", rand::random::<u64>())
}

/// What one test does to the whole stack, the others must not see.
static STACK: RwLock<()> = RwLock::const_new(());
static READY: OnceCell<()> = OnceCell::const_new();

/// Beside the other tests.
pub(crate) async fn shared() -> (Shop, RwLockReadGuard<'static, ()>) {
    let guard = STACK.read().await;
    (Shop::open().await, guard)
}

/// While no other test runs.
pub(crate) async fn alone() -> (Shop, RwLockWriteGuard<'static, ()>) {
    let guard = STACK.write().await;
    (Shop::open().await, guard)
}

impl Shop {
    async fn open() -> Self {
        let http = Client::builder().timeout(Duration::from_mins(1)).build().unwrap();
        let shop = Self {
            http,
            api: variable("API_URL"),
            sandbox: variable("SANDBOX_URL"),
            key: variable("OPERATOR_KEY"),
        };
        READY
            .get_or_init(|| async {
                shop.get("/health").await.expect(200);
            })
            .await;
        shop
    }

    /// The same shop, with another gateway's journal for the truth.
    pub(crate) fn of_gateway(&self, url: String) -> Self {
        Self { sandbox: url, ..self.clone() }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.api)).bearer_auth(&self.key)
    }

    /// Of somebody whom the shop has given no key.
    pub(crate) fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.api))
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Answer {
        Answer::read(request.send().await.unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.post_as(path, &unique("key"), body).await
    }

    pub(crate) async fn post_as(&self, path: &str, key: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).header("Idempotency-Key", key).json(&body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(&body)).await
    }

    /// What time it is for the stack.
    pub(crate) async fn now(&self) -> Value {
        let customer = self.customer().await;
        self.get(&format!("/v1/customers/{customer}")).await.expect(200)["created_at"].clone()
    }

    pub(crate) async fn customer(&self) -> String {
        let body = json!({ "name": "Ana Souza", "email": format!("{}@example.com", unique("ana")) });
        id(&self.post("/v1/customers", body).await.expect(201))
    }

    pub(crate) async fn card(&self, customer: &str, token: &str) -> String {
        let body = json!({ "type": "credit_card", "token": token, "brand": "visa", "last4": "4242" });
        id(&self.post(&format!("/v1/customers/{customer}/payment-methods"), body).await.expect(201))
    }

    /// A customer who pays in that way.
    pub(crate) async fn payer(&self, token: &str) -> String {
        let customer = self.customer().await;
        self.card(&customer, token).await;
        customer
    }

    /// Three lines: 100.00 + 3 × 7.35 + 0.5 × 0.01 (rounded half to even: nothing) = 122.05.
    pub(crate) async fn invoice(&self, customer: &str) -> String {
        let body = json!({
            "customer_id": customer,
            "currency": "BRL",
            "items": [
                { "description": "Plan", "quantity": 1, "unit_price": "100.00" },
                { "description": "Seats", "quantity": "3", "unit_price": 7.35 },
                { "description": "Requests", "quantity": "0.5", "unit_price": "0.01" },
            ],
        });
        let invoice = self.post("/v1/invoices", body).await.expect(201);
        assert_eq!(invoice["total"], json!({ "amount": "122.05", "currency": "BRL" }));
        id(&invoice)
    }

    pub(crate) async fn charge(&self, invoice: &str) -> Answer {
        self.post(&format!("/v1/invoices/{invoice}/charge"), json!({})).await
    }

    /// A new invoice, charged with that token.
    pub(crate) async fn charged(&self, token: &str) -> String {
        let invoice = self.invoice(&self.payer(token).await).await;
        let pending = self.charge(&invoice).await.expect(202);
        assert_eq!(pending["status"], "pending");
        invoice
    }

    pub(crate) async fn show(&self, invoice: &str) -> Value {
        self.get(&format!("/v1/invoices/{invoice}")).await.expect(200)
    }

    pub(crate) async fn until_status(&self, invoice: &str, status: &str) -> Value {
        self.until(invoice, status, |shown| shown["status"] == status).await
    }

    pub(crate) async fn until(&self, invoice: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let shown = self.show(invoice).await;
            if is_so(&shown) {
                return shown;
            }
            assert!(Instant::now() < deadline, "{invoice} is not {what}: {shown}");
            sleep(POLL).await;
        }
    }

    pub(crate) async fn attempts(&self, invoice: &str) -> Vec<Value> {
        list(&self.get(&format!("/v1/invoices/{invoice}/attempts")).await.expect(200))
    }

    pub(crate) async fn transactions(&self, invoice: &str) -> Vec<Value> {
        let customer = self.show(invoice).await["customer_id"].as_str().unwrap().to_owned();
        let all = list(&self.get(&format!("/v1/customers/{customer}/transactions")).await.expect(200));
        all.into_iter().filter(|transaction| transaction["invoice_id"] == invoice).collect()
    }

    /// What the gateway really did for an invoice.
    pub(crate) async fn journal(&self, invoice: &str) -> Vec<Value> {
        let url = format!("{}/charges?reference={invoice}", self.sandbox);
        list(&Answer::read(self.http.get(url).send().await.unwrap()).await.expect(200))
    }

    pub(crate) async fn captured(&self, invoice: &str) -> Vec<Value> {
        self.journal(invoice).await.into_iter().filter(|charge| charge["status"] == "captured").collect()
    }

    pub(crate) async fn until_captured(&self, invoice: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(charge) = self.captured(invoice).await.pop() {
                return charge;
            }
            assert!(Instant::now() < deadline, "{invoice} is not captured");
            sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) async fn until_journal(&self, invoice: &str, what: &str, is_so: impl Fn(&Value) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let journal = self.journal(invoice).await;
            if journal.iter().any(&is_so) {
                return;
            }
            assert!(Instant::now() < deadline, "{invoice} is not {what}: {journal:?}");
            sleep(POLL).await;
        }
    }

    pub(crate) async fn until_transactions(&self, invoice: &str, count: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.transactions(invoice).await.len() < count {
            assert!(Instant::now() < deadline, "{invoice} has fewer than {count} transactions");
            sleep(POLL).await;
        }
    }

    /// The open matter of this kind about an invoice.
    pub(crate) async fn attention(&self, kind: &str, invoice: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut path = format!("/v1/attention?kind={kind}&limit=100");
            loop {
                let page = self.get(&path).await.expect(200);
                let found =
                    page["data"].as_array().unwrap().iter().find(|matter| matter["invoice_id"] == invoice);
                if let Some(matter) = found {
                    return matter.clone();
                }
                let Some(cursor) = page["next_cursor"].as_str() else { break };
                path = format!("/v1/attention?kind={kind}&limit=100&cursor={cursor}");
            }
            assert!(Instant::now() < deadline, "no {kind} about {invoice}");
            sleep(POLL).await;
        }
    }

    pub(crate) async fn at_the_gateway(&self, path: &str, body: Value) -> Answer {
        Answer::read(self.http.post(format!("{}{path}", self.sandbox)).json(&body).send().await.unwrap())
            .await
    }

    /// Paid, once: by the API, by the books and by the gateway's journal.
    pub(crate) async fn assert_paid_once(&self, invoice: &str) {
        let shown = self.until_status(invoice, "paid").await;
        assert_eq!(shown["amount_paid"], json!({ "amount": "122.05", "currency": "BRL" }));
        let captured = self.captured(invoice).await;
        assert_eq!(captured.len(), 1, "{captured:?}");
        assert_eq!((&captured[0]["amount_minor"], &captured[0]["currency"]), (&json!(12_205), &json!("BRL")));
        let transactions = self.transactions(invoice).await;
        assert_eq!(transactions.len(), 1, "{transactions:?}");
        assert_eq!(transactions[0]["amount"], json!({ "amount": "122.05", "currency": "BRL" }));
        let attempts = self.attempts(invoice).await;
        let succeeded: Vec<_> = attempts.iter().filter(|attempt| attempt["status"] == "succeeded").collect();
        assert_eq!(succeeded.len(), 1, "{attempts:?}");
    }
}

pub(crate) fn id(object: &Value) -> String {
    object["id"].as_str().unwrap_or_else(|| panic!("no id in {object}")).to_owned()
}

fn list(answer: &Value) -> Vec<Value> {
    answer["data"].as_array().unwrap_or_else(|| panic!("no list in {answer}")).clone()
}
