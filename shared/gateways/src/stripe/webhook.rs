//! What Stripe's events are about.

use super::wire::{Id, Metadata, is_plain};
use fatura_application::ports::{ChargeLookup, MalformedWebhook, WebhookHint, WebhookSubject};
use fatura_domain::gateway::GatewayReference;
use serde::Deserialize;
use serde_json::Value;

const MAX_KIND: usize = 100;
/// Before the payment's id in a subject that is a dispute: an event about one carries no word of ours.
const DISPUTE: &str = "dispute/";

#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    data: Data,
}

#[derive(Default, Deserialize)]
struct Data {
    /// Left unread until its kind is known: most events are none of ours, in shapes that we don't know.
    #[serde(default)]
    object: Value,
}

#[derive(Deserialize)]
struct Object {
    /// What kind of object it is.
    #[serde(rename = "object")]
    kind: String,
    id: String,
    payment_intent: Option<String>,
    #[serde(default)]
    metadata: Metadata,
}

pub(super) fn parse(body: &[u8]) -> Result<WebhookHint, MalformedWebhook> {
    let Event { id, kind, data } = serde_json::from_slice(body).map_err(|error| {
        MalformedWebhook(format!("{:?} error at column {}", error.classify(), error.column()))
    })?;
    // Both become parts of what we store and log.
    if !is_plain(&id) {
        return Err(MalformedWebhook("the event's id is not plain".to_owned()));
    }
    if kind.is_empty() || kind.len() > MAX_KIND {
        return Err(MalformedWebhook("the event's type is missing or too long".to_owned()));
    }
    let subject = Object::deserialize(&data.object).ok().and_then(Object::subject);
    Ok(WebhookHint { event_id: id, kind, subject })
}

impl Object {
    /// By what the object is, not by the event's name: `refund.updated` and `charge.refund.updated` are about the same.
    fn subject(self) -> Option<WebhookSubject> {
        match self.kind.as_str() {
            "payment_intent" => charge(&self.metadata, Some(self.id)),
            // Stripe copies the payment's metadata to its charge.
            "charge" => charge(&self.metadata, self.payment_intent),
            "refund" => {
                let refund = self.metadata.get("refund")?.parse().ok()?;
                Some(WebhookSubject::Refund(refund))
            }
            "dispute" => {
                let payment = Id::parse(&self.payment_intent?, "pi_").ok()?;
                Some(WebhookSubject::Unresolved(GatewayReference(format!("{DISPUTE}{}", payment.as_str()))))
            }
            _ => None,
        }
    }
}

fn charge(metadata: &Metadata, payment: Option<String>) -> Option<WebhookSubject> {
    let attempt = metadata.get("attempt")?.parse().ok()?;
    Some(WebhookSubject::Charge(ChargeLookup { attempt, reference: payment.map(GatewayReference) }))
}

/// The payment that an unresolved subject names.
pub(super) fn disputed(subject: &GatewayReference) -> Option<Id> {
    Id::parse(subject.0.strip_prefix(DISPUTE)?, "pi_").ok()
}
