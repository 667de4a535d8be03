//! Everything that use cases need from outside, in small object-safe traits.

mod bills;
mod gateway;
mod ledger;
mod notices;
mod orders;
mod outgoing;
mod rates;
mod risk;
mod services;
mod sign_in;

pub use bills::{BillFilter, Bills};
pub use gateway::{
    ChargeLookup, Gateway, GatewaySecrets, Gateways, MalformedWebhook, Secrets, SecretsError, Told,
    WebhookDelivery, WebhookHint, WebhookRefusal, WebhookSubject,
};
pub use ledger::{JournalRange, Journals, Sealed, Wallets};
pub use notices::{Mail, Mailer, Notices, TellError, Texter};
pub use orders::Orders;
pub use outgoing::{Deliver, DeliveryQueue, Endpoints, OutgoingWebhook, WebhookSender};
pub use rates::{AppId, KeptRates, RateSecrets, RateStore, Rates, RatesError};
pub use risk::{Judge, RiskRecords, RuleEngine};
pub use services::{Deployment, Directory, DirectoryError, ServiceVitals};
pub use sign_in::{Access, SignIns, TokenKeys};

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
use fatura_domain::bill::{BillLine, ShardRefusal};
use fatura_domain::charge::{Attempt, FailureClass, LiveAttempt};
use fatura_domain::customer::{Customer, Detachment, PaymentMethod};
use fatura_domain::dispute::Dispute;
use fatura_domain::event::Event;
use fatura_domain::gateway::GatewayName;
use fatura_domain::id::{CustomerId, DisputeId, InvoiceId, PaymentMethodId, RefundId, RunId};
use fatura_domain::invoice::{Invoice, Status};
use fatura_domain::ledger::{Transaction, TransactionFilter};
use fatura_domain::money::Currency;
use fatura_domain::refund::Refund;
use fatura_domain::run::{Part, Run};
use fatura_domain::text::ExternalId;
use fatura_domain::wallet::WalletRefusal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;
use thiserror::Error;

// ---- the store -----------------------------------------------------------------------------------------------------

#[derive(Debug, Error)]
pub enum StoreError {
    #[error("the store did not answer in time: {0}")]
    Unavailable(String),
    /// Throttled, or others kept writing the same items for as long as it was patient.
    #[error("the store is too busy there just now: {0}")]
    Contended(String),
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
    /// The bill has a line item of this key: this one.
    LineTaken(Box<BillLine>),
    /// The bill takes no line items any more, or not so much.
    ShardRefused(ShardRefusal),
    /// The wallet can't be moved so; None: there is no such wallet, or there is one that was to be opened.
    WalletRefused {
        customer: CustomerId,
        currency: Currency,
        why: Option<WalletRefusal>,
    },
    /// The journal was reversed before.
    Reversed,
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
    /// Those that pay for orders.
    pub only_payments: bool,
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

// ---- time and chance -----------------------------------------------------------------------------------------------

pub trait Clock: Send + Sync {
    /// Whole milliseconds: what ids and the table keep.
    fn now(&self) -> Timestamp;
}

pub trait Entropy: Send + Sync {
    /// From a generator fit for secrets.
    fn bits(&self) -> u64;
}
