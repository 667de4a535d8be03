//! Payment gateways, their webhooks and their secrets.

use async_trait::async_trait;
use fatura_domain::Timestamp;
use fatura_domain::charge::Failure;
use fatura_domain::gateway::{
    Capabilities, ChargeOutcome, ChargeRequest, DisputeOutcome, DisputeStanding, GatewayName,
    GatewayReference, MovementPage, RefundOutcome, RefundRequest, StoreOutcome, StoreRequest, Token,
};
use fatura_domain::id::{AttemptId, RefundId};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use thiserror::Error;

/// How to name a charge to its gateway: by the gateway's own reference if we have it, else by ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeLookup {
    pub attempt: AttemptId,
    pub reference: Option<GatewayReference>,
}

/// A delivery as it came, before anything in it is believed.
#[derive(Clone)]
pub struct WebhookDelivery {
    pub body: Vec<u8>,
    /// Lower-case names, in the order and as often as they came.
    pub headers: Vec<(String, String)>,
    pub query: Vec<(String, String)>,
}

impl fmt::Debug for WebhookDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookDelivery({} bytes)", self.body.len())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WebhookRefusal {
    #[error("the signature is missing, malformed or wrong")]
    BadSignature,
    #[error("the signature is too old or from the future")]
    Stale,
    #[error("no secret is configured")]
    NoSecret,
    #[error("the secrets cannot be had just now: {0}")]
    Unavailable(String),
}

/// What a webhook hints at. The gateway is asked before anything is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookHint {
    pub event_id: String,
    pub kind: String,
    /// None: nothing of ours.
    pub subject: Option<WebhookSubject>,
}

/// What an event is about, if it is about something of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookSubject {
    Charge(ChargeLookup),
    Refund(RefundId),
    /// By the charge that it is about.
    Dispute(ChargeLookup),
    /// By the gateway's own word alone: [`Gateway::resolve`] says whose it is.
    Unresolved(GatewayReference),
}

