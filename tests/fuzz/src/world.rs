//! A deployment in this process with something of everything in it: the table, the API, the queues, and the sandbox gateway.

use crate::request::Written;
use api::{Api, router};
use async_trait::async_trait;
use axum::Router;
use fatura_application::access::KeyHash;
use fatura_application::ports::{
    Deliver, Deployment, Directory, DirectoryError, GatewaySecrets, Gateways, Message, Secrets, SecretsError,
    TokenKeys, WebhookMessage,
};
use fatura_application::tokens::{KeyId, KeyRing, TokenKey};
use fatura_application::{App, Authenticator, OperatorKey, Outgoing, Records, Tokens};
use fatura_domain::gateway::GatewayName;
use fatura_domain::service::ServiceName;
use fatura_domain::webhook_endpoint::Loopback;
use fatura_gateways::{Http, Sandbox, Timeouts};
use fatura_rules::RuleEngine;
use fatura_testkit::{RecordingQueue, SeededEntropy, TestTable, VirtualClock};
use http_body_util::BodyExt;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tower::ServiceExt;

pub(crate) const OPERATOR: &str = "fat_operator";
pub(crate) const WEBHOOK_SECRET: &str = "sandbox-webhook-secret";

pub(crate) struct World {
    runtime: Arc<Runtime>,
    pub(crate) app: App,
    pub(crate) gateways: Gateways,
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) charges: Arc<RecordingQueue<Message>>,
    pub(crate) webhooks: Arc<RecordingQueue<WebhookMessage>>,
    pub(crate) deliveries: Arc<RecordingQueue<Deliver>>,
    pub(crate) tokens: Arc<Tokens>,
    router: Router,
    /// What there is, by the names that inputs have for it.
    places: Vec<(&'static str, String)>,
    pub(crate) table: TestTable,
    _sandbox: sandbox_gateway::Sandbox,
}

#[derive(Debug)]
pub(crate) struct Answer {
    /// What was asked for, as the router was told: what is read from an event is cleared of spaces at its end, and of dots.
    pub(crate) path: String,
    pub(crate) status: u16,
    pub(crate) headers: lambda_http::http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

struct Known;

#[async_trait]
impl OperatorKey for Known {
    async fn hash(&self) -> Result<KeyHash, SecretsError> {
        Ok(KeyHash::of(OPERATOR))
    }
}

#[async_trait]
impl Directory for Known {
    async fn deployment(&self) -> Result<Deployment, DirectoryError> {
        let name = ServiceName::parse("api").unwrap();
        Ok(Deployment { endpoints: BTreeMap::new(), functions: [(name, "fatura-api".to_owned())].into() })
    }
}

#[async_trait]
impl TokenKeys for Known {
    async fn keys(&self, _: Option<&KeyId>) -> Result<Arc<KeyRing>, SecretsError> {
        Ok(Arc::new(KeyRing::new(TokenKey::of_secret("tokens").unwrap(), None)))
    }
}

#[async_trait]
impl Secrets for Known {
    async fn gateway(&self, _: &GatewayName) -> Result<Option<GatewaySecrets>, SecretsError> {
        Ok(Some(GatewaySecrets {
            api_key: "sandbox-key".to_owned(),
            webhook_secrets: vec![WEBHOOK_SECRET.to_owned()],
            ..GatewaySecrets::default()
        }))
    }
}

impl World {
    pub(crate) fn open() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let runtime = Arc::new(runtime);
        runtime.clone().block_on(Self::start(runtime))
    }

