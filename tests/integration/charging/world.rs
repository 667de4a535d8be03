//! A shop, its customers, the functions and the gateway.

use crate::faults::{Frail, FrailStore};
use async_trait::async_trait;
use aws_lambda_events::event::sqs::SqsEvent;
use axum::extract::State;
use fatura_application::access::{Caller, Role};
use fatura_application::idempotency::AnswerScope;
use fatura_application::ports::{
    Clock, Gateway, GatewaySecrets, Gateways, Message, Rates, RatesError, Secrets, SecretsError,
    WebhookMessage,
};
use fatura_application::{
    AddPaymentMethod, Answer, App, CreateInvoice, Error, Intake, NewInstrument, Once, PayBy, RateDesk,
    Records, Reply,
};
use fatura_domain::calendar::AnchorDay;
use fatura_domain::charge::Attempt;
use fatura_domain::customer::{CustomerKind, PaymentMethod, Profile, TimeZoneName};
use fatura_domain::exchange::{AgeLimits, ExchangeRates, Rate, RateSource};
use fatura_domain::gateway::{GatewayName, PixKey, Token};
use fatura_domain::id::{CustomerId, InvoiceId, PaymentMethodId};
use fatura_domain::invoice::{Content, Invoice, LineItem, Quantity, Status, UnitPrice};
use fatura_domain::ledger::{Transaction, TransactionFilter};
use fatura_domain::money::Currency;
use fatura_domain::text::{Description, Email, Metadata, Name};
use fatura_domain::{SignedDuration, Timestamp};
use fatura_gateways::{Http, Timeouts};
use fatura_rules::RuleEngine;
use fatura_testkit::{RecordingQueue, SeededEntropy, TestTable, VirtualClock};
use retry_sweep::Task;
use sandbox_gateway::{Config, Sandbox};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;

const API_KEY: &str = "sandbox-key";
const WEBHOOK_SECRET: &str = "sandbox-webhook-secret";

pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) charges: Arc<RecordingQueue<Message>>,
    pub(crate) webhooks: Arc<RecordingQueue<WebhookMessage>>,
    pub(crate) gateway: Arc<Frail>,
    pub(crate) store: Arc<FrailStore>,
    pub(crate) rates: Arc<ToldRates>,
    pub(crate) intake_url: String,
    sandbox: Sandbox,
    sandbox_clock: Arc<SandboxClock>,
    http: reqwest::Client,
    requests: AtomicU64,
    pub(crate) table: TestTable,
}

/// Publishes what a test says, or nothing.
#[derive(Default)]
pub(crate) struct ToldRates(Mutex<Option<ExchangeRates>>);

impl ToldRates {
    /// What a dollar is worth, as of then.
    pub(crate) fn tell(&self, at: Timestamp, of_a_dollar: &[(&str, &str)]) {
        let quoted =
            of_a_dollar.iter().map(|(code, rate)| (code.parse().unwrap(), Rate::parse(rate).unwrap()));
        let rates = ExchangeRates::try_new(self.source(), Currency::USD, at, quoted).unwrap();
        *self.0.lock().unwrap() = Some(rates);
    }

    pub(crate) fn fall_silent(&self) {
        *self.0.lock().unwrap() = None;
    }
}

#[async_trait]
impl Rates for ToldRates {
    fn source(&self) -> RateSource {
        RateSource::OpenExchangeRates
    }

    async fn latest(&self) -> Result<ExchangeRates, RatesError> {
        let told = self.0.lock().unwrap().clone();
        told.ok_or_else(|| RatesError::Unavailable("told to be silent".to_owned()))
    }
}

struct FixedSecrets;

#[async_trait]
impl Secrets for FixedSecrets {
    async fn gateway(&self, _: &GatewayName) -> Result<Option<GatewaySecrets>, SecretsError> {
        Ok(Some(GatewaySecrets {
            api_key: API_KEY.into(),
            webhook_secrets: vec![WEBHOOK_SECRET.into()],
            ..GatewaySecrets::default()
        }))
    }
}

/// Signatures are made by the sandbox's clock: the real one, moved as a test wants it.
#[derive(Default)]
struct SandboxClock {
    ahead_s: AtomicI64,
}

