//! Money back at the sandbox.

use super::wire::{ChargeId, Refund, RefundOrder, RefundStatus, Refunds, Refusal};
use super::{Sandbox, succeeded};
use crate::trouble::Trouble;
use fatura_domain::charge::{Failure, FailureClass};
use fatura_domain::gateway::{GatewayReference, RefundOutcome, RefundRequest};
use fatura_domain::money::Money;
use reqwest::StatusCode;

impl Sandbox {
    pub(super) async fn give_back(&self, request: &RefundRequest) -> Result<RefundOutcome, Trouble> {
        let charge = ChargeId::from_reference(&request.charge)?;
        let order = self
            .http
            .post(self.base_url.at(&["charges", charge.as_str(), "refunds"]))
            .header("idempotency-key", request.refund.to_string())
            .json(&RefundOrder::from(request));
        let answer = self.call(order).await?;
        if answer.status.is_success() {
            return refund_standing(&answer.json()?, request);
        }
        let code = answer.json::<Refusal>().ok().map(|refusal| refusal.error.code).unwrap_or_default();
        match (answer.status, code.as_str()) {
            // The order was read and refused as it stands: nothing went back, and nothing will.
            (StatusCode::CONFLICT, "not_refundable")
            | (StatusCode::UNPROCESSABLE_ENTITY | StatusCode::NOT_FOUND, _) => {
                let failure =
                    Failure::new(FailureClass::Generic, "refund_refused", "the gateway refused the refund");
                Ok(RefundOutcome::Failed { failure: failure.with_raw_code(&code) })
            }
            (status, _) => Err(Trouble::unknown("unexpected_status", format!("answered {status}"))),
        }
    }

    /// None: the gateway surely has no such refund.
    pub(super) async fn find_refund(
        &self,
        request: &RefundRequest,
    ) -> Result<Option<RefundOutcome>, Trouble> {
        let mut url = self.base_url.at(&["refunds"]);
        url.query_pairs_mut().append_pair("reference", &request.refund.to_string());
        let answer = self.call(self.http.get(url)).await?;
        let found: Refunds = succeeded(&answer)?.json()?;
        found.data.first().map(|refund| refund_standing(refund, request)).transpose()
    }
}

fn refund_standing(refund: &Refund, request: &RefundRequest) -> Result<RefundOutcome, Trouble> {
    if refund.reference != request.refund.to_string() || refund.charge_id.as_str() != request.charge.0 {
        return Err(Trouble::unknown("reference_mismatch", "the gateway told of another refund"));
    }
    let reference = GatewayReference(refund.id.as_str().to_owned());
    Ok(match refund.status {
        RefundStatus::Succeeded => {
            let currency = refund.currency.parse().ok();
            let amount = currency.and_then(|currency| Money::try_new(refund.amount_minor, currency).ok());
            let amount = amount.ok_or_else(|| {
                Trouble::unknown("contradictory_answer", "refunded, but no amount of money")
            })?;
            RefundOutcome::Succeeded { reference, amount }
        }
        RefundStatus::Pending => RefundOutcome::Pending { reference },
        RefundStatus::Failed => RefundOutcome::Failed {
            failure: Failure::new(
                FailureClass::Generic,
                "refund_failed",
                "the gateway could not give the money back",
            ),
        },
    })
}
