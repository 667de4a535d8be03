use super::delivery::{Delivery, DeliveryState};
use super::{Attempt, Endpoint};
use crate::Timestamp;

/// What an attempt leaves to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    pub delivery: Delivery,
    /// None: it is as it was.
    pub endpoint: Option<Endpoint>,
}

/// The one place that decides what an attempt means, for the message and for the endpoint, if it hasn't been removed
/// meanwhile. Other messages of an endpoint that it disables are canceled when they are claimed next.
pub fn report(
    endpoint: Option<&Endpoint>,
    delivery: &Delivery,
    attempt: Attempt,
    now: Timestamp,
) -> Reported {
    let delivery = delivery.after(attempt, now);
    let is_given_up = matches!(delivery.state, DeliveryState::Failed { .. });
    let endpoint = endpoint.and_then(|endpoint| endpoint.after(attempt.answer.verdict(), is_given_up, now));
    Reported { delivery, endpoint }
}
