use super::{Item, corrupt, from_item, sort_key, to_item};
use crate::keys;
use fatura_application::idempotency::{Answer, AnswerScope, Once, StoredAnswer};
use fatura_application::ports::{StoreError, WebhookEvent};
use fatura_domain::charge::{Attempt, AttemptOutcome};
use fatura_domain::gateway::{GatewayName, GatewayReference};
use fatura_domain::id::{AttemptId, AttemptNumber, InvoiceId, PaymentMethodId};
use fatura_domain::risk::Judgement;
use fatura_domain::routing::Why;
use fatura_domain::{SignedDuration, Timestamp};
use flate2::Compression;
use flate2::read::{DeflateDecoder, DeflateEncoder};
use serde::{Deserialize, Serialize};
use std::io::Read;

/// An attempt that failed has an item of its own; one that succeeded lies inside its transaction's.
#[derive(Serialize, Deserialize)]
pub(crate) struct AttemptItem {
    #[serde(rename = "gw")]
    gateway: GatewayName,
    #[serde(rename = "pm")]
    payment_method: PaymentMethodId,
    #[serde(rename = "y", default, skip_serializing_if = "Option::is_none")]
    why: Option<Why>,
    #[serde(rename = "rk", default, skip_serializing_if = "Option::is_none")]
    risk: Option<Judgement>,
    #[serde(rename = "o")]
    outcome: AttemptOutcome,
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    reference: Option<GatewayReference>,
    #[serde(rename = "sa", with = "fatura_domain::stored_instant")]
    started_at: Timestamp,
    #[serde(rename = "fa", with = "fatura_domain::stored_instant")]
    finished_at: Timestamp,
}

impl AttemptItem {
    pub(crate) fn write(attempt: &Attempt) -> Result<Item, StoreError> {
        let attributes = Self {
            gateway: attempt.gateway.clone(),
            payment_method: attempt.payment_method,
            why: attempt.why,
            risk: attempt.risk.clone(),
            outcome: attempt.outcome.clone(),
            reference: attempt.reference.clone(),
            started_at: attempt.started_at,
            finished_at: attempt.finished_at,
        };
        to_item(keys::attempt(attempt.id), attributes)
    }

    pub(crate) fn read(invoice: InvoiceId, item: Item) -> Result<Attempt, StoreError> {
        let number = keys::attempt_number(sort_key(&item)).ok_or_else(|| corrupt("not an attempt's key"))?;
        let read: Self = from_item(item)?;
        Ok(Attempt {
            id: AttemptId { invoice, number: AttemptNumber(number) },
            gateway: read.gateway,
            payment_method: read.payment_method,
            why: read.why,
            risk: read.risk,
            outcome: read.outcome,
            reference: read.reference,
            started_at: read.started_at,
            finished_at: read.finished_at,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct AnswerItem {
    #[serde(rename = "f", with = "serde_bytes")]
    fingerprint: Vec<u8>,
    #[serde(rename = "s")]
    status: u16,
    /// Deflated: an answer of a kilobyte costs one write unit instead of two.
    #[serde(rename = "b", with = "serde_bytes")]
    body: Vec<u8>,
    #[serde(rename = "at", with = "fatura_domain::stored_instant")]
    at: Timestamp,
    #[serde(rename = "ex", with = "fatura_domain::stored_instant")]
    expires_at: Timestamp,
    /// DynamoDB deletes by this, some time later: in seconds.
    #[serde(rename = "ttl")]
    delete_after: i64,
}

impl AnswerItem {
    pub(crate) fn write(stored: &StoredAnswer) -> Result<Item, StoreError> {
        let attributes = Self {
            fingerprint: stored.once.fingerprint.to_vec(),
            status: stored.answer.status,
            body: deflated(stored.answer.body.as_bytes())?,
            at: stored.at,
            expires_at: stored.expires_at,
            delete_after: stored.expires_at.as_second(),
        };
        to_item(keys::answer(&stored.once.scope), attributes)
    }

    pub(crate) fn read(scope: &AnswerScope, item: Item) -> Result<StoredAnswer, StoreError> {
        let read: Self = from_item(item)?;
        let body = String::from_utf8(inflated(&read.body)?).map_err(corrupt)?;
        let fingerprint =
            read.fingerprint.try_into().map_err(|_| corrupt("a fingerprint of another length"))?;
        Ok(StoredAnswer {
            once: Once { scope: scope.clone(), fingerprint },
            answer: Answer { status: read.status, body },
            expires_at: read.expires_at,
            at: read.at,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct WebhookItem {
    /// Deflated: it is written again when it has been processed, by the kilobyte.
    #[serde(rename = "b", with = "serde_bytes")]
    body: Vec<u8>,
    #[serde(rename = "at", with = "fatura_domain::stored_instant")]
    received_at: Timestamp,
    #[serde(rename = "ok", default)]
    pub(crate) processed: bool,
    #[serde(rename = "ttl")]
    delete_after: i64,
}

impl WebhookItem {
    pub(crate) const PROCESSED: &str = "ok";
    const KEPT_FOR: SignedDuration = SignedDuration::from_hours(24 * 90);

    pub(crate) fn write(event: &WebhookEvent) -> Result<Item, StoreError> {
        let delete_after =
            event.received_at.checked_add(Self::KEPT_FOR).unwrap_or(Timestamp::MAX).as_second();
        let body = deflated(&event.body)?;
        let attributes = Self { body, received_at: event.received_at, processed: false, delete_after };
        to_item(keys::webhook(&event.gateway, &event.event_id), attributes)
    }

    pub(crate) fn read(
        gateway: &GatewayName,
        event_id: &str,
        item: Item,
    ) -> Result<WebhookEvent, StoreError> {
        let read: Self = from_item(item)?;
        Ok(WebhookEvent {
            gateway: gateway.clone(),
            event_id: event_id.to_owned(),
            body: inflated(&read.body)?,
            received_at: read.received_at,
        })
    }
}

/// What an item can hold, inflated by whatever it takes: nothing of ours is larger.
const MOST_INFLATED: u64 = 16 * 1_048_576;

fn deflated(bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
    let mut deflated = Vec::new();
    DeflateEncoder::new(bytes, Compression::fast()).read_to_end(&mut deflated).map_err(corrupt)?;
    Ok(deflated)
}

fn inflated(bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
    let mut inflated = Vec::new();
    DeflateDecoder::new(bytes).take(MOST_INFLATED).read_to_end(&mut inflated).map_err(corrupt)?;
    Ok(inflated)
}
