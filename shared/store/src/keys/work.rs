//! Where things stand in the work index: by what they are and shard, what is due first, else what has been so for longest.

use super::{PAST_ALL, SHARDS};
use fatura_domain::Timestamp;
use fatura_domain::attention::{Attention, AttentionId};
use fatura_domain::bill::{Bill, BillStatus};
use fatura_domain::customer::Detachment;
use fatura_domain::dispute::Dispute;
use fatura_domain::id::{BillId, DisputeId, InvoiceId, Kind, OwnedId, PaymentMethodId, RefundId, RunId};
use fatura_domain::invoice::{Invoice, Status};
use fatura_domain::refund::{Refund, RefundState};
use fatura_domain::run::Part;
use sha2::{Digest, Sha256};

/// Where an invoice stands in the work index: by status and shard, what is due first, else what has been in its status
/// for longest.
pub(crate) fn work(invoice: &Invoice) -> (String, String) {
    let time = due_or_since(invoice.state.due(), invoice.since());
    (work_partition(invoice.status(), shard(invoice.id)), format!("{time}#{}", invoice.id))
}

/// Where a bill stands, in any status: each is a list.
pub(crate) fn bill_work(bill: &Bill) -> (String, String) {
    let time = due_or_since(bill.due(), bill.since());
    (kind_partition(bills_in(bill.status()), shard(bill.id)), format!("{time}#{}", bill.id))
}

fn due_or_since(due: Option<Timestamp>, since: Timestamp) -> String {
    match due {
        Some(due) => format!("{DUE}{}", sortable(due)),
        None => format!("{NOT_DUE}{}", sortable(since)),
    }
}

/// Where a refund stands: while it is under way, by when it is due; when it has succeeded, by when it did. One that has
/// failed, or waits for a person, stands nowhere.
pub(crate) fn refund_work(refund: &Refund) -> Option<(String, String)> {
    let shard = shard(refund.id);
    match (refund.due(), &refund.state) {
        (Some(due), _) => {
            Some((kind_partition(REFUNDS, shard), format!("{DUE}{}#{}", sortable(due), refund.id)))
        }
        (None, RefundState::Succeeded { .. }) => {
            let at = format!("{NOT_DUE}{}#{}", sortable(refund.updated_at), refund.id);
            Some((kind_partition(RETURNED, shard), at))
        }
        (None, _) => None,
    }
}

/// Where an open dispute stands; one that is decided stands nowhere.
pub(crate) fn dispute_work(dispute: &Dispute) -> Option<(String, String)> {
    let due = dispute.due()?;
    let position = format!("{DUE}{}#{}", sortable(due), dispute.id);
    Some((kind_partition(DISPUTES, shard(dispute.id)), position))
}

/// Where an open matter stands; one that is closed stands nowhere. There are few: they share a partition.
pub(crate) fn attention_work(matter: &Attention) -> Option<(String, String)> {
    let raised = sortable(matter.raised_at);
    matter.closed.is_none().then(|| (ATTENTION.to_owned(), format!("{NOT_DUE}{raised}#{}", matter.id)))
}

pub(crate) fn part_work(part: &Part) -> Option<(String, String)> {
    let due = part.due?;
    Some((PARTS.to_owned(), format!("{DUE}{}#{}#{}", sortable(due), part.run, part.number)))
}

pub(crate) fn detachment_work(detachment: &Detachment) -> (String, String) {
    (DETACHMENTS.to_owned(), format!("{DUE}{}#{}", sortable(detachment.due), detachment.method))
}

const REFUNDS: &str = "refund";
const RETURNED: &str = "returned";
const DISPUTES: &str = "dispute";
pub(crate) const ATTENTION: &str = "attention#0";
pub(crate) const PARTS: &str = "run#0";
/// Cards are seldom detached, and gone within a moment: they share a partition.
pub(crate) const DETACHMENTS: &str = "detached#0";

pub(super) fn kind_partition(kind: &str, shard: u8) -> String {
    format!("{kind}#{shard}")
}

