//! Notices: forms, with no signature. What makes one genuine is a secret that only Iugu was told: as `?secret=` in the
//! address, or as the value that it shows in `Authorization` (T that it is that header; U whether as it is or as Basic, so
//! either is good). Nothing else in them is believed: the invoice is fetched.

use super::Iugu;
use super::wire::Invoice;
use crate::brazil::is_plain;
use crate::brazil::shown::{basic, is_one_of, only_header, only_query};
use crate::trouble::Trouble;
use fatura_application::ports::{
    ChargeLookup, MalformedWebhook, WebhookDelivery, WebhookHint, WebhookRefusal, WebhookSubject,
};
use fatura_domain::gateway::GatewayReference;
use reqwest::Url;
use sha2::{Digest, Sha256};

pub(super) fn verify(delivery: &WebhookDelivery, secrets: &[String]) -> Result<(), WebhookRefusal> {
    let in_query = only_query(delivery, "secret").unwrap_or_default();
    let in_header = only_header(delivery, "authorization").unwrap_or_default();
    let written = secrets.iter().flat_map(|secret| [secret.clone(), basic(secret)]);
    // Both are looked at, whichever is there.
    let is_genuine = is_one_of(in_query, secrets.iter().cloned()) | is_one_of(in_header, written);
    if is_genuine { Ok(()) } else { Err(WebhookRefusal::BadSignature) }
}

pub(super) fn parse(body: &[u8]) -> Result<WebhookHint, MalformedWebhook> {
    let malformed = |what: &str| MalformedWebhook(what.to_owned());
    let text = std::str::from_utf8(body).map_err(|_| malformed("the form is no text"))?;
    let mut form = Url::parse("http://form.invalid/").map_err(|_| malformed("no form"))?;
    form.set_query(Some(text));
    let field = |wanted: &str| {
        let found = form.query_pairs().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.into_owned()).filter(|value| !value.is_empty() && value.len() <= 100)
    };
    let kind = field("event").ok_or_else(|| malformed("the event is missing or too long"))?;
    let about = match (kind.split_once('.'), field("data[status]").as_deref()) {
        (Some(("invoice", _)), Some("chargeback" | "in_protest")) => Some("dispute"),
        (Some(("invoice", _)), _) => Some("invoice"),
        _ => None,
    };
    let subject = match (about, field("data[id]").filter(|id| is_plain(id))) {
        (Some(about), Some(id)) => {
            Some(WebhookSubject::Unresolved(GatewayReference(format!("{about}/{id}"))))
        }
        (Some(_), None) => return Err(malformed("the invoice's id is missing or not plain")),
        (None, _) => None,
    };
    Ok(WebhookHint { event_id: hex::encode(Sha256::digest(body)), kind, subject })
}

impl Iugu {
    pub(super) async fn whose(&self, subject: &GatewayReference) -> Result<Option<WebhookSubject>, Trouble> {
        let Some((about, id)) = subject.0.split_once('/').filter(|(_, id)| is_plain(id)) else {
            return Ok(None);
        };
        let Some(answer) = self.desk.ask(&["v1", "invoices", id]).await? else { return Ok(None) };
        let invoice: Invoice = answer.json()?;
        let Some(attempt) = invoice.order_id.and_then(|ours| ours.parse().ok()) else { return Ok(None) };
        let lookup = ChargeLookup { attempt, reference: Some(GatewayReference(id.to_owned())) };
        Ok(Some(match about {
            "dispute" => WebhookSubject::Dispute(lookup),
            _ => WebhookSubject::Charge(lookup),
        }))
    }
}
