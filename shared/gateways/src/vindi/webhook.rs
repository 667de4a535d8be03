//! Notices: no signature, but a secret that only Vindi was told (D): as `?secret=` in the address, or as the user and
//! password before its host, which come as Basic authentication; such a secret is written `user:password`. They come
//! unordered, and have no ids.

use crate::brazil::shown::{basic, is_one_of, only_header, only_query};
use fatura_application::ports::{
    ChargeLookup, MalformedWebhook, WebhookDelivery, WebhookHint, WebhookRefusal, WebhookSubject,
};
use fatura_domain::gateway::GatewayReference;
use serde::Deserialize;
use sha2::{Digest, Sha256};

pub(super) fn verify(delivery: &WebhookDelivery, secrets: &[String]) -> Result<(), WebhookRefusal> {
    let in_query = only_query(delivery, "secret").unwrap_or_default();
    let in_header = only_header(delivery, "authorization").unwrap_or_default();
    let written = secrets.iter().map(|secret| basic(secret));
    // Both are looked at, whichever is there.
    let is_genuine = is_one_of(in_query, secrets.iter().cloned()) | is_one_of(in_header, written);
    if is_genuine { Ok(()) } else { Err(WebhookRefusal::BadSignature) }
}

#[derive(Deserialize)]
struct Notice {
    event: Event,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    data: Data,
}

#[derive(Default, Deserialize)]
struct Data {
    bill: Option<Named>,
    charge: Option<OfBill>,
}

#[derive(Deserialize)]
struct OfBill {
    bill: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    id: u64,
    code: Option<String>,
}

pub(super) fn parse(body: &[u8]) -> Result<WebhookHint, MalformedWebhook> {
    let Notice { event } = serde_json::from_slice(body).map_err(|error| {
        MalformedWebhook(format!("{:?} error at column {}", error.classify(), error.column()))
    })?;
    if event.kind.is_empty() || event.kind.len() > 100 {
        return Err(MalformedWebhook("the event's type is missing or too long".to_owned()));
    }
    let bill = event.data.bill.or_else(|| event.data.charge.and_then(|charge| charge.bill));
    let lookup = bill.and_then(|bill| {
        let attempt = bill.code?.parse().ok()?;
        Some(ChargeLookup { attempt, reference: Some(GatewayReference(bill.id.to_string())) })
    });
    let subject = lookup.map(WebhookSubject::Charge);
    Ok(WebhookHint { event_id: hex::encode(Sha256::digest(body)), kind: event.kind, subject })
}