    async fn start(runtime: Arc<Runtime>) -> Self {
        let table = TestTable::start().await;
        let config = sandbox_gateway::Config {
            api_key: "sandbox-key".to_owned(),
            webhook_secret: WEBHOOK_SECRET.to_owned(),
            webhook_target: None,
            clock_file: None,
        };
        let sandbox = sandbox_gateway::Sandbox::start(config).await.unwrap();
        let http = Http::try_new(Timeouts::default()).unwrap();
        let adapter = Sandbox::new(http, sandbox.url().parse().unwrap(), Arc::new(Known));
        let gateways = Gateways::of([Arc::new(adapter) as _]);
        let (charges, webhooks) = (Arc::new(RecordingQueue::default()), Arc::new(RecordingQueue::default()));
        let deliveries = Arc::new(RecordingQueue::default());
        let clock = Arc::new(VirtualClock::default());
        let app = App::new(
            Records::of(table.store.clone()),
            charges.clone(),
            gateways.clone(),
            clock.clone(),
            Arc::new(SeededEntropy::new(7)),
        );
        let app = app
            .with_outgoing(Outgoing { queue: Some(deliveries.clone()), loopback: Loopback::Refused })
            .with_directory(Arc::new(Known))
            .with_risk(Arc::new(RuleEngine::new()));
        let tokens = Arc::new(Tokens::new(Arc::new(Known), "https://api.example.com"));
        let authenticator =
            Authenticator::new(Arc::new(Known), table.store.clone(), tokens.clone(), clock.clone());
        let router = router(Api::new(app.clone(), Arc::new(authenticator)));
        let places = Vec::new();
        let mut world = Self {
            runtime,
            app,
            gateways,
            clock,
            charges,
            webhooks,
            deliveries,
            tokens,
            router,
            places,
            table,
            _sandbox: sandbox,
        };
        world.furnish().await;
        world
    }

    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// One of everything, made as a client would.
    async fn furnish(&mut self) {
        for (name, path, body) in [
            (
                "customer",
                "/v1/customers",
                r#"{"name": "Ana", "email": "ana@example.com", "time_zone": "America/Sao_Paulo", "billing_anchor_day": 31}"#,
            ),
            (
                "merchant",
                "/v1/customers",
                r#"{"name": "Shop", "email": "shop@example.com", "kind": "merchant"}"#,
            ),
            (
                "method",
                "/v1/customers/{customer}/payment-methods",
                r#"{"type": "credit_card", "token": "tok_visa"}"#,
            ),
            (
                "paid",
                "/v1/invoices",
                r#"{"customer_id": "{customer}", "currency": "BRL", "items": [{"description": "Plan", "quantity": 1, "unit_price": "122.05"}]}"#,
            ),
            ("", "/v1/invoices/{paid}/charge", "{}"),
            (
                "order",
                "/v1/orders",
                r#"{"buyer_id": "{customer}", "merchant_id": "{merchant}", "currency": "BRL", "items": [{"description": "Cup", "quantity": 1, "unit_price": "12.50"}]}"#,
            ),
            ("payment", "/v1/payments", r#"{"order_ids": ["{order}"]}"#),
            ("refund", "/v1/invoices/{paid}/refunds", r#"{"amount": {"amount": "1.00", "currency": "BRL"}}"#),
            (
                "invoice",
                "/v1/invoices",
                r#"{"customer_id": "{customer}", "currency": "BRL", "items": [{"description": "Plan", "quantity": 1, "unit_price": "100.00"}]}"#,
            ),
            (
                "bill",
                "/v1/bills",
                r#"{"customer_id": "{customer}", "period_start": "2026-11-01T00:00:00Z", "period_end": "2026-12-01T00:00:00Z"}"#,
            ),
            (
                "line",
                "/v1/bills/{bill}/line-items",
                r#"{"description": "Fee", "quantity": 1, "unit_price": "9.10", "currency": "BRL", "reference": "r-1"}"#,
            ),
            ("", "/v1/wallet/{customer}/credit", r#"{"amount": {"amount": "75.00", "currency": "BRL"}}"#),
            (
                "endpoint",
                "/v1/webhook-endpoints",
                r#"{"url": "https://example.com/hooks", "events": ["invoice.paid"]}"#,
            ),
            ("key", "/v1/api-keys", r#"{"role": "service"}"#),
            ("run", "/v1/billing-runs", r#"{"period": "2026-11"}"#),
        ] {
            let headers = "content-type: application/json";
            let number = self.table.store.meter().reading().calls;
            let text = format!("POST {path}\n{headers}\nidempotency-key: furnish-{number}\n\n{body}");
            let answer = self.answer(&Written::read(self.filled(text.as_bytes()).as_slice())).await.unwrap();
            assert!((200..300).contains(&answer.status), "{path}: {}", String::from_utf8_lossy(&answer.body));
            let made: Value = serde_json::from_slice(&answer.body).unwrap();
            if let Some(id) = made["id"].as_str() {
                self.places.push((name, id.to_owned()));
            }
            self.collect().await;
        }
    }

    /// What the consumer does with the messages that were sent until now.
    async fn collect(&self) {
        for message in self.charges.take() {
            self.app.handle_message(message, Duration::from_mins(1)).await.unwrap();
        }
    }

    pub(crate) fn place(&self, name: &str) -> &str {
        self.places.iter().find(|(known, _)| *known == name).map(|(_, id)| id.as_str()).unwrap()
    }

    /// An input with the ids of this world for the names in it: `{customer}`.
    pub(crate) fn filled(&self, input: &[u8]) -> Vec<u8> {
        let mut filled = input.to_vec();
        for (name, id) in self.places.iter().filter(|(name, _)| !name.is_empty()) {
            let name = format!("{{{name}}}");
            while let Some(at) = filled.windows(name.len()).position(|part| part == name.as_bytes()) {
                filled.splice(at..at + name.len(), id.bytes());
            }
        }
        filled
    }

    /// By the operator, unless the request says otherwise. None: HTTP has no such request.
    pub(crate) async fn answer(&self, written: &Written) -> Option<Answer> {
        let mut request = written.request()?;
        let operator = format!("Bearer {OPERATOR}").parse().unwrap();
        request.headers_mut().entry("authorization").or_insert(operator);
        let path = request.uri().path().to_owned();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Some(Answer { path, status: parts.status.as_u16(), headers: parts.headers, body })
    }
}
