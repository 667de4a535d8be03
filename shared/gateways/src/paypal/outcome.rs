//! How a charge stands, from what PayPal says of an order and its capture. The capture's word counts: an order is COMPLETED
//! when all was done that could be done, also when the card was declined.

use super::amount::{Amount, positive, to_paypal};
use super::declines::{is_seen_before, of_issues, of_processor};
use super::id::order_reference;
use super::wire::{Capture, Order, Refusal, Unit};
use crate::http::Answer;
use crate::trouble::Trouble;
use fatura_domain::charge::{Failure, FailureClass};
use fatura_domain::gateway::{ChargeOutcome, ChargeRequest, PendingAction};
use fatura_domain::id::AttemptId;
use reqwest::StatusCode;

/// What came of an order that was just sent. Another amount that was captured is passed on, so that it is seen: without
/// PayPal's id nobody could ask again.
pub(super) fn of_order_sent(order: &Order, request: &ChargeRequest) -> Result<ChargeOutcome, Trouble> {
    let outcome = of_order(order, request.attempt)?;
    let ordered = to_paypal(request.amount)?;
    let is_ordered = |amount: &Amount| positive(amount) == positive(&ordered);
    let is_told_as_ordered = order.purchase_units.iter().all(|unit| {
        unit.amount.as_ref().is_none_or(is_ordered)
            && unit.payments.captures.iter().all(|capture| is_ordered(&capture.amount))
    });
    if is_told_as_ordered || matches!(outcome, ChargeOutcome::Approved { .. }) {
        return Ok(outcome);
    }
    Err(Trouble::unknown("amount_mismatch", "the order is of another amount than was ordered"))
}

/// How this order stands, once it is sure to be the one that was asked about.
pub(super) fn of_order(order: &Order, attempt: AttemptId) -> Result<ChargeOutcome, Trouble> {
    let [unit] = order.purchase_units.as_slice() else {
        return Err(Trouble::unknown("contradictory_answer", "an order of ours has one unit"));
    };
    if let Some(capture) = counting(unit, attempt) {
        return of_capture(capture, unit.custom_id.as_deref(), attempt);
    }
    if unit.custom_id.as_deref() != Some(attempt.to_string().as_str()) {
        return Err(of_another());
    }
    let reference = order_reference(&order.id);
    match order.status.as_str() {
        // The issuer wants to see its cardholder, which a charge on our own account can't offer.
        "PAYER_ACTION_REQUIRED" => {
            let url = order.links.iter().find(|link| link.rel == "payer-action");
            let action = PendingAction::RequiresAction { url: url.map(|link| link.href.clone()) };
            Ok(ChargeOutcome::Pending { reference, action })
        }
        "VOIDED" => Ok(ChargeOutcome::Voided { reference }),
        // Not what one call that makes and captures leaves behind. It may be on its way, and its id must not be lost.
        "CREATED" | "SAVED" | "APPROVED" => {
            Ok(ChargeOutcome::Pending { reference, action: PendingAction::Review })
        }
        "COMPLETED" => Err(Trouble::unknown("contradictory_answer", "completed, but nothing is captured")),
        _ => Err(unknown_state()),
    }
}

/// Of several captures in an order the one that took money counts, then the one that still may.
fn counting(unit: &Unit, attempt: AttemptId) -> Option<&Capture> {
    let captures = &unit.payments.captures;
    if captures.iter().filter(|capture| rank(capture) == 0).count() > 1 {
        tracing::error!(%attempt, "the gateway captured more than once for one attempt");
    }
    captures.iter().min_by_key(|capture| rank(capture))
}

fn rank(capture: &Capture) -> u8 {
    match capture.status.as_str() {
        "COMPLETED" | "PARTIALLY_REFUNDED" | "REFUNDED" => 0,
        "DECLINED" | "FAILED" => 2,
        _ => 1,
    }
}

/// How this capture stands. `unit` is what its order calls it, if that is told: the capture itself may leave it out.
pub(super) fn of_capture(
    capture: &Capture,
    unit: Option<&str>,
    attempt: AttemptId,
) -> Result<ChargeOutcome, Trouble> {
    let ours = attempt.to_string();
    let told = [capture.custom_id.as_deref(), unit];
    if told == [None, None] || told.into_iter().flatten().any(|told| told != ours) {
        return Err(of_another());
    }
    let reference = capture.id.to_reference();
    match capture.status.as_str() {
        // What was given back since is told elsewhere: the money was taken.
        "COMPLETED" | "PARTIALLY_REFUNDED" | "REFUNDED" => positive(&capture.amount)
            .map(|captured| ChargeOutcome::Approved { reference, captured })
            .ok_or_else(|| Trouble::unknown("contradictory_answer", "captured, but no amount of money")),
        "PENDING" => Ok(ChargeOutcome::Pending { reference, action: PendingAction::Review }),
        "DECLINED" | "FAILED" => {
            let response = &capture.processor_response;
            let failure =
                of_processor(response.response_code.as_deref(), response.payment_advice_code.as_deref());
            Ok(ChargeOutcome::Declined { reference: Some(reference), failure })
        }
        _ => Err(unknown_state()),
    }
}

fn of_another() -> Trouble {
    Trouble::unknown("reference_mismatch", "the gateway told of the charge of another attempt")
}

fn unknown_state() -> Trouble {
    Trouble::unknown("unreadable_answer", "the charge is in a state that we don't know")
}

/// A definite no to the order itself, but for those that may be about an earlier one under the same key.
pub(super) fn refused(answer: &Answer) -> Result<ChargeOutcome, Trouble> {
    let (status, refusal) = (answer.status, Refusal::of(answer));
    if status == StatusCode::CONFLICT || is_seen_before(refusal.words()) {
        return Err(Trouble::unknown("key_reused", "the gateway has seen this order before"));
    }
    let declined = |failure| Ok(ChargeOutcome::Declined { reference: None, failure });
    if status == StatusCode::UNPROCESSABLE_ENTITY
        && let Some(failure) = of_issues(refusal.words())
    {
        return declined(failure);
    }
    let raw_code = refusal.raw_code();
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            let message = "the gateway does not accept our credentials, or not for this";
            Err(Trouble::refused("unauthorized", message, raw_code))
        }
        // Of all that an order names only the card can be missing (from memory). A wrong address isn't told in PayPal's
        // words.
        StatusCode::NOT_FOUND if refusal.words().any(|word| word == "RESOURCE_NOT_FOUND") => {
            let message = "the gateway has no such card";
            let failure = Failure::new(FailureClass::CustomerNotFound, "customer_not_found", message);
            declined(failure.with_raw_code(&raw_code.unwrap_or_default()))
        }
        status => Err(Trouble::refused(
            "order_refused",
            format!("the gateway refused the order: {status}"),
            raw_code,
        )),
    }
}
