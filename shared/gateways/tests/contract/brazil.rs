//! What the Brazilian gateways are put through alike, against scripts.

use crate::bench::API_KEY;
use crate::contract::charging::{keeps_secrets, unknown};
use crate::scripted::{Act, Deserted, Received, Scripted, answer};
use async_trait::async_trait;
use fatura_application::ports::{
    ChargeLookup, Gateway, GatewaySecrets, Secrets, SecretsError, WebhookDelivery, WebhookRefusal,
};
use fatura_domain::Timestamp;
use fatura_domain::charge::{Failure, FailureClass};
use fatura_domain::gateway::{
    ChargeOutcome, ChargeRequest, GatewayName, GatewayReference, Means, PixKey, RefundRequest, StoreKey,
    StoreRequest, Token,
};
use fatura_domain::id::{CustomerId, RefundId};
use fatura_domain::money::{Currency, Money};
use fatura_gateways::{BaseUrl, Http, Timeouts};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

pub(crate) const SECRET: &str = "whsec_current";
pub(crate) const PREVIOUS: &str = "whsec_previous";
pub(crate) const NOW: i64 = 1_700_000_000;

pub(crate) struct Told(pub(crate) Result<Option<GatewaySecrets>, SecretsError>);

#[async_trait]
impl Secrets for Told {
    async fn gateway(&self, _: &GatewayName) -> Result<Option<GatewaySecrets>, SecretsError> {
        self.0.clone()
    }
}

pub(crate) fn told(webhook_secrets: &[&str], more: &[(&str, &str)]) -> Arc<dyn Secrets> {
    Arc::new(Told(Ok(Some(GatewaySecrets {
        api_key: API_KEY.to_owned(),
        webhook_secrets: webhook_secrets.iter().map(|&secret| secret.to_owned()).collect(),
        more: more.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
    }))))
}

pub(crate) type Make = fn(Http, BaseUrl, Arc<dyn Secrets>) -> Arc<dyn Gateway>;

/// One gateway, as the list below wants to know it.
pub(crate) struct Subject {
    pub(crate) make: Make,
    pub(crate) more: &'static [(&'static str, &'static str)],
    pub(crate) order: ChargeRequest,
    /// What a call is answered that comes before the one that charges.
    pub(crate) before: fn(&Received) -> Option<String>,
    /// The body of a success that answers the order.
    pub(crate) captured: String,
}

impl Subject {
    pub(crate) fn at(&self, url: &str) -> Arc<dyn Gateway> {
        self.with(url, Timeouts::default(), told(&[SECRET, PREVIOUS], self.more))
    }

    fn with(&self, url: &str, timeouts: Timeouts, secrets: Arc<dyn Secrets>) -> Arc<dyn Gateway> {
        (self.make)(Http::try_new(timeouts).unwrap(), url.parse().unwrap(), secrets)
    }

    async fn server(&self, act: Act) -> Scripted {
        let before = self.before;
        Scripted::routed(move |asked| match before(asked) {
            Some(body) => ok(&body),
            None => act.clone(),
        })
        .await
    }

    async fn charged(&self, act: Act) -> ChargeOutcome {
        let server = self.server(act).await;
        let total = Duration::from_millis(900);
        let timeouts = Timeouts { connect: Duration::from_millis(300), total };
        let gateway = self.with(&server.url, timeouts, told(&[SECRET], self.more));
        let outcome = gateway.charge(&self.order).await;
        keeps_secrets(&outcome);
        outcome
    }
}

/// Every trouble of the way. The question is always the same: may it have charged?
pub(crate) async fn troubles(subject: &Subject) {
    let whole = answer("201 Created", "", &subject.captured);
    let half = whole[..whole.len() - subject.captured.len() / 2].to_owned();
    let html = answer("200 OK", "content-type: text/html\r\n", "<html>Sorry</html>");
    for (act, code) in [
        (Act::Reset, "connection_lost"),
        (Act::Say(String::new()), "connection_lost"),
        (Act::Say(half), "unreadable_answer"),
        (Act::Silence, "timeout"),
        (Act::Say(html), "unreadable_answer"),
        (Act::Say(answer("200 OK", "", "{}")), "unreadable_answer"),
        (Act::Say(answer("500 Oops", "", &subject.captured)), "gateway_error"),
        (Act::Say(answer("503 Unavailable", "retry-after: 1\r\n", "")), "gateway_error"),
        (Act::Say(answer("409 Conflict", "", "{}")), "key_reused"),
    ] {
        assert_eq!(unknown(&subject.charged(act.clone()).await), code, "{act:?}");
    }
    let elsewhere = Scripted::answering("201 Created", "", &subject.captured).await;
    let moved = answer("302 Found", &format!("location: {}/\r\n", elsewhere.url), &subject.captured);
    assert_eq!(unknown(&subject.charged(Act::Say(moved)).await), "unexpected_status");
    assert_eq!(elsewhere.unseen(), 0);

    let limited = answer("429 Too Many Requests", "retry-after: 7\r\n", "{}");
    let outcome = subject.charged(Act::Say(limited)).await;
    let ChargeOutcome::NotSent { failure } = outcome else { panic!("{outcome:?}") };
    assert_eq!(failure.code, "rate_limited");
    assert!(failure.message.ends_with("retry after: 7"), "{}", failure.message);

    for status in ["401 Unauthorized", "403 Forbidden"] {
        let refused = refused(&subject.charged(Act::Say(answer(status, "", "{}"))).await);
        assert_eq!((refused.class, refused.code.as_str()), (FailureClass::Configuration, "unauthorized"));
    }
    asks_in_vain(subject).await;
    before_anything_is_sent(subject).await;
}

