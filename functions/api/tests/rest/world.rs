//! One deployment in a test: the router, what it works with, and a client.

use crate::contract::Contract;
use crate::rates::StubRates;
use crate::services::StubDirectory;
use crate::sessions::RotatingKeys;
use api::{Api, router};
use async_trait::async_trait;
use axum::body::Body;
use axum::response::Response;
use fatura_application::access::KeyHash;
use fatura_application::ports::*;
use fatura_application::{App, Authenticator, OperatorKey, Outgoing, Records, SignIn, Tokens};
use fatura_domain::SignedDuration;
use fatura_domain::Timestamp;
use fatura_domain::charge::{Failure, FailureClass};
use fatura_domain::gateway::{
    Capabilities, ChargeOutcome, ChargeRequest, DisputeOutcome, DisputeStanding, DisputeVerdict, GatewayName,
    GatewayReference, Means, MeansType, Movement, MovementKind, MovementPage, PendingAction, RefundOutcome,
    RefundRequest, StoreKey, StoreOutcome, StoreRequest, Token,
};
use fatura_domain::id::AttemptId;
use fatura_domain::money::Money;
use fatura_domain::webhook_endpoint::Loopback;
use fatura_rules::RuleEngine;
use fatura_store::DynamoStore;
use fatura_testkit::{RecordingQueue, SeededEntropy, TestTable, VirtualClock};
use http::{HeaderMap, Method, Request, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;
use tower::ServiceExt;

pub(crate) const OPERATOR: &str = "fat_operator";
pub(crate) const ISSUER: &str = "https://api.example.com";

pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) router: axum::Router,
    /// What the function `auth` works with.
    pub(crate) sign_in: SignIn,
    pub(crate) token_keys: Arc<RotatingKeys>,
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) queue: Arc<RecordingQueue<Message>>,
    /// The notifier's.
    pub(crate) deliveries: Arc<RecordingQueue<Deliver>>,
    pub(crate) gateway: Arc<StubGateway>,
    /// One that nobody uses until it is put in use.
    pub(crate) other: Arc<StubGateway>,
    pub(crate) rates: Arc<StubRates>,
    pub(crate) directory: Arc<StubDirectory>,
    keys: AtomicU64,
    /// Ends with the world.
    pub(crate) table: TestTable,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) body: Value,
}

static CONTRACT: LazyLock<Contract> = LazyLock::new(|| {
    // On a thread of its own, because whoever asks first is within a runtime.
    let document = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::new().await;
            let request = Request::get("/openapi.json").body(Body::empty()).unwrap();
            Answer::read(world.router.oneshot(request).await.unwrap()).await.body
        })
    });
    Contract::of(document.join().unwrap())
});

pub(crate) fn contract() -> &'static Contract {
    &CONTRACT
}

impl World {
    pub(crate) async fn new() -> Self {
        let table = TestTable::start().await;
        let store = table.store.clone();
        Self::of(table, store)
    }

    /// Where nothing answers in the place of the database.
    pub(crate) async fn without_database() -> Self {
        let table = TestTable::start().await;
        let nowhere = table.client.config().to_builder().endpoint_url("http://127.0.0.1:1").build();
        let store = DynamoStore::new(aws_sdk_dynamodb::Client::from_conf(nowhere), TestTable::name());
        Self::of(table, Arc::new(store))
    }

