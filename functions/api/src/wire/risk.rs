//! What the risk rules say of a charge, and what people say of one that is held.

use super::common::Instant;
use super::fields::Fields;
use super::values::{id, money, one_of, text};
use crate::problem::Problem;
use fatura_application::access::{Caller, Role};
use fatura_application::{AssessCharge, ReviewInvoice};
use fatura_domain::actor::Actor;
use fatura_domain::id::{CustomerId, InvoiceId, PaymentMethodId};
use fatura_domain::risk::{Assessment, Judgement, Reason, Review, Verdict};
use fatura_domain::text::Text;
use serde::Serialize;

pub(crate) fn read_charge(mut fields: Fields) -> Result<AssessCharge, Problem> {
    let customer = fields.required("customer_id", id::<CustomerId>);
    let method = fields.optional("payment_method_id", id::<PaymentMethodId>);
    let amount = fields.required("amount", money);
    fields.finish(|| Some(AssessCharge { customer: customer?, method, amount: amount? }))
}

pub(crate) fn read_review(invoice: InvoiceId, mut fields: Fields) -> Result<ReviewInvoice, Problem> {
    let verdicts = Verdict::ALL.into_iter().map(|verdict| (verdict.as_str(), verdict));
    let verdict = fields.required("decision", one_of(verdicts));
    let note = fields.optional("note", text(Text::parse));
    fields.finish(|| Some(ReviewInvoice { invoice, verdict: verdict?, note }))
}

/// What the rules of one version said.
#[derive(Debug, Serialize)]
pub(crate) struct AssessmentBody {
    decision: &'static str,
    score: i32,
    reasons: Vec<String>,
    rules_version: u64,
}

/// The same with what a person decided about it.
#[derive(Debug, Serialize)]
pub(crate) struct JudgementBody<'a> {
    #[serde(flatten)]
    assessment: AssessmentBody,
    review: Option<ReviewBody<'a>>,
}

#[derive(Debug, Serialize)]
struct ReviewBody<'a> {
    decision: &'static str,
    by: &'a str,
    at: Instant,
}

/// Whether somebody is told how charges are judged. A payer who learns why a charge was held knows what to do otherwise the
/// next time.
pub(crate) const fn may_see(caller: &Caller) -> bool {
    !matches!(caller.role, Role::Customer(_))
}

impl From<&Assessment> for AssessmentBody {
    fn from(assessment: &Assessment) -> Self {
        Self {
            decision: assessment.decision.as_str(),
            score: assessment.score,
            reasons: assessment.reasons.iter().map(Reason::to_string).collect(),
            rules_version: assessment.edition,
        }
    }
}

impl<'a> From<&'a Judgement> for JudgementBody<'a> {
    fn from(judgement: &'a Judgement) -> Self {
        let review = |review: &'a Review| ReviewBody {
            decision: review.verdict.as_str(),
            by: Actor::as_str(&review.by),
            at: Instant(review.at),
        };
        Self { assessment: (&judgement.assessment).into(), review: judgement.review.as_ref().map(review) }
    }
}
