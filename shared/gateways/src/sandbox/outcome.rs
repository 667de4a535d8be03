//! How a charge stands, from what the sandbox says of it.

use super::wire::{Charge, Decline, Pix, Status};
use crate::trouble::Trouble;
use fatura_domain::Timestamp;
use fatura_domain::charge::{Failure, FailureClass};
use fatura_domain::gateway::{ChargeOutcome, PendingAction};
use fatura_domain::id::AttemptId;
use fatura_domain::money::Money;

/// The sandbox's words for a decline, and what can be done about each. They are our stable codes too.
const DECLINES: &[(&str, FailureClass)] = &[
    ("insufficient_funds", FailureClass::InsufficientFunds),
    ("do_not_honor", FailureClass::DoNotHonor),
    ("issuer_unavailable", FailureClass::IssuerUnavailable),
    ("stolen_card", FailureClass::Hard),
    ("lost_card", FailureClass::Hard),
    ("expired_card", FailureClass::Hard),
    ("invalid_card", FailureClass::Hard),
    ("authentication_required", FailureClass::AuthenticationRequired),
    ("fraud", FailureClass::SuspectedFraud),
    ("suspected_fraud", FailureClass::SuspectedFraud),
    ("currency_mismatch", FailureClass::CurrencyMismatch),
    ("customer_not_found", FailureClass::CustomerNotFound),
];

/// How this charge stands, once it is sure to be the one that was asked about.
pub(super) fn standing(charge: Charge, attempt: AttemptId) -> Result<ChargeOutcome, Trouble> {
    if !is_of(&charge, attempt) {
        let message = format!("{} is the charge of another attempt", charge.id.as_str());
        return Err(Trouble::unknown("reference_mismatch", message));
    }
    Ok(match charge.status {
        Status::Captured => {
            let captured = captured(&charge)?;
            ChargeOutcome::Approved { reference: charge.id.into_reference(), captured }
        }
        Status::Pending => {
            let action = charge.pix.map_or(Ok(PendingAction::Review), scan)?;
            ChargeOutcome::Pending { reference: charge.id.into_reference(), action }
        }
        Status::Declined => ChargeOutcome::Declined {
            reference: Some(charge.id.into_reference()),
            failure: failure(charge.decline.as_ref()),
        },
        Status::Voided => ChargeOutcome::Voided { reference: charge.id.into_reference() },
    })
}

/// Of several charges under one reference the one that took money counts, then the one that still may.
pub(super) fn standing_among(charges: Vec<Charge>, attempt: AttemptId) -> Result<ChargeOutcome, Trouble> {
    if charges.is_empty() {
        return Ok(ChargeOutcome::Absent);
    }
    let ours = ours(charges, attempt)?;
    if ours.iter().filter(|charge| charge.status == Status::Captured).count() > 1 {
        tracing::error!(%attempt, "the gateway captured more than once for one attempt");
    }
    ours.into_iter().next().map_or_else(|| Err(of_others()), |first| standing(first, attempt))
}

/// The attempt's charges among those that were found, which must be some: what took money first.
pub(super) fn ours(charges: Vec<Charge>, attempt: AttemptId) -> Result<Vec<Charge>, Trouble> {
    let mut ours: Vec<Charge> = charges.into_iter().filter(|charge| is_of(charge, attempt)).collect();
    ours.sort_by_key(|charge| match charge.status {
        Status::Captured => 0,
        Status::Pending => 1,
        Status::Declined | Status::Voided => 2,
    });
    if ours.is_empty() { Err(of_others()) } else { Ok(ours) }
}

fn of_others() -> Trouble {
    Trouble::unknown("reference_mismatch", "the gateway found charges of other attempts only")
}

/// The attempt's id names its invoice, so a charge that names another one contradicts itself.
fn is_of(charge: &Charge, attempt: AttemptId) -> bool {
    charge.reference == attempt.to_string() && charge.invoice_id == attempt.invoice.to_string()
}

/// What was really taken, which need not be what was asked for: that is for the domain to compare.
fn captured(charge: &Charge) -> Result<Money, Trouble> {
    let currency = charge.currency.parse().ok();
    currency
        .and_then(|currency| Money::try_new(charge.captured_minor, currency).ok())
        .filter(|captured| captured.is_positive())
        .ok_or_else(|| Trouble::unknown("contradictory_answer", "captured, but no amount of money"))
}

fn scan(pix: Pix) -> Result<PendingAction, Trouble> {
    let expires_at = Timestamp::from_second(pix.expires_at)
        .map_err(|_| Trouble::unknown("unreadable_answer", "the expiry is no time"))?;
    Ok(PendingAction::Pix { emv: pix.emv, expires_at })
}

fn failure(decline: Option<&Decline>) -> Failure {
    let Some(Decline { code, message }) = decline else {
        return Failure::new(FailureClass::Generic, "declined", "declined without a reason");
    };
    let known = DECLINES.iter().find(|(known, _)| known == code);
    let (code_of_ours, class) = known.copied().unwrap_or(("declined", FailureClass::Generic));
    Failure::new(class, code_of_ours, message).with_raw_code(code)
}
