//! PayPal's adapter against scripts of what PayPal answers.

mod books;
mod cards;
mod charges;
mod disputes;
mod hints;
mod lookups;
mod refunds;
mod tokens;

use crate::bench::{API_KEY, request};
use crate::common::{Common, Covered, Window};
use crate::scripted::{Act, Received, Scripted, answer};
use async_trait::async_trait;
use fatura_application::ports::{ChargeLookup, Gateway, GatewaySecrets, Secrets, SecretsError};
use fatura_domain::charge::{Failure, FailureClass};
use fatura_domain::gateway::{ChargeOutcome, ChargeRequest, GatewayName, GatewayReference, Means, Token};
use fatura_domain::money::Money;
use fatura_gateways::{Http, PayPal, Timeouts};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const CLIENT_ID: &str = "client_AbC-1";
const ACCESS: &str = "A21AAF.access_token-1";
const VAULTED: &str = "8kk8451t";
const CAPTURE: &str = "2GG279541U471931P";
const ORDER: &str = "5O190127TN364715T";

/// For the common list, with certificates where PayPal's own would be fetched.
pub(crate) fn common() -> Common {
    Common {
        make: |http, at, secrets| {
            Arc::new(PayPal::new(http, at.clone(), secrets).with_certificates(at, hints::roots()))
        },
        more: &[("client_id", CLIENT_ID)],
        means: || card(VAULTED),
        key: Some("paypal-request-id"),
        aside: |asked, _| {
            if is_token(asked) { Some(granted(ACCESS, 32_400)) } else { hints::certificate(asked) }
        },
        captured: |order| {
            let told = json!({ "currency_code": order.amount.currency(), "value": order.amount.to_string() });
            let paid = with(paid(order), "/purchase_units/0/amount", told.clone());
            with(paid, "/purchase_units/0/payments/captures/0/amount", told).to_string()
        },
        // A token that PayPal has ended early looks like one that was never good.
        sent_at_401: 2,
        amount: |amount| {
            let currency = amount.currency().code();
            (currency != "KWD").then(|| format!(r#"{{"currency_code":"{currency}","value":"{amount}"}}"#))
        },
        reference: CAPTURE,
        webhook_secrets: hints::WEBHOOKS,
        now: hints::now,
        delivery: hints::notice,
        // It repeats a notice for three days, under the time of its first sending.
        covered: Covered {
            time: Some(Window { behind: 73 * 3_600, ahead: 300 }),
            not: &["paypal-auth-version"],
            ..Covered::BODY_AND_TIME
        },
    }
}

struct Told(Result<Option<GatewaySecrets>, SecretsError>);

#[async_trait]
impl Secrets for Told {
    async fn gateway(&self, _: &GatewayName) -> Result<Option<GatewaySecrets>, SecretsError> {
        self.0.clone()
    }
}

fn secrets(api_key: &str, webhooks: &[&str], more: &[(&str, &str)]) -> GatewaySecrets {
    GatewaySecrets {
        api_key: api_key.to_owned(),
        webhook_secrets: webhooks.iter().map(|&id| id.to_owned()).collect(),
        more: more.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
    }
}

fn told(more: &[(&str, &str)]) -> Arc<dyn Secrets> {
    let more: Vec<_> = [("client_id", CLIENT_ID)].iter().chain(more).copied().collect();
    Arc::new(Told(Ok(Some(secrets(API_KEY, &[], &more)))))
}

fn paypal(url: &str, timeouts: Timeouts, secrets: Arc<dyn Secrets>) -> PayPal {
    PayPal::new(Http::try_new(timeouts).unwrap(), url.parse().unwrap(), secrets)
}

fn gateway(server: &Scripted) -> PayPal {
    paypal(&server.url, Timeouts::default(), told(&[]))
}

/// For answers that never come.
fn impatient(server: &Scripted) -> PayPal {
    let total = Duration::from_millis(900);
    paypal(&server.url, Timeouts { connect: Duration::from_millis(300), total }, told(&[]))
}

/// Impatient where an answer never comes, and nowhere else: a busy machine is slow too.
fn waiting_for(act: &Act, server: &Scripted) -> PayPal {
    match act {
        Act::Begin(_) | Act::Silence => impatient(server),
        _ => gateway(server),
    }
}

fn is_token(asked: &Received) -> bool {
    asked.target == "/v1/oauth2/token"
}

fn granted(access_token: &str, expires_in: u32) -> Act {
    say(
        "200 OK",
        &json!({ "scope": "https://uri.paypal.com/services/payments", "access_token": access_token,
            "token_type": "Bearer", "app_id": "APP-80W284485P519543T", "expires_in": expires_in, "nonce": "n" }),
    )
}

/// A server that gives tokens, and does this to everything else.
async fn server(act: Act) -> Scripted {
    routed(move |_| act.clone()).await
}

async fn routed(route: impl Fn(&Received) -> Act + Send + Sync + 'static) -> Scripted {
    Scripted::routed(move |asked| if is_token(asked) { granted(ACCESS, 32_400) } else { route(asked) }).await
}

fn say(status: &str, body: &Value) -> Act {
    Act::Say(answer(status, "content-type: application/json\r\n", &body.to_string()))
}

/// What was asked first but for the token.
async fn sent(server: &mut Scripted) -> Received {
    loop {
        let asked = server.next().await;
        if !is_token(&asked) {
            assert_eq!(asked.header("authorization"), [format!("Bearer {ACCESS}")]);
            return asked;
        }
    }
}

fn order() -> ChargeRequest {
    request(card(VAULTED))
}

fn card(token: &str) -> Means {
    Means::CreditCard(Token(token.to_owned()))
}

fn money(minor: i64, currency: &str) -> Money {
    Money::try_new(minor, currency.parse().unwrap()).unwrap()
}

fn amount(value: &str) -> Value {
    json!({ "currency_code": "BRL", "value": value })
}

fn capture(order: &ChargeRequest, status: &str) -> Value {
    json!({
        "id": CAPTURE, "status": status, "amount": amount("123.45"), "final_capture": true,
        "custom_id": order.attempt, "invoice_id": order.attempt,
        "processor_response": { "avs_code": "Y", "cvv_code": "S", "response_code": "0000" },
        "supplementary_data": { "related_ids": { "order_id": ORDER } },
        "links": [{ "href": format!("https://api.paypal.com/v2/checkout/orders/{ORDER}"), "rel": "up", "method": "GET" }],
        "create_time": "2026-11-21T12:00:00Z", "update_time": "2026-11-21T12:00:00Z",
    })
}

/// An order with these captures in it.
fn made(order: &ChargeRequest, status: &str, captures: &[Value]) -> Value {
    json!({
        "id": ORDER, "intent": "CAPTURE", "status": status,
        "payment_source": { "card": { "last_digits": "1111", "brand": "VISA", "type": "CREDIT" } },
        "purchase_units": [{
            "reference_id": order.attempt, "custom_id": order.attempt, "invoice_id": order.attempt,
            "amount": amount("123.45"), "payee": { "merchant_id": "X5XAHHCG636FA" },
            "payments": { "captures": captures },
        }],
        "links": [{ "href": format!("https://api.paypal.com/v2/checkout/orders/{ORDER}"), "rel": "self", "method": "GET" }],
    })
}

/// One that charged.
fn paid(order: &ChargeRequest) -> Value {
    made(order, "COMPLETED", &[capture(order, "COMPLETED")])
}

fn with(mut told: Value, place: &str, value: Value) -> Value {
    *told.pointer_mut(place).unwrap_or_else(|| panic!("no {place}")) = value;
    told
}

fn problem(name: &str, issue: &str) -> Value {
    json!({ "name": name, "message": "The requested action could not be performed.", "debug_id": "90957fca61718",
        "details": [{ "field": "/x", "location": "body", "issue": issue, "description": "d" }] })
}

fn approved(minor: i64) -> ChargeOutcome {
    ChargeOutcome::Approved { reference: named(CAPTURE), captured: money(minor, "BRL") }
}

fn named(id: &str) -> GatewayReference {
    GatewayReference(id.to_owned())
}

fn theirs(order: &ChargeRequest, id: &str) -> ChargeLookup {
    ChargeLookup { attempt: order.attempt, reference: Some(named(id)) }
}

fn refused(outcome: &ChargeOutcome) -> Failure {
    let ChargeOutcome::Declined { failure, .. } = outcome else { panic!("{outcome:?}") };
    crate::contract::charging::keeps_secrets(outcome);
    failure.clone()
}

fn not_sent(outcome: &ChargeOutcome) -> Failure {
    let ChargeOutcome::NotSent { failure } = outcome else { panic!("{outcome:?}") };
    assert_eq!(failure.class, FailureClass::NotSent);
    crate::contract::charging::keeps_secrets(outcome);
    failure.clone()
}

#[tokio::test]
async fn its_name_and_limits() {
    let server = server(Act::Reset).await;
    let gateway = gateway(&server);
    assert_eq!(gateway.name().as_str(), "paypal");
    let capabilities = gateway.capabilities();
    assert_eq!(capabilities.idempotency_key_lifetime, jiff::SignedDuration::from_hours(6));
    assert!(!capabilities.looks_up_by_reference && !capabilities.retries_by_itself);
    assert!(!format!("{gateway:?}").contains(API_KEY));
}
