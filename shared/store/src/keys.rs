//! The only place that builds a key. The id is the address: any id of anything a customer owns says where it lies.

mod access;
mod bills;
mod ledger;
mod notices;
mod orders;
mod outgoing;
mod risk;
mod work;

pub(crate) use access::{access_partition, access_range, credentials, session, session_id, tries};
pub(crate) use bills::{
    all_awaiting_bill, awaiting_bill, bill, bill_id, bill_line, bill_lines, bill_that_awaits, bills_of,
    gathering_bill, line_place, line_position, shard_partition, shard_sum,
};
pub(crate) use ledger::{
    JOURNALS, all_totals, chain_head, last_before, link, linked_journal, reversal, totals_of, wallet,
    wallet_currency, wallets,
};
pub(crate) use notices::{preferences, telling};
pub(crate) use orders::{all_orders, fees, fees_edition, order, order_id};
pub(crate) use outgoing::{
    all_endpoints, deliveries_from, deliveries_partition, delivery, delivery_id, delivery_partitions,
    delivery_place, delivery_work, endpoint, endpoints_partition, listed_delivery, work_delivery,
};
pub(crate) use risk::{velocity, velocity_between, velocity_hour};
pub(crate) use work::{
    ATTENTION, DETACHMENTS, PARTS, WORK_FROM, WORK_TO, attention_work, bill_partitions, bill_work, bills_in,
    detachment_work, dispute_partitions, dispute_work, due_by, not_due_since, part_work, partitions,
    refund_partitions, refund_work, returned_partition, work, work_attention, work_bill, work_detachment,
    work_dispute, work_id, work_invoice, work_part, work_partition, work_partitions, work_refund,
};

use fatura_application::idempotency::AnswerScope;
use fatura_domain::attention::AttentionId;
use fatura_domain::exchange::RateSource;
use fatura_domain::gateway::GatewayName;
use fatura_domain::id::{
    AttemptId, CustomerId, DisputeId, InvoiceId, PaymentMethodId, RefundId, RunId, TransactionId,
};
use fatura_domain::service::ServiceName;
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
const DETACHMENT: &str = "GONE#";
const INVOICE: &str = "INV#";
const ATTEMPT: &str = "ATT#";
const TRANSACTION: &str = "TXN#";
const REFUND: &str = "RFD#";
const DISPUTE: &str = "DSP#";
const WAITING: &str = "WAIT#";
const PART: &str = "P#";
const TALLY: &str = "T#";
const DIFFERENCE: &str = "D#";
const CURRENT: &str = "CURRENT";
const EDITION: &str = "V#";
const CIRCUITS: &str = "CIRCUITS";
const API_KEYS: &str = "KEYS";
const RATES: &str = "RATES";
const LONGEST_EVENT_ID: usize = 255;
/// Sorts after every character of an id.
const PAST_ALL: char = '~';

/// Where an item lies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) pk: String,
    pub(crate) sk: String,
}

impl Key {
    fn of_customer(customer: CustomerId, sk: String) -> Self {
        Self { pk: customer_partition(customer), sk }
    }

    /// What is written once and never changed lies apart, where no function has the right to update or delete.
    fn of_record(customer: CustomerId, sk: String) -> Self {
        Self { pk: record_partition(customer), sk }
    }

    fn alone(pk: String) -> Self {
        Self { pk, sk: ALONE.to_owned() }
    }
}

pub(crate) fn customer_partition(customer: CustomerId) -> String {
    format!("C#{}", customer.code())
}

