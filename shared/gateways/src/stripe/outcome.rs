//! How a charge stands, from what Stripe says of a `PaymentIntent`.

use super::amount::{positive, to_stripe};
use super::declines::{EXPIRED, failure};
use super::wire::{Intent, NextAction, Refusal, RefusalReason, Status};
use crate::http::Answer;
use crate::trouble::Trouble;
use fatura_domain::Timestamp;
use fatura_domain::charge::{Failure, FailureClass};
use fatura_domain::gateway::{ChargeOutcome, ChargeRequest, PendingAction};
use fatura_domain::id::AttemptId;
use reqwest::StatusCode;
use serde::Deserialize as _;

/// How this charge stands, once it is sure to be the one that was asked about.
pub(super) fn standing(intent: &Intent, attempt: AttemptId) -> Result<ChargeOutcome, Trouble> {
    if !is_of(intent, attempt) {
        let message = format!("{} is the charge of another attempt", intent.id.as_str());
        return Err(Trouble::unknown("reference_mismatch", message));
    }
    let reference = intent.id.to_reference();
    match intent.status {
        // What was really taken, which need not be what was asked for: that is for the domain to compare.
        Status::Succeeded => positive(intent.amount_received, &intent.currency)
            .map(|captured| ChargeOutcome::Approved { reference, captured })
            .ok_or_else(|| Trouble::unknown("contradictory_answer", "captured, but no amount of money")),
        Status::Processing => Ok(ChargeOutcome::Pending { reference, action: PendingAction::Review }),
        Status::RequiresAction => {
            let action = action(intent.next_action.as_ref())?;
            Ok(ChargeOutcome::Pending { reference, action })
        }
        Status::Canceled => Ok(ChargeOutcome::Voided { reference }),
        Status::RequiresPaymentMethod => match &intent.last_payment_error {
            // Nobody scanned the code in time. The intent can't be paid any more: its confirmation was ours to give.
            Some(blame) if blame.code.as_deref() == Some(EXPIRED) => Ok(ChargeOutcome::Voided { reference }),
            Some(blame) => Ok(ChargeOutcome::Declined {
                reference: Some(reference),
                failure: failure(blame, intent.is_blocked()),
            }),
            // It has not been tried yet, as between its making and its confirmation: our order may be under way.
            None => Err(unexpected(intent.status)),
        },
        // We confirm at once and capture at once, so neither lasts; a person looks at what stays there.
        Status::RequiresConfirmation | Status::RequiresCapture => Err(unexpected(intent.status)),
    }
}

fn unexpected(status: Status) -> Trouble {
    Trouble::unknown("unexpected_state", format!("the payment is {status:?}"))
}

/// Of several charges under one reference the one that took money counts, then the one that still may.
pub(super) fn standing_among(intents: &[Intent], attempt: AttemptId) -> Result<ChargeOutcome, Trouble> {
    match ours(intents, attempt)? {
        Some(first) => standing(first, attempt),
        None => Ok(ChargeOutcome::Absent),
    }
}

/// The attempt's charge among those that were found. None if none were; it is an error if all are others'.
pub(super) fn ours(intents: &[Intent], attempt: AttemptId) -> Result<Option<&Intent>, Trouble> {
    let mut ours: Vec<&Intent> = intents.iter().filter(|intent| is_of(intent, attempt)).collect();
    if ours.is_empty() && !intents.is_empty() {
        let message = "the gateway found charges of other attempts only";
        return Err(Trouble::unknown("reference_mismatch", message));
    }
    if ours.iter().filter(|intent| intent.status == Status::Succeeded).count() > 1 {
        tracing::error!(%attempt, "the gateway captured more than once for one attempt");
    }
    ours.sort_by_key(|intent| match intent.status {
        Status::Succeeded => 0,
        Status::RequiresPaymentMethod if intent.last_payment_error.is_some() => 2,
        Status::Canceled => 2,
        _ => 1,
    });
    Ok(ours.into_iter().next())
}

/// The attempt's id names its invoice, so a charge that names another one contradicts itself.
pub(super) fn is_of(intent: &Intent, attempt: AttemptId) -> bool {
    intent.metadata.get("attempt") == Some(&attempt.to_string())
        && intent.metadata.get("invoice") == Some(&attempt.invoice.to_string())
}

