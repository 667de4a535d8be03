//! What the contract has to know of a gateway in order to put it through its paces.

use async_trait::async_trait;
use fatura_application::ports::{
    ChargeLookup, Gateway, GatewaySecrets, Secrets, SecretsError, WebhookDelivery,
};
use fatura_domain::charge::FailureClass;
use fatura_domain::gateway::{ChargeRequest, DisputeVerdict, GatewayName, GatewayReference, Means};
use fatura_domain::id::{AttemptId, AttemptNumber, CustomerId, InvoiceId};
use fatura_domain::money::{Currency, Money};
use fatura_gateways::Timeouts;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub(crate) const API_KEY: &str = "sk_test_very_secret";
pub(crate) const WEBHOOK_SECRET: &str = "whsec_current";
/// The one before, which is still good while it is being rotated.
pub(crate) const PREVIOUS_WEBHOOK_SECRET: &str = "whsec_previous";

/// One gateway's adapter beside a live counterpart that remembers what it charged.
#[async_trait]
pub(crate) trait Bench: Send + Sync {
    async fn start() -> Self
    where
        Self: Sized;

    /// The adapter, looking elsewhere for its gateway or its secrets.
    fn adapter(&self, at: &str, timeouts: Timeouts, secrets: Arc<dyn Secrets>) -> Arc<dyn Gateway>;
    /// Where the live counterpart is.
    fn url(&self) -> &str;
    /// How many charges the counterpart has under this attempt's reference: the truth, not what it tells.
    async fn charges(&self, attempt: AttemptId) -> usize;

    /// The cardholder's bank opens a case about a charge, or decides it.
    async fn dispute(&self, charge: &GatewayReference, verdict: DisputeVerdict);

    fn means(&self, wanted: Wanted) -> Means;
    /// Every decline that the counterpart can be made to give, with the class that it is and its raw code.
    fn declines(&self) -> Vec<(Means, FailureClass, &'static str)>;

    fn wire(&self, request: &ChargeRequest) -> WireOrder;
    /// The body of a success that answers this order.
    fn captured(&self, request: &ChargeRequest) -> String;
    /// An event about a charge, as this gateway sends it.
    fn event(&self, id: &str, lookup: &ChargeLookup) -> String;
    fn signed(&self, body: &str, secret: &str, at_unix: i64) -> WebhookDelivery;

    fn gateway(&self) -> Arc<dyn Gateway> {
        self.adapter(self.url(), Timeouts::default(), Vault::full())
    }

    fn gateway_at(&self, url: &str) -> Arc<dyn Gateway> {
        self.adapter(url, Timeouts::default(), Vault::full())
    }

    /// For answers that never come.
    fn impatient_at(&self, url: &str) -> Arc<dyn Gateway> {
        let timeouts = Timeouts { connect: Duration::from_millis(200), total: Duration::from_millis(400) };
        self.adapter(url, timeouts, Vault::full())
    }
}

/// How the counterpart is to behave towards a charge.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted {
    Approval,
    SilenceAfterCharging,
    SilenceWithoutCharging,
    ServerErrorAfterCharging,
    ServerErrorWithoutCharging,
    HtmlAfterCharging,
    HalfAnAnswerAfterCharging,
    TooManyRequests,
    Pix,
}

/// The order to charge as it has to go over the wire.
pub(crate) struct WireOrder {
    pub(crate) method: &'static str,
    pub(crate) target: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

pub(crate) struct Vault(Result<Option<GatewaySecrets>, SecretsError>);

impl Vault {
    pub(crate) fn full() -> Arc<dyn Secrets> {
        Self::with(API_KEY, &[WEBHOOK_SECRET, PREVIOUS_WEBHOOK_SECRET])
    }

    pub(crate) fn with(api_key: &str, webhook_secrets: &[&str]) -> Arc<dyn Secrets> {
        let webhook_secrets = webhook_secrets.iter().map(|secret| (*secret).to_owned()).collect();
        let more = std::collections::BTreeMap::new();
        Arc::new(Self(Ok(Some(GatewaySecrets { api_key: api_key.to_owned(), webhook_secrets, more }))))
    }

    pub(crate) fn empty() -> Arc<dyn Secrets> {
        Arc::new(Self(Ok(None)))
    }

    pub(crate) fn broken() -> Arc<dyn Secrets> {
        Arc::new(Self(Err(SecretsError("throttled".to_owned()))))
    }
}

#[async_trait]
impl Secrets for Vault {
    async fn gateway(&self, _: &GatewayName) -> Result<Option<GatewaySecrets>, SecretsError> {
        self.0.clone()
    }
}

/// An order of R$ 123.45 that no other test knows.
pub(crate) fn request(means: Means) -> ChargeRequest {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let invoice = InvoiceId::new(
        CustomerId::new(42),
        jiff::Timestamp::from_second(1_700_000_000).unwrap(),
        NEXT.fetch_add(1, Ordering::Relaxed),
    );
    let attempt = AttemptId { invoice, number: AttemptNumber(1) };
    let begun_at = jiff::Timestamp::from_second(1_700_000_000).unwrap();
    ChargeRequest { attempt, begun_at, amount: Money::try_new(12_345, Currency::BRL).unwrap(), means }
}

pub(crate) fn by_ours(request: &ChargeRequest) -> ChargeLookup {
    ChargeLookup { attempt: request.attempt, reference: None }
}
