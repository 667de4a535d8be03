//! Standard webhooks. Each of a body's items has a signature of its own, over eight of its fields; those are kept, and
//! nothing else is read. The time is not covered, so a delivery never grows stale: that the same fields are the same event,
//! and every effect takes place once, is what makes a replay harmless.
//!
//! The fields are joined by colons and not escaped (D: the SDKs of Node and Python), so a colon within one could be moved
//! to another one's border. What has one is kept, and vouches for nothing.

use super::words;
use crate::brazil::is_plain;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fatura_application::ports::{MalformedWebhook, Told, WebhookDelivery, WebhookHint, WebhookRefusal};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// D: up to six. What is looked at before anything is known to be genuine.
const MAX_ITEMS: usize = 20;
const MAX_FIELD: usize = 200;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delivery {
    notification_items: Vec<Wrapped>,
}

#[derive(Deserialize)]
struct Wrapped {
    #[serde(rename = "NotificationRequestItem")]
    item: Item,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Signature {
    hmac_signature: String,
}

/// What is signed of an event, and by what until that has been verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Item {
    pub(super) psp_reference: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) original_reference: Option<String>,
    pub(super) merchant_account_code: String,
    #[serde(default)]
    pub(super) merchant_reference: String,
    pub(super) amount: super::wire::Amount,
    pub(super) event_code: String,
    pub(super) success: String,
    #[serde(default, skip_serializing)]
    additional_data: Option<Signature>,
}

impl Item {
    /// Left out or empty, it is signed the same; kept both ways, one event would be two.
    fn in_one_spelling(self) -> Self {
        Self { original_reference: self.original_reference.filter(|reference| !reference.is_empty()), ..self }
    }

    fn fields(&self) -> [&str; 7] {
        [
            &self.psp_reference,
            self.original_reference.as_deref().unwrap_or_default(),
            &self.merchant_account_code,
            &self.merchant_reference,
            &self.amount.currency,
            &self.event_code,
            &self.success,
        ]
    }

    fn signed_text(&self) -> String {
        let [psp, original, account, reference, currency, event, success] = self.fields();
        let value = self.amount.value;
        format!("{psp}:{original}:{account}:{reference}:{value}:{currency}:{event}:{success}")
    }

    /// Whether there is one way only to read what was signed.
    fn is_unambiguous(&self) -> bool {
        self.fields().iter().all(|field| !field.contains(':') && field.len() <= MAX_FIELD)
    }
}

/// The accounts and keys of ours that a webhook can be for.
pub(super) struct Keys {
    merchant_account: String,
    keys: Vec<Vec<u8>>,
}

impl Keys {
    /// None: nothing could be verified. A key that isn't hexadecimal is one that was copied wrongly.
    pub(super) fn of(merchant_account: Option<&String>, webhook_secrets: &[String]) -> Option<Self> {
        let merchant_account = merchant_account.filter(|account| !account.is_empty())?.clone();
        let keys = webhook_secrets.iter().filter_map(|secret| hex::decode(secret).ok());
        let keys: Vec<Vec<u8>> = keys.filter(|key| !key.is_empty()).collect();
        (!keys.is_empty()).then_some(Self { merchant_account, keys })
    }

    fn has_signed(&self, item: &Item) -> bool {
        let given = item.additional_data.as_ref().map(|signature| STANDARD.decode(&signature.hmac_signature));
        let Some(Ok(given)) = given else { return false };
        let text = item.signed_text();
        // All are tried, whichever matches: the time taken says nothing about which one did.
        let genuine = self.keys.iter().fold(Choice::from(0), |genuine, key| {
            // HMAC takes a key of any length.
            let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return genuine };
            mac.update(text.as_bytes());
            genuine | mac.finalize().into_bytes().as_slice().ct_eq(&given)
        });
        bool::from(genuine) && item.merchant_account_code == self.merchant_account
    }
}

/// Every item has to be genuine and ours: one that isn't was put among the others by somebody else.
pub(super) fn verify(delivery: &WebhookDelivery, keys: &Keys) -> Result<(), WebhookRefusal> {
    let items = items(delivery).ok_or(WebhookRefusal::BadSignature)?;
    let is_genuine =
        !items.is_empty() && items.len() <= MAX_ITEMS && items.iter().all(|item| keys.has_signed(item));
    if is_genuine { Ok(()) } else { Err(WebhookRefusal::BadSignature) }
}

fn items(delivery: &WebhookDelivery) -> Option<Vec<Item>> {
    let delivery: Delivery = serde_json::from_slice(&delivery.body).ok()?;
    Some(delivery.notification_items.into_iter().map(|wrapped| wrapped.item.in_one_spelling()).collect())
}

/// The signed fields alone, always written in the same way.
pub(super) fn kept(delivery: &WebhookDelivery) -> Vec<u8> {
    let items = items(delivery).unwrap_or_default();
    serde_json::to_vec(&items).unwrap_or_default()
}

fn of_kept(body: &[u8]) -> Result<Vec<Item>, MalformedWebhook> {
    let items: Vec<Item> = serde_json::from_slice(body).map_err(|error| {
        MalformedWebhook(format!("{:?} error at column {}", error.classify(), error.column()))
    })?;
    if items.is_empty() {
        return Err(MalformedWebhook("there is nothing in it".to_owned()));
    }
    Ok(items)
}

/// There are no ids of events, and nothing can be asked about: what counts is what [`told`] reads.
pub(super) fn parse(body: &[u8]) -> Result<WebhookHint, MalformedWebhook> {
    let items = of_kept(body)?;
    let kind = match &items[..] {
        [one] if is_plain(&one.event_code) => one.event_code.clone(),
        [_] => return Err(MalformedWebhook("the event's code is not plain".to_owned())),
        _ => "several".to_owned(),
    };
    Ok(WebhookHint { event_id: hex::encode(Sha256::digest(body)), kind, subject: None })
}

pub(super) fn told(body: &[u8]) -> Vec<Told> {
    let items = of_kept(body).unwrap_or_default();
    items.iter().filter(|item| item.is_unambiguous()).filter_map(words::told).collect()
}