fn action(next: Option<&NextAction>) -> Result<PendingAction, Trouble> {
    if let Some(pix) = next.and_then(|next| next.pix_display_qr_code.as_ref()) {
        let expires_at = Timestamp::from_second(pix.expires_at)
            .map_err(|_| Trouble::unknown("unreadable_answer", "the expiry is no time"))?;
        return Ok(PendingAction::Pix { emv: pix.data.clone(), expires_at });
    }
    let url = next.and_then(|next| next.redirect_to_url.as_ref()).and_then(|redirect| redirect.url.clone());
    Ok(PendingAction::RequiresAction { url })
}

/// What came of an order, from its answer.
pub(super) fn of_order(answer: &Answer, request: &ChargeRequest) -> Result<ChargeOutcome, Trouble> {
    if answer.status.is_success() {
        return answered(&answer.json()?, request);
    }
    let Refusal { error } = answer.json().unwrap_or_else(|_| Refusal { error: RefusalReason::default() });
    if !error.payment_intent.is_null() {
        let intent = Intent::deserialize(&error.payment_intent)
            .map_err(|_| Trouble::unknown("unreadable_answer", "the refused payment cannot be read"))?;
        let may_take_money = matches!(
            intent.status,
            Status::Succeeded | Status::Processing | Status::RequiresAction | Status::RequiresCapture
        );
        // Believing one of two contradicting words could charge twice.
        if may_take_money {
            let message = format!("answered {}, with a payment that is {:?}", answer.status, intent.status);
            return Err(Trouble::unknown("contradictory_answer", message));
        }
        if answer.status == StatusCode::PAYMENT_REQUIRED {
            return answered(&intent, request);
        }
    }
    refused(answer.status, error)
}

/// An intent that answers an order must be of its amount, whatever became of it.
fn answered(intent: &Intent, request: &ChargeRequest) -> Result<ChargeOutcome, Trouble> {
    let outcome = standing(intent, request.attempt)?;
    let is_ordered = intent.amount == to_stripe(request.amount)?
        && intent.currency.eq_ignore_ascii_case(request.amount.currency().code());
    if !is_ordered {
        return Err(Trouble::unknown("amount_mismatch", "the payment is of another amount than was ordered"));
    }
    match outcome {
        // Not our money to name: whoever looks the charge up is told what was taken.
        ChargeOutcome::Approved { captured, .. } if captured != request.amount => {
            Err(Trouble::unknown("amount_mismatch", "another amount was taken than was ordered"))
        }
        outcome => Ok(outcome),
    }
}

/// A definite no to the order itself, but for those that may be an answer to another order under the same key. A 429 doesn't
/// come this far: `http` takes it for not sent, also with the code `lock_timeout`. That Stripe has then confirmed nothing is
/// from memory.
fn refused(status: StatusCode, error: RefusalReason) -> Result<ChargeOutcome, Trouble> {
    let raw_code = error.raw_code();
    match (status, error.kind.as_deref().unwrap_or_default()) {
        // What was first sent under this key differs, or is still under way; either may have charged.
        (StatusCode::CONFLICT, _) | (_, "idempotency_error") => {
            Err(Trouble::unknown("key_reused", "another order was sent under this idempotency key"))
        }
        (StatusCode::PAYMENT_REQUIRED, "card_error") => {
            Ok(ChargeOutcome::Declined { reference: None, failure: failure(&error.into_blame(), false) })
        }
        // Neither a refusal nor a decline: something failed halfway (424 is a dependency of Stripe's).
        (StatusCode::PAYMENT_REQUIRED | StatusCode::FAILED_DEPENDENCY, _) | (_, "api_error") => {
            Err(Trouble::unknown("unexpected_status", format!("answered {status}")))
        }
        (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => {
            Err(Trouble::refused("unauthorized", "the gateway does not accept our API key", raw_code))
        }
        _ if is_missing_payer(&error) => {
            let message = "the gateway does not know the customer or the payment method";
            let failure = Failure::new(FailureClass::CustomerNotFound, "customer_not_found", message);
            let failure = failure.with_raw_code(raw_code.as_deref().unwrap_or_default());
            Ok(ChargeOutcome::Declined { reference: None, failure })
        }
        (status, _) => Err(Trouble::refused(
            "order_refused",
            format!("the gateway refused the order: {status}"),
            raw_code,
        )),
    }
}

/// Not a fault of the card: with a key of the wrong account every customer is missing.
fn is_missing_payer(error: &RefusalReason) -> bool {
    error.code.as_deref() == Some("resource_missing")
        && matches!(error.param.as_deref(), Some("customer" | "payment_method"))
}
