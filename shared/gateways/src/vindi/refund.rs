//! Money back at Vindi: a charge of the bill is refunded (K the path and the search for what was). There is no key for it,
//! so an order that may have arrived is looked for, and sent again only if it surely hasn't.

use super::Vindi;
use super::wire::{Charge, OneBill, OneCharge, RefundOrder, Refusal, Transaction, Transactions, text};
use crate::brazil::{is_plain, reais, refunds, refused_order, succeeded};
use crate::http::within;
use crate::trouble::Trouble;
use fatura_domain::gateway::{GatewayReference, RefundOutcome, RefundRequest};
use reqwest::StatusCode;

impl Vindi {
    pub(super) async fn give_back(&self, request: &RefundRequest) -> Result<RefundOutcome, Trouble> {
        let amount = reais::number(request.amount)?;
        let half = self.desk.total() / 2;
        let Some(charge) = within(half, self.paid_charge(request)).await? else {
            return Ok(refunds::refused(Some("nothing_paid")));
        };
        let charged = charge.amount.as_ref().and_then(|amount| reais::money(&text(amount), "BRL").ok());
        let order = RefundOrder {
            amount,
            // Left open, a bill that was given back wholly would be charged anew.
            cancel_bill: charged == Some(request.amount),
            comments: request.refund.to_string(),
        };
        let post =
            self.desk.http.post(self.desk.at(&["api", "v1", "charges", &charge.id.to_string(), "refund"]));
        let answer = self.desk.call(post.timeout(half).json(&order)).await?;
        if answer.status.is_success() {
            let after = answer.json::<OneCharge>()?.charge;
            let made = after.last_transaction.filter(|_| after.id == charge.id).filter(is_refund);
            let made = made.ok_or_else(|| {
                Trouble::unknown(
                    "contradictory_answer",
                    "refunded, but the charge's last movement is no refund",
                )
            })?;
            return standing(&made);
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
        let Some(charge) = self.paid_charge(request).await? else { return Ok(None) };
        let mut url = self.desk.at(&["api", "v1", "transactions"]);
        url.query_pairs_mut().append_pair("query", &format!("charge_id:{}", charge.id));
        let answer = self.desk.call(self.desk.http.get(url)).await?;
        let found: Transactions = succeeded(&answer)?.json()?;
        let mut candidates = found.transactions.into_iter().filter(|made| can_be(made, charge.id, request));
        match (candidates.next(), candidates.next()) {
            (None, _) => Ok(None),
            (Some(made), None) if is_refund(&made) => standing(&made).map(Some),
            _ => Err(refunds::ambiguous()),
        }
    }

    async fn paid_charge(&self, request: &RefundRequest) -> Result<Option<Charge>, Trouble> {
        let id = request.charge.0.as_str();
        if !is_plain(id) {
            return Err(Trouble::unknown("no_such_id", "is not an id of this gateway"));
        }
        let Some(answer) = self.desk.ask(&["api", "v1", "bills", id]).await? else { return Ok(None) };
        let bill = answer.json::<OneBill>()?.bill;
        Ok(bill.charges.into_iter().find(Charge::took_money))
    }
}

fn is_refund(made: &Transaction) -> bool {
    made.kind.as_deref() == Some("refund")
}

/// What may be it for all that is told. A word that we don't know may be another one for a refund (K that it is this one).
fn can_be(made: &Transaction, charge: u64, request: &RefundRequest) -> bool {
    let is_other =
        matches!(made.kind.as_deref(), Some("charge" | "authorization" | "capture" | "verification"));
    let amount = made.amount.as_ref().and_then(|amount| reais::money(&text(amount), "BRL").ok());
    !is_other
        && made.charge.as_ref().is_none_or(|of| of.id == charge)
        && amount.is_none_or(|amount| amount == request.amount)
        && refunds::can_be(request.refund, made.created_at.as_deref())
}

fn standing(made: &Transaction) -> Result<RefundOutcome, Trouble> {
    let reference = GatewayReference(made.id.to_string());
    match made.status.as_deref() {
        Some("success") => {
            let amount = made.amount.as_ref().map(text).unwrap_or_default();
            Ok(RefundOutcome::Succeeded { reference, amount: reais::money(&amount, "BRL")? })
        }
        Some("waiting" | "processing") => Ok(RefundOutcome::Pending { reference }),
        Some(word @ ("rejected" | "canceled")) => Ok(refunds::refused(Some(word))),
        _ => Err(Trouble::unknown("unreadable_answer", "the refund is in a state that we don't know")),
    }
}
