//! Each gateway's webhooks: whose they are, and what they are about. Nothing that was signed by nobody is genuine, and a hint is
//! short and plain enough to be a key and a line in a log.

use super::{Subject, Target, bytes_of};
use crate::corpus;
use crate::request::split_at_empty_line;
use async_trait::async_trait;
use fatura_application::ports::{Gateway, GatewaySecrets, Secrets, SecretsError, WebhookDelivery};
use fatura_domain::Timestamp;
use fatura_domain::gateway::GatewayName;
use fatura_gateways::{
    Adyen, BaseUrl, Http, Iugu, MercadoPago, PagBank, PayPal, Sandbox, Stripe, Timeouts, Vindi,
};
use rustls::RootCertStore;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// When the samples of the corpus were signed.
const SIGNED_AT: i64 = 1_700_000_000;
/// Hexadecimal, as Adyen's keys are; to the others a word like any.
const SECRET: &str = "44782def547aaa06c910c43932b1eb0c71fc68d9d0c057550c48ec2acf6ba056";
/// Of what becomes a part of a key.
const LONGEST_ID: usize = 255;
const LONGEST_KIND: usize = 100;

pub(super) const ADYEN: Target =
    webhook("webhook-adyen", || open("webhook-adyen", |http, at| Arc::new(Adyen::new(http, at, known()))));
pub(super) const IUGU: Target =
    webhook("webhook-iugu", || open("webhook-iugu", |http, at| Arc::new(Iugu::new(http, at, known()))));
pub(super) const MERCADO_PAGO: Target = webhook("webhook-mercado-pago", || {
    open("webhook-mercado-pago", |http, at| Arc::new(MercadoPago::new(http, at, known())))
});
pub(super) const PAGBANK: Target = webhook("webhook-pagbank", || {
    open("webhook-pagbank", |http, at| Arc::new(PagBank::new(http, at, known())))
});
/// Certificates are asked for where nobody is: nothing leaves this machine.
pub(super) const PAYPAL: Target = webhook("webhook-paypal", || {
    open("webhook-paypal", |http, at| {
        let paypal = PayPal::new(http, at.clone(), known());
        Arc::new(paypal.with_certificates(at, RootCertStore::empty()))
    })
});
pub(super) const SANDBOX: Target = webhook("webhook-sandbox", || {
    open("webhook-sandbox", |http, at| Arc::new(Sandbox::new(http, at, known())))
});
pub(super) const STRIPE: Target =
    webhook("webhook-stripe", || open("webhook-stripe", |http, at| Arc::new(Stripe::new(http, at, known()))));
pub(super) const VINDI: Target =
    webhook("webhook-vindi", || open("webhook-vindi", |http, at| Arc::new(Vindi::new(http, at, known()))));

const fn webhook(name: &'static str, open: fn() -> Subject) -> Target {
    Target { tries: 2_000, ..Target::pure(name, words, open) }
}

fn words() -> Vec<Vec<u8>> {
    bytes_of(&[
        "id",
        "type",
        "data",
        "object",
        "metadata",
        "attempt",
        "refund",
        "payment_intent",
        "dispute",
        "event",
        "bill",
        "charge",
        "code",
        "reference_id",
        "event_type",
        "resource",
        "resource_type",
        "custom_id",
        "purchase_units",
        "links",
        "notificationItems",
        "NotificationRequestItem",
        "amount",
        "value",
        "currency",
        "AUTHORISATION",
        "REFUND",
        "CHARGEBACK",
        "success",
        "true",
        "false",
        "t=1700000000,",
        "v1=",
        "?data.id=",
        "?secret=",
        "data[id]=",
        "event=",
        ":",
        SECRET,
        "att_0GW4WMSE186601M7YFV7HPB4D48V01",
    ])
}

struct Known;

fn known() -> Arc<dyn Secrets> {
    Arc::new(Known)
}

#[async_trait]
impl Secrets for Known {
    async fn gateway(&self, _: &GatewayName) -> Result<Option<GatewaySecrets>, SecretsError> {
        Ok(Some(GatewaySecrets {
            api_key: "key".to_owned(),
            webhook_secrets: vec![SECRET.to_owned()],
            more: [("merchant_account".to_owned(), "FaturaBR".to_owned())].into(),
        }))
    }
}

fn open(name: &'static str, make: fn(Http, BaseUrl) -> Arc<dyn Gateway>) -> Subject {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let http = Http::try_new(Timeouts::default()).unwrap();
    let gateway = make(http, "http://127.0.0.1:1".parse().unwrap());
    let now = Timestamp::from_second(SIGNED_AT).unwrap();
    let genuine = corpus::seeds(name);
    let genuine = genuine.iter().flat_map(|seed| parts(&gateway.kept_body(&delivery(seed))));
    let genuine: BTreeSet<Vec<u8>> = genuine.collect();
    Subject::new(move |input| {
        let delivery = delivery(input);
        let verdict = runtime.block_on(gateway.verify_webhook(&delivery, now));
        let kept = gateway.kept_body(&delivery);
        // Where a secret is shown instead of signing with it, whoever knows it may say anything.
        if verdict.is_ok() && signs(name) {
            assert!(parts(&kept).is_subset(&genuine), "genuine, and signed by nobody");
        }
        for body in [&kept, &delivery.body] {
            read(&*gateway, body);
        }
    })
}

/// What is signed by itself: the whole, or each of several events in one body.
fn parts(kept: &[u8]) -> BTreeSet<Vec<u8>> {
    match serde_json::from_slice(kept) {
        Ok(Value::Array(items)) => items.iter().map(|item| item.to_string().into_bytes()).collect(),
        _ => [kept.to_vec()].into(),
    }
}

fn signs(name: &str) -> bool {
    ["webhook-adyen", "webhook-pagbank", "webhook-sandbox", "webhook-stripe"].contains(&name)
}

fn read(gateway: &dyn Gateway, body: &[u8]) {
    drop(gateway.told(body));
    let hint = gateway.parse_webhook(body);
    assert_eq!(hint, gateway.parse_webhook(body), "read once and once more");
    if let Ok(hint) = hint {
        let is_plain = hint.event_id.bytes().all(|byte| byte.is_ascii_graphic());
        assert!((1..=LONGEST_ID).contains(&hint.event_id.len()) && is_plain, "{}", hint.event_id);
        assert!((1..=LONGEST_KIND).contains(&hint.kind.len()), "{}", hint.kind);
    }
}

/// `name: value` is a header, `?name=value` of the query; after an empty line comes the body.
fn delivery(input: &[u8]) -> WebhookDelivery {
    let (head, body) = split_at_empty_line(input);
    let head = String::from_utf8_lossy(head);
    let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let (queries, headers): (Vec<&str>, Vec<&str>) = head.lines().partition(|line| line.starts_with('?'));
    WebhookDelivery {
        body: body.to_vec(),
        headers: headers.iter().filter_map(|line| line.split_once(": ")).map(pair).collect(),
        query: queries.iter().filter_map(|line| line[1..].split_once('=')).map(pair).collect(),
    }
}
