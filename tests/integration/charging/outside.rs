//! The same way with Stripe's adapter and localstripe, which others wrote: from the card's form to money that went back.
//! `tests/gateways-outside/run.py` runs these.

use crate::localstripe::Localstripe;
use crate::world::{World, answer, card_at};
use async_trait::async_trait;
use axum::body::{Body, to_bytes};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use fatura_application::ports::{GatewaySecrets, Secrets, SecretsError};
use fatura_application::{RefundAmount, RequestRefund};
use fatura_domain::charge::{Attempt, AttemptOutcome, FailureClass, Phase};
use fatura_domain::gateway::GatewayName;
use fatura_domain::id::InvoiceId;
use fatura_domain::invoice::Status;
use fatura_domain::ledger::{Account, Direction, TransactionKind};
use fatura_domain::refund::Refund;
use fatura_gateways::{Http, Stripe, Timeouts};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

const API_KEY: &str = "sk_test_fatura";
const WEBHOOK_SECRET: &str = "whsec_fatura";
const GOOD: &str = "4242424242424242";
/// It can be kept, and every charge is declined.
const DECLINED: &str = "4000000000000341";

struct Fixed;

#[async_trait]
impl Secrets for Fixed {
    async fn gateway(&self, _: &GatewayName) -> Result<Option<GatewaySecrets>, SecretsError> {
        let webhook_secrets = vec![WEBHOOK_SECRET.to_owned()];
        Ok(Some(GatewaySecrets { api_key: API_KEY.to_owned(), webhook_secrets, ..GatewaySecrets::default() }))
    }
}

/// What lies between us and localstripe, each way.
#[derive(Clone)]
struct Line {
    to: String,
    loses_the_next_order: Arc<AtomicBool>,
    answers: mpsc::UnboundedSender<StatusCode>,
    http: reqwest::Client,
}

impl Line {
    /// The line, where it begins, and what was answered through it.
    async fn to(url: &str) -> (Self, String, mpsc::UnboundedReceiver<StatusCode>) {
        let (answers, answered) = mpsc::unbounded_channel();
        let http = reqwest::Client::new();
        let line = Self { to: url.to_owned(), loses_the_next_order: Arc::default(), answers, http };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = format!("http://{}", listener.local_addr().unwrap());
        let router = axum::Router::new().fallback(pass).with_state(line.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (line, at, answered)
    }
}

async fn pass(State(line): State<Line>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    parts.headers.remove("host");
    let is_order = parts.method == "POST" && parts.uri.path() == "/v1/payment_intents";
    let sent = line.http.request(parts.method, format!("{}{}", line.to, parts.uri)).headers(parts.headers);
    let answer = sent.body(to_bytes(body, 1 << 20).await.unwrap()).send().await.unwrap();
    if is_order && line.loses_the_next_order.swap(false, Ordering::SeqCst) {
        // Charged, and nobody is told.
        std::future::pending::<()>().await;
    }
    let status = answer.status();
    let _ = line.answers.send(status);
    let mut told = Response::new(Body::from(answer.bytes().await.unwrap()));
    *told.status_mut() = status;
    told
}

/// A world with a Stripe beside its sandbox, the one that its cards are kept at.
struct Shop {
    world: World,
    line: Line,
    http: reqwest::Client,
    localstripe: Localstripe,
}

impl Shop {
    async fn open() -> Self {
        let localstripe = Localstripe::start();
        let (line, at, _) = Line::to(&localstripe.url).await;
        let timeouts = Timeouts { connect: Duration::from_secs(1), total: Duration::from_secs(3) };
        let stripe = Stripe::new(Http::try_new(timeouts).unwrap(), at.parse().unwrap(), Arc::new(Fixed));
        let world = World::beside([Arc::new(stripe) as _]).await;
        let shop = Self { world, line, http: reqwest::Client::new(), localstripe };
        // All events, not only those that we have a use for.
        let webhook =
            json!({ "url": format!("{}/webhooks/stripe", shop.world.intake_url), "secret": WEBHOOK_SECRET });
        shop.posted("/_config/webhooks/fatura", &webhook).await;
        shop
    }

