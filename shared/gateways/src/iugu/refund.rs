//! Money back at Iugu (D): of a card wholly or in part for 180 days, of a Pix only the whole and for 90. No idempotency key
//! is taken, so an order that may have arrived is asked about, and sent again only if it surely hasn't.

use super::Iugu;
use super::wire::{Invoice, PartialRefund, Refusal, Status};
use crate::brazil::{is_plain, reais, refunds, refused_order};
use crate::http::within;
use crate::trouble::Trouble;
use fatura_domain::Timestamp;
use fatura_domain::gateway::{RefundOutcome, RefundRequest};
use reqwest::StatusCode;

const PIX_DAYS: i64 = 90;
const CARD_DAYS: i64 = 180;
const DAY: i64 = 86_400;

impl Iugu {
    pub(super) async fn give_back(&self, request: &RefundRequest) -> Result<RefundOutcome, Trouble> {
        let amount = reais::only_brl(request.amount)?.minor();
        let half = self.desk.total() / 2;
        let Some(invoice) = within(half, self.charged(request)).await? else {
            return Ok(refunds::refused(Some("no_such_invoice")));
        };
        let paid = invoice.paid_cents().unwrap_or_default();
        let is_whole = amount == paid;
        if let Some(reason) = beyond(&invoice, is_whole) {
            return Ok(refunds::refused(Some(reason)));
        }
        let post = self.desk.http.post(self.desk.at(&["v1", "invoices", &request.charge.0, "refund"]));
        let post = post.timeout(half);
        let part = PartialRefund { partial_value_refund_cents: amount };
        let answer = self.desk.call(if is_whole { post } else { post.json(&part) }).await?;
        if answer.status.is_success() {
            return done(&answer.json()?, &invoice, request);
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
        let Some(invoice) = within(self.desk.total(), self.charged(request)).await? else { return Ok(None) };
        let paid = invoice.paid_cents().unwrap_or_default();
        match returned(&invoice) {
            Some(returned) => refunds::by_total(request, paid, returned),
            // A whole refund would show in the status.
            None if request.amount.minor() == paid => Ok(None),
            None => Err(refunds::untold()),
        }
    }

    async fn charged(&self, request: &RefundRequest) -> Result<Option<Invoice>, Trouble> {
        if !is_plain(&request.charge.0) {
            return Err(Trouble::unknown("no_such_id", "is not an id of this gateway"));
        }
        let answer = self.desk.ask(&["v1", "invoices", &request.charge.0]).await?;
        answer.map(|answer| answer.json()).transpose()
    }
}

/// What Iugu would refuse. K: the method is called `iugu_pix`, and so on.
fn beyond(invoice: &Invoice, is_whole: bool) -> Option<&'static str> {
    let is_pix = invoice.payment_method.as_deref().is_some_and(|method| method.contains("pix"));
    if is_pix && !is_whole {
        return Some("pix_refunds_are_whole");
    }
    let days = if is_pix { PIX_DAYS } else { CARD_DAYS };
    let paid_at = invoice.paid_at.as_deref().and_then(|at| at.parse::<Timestamp>().ok())?;
    let is_old = Timestamp::now().as_second() - paid_at.as_second() > days * DAY;
    is_old.then_some("too_old_to_refund")
}

/// None: it isn't said.
fn returned(invoice: &Invoice) -> Option<i64> {
    match (invoice.status, invoice.refunded_cents) {
        (Status::Refunded, _) => invoice.paid_cents(),
        (_, refunded) => refunded,
    }
}

fn done(after: &Invoice, before: &Invoice, request: &RefundRequest) -> Result<RefundOutcome, Trouble> {
    let went_back = returned(after).unwrap_or_default() - returned(before).unwrap_or_default();
    if after.id == request.charge.0 && went_back >= request.amount.minor() {
        return Ok(RefundOutcome::Succeeded { reference: request.charge.clone(), amount: request.amount });
    }
    Err(Trouble::unknown("contradictory_answer", "refunded, but less went back than that"))
}