pub(crate) fn record_partition(customer: CustomerId) -> String {
    format!("L#{}", customer.code())
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

/// Apart from the methods that can be charged, which are read with the customer.
pub(crate) fn detachment(id: PaymentMethodId) -> Key {
    Key::of_customer(id.owner(), format!("{DETACHMENT}{}", id.code()))
}

pub(crate) fn detachment_id(sk: &str) -> Option<PaymentMethodId> {
    format!("{}{}", PaymentMethodId::PREFIX, sk.strip_prefix(DETACHMENT)?).parse().ok()
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
    Key::of_record(id.invoice.owner(), format!("{}{:02}", attempts_prefix(id.invoice), id.number.0))
}

pub(crate) fn attempts_prefix(invoice: InvoiceId) -> String {
    format!("{ATTEMPT}{}#", invoice.code())
}

pub(crate) fn attempt_number(sk: &str) -> Option<u8> {
    sk.rsplit_once('#')?.1.parse().ok()
}

pub(crate) fn transaction(id: TransactionId) -> Key {
    Key::of_record(id.owner(), format!("{TRANSACTION}{}", id.code()))
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

pub(crate) fn dispute(id: DisputeId) -> Key {
    Key::of_customer(id.owner(), format!("{DISPUTE}{}", id.code()))
}

pub(crate) fn dispute_id(sk: &str) -> Option<DisputeId> {
    format!("{}{}", DisputeId::PREFIX, sk.strip_prefix(DISPUTE)?).parse().ok()
}

/// A dispute is younger than what it is about.
pub(crate) fn disputes_since(customer: CustomerId, from: Timestamp) -> (String, String) {
    between(DISPUTE, customer, Some(surely_before(from)), None)
}

/// An invoice that waits until its customer brings another payment method.
pub(crate) fn waiting(invoice: InvoiceId) -> Key {
    Key::of_customer(invoice.owner(), format!("{WAITING}{}", invoice.code()))
}

pub(crate) fn waiting_invoice(sk: &str) -> Option<InvoiceId> {
    format!("{}{}", InvoiceId::PREFIX, sk.strip_prefix(WAITING)?).parse().ok()
}

pub(crate) fn all_waiting() -> (String, String) {
    (WAITING.to_owned(), format!("{WAITING}{PAST_ALL}"))
}

pub(crate) fn attention(id: &AttentionId) -> Key {
    Key::alone(format!("ATN#{id}"))
}

pub(crate) fn attention_id(pk: &str) -> Option<AttentionId> {
    pk.strip_prefix("ATN#")?.parse().ok()
}

fn run_partition(id: &RunId) -> String {
    format!("RUN#{id}")
}

pub(crate) fn run_id(pk: &str) -> Option<RunId> {
    pk.strip_prefix("RUN#")?.parse().ok()
}

pub(crate) fn run(id: &RunId) -> Key {
    Key { pk: run_partition(id), sk: CUSTOMER.to_owned() }
}

pub(crate) fn part(run: &RunId, number: u8) -> Key {
    Key { pk: run_partition(run), sk: format!("{PART}{number:03}") }
}

pub(crate) fn part_number(sk: &str) -> Option<u8> {
    sk.strip_prefix(PART)?.parse().ok()
}

/// A run's counters are several items, so that many invoices may be counted at once.
const TALLIES: u8 = 16;

pub(crate) fn tally(run: &RunId, invoice: InvoiceId) -> Key {
    let which = Sha256::digest(invoice.code()).first().map_or(0, |byte| byte % TALLIES);
    Key { pk: run_partition(run), sk: format!("{TALLY}{which:02}") }
}

pub(crate) fn is_tally(sk: &str) -> bool {
    sk.starts_with(TALLY)
}

/// The run itself, its parts and its counters: neighbours.
pub(crate) fn progress_range(run: &RunId) -> (String, String, String) {
    (run_partition(run), CUSTOMER.to_owned(), format!("{TALLY}{PAST_ALL}"))
}

pub(crate) fn difference(run: &RunId, digest: &str) -> Key {
    Key { pk: run_partition(run), sk: format!("{DIFFERENCE}{digest}") }
}

pub(crate) fn differences(run: &RunId) -> (String, String, String) {
    (run_partition(run), DIFFERENCE.to_owned(), format!("{DIFFERENCE}{PAST_ALL}"))
}

/// What is changed while the system runs: one item in force, and one for every edition.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Configuration {
    Dunning,
    Gateways,
    Fees,
    Risk,
}

impl Configuration {
    fn partition(self) -> String {
        match self {
            Self::Dunning => "CFG#dunning",
            Self::Gateways => "CFG#gateways",
            Self::Fees => "CFG#fees",
            Self::Risk => "CFG#risk",
        }
        .to_owned()
    }

    pub(crate) fn current(self) -> Key {
        Key { pk: self.partition(), sk: CURRENT.to_owned() }
    }

    pub(crate) fn edition(self, version: u64) -> Key {
        Key { pk: self.partition(), sk: format!("{EDITION}{version:010}") }
    }

    pub(crate) fn editions(self) -> (String, String, String) {
        (self.partition(), EDITION.to_owned(), format!("{EDITION}{PAST_ALL}"))
    }
}

pub(crate) fn circuit(gateway: &GatewayName) -> Key {
    Key { pk: CIRCUITS.to_owned(), sk: gateway.to_string() }
}

pub(crate) fn circuits_partition() -> String {
    CIRCUITS.to_owned()
}

/// A refund is younger than what it gives back.
pub(crate) fn refunds_since(customer: CustomerId, from: Timestamp) -> (String, String) {
    between(REFUND, customer, Some(surely_before(from)), None)
}

pub(crate) fn transactions_between(
    customer: CustomerId,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> (String, String) {
    between(TRANSACTION, customer, from, to)
}

/// What follows from something may have an earlier time in its id: the clock of another function gave it.
fn surely_before(created: Timestamp) -> Timestamp {
    const CLOCKS_APART: SignedDuration = SignedDuration::from_mins(15);
    created.checked_sub(CLOCKS_APART).unwrap_or(created)
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

/// The least text after a sort key: a blank sorts before whatever a longer key could go on with.
pub(crate) fn just_after(sk: &str) -> String {
    format!("{sk} ")
}

/// Whether a sort key can lie in a partition: a customer's things carry the customer's own characters, and where a bill
/// gathers its line items there is nothing else to list.
pub(crate) fn may_lie_in(partition: &str, sk: &str) -> bool {
    if let Some(bill) = gathering_bill(partition) {
        return bills::may_be_line_of(bill, sk);
    }
    let customer = partition.strip_prefix("C#").or_else(|| partition.strip_prefix("L#"));
    let Some(customer) = customer else { return true };
    let code = sk.split_once('#').map_or("", |(_, code)| code);
    let id = format!("{}{code}", InvoiceId::PREFIX).parse::<InvoiceId>();
    id.is_ok_and(|id| id.owner().code() == customer)
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

/// A partition each: rights can say of a partition who may write there, not of a sort key.
pub(crate) fn service(name: &ServiceName) -> Key {
    Key::alone(format!("SVC#{name}"))
}

pub(crate) fn rates(source: RateSource) -> Key {
    Key { pk: RATES.to_owned(), sk: source.as_str().to_owned() }
}
