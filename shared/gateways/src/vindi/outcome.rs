//! How a bill stands, from what Vindi says of it. Why it was declined is the acquirer's word, passed on: which acquirer's
//! depends on the account, so the table is that of the issuers' codes.

use super::wire::{Bill, BillStatus, Charge, Transaction, text};
use crate::brazil::declines::{ISSUER_CODES, failure, issuer_code};
use crate::brazil::{pix, reais};
use crate::trouble::Trouble;
use fatura_domain::Timestamp;
use fatura_domain::charge::Failure;
use fatura_domain::gateway::{ChargeOutcome, GatewayReference, PendingAction};
use fatura_domain::id::AttemptId;

/// How this bill stands, once it is sure to be the one that was asked about.
pub(super) fn standing(bill: &Bill, attempt: AttemptId) -> Result<ChargeOutcome, Trouble> {
    if !is_of(bill, attempt) {
        return Err(of_others());
    }
    let reference = GatewayReference(bill.id.to_string());
    if took_money(bill) {
        // Vindi says no currency: its accounts are in reais (K).
        let captured = reais::money(&text(&bill.amount), "BRL")?;
        return Ok(ChargeOutcome::Approved { reference, captured });
    }
    Ok(match (bill.status, bill.charges.last()) {
        (BillStatus::Canceled, _) => ChargeOutcome::Voided { reference },
        (BillStatus::Pending, Some(charge)) => waiting(charge, reference)?,
        _ => ChargeOutcome::Pending { reference, action: PendingAction::Review },
    })
}

fn waiting(charge: &Charge, reference: GatewayReference) -> Result<ChargeOutcome, Trouble> {
    let review = |reference| ChargeOutcome::Pending { reference, action: PendingAction::Review };
    let Some(transaction) = &charge.last_transaction else { return Ok(review(reference)) };
    if let Some(action) = code(charge, transaction)? {
        return Ok(ChargeOutcome::Pending { reference, action });
    }
    if transaction.status.as_deref() != Some("rejected") {
        return Ok(review(reference));
    }
    // Vindi will try again by itself: to call it declined would let us charge beside it.
    if charge.next_attempt.is_some() {
        return Ok(review(reference));
    }
    Ok(ChargeOutcome::Declined { reference: Some(reference), failure: why(transaction) })
}

fn why(transaction: &Transaction) -> Failure {
    let raw =
        transaction.gateway_response_code.as_ref().map(text).filter(|raw| !raw.is_empty() && raw != "null");
    let code = raw.as_deref().map(issuer_code);
    let told = failure(ISSUER_CODES, code, transaction.gateway_message.as_deref());
    // As it was written.
    raw.map_or(told.clone(), |raw| told.with_raw_code(&raw))
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
pub(super) fn standing_among(bills: Vec<Bill>, attempt: AttemptId) -> Result<ChargeOutcome, Trouble> {
    let found = !bills.is_empty();
    let mut ours: Vec<Bill> = bills.into_iter().filter(|bill| is_of(bill, attempt)).collect();
    ours.sort_by_key(rank);
    if ours.iter().filter(|bill| took_money(bill)).count() > 1 {
        tracing::error!(%attempt, "the gateway captured more than once for one attempt");
    }
    match ours.first() {
        Some(first) => standing(first, attempt),
        None if found => Err(of_others()),
        None => Ok(ChargeOutcome::Absent),
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
