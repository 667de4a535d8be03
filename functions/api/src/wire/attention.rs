use super::common::{Instant, MoneyBody};
use super::fields::Fields;
use super::values::{one_of, text};
use crate::problem::Problem;
use fatura_application::ResolveAttempt;
use fatura_domain::actor::Actor;
use fatura_domain::attention::{Attention, AttentionId, AttentionKind};
use fatura_domain::dispute::DisputeEnd;
use fatura_domain::gateway::{GatewayName, GatewayReference};
use fatura_domain::id::{AttemptId, DisputeId, RefundId};
use fatura_domain::invoice::Resolution;
use fatura_domain::text::Text;
use serde::Serialize;
use std::fmt::Display;
use std::str::FromStr;

pub(crate) fn read_kind(mut fields: Fields) -> Result<Option<AttentionKind>, Problem> {
    let kinds = AttentionKind::ALL.into_iter().map(|kind| (kind.as_str(), kind));
    let kind = fields.optional("kind", one_of(kinds));
    fields.finish(|| Some(kind))
}

pub(crate) fn read_close(mut fields: Fields) -> Result<(Option<DisputeEnd>, Option<Text<500>>), Problem> {
    let ends = [("won", DisputeEnd::Won), ("lost", DisputeEnd::Lost)];
    let end = fields.optional("outcome", one_of(ends.into_iter()));
    let note = fields.optional("note", text(Text::parse));
    fields.finish(|| Some((end, note)))
}

pub(crate) fn read_resolution(attempt: AttemptId, mut fields: Fields) -> Result<ResolveAttempt, Problem> {
    let outcome = fields.required("outcome", one_of([("charged", true), ("not_charged", false)].into_iter()));
    let reference = fields.optional("gateway_reference", text(Text::<200>::parse));
    let note = fields.optional("note", text(Text::parse));
    match (outcome, &reference) {
        (Some(true), None) => fields.fault("gateway_reference", "is required where the gateway charged"),
        (Some(false), Some(_)) => fields.fault("gateway_reference", "names a charge, and there is none"),
        _ => {}
    }
    fields.finish(|| {
        let resolution = match (outcome?, reference) {
            (true, Some(reference)) => Resolution::Charged(GatewayReference(reference.as_str().to_owned())),
            (true, None) => return None,
            (false, _) => Resolution::NotCharged,
        };
        Some(ResolveAttempt { attempt, resolution, note })
    })
}

#[derive(Debug, Serialize)]
pub(crate) struct AttentionBody<'a> {
    id: &'a str,
    kind: &'static str,
    status: &'static str,
    detail: &'a str,
    invoice_id: Option<String>,
    bill_id: Option<String>,
    attempt_id: Option<String>,
    refund_id: Option<String>,
    dispute_id: Option<String>,
    amount: Option<MoneyBody>,
    gateway: Option<&'a str>,
    gateway_reference: Option<&'a str>,
    raised_at: Instant,
    closed_at: Option<Instant>,
    closed_by: Option<&'a str>,
    note: Option<&'a str>,
}

impl<'a> From<&'a Attention> for AttentionBody<'a> {
    fn from(matter: &'a Attention) -> Self {
        let closed = matter.closed.as_ref();
        Self {
            id: matter.id.as_str(),
            kind: matter.kind.as_str(),
            status: if closed.is_some() { "closed" } else { "open" },
            detail: &matter.detail,
            invoice_id: matter.invoice.map(|id| id.to_string()),
            bill_id: matter.bill.map(|id| id.to_string()),
            attempt_id: named_after::<AttemptId>(&matter.id),
            refund_id: named_after::<RefundId>(&matter.id),
            dispute_id: named_after::<DisputeId>(&matter.id),
            amount: matter.amount.map(MoneyBody::from),
            gateway: matter.gateway.as_ref().map(GatewayName::as_str),
            gateway_reference: matter.reference.as_ref().map(|reference| reference.0.as_str()),
            raised_at: Instant(matter.raised_at),
            closed_at: closed.map(|closed| Instant(closed.at)),
            closed_by: closed.and_then(|closed| closed.by.as_ref()).map(Actor::as_str),
            note: closed.and_then(|closed| closed.note.as_deref()),
        }
    }
}

/// A matter is called after what it is about, perhaps with a mark before that: the id of it, if it is of this kind.
fn named_after<Id: FromStr + Display>(matter: &AttentionId) -> Option<String> {
    let name = matter.as_str().strip_prefix(AttentionId::PREFIX)?;
    let marks = [AttentionId::REVIEW, AttentionId::MISSED];
    let name = marks.into_iter().find_map(|mark| name.strip_prefix(mark)).unwrap_or(name);
    name.parse::<Id>().ok().map(|id| id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matter_tells_what_it_is_called_after() {
        let invoice = "inv_4K2N9QW7XJ0T01JBPZ4C00A1B2C3".parse().unwrap();
        let attempt = AttemptId { invoice, number: fatura_domain::id::AttemptNumber(7) };
        let dispute: DisputeId = "dsp_4K2N9QW7XJ0T01JBPZ4C00A1B2C3".parse().unwrap();
        let named = |matter: AttentionId| {
            (
                named_after::<AttemptId>(&matter),
                named_after::<RefundId>(&matter),
                named_after::<DisputeId>(&matter),
            )
        };
        assert_eq!(named(AttentionId::of_attempt(attempt)), (Some(attempt.to_string()), None, None));
        assert_eq!(named(AttentionId::of_review(attempt)), (Some(attempt.to_string()), None, None));
        assert_eq!(named(AttentionId::of_dispute(dispute)), (None, None, Some(dispute.to_string())));
        assert_eq!(named(AttentionId::of_missed(dispute)), (None, None, Some(dispute.to_string())));
        assert_eq!(named(AttentionId::of_orphan(invoice, 1)), (None, None, None));
        assert_eq!(named(AttentionId::of_difference("0123456789abcdef")), (None, None, None));
    }
}
