//! How a bill stands, from what Vindi says of it.

use super::declines::of_rejection;
use super::wire::{Bill, BillStatus, Charge, Transaction, text};
use crate::brazil::{pix, reais};
use crate::trouble::Trouble;
use fatura_domain::Timestamp;
use fatura_domain::charge::Failure;
use fatura_domain::gateway::{ChargeOutcome, GatewayReference, PendingAction};
use fatura_domain::id::AttemptId;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Known(ChargeOutcome),
    /// Declined, and the bill is open: Vindi charges it again by itself when it sees fit, or its payer does on Vindi's page.
    /// Not a decline before the bill is closed.
    Rejected(Rejection),
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rejection {
    pub(super) reference: GatewayReference,
    failure: Failure,
}

impl Rejection {
    /// What it is once nobody can charge the bill any more.
    pub(super) fn closed(self) -> ChargeOutcome {
        ChargeOutcome::Declined { reference: Some(self.reference), failure: self.failure }
    }

    /// What it is as long as somebody can.
    pub(super) fn open(self) -> ChargeOutcome {
        review(self.reference)
    }
}

fn review(reference: GatewayReference) -> ChargeOutcome {
    ChargeOutcome::Pending { reference, action: PendingAction::Review }
}

/// How this bill stands, once it is sure to be the one that was asked about.
pub(super) fn standing(bill: &Bill, attempt: AttemptId) -> Result<Standing, Trouble> {
    if !is_of(bill, attempt) {
        return Err(of_others());
    }
    let reference = GatewayReference(bill.id.to_string());
    if took_money(bill) {
        // Vindi says no currency: its accounts are in reais (K).
        let captured = reais::money(&text(&bill.amount), "BRL")?;
        return Ok(Standing::Known(ChargeOutcome::Approved { reference, captured }));
    }
    let rejection = rejection(bill).map(|failure| Rejection { reference: reference.clone(), failure });
    Ok(match (bill.status, rejection) {
        (BillStatus::Canceled, Some(rejection)) => Standing::Known(rejection.closed()),
        (BillStatus::Canceled, None) => Standing::Known(ChargeOutcome::Voided { reference }),
        (BillStatus::Pending, Some(rejection)) => Standing::Rejected(rejection),
        (BillStatus::Pending, None) => Standing::Known(awaited(bill, reference)?),
        _ => Standing::Known(review(reference)),
    })
}

/// Why the bill was rejected, if every charge of it that wasn't given up was.
fn rejection(bill: &Bill) -> Option<Failure> {
    let is_open = |charge: &&Charge| charge.status.as_deref() != Some("canceled");
    let rejected = |charge: &Charge| charge.last_transaction.as_ref().is_some_and(Transaction::was_rejected);
    if bill.status != BillStatus::Canceled && !bill.charges.iter().filter(is_open).all(rejected) {
        return None;
    }
    let last = bill.charges.iter().rev().find(|charge| rejected(charge))?;
    last.last_transaction.as_ref().map(of_rejection)
}

fn awaited(bill: &Bill, reference: GatewayReference) -> Result<ChargeOutcome, Trouble> {
    for charge in bill.charges.iter().rev() {
        if let Some(transaction) = &charge.last_transaction
            && let Some(action) = code(charge, transaction)?
        {
            return Ok(ChargeOutcome::Pending { reference, action });
        }
    }
    Ok(review(reference))
}

fn code(charge: &Charge, transaction: &Transaction) -> Result<Option<PendingAction>, Trouble> {
    let Some(fields) = &transaction.gateway_response_fields else { return Ok(None) };
    let Some(emv) = fields.qrcode_original_path.as_deref().filter(|emv| !emv.is_empty()) else {
        return Ok(None);
    };
    let kept = fields.max_days_to_keep_waiting_payment.as_ref().map(text);
    let kept = kept.filter(|kept| kept.parse::<Timestamp>().is_ok());
    let until = kept.as_deref().or(charge.due_at.as_deref()).unwrap_or_default();
    pix::scan(emv, until).map(Some)
}

/// Of several bills under one code the one that took money counts, then the one that still may.
pub(super) fn standing_among(bills: Vec<Bill>, attempt: AttemptId) -> Result<Standing, Trouble> {
    let found = !bills.is_empty();
    let mut ours: Vec<Bill> = bills.into_iter().filter(|bill| is_of(bill, attempt)).collect();
    ours.sort_by_key(rank);
    if ours.iter().filter(|bill| took_money(bill)).count() > 1 {
        tracing::error!(%attempt, "the gateway captured more than once for one attempt");
    }
    match ours.first() {
        Some(first) => standing(first, attempt),
        None if found => Err(of_others()),
        None => Ok(Standing::Known(ChargeOutcome::Absent)),
    }
}

fn rank(bill: &Bill) -> u8 {
    match bill.status {
        _ if took_money(bill) => 0,
        BillStatus::Canceled => 2,
        _ => 1,
    }
}

/// A refund may cancel the bill: its charge was paid all the same.
fn took_money(bill: &Bill) -> bool {
    bill.status == BillStatus::Paid || bill.charges.iter().any(Charge::took_money)
}

pub(super) fn is_of(bill: &Bill, attempt: AttemptId) -> bool {
    bill.code.as_deref() == Some(attempt.to_string().as_str())
}

fn of_others() -> Trouble {
    Trouble::unknown("reference_mismatch", "the gateway told of the bills of other attempts only")
}
