//! Money back at PayPal. A capture doesn't list its refunds; its order does.

use super::amount::{positive, to_paypal};
use super::id::{Id, Named};
use super::wire::{Capture, NewRefund, Refund, Refusal, up};
use super::{PayPal, declines};
use crate::trouble::Trouble;
use fatura_domain::charge::{Failure, FailureClass};
use fatura_domain::gateway::{RefundOutcome, RefundRequest};
use reqwest::StatusCode;

/// What passes: the account has too little just now, or the capture isn't settled yet.
const PASSING: &[&str] =
    &["REFUND_FAILED_INSUFFICIENT_FUNDS", "REFUND_FUNDS_NOT_AVAILABLE", "PENDING_CAPTURE"];

impl PayPal {
    pub(super) async fn give_back(&self, request: &RefundRequest) -> Result<RefundOutcome, Trouble> {
        let capture = Named::capture(&request.charge)?;
        let order = NewRefund { amount: to_paypal(request.amount)?, custom_id: request.refund.to_string() };
        let path = ["v2", "payments", "captures", capture.as_str(), "refund"];
        let answer = self.post(&path, &order, &request.refund.to_string()).await?;
        if answer.status.is_success() {
            return standing(&answer.json()?, request);
        }
        let refusal = Refusal::of(&answer);
        if refusal.words().any(|word| PASSING.contains(&word)) {
            let message = "the refund is not possible just now";
            return Err(Trouble::refused("refund_not_now", message, refusal.raw_code()));
        }
        let is_about_it = matches!(
            answer.status,
            StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY
        );
        if !is_about_it || declines::is_seen_before(refusal.words()) {
            let message = format!("answered {}", answer.status);
            return Err(Trouble::refused("unexpected_status", message, refusal.raw_code()));
        }
        // Refused because it was given already, perhaps by this very order under a key that has ended.
        if let Some(given) = self.find_refund(request).await? {
            return Ok(given);
        }
        Ok(failed("refund_refused", "the gateway refused the refund", refusal.raw_code().as_deref()))
    }

    /// None: the gateway surely has no such refund.
    pub(super) async fn find_refund(
        &self,
        request: &RefundRequest,
    ) -> Result<Option<RefundOutcome>, Trouble> {
        let id = Named::capture(&request.charge)?;
        let gone = |what| Trouble::unknown("no_such_charge", format!("the gateway doesn't find the {what}"));
        let capture = self.capture(&id).await?.ok_or_else(|| gone("capture"))?;
        let order = order_of(&capture).ok_or_else(|| gone("capture's order"))?;
        let order = self.made_order(&order).await?.ok_or_else(|| gone("order"))?;
        let refunds: Vec<Refund> =
            order.purchase_units.into_iter().flat_map(|unit| unit.payments.refunds).collect();
        let ours = request.refund.to_string();
        if let Some(refund) = refunds.iter().find(|refund| refund.custom_id.as_deref() == Some(&ours)) {
            return standing(refund, request).map(Some);
        }
        // One of this amount without a name may be it: each guess costs somebody the amount.
        let can_be = |refund: &Refund| {
            refund.custom_id.is_none()
                && refund.amount.as_ref().is_none_or(|amount| positive(amount) == Some(request.amount))
        };
        if refunds.iter().any(can_be) { Err(crate::brazil::refunds::ambiguous()) } else { Ok(None) }
    }
}

/// By either word that PayPal has for it; which captures carry which is from memory.
fn order_of(capture: &Capture) -> Option<Id> {
    capture.supplementary_data.related_ids.order_id.clone().or_else(|| up(&capture.links, "orders"))
}

fn standing(refund: &Refund, request: &RefundRequest) -> Result<RefundOutcome, Trouble> {
    let ours = request.refund.to_string();
    let is_ours = refund.custom_id.as_ref().is_none_or(|told| *told == ours)
        && up(&refund.links, "captures").is_none_or(|capture| capture.as_str() == request.charge.0);
    if !is_ours {
        return Err(Trouble::unknown("reference_mismatch", "the gateway told of another refund"));
    }
    let reference = refund.id.to_reference();
    match refund.status.as_str() {
        "COMPLETED" => refund
            .amount
            .as_ref()
            .and_then(positive)
            .map(|amount| RefundOutcome::Succeeded { reference, amount })
            .ok_or_else(|| Trouble::unknown("contradictory_answer", "refunded, but no amount of money")),
        "PENDING" => Ok(RefundOutcome::Pending { reference }),
        word @ ("FAILED" | "CANCELLED") => {
            Ok(failed("refund_failed", "the gateway could not give the money back", Some(word)))
        }
        _ => Err(Trouble::unknown("unreadable_answer", "the refund's status is none that we know")),
    }
}

fn failed(code: &'static str, message: &str, raw_code: Option<&str>) -> RefundOutcome {
    let failure = Failure::new(FailureClass::Generic, code, message);
    RefundOutcome::Failed { failure: raw_code.map_or(failure.clone(), |raw| failure.with_raw_code(raw)) }
}
