//! Notices: the whole order, with `x-authenticity-token` beside it: the SHA-256 of the account's token, a hyphen and the
//! body (T). There is no time in it, so only our remembering of the body's digest keeps it from being played again; and in
//! PagBank's sandbox the header is said to be missing, where every notice is refused.

use super::wire::Order;
use crate::brazil::is_plain;
use crate::brazil::shown::only_header;
use fatura_application::ports::{
    ChargeLookup, MalformedWebhook, WebhookDelivery, WebhookHint, WebhookRefusal, WebhookSubject,
};
use fatura_domain::gateway::GatewayReference;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

pub(super) fn verify(delivery: &WebhookDelivery, tokens: &[String]) -> Result<(), WebhookRefusal> {
    let mut given = [0; 32];
    let header = only_header(delivery, "x-authenticity-token").ok_or(WebhookRefusal::BadSignature)?;
    hex::decode_to_slice(header, &mut given).map_err(|_| WebhookRefusal::BadSignature)?;
    let genuine = tokens.iter().fold(Choice::from(0), |genuine, token| {
        let expected = Sha256::new_with_prefix(token).chain_update(b"-").chain_update(&delivery.body);
        genuine | expected.finalize().as_slice().ct_eq(&given)
    });
    if bool::from(genuine) { Ok(()) } else { Err(WebhookRefusal::BadSignature) }
}

pub(super) fn parse(body: &[u8]) -> Result<WebhookHint, MalformedWebhook> {
    let order: Order = serde_json::from_slice(body).map_err(|error| {
        MalformedWebhook(format!("{:?} error at column {}", error.classify(), error.column()))
    })?;
    if !is_plain(&order.id) {
        return Err(MalformedWebhook("the order's id is not plain".to_owned()));
    }
    let attempt = order.reference_id.and_then(|ours| ours.parse().ok());
    let reference = Some(GatewayReference(order.id));
    Ok(WebhookHint {
        event_id: hex::encode(Sha256::digest(body)),
        kind: "order".to_owned(),
        subject: attempt.map(|attempt| WebhookSubject::Charge(ChargeLookup { attempt, reference })),
    })
}
