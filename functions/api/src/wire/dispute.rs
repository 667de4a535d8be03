use super::common::{Instant, MoneyBody};
use super::fields::Fields;
use super::values::{one_of, text};
use crate::problem::Problem;
use fatura_application::Contest;
use fatura_domain::dispute::{ContestReason, Dispute, DisputeState, Origin};
use fatura_domain::id::InvoiceId;
use fatura_domain::text::Text;
use serde::Serialize;

pub(crate) fn read_contest(invoice: InvoiceId, mut fields: Fields) -> Result<Contest, Problem> {
    let reasons = ContestReason::ALL.into_iter().map(|reason| (reason.as_str(), reason));
    let reason = fields.required("reason", one_of(reasons));
    let note = fields.optional("note", text(Text::parse));
    fields.finish(|| Some(Contest { invoice, reason: reason?, note }))
}

#[derive(Debug, Serialize)]
pub(crate) struct DisputeBody<'a> {
    id: String,
    invoice_id: String,
    amount: MoneyBody,
    status: &'static str,
    opened_by: &'static str,
    reason: Option<&'static str>,
    note: Option<&'a str>,
    gateway: &'a str,
    gateway_reference: Option<&'a str>,
    transaction_id: Option<String>,
    created_at: Instant,
    updated_at: Instant,
}

impl<'a> From<&'a Dispute> for DisputeBody<'a> {
    fn from(dispute: &'a Dispute) -> Self {
        let (opened_by, reason, note) = match &dispute.origin {
            Origin::Contest { reason, note } => ("contest", Some(reason.as_str()), note.as_ref()),
            Origin::Gateway => ("gateway", None, None),
        };
        let transaction = match &dispute.state {
            DisputeState::Open { .. } => None,
            DisputeState::Won { reinstatement, .. } => reinstatement.as_ref(),
            DisputeState::Lost { chargeback } => Some(chargeback),
        };
        Self {
            id: dispute.id.to_string(),
            invoice_id: dispute.invoice.to_string(),
            amount: dispute.amount.into(),
            status: dispute.state.as_str(),
            opened_by,
            reason,
            note: note.map(Text::as_str),
            gateway: dispute.gateway.as_str(),
            gateway_reference: dispute.case.as_ref().map(|case| case.0.as_str()),
            transaction_id: transaction.map(ToString::to_string),
            created_at: Instant(dispute.created_at),
            updated_at: Instant(dispute.updated_at),
        }
    }
}
