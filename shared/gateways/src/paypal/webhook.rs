//! PayPal's notices: what they are signed with, and what they are about.
//!
//! The signature is over the transmission's id and time, our webhook's id and the CRC-32 of the body. That sum can be
//! forged: whoever has seen one notice can make others with the same sum, for as long as it isn't stale. So a notice says
//! no more than what to ask about, and everything in it is asked for.
//!
//! Our webhooks' ids are the list `webhook_secrets`: they are no secrets, but it is the list that is rotated, and a new
//! webhook beside the old one is how a notice's address is changed.

use super::certificate::{self, Certificates, Chain};
use super::id::{Id, is_plain, order_reference};
use super::wire::{Link, up};
use crate::http::Http;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use fatura_application::ports::{
    ChargeLookup, GatewaySecrets, MalformedWebhook, WebhookDelivery, WebhookHint, WebhookRefusal,
    WebhookSubject,
};
use fatura_domain::Timestamp;
use fatura_domain::gateway::GatewayReference;
use serde::Deserialize;
use serde_json::Value;

const MAX_HEADER: usize = 1_024;
const MAX_WEBHOOKS: usize = 8;
const MAX_KIND: usize = 100;
const ALGORITHM: &str = "SHA256withRSA";
/// In `more`: certificates between PayPal's and its root, should PayPal leave them out.
const INTERMEDIATES: &str = "webhook_intermediates";
/// PayPal repeats a notice for 3 days, 25 times at most, and from memory under the time of its first sending: refusing that
/// would lose what an outage of ours has held up. An hour on top is for the last one's way. What is repeated within it is
/// known by the event's id.
const OLDEST_MS: i64 = (3 * 24 + 1) * 3_600_000;
const NEWEST_MS: i64 = 300_000;
/// Before the case's id in a subject that is a dispute.
const DISPUTE: &str = "dispute/";

pub(super) async fn verify(
    delivery: &WebhookDelivery,
    secrets: &GatewaySecrets,
    certificates: &Certificates,
    http: &Http,
    now: Timestamp,
) -> Result<(), WebhookRefusal> {
    // Anybody could sign for an empty id, and one with a bar in it could stand for two parts of what is signed.
    let webhooks = secrets.webhook_secrets.iter().filter(|id| is_plain(id)).take(MAX_WEBHOOKS);
    let webhooks: Vec<&String> = webhooks.collect();
    if webhooks.is_empty() {
        return Err(WebhookRefusal::NoSecret);
    }
    let signed = Signed::of(delivery).ok_or(WebhookRefusal::BadSignature)?;
    let address = certificates.address(signed.certificate).ok_or(WebhookRefusal::BadSignature)?;
    let more = secrets.more.get(INTERMEDIATES).and_then(|pem| certificate::read(pem.as_bytes()));
    let chain = certificates.chain(&address, http).await?;
    if !certificates.trusts(&address, &chain, &more.unwrap_or_default(), now) {
        return Err(WebhookRefusal::BadSignature);
    }
    // All are tried, whichever matches.
    if webhooks.into_iter().filter(|webhook| signed.is_for(webhook, &chain)).count() == 0 {
        return Err(WebhookRefusal::BadSignature);
    }
    // Last, so that Stale is said of genuine deliveries only.
    let age = now.as_millisecond().saturating_sub(signed.at.as_millisecond());
    if (-NEWEST_MS..=OLDEST_MS).contains(&age) { Ok(()) } else { Err(WebhookRefusal::Stale) }
}

struct Signed<'a> {
    id: &'a str,
    /// As it was written: that is what was signed.
    time: &'a str,
    at: Timestamp,
    certificate: &'a str,
    signature: Vec<u8>,
    sum: u32,
}

impl<'a> Signed<'a> {
    fn of(delivery: &'a WebhookDelivery) -> Option<Self> {
        if only(delivery, "paypal-auth-algo")? != ALGORITHM {
            return None;
        }
        let id = only(delivery, "paypal-transmission-id").filter(|id| is_plain(id))?;
        let time = only(delivery, "paypal-transmission-time").filter(|time| !time.contains('|'))?;
        Some(Self {
            id,
            time,
            at: time.parse().ok()?,
            certificate: only(delivery, "paypal-cert-url")?,
            signature: BASE64_STANDARD.decode(only(delivery, "paypal-transmission-sig")?).ok()?,
            sum: crc32(&delivery.body),
        })
    }

