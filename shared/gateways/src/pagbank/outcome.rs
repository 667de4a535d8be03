//! How an order stands, from what PagBank says of it.

use super::declines::DECLINES;
use super::wire::{Charge, Order, PaymentResponse, QrCode, Status};
use crate::brazil::{declines, pix, reais};
use crate::trouble::Trouble;
use fatura_domain::charge::Failure;
use fatura_domain::gateway::{ChargeOutcome, GatewayReference, PendingAction};
use fatura_domain::id::AttemptId;
use fatura_domain::{SignedDuration, Timestamp};

/// What a payer did in the last second may take a while to be told.
const GRACE: SignedDuration = SignedDuration::from_hours(1);

pub(super) fn of_order(order: Order, attempt: AttemptId) -> Result<ChargeOutcome, Trouble> {
    let reference = GatewayReference(order.id);
    if order.reference_id.as_deref() != Some(attempt.to_string().as_str()) || !is_id("ORDE_", &reference.0) {
        return Err(of_others());
    }
    // The charges of an order are its own, whether or not they repeat its reference (those of a Pix don't, K).
    let mut charges = order.charges;
    for charge in &mut charges {
        charge.reference_id.get_or_insert_with(|| attempt.to_string());
    }
    if !charges.is_empty() {
        return of_charges(charges, Some(&reference), attempt);
    }
    match order.qr_codes.as_slice() {
        [code] => unpaid(code, reference),
        _ => Err(Trouble::unknown("contradictory_answer", "an order with nothing to pay")),
    }
}

/// The gateway has no word for a code that ended unpaid: there is just no charge, ever.
fn unpaid(code: &QrCode, reference: GatewayReference) -> Result<ChargeOutcome, Trouble> {
    let action = pix::scan(&code.text, &code.expiration_date)?;
    if let PendingAction::Pix { expires_at, .. } = &action
        && *expires_at + GRACE < Timestamp::now()
    {
        return Ok(ChargeOutcome::Voided { reference });
    }
    Ok(ChargeOutcome::Pending { reference, action })
}

/// Of several charges the one that took money counts, then the one that still may.
pub(super) fn of_charges(
    charges: Vec<Charge>,
    order: Option<&GatewayReference>,
    attempt: AttemptId,
) -> Result<ChargeOutcome, Trouble> {
    let mut ours: Vec<Charge> = charges.into_iter().filter(|charge| is_of(charge, attempt)).collect();
    ours.sort_by_key(rank);
    if ours.iter().filter(|charge| rank(charge) == 0).count() > 1 {
        tracing::error!(%attempt, "the gateway captured more than once for one attempt");
    }
    ours.into_iter().next().map_or_else(|| Err(of_others()), |first| of_charge(first, order, attempt))
}

/// Called by its order's id where that is known.
pub(super) fn of_charge(
    charge: Charge,
    order: Option<&GatewayReference>,
    attempt: AttemptId,
) -> Result<ChargeOutcome, Trouble> {
    if !is_of(&charge, attempt) || !is_id("CHAR_", &charge.id) {
        return Err(of_others());
    }
    let rank = rank(&charge);
    let reference = order.cloned().unwrap_or(GatewayReference(charge.id));
    Ok(match charge.status {
        // Cancelled after it was paid: the money was taken, and given back by refunds that are told elsewhere.
        Status::Paid | Status::Canceled if rank == 0 => {
            let minor = charge.amount.summary.as_ref().map_or(charge.amount.value, |summary| summary.paid);
            if charge.amount.currency != "BRL" {
                return Err(Trouble::unknown("contradictory_answer", "paid in another currency than reais"));
            }
            ChargeOutcome::Approved { reference, captured: reais::cents(minor)? }
        }
        Status::Authorized | Status::InAnalysis | Status::Waiting => {
            ChargeOutcome::Pending { reference, action: PendingAction::Review }
        }
        Status::Declined => {
            let failure = failure(charge.payment_response.as_ref());
            ChargeOutcome::Declined { reference: Some(reference), failure }
        }
        Status::Canceled | Status::Paid => ChargeOutcome::Voided { reference },
    })
}

fn failure(response: Option<&PaymentResponse>) -> Failure {
    // D both as a text and as a number.
    let code = response.and_then(|response| response.code.as_ref()).map(|code| match code {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    let message = response.and_then(|response| response.message.as_deref());
    declines::failure(DECLINES, code.as_deref(), message)
}

pub(super) fn rank(charge: &Charge) -> u8 {
    let was_paid = charge.amount.summary.as_ref().is_some_and(|summary| summary.paid > 0);
    match charge.status {
        Status::Paid => 0,
        Status::Canceled if was_paid => 0,
        _ if charge.still_waits() => 1,
        _ => 2,
    }
}

fn is_of(charge: &Charge, attempt: AttemptId) -> bool {
    charge.reference_id.as_deref() == Some(attempt.to_string().as_str())
}

fn is_id(kind: &str, id: &str) -> bool {
    id.starts_with(kind) && crate::brazil::is_plain(id)
}

fn of_others() -> Trouble {
    Trouble::unknown("reference_mismatch", "the gateway told of the orders of other attempts only")
}
