//! Everything that use cases need from outside, in small object-safe traits.

use crate::access::{ApiKey, KeyHash};
use crate::change_set::ChangeSet;
use crate::circuit::Circuit;
use crate::gateways::PlanEdition;
use crate::idempotency::{AnswerScope, StoredAnswer};
pub use crate::message::Message;
use crate::rulebook::RulesEdition;
use crate::runs::Difference;
use async_trait::async_trait;
use fatura_domain::Timestamp;
use fatura_domain::attention::{Attention, AttentionId, AttentionKind};
use fatura_domain::charge::{Attempt, Failure, FailureClass, LiveAttempt};
use fatura_domain::customer::{Customer, Detachment, PaymentMethod};
use fatura_domain::dispute::Dispute;
use fatura_domain::event::Event;
use fatura_domain::exchange::{ExchangeRates, Publication, RateSource};
use fatura_domain::gateway::{
    Capabilities, ChargeOutcome, ChargeRequest, DisputeOutcome, DisputeStanding, GatewayName,
    GatewayReference, MovementPage, RefundOutcome, RefundRequest, StoreOutcome, StoreRequest, Token,
};
use fatura_domain::id::{AttemptId, CustomerId, DisputeId, InvoiceId, PaymentMethodId, RefundId, RunId};
use fatura_domain::invoice::{Invoice, Status};
use fatura_domain::ledger::{Transaction, TransactionFilter};
use fatura_domain::refund::Refund;
use fatura_domain::run::{Part, Run};
use fatura_domain::text::ExternalId;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

// ---- the store -----------------------------------------------------------------------------------------------------

#[derive(Debug, Error)]
pub enum StoreError {
    #[error("the store did not answer in time or is throttling: {0}")]
    Unavailable(String),
    #[error("a stored item cannot be read: {0}")]
    Corrupt(String),
}

/// A condition of a change set that did not hold. Nothing was written.
#[derive(Debug, Clone)]
pub enum Refusal {
    /// Somebody changed it since it was read: read again and decide again.
    Stale,
    /// No such customer.
    NoCustomer,
    EmailTaken,
    ExternalIdTaken,
    /// The idempotency key has an answer already.
    Answered(Box<StoredAnswer>),
}

#[derive(Debug, Error)]
pub enum CommitError {
    /// All conditions that failed, in the order of the changes.
    #[error("refused: {0:?}")]
    Refused(Vec<Refusal>),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What came of claiming an invoice for an attempt.
#[derive(Debug, Clone)]
pub enum Claim {
    /// The attempt is ours, and the invoice as it now stands.
    Claimed(Box<Invoice>),
    /// It isn't; this is the invoice as it stands, if there is one.
    Refused(Option<Box<Invoice>>),
}

#[async_trait]
pub trait Store: Send + Sync {
    /// Writes all changes or none.
    async fn commit(&self, changes: ChangeSet) -> Result<(), CommitError>;

    /// Gives a pending invoice its live attempt, in one write and without reading first: only if the invoice still has
    /// this version and no attempt is live. `live.number` becomes the invoice's count of attempts, `now` its `updated_at`.
    async fn claim(
        &self,
        invoice: InvoiceId,
        version: u64,
        live: LiveAttempt,
        now: Timestamp,
    ) -> Result<Claim, StoreError>;
}

/// A customer with every payment method that is attached, newest first: what a charge has to know.
#[derive(Debug, Clone)]
pub struct Payer {
    pub customer: Customer,
    pub methods: Vec<PaymentMethod>,
}

impl Payer {
    /// The network of one of the methods, if it is a card and told.
    pub fn brand(&self, method: PaymentMethodId) -> Option<&str> {
        self.methods.iter().find(|attached| attached.id == method).and_then(PaymentMethod::brand)
    }
}

#[async_trait]
pub trait Customers: Send + Sync {
    async fn customer(&self, id: CustomerId) -> Result<Option<Customer>, StoreError>;
    async fn payer(&self, id: CustomerId) -> Result<Option<Payer>, StoreError>;
    async fn by_external_id(&self, external_id: &ExternalId) -> Result<Option<CustomerId>, StoreError>;