    fn is_for(&self, webhook: &str, chain: &Chain) -> bool {
        let message = format!("{}|{}|{webhook}|{}", self.id, self.time, self.sum);
        certificate::is_signed_by(chain, message.as_bytes(), &self.signature)
    }
}

/// The header's value. Given twice, nobody can say which one the next reader would take.
fn only<'a>(delivery: &'a WebhookDelivery, name: &str) -> Option<&'a str> {
    let mut values = delivery.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
    let (_, value) = values.next()?;
    (values.next().is_none() && value.len() <= MAX_HEADER).then_some(value.as_str())
}

/// The sum of zip and Ethernet, bit by bit: notices are short.
fn crc32(bytes: &[u8]) -> u32 {
    let sum = bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            let reduced = if sum & 1 == 1 { 0xEDB8_8320 } else { 0 };
            (sum >> 1) ^ reduced
        })
    });
    !sum
}

// ---- what they are about -------------------------------------------------------------------------------------------

#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "event_type")]
    kind: String,
    #[serde(default)]
    resource_type: String,
    /// Left unread until its type is known: most events are none of ours, in shapes that we don't know.
    #[serde(default)]
    resource: Value,
}

#[derive(Deserialize)]
struct Resource {
    id: Id,
    custom_id: Option<String>,
    #[serde(default)]
    purchase_units: Vec<NamedUnit>,
    #[serde(default)]
    links: Vec<Link>,
}

#[derive(Deserialize)]
struct NamedUnit {
    custom_id: Option<String>,
}

#[derive(Deserialize)]
struct Case {
    dispute_id: Id,
}

pub(super) fn parse(body: &[u8]) -> Result<WebhookHint, MalformedWebhook> {
    let event: Event = serde_json::from_slice(body).map_err(|error| {
        MalformedWebhook(format!("{:?} error at column {}", error.classify(), error.column()))
    })?;
    // Both become parts of what we store and log.
    if !is_plain(&event.id) {
        return Err(MalformedWebhook("the event's id is not plain".to_owned()));
    }
    if event.kind.is_empty() || event.kind.len() > MAX_KIND {
        return Err(MalformedWebhook("the event's type is missing or too long".to_owned()));
    }
    let subject = subject(&event);
    Ok(WebhookHint { event_id: event.id, kind: event.kind, subject })
}

/// By what the resource is, not by the event's name: a capture's REFUNDED brings the refund.
fn subject(event: &Event) -> Option<WebhookSubject> {
    if event.resource_type == "dispute" {
        let case = Case::deserialize(&event.resource).ok()?;
        let subject = GatewayReference(format!("{DISPUTE}{}", case.dispute_id.as_str()));
        return Some(WebhookSubject::Unresolved(subject));
    }
    let resource = Resource::deserialize(&event.resource).ok()?;
    let (ours, reference) = match event.resource_type.as_str() {
        "capture" => (resource.custom_id.as_deref(), resource.id.to_reference()),
        "refund" => {
            if let Some(refund) = resource.custom_id.as_deref().and_then(|ours| ours.parse().ok()) {
                return Some(WebhookSubject::Refund(refund));
            }
            // Given back by somebody else, or reversed by PayPal, under the charge's own name (from memory).
            (resource.custom_id.as_deref(), up(&resource.links, "captures")?.to_reference())
        }
        "checkout-order" => {
            let [unit] = resource.purchase_units.as_slice() else { return None };
            (unit.custom_id.as_deref(), order_reference(&resource.id))
        }
        _ => return None,
    };
    let attempt = ours?.parse().ok()?;
    Some(WebhookSubject::Charge(ChargeLookup { attempt, reference: Some(reference) }))
}

/// The case that an unresolved subject names.
pub(super) fn disputed(subject: &GatewayReference) -> Option<Id> {
    Id::parse(subject.0.strip_prefix(DISPUTE)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first two are in every description of the sum; the others are from Python's `zlib.crc32`.
    #[test]
    fn the_sum_is_crc_32() {
        for (bytes, sum) in
            [("", 0), ("123456789", 0xCBF4_3926), ("a", 0xE8B7_BE43), ("{\"id\":\"WH-1\"}", 0x3201_9972)]
        {
            assert_eq!(crc32(bytes.as_bytes()), sum, "{bytes}");
        }
    }
}
