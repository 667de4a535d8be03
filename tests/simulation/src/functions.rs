//! The functions as Lambda runs them: each environment with clients, caches and a clock of its own.

use crate::bus::Bus;
use crate::chance::Chance;
use crate::clients::Asked;
use crate::clock::Clock;
use crate::control::Control;
use crate::engine::Engine;
use crate::gateway::{Delivery, SimulatedGateway};
use crate::queue::{Letter, Queue};
use crate::rates::SimulatedRates;
use crate::receivers::Receivers;
use crate::task::{Finished, Running};
use crate::wire;
use api::Api;
use async_trait::async_trait;
use aws_lambda_events::event::dynamodb::{Event as StreamEvent, EventRecord};
use axum::body::Body;
use event_relay::Relay;
use fatura_application::access::KeyHash;
use fatura_application::ports::{Entropy, Gateway, Gateways, SecretsError, TokenKeys};
use fatura_application::tokens::{KeyId, KeyRing};
use fatura_application::{
    App, Authenticator, Intake, Notifier, OperatorKey, Outgoing, RateDesk, Records, Tokens,
};
use fatura_domain::SignedDuration;
use fatura_domain::exchange::AgeLimits;
use fatura_domain::notice::Language;
use fatura_domain::text::Name;
use fatura_domain::webhook_endpoint::Loopback;
use fatura_rules::RuleEngine;
use fatura_store::DynamoStore;
use http::{Request, header};
use http_body_util::BodyExt;
use notifier::{Teller, TellerParts};
use retry_sweep::Task;
use serde::Deserialize;
use serde_json::{Value, json};
use std::cell::OnceCell;
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt;

const OPERATOR: &str = "fat_operator";
const TIME_LEFT: Duration = Duration::from_secs(50);

/// What is outside of every environment.
#[derive(Clone)]
pub(crate) struct Outside {
    pub(crate) engine: Arc<Engine>,
    pub(crate) control: Control,
    pub(crate) clock: Clock,
    pub(crate) charges: Queue,
    pub(crate) webhooks: Queue,
    pub(crate) notices: Queue,
    pub(crate) bus: Bus,
    pub(crate) receivers: Receivers,
    pub(crate) gateways: Vec<Arc<SimulatedGateway>>,
}

impl Outside {
    pub(crate) const fn queues(&self) -> [&Queue; 3] {
        [&self.charges, &self.webhooks, &self.notices]
    }
}

pub(crate) struct Environment {
    app: App,
    authenticator: Arc<Authenticator>,
    intake: Intake,
    relay: Relay,
    notifier: Notifier,
    store: Arc<DynamoStore>,
    receivers: Arc<Receivers>,
    /// Dear to make, and not every environment is asked for both.
    router: OnceCell<axum::Router>,
    teller: OnceCell<Arc<Teller>>,
}

struct Bits(Chance);

impl Entropy for Bits {
    fn bits(&self) -> u64 {
        self.0.bits()
    }
}

struct FixedKey;

#[async_trait]
impl OperatorKey for FixedKey {
    async fn hash(&self) -> Result<KeyHash, SecretsError> {
        Ok(KeyHash::of(OPERATOR))
    }
}

/// Nobody signs in here.
struct NoKeys;

#[async_trait]
impl TokenKeys for NoKeys {
    async fn keys(&self, _: Option<&KeyId>) -> Result<Arc<KeyRing>, SecretsError> {
        Err(SecretsError("there are none".to_owned()))
    }
}

impl Environment {
    pub(crate) fn start(outside: &Outside, clock: &Clock, entropy: u64) -> Self {
        let store = Arc::new(wire::store(&outside.engine, &outside.control, clock));
        let gateways = Gateways::of(outside.gateways.iter().map(|one| one.clone() as Arc<dyn Gateway>));
        let clock = Arc::new(clock.clone());
        let source = SimulatedRates { control: outside.control.clone(), clock: outside.clock.clone() };
        let limits =
            AgeLimits::try_new(SignedDuration::from_hours(1), SignedDuration::from_hours(72)).unwrap();
        let rates = RateDesk::new(Arc::new(source), store.clone(), clock.clone(), limits);
        let app = App::new(
            Records::of(store.clone()),
            Arc::new(outside.charges.clone()),
            gateways.clone(),
            clock.clone(),
            Arc::new(Bits(Chance::of(entropy))),
        )
        .with_risk(Arc::new(RuleEngine::new()))
        .with_rates(Arc::new(rates))
        .with_outgoing(Outgoing {
            queue: Some(Arc::new(outside.notices.clone())),
            loopback: Loopback::Refused,
        });
        let tokens = Arc::new(Tokens::new(Arc::new(NoKeys), "https://api.example.com"));
        let authenticator = Authenticator::new(Arc::new(FixedKey), store.clone(), tokens, clock.clone());
        let queue = Arc::new(outside.webhooks.clone());
        let intake = Intake { webhooks: store.clone(), queue, gateways, clock };
        let notices = Arc::new(outside.notices.clone());
        let receivers = Arc::new(outside.receivers.clone());
        let notifier = Notifier::new(store.clone(), receivers.clone(), notices, intake.clock.clone());
        let bus = Arc::new(outside.bus.clone());
        let relay = Relay { bus, store: store.clone(), journals: store.clone() };
        Self {
            app,
            authenticator: Arc::new(authenticator),
            intake,
            relay,
            notifier,
            store,
            receivers,
            router: OnceCell::new(),
            teller: OnceCell::new(),
        }
    }

