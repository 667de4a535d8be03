//! The only place that builds a key. The id is the address: any id of anything a customer owns says where it lies.

use fatura_application::idempotency::AnswerScope;
use fatura_domain::gateway::GatewayName;
use fatura_domain::id::{
    AttemptId, CustomerId, InvoiceId, Kind, OwnedId, PaymentMethodId, RefundId, TransactionId,
};
use fatura_domain::invoice::{Invoice, Status};
use fatura_domain::refund::Refund;
use fatura_domain::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

pub(crate) const PK: &str = "PK";
pub(crate) const SK: &str = "SK";
/// The sparse index and its sort key.
pub const WORK_INDEX: &str = "Work";
pub(crate) const WORK_SK: &str = "WS";

/// A bare status would be one partition, which takes a thousand writes a second.
pub(crate) const SHARDS: u8 = 8;

const ALONE: &str = "-";
const CUSTOMER: &str = "META";
const PAYMENT_METHOD: &str = "PM#";
const INVOICE: &str = "INV#";
const ATTEMPT: &str = "ATT#";
const TRANSACTION: &str = "TXN#";
const REFUND: &str = "RFD#";
const API_KEYS: &str = "KEYS";
const LONGEST_EVENT_ID: usize = 255;
/// Sorts after every character of an id.
const PAST_ALL: char = '~';

/// Where an item lies.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) pk: String,
    pub(crate) sk: String,
}

impl Key {
    fn of_customer(customer: CustomerId, sk: String) -> Self {
        Self { pk: customer_partition(customer), sk }
    }

    fn alone(pk: String) -> Self {
        Self { pk, sk: ALONE.to_owned() }
    }
}

pub(crate) fn customer_partition(customer: CustomerId) -> String {
    format!("C#{}", customer.code())
}

pub(crate) fn customer(id: CustomerId) -> Key {
    Key::of_customer(id, CUSTOMER.to_owned())
}

/// From the customer to its last payment method: neighbours in the partition, one query.
pub(crate) fn payer_range() -> (String, String) {
    (CUSTOMER.to_owned(), format!("{PAYMENT_METHOD}{PAST_ALL}"))
}

pub(crate) fn is_customer(sk: &str) -> bool {
    sk == CUSTOMER
}

pub(crate) fn email(address: &str) -> Key {
    Key::alone(format!("U#email#{address}"))
}

pub(crate) fn external_id(id: &str) -> Key {
    Key::alone(format!("U#ext#{id}"))
}

pub(crate) fn payment_method(id: PaymentMethodId) -> Key {
    Key::of_customer(id.owner(), format!("{PAYMENT_METHOD}{}", id.code()))
}

pub(crate) fn invoice(id: InvoiceId) -> Key {
    Key::of_customer(id.owner(), format!("{INVOICE}{}", id.code()))
}

pub(crate) fn invoice_id(sk: &str) -> Option<InvoiceId> {
    format!("{}{}", InvoiceId::PREFIX, sk.strip_prefix(INVOICE)?).parse().ok()
}

pub(crate) fn payment_method_id(sk: &str) -> Option<PaymentMethodId> {
    format!("{}{}", PaymentMethodId::PREFIX, sk.strip_prefix(PAYMENT_METHOD)?).parse().ok()
}

pub(crate) fn transaction_id(sk: &str) -> Option<TransactionId> {
    format!("{}{}", TransactionId::PREFIX, sk.strip_prefix(TRANSACTION)?).parse().ok()
}

pub(crate) fn attempt(id: AttemptId) -> Key {
    Key::of_customer(id.invoice.owner(), format!("{}{:02}", attempts_prefix(id.invoice), id.number.0))
}

pub(crate) fn attempts_prefix(invoice: InvoiceId) -> String {
    format!("{ATTEMPT}{}#", invoice.code())
}

pub(crate) fn attempt_number(sk: &str) -> Option<u8> {
    sk.rsplit_once('#')?.1.parse().ok()
}

pub(crate) fn transaction(id: TransactionId) -> Key {
    Key::of_customer(id.owner(), format!("{TRANSACTION}{}", id.code()))
}