    async fn detachment(&self, method: PaymentMethodId) -> Result<Option<Detachment>, StoreError>;

    /// Up to `limit` methods that gateways are to be told to forget.
    async fn due_detachments(&self, now: Timestamp, limit: usize)
    -> Result<Vec<PaymentMethodId>, StoreError>;
}

/// Which page: up to `limit` (1 to 100) after a position that an earlier page gave.
#[derive(Debug, Clone)]
pub struct PageRequest {
    pub limit: usize,
    pub after: Option<Position>,
}

/// A place in one list, meaningful to the store alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position(pub String);

#[derive(Debug, Clone)]
pub struct Page<T> {
    pub data: Vec<T>,
    /// None on the last page.
    pub next: Option<Position>,
}

/// What a list of invoices may be narrowed to. `created_to` is exclusive.
#[derive(Debug, Clone, Default)]
pub struct InvoiceFilter {
    pub status: Option<Status>,
    /// Of the failure that it met last.
    pub failure_class: Option<FailureClass>,
    pub created_from: Option<Timestamp>,
    pub created_to: Option<Timestamp>,
}

/// A position that isn't one of this list, or a failing store.
#[derive(Debug, Error)]
pub enum ListError {
    #[error("the position is not one of this list")]
    BadPosition,
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[async_trait]
pub trait Invoices: Send + Sync {
    async fn invoice(&self, id: InvoiceId) -> Result<Option<Invoice>, StoreError>;

    /// Newest first. A page is full unless it is the last.
    async fn of_customer(
        &self,
        customer: CustomerId,
        filter: &InvoiceFilter,
        page: PageRequest,
    ) -> Result<Page<Invoice>, ListError>;

    /// Over all customers: what is due first, else oldest first; each invoice that stays in its status exactly once.
    async fn in_status(
        &self,
        status: Status,
        filter: &InvoiceFilter,
        page: PageRequest,
    ) -> Result<Page<Invoice>, ListError>;

    /// Attempts that are over, newest first.
    async fn attempts(&self, invoice: &Invoice) -> Result<Vec<Attempt>, StoreError>;

    /// Up to `limit` invoices whose due time has come, the longest overdue first in each shard.
    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<InvoiceId>, StoreError>;

    /// How many shards the list of a status has, for whoever works at them side by side.
    fn shards(&self) -> u8;

    /// One shard's part of the list of a status, in the same order; what has moved on meanwhile is left out, so that a page
    /// may be short and not the last.
    async fn in_shard(
        &self,
        status: Status,
        shard: u8,
        page: PageRequest,
    ) -> Result<Page<Invoice>, ListError>;

    /// The same for what has come to its status since then, where nothing is due in that status.
    async fn in_shard_since(
        &self,
        status: Status,
        shard: u8,
        since: Timestamp,
        page: PageRequest,
    ) -> Result<Page<Invoice>, ListError>;

    /// Up to `limit` invoices that wait until the customer brings another payment method, the newest first.
    async fn awaiting_method(&self, customer: CustomerId, limit: usize) -> Result<Vec<Invoice>, StoreError>;
}

#[async_trait]
pub trait Disputes: Send + Sync {
    async fn dispute(&self, id: DisputeId) -> Result<Option<Dispute>, StoreError>;

    /// Newest first. A page is full unless it is the last.
    async fn disputes_of(&self, invoice: &Invoice, page: PageRequest) -> Result<Page<Dispute>, ListError>;

    /// Up to `limit` open disputes that the gateway is to be asked about.
    async fn due_disputes(&self, now: Timestamp, limit: usize) -> Result<Vec<DisputeId>, StoreError>;
}

#[async_trait]
pub trait Attentions: Send + Sync {
    async fn attention(&self, id: &AttentionId) -> Result<Option<Attention>, StoreError>;

