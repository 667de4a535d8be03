//! Notices. The signature covers the id in the query, the request's id and the time, and not the body: so the body is not
//! kept, and nothing of it is read. The topic in the query isn't covered either; it only chooses what is asked about.

use super::MercadoPago;
use super::wire::{Chargeback, Id, Payment};
use crate::brazil::is_plain;
use crate::brazil::shown::{only_header, only_query};
use crate::trouble::Trouble;
use fatura_application::ports::{
    ChargeLookup, MalformedWebhook, WebhookDelivery, WebhookHint, WebhookRefusal, WebhookSubject,
};
use fatura_domain::Timestamp;
use fatura_domain::gateway::GatewayReference;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

const TOLERANCE_MS: u64 = 300_000;
/// U whether `ts` is in seconds or milliseconds: the documents show both. Beyond this it is milliseconds; as seconds it
/// would be the year 5138.
const LAST_SECOND: i64 = 99_999_999_999;

pub(super) fn verify(
    delivery: &WebhookDelivery,
    secrets: &[String],
    now: Timestamp,
) -> Result<(), WebhookRefusal> {
    let signed = Signed::of(delivery).ok_or(WebhookRefusal::BadSignature)?;
    let genuine =
        secrets.iter().fold(Choice::from(0), |genuine, secret| genuine | signed.is_by(secret.as_bytes()));
    if !bool::from(genuine) {
        return Err(WebhookRefusal::BadSignature);
    }
    if signed.at_ms.abs_diff(now.as_millisecond()) > TOLERANCE_MS {
        return Err(WebhookRefusal::Stale);
    }
    Ok(())
}

struct Signed<'a> {
    data_id: &'a str,
    request_id: &'a str,
    ts: &'a str,
    at_ms: i64,
    v1: [u8; 32],
}

impl<'a> Signed<'a> {
    /// All three parts have to be there. Mercado Pago leaves out of the signature what a notice lacks, and what is left
    /// would then say less than we rely on.
    fn of(delivery: &'a WebhookDelivery) -> Option<Self> {
        let (mut ts, mut v1) = (None, None);
        for element in only_header(delivery, "x-signature")?.split(',') {
            match element.trim().split_once('=')? {
                ("ts", value) if ts.is_none() => ts = Some(value),
                ("v1", value) if v1.is_none() => v1 = Some(value),
                ("ts" | "v1", _) => return None,
                _ => {}
            }
        }
        let (ts, mut digest) = (ts?, [0; 32]);
        hex::decode_to_slice(v1?, &mut digest).ok()?;
        let data_id = only_query(delivery, "data.id").filter(|id| is_plain(id))?;
        let request_id = only_header(delivery, "x-request-id").filter(|id| is_plain(id))?;
        Some(Self { data_id, request_id, ts, at_ms: unix_ms(ts)?, v1: digest })
    }

    /// U whether the id is signed as it came or in small letters: the SDKs changed from the one to the other in June
    /// 2026, sdk-go has not. Payments' ids are digits, where it is the same; for the rest either is good, since nobody
    /// without the secret can make either.
    fn is_by(&self, secret: &[u8]) -> Choice {
        let as_it_came = self.digest(secret, self.data_id);
        let in_small_letters = self.digest(secret, &self.data_id.to_ascii_lowercase());
        as_it_came | in_small_letters
    }

    fn digest(&self, secret: &[u8], data_id: &str) -> Choice {
        // HMAC takes a key of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return Choice::from(0) };
        mac.update(format!("id:{data_id};request-id:{};ts:{};", self.request_id, self.ts).as_bytes());
        mac.finalize().into_bytes().as_slice().ct_eq(&self.v1)
    }
}

fn unix_ms(text: &str) -> Option<i64> {
    let plain = (1..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse::<i64>().ok().filter(|_| plain)?;
    if number > LAST_SECOND { Some(number) } else { number.checked_mul(1_000) }
}

/// What is left of a notice: what was signed, and the topic.
#[derive(Serialize, Deserialize)]
struct Kept {
    data_id: String,
    request_id: String,
    topic: String,
}

pub(super) fn kept(delivery: &WebhookDelivery) -> Vec<u8> {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let kept = Kept {
        data_id: text(only_query(delivery, "data.id")),
        request_id: text(only_header(delivery, "x-request-id")),
        topic: text(only_query(delivery, "type")),
    };
    serde_json::to_vec(&kept).unwrap_or_default()
}

pub(super) fn parse(body: &[u8]) -> Result<WebhookHint, MalformedWebhook> {
    let kept: Kept = serde_json::from_slice(body).map_err(|error| {
        MalformedWebhook(format!("{:?} error at column {}", error.classify(), error.column()))
    })?;
    if !is_plain(&kept.data_id) || !is_plain(&kept.request_id) {
        return Err(MalformedWebhook("the ids are not plain".to_owned()));
    }
    if kept.topic.is_empty() || kept.topic.len() > 100 {
        return Err(MalformedWebhook("the topic is missing or too long".to_owned()));
    }
    let about = match kept.topic.as_str() {
        "payment" => Some("payment"),
        // K which of the two is written.
        "chargebacks" | "topic_chargebacks_wh" => Some("chargeback"),
        _ => None,
    };
    let subject = about.map(|kind| GatewayReference(format!("{kind}/{}", kept.data_id)));
    Ok(WebhookHint {
        // Both parts are signed. What happened is not, so it must not tell notices apart either.
        event_id: format!("{}-{}", kept.data_id, kept.request_id),
        kind: kept.topic,
        subject: subject.map(WebhookSubject::Unresolved),
    })
}

impl MercadoPago {
    pub(super) async fn whose(&self, subject: &GatewayReference) -> Result<Option<WebhookSubject>, Trouble> {
        match subject.0.split_once('/') {
            Some(("payment", id)) => Ok(self.charge_by_id(id).await?.map(WebhookSubject::Charge)),
            Some(("chargeback", id)) if is_plain(id) => {
                let Some(answer) = self.desk.ask(&["v1", "chargebacks", id]).await? else { return Ok(None) };
                let case: Chargeback = answer.json()?;
                let Some(payment) = case.payments.first() else { return Ok(None) };
                Ok(self.charge_by_id(&payment.0).await?.map(WebhookSubject::Dispute))
            }
            _ => Ok(None),
        }
    }

    async fn charge_by_id(&self, id: &str) -> Result<Option<ChargeLookup>, Trouble> {
        let reference = GatewayReference(id.to_owned());
        let Some(id) = Id::of(&reference) else { return Ok(None) };
        let Some(answer) = self.desk.ask(&["v1", "payments", id]).await? else { return Ok(None) };
        let payment: Payment = answer.json()?;
        let attempt = payment.external_reference.and_then(|ours| ours.parse().ok());
        Ok(attempt.map(|attempt| ChargeLookup { attempt, reference: Some(reference) }))
    }
}
