//! Money back at PagBank: a charge is cancelled, wholly or by an amount. It tells only how much went back in all.

use super::outcome::rank;
use super::wire::{Cancel, CancelAmount, Charge, Refusal};
use super::{IDEMPOTENCY, PagBank};
use crate::brazil::{reais, refunds, refused_order};
use crate::http::within;
use crate::trouble::Trouble;
use fatura_domain::gateway::{RefundOutcome, RefundRequest};
use reqwest::StatusCode;

impl PagBank {
    pub(super) async fn give_back(&self, request: &RefundRequest) -> Result<RefundOutcome, Trouble> {
        let value = reais::only_brl(request.amount)?.minor();
        let charge = within(self.desk.total() / 2, self.charge_of(&request.charge)).await?;
        let Some(charge) = charge else { return Ok(refunds::refused(Some("no_such_charge"))) };
        // The same call would void one that still waits.
        if rank(&charge) != 0 {
            return Ok(refunds::refused(Some("nothing_paid")));
        }
        let post = self.desk.http.post(self.desk.at(&["charges", &charge.id, "cancel"]));
        let post = post.timeout(self.desk.total() / 2).header(IDEMPOTENCY, request.refund.to_string());
        let answer = self.desk.call(post.json(&Cancel { amount: CancelAmount { value } })).await?;
        if answer.status.is_success() {
            let after: Charge = answer.json()?;
            if after.id != charge.id || after.returned() - charge.returned() < value {
                return Err(Trouble::unknown(
                    "contradictory_answer",
                    "cancelled, but less went back than that",
                ));
            }
            return Ok(RefundOutcome::Succeeded {
                reference: request.charge.clone(),
                amount: request.amount,
            });
        }
        let code = answer.json::<Refusal>().ok().and_then(Refusal::code);
        match answer.status {
            StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY => {
                Ok(refunds::refused(code.as_deref()))
            }
            status => Err(refused_order(status, code)),
        }
    }

    /// None: the gateway surely has no such refund.
    pub(super) async fn find_refund(
        &self,
        request: &RefundRequest,
    ) -> Result<Option<RefundOutcome>, Trouble> {
        let charge = within(self.desk.total(), self.charge_of(&request.charge)).await?;
        let Some(charge) = charge else { return Ok(None) };
        let summary = charge.amount.summary.ok_or_else(refunds::untold)?;
        refunds::by_total(request, summary.paid, summary.refunded)
    }
}
