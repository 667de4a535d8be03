//! The functions as Lambda runs them: each environment with clients, caches and a clock of its own.

use crate::chance::Chance;
use crate::clients::Asked;
use crate::clock::Clock;
use crate::control::{Control, Verdict, Whom};
use crate::engine::Engine;
use crate::gateway::{Delivery, SimulatedGateway};
use crate::queue::{Letter, Queue};
use crate::task::{Finished, Running};
use crate::wire;
use api::Api;
use async_trait::async_trait;
use aws_lambda_events::event::dynamodb::Event as StreamEvent;
use axum::body::Body;
use event_relay::Relay;
use fatura_application::access::KeyHash;
use fatura_application::ports::{Entropy, EventBus, Gateway, Gateways, SecretsError, SendError, TokenKeys};
use fatura_application::tokens::{KeyId, KeyRing};
use fatura_application::{App, Authenticator, Intake, OperatorKey, Records, Tokens};
use fatura_domain::event::Event;
use http::{Request, header};
use http_body_util::BodyExt;
use retry_sweep::Task;
use serde_json::{Value, json};
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
    pub(crate) charges: Queue,
    pub(crate) webhooks: Queue,
    pub(crate) gateways: Vec<Arc<SimulatedGateway>>,
}

pub(crate) struct Environment {
    app: App,
    router: axum::Router,
    intake: Intake,
    relay: Relay,
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

struct Bus(Control);

#[async_trait]
impl EventBus for Bus {
    async fn publish(&self, events: &[Event]) -> Result<Vec<usize>, SendError> {
        match self.0.call(Whom::Bus, "publish").await {
            Verdict::Done => Ok(Vec::new()),
            Verdict::DiesBefore | Verdict::DiesAfter => futures::future::pending().await,
            // A part of it was taken.
            Verdict::Unheard => Ok((events.len() / 2..events.len()).collect()),
            _ => Err(SendError("the bus does not answer".to_owned())),
        }
    }
}

impl Environment {
    pub(crate) fn start(outside: &Outside, clock: &Clock, entropy: u64) -> Self {
        let store = Arc::new(wire::store(&outside.engine, &outside.control, clock));
        let gateways = Gateways::of(outside.gateways.iter().map(|one| one.clone() as Arc<dyn Gateway>));
        let clock = Arc::new(clock.clone());
        let app = App::new(
            Records::of(store.clone()),
            Arc::new(outside.charges.clone()),
            gateways.clone(),
            clock.clone(),
            Arc::new(Bits(Chance::of(entropy))),
        );
        let tokens = Arc::new(Tokens::new(Arc::new(NoKeys), "https://api.example.com"));
        let authenticator = Authenticator::new(Arc::new(FixedKey), store.clone(), tokens, clock.clone());
        let router = api::router(Api::new(app.clone(), Arc::new(authenticator)));
        let queue = Arc::new(outside.webhooks.clone());
        let intake = Intake { webhooks: store.clone(), queue, gateways, clock };
        let bus = Arc::new(Bus(outside.control.clone()));
        Self { app, router, intake, relay: Relay { bus, store: store.clone(), journals: store } }
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
        let router = self.router.clone();
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
    serde_json::from_value(json!({ "Records": records })).unwrap()
}

fn batch(letters: &[Letter]) -> aws_lambda_events::event::sqs::SqsEvent {
    let record = |letter: &Letter| json!({ "messageId": letter.id.to_string(), "body": letter.body });
    let records: Vec<Value> = letters.iter().map(record).collect();
    serde_json::from_value(json!({ "Records": records })).unwrap()
}