    fn of(table: TestTable, store: Arc<DynamoStore>) -> Self {
        crate::log::start();
        let clock = Arc::new(VirtualClock::default());
        let queue = Arc::new(RecordingQueue::default());
        let gateway = Arc::new(StubGateway::named("sandbox"));
        let other = Arc::new(StubGateway::named("other"));
        let app = App::new(
            Records::of(store.clone()),
            queue.clone(),
            Gateways::of([gateway.clone() as Arc<dyn Gateway>]).and_idle([other.clone() as Arc<dyn Gateway>]),
            clock.clone(),
            Arc::new(SeededEntropy::new(7)),
        );
        let rates = Arc::new(StubRates::new(clock.clone()));
        let deliveries = Arc::new(RecordingQueue::default());
        let outgoing = Outgoing { queue: Some(deliveries.clone()), loopback: Loopback::Refused };
        let directory = Arc::new(StubDirectory::default());
        let app = app
            .with_rates(rates.desk(store.clone()))
            .with_outgoing(outgoing)
            .with_directory(directory.clone())
            .with_risk(Arc::new(RuleEngine::new()));
        let token_keys = Arc::new(RotatingKeys::default());
        let tokens = Arc::new(Tokens::new(token_keys.clone(), ISSUER));
        let sign_in = SignIn {
            store: store.clone(),
            people: store.clone(),
            tokens: tokens.clone(),
            clock: clock.clone(),
            entropy: app.entropy.clone(),
        };
        let authenticator = Authenticator::new(Arc::new(FixedKey), store, tokens, clock.clone());
        let router = router(Api::new(app.clone(), Arc::new(authenticator)));
        Self {
            app,
            sign_in,
            token_keys,
            router,
            clock,
            queue,
            deliveries,
            gateway,
            other,
            rates,
            directory,
            keys: AtomicU64::new(0),
            table,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path), None).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path), None).await
    }

    /// With a key of its own.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        let key = format!("key-{}", self.keys.fetch_add(1, Ordering::SeqCst));
        self.post_as(&key, path, body).await
    }

    pub(crate) async fn post_as(&self, key: &str, path: &str, body: Value) -> Answer {
        let request = self.request(Method::POST, path).header("Idempotency-Key", key);
        self.send(request, Some(body)).await
    }

    pub(crate) async fn change(
        &self,
        method: Method,
        path: &str,
        if_match: Option<&str>,
        body: Value,
    ) -> Answer {
        let mut request = self.request(method, path);
        if let Some(tag) = if_match {
            request = request.header(header::IF_MATCH, tag);
        }
        self.send(request, Some(body)).await
    }

    #[expect(clippy::unused_self, reason = "requests are of a world")]
    pub(crate) fn request(&self, method: Method, path: &str) -> http::request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {OPERATOR}"))
    }

    pub(crate) async fn send(&self, request: http::request::Builder, body: Option<Value>) -> Answer {
        let (request, sent) = match &body {
            Some(body) => (request.header(header::CONTENT_TYPE, "application/json"), body.to_string()),
            None => (request, String::new()),
        };
        let request = request.body(Body::from(sent)).unwrap();
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let answer = self.send_raw(request).await;
        if let (Some(body), 200..300) = (&body, answer.status) {
            contract().check_request(&method, &path, body);
        }
        answer
    }

    pub(crate) async fn send_raw(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        // As API Gateway does: what the other function has goes there.
        let is_auth = auth::OPERATIONS.contains(&(method.as_str().to_lowercase().as_str(), path.as_str()));
        let response = if is_auth {
            self.signed_in_by_function(request).await
        } else {
            self.router.clone().oneshot(request).await.unwrap()
        };
        let answer = Answer::read(response).await;
        contract().check_answer(&method, &path, answer.status, answer.media_type(), &answer.body);
        assert!(answer.headers.contains_key("x-request-id"));
        if answer.status >= 400 {
            assert_eq!(answer.body["request_id"], answer.headers["x-request-id"].to_str().unwrap());
            assert_eq!(answer.body["status"], answer.status);
            assert_eq!(answer.body["message"], answer.body["detail"]);
        }
        answer
    }

    async fn signed_in_by_function(&self, request: Request<Body>) -> Response {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        let request = Request::from_parts(parts, lambda_http::Body::Binary(body));
        let (parts, body) = auth::handle(&self.sign_in, request).await.into_parts();
        Response::from_parts(parts, Body::from(body.to_vec()))
    }

    // ---- what most stories begin with

    pub(crate) async fn customer(&self) -> String {
        let email = format!("c{}@example.com", self.keys.fetch_add(1, Ordering::SeqCst));
        self.post("/v1/customers", json!({"name": "Ana Souza", "email": email})).await.created()
    }

    pub(crate) async fn payer(&self) -> String {
        let customer = self.customer().await;
        let path = format!("/v1/customers/{customer}/payment-methods");
        self.post(&path, json!({"type": "credit_card", "token": "tok_visa"})).await.created();
        customer
    }

    pub(crate) async fn invoice(&self, customer: &str) -> String {
        self.post("/v1/invoices", plan(customer)).await.created()
    }

    pub(crate) async fn show(&self, invoice: &str) -> Value {
        self.get(&format!("/v1/invoices/{invoice}")).await.expect(200)
    }

    pub(crate) async fn charge(&self, invoice: &str) -> Answer {
        self.post(&format!("/v1/invoices/{invoice}/charge"), json!({})).await
    }

    /// What the consumer does with the messages that were sent.
    pub(crate) async fn collect(&self) {
        for message in self.queue.take() {
            self.app.handle_message(message, Duration::from_mins(1)).await.unwrap();
        }
    }

    /// The same until there is nothing left to do: what is done about a message may send others.
    pub(crate) async fn collect_all(&self) {
        const MOST_ROUNDS: usize = 20;
        for round in 0.. {
            let messages = self.queue.take();
            if messages.is_empty() {
                break;
            }
            assert!(round < MOST_ROUNDS, "the queue is never empty");
            for message in messages {
                self.app.handle_message(message, Duration::from_mins(1)).await.unwrap();
            }
        }
    }

    pub(crate) fn wait(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// Time goes by, and what is due by then is done.
    pub(crate) async fn pass(&self, seconds: i64) {
        self.wait(seconds);
        self.app.sweep_due(|| true).await.unwrap();
        self.collect_all().await;
    }

    /// A key of its own for a shop's backend.
    pub(crate) async fn service_key(&self) -> String {
        let made = self.post("/v1/api-keys", json!({"role": "service"})).await.expect(201);
        made["key"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn add_card(&self, customer: &str, token: &str) -> String {
        let path = format!("/v1/customers/{customer}/payment-methods");
        let card = json!({"type": "credit_card", "token": token, "default": true});
        self.post(&path, card).await.created()
    }

    /// An invoice that the gateway has answered like this when it was charged.
    pub(crate) async fn charged(&self, customer: &str, says: Says) -> String {
        let invoice = self.invoice(customer).await;
        self.gateway.says(says);
        self.charge(&invoice).await.expect(202);
        self.collect_all().await;
        invoice
    }

    pub(crate) async fn paid(&self) -> String {
        self.charged(&self.payer().await, Says::Yes).await
    }

    /// An unknown outcome that every look-up is silent about.
    pub(crate) async fn lost(&self, customer: &str) -> String {
        self.gateway.is_silent(true);
        let invoice = self.charged(customer, Says::Unknown).await;
        for seconds in [60, 300, 3_600, DAY, DAY, DAY, DAY, DAY] {
            self.pass(seconds).await;
        }
        invoice
    }
}

pub(crate) const DAY: i64 = 86_400;
/// The name of whoever has the deployment's own key.
pub(crate) const BY_OPERATOR: &str = "key_deployment";
/// A card that is always refused for want of money, whatever the gateway says otherwise.
pub(crate) const BROKE: &str = "tok_broke";

pub(crate) fn brl(amount: &str) -> Value {
    json!({"amount": amount, "currency": "BRL"})
}

/// The id of an invoice's attempt.
pub(crate) fn attempt_of(invoice: &str, number: u8) -> String {
    format!("att_{}{number:02}", invoice.strip_prefix("inv_").unwrap())
}

/// What an invoice's history says, newest last.
pub(crate) fn steps(invoice: &Value) -> Vec<&str> {
    invoice["history"].as_array().unwrap().iter().map(|step| step["cause"].as_str().unwrap()).collect()
}

pub(crate) fn plan(customer: &str) -> Value {
    json!({
        "customer_id": customer, "currency": "BRL",
        "items": [
            {"description": "Plan", "quantity": 1, "unit_price": "100.00"},
            {"description": "Seats", "quantity": "3", "unit_price": 7.35},
        ],
    })
}

impl Answer {
    async fn read(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let mut answer =
            Self { status: parts.status.as_u16(), headers: parts.headers, text, body: Value::Null };
        if answer.media_type().ends_with("json") {
            answer.body = serde_json::from_str(&answer.text).unwrap();
        }
        answer
    }

    pub(crate) fn media_type(&self) -> &str {
        self.header(header::CONTENT_TYPE.as_str())
    }

    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.body
    }

    pub(crate) fn created(self) -> String {
        self.expect(201)["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn code(&self) -> (u16, &str) {
        (self.status, self.body["code"].as_str().unwrap_or_default())
    }

    /// What was wrong with a request, as `field reason`.
    pub(crate) fn faults(&self) -> Vec<String> {
        assert_eq!(self.code(), (422, "invalid_argument"), "{}", self.text);
        let errors = self.body["details"]["errors"].as_array().unwrap();
        errors
            .iter()
            .map(|e| format!("{} {}", e["field"].as_str().unwrap(), e["reason"].as_str().unwrap()))
            .collect()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

struct FixedKey;

#[async_trait]
impl OperatorKey for FixedKey {
    async fn hash(&self) -> Result<KeyHash, SecretsError> {
        Ok(KeyHash::of(OPERATOR))
    }
}

/// A gateway that answers what it is told to.
pub(crate) struct StubGateway {
    name: GatewayName,
    answer: Mutex<Says>,
    panics: AtomicBool,
    refuses: AtomicBool,
    is_silent: AtomicBool,
    captured: Mutex<HashMap<AttemptId, Money>>,
    cases: Mutex<Vec<DisputeStanding>>,
    movements: Mutex<Vec<Movement>>,
    held: Mutex<BTreeMap<String, StoreKey>>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Says {
    Yes,
    Declined(FailureClass),
    NotSent,
    Unknown,
    Pix,
    Redirect,
    /// Another amount than it was asked for.
    Captured(Money),
}

impl StubGateway {
    fn named(name: &str) -> Self {
        Self {
            name: GatewayName::parse(name).unwrap(),
            answer: Mutex::new(Says::Yes),
            panics: AtomicBool::new(false),
            refuses: AtomicBool::new(false),
            is_silent: AtomicBool::new(false),
            captured: Mutex::default(),
            cases: Mutex::default(),
            movements: Mutex::default(),
            held: Mutex::default(),
        }
    }

    /// The tokens of the cards that it keeps.
    pub(crate) fn held(&self) -> Vec<String> {
        self.held.lock().unwrap().keys().cloned().collect()
    }

    pub(crate) fn refuses_our_key(&self) {
        self.refuses.store(true, Ordering::SeqCst);
    }

    /// From now on it breaks when it is looked at.
    pub(crate) fn panics(&self) {
        self.panics.store(true, Ordering::SeqCst);
    }

    pub(crate) fn says(&self, answer: Says) {
        *self.answer.lock().unwrap() = answer;
    }

    /// Whether it leaves the question what became of a charge without an answer.
    pub(crate) fn is_silent(&self, is_silent: bool) {
        self.is_silent.store(is_silent, Ordering::SeqCst);
    }

    /// From now on it knows of none of its charges.
    pub(crate) fn forgets(&self) {
        self.captured.lock().unwrap().clear();
    }

    /// How the case stands that it has about every charge.
    pub(crate) fn disputes(&self, case: &str, status: DisputeVerdict) {
        let standing = DisputeStanding { reference: GatewayReference(case.to_owned()), status, amount: None };
        self.forgets_case(case);
        self.cases.lock().unwrap().push(standing);
    }

    /// Tells of this case no more.
    pub(crate) fn forgets_case(&self, case: &str) {
        self.cases.lock().unwrap().retain(|standing| standing.reference.0 != case);
    }

    /// What is on its own books from now on.
    pub(crate) fn lists(
        &self,
        kind: MovementKind,
        reference: &str,
        ours: &str,
        amount: Money,
        at: Timestamp,
    ) {
        let charge = GatewayReference("ch_1".to_owned());
        let reference = GatewayReference(reference.to_owned());
        let movement = Movement { kind, reference, charge, ours: ours.to_owned(), amount, at };
        self.movements.lock().unwrap().push(movement);
    }
}

#[async_trait]
impl Gateway for StubGateway {
    fn name(&self) -> &GatewayName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        assert!(!self.panics.load(Ordering::SeqCst), "a secret in a panic's message");
        Capabilities {
            means: &MeansType::ALL,
            currencies: &[],
            partial_refund: &[],
            idempotency_key_lifetime: SignedDuration::from_hours(24),
            looks_up_by_reference: true,
            retries_by_itself: false,
            keeps_books: self.name.as_str() != "other",
        }
    }

    async fn charge(&self, request: &ChargeRequest) -> ChargeOutcome {
        let reference = GatewayReference("ch_1".to_owned());
        let is_broke = request.means == Means::CreditCard(Token(BROKE.to_owned()));
        let told = if is_broke {
            Says::Declined(FailureClass::InsufficientFunds)
        } else {
            *self.answer.lock().unwrap()
        };
        match told {
            Says::Yes => {
                self.captured.lock().unwrap().insert(request.attempt, request.amount);
                ChargeOutcome::Approved { reference, captured: request.amount }
            }
            Says::Captured(captured) => ChargeOutcome::Approved { reference, captured },
            Says::Declined(class) => {
                let failure = Failure::new(class, class.as_str(), "the bank said no").with_raw_code("51");
                ChargeOutcome::Declined { reference: Some(reference), failure }
            }
            Says::NotSent => {
                ChargeOutcome::NotSent { failure: Failure::new(FailureClass::NotSent, "not_sent", "429") }
            }
            Says::Unknown => ChargeOutcome::Unknown {
                failure: Failure::new(FailureClass::Unknown, "unknown", "no answer"),
            },
            Says::Pix => {
                let expires_at = Timestamp::from_millisecond(VirtualClock::START_MS + 3_600_000).unwrap();
                let action = PendingAction::Pix { emv: "00020126".to_owned(), expires_at };
                ChargeOutcome::Pending { reference, action }
            }
            Says::Redirect => ChargeOutcome::Pending {
                reference,
                action: PendingAction::RequiresAction { url: Some("https://bank.example/3ds".to_owned()) },
            },
        }
    }

    /// A token that is good for one use is good for one order, which may come again.
    async fn store_method(&self, request: &StoreRequest) -> StoreOutcome {
        let Token(token) = &request.token;
        let mut held = self.held.lock().unwrap();
        let key = held.entry(token.clone()).or_insert_with(|| request.key.clone());
        if self.is_silent.load(Ordering::SeqCst) {
            let failure = Failure::new(FailureClass::Unknown, "timeout", "no answer in time");
            return StoreOutcome::Unclear { failure };
        }
        if token.starts_with("once_") && *key != request.key {
            let failure = Failure::new(FailureClass::Hard, "token_used", "the token was used before");
            return StoreOutcome::Declined { failure };
        }
        StoreOutcome::Stored(request.token.clone())
    }

    async fn detach_method(&self, token: &Token) -> Result<(), Failure> {
        if self.is_silent.load(Ordering::SeqCst) {
            return Err(Failure::new(FailureClass::Unknown, "timeout", "no answer in time"));
        }
        self.held.lock().unwrap().remove(&token.0);
        Ok(())
    }

    async fn check(&self) -> Result<(), Failure> {
        if !self.refuses.load(Ordering::SeqCst) {
            return Ok(());
        }
        let message = "the gateway does not accept our API key";
        Err(Failure::new(FailureClass::Configuration, "unauthorized", message))
    }

    async fn cancel(&self, _: &ChargeLookup) -> ChargeOutcome {
        ChargeOutcome::Voided { reference: GatewayReference("ch_1".to_owned()) }
    }

    async fn fetch_charge(&self, lookup: &ChargeLookup) -> ChargeOutcome {
        if self.is_silent.load(Ordering::SeqCst) {
            return ChargeOutcome::Unknown {
                failure: Failure::new(FailureClass::Unknown, "unknown", "no answer"),
            };
        }
        match self.captured.lock().unwrap().get(&lookup.attempt) {
            Some(captured) => ChargeOutcome::Approved {
                reference: GatewayReference("ch_1".to_owned()),
                captured: *captured,
            },
            None => ChargeOutcome::Absent,
        }
    }

    async fn refund(&self, request: &RefundRequest) -> RefundOutcome {
        match *self.answer.lock().unwrap() {
            Says::Yes => RefundOutcome::Succeeded {
                reference: GatewayReference("re_1".to_owned()),
                amount: request.amount,
            },
            _ => RefundOutcome::Failed {
                failure: Failure::new(FailureClass::Generic, "refund_failed", "the bank said no"),
            },
        }
    }

    async fn fetch_refund(&self, _: &RefundRequest) -> Option<RefundOutcome> {
        None
    }

    async fn fetch_dispute(&self, _: &ChargeLookup) -> DisputeOutcome {
        DisputeOutcome::Told(self.cases.lock().unwrap().clone())
    }

    /// One a page.
    async fn movements(
        &self,
        from: Timestamp,
        to: Timestamp,
        after: Option<&str>,
    ) -> Result<MovementPage, Failure> {
        self.check().await?;
        let place: usize = after.map_or(0, |after| after.parse().unwrap());
        let all = self.movements.lock().unwrap();
        let within: Vec<&Movement> = all.iter().filter(|one| one.at >= from && one.at < to).collect();
        let data = within.get(place).map(|one| (*one).clone()).into_iter().collect();
        Ok(MovementPage { data, next: (place + 1 < within.len()).then(|| (place + 1).to_string()) })
    }

    async fn verify_webhook(&self, _: &WebhookDelivery, _: Timestamp) -> Result<(), WebhookRefusal> {
        Err(WebhookRefusal::NoSecret)
    }

    fn parse_webhook(&self, _: &[u8]) -> Result<WebhookHint, MalformedWebhook> {
        Err(MalformedWebhook(String::new()))
    }
}
