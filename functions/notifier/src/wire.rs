//! What lies in the queue: an event, as the rule hands it on, or a message of our own.

pub(crate) mod event;

use fatura_application::ToldEvent;
use fatura_application::ports::Deliver;
use fatura_domain::event::EventKind;
use fatura_domain::id::CustomerId;
use serde::Deserialize;

#[derive(Debug)]
pub(crate) enum Task {
    Tell(ToldEvent),
    Deliver(Deliver),
    /// An event of a kind that this build doesn't know: a younger one told it.
    Nothing(String),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    Deliver(Deliver),
    Event(EventBody),
}

/// What is looked at of an event. `docs/events.md` describes it.
#[derive(Deserialize)]
struct EventBody {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    data: DataBody,
}

#[derive(Deserialize)]
struct DataBody {
    /// What concerns no customer is the operators' alone.
    #[serde(default = "platform")]
    customer_id: CustomerId,
}

const fn platform() -> CustomerId {
    CustomerId::PLATFORM
}

pub(crate) fn read(body: String) -> Result<Task, serde_json::Error> {
    let event = match serde_json::from_str(&body)? {
        Body::Deliver(message) => return Ok(Task::Deliver(message)),
        Body::Event(event) => event,
    };
    let kind = EventKind::ALL.into_iter().find(|kind| kind.as_str() == event.kind);
    Ok(match kind {
        Some(kind) => Task::Tell(ToldEvent { id: event.id, kind, customer: event.data.customer_id, body }),
        None => Task::Nothing(event.kind),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{ "schema_version":1,"id":"evt_1","type":"invoice.paid","occurred_at":"2026-11-21T12:00:03.251Z","data":{"status":"paid","customer_id":"cus_1Q7S2D5VJ8KM"}}"#;

    #[test]
    fn an_event_is_kept_word_for_word() {
        let Task::Tell(event) = read(EVENT.to_owned()).unwrap() else { panic!("an event") };
        assert_eq!(
            (event.id.as_str(), event.kind, event.body.as_str()),
            ("evt_1", EventKind::InvoicePaid, EVENT)
        );
        assert_eq!(event.customer.to_string(), "cus_1Q7S2D5VJ8KM");
    }

    #[test]
    fn our_own_messages_are_told_from_events() {
        let body = r#"{"delivery_id":"msg_0Q7S2D5VJ8KM01JD4Z9W2E7XQ4"}"#;
        assert!(matches!(read(body.to_owned()).unwrap(), Task::Deliver(_)));
    }

    #[test]
    fn what_a_younger_build_tells_is_for_others() {
        let younger = EVENT.replace("invoice.paid", "invoice.framed");
        assert!(matches!(read(younger).unwrap(), Task::Nothing(kind) if kind == "invoice.framed"));
    }

    #[test]
    fn anything_else_is_refused() {
        let nobodys = EVENT.replace("cus_1Q7S2D5VJ8KM", "ana");
        for body in ["", "{}", "[]", r#"{"delivery_id":"1"}"#, &nobodys] {
            assert!(read(body.to_owned()).is_err(), "{body}");
        }
    }
}
