//! What Adyen's answer to an order means.

use super::declines;
use super::wire::{PaymentResponse, ResultCode, ServiceError};
use crate::brazil::pix;
use crate::http::Answer;
use crate::trouble::Trouble;
use fatura_domain::gateway::{ChargeOutcome, ChargeRequest, GatewayReference, PendingAction};
use fatura_domain::money::Money;
use reqwest::StatusCode;

/// D: the same key is in use just now, so the first order may be charging.
const IN_PROGRESS: &str = "704";

pub(super) fn of_order(answer: &Answer, request: &ChargeRequest) -> Result<ChargeOutcome, Trouble> {
    if answer.status.is_success() {
        return standing(&answer.json()?, request);
    }
    // Of a no that can't be read, the status alone counts.
    let error: ServiceError = answer.json().unwrap_or_default();
    match declines::of_error(&error) {
        Some(failure) if answer.status == StatusCode::UNPROCESSABLE_ENTITY => {
            Ok(ChargeOutcome::Declined { reference: None, failure })
        }
        _ => Err(refused(answer.status, error)),
    }
}

/// A no to the order itself.
pub(super) fn refused(status: StatusCode, error: ServiceError) -> Trouble {
    match (status, error.error_code.as_deref(), error.error_type.as_deref()) {
        (StatusCode::CONFLICT, ..) | (_, Some(IN_PROGRESS), _) => {
            Trouble::unknown("key_reused", "the gateway has seen this order before")
        }
        (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, ..) => {
            let message = "the gateway does not accept our API key";
            Trouble::refused("unauthorized", message, error.error_code)
        }
        // Adyen's own fault, and nobody says how far it had come.
        (_, _, Some("internal")) => Trouble::unknown("gateway_error", format!("answered {status}")),
        _ => {
            let message = format!("the gateway refused the order: {status}");
            Trouble::refused("order_refused", message, error.error_code)
        }
    }
}

fn standing(response: &PaymentResponse, request: &ChargeRequest) -> Result<ChargeOutcome, Trouble> {
    let ours = request.attempt.to_string();
    if response.merchant_reference.as_ref().is_some_and(|told| *told != ours) {
        return Err(Trouble::unknown("reference_mismatch", "the gateway told of another charge"));
    }
    let reference = response.psp_reference.as_ref().map(super::wire::Id::to_reference);
    let needed = || {
        let why =
            || Trouble::unknown("unreadable_answer", "the gateway does not say what it calls the charge");
        reference.clone().ok_or_else(why)
    };
    match response.result_code {
        ResultCode::Authorised => approved(needed()?, told_amount(response)?.unwrap_or(request.amount)),
        ResultCode::PartiallyAuthorised => match told_amount(response)? {
            Some(part) => approved(needed()?, part),
            None => Err(Trouble::unknown("unreadable_answer", "a part was authorised, and not told which")),
        },
        // Final, all three of them (D): `Error` is one in processing the payment, not one of the API.
        ResultCode::Refused | ResultCode::Error | ResultCode::Cancelled => {
            Ok(ChargeOutcome::Declined { reference, failure: declines::refused(response) })
        }
        _ => Ok(ChargeOutcome::Pending { reference: needed()?, action: action(response)? }),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "an arm among those that can fail")]
const fn approved(reference: GatewayReference, captured: Money) -> Result<ChargeOutcome, Trouble> {
    Ok(ChargeOutcome::Approved { reference, captured })
}

/// None: it doesn't say, and means all of it.
fn told_amount(response: &PaymentResponse) -> Result<Option<Money>, Trouble> {
    let Some(amount) = &response.amount else { return Ok(None) };
    let money = amount.money();
    money.map(Some).ok_or_else(|| Trouble::unknown("contradictory_answer", "charged, but no amount of money"))
}

fn action(response: &PaymentResponse) -> Result<PendingAction, Trouble> {
    let Some(action) = &response.action else { return Ok(PendingAction::Review) };
    match (&action.qr_code_data, &action.url) {
        (Some(emv), _) => {
            // D for the first; the documents' example of Pix has the second.
            let expiry = action.expires_at.as_ref().or(response.additional_data.pix_expiry.as_ref());
            pix::scan(emv, expiry.map_or("", String::as_str))
        }
        (None, url) => Ok(PendingAction::RequiresAction { url: url.clone() }),
    }
}