    async fn posted(&self, path: &str, body: &Value) -> String {
        let request = self.http.post(format!("{}{path}", self.localstripe.url)).bearer_auth("sk_test_form");
        let answer = request.json(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.text().await.unwrap()
    }

    /// What localstripe has on its books.
    async fn truth(&self, path: &str) -> Value {
        let request = self.http.get(format!("{}{path}", self.localstripe.url)).bearer_auth("sk_test_truth");
        serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
    }

    /// An invoice of 122.05 BRL with its message in the queue, and a card that came from the form in the browser.
    async fn charged(&self, number: &str) -> InvoiceId {
        let card = json!({ "number": number, "exp_month": 12, "exp_year": 2030, "cvc": "123" });
        let made = self.posted("/v1/payment_methods", &json!({ "type": "card", "card": card })).await;
        let made: Value = serde_json::from_str(&made).unwrap();
        let token = made["id"].as_str().unwrap();
        let invoice = self.world.draft(card_at(Some("stripe"), token)).await;
        let kept = self.truth(&format!("/v1/payment_methods/{token}")).await;
        let owner = self.truth(&format!("/v1/customers/{}", kept["customer"].as_str().unwrap())).await;
        assert_eq!(owner["metadata"]["customer"], invoice.owner().to_string());
        self.world.charge(invoice).await.unwrap();
        invoice
    }

    /// Until this is so, by webhooks and nothing else.
    async fn hear(&self, invoice: InvoiceId, status: Status) {
        while self.world.invoice(invoice).await.status() != status {
            assert!(self.world.deliver_webhooks().await.is_empty());
        }
    }

    /// Until the event of this kind was delivered, among others.
    async fn hear_of(&self, kind: &str) {
        let events = self.truth("/v1/events").await["data"].as_array().unwrap().clone();
        let event = events.iter().find(|event| event["type"] == kind).unwrap();
        let mut is_heard = false;
        while !is_heard {
            let messages = self.world.next_webhooks().await;
            is_heard = messages.iter().any(|message| event["id"] == message.event_id);
            self.world.heed(messages).await;
        }
    }

    async fn give_back(&self, invoice: InvoiceId, amount: RefundAmount) {
        self.world.pass(1);
        let command = RequestRefund { invoice, amount, reason: None };
        let shown = |refund: &Refund| answer(refund.id.to_string());
        let once = self.world.once();
        self.world.app.request_refund(&World::operator(), command, &once, &shown).await.unwrap();
        assert!(self.world.deliver().await.is_empty());
    }

    /// To the cent, here and there.
    async fn assert_money(&self, invoice: InvoiceId, taken: i64, given_back: &[i64]) {
        let intents = self.truth("/v1/payment_intents").await["data"].as_array().unwrap().clone();
        let [intent] = &intents[..] else { panic!("{intents:?}") };
        assert_eq!((&intent["status"], &intent["currency"]), (&json!("succeeded"), &json!("brl")));
        assert_eq!((&intent["amount"], &intent["amount_received"]), (&json!(taken), &json!(taken)));
        let refunds = self.truth("/v1/refunds").await["data"].as_array().unwrap().clone();
        let mut refunded: Vec<i64> =
            refunds.iter().map(|refund| refund["amount"].as_i64().unwrap()).collect();
        refunded.sort_unstable();
        assert_eq!(refunded, given_back);
        assert!(refunds.iter().all(|refund| refund["payment_intent"] == intent["id"]));

        let after = self.world.invoice(invoice).await;
        assert_eq!((after.amount_paid().minor(), after.orphans.len()), (taken, 0));
        assert_eq!(after.amount_refunded().minor(), given_back.iter().sum::<i64>());
        let transactions = self.world.transactions(invoice).await;
        assert_eq!(transactions.len(), 1 + given_back.len());
        let charges: Vec<_> =
            transactions.iter().filter(|transaction| transaction.kind == TransactionKind::Charge).collect();
        assert_eq!((charges.len(), charges[0].amount.minor()), (1, taken));
        assert_eq!(intent["id"], charges[0].moved_by.at_gateway().unwrap().reference.0);
        let mut balances = BTreeMap::new();
        for entry in transactions.iter().flat_map(|transaction| transaction.journal.entries()) {
            let sign = if entry.direction == Direction::Debit { 1 } else { -1 };
            *balances.entry(format!("{:?}", entry.account)).or_insert(0) += sign * entry.amount.minor();
        }
        let left = taken - given_back.iter().sum::<i64>();
        let stripe = Account::GatewayClearing(GatewayName::parse("stripe").unwrap());
        let expected = [(format!("{stripe:?}"), left), (format!("{:?}", Account::Revenue), -left)];
        assert_eq!(balances, BTreeMap::from(expected));
    }
}

#[tokio::test]
#[ignore = "needs localstripe: make gateways-outside"]
async fn an_invoice_is_paid_and_given_back_at_localstripe() {
    let shop = Shop::open().await;
    let invoice = shop.charged(GOOD).await;
    assert!(shop.world.deliver().await.is_empty());
    let paid = shop.world.invoice(invoice).await;
    assert_eq!(paid.status(), Status::Paid, "by the answer");
    assert_eq!(shop.world.attempts(invoice).await[0].outcome, AttemptOutcome::Succeeded);
    shop.hear_of("payment_intent.succeeded").await;
    assert_eq!(shop.world.invoice(invoice).await.version, paid.version, "what was known is not news");
    shop.assert_money(invoice, 12_205, &[]).await;

    shop.give_back(invoice, RefundAmount::InItsCurrency("22.05".to_owned())).await;
    shop.assert_money(invoice, 12_205, &[2_205]).await;
    shop.give_back(invoice, RefundAmount::AllThatIsLeft).await;
    assert_eq!(shop.world.invoice(invoice).await.status(), Status::Refunded);
    shop.assert_money(invoice, 12_205, &[2_205, 10_000]).await;
}

#[tokio::test]
#[ignore = "needs localstripe: make gateways-outside"]
async fn its_webhook_alone_settles_what_nobody_was_told() {
    let shop = Shop::open().await;
    let invoice = shop.charged(GOOD).await;
    shop.line.loses_the_next_order.store(true, Ordering::SeqCst);
    shop.world.deliver().await;
    let open = shop.world.invoice(invoice).await;
    assert!(matches!(open.state.live_attempt().unwrap().phase, Phase::Unknown { .. }), "{open:?}");
    assert!(shop.world.transactions(invoice).await.is_empty());
    shop.hear(invoice, Status::Paid).await;
    shop.assert_money(invoice, 12_205, &[]).await;
    shop.give_back(invoice, RefundAmount::AllThatIsLeft).await;
    assert_eq!(shop.world.invoice(invoice).await.status(), Status::Refunded);
    shop.assert_money(invoice, 12_205, &[12_205]).await;
}

/// localstripe's 402 leaves out what kind of error it is, which Stripe always says: so it isn't believed until it is asked.
#[tokio::test]
#[ignore = "needs localstripe: make gateways-outside"]
async fn a_decline_takes_nothing() {
    let shop = Shop::open().await;
    let invoice = shop.charged(DECLINED).await;
    assert!(shop.world.deliver().await.is_empty());
    let open = shop.world.invoice(invoice).await;
    assert!(matches!(open.state.live_attempt().unwrap().phase, Phase::Unknown { .. }), "{open:?}");
    shop.hear_of("payment_intent.payment_failed").await;
    let after = shop.world.invoice(invoice).await;
    let attempts = shop.world.attempts(invoice).await;
    let [Attempt { outcome: AttemptOutcome::Declined(failure), .. }] = &attempts[..] else {
        panic!("{attempts:?}")
    };
    assert_eq!((failure.class, failure.raw_code.as_deref()), (FailureClass::Generic, Some("card_declined")));
    assert_eq!((after.amount_paid().minor(), after.declines), (0, 1));
    assert!(shop.world.transactions(invoice).await.is_empty());
}

/// Anybody can post to the intake.
#[tokio::test]
#[ignore = "needs localstripe: make gateways-outside"]
async fn what_localstripe_signs_for_somebody_else_is_refused() {
    let shop = Shop::open().await;
    let (_, at, mut answered) = Line::to(&shop.world.intake_url).await;
    for (secret, expected) in
        [("whsec_of_another_account", StatusCode::UNAUTHORIZED), (WEBHOOK_SECRET, StatusCode::OK)]
    {
        let webhook = json!({ "url": format!("{at}/webhooks/stripe"), "secret": secret });
        shop.posted("/_config/webhooks/fatura", &webhook).await;
        shop.charged(GOOD).await;
        assert!(shop.world.deliver().await.is_empty());
        // That there is a customer, and that it paid.
        for _ in 0..2 {
            let answer = tokio::time::timeout(Duration::from_secs(10), answered.recv()).await;
            assert_eq!(answer.unwrap(), Some(expected), "{secret}");
        }
    }
    assert_eq!(shop.world.webhooks.take().len(), 2);
}
