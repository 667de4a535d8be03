use super::common::Instant;
use fatura_application::ReplayedMissed;
use fatura_domain::webhook_endpoint::{
    Answer, Attempt, Cancellation, Delivery, DeliveryState, GivenUp, NoAnswer, Took,
};
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(crate) struct DeliveryBody<'a> {
    id: String,
    webhook_endpoint_id: String,
    event_id: &'a str,
    event_type: &'a str,
    status: &'static str,
    reason: Option<&'static str>,
    next_attempt_at: Option<Instant>,
    ended_at: Option<Instant>,
    attempts: Vec<AttemptBody>,
    created_at: Instant,
    updated_at: Instant,
}

/// With what is sent, word for word.
#[derive(Debug, Serialize)]
pub(crate) struct WholeDeliveryBody<'a> {
    #[serde(flatten)]
    delivery: DeliveryBody<'a>,
    body: &'a str,
}

#[derive(Debug, Serialize)]
struct AttemptBody {
    at: Instant,
    status_code: Option<u16>,
    /// None: there was an answer.
    error: Option<&'static str>,
    took: Took,
}

#[derive(Debug, Serialize)]
pub(crate) struct ReplayedBody {
    replayed: usize,
    more_since: Option<Instant>,
}

impl<'a> From<&'a Delivery> for DeliveryBody<'a> {
    fn from(delivery: &'a Delivery) -> Self {
        let (reason, ended_at) = match delivery.state {
            DeliveryState::Pending { .. } => (None, None),
            DeliveryState::Delivered { at } => (None, Some(at)),
            DeliveryState::Failed { at, why: GivenUp::Exhausted } => (Some("exhausted"), Some(at)),
            DeliveryState::Failed { at, why: GivenUp::Gone } => (Some("gone"), Some(at)),
            DeliveryState::Canceled { at, why: Cancellation::EndpointDisabled } => {
                (Some("endpoint_disabled"), Some(at))
            }
            DeliveryState::Canceled { at, why: Cancellation::EndpointRemoved } => {
                (Some("endpoint_removed"), Some(at))
            }
        };
        Self {
            id: delivery.id.to_string(),
            webhook_endpoint_id: delivery.endpoint.to_string(),
            event_id: &delivery.fact.event,
            event_type: &delivery.fact.kind,
            status: delivery.state.as_str(),
            reason,
            next_attempt_at: delivery.due().map(Instant),
            ended_at: ended_at.map(Instant),
            attempts: delivery.log.iter().rev().map(AttemptBody::from).collect(),
            created_at: Instant(delivery.created_at),
            updated_at: Instant(delivery.updated_at),
        }
    }
}

impl<'a> From<&'a Delivery> for WholeDeliveryBody<'a> {
    fn from(delivery: &'a Delivery) -> Self {
        Self { delivery: delivery.into(), body: &delivery.fact.body }
    }
}

impl From<&Attempt> for AttemptBody {
    fn from(attempt: &Attempt) -> Self {
        let (status_code, error) = match attempt.answer {
            Answer::Status { code, .. } => (Some(code), None),
            Answer::Nothing(why) => (None, Some(NoAnswer::as_str(why))),
        };
        Self { at: Instant(attempt.at), status_code, error, took: attempt.took }
    }
}

impl From<ReplayedMissed> for ReplayedBody {
    fn from(replayed: ReplayedMissed) -> Self {
        Self { replayed: replayed.count, more_since: replayed.more_since.map(Instant) }
    }
}