/// What a signature itself vouches for, the amount and the references included: the word of a gateway that can't be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    Charge {
        attempt: AttemptId,
        outcome: ChargeOutcome,
    },
    Refund {
        refund: RefundId,
        /// The charge that it gives back.
        charge: GatewayReference,
        outcome: RefundOutcome,
    },
    Dispute {
        attempt: AttemptId,
        charge: GatewayReference,
        standing: DisputeStanding,
    },
    /// Money that an earlier word promised doesn't come.
    Withdrawn {
        attempt: AttemptId,
        charge: GatewayReference,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the webhook's body is not what this gateway sends: {0}")]
pub struct MalformedWebhook(pub String);

/// A payment gateway. Whatever goes wrong on the way is an outcome, not an error: see [`ChargeOutcome`].
#[async_trait]
pub trait Gateway: Send + Sync {
    fn name(&self) -> &GatewayName;
    fn capabilities(&self) -> Capabilities;
    async fn charge(&self, request: &ChargeRequest) -> ChargeOutcome;
    /// Keeps a card for later charges, where the gateway's form gives a token for one use. The default is for gateways
    /// whose token is already what is charged.
    async fn store_method(&self, request: &StoreRequest) -> StoreOutcome {
        StoreOutcome::Stored(request.token.clone())
    }
    /// Forgets a card. Forgetting it twice is forgetting it once.
    async fn detach_method(&self, _token: &Token) -> Result<(), Failure> {
        Ok(())
    }
    /// Proves the credentials by a call that does no harm.
    async fn check(&self) -> Result<(), Failure> {
        Ok(())
    }
    /// Takes back a charge that has not been captured. Answers how the charge stands now.
    async fn cancel(&self, lookup: &ChargeLookup) -> ChargeOutcome;
    /// How the charge stands: Absent if the gateway surely has no such charge, Unknown if it can't be asked just now.
    async fn fetch_charge(&self, lookup: &ChargeLookup) -> ChargeOutcome;
    /// Gives money back. The same order sent twice is one refund.
    async fn refund(&self, request: &RefundRequest) -> RefundOutcome;
    /// How a refund stands. None: the gateway surely has no such refund.
    async fn fetch_refund(&self, request: &RefundRequest) -> Option<RefundOutcome>;
    /// All the disputes of the charge, and how each stands: those that have ended, too.
    async fn fetch_dispute(&self, lookup: &ChargeLookup) -> DisputeOutcome;
    /// What the gateway captured and refunded from `from` until before `to`, oldest first, page by page: for
    /// reconciliation. `after` is an earlier page's `next`, for the same `from` and `to`.
    async fn movements(
        &self,
        from: Timestamp,
        to: Timestamp,
        after: Option<&str>,
    ) -> Result<MovementPage, Failure>;
    /// Checks the raw bytes against every configured secret, in constant time, before anything is parsed.
    async fn verify_webhook(&self, delivery: &WebhookDelivery, now: Timestamp) -> Result<(), WebhookRefusal>;
    /// What is kept of a delivery that was verified, and parsed now and later. Not the body where the signature covers
    /// something else: what nobody vouches for must not be read as if somebody did.
    fn kept_body(&self, delivery: &WebhookDelivery) -> Vec<u8> {
        delivery.body.clone()
    }
    /// Of a body that was kept.
    fn parse_webhook(&self, body: &[u8]) -> Result<WebhookHint, MalformedWebhook>;
    /// Asks the gateway what an unresolved subject is about. None: nothing of ours. The default is for gateways whose
    /// notices carry our own reference.
    async fn resolve(&self, _subject: &GatewayReference) -> Result<Option<WebhookSubject>, Failure> {
        Ok(None)
    }
    /// Whether it can be asked how something stands. Where it can't, its questions are all answered with Unknown or
    /// Unclear, what its webhooks vouch for is taken at its word, and a refund goes out again instead of being asked
    /// about, for as long as its key is recognised.
    fn can_be_asked(&self) -> bool {
        true
    }
    /// What the signature of a kept body vouches for, where the gateway can't be asked. Several in one body all count.
    fn told(&self, _body: &[u8]) -> Vec<Told> {
        Vec::new()
    }
}

/// The gateways that this deployment has.
#[derive(Clone, Default)]
pub struct Gateways {
    all: BTreeMap<GatewayName, Arc<dyn Gateway>>,
    idle: BTreeSet<GatewayName>,
}

impl Gateways {
    /// Those that are in use until somebody says otherwise.
    pub fn of(gateways: impl IntoIterator<Item = Arc<dyn Gateway>>) -> Self {
        let named = |gateway: Arc<dyn Gateway>| (gateway.name().clone(), gateway);
        Self { all: gateways.into_iter().map(named).collect(), idle: BTreeSet::new() }
    }

    /// And those that wait until somebody puts them in use.
    #[must_use]
    pub fn and_idle(mut self, gateways: impl IntoIterator<Item = Arc<dyn Gateway>>) -> Self {
        for gateway in gateways {
            self.idle.insert(gateway.name().clone());
            self.all.insert(gateway.name().clone(), gateway);
        }
        self
    }

    pub fn get(&self, name: &GatewayName) -> Option<&Arc<dyn Gateway>> {
        self.all.get(name)
    }

    pub fn names(&self) -> Vec<GatewayName> {
        self.all.keys().cloned().collect()
    }

    pub(crate) fn is_idle(&self, name: &GatewayName) -> bool {
        self.idle.contains(name)
    }
}

impl fmt::Debug for Gateways {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.all.keys()).finish()
    }
}

/// What a gateway adapter must not have in its configuration: the values are lists, so that they can be rotated.
#[derive(Clone, Default)]
pub struct GatewaySecrets {
    pub api_key: String,
    pub webhook_secrets: Vec<String>,
    /// What else a gateway has to be told: a client's secret, a merchant's account, a webhook's id.
    pub more: BTreeMap<String, String>,
}

impl fmt::Debug for GatewaySecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GatewaySecrets(..)")
    }
}

#[async_trait]
pub trait Secrets: Send + Sync {
    /// Cached by whoever implements it; None if nothing is configured for this gateway.
    async fn gateway(&self, name: &GatewayName) -> Result<Option<GatewaySecrets>, SecretsError>;
}

#[derive(Debug, Clone, Error)]
#[error("secrets cannot be read: {0}")]
pub struct SecretsError(pub String);