impl Clock for SandboxClock {
    fn now(&self) -> Timestamp {
        Timestamp::now() + SignedDuration::from_secs(self.ahead_s.load(Ordering::SeqCst))
    }
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::beside([]).await
    }

    /// With these gateways beside the sandbox.
    pub(crate) async fn beside(others: impl IntoIterator<Item = Arc<dyn Gateway>>) -> Self {
        let table = TestTable::start().await;
        let config = Config {
            api_key: API_KEY.into(),
            webhook_secret: WEBHOOK_SECRET.into(),
            webhook_target: None,
            clock_file: None,
        };
        let sandbox = Sandbox::start(config).await.unwrap();
        let timeouts = Timeouts { connect: Duration::from_secs(1), total: Duration::from_secs(1) };
        let adapter = fatura_gateways::Sandbox::new(
            Http::try_new(timeouts).unwrap(),
            sandbox.url().parse().unwrap(),
            Arc::new(FixedSecrets),
        );
        let gateway = Arc::new(Frail::around(adapter));
        let gateways = Gateways::of(others.into_iter().chain([gateway.clone() as _]));
        let (charges, webhooks) = (Arc::new(RecordingQueue::default()), Arc::new(RecordingQueue::default()));
        let clock = Arc::new(VirtualClock::default());
        let store = Arc::new(FrailStore::around(table.store.clone()));

        let sandbox_clock = Arc::new(SandboxClock::default());
        let intake = Intake {
            webhooks: table.store.clone(),
            queue: webhooks.clone(),
            gateways: gateways.clone(),
            clock: sandbox_clock.clone(),
        };
        let intake_url = serve(intake).await;
        let app = App::new(
            Records { store: store.clone(), ..Records::of(table.store.clone()) },
            charges.clone(),
            gateways,
            clock.clone(),
            Arc::new(SeededEntropy::new(7)),
        );
        let rates = Arc::new(ToldRates::default());
        let limits = AgeLimits::try_new(SignedDuration::from_hours(1), SignedDuration::from_hours(72));
        let desk = RateDesk::new(rates.clone(), table.store.clone(), clock.clone(), limits.unwrap());
        let app = app.with_rates(Arc::new(desk)).with_risk(Arc::new(RuleEngine::new()));
        let http = reqwest::Client::new();
        let requests = AtomicU64::new(0);
        let world = Self {
            app,
            clock,
            charges,
            webhooks,
            gateway,
            store,
            rates,
            intake_url,
            sandbox,
            sandbox_clock,
            http,
            requests,
            table,
        };
        world
            .at_the_gateway(
                "/control",
                json!({ "webhook_target": format!("{}/webhooks/sandbox", world.intake_url) }),
            )
            .await;
        world
    }

    pub(crate) fn operator() -> Caller {
        Caller::new("key_test", Role::Operator)
    }

    /// A request that hasn't been made before.
    pub(crate) fn once(&self) -> Once {
        let key = self.requests.fetch_add(1, Ordering::SeqCst).to_string();
        let scope = AnswerScope { caller: "key_test".to_owned(), route: "test".to_owned(), key };
        Once { scope, fingerprint: [0; 32] }
    }

    pub(crate) async fn payer(&self, instrument: NewInstrument) -> CustomerId {
        let customer = self.customer(None).await;
        self.add_method(customer, instrument, false).await;
        customer
    }

    /// Somebody who is billed on this day of the month in this time zone, or on none.
    pub(crate) async fn customer(&self, billed: Option<(u8, &str)>) -> CustomerId {
        let number = self.requests.load(Ordering::SeqCst);
        let profile = Profile {
            name: Name::parse("Ana").unwrap(),
            email: Email::parse(&format!("ana{number}@example.com")).unwrap(),
            external_id: None,
            kind: CustomerKind::Buyer,
            time_zone: billed.map(|(_, zone)| TimeZoneName::parse(zone).unwrap()),
            billing_anchor_day: billed.map(|(day, _)| AnchorDay::try_from(day).unwrap()),
            country: None,
            metadata: Metadata::default(),
        };
        let id_only = |customer: &fatura_domain::customer::Customer| answer(customer.id.to_string());
        let reply =
            self.app.create_customer(&Self::operator(), profile, None, &self.once(), &id_only).await.unwrap();
        reply.answer.body.parse().unwrap()
    }

    pub(crate) async fn add_method(
        &self,
        customer: CustomerId,
        instrument: NewInstrument,
        make_default: bool,
    ) -> PaymentMethodId {
        let command = AddPaymentMethod { customer, instrument, make_default };
        let id_only = |method: &PaymentMethod, _: bool| answer(method.id.to_string());
        let added = self.app.add_payment_method(&Self::operator(), command, &self.once(), &id_only).await;
        added.unwrap().answer.body.parse().unwrap()
    }

    /// A draft of 122.05 BRL in three lines.
    pub(crate) async fn draft(&self, instrument: NewInstrument) -> InvoiceId {
        self.create(instrument, None).await
    }

    pub(crate) async fn create(&self, instrument: NewInstrument, charge_at: Option<Timestamp>) -> InvoiceId {
        let customer = self.payer(instrument).await;
        self.create_for(customer, charge_at).await
    }

    /// A draft of 122.05 BRL for somebody who is there already.
    pub(crate) async fn draft_for(&self, customer: CustomerId) -> InvoiceId {
        self.create_for(customer, None).await
    }

    async fn create_for(&self, customer: CustomerId, charge_at: Option<Timestamp>) -> InvoiceId {
        let content = Content {
            currency: Currency::BRL,
            items: vec![
                line("Plan", "1", "100.00"),
                line("Seats", "3", "7.35"),
                line("Requests", "0.5", "0.01"),
            ],
            description: None,
            metadata: Metadata::default(),
        };
        let command =
            CreateInvoice { customer, content, payment_method: None, charge_at, auto_charge: false };
        let id_only = |invoice: &Invoice| answer(invoice.id.to_string());
        let reply =
            self.app.create_invoice(&Self::operator(), command, &self.once(), &id_only).await.unwrap();
        reply.answer.body.parse().unwrap()
    }

    pub(crate) async fn charge(&self, invoice: InvoiceId) -> Result<Reply, Error> {
        self.charge_once(invoice, &self.once()).await
    }

    pub(crate) async fn charge_once(&self, invoice: InvoiceId, once: &Once) -> Result<Reply, Error> {
        let shown = |invoice: &Invoice| answer(format!("{} {}", invoice.status().as_str(), invoice.version));
        self.app.charge_invoice(&Self::operator(), invoice, PayBy::Method(None), once, &shown).await
    }

    /// A new invoice, charged, its message in the queue.
    pub(crate) async fn charged(&self, token: &str) -> InvoiceId {
        let invoice = self.draft(card(token)).await;
        self.charge(invoice).await.unwrap();
        invoice
    }

    /// Delivers every message that is waiting; the ids that the consumer wants again come back.
    pub(crate) async fn deliver(&self) -> Vec<String> {
        let messages =
            self.charges.take().into_iter().map(|message| serde_json::to_string(&message).unwrap());
        self.deliver_bodies(messages.collect()).await
    }

    pub(crate) async fn deliver_bodies(&self, bodies: Vec<String>) -> Vec<String> {
        self.deliver_with(bodies, Duration::from_secs(30)).await
    }

    pub(crate) async fn deliver_with(&self, bodies: Vec<String>, time_left: Duration) -> Vec<String> {
        Self::consume(&self.app, bodies, time_left).await
    }

    /// One batch, by a consumer that need not be ours.
    pub(crate) async fn consume(app: &App, bodies: Vec<String>, time_left: Duration) -> Vec<String> {
        let response = charge_consumer::handle(app, batch(bodies), || time_left).await;
        response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
    }

    /// Delivers what is waiting, one after the other, and not what is sent meanwhile.
    pub(crate) async fn deliver_in_turn(&self) {
        for message in self.charges.take() {
            let body = serde_json::to_string(&message).unwrap();
            assert!(self.deliver_bodies(vec![body]).await.is_empty(), "{message:?}");
        }
    }

    /// Delivers until nobody sends anything any more. What fails comes again a few times, as a queue does.
    pub(crate) async fn drain(&self) {
        let mut again: Vec<String> = Vec::new();
        let mut failures_in_a_row = 0;
        while failures_in_a_row < 5 {
            let messages = self.charges.take();
            let fresh = messages.iter().map(|message| serde_json::to_string(message).unwrap());
            let bodies: Vec<String> = again.into_iter().chain(fresh).collect();
            if bodies.is_empty() {
                return;
            }
            let failed = self.deliver_bodies(bodies.clone()).await;
            failures_in_a_row = if failed.is_empty() { 0 } else { failures_in_a_row + 1 };
            again = failed.iter().map(|place| bodies[place.parse::<usize>().unwrap()].clone()).collect();
        }
        panic!("they fail again and again: {again:?}");
    }

    /// Delivers the webhooks that have come until now, one after the other as they came.
    pub(crate) async fn heed_webhooks(&self) {
        self.heed(self.webhooks.take()).await;
    }

    pub(crate) async fn heed(&self, messages: Vec<WebhookMessage>) {
        for message in messages {
            let body = serde_json::to_string(&message).unwrap();
            let response = webhook_consumer::handle(&self.app, batch(vec![body])).await;
            assert!(response.batch_item_failures.is_empty(), "{message:?}");
        }
    }

    /// Waits until a webhook was taken in, then delivers it.
    pub(crate) async fn deliver_webhooks(&self) -> Vec<String> {
        let messages = self.next_webhooks().await;
        let bodies = messages.iter().map(|message| serde_json::to_string(message).unwrap()).collect();
        let response = webhook_consumer::handle(&self.app, batch(bodies)).await;
        response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
    }

    /// Waits until a webhook was taken in.
    pub(crate) async fn next_webhooks(&self) -> Vec<WebhookMessage> {
        for _ in 0..500 {
            let messages = self.webhooks.take();
            if !messages.is_empty() {
                return messages;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no webhook came");
    }

    /// How many messages the sweep sent.
    pub(crate) async fn sweep(&self) -> u64 {
        self.scheduled(Task::Sweep).await["sent"].as_u64().unwrap()
    }

    /// What a schedule asks for.
    pub(crate) async fn scheduled(&self, task: Task) -> Value {
        retry_sweep::handle(&self.app, task, || Duration::from_secs(50)).await.unwrap()
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    pub(crate) async fn invoice(&self, id: InvoiceId) -> Invoice {
        self.app.invoice(&Self::operator(), id).await.unwrap()
    }

    pub(crate) async fn attempts(&self, id: InvoiceId) -> Vec<Attempt> {
        self.app.attempts(&Self::operator(), id).await.unwrap().finished
    }

    pub(crate) async fn transactions(&self, id: InvoiceId) -> Vec<Transaction> {
        let page = fatura_application::ports::PageRequest { limit: 100, after: None };
        let page =
            self.app.transactions(&Self::operator(), id.owner(), &TransactionFilter::default(), page).await;
        page.unwrap().data
    }

    /// What the gateway really did.
    pub(crate) async fn journal(&self, id: InvoiceId) -> Vec<Value> {
        self.truth(&format!("/charges?reference={id}")).await
    }

    /// A list of the gateway's, as it is.
    pub(crate) async fn truth(&self, path: &str) -> Vec<Value> {
        let url = format!("{}{path}", self.sandbox.url());
        let text = self.http.get(url).send().await.unwrap().text().await.unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["data"].as_array().unwrap().clone()
    }

    /// Sets the gateway's clock to ours, to the second.
    pub(crate) async fn set_gateway_clock(&self) {
        let ahead = self.app.clock.now().as_second() - Timestamp::now().as_second();
        self.sandbox_clock.ahead_s.store(ahead, Ordering::SeqCst);
        self.at_the_gateway("/control", json!({ "clock_offset_s": ahead })).await;
    }

    pub(crate) async fn at_the_gateway(&self, path: &str, body: Value) -> Value {
        let request = self.http.post(format!("{}{path}", self.sandbox.url())).json(&body);
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        serde_json::from_str(&answer.text().await.unwrap()).unwrap_or(Value::Null)
    }

    pub(crate) async fn assert_paid_once(&self, id: InvoiceId) {
        let invoice = self.invoice(id).await;
        assert_eq!(invoice.status(), Status::Paid, "{invoice:?}");
        assert_eq!(invoice.amount_paid().to_string(), "122.05");
        let journal = self.journal(id).await;
        let captured: Vec<_> = journal.iter().filter(|charge| charge["status"] == "captured").collect();
        assert_eq!(captured.len(), 1, "{journal:?}");
        assert_eq!(captured[0]["captured_minor"], 12_205);
        let transactions = self.transactions(id).await;
        assert_eq!(transactions.len(), 1, "{transactions:?}");
        assert_eq!(transactions[0].amount.to_string(), "122.05");
        assert!(invoice.orphans.is_empty());
    }
}

pub(crate) fn card(token: &str) -> NewInstrument {
    card_at(None, token)
}

pub(crate) fn card_at(gateway: Option<&str>, token: &str) -> NewInstrument {
    NewInstrument::CreditCard {
        gateway: gateway.map(|name| GatewayName::parse(name).unwrap()),
        token: Token::parse(token).unwrap(),
        brand: None,
        last4: None,
        expiry: None,
        country: None,
    }
}

pub(crate) fn pix() -> NewInstrument {
    NewInstrument::Pix(PixKey::parse("ana@example.com").unwrap())
}

fn line(description: &str, quantity: &str, unit_price: &str) -> LineItem {
    LineItem {
        description: Description::parse(description).unwrap(),
        quantity: Quantity::parse(quantity).unwrap(),
        unit_price: UnitPrice::parse(unit_price).unwrap(),
    }
}

pub(crate) fn answer(body: impl Into<String>) -> Answer {
    Answer { status: 200, body: body.into() }
}

fn batch(bodies: Vec<String>) -> SqsEvent {
    let record = |(place, body): (usize, String)| json!({ "messageId": place.to_string(), "body": body });
    let records: Vec<Value> = bodies.into_iter().enumerate().map(record).collect();
    serde_json::from_value(json!({ "Records": records })).unwrap()
}

async fn serve(intake: Intake) -> String {
    async fn take_in(
        State(intake): State<Intake>,
        request: axum::extract::Request,
    ) -> axum::response::Response {
        let (parts, body) = request.into_parts();
        let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let request =
            lambda_http::http::Request::from_parts(parts, lambda_http::Body::Binary(bytes.to_vec()));
        let response = webhook_intake::handle(&intake, request).await;
        response.map(|body| axum::body::Body::from(body.to_vec()))
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = axum::Router::new().fallback(take_in).with_state(intake);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}
