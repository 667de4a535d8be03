mod properties;
mod stories;

use super::*;
use crate::money::Currency;
use std::time::Duration;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn start() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn endpoint() -> Endpoint {
    Endpoint {
        id: EndpointId::new(start(), 1),
        version: 1,
        owner: Owner::Operators,
        url: EndpointUrl::parse("https://example.com/hook", Loopback::Refused).unwrap(),
        description: None,
        events: EventFilter::parse(&["invoice.*"]).unwrap(),
        secrets: Secrets::new(Secret::new([7; 32])),
        state: EndpointState::Enabled { failing_since: None },
        created_at: start(),
        updated_at: start(),
    }
}

fn delivery(event: &str, endpoint: &Endpoint, now: Timestamp) -> Delivery {
    let body = format!(r#"{{"id":"{event}","currency":"{}"}}"#, Currency::BRL);
    Delivery::new(event, EventKind::InvoicePaid, body, endpoint.id, now)
}

fn status(code: u16) -> Answer {
    Answer::Status { code, retry_after: None }
}

fn attempt(answer: Answer, at: Timestamp) -> Attempt {
    Attempt { at, answer, took: Took::of(Duration::from_millis(20)) }
}

/// Sent if it is due, and this came back.
fn told(endpoint: &Endpoint, delivery: &Delivery, answer: Answer, now: Timestamp) -> (Endpoint, Delivery) {
    let claimed = match delivery.claimed(Some(endpoint), now) {
        Claim::Send(claimed) => claimed,
        Claim::Over(_) | Claim::NotDue => delivery.clone(),
    };
    let reported = report(Some(endpoint), &claimed, attempt(answer, now), now);
    (reported.endpoint.unwrap_or_else(|| endpoint.clone()), reported.delivery)
}

/// Every try that there is, each when it is due and with the same answer.
fn exhausted(
    mut endpoint: Endpoint,
    mut delivery: Delivery,
    answer: Answer,
) -> (Endpoint, Delivery, Timestamp) {
    let mut now = delivery.created_at;
    for _ in 0..=schedule::MOST_TRIES {
        let Some(due) = delivery.due() else { return (endpoint, delivery, now) };
        now = due;
        (endpoint, delivery) = told(&endpoint, &delivery, answer, now);
    }
    panic!("it never ends: {:?}", delivery.state)
}
