//! Money back at Stripe.

use super::amount::positive;
use super::wire::{Id, Page, Refund, Refusal, RefusalReason};
use super::{Stripe, succeeded};
use crate::form::Form;
use crate::trouble::Trouble;
use fatura_domain::charge::{Failure, FailureClass};
use fatura_domain::gateway::{RefundOutcome, RefundRequest};
use reqwest::StatusCode;

const PAGE: u8 = 100;
/// A thousand refunds of one charge.
const MAX_PAGES: usize = 10;

impl Stripe {
    pub(super) async fn give_back(&self, request: &RefundRequest) -> Result<RefundOutcome, Trouble> {
        let charge = Id::parse(&request.charge.0, "pi_")?;
        let form = Form::new()
            .with("payment_intent", charge.as_str())
            .with("amount", &super::to_stripe(request.amount)?)
            .nested("metadata", "refund", &request.refund);
        let answer = self.post(&["refunds"], &form, Some(&request.refund.to_string())).await?;
        if answer.status.is_success() {
            return refund_standing(&answer.json()?, request);
        }
        let RefusalReason { kind, code, .. } =
            answer.json::<Refusal>().map(|refusal| refusal.error).unwrap_or_default();
        let code = code.or_else(|| kind.clone()).unwrap_or_default();
        match (answer.status, kind.as_deref(), code.as_str()) {
            // The account has too little just now, which passes.
            (_, _, "balance_insufficient") => Err(Trouble::unknown(
                "balance_insufficient",
                "the account's balance is too low for the refund",
            )),
            (StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND, Some("invalid_request_error"), _) => {
                // Refused because it was given already, perhaps by this very order under a key that has ended.
                if let Some(given) = self.find_refund(request).await? {
                    return Ok(given);
                }
                let failure =
                    Failure::new(FailureClass::Generic, "refund_refused", "the gateway refused the refund");
                Ok(RefundOutcome::Failed { failure: failure.with_raw_code(&code) })
            }
            (status, ..) => Err(Trouble::unknown("unexpected_status", format!("answered {status}"))),
        }
    }

    /// None: the gateway surely has no such refund. A list, so it doesn't lag.
    pub(super) async fn find_refund(
        &self,
        request: &RefundRequest,
    ) -> Result<Option<RefundOutcome>, Trouble> {
        let charge = Id::parse(&request.charge.0, "pi_")?;
        let query = Form::new().with("payment_intent", charge.as_str()).with("limit", &PAGE);
        let ours = request.refund.to_string();
        let mut after: Option<Id> = None;
        for _ in 0..MAX_PAGES {
            let query = match &after {
                Some(id) => query.clone().with("starting_after", id.as_str()),
                None => query.clone(),
            };
            let answer = self.get(&["refunds"], &query).await?;
            let page: Page<Refund> = succeeded(&answer)?.json()?;
            if let Some(refund) = page.data.iter().find(|refund| refund.metadata.get("refund") == Some(&ours))
            {
                return refund_standing(refund, request).map(Some);
            }
            if !page.has_more {
                return Ok(None);
            }
            after = page.data.last().map(|refund| refund.id.clone());
        }
        Err(Trouble::unknown("too_many_refunds", "there are too many refunds to look through"))
    }
}

fn refund_standing(refund: &Refund, request: &RefundRequest) -> Result<RefundOutcome, Trouble> {
    let is_ours = refund.metadata.get("refund") == Some(&request.refund.to_string())
        && refund.payment_intent.as_deref() == Some(request.charge.0.as_str());
    if !is_ours {
        return Err(Trouble::unknown("reference_mismatch", "the gateway told of another refund"));
    }
    let reference = refund.id.to_reference();
    match refund.status.as_str() {
        "succeeded" => positive(refund.amount, &refund.currency)
            .map(|amount| RefundOutcome::Succeeded { reference, amount })
            .ok_or_else(|| Trouble::unknown("contradictory_answer", "refunded, but no amount of money")),
        // `requires_action`: Stripe waits for the customer's account number, which it asks for itself.
        "pending" | "requires_action" => Ok(RefundOutcome::Pending { reference }),
        "failed" | "canceled" => {
            let message = "the gateway could not give the money back";
            let failure = Failure::new(FailureClass::Generic, "refund_failed", message);
            let raw_code = refund.failure_reason.as_deref().unwrap_or(&refund.status);
            Ok(RefundOutcome::Failed { failure: failure.with_raw_code(raw_code) })
        }
        _ => Err(Trouble::unknown("unreadable_answer", "the refund's status is none that we know")),
    }
}
