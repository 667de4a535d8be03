//! Money back at Mercado Pago, whole or in part, card or Pix. It keeps no name of ours for a refund: one that may have
//! been made is known by its charge, its amount and that it is no older than the order.

use super::wire::{Refund, RefundOrder, Refusal};
use super::{IDEMPOTENCY, Id, MercadoPago};
use crate::brazil::{reais, refunds, refused_order};
use crate::trouble::Trouble;
use fatura_domain::gateway::{RefundOutcome, RefundRequest};
use reqwest::StatusCode;

impl MercadoPago {
    pub(super) async fn give_back(&self, request: &RefundRequest) -> Result<RefundOutcome, Trouble> {
        let id = payment_id(request)?;
        let order = RefundOrder { amount: reais::number(request.amount)? };
        let post = self.desk.http.post(self.desk.at(&["v1", "payments", id, "refunds"]));
        let post = post.header(IDEMPOTENCY, request.refund.to_string()).json(&order);
        let answer = self.desk.call(post).await?;
        if answer.status.is_success() {
            return standing(answer.json()?, request);
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
        let id = payment_id(request)?;
        let Some(answer) = self.desk.ask(&["v1", "payments", id, "refunds"]).await? else { return Ok(None) };
        let found: Vec<Refund> = answer.json()?;
        let mut candidates = found.into_iter().filter(|refund| can_be(refund, request));
        match (candidates.next(), candidates.next()) {
            (None, _) => Ok(None),
            (Some(refund), None) => standing(refund, request).map(Some),
            _ => Err(refunds::ambiguous()),
        }
    }
}

fn can_be(refund: &Refund, request: &RefundRequest) -> bool {
    let amount = reais::money(&refund.amount.to_string(), request.amount.currency().code());
    amount == Ok(request.amount) && refunds::can_be(request.refund, refund.date_created.as_deref())
}

fn payment_id(request: &RefundRequest) -> Result<&str, Trouble> {
    Id::of(&request.charge).ok_or_else(|| Trouble::unknown("no_such_id", "is not an id of this gateway"))
}

/// The words are those of payments; K which of them refunds have. Without one it is done: that is how older answers are.
fn standing(refund: Refund, request: &RefundRequest) -> Result<RefundOutcome, Trouble> {
    if refund.payment_id.as_ref().is_some_and(|payment| payment.0 != request.charge.0) {
        return Err(Trouble::unknown("reference_mismatch", "the gateway told of another charge's refund"));
    }
    let amount = reais::money(&refund.amount.to_string(), request.amount.currency().code())?;
    let reference = refund.id.into_reference();
    match refund.status.as_deref() {
        None | Some("approved") => Ok(RefundOutcome::Succeeded { reference, amount }),
        Some("in_process" | "pending" | "authorized") => Ok(RefundOutcome::Pending { reference }),
        Some(word @ ("rejected" | "cancelled")) => Ok(refunds::refused(Some(word))),
        Some(_) => Err(Trouble::unknown("unreadable_answer", "the refund is in a state that we don't know")),
    }
}
