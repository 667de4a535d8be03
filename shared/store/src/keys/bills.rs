//! Where bills lie. The bill itself is one of its customer's things; what it gathers lies in partitions of its own, one a
//! shard: a partition takes a thousand write units a second, and a bill may gather more than its customer could.

use super::{Key, PAST_ALL, between, customer_partition};
use fatura_domain::bill::{LineKey, Reference};
use fatura_domain::id::{BillId, CustomerId, LineItemId};
use fatura_domain::money::Currency;

const BILL: &str = "BILL#";
const AWAITING_BILL: &str = "BWAIT#";
const GATHERED: &str = "BL#";
const SUM: &str = "SUM";
const LINE: &str = "L#";

pub(crate) fn bill(id: BillId) -> Key {
    Key::of_customer(id.owner(), format!("{BILL}{}", id.code()))
}

pub(crate) fn bill_id(sk: &str) -> Option<BillId> {
    bill_of_code(sk.strip_prefix(BILL)?)
}

pub(crate) fn bills_of(customer: CustomerId) -> (String, String) {
    between(BILL, customer, None, None)
}

/// A bill with a balance that waits until its customer has another bill.
pub(crate) fn awaiting_bill(bill: BillId) -> Key {
    Key::of_customer(bill.owner(), format!("{AWAITING_BILL}{}", bill.code()))
}

pub(crate) fn bill_that_awaits(sk: &str) -> Option<BillId> {
    bill_of_code(sk.strip_prefix(AWAITING_BILL)?)
}

pub(crate) fn all_awaiting_bill(customer: CustomerId) -> (String, String, String) {
    (customer_partition(customer), AWAITING_BILL.to_owned(), format!("{AWAITING_BILL}{PAST_ALL}"))
}

/// Where one shard of a bill keeps its sum and the line items that it has counted.
pub(crate) fn shard_partition(bill: BillId, number: u8) -> String {
    format!("{GATHERED}{}#{number:02}", bill.code())
}

pub(crate) fn shard_sum(bill: BillId, number: u8) -> Key {
    Key { pk: shard_partition(bill, number), sk: SUM.to_owned() }
}

pub(crate) fn bill_line(bill: BillId, shard: u8, line: &LineKey) -> Key {
    Key { pk: shard_partition(bill, shard), sk: format!("{LINE}{line}") }
}

/// From before to after every line item of a shard.
pub(crate) fn bill_lines() -> (String, String) {
    (LINE.to_owned(), format!("{LINE}{PAST_ALL}"))
}

/// The bill whose line items lie in a partition.
pub(crate) fn gathering_bill(partition: &str) -> Option<BillId> {
    let (code, number) = partition.strip_prefix(GATHERED)?.split_once('#')?;
    number.parse::<u8>().ok()?;
    bill_of_code(code)
}

/// Whether a sort key can be that of a line item of this bill.
pub(super) fn may_be_line_of(bill: BillId, sk: &str) -> bool {
    let Some((kind, rest)) = sk.strip_prefix(LINE).and_then(|key| key.split_once('#')) else { return false };
    match kind {
        "R" => Reference::parse(rest).is_ok(),
        "I" => rest.parse::<LineItemId>().is_ok_and(|line| line.owner() == bill.owner()),
        "C" => rest.split_once('#').is_some_and(|(from, currency)| {
            let is_ours = from.parse::<BillId>().is_ok_and(|from| from.owner() == bill.owner());
            is_ours && currency.parse::<Currency>().is_ok()
        }),
        _ => false,
    }
}

fn bill_of_code(code: &str) -> Option<BillId> {
    format!("{}{code}", BillId::PREFIX).parse().ok()
}

/// A place in the list of a bill's line items, which is none in another bill's.
pub(crate) fn line_position(bill: BillId, sk: &str) -> String {
    format!("{}#{sk}", bill.code())
}

pub(crate) fn line_place(bill: BillId, position: &str) -> Option<&str> {
    let sk = position.strip_prefix(bill.code())?.strip_prefix('#')?;
    super::may_lie_in(&shard_partition(bill, 0), sk).then_some(sk)
}