/// All shards of what is called so in the index: a status of invoices, refunds, ...
pub(crate) fn partitions(kind: &str) -> impl Iterator<Item = String> {
    (0..SHARDS).map(move |shard| kind_partition(kind, shard))
}

pub(crate) fn work_partitions(status: Status) -> impl Iterator<Item = String> {
    partitions(status.as_str())
}

pub(crate) fn refund_partitions() -> impl Iterator<Item = String> {
    partitions(REFUNDS)
}

pub(crate) fn dispute_partitions() -> impl Iterator<Item = String> {
    partitions(DISPUTES)
}

/// What the bills of a status are called in the index; invoices are called by their status alone.
pub(crate) const fn bills_in(status: BillStatus) -> &'static str {
    match status {
        BillStatus::Open => "bill_open",
        BillStatus::Closing => "bill_closing",
        BillStatus::Closed => "bill_closed",
        BillStatus::Canceled => "bill_canceled",
    }
}

pub(crate) fn bill_partitions(status: BillStatus) -> impl Iterator<Item = String> {
    partitions(bills_in(status))
}

pub(crate) fn returned_partition(shard: u8) -> String {
    kind_partition(RETURNED, shard)
}

pub(crate) fn work_partition(status: Status, shard: u8) -> String {
    kind_partition(status.as_str(), shard)
}

pub(super) const DUE: &str = "0#";
const NOT_DUE: &str = "1#";

/// Before and after every sort key of the index.
pub(crate) const WORK_FROM: &str = DUE;
pub(crate) const WORK_TO: &str = "2";

/// The bound of what is due by now.
pub(crate) fn due_by(now: Timestamp) -> String {
    format!("{DUE}{}#{PAST_ALL}", sortable(now))
}

/// The place where what isn't due and has been there since then begins.
pub(crate) fn not_due_since(since: Timestamp) -> String {
    format!("{NOT_DUE}{}", sortable(since))
}

pub(crate) fn work_invoice(sk: &str) -> Option<InvoiceId> {
    work_id(sk)
}

pub(crate) fn work_bill(sk: &str) -> Option<BillId> {
    work_id(sk)
}

pub(crate) fn work_refund(sk: &str) -> Option<RefundId> {
    work_id(sk)
}

pub(crate) fn work_dispute(sk: &str) -> Option<DisputeId> {
    work_id(sk)
}

pub(crate) fn work_detachment(sk: &str) -> Option<PaymentMethodId> {
    work_id(sk)
}

pub(crate) fn work_attention(sk: &str) -> Option<AttentionId> {
    work_subject(sk)?.parse().ok()
}

pub(crate) fn work_part(sk: &str) -> Option<(RunId, u8)> {
    let (run, number) = work_subject(sk)?.split_once('#')?;
    Some((run.parse().ok()?, number.parse().ok()?))
}

/// Whatever it is that a customer owns and that stands in the index under its id.
pub(crate) fn work_id<K: Kind>(sk: &str) -> Option<OwnedId<K>> {
    work_subject(sk)?.parse().ok()
}

pub(super) fn work_subject(sk: &str) -> Option<&str> {
    let (time, id) = sk.strip_prefix(DUE).or_else(|| sk.strip_prefix(NOT_DUE))?.split_once('#')?;
    let is_time = time.len() == TIME_DIGITS && time.bytes().all(|byte| byte.is_ascii_digit());
    Some(id).filter(|_| is_time)
}

/// Enough for every instant until the year 2286; a later one has more digits than it may, and is cut down to the last.
const TIME_DIGITS: usize = 13;
const LATEST_MS: i64 = 9_999_999_999_999;

pub(super) fn sortable(at: Timestamp) -> String {
    format!("{:0TIME_DIGITS$}", at.as_millisecond().clamp(0, LATEST_MS))
}

fn shard<K: Kind>(id: OwnedId<K>) -> u8 {
    Sha256::digest(id.code()).first().map_or(0, |byte| byte % SHARDS)
}
