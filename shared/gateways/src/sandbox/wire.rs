//! The sandbox's JSON.

use crate::trouble::Trouble;
use fatura_application::ports::{ChargeLookup, MalformedWebhook, WebhookHint, WebhookSubject};
use fatura_domain::gateway::{ChargeRequest, GatewayReference, Means, RefundRequest};
use serde::{Deserialize, Serialize};
use serde_json::Value;

const MAX_ID: usize = 100;

/// What is sent for a charge. Made of the request alone and always in the same order: a repeat is the same bytes.
#[derive(Serialize)]
pub(super) struct Order<'a> {
    reference: String,
    invoice_id: String,
    amount_minor: i64,
    currency: &'static str,
    method: Method<'a>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Method<'a> {
    Card { token: &'a str },
    Pix { key: &'a str },
}

impl<'a> From<&'a ChargeRequest> for Order<'a> {
    fn from(request: &'a ChargeRequest) -> Self {
        Self {
            reference: request.attempt.to_string(),
            invoice_id: request.invoice().to_string(),
            amount_minor: request.amount.minor(),
            currency: request.amount.currency().code(),
            method: match &request.means {
                Means::CreditCard(token) => Method::Card { token: &token.0 },
                Means::Pix(key) => Method::Pix { key: &key.0 },
            },
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Charge {
    pub(super) id: ChargeId,
    pub(super) reference: String,
    pub(super) invoice_id: String,
    pub(super) captured_minor: i64,
    pub(super) currency: String,
    pub(super) status: Status,
    pub(super) decline: Option<Decline>,
    pub(super) pix: Option<Pix>,
    /// Whether there is a [`Dispute`], and which. Left unread until somebody asks: a case in words that we don't know
    /// must not make the charge itself unknown.
    #[serde(default)]
    pub(super) disputed: Value,
    #[serde(default)]
    pub(super) dispute: Value,
}

/// No case for others: a status that we don't know makes the answer unreadable, and so the charge unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    Captured,
    Pending,
    Declined,
    Voided,
}

#[derive(Deserialize)]
pub(super) struct Decline {
    pub(super) code: String,
    pub(super) message: String,
}

#[derive(Deserialize)]
pub(super) struct Pix {
    pub(super) emv: String,
    pub(super) expires_at: i64,
}

#[derive(Deserialize)]
pub(super) struct Dispute {
    pub(super) id: ChargeId,
    pub(super) status: DisputeStatus,
    pub(super) amount_minor: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum DisputeStatus {
    Open,
    Won,
    Lost,
}

#[derive(Deserialize)]
pub(super) struct Charges {
    pub(super) data: Vec<Charge>,
}

#[derive(Serialize)]
pub(super) struct RefundOrder {
    reference: String,
    amount_minor: i64,
}

impl From<&RefundRequest> for RefundOrder {
    fn from(request: &RefundRequest) -> Self {
        Self { reference: request.refund.to_string(), amount_minor: request.amount.minor() }
    }
}

#[derive(Deserialize)]
pub(super) struct Refund {
    pub(super) id: ChargeId,
    pub(super) charge_id: ChargeId,
    pub(super) reference: String,
    pub(super) amount_minor: i64,
    pub(super) currency: String,
    pub(super) status: RefundStatus,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RefundStatus {
    Succeeded,
    Pending,
    Failed,
}

#[derive(Deserialize)]
pub(super) struct Refunds {
    pub(super) data: Vec<Refund>,
}

#[derive(Deserialize)]
pub(super) struct Movements {
    pub(super) data: Vec<Movement>,
    /// Must be there, if only as null: what was left out could be more.
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) next_cursor: Option<String>,
}

/// Words and numbers as they come, so that a fault can be told of the entry that has it.
#[derive(Deserialize)]
pub(super) struct Movement {
    pub(super) kind: String,
    pub(super) id: ChargeId,
    pub(super) charge_id: ChargeId,
    pub(super) reference: String,
    pub(super) amount_minor: i64,
    pub(super) currency: String,
    pub(super) at: i64,
}

#[derive(Deserialize)]
pub(super) struct Refusal {
    pub(super) error: RefusalReason,
}

#[derive(Deserialize)]
pub(super) struct RefusalReason {
    pub(super) code: String,
}

/// An id that can stand in a path and be stored: short, and of plain characters.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct ChargeId(String);

impl ChargeId {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn from_reference(reference: &GatewayReference) -> Result<Self, Trouble> {
        Self::try_from(reference.0.clone()).map_err(|error| Trouble::unknown("no_such_id", error))
    }

    pub(super) fn into_reference(self) -> GatewayReference {
        GatewayReference(self.0)
    }
}

impl TryFrom<String> for ChargeId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        if is_plain(&text) { Ok(Self(text)) } else { Err("is not an id of this gateway") }
    }
}

fn is_plain(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=MAX_ID).contains(&id.len()) && id.bytes().all(plain)
}

#[derive(Deserialize)]
pub(super) struct Event {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    data: Option<Subject>,
}

#[derive(Default, Deserialize)]
struct Subject {
    charge_id: Option<String>,
    reference: Option<String>,
    refund_reference: Option<String>,
}

impl Event {
    pub(super) fn parse(body: &[u8]) -> Result<Self, MalformedWebhook> {
        let event: Self = serde_json::from_slice(body).map_err(|error| {
            MalformedWebhook(format!("{:?} error at column {}", error.classify(), error.column()))
        })?;
        // Both become parts of what we store and log.
        if !is_plain(&event.id) {
            return Err(MalformedWebhook("the event's id is not plain".to_owned()));
        }
        if event.kind.is_empty() || event.kind.len() > MAX_ID {
            return Err(MalformedWebhook("the event's type is missing or too long".to_owned()));
        }
        Ok(event)
    }

    /// Refunds and disputes name their charge too: how it stands is worth a look whatever happened to it.
    pub(super) fn into_hint(self) -> WebhookHint {
        let data = self.data.unwrap_or_default();
        let attempt = data.reference.and_then(|reference| reference.parse().ok());
        let reference = data.charge_id.map(GatewayReference);
        let charge = attempt.map(|attempt| ChargeLookup { attempt, reference });
        let refund = data.refund_reference.and_then(|reference| reference.parse().ok());
        let subject = match (self.kind.split('.').next(), refund) {
            (Some("refund"), Some(refund)) => Some(WebhookSubject::Refund(refund)),
            (Some("dispute"), _) => charge.map(WebhookSubject::Dispute),
            _ => charge.map(WebhookSubject::Charge),
        };
        WebhookHint { event_id: self.id, kind: self.kind, subject }
    }
}