    fn router(&self) -> axum::Router {
        let router = || api::router(Api::new(self.app.clone(), self.authenticator.clone()));
        self.router.get_or_init(router).clone()
    }

    fn teller(&self) -> Arc<Teller> {
        let parts = || TellerParts {
            store: self.store.clone(),
            notices: self.store.clone(),
            customers: self.store.clone(),
            invoices: self.store.clone(),
            mailer: Some(self.receivers.clone()),
            texter: self.receivers.clone(),
            clock: self.intake.clock.clone(),
            issuer: Name::parse("Fatura").unwrap(),
            language: Language::English,
        };
        self.teller.get_or_init(|| Arc::new(Teller::try_new(parts()).unwrap())).clone()
    }

    pub(crate) fn request(&self, asked: &Asked) -> Running {
        let request = Request::builder()
            .method(asked.method)
            .uri(&asked.path)
            .header(header::AUTHORIZATION, format!("Bearer {OPERATOR}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header("Idempotency-Key", &asked.key)
            .body(Body::from(asked.body.to_string()))
            .unwrap();
        let router = self.router();
        Box::pin(async move {
            let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let body = String::from_utf8(body.to_vec()).unwrap();
            Finished::Answered { status: parts.status.as_u16(), body }
        })
    }

    pub(crate) fn charges(&self, letters: &[Letter]) -> Running {
        let (app, event) = (self.app.clone(), batch(letters));
        Box::pin(async move {
            let response = charge_consumer::handle(&app, event, || TIME_LEFT).await;
            let failures = response.batch_item_failures.into_iter();
            Finished::Batch(failures.map(|failure| failure.item_identifier).collect())
        })
    }

    pub(crate) fn webhooks(&self, letters: &[Letter]) -> Running {
        let (app, event) = (self.app.clone(), batch(letters));
        Box::pin(async move {
            let response = webhook_consumer::handle(&app, event).await;
            let failures = response.batch_item_failures.into_iter();
            Finished::Batch(failures.map(|failure| failure.item_identifier).collect())
        })
    }

    pub(crate) fn notices(&self, letters: &[Letter]) -> Running {
        let (notifier, teller, event) = (self.notifier.clone(), self.teller(), batch(letters));
        Box::pin(async move {
            let response = notifier::handle(&notifier, &teller, event, || TIME_LEFT).await;
            let failures = response.batch_item_failures.into_iter();
            Finished::Batch(failures.map(|failure| failure.item_identifier).collect())
        })
    }

    pub(crate) fn intake(&self, gateway: &str, delivery: &Delivery) -> Running {
        let request = Request::builder()
            .method("POST")
            .uri(format!("/webhooks/{gateway}"))
            .header(Delivery::header(), delivery.signature())
            .body(lambda_http::Body::Text(delivery.body.clone()))
            .unwrap();
        let intake = self.intake.clone();
        Box::pin(async move {
            let response = webhook_intake::handle(&intake, request).await;
            Finished::Answered { status: response.status().as_u16(), body: String::new() }
        })
    }

    pub(crate) fn sweep(&self, task: Task) -> Running {
        let app = self.app.clone();
        Box::pin(async move {
            match retry_sweep::handle(&app, task, || TIME_LEFT).await {
                Ok(_) => Finished::Swept,
                Err(_) => Finished::Failed,
            }
        })
    }

    pub(crate) fn relay(&self, records: &[Value]) -> Running {
        let places: Vec<Value> =
            records.iter().filter_map(|record| record.pointer("/dynamodb/SequenceNumber").cloned()).collect();
        let relay = self.relay.clone();
        let event = stream_event(records);
        Box::pin(async move {
            match event_relay::handle(&relay, event).await {
                Ok(response) => {
                    let first = response.batch_item_failures.into_iter().next();
                    let first = first.and_then(|failure| failure.item_identifier).map(Value::from);
                    Finished::Relayed(first.and_then(|first| places.iter().position(|place| *place == first)))
                }
                Err(_) => Finished::Relayed(Some(0)),
            }
        })
    }
}

pub(crate) fn stream_event(records: &[Value]) -> StreamEvent {
    let mut event = StreamEvent::default();
    event.records = records.iter().map(|record| EventRecord::deserialize(record).unwrap()).collect();
    event
}

fn batch(letters: &[Letter]) -> aws_lambda_events::event::sqs::SqsEvent {
    let record = |letter: &Letter| json!({ "messageId": letter.id.to_string(), "body": letter.body });
    let records: Vec<Value> = letters.iter().map(record).collect();
    serde_json::from_value(json!({ "Records": records })).unwrap()
}