    /// What is open, oldest first.
    async fn open_attention(
        &self,
        kind: Option<AttentionKind>,
        page: PageRequest,
    ) -> Result<Page<Attention>, ListError>;
}

/// A run with its parts and what became of its invoices.
#[derive(Debug, Clone)]
pub struct Progress {
    pub run: Run,
    pub parts: Vec<Part>,
    /// Invoices by outcome ([`fatura_domain::run::Outcome::name`]).
    pub outcomes: BTreeMap<String, u64>,
}

#[async_trait]
pub trait Runs: Send + Sync {
    async fn run(&self, id: &RunId) -> Result<Option<Run>, StoreError>;
    async fn part(&self, run: &RunId, number: u8) -> Result<Option<Part>, StoreError>;
    async fn progress(&self, id: &RunId) -> Result<Option<Progress>, StoreError>;
    /// Up to `limit` parts that nobody has taken a step of in time.
    async fn due_parts(&self, now: Timestamp, limit: usize) -> Result<Vec<(RunId, u8)>, StoreError>;
    /// What a reconciliation has found until now, in no order that means anything.
    async fn differences(&self, id: &RunId, page: PageRequest) -> Result<Page<Difference>, ListError>;
}

#[async_trait]
pub trait Rulebook: Send + Sync {
    /// The edition in force. None: the defaults.
    async fn rules(&self) -> Result<Option<RulesEdition>, StoreError>;
    /// Every edition, newest first.
    async fn rule_editions(&self, page: PageRequest) -> Result<Page<RulesEdition>, ListError>;
}

#[async_trait]
pub trait Plans: Send + Sync {
    /// The gateways' plan in force. None: nobody has put one.
    async fn plan(&self) -> Result<Option<PlanEdition>, StoreError>;
    /// Every edition, newest first.
    async fn plan_editions(&self, page: PageRequest) -> Result<Page<PlanEdition>, ListError>;
}

#[async_trait]
pub trait Circuits: Send + Sync {
    /// The circuits that are not closed; few, if any.
    async fn open_circuits(&self) -> Result<Vec<Circuit>, StoreError>;
    /// Writes it unless somebody has changed it since it was read; says whether it was written.
    async fn change_circuit(&self, seen: Option<&Circuit>, next: &Circuit) -> Result<bool, StoreError>;
}

#[async_trait]
pub trait Refunds: Send + Sync {
    async fn refund(&self, id: RefundId) -> Result<Option<Refund>, StoreError>;

    /// Newest first. A page is full unless it is the last.
    async fn of_invoice(&self, invoice: &Invoice, page: PageRequest) -> Result<Page<Refund>, ListError>;

    /// Up to `limit` refunds whose due time has come.
    async fn due_refunds(&self, now: Timestamp, limit: usize) -> Result<Vec<RefundId>, StoreError>;