/// The sort keys of a customer's invoices or transactions made in a period: their ids begin with the time.
pub(crate) fn invoices_between(
    customer: CustomerId,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> (String, String) {
    between(INVOICE, customer, from, to)
}

pub(crate) fn refund(id: RefundId) -> Key {
    Key::of_customer(id.owner(), format!("{REFUND}{}", id.code()))
}

pub(crate) fn refund_id(sk: &str) -> Option<RefundId> {
    format!("{}{}", RefundId::PREFIX, sk.strip_prefix(REFUND)?).parse().ok()
}

/// A refund is younger than what it gives back.
pub(crate) fn refunds_since(customer: CustomerId, from: Timestamp) -> (String, String) {
    between(REFUND, customer, Some(from), None)
}

pub(crate) fn transactions_between(
    customer: CustomerId,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> (String, String) {
    between(TRANSACTION, customer, from, to)
}

fn between(
    kind: &str,
    customer: CustomerId,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> (String, String) {
    let at = |instant: Timestamp| {
        // Zero entropy: before everything of that millisecond.
        format!("{kind}{}", InvoiceId::new(customer, instant, 0).code())
    };
    // Ids keep whole milliseconds: an end within one must not cut off what it began with.
    let whole = |to: Timestamp| to.checked_add(SignedDuration::from_nanos(999_999)).unwrap_or(to);
    let first = from.map_or_else(|| kind.to_owned(), at);
    let last = to.map(whole).map_or_else(|| format!("{kind}{PAST_ALL}"), at);
    (first, last)
}

/// Whose invoice or transaction lies at a sort key.
pub(crate) fn owner(sk: &str) -> Option<CustomerId> {
    let (_, code) = sk.split_once('#')?;
    format!("{}{code}", InvoiceId::PREFIX).parse::<InvoiceId>().ok().map(|id| id.owner())
}

pub(crate) fn answer(scope: &AnswerScope) -> Key {
    // Length first: no two scopes make the same text.
    let text = format!(
        "{}:{}|{}:{}|{}",
        scope.caller.len(),
        scope.caller,
        scope.route.len(),
        scope.route,
        scope.key
    );
    Key::alone(format!("IDEM#{}", hex::encode(Sha256::digest(text))))
}

pub(crate) fn webhook(gateway: &GatewayName, event_id: &str) -> Key {
    // Gateways name their events, and a key has a bound: 2,048 bytes.
    if event_id.len() <= LONGEST_EVENT_ID {
        Key::alone(format!("WH#{gateway}#{event_id}"))
    } else {
        Key::alone(format!("WH#{gateway}#sha256:{}", hex::encode(Sha256::digest(event_id))))
    }
}

pub(crate) fn api_key(hash: &str) -> Key {
    Key { pk: API_KEYS.to_owned(), sk: hash.to_owned() }
}

pub(crate) fn api_keys_partition() -> String {
    API_KEYS.to_owned()
}

/// Where an invoice stands in the work index: by status and shard, what is due first, else by age.
pub(crate) fn work(invoice: &Invoice) -> (String, String) {
    let time = match invoice.state.due() {
        Some(due) => format!("{DUE}{}", sortable(due)),
        None => format!("{NOT_DUE}{}", sortable(invoice.created_at)),
    };
    (work_partition(invoice.status(), shard(invoice.id)), format!("{time}#{}", invoice.id))
}

/// Where a refund that is under way stands; one that is over, or waits for a person, stands nowhere.
pub(crate) fn refund_work(refund: &Refund) -> Option<(String, String)> {
    let due = refund.due()?;
    Some((refund_partition(shard(refund.id)), format!("{DUE}{}#{}", sortable(due), refund.id)))
}

fn refund_partition(shard: u8) -> String {
    format!("refund#{shard}")
}

/// All shards of a status, and of refunds.
pub(crate) fn work_partitions(status: Status) -> impl Iterator<Item = String> {
    (0..SHARDS).map(move |shard| work_partition(status, shard))
}

pub(crate) fn refund_partitions() -> impl Iterator<Item = String> {
    (0..SHARDS).map(refund_partition)
}

fn work_partition(status: Status, shard: u8) -> String {
    format!("{}#{shard}", status.as_str())
}

const DUE: &str = "0#";
const NOT_DUE: &str = "1#";

/// Before and after every sort key of the index.
pub(crate) const WORK_FROM: &str = DUE;
pub(crate) const WORK_TO: &str = "2";

/// The bound of what is due by now.
pub(crate) fn due_by(now: Timestamp) -> String {
    format!("{DUE}{}#{PAST_ALL}", sortable(now))
}

/// The least text after a sort key: a blank sorts before whatever a longer key could go on with.
pub(crate) fn just_after(sk: &str) -> String {
    format!("{sk} ")
}

pub(crate) fn work_invoice(sk: &str) -> Option<InvoiceId> {
    work_id(sk)
}

pub(crate) fn work_refund(sk: &str) -> Option<RefundId> {
    work_id(sk)
}

fn work_id<K: Kind>(sk: &str) -> Option<OwnedId<K>> {
    let (time, id) = sk.strip_prefix(DUE).or_else(|| sk.strip_prefix(NOT_DUE))?.split_once('#')?;
    let is_time = time.len() == TIME_DIGITS && time.bytes().all(|byte| byte.is_ascii_digit());
    id.parse().ok().filter(|_| is_time)
}

/// Enough for every instant until the year 2286; a later one has more digits than it may, and is cut down to the last.
const TIME_DIGITS: usize = 13;
const LATEST_MS: i64 = 9_999_999_999_999;

fn sortable(at: Timestamp) -> String {
    format!("{:0TIME_DIGITS$}", at.as_millisecond().clamp(0, LATEST_MS))
}

fn shard<K: Kind>(id: OwnedId<K>) -> u8 {
    Sha256::digest(id.code()).first().map_or(0, |byte| byte % SHARDS)
}