async fn asks_in_vain(subject: &Subject) {
    for act in [
        Act::Reset,
        Act::Say(answer("500 Oops", "", "")),
        Act::Say(answer("401 Unauthorized", "", "{}")),
        Act::Say(answer("429 Too Many Requests", "", "{}")),
        Act::Say(answer("200 OK", "", "<html>")),
        Act::Say(answer("302 Found", "location: /\r\n", "{}")),
    ] {
        let server = Scripted::always(act.clone()).await;
        let gateway = subject.at(&server.url);
        let lookup = ChargeLookup { attempt: subject.order.attempt, reference: None };
        unknown(&gateway.fetch_charge(&lookup).await);
        unknown(&gateway.cancel(&lookup).await);
    }
}

async fn before_anything_is_sent(subject: &Subject) {
    let server = Scripted::answering("201 Created", "", &subject.captured).await;
    let gateway = |secrets: Told| subject.with(&server.url, Timeouts::default(), Arc::new(secrets));
    let failure = refused(&gateway(Told(Ok(None))).charge(&subject.order).await);
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Configuration, "no_api_key"));
    let throttled = Told(Err(SecretsError("throttled".to_owned())));
    let outcome = gateway(throttled).charge(&subject.order).await;
    assert!(matches!(&outcome, ChargeOutcome::NotSent { failure } if failure.code == "secrets_unavailable"));

    let dollars =
        ChargeRequest { amount: Money::try_new(100, Currency::USD).unwrap(), ..subject.order.clone() };
    let failure = refused(&subject.at(&server.url).charge(&dollars).await);
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Configuration, "currency_not_offered"));
    assert_eq!(server.unseen(), 0);

    let gone = Deserted::new();
    let outcome = subject.at(&gone.url).charge(&subject.order).await;
    assert!(
        matches!(&outcome, ChargeOutcome::NotSent { failure } if failure.code == "unreachable"),
        "{outcome:?}"
    );
}

/// What the charge was refused for.
pub(crate) fn refused(outcome: &ChargeOutcome) -> Failure {
    let ChargeOutcome::Declined { failure, .. } = outcome else { panic!("{outcome:?}") };
    failure.clone()
}

pub(crate) fn ok(body: &str) -> Act {
    Act::Say(answer("200 OK", "", body))
}

pub(crate) fn say(status: &str, body: &Value) -> Act {
    Act::Say(answer(status, "", &body.to_string()))
}

pub(crate) fn asked(request: &Received, method: &str, target: &str) -> bool {
    request.method == method && request.target == target
}

/// The method, target and body of what was sent; the key is where it belongs.
pub(crate) async fn sent(server: &mut Scripted, authorization: &str) -> (String, Value) {
    let sent = server.next().await;
    assert_eq!(sent.header("authorization"), [authorization]);
    let keys = sent.headers.iter().filter(|(_, value)| value.contains(API_KEY)).count();
    assert!(keys <= 1 && !sent.target.contains(API_KEY));
    let body = if sent.body.is_empty() { Value::Null } else { serde_json::from_slice(&sent.body).unwrap() };
    (format!("{} {}", sent.method, sent.target), body)
}

pub(crate) fn card(token: &str) -> Means {
    Means::CreditCard(Token(token.to_owned()))
}

pub(crate) fn pix(key: &str) -> Means {
    Means::Pix(PixKey(key.to_owned()))
}

pub(crate) fn brl(minor: i64) -> Money {
    Money::try_new(minor, Currency::BRL).unwrap()
}

pub(crate) fn theirs(order: &ChargeRequest, id: &str) -> ChargeLookup {
    ChargeLookup { attempt: order.attempt, reference: Some(GatewayReference(id.to_owned())) }
}

/// Ordered at noon.
pub(crate) fn refund_of(charge: &str, minor: i64) -> RefundRequest {
    let refund = RefundId::new(CustomerId::new(42), "2026-11-21T12:00:00Z".parse().unwrap(), 1);
    RefundRequest { refund, charge: GatewayReference(charge.to_owned()), amount: brl(minor) }
}

pub(crate) fn to_store(token: &str) -> StoreRequest {
    let customer = CustomerId::new(42);
    StoreRequest {
        key: StoreKey("store-5f0c9a".to_owned()),
        customer,
        name: "Ana Souza".to_owned(),
        email: "ana@example.com".to_owned(),
        token: Token(token.to_owned()),
    }
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

/// A delivery is judged by a gateway that is never called.
pub(crate) fn judge(make: Make, secrets: &[&str]) -> Arc<dyn Gateway> {
    let http = Http::try_new(Timeouts::default()).unwrap();
    make(http, "http://127.0.0.1:1".parse().unwrap(), told(secrets, &[]))
}

pub(crate) async fn verdict(make: Make, delivery: &WebhookDelivery) -> Result<(), WebhookRefusal> {
    judge(make, &[SECRET, PREVIOUS]).verify_webhook(delivery, now()).await
}

/// Without a secret nothing is genuine, and an empty one is none.
pub(crate) async fn without_secrets(make: Make, delivery: &WebhookDelivery) {
    for secrets in [&[][..], &[""]] {
        let refusal = judge(make, secrets).verify_webhook(delivery, now()).await;
        assert_eq!(refusal, Err(WebhookRefusal::NoSecret));
    }
    let refusal = judge(make, &["whsec_of_another_account"]).verify_webhook(delivery, now()).await;
    assert_eq!(refusal, Err(WebhookRefusal::BadSignature));
}