    /// One shard's part of the refunds that succeeded in a period, oldest first.
    async fn returned_in_shard(
        &self,
        shard: u8,
        from: Timestamp,
        to: Timestamp,
        page: PageRequest,
    ) -> Result<Page<Refund>, ListError>;
}

#[async_trait]
pub trait Transactions: Send + Sync {
    /// Newest first. A page is full unless it is the last.
    async fn transactions(
        &self,
        customer: CustomerId,
        filter: &TransactionFilter,
        page: PageRequest,
    ) -> Result<Page<Transaction>, ListError>;
}

#[async_trait]
pub trait Answers: Send + Sync {
    /// The answer that is on record and has not expired.
    async fn answer(&self, scope: &AnswerScope, now: Timestamp) -> Result<Option<StoredAnswer>, StoreError>;
}

#[async_trait]
pub trait ApiKeys: Send + Sync {
    async fn api_key(&self, hash: KeyHash) -> Result<Option<ApiKey>, StoreError>;
    /// Every key, revoked ones too; there are few.
    async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError>;
}

/// A webhook that was verified, with its raw body.
#[derive(Clone)]
pub struct WebhookEvent {
    pub gateway: GatewayName,
    /// The gateway's own id of the event, or the SHA-256 of the body where it has none.
    pub event_id: String,
    pub body: Vec<u8>,
    pub received_at: Timestamp,
}

/// The body holds payers' data.
impl fmt::Debug for WebhookEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookEvent({} {}, {} bytes)", self.gateway, self.event_id, self.body.len())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    New,
    /// It came before. Processed: its effect is on the books.
    Known {
        processed: bool,
    },
}

#[async_trait]
pub trait Webhooks: Send + Sync {
    /// Keeps it for 90 days, once.
    async fn record(&self, event: &WebhookEvent) -> Result<Recorded, StoreError>;
    async fn webhook(
        &self,
        gateway: &GatewayName,
        event_id: &str,
    ) -> Result<Option<WebhookEvent>, StoreError>;
}

// ---- queues and the bus --------------------------------------------------------------------------------------------

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookMessage {
    pub gateway: GatewayName,
    pub event_id: String,
}

#[derive(Debug, Error)]
#[error("the queue did not take the message: {0}")]
pub struct SendError(pub String);

#[async_trait]
pub trait ChargeQueue: Send + Sync {
    /// Sends all of them, or says that some may not have been sent: sending again does no harm.
    async fn send(&self, messages: &[Message]) -> Result<(), SendError>;

    /// Sends one that is delivered after a wait of up to 15 minutes.
    async fn send_later(&self, message: &Message, wait: Duration) -> Result<(), SendError>;
}

#[async_trait]
pub trait WebhookQueue: Send + Sync {
    async fn send(&self, message: &WebhookMessage) -> Result<(), SendError>;
}

#[async_trait]
pub trait EventBus: Send + Sync {
    /// The events that the bus did not take, by their place in `events`.
    async fn publish(&self, events: &[Event]) -> Result<Vec<usize>, SendError>;
}

// ---- gateways ------------------------------------------------------------------------------------------------------

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
    /// Whether the charge is disputed, and how that stands.
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

// ---- exchange rates ------------------------------------------------------------------------------------------------

/// Why a source gave no rates, by when it is worth asking again. For the log: none of them holds a credential or a URL.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RatesError {
    #[error("the source of rates does not answer: {0}")]
    Unavailable(String),
    /// It won't have us: our set-up, our plan or our quota. Nothing changes until somebody or some time does.
    #[error("the source of rates refuses: {0}")]
    Refused(String),
    #[error("the source of rates answers with something else than rates: {0}")]
    Unusable(String),
}

/// Somebody who publishes exchange rates.
#[async_trait]
pub trait Rates: Send + Sync {
    fn source(&self) -> RateSource;
    /// What it published last, whole or not at all.
    async fn latest(&self) -> Result<ExchangeRates, RatesError>;
}

/// What came of keeping a publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptRates {
    Kept,
    /// A newer one is kept already.
    Superseded(Box<Publication>),
}

#[async_trait]
pub trait RateStore: Send + Sync {
    async fn rates(&self, source: RateSource) -> Result<Option<Publication>, StoreError>;
    /// In the place of the one before, unless that is newer: see [`Publication::supersedes`].
    async fn keep_rates(&self, publication: &Publication) -> Result<KeptRates, StoreError>;
}

/// What a source of rates knows us by: a secret, as it spends our quota.
#[derive(Clone, PartialEq, Eq)]
pub struct AppId(pub String);

impl fmt::Debug for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppId(..)")
    }
}

#[async_trait]
pub trait RateSecrets: Send + Sync {
    /// Cached by whoever implements it; None if nothing is configured.
    async fn app_id(&self) -> Result<Option<AppId>, SecretsError>;
}

// ---- time and chance -----------------------------------------------------------------------------------------------

pub trait Clock: Send + Sync {
    /// Whole milliseconds: what ids and the table keep.
    fn now(&self) -> Timestamp;
}

pub trait Entropy: Send + Sync {
    /// From a generator fit for secrets.
    fn bits(&self) -> u64;
}
