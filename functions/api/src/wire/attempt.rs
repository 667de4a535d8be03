use super::common::Instant;
use super::risk::{JudgementBody, may_see};
use fatura_application::access::Caller;
use fatura_domain::charge::{Attempt, AttemptOutcome, Failure, LiveAttempt, Phase, Retry};
use fatura_domain::gateway::PendingAction;
use fatura_domain::invoice::{Invoice, State};
use fatura_domain::risk::Judgement;
use fatura_domain::routing::{Why, WhyThere};
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(crate) struct AttemptBody<'a> {
    id: String,
    number: u8,
    pub(super) gateway: &'a str,
    payment_method_id: String,
    routing: Option<WhyBody>,
    status: &'static str,
    failure: Option<AttemptFailureBody<'a>>,
    idempotency_key: String,
    gateway_reference: Option<&'a str>,
    started_at: Instant,
    finished_at: Option<Instant>,
    /// Only for those who may see how charges are judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    risk: Option<JudgementBody<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct AttemptFailureBody<'a> {
    class: &'static str,
    code: &'a str,
    raw_code: Option<&'a str>,
    message: &'a str,
    retry: Retry,
}

/// Why at this gateway: which part of which version of the routing said so.
#[derive(Debug, Serialize)]
pub(super) struct WhyBody {
    by: &'static str,
    rule: Option<u8>,
    version: u64,
}

impl From<Why> for WhyBody {
    fn from(why: Why) -> Self {
        let (by, rule) = match why.there {
            WhyThere::Rule(place) => ("rule", Some(place)),
            WhyThere::Default => ("default", None),
            WhyThere::Priority => ("priority", None),
            WhyThere::Failover => ("failover", None),
        };
        Self { by, rule, version: why.edition }
    }
}

/// Every attempt, newest first: the live one is the newest.
pub(crate) fn attempts_body<'a>(
    invoice: &'a Invoice,
    over: &'a [Attempt],
    caller: &Caller,
) -> Vec<AttemptBody<'a>> {
    let judged = |body: AttemptBody<'a>, judgement: Option<&'a Judgement>| {
        let risk = judgement.filter(|_| may_see(caller)).map(JudgementBody::from);
        AttemptBody { risk, ..body }
    };
    let live = live(invoice).map(|body| judged(body, invoice.judgement()));
    let finished = over.iter().map(|attempt| judged(finished(attempt), attempt.risk.as_ref()));
    live.into_iter().chain(finished).collect()
}

pub(super) fn live(invoice: &Invoice) -> Option<AttemptBody<'_>> {
    let State::Pending(collection) = &invoice.state else { return None };
    let live = collection.live.as_ref()?;
    let id = invoice.attempt_id(live.number).to_string();
    Some(AttemptBody {
        idempotency_key: id.clone(),
        id,
        number: live.number.0,
        gateway: collection.source.gateway.as_str(),
        payment_method_id: collection.source.method.to_string(),
        routing: collection.source.why.map(WhyBody::from),
        status: live_status(live),
        failure: live.failure().map(failure),
        gateway_reference: live.reference().map(|reference| reference.0.as_str()),
        started_at: Instant(live.started_at),
        finished_at: None,
        risk: None,
    })
}

const fn live_status(live: &LiveAttempt) -> &'static str {
    match &live.phase {
        Phase::Sending { .. } => "sending",
        Phase::Held | Phase::Cleared => "created",
        Phase::NotSent { .. } => "not_sent",
        Phase::Awaiting { action: PendingAction::RequiresAction { .. }, .. } => "requires_action",
        Phase::Awaiting { .. } => "pending",
        // Which amount was taken has yet to be settled by a person.
        Phase::Unknown { .. } | Phase::Mismatched { .. } => "unknown",
    }
}

pub(super) fn finished(attempt: &Attempt) -> AttemptBody<'_> {
    let (status, failed) = match &attempt.outcome {
        AttemptOutcome::Succeeded => ("succeeded", None),
        AttemptOutcome::Declined(failed) => ("declined", Some(failed)),
        AttemptOutcome::NotSent(failed) => ("not_sent", Some(failed)),
        AttemptOutcome::Voided => ("voided", None),
    };
    let id = attempt.id.to_string();
    AttemptBody {
        idempotency_key: id.clone(),
        id,
        number: attempt.id.number.0,
        gateway: attempt.gateway.as_str(),
        payment_method_id: attempt.payment_method.to_string(),
        routing: attempt.why.map(WhyBody::from),
        status,
        failure: failed.map(failure),
        gateway_reference: attempt.reference.as_ref().map(|reference| reference.0.as_str()),
        started_at: Instant(attempt.started_at),
        finished_at: Some(Instant(attempt.finished_at)),
        risk: None,
    }
}

pub(super) fn failure(failure: &Failure) -> AttemptFailureBody<'_> {
    AttemptFailureBody {
        class: failure.class.as_str(),
        code: &failure.code,
        raw_code: failure.raw_code.as_deref(),
        message: &failure.message,
        retry: failure.class.retry(),
    }
}
