//! How a payment stands, from what Mercado Pago says of it.

use super::declines::DECLINES;
use super::wire::{Payment, Status};
use crate::brazil::{declines, pix, reais};
use crate::trouble::Trouble;
use fatura_domain::gateway::{ChargeOutcome, PendingAction};
use fatura_domain::id::AttemptId;

/// How this payment stands, once it is sure to be the one that was asked about.
pub(super) fn standing(payment: Payment, attempt: AttemptId) -> Result<ChargeOutcome, Trouble> {
    if !is_of(&payment, attempt) {
        return Err(of_others());
    }
    Ok(match payment.status {
        // What came after is told elsewhere: the money was taken.
        Status::Approved | Status::Refunded | Status::ChargedBack | Status::InMediation => {
            let captured = reais::money(&payment.transaction_amount.to_string(), &payment.currency_id)?;
            ChargeOutcome::Approved { reference: payment.id.into_reference(), captured }
        }
        Status::Pending | Status::Authorized | Status::InProcess => {
            let action = awaited(&payment)?;
            ChargeOutcome::Pending { reference: payment.id.into_reference(), action }
        }
        Status::Rejected => {
            let failure = declines::failure(DECLINES, payment.status_detail.as_deref(), None);
            ChargeOutcome::Declined { reference: Some(payment.id.into_reference()), failure }
        }
        Status::Cancelled => ChargeOutcome::Voided { reference: payment.id.into_reference() },
    })
}

fn awaited(payment: &Payment) -> Result<PendingAction, Trouble> {
    if payment.method.as_deref() == Some("pix") {
        let data = payment.point_of_interaction.as_ref().and_then(|point| point.transaction_data.as_ref());
        let emv = data.and_then(|data| data.qr_code.as_deref()).unwrap_or_default();
        return pix::scan(emv, payment.date_of_expiration.as_deref().unwrap_or_default());
    }
    Ok(match payment.status_detail.as_deref() {
        Some("pending_challenge") => PendingAction::RequiresAction { url: None },
        _ => PendingAction::Review,
    })
}

/// Of several payments under one reference the one that took money counts, then the one that still may.
pub(super) fn standing_among(payments: Vec<Payment>, attempt: AttemptId) -> Result<ChargeOutcome, Trouble> {
    if payments.is_empty() {
        return Ok(ChargeOutcome::Absent);
    }
    let ours = ours(payments, attempt)?;
    if ours.iter().filter(|payment| rank(payment) == 0).count() > 1 {
        tracing::error!(%attempt, "the gateway captured more than once for one attempt");
    }
    ours.into_iter().next().map_or_else(|| Err(of_others()), |first| standing(first, attempt))
}

/// The attempt's payments among those that were found, which must be some: what took money first.
pub(super) fn ours(payments: Vec<Payment>, attempt: AttemptId) -> Result<Vec<Payment>, Trouble> {
    let mut ours: Vec<Payment> = payments.into_iter().filter(|payment| is_of(payment, attempt)).collect();
    ours.sort_by_key(rank);
    if ours.is_empty() { Err(of_others()) } else { Ok(ours) }
}

const fn rank(payment: &Payment) -> u8 {
    match payment.status {
        Status::Approved | Status::Refunded | Status::ChargedBack | Status::InMediation => 0,
        Status::Pending | Status::Authorized | Status::InProcess => 1,
        Status::Rejected | Status::Cancelled => 2,
    }
}

fn is_of(payment: &Payment, attempt: AttemptId) -> bool {
    payment.external_reference.as_deref() == Some(attempt.to_string().as_str())
}

fn of_others() -> Trouble {
    Trouble::unknown("reference_mismatch", "the gateway told of the payments of other attempts only")
}
