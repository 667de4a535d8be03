//! Money back, and charges taken back. Both are only `received` here: a webhook tells what became of them.

use super::wire::{Amount, Id, Modification, Modified, ServiceError};
use super::{Adyen, Told, outcome};
use crate::http::Answer;
use crate::trouble::Trouble;
use fatura_application::ports::ChargeLookup;
use fatura_domain::charge::{Failure, FailureClass};
use fatura_domain::gateway::{ChargeOutcome, RefundOutcome, RefundRequest};
use reqwest::StatusCode;

/// K: "Original pspReference required for this operation", "not allowed on this payment", "unsupported" and the like; read
/// as refusals for good only with these statuses.
const REFUSALS: [StatusCode; 2] = [StatusCode::UNPROCESSABLE_ENTITY, StatusCode::BAD_REQUEST];

impl Adyen {
    pub(super) async fn give_back(&self, request: &RefundRequest) -> Result<RefundOutcome, Trouble> {
        let told = self.told_merchant().await?;
        let charge = payment(&request.charge.0)?;
        let order = Modification {
            merchant_account: &told.merchant_account,
            reference: request.refund.to_string(),
            amount: Some(Amount::of(request.amount)?),
        };
        let path = ["payments", charge.as_str(), "refunds"];
        let answer = self.post(&told, &path, &order, Some(&request.refund.to_string())).await?;
        if answer.status.is_success() {
            let modified = received(&answer, &told, &charge, &request.refund.to_string())?;
            if modified.amount.is_some_and(|told| told.money() != Some(request.amount)) {
                return Err(Trouble::unknown("amount_mismatch", "the gateway told of another amount"));
            }
            return Ok(RefundOutcome::Pending { reference: modified.psp_reference.to_reference() });
        }
        let error: ServiceError = answer.json().unwrap_or_default();
        let is_refusal =
            REFUSALS.contains(&answer.status) && error.error_type.as_deref() == Some("validation");
        let code = error.error_code.clone();
        match outcome::refused(answer.status, error) {
            trouble @ Trouble::Unknown(_) => Err(trouble),
            _ if is_refusal => {
                let message = "the gateway refused the refund";
                let failure = Failure::new(FailureClass::Generic, "refund_refused", message);
                Ok(RefundOutcome::Failed { failure: failure.with_raw_code(&code.unwrap_or_default()) })
            }
            trouble => Err(trouble),
        }
    }

    /// Whether it was in time is told by a webhook. What has been captured isn't given back by this.
    pub(super) async fn void(&self, lookup: &ChargeLookup) -> Result<ChargeOutcome, Trouble> {
        let Some(reference) = &lookup.reference else { return Err(super::cannot_be_asked()) };
        let told = self.told_merchant().await?;
        let charge = payment(&reference.0)?;
        let (key, ours) = (format!("cancel-{}", lookup.attempt), lookup.attempt.to_string());
        let merchant_account = &told.merchant_account;
        let order = Modification { merchant_account, reference: ours.clone(), amount: None };
        let path = ["payments", charge.as_str(), "cancels"];
        let answer = self.post(&told, &path, &order, Some(&key)).await?;
        if !answer.status.is_success() {
            return Err(outcome::refused(answer.status, answer.json().unwrap_or_default()));
        }
        received(&answer, &told, &charge, &ours)?;
        Err(Trouble::unknown("cancel_received", "the gateway tells by webhook whether it was in time"))
    }
}

fn received(answer: &Answer, told: &Told, charge: &Id, ours: &str) -> Result<Modified, Trouble> {
    let modified: Modified = answer.json()?;
    let is_ours = modified.payment_psp_reference == *charge
        && modified.merchant_account == told.merchant_account
        && modified.reference.as_deref().is_none_or(|told| told == ours);
    if !is_ours {
        return Err(Trouble::unknown("reference_mismatch", "the gateway told of another order"));
    }
    if modified.status != "received" {
        return Err(Trouble::unknown("unreadable_answer", "the order's status is none that we know"));
    }
    Ok(modified)
}

fn payment(reference: &str) -> Result<Id, Trouble> {
    Id::parse(reference).ok_or_else(|| Trouble::unknown("no_such_id", "is not an id of this gateway"))
}
