//! Stripe's adapter against what others wrote: localstripe, and Stripe's own SDK on signatures.
//! `tests/gateways-outside/run.py` installs both and runs these.

use super::StripeBench;
use crate::bench::{Bench, Vault, WEBHOOK_SECRET, by_ours, request};
use crate::contract::charging::approved;
use crate::localstripe::Localstripe;
use crate::scripted::Scripted;
use fatura_application::ports::{ChargeLookup, WebhookDelivery, WebhookRefusal, WebhookSubject};
use fatura_domain::Timestamp;
use fatura_domain::gateway::{
    ChargeOutcome, Means, RefundOutcome, RefundRequest, StoreKey, StoreOutcome, StoreRequest, Token,
};
use fatura_domain::id::RefundId;
use fatura_domain::money::{Currency, Money};
use fatura_gateways::Timeouts;
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::{Command, Stdio};

const ENV: &str = "runs under tests/gateways-outside/run.py";

fn outside(name: &str) -> String {
    std::env::var(name).expect(ENV)
}

/// What the SDK says: its output, and whether it believes.
fn oracle(arguments: &[&str], body: &[u8]) -> (bool, String) {
    let mut child = Command::new(outside("ORACLE_PYTHON"))
        .arg(outside("STRIPE_ORACLE"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(body).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

fn delivery(body: &[u8], signature: &str) -> WebhookDelivery {
    let headers = vec![("stripe-signature".to_owned(), signature.to_owned())];
    WebhookDelivery { body: body.to_vec(), headers, query: Vec::new() }
}

#[tokio::test]
#[ignore = "needs localstripe: make gateways-outside"]
async fn a_card_is_kept_charged_and_given_back_at_localstripe() {
    let localstripe = Localstripe::start();
    let url = &localstripe.url;
    let bench = StripeBench::start().await;
    let gateway = bench.adapter(url, Timeouts::default(), Vault::full());
    gateway.check().await.unwrap();
    let mut intake = Scripted::answering("200 OK", "", "").await;
    let webhook =
        json!({ "url": intake.url, "secret": WEBHOOK_SECRET, "events": ["payment_intent.succeeded"] });
    let answer = reqwest::Client::new().post(format!("{url}/_config/webhooks/fatura")).json(&webhook);
    assert!(answer.send().await.unwrap().status().is_success());

    let order = request(super::card("pm_visa"));
    let owner = order.invoice().owner();
    // A card as the form in the browser makes it.
    let card = json!({ "number": "4242424242424242", "exp_month": 12, "exp_year": 2030, "cvc": "123" });
    let made = reqwest::Client::new()
        .post(format!("{url}/v1/payment_methods"))
        .bearer_auth("sk_test_form")
        .json(&json!({ "type": "card", "card": card }));
    let made: Value = made.send().await.unwrap().json().await.unwrap();
    let store = StoreRequest {
        key: StoreKey(format!("store-{}", Timestamp::now())),
        customer: owner,
        name: "Ana & Cia".to_owned(),
        email: "ana+fatura@example.com".to_owned(),
        token: Token(made["id"].as_str().unwrap().to_owned()),
    };
    let StoreOutcome::Stored(token) = gateway.store_method(&store).await else { panic!("not stored") };
    let (customer, method) = token.0.split_once('/').unwrap();
    let kept: Value = reqwest::Client::new()
        .get(format!("{url}/v1/customers/{customer}"))
        .bearer_auth("sk_test_truth")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        (kept["name"].as_str(), kept["email"].as_str()),
        (Some("Ana & Cia"), Some("ana+fatura@example.com"))
    );
    assert_eq!(
        (made["id"].as_str(), kept["metadata"]["customer"].as_str()),
        (Some(method), Some(owner.to_string().as_str()))
    );

    let order = fatura_domain::gateway::ChargeRequest { means: Means::CreditCard(token.clone()), ..order };
    let charged = gateway.charge(&order).await;
    let reference = approved(&charged, &order);
    let lookup = ChargeLookup { reference: Some(reference.clone()), ..by_ours(&order) };
    assert_eq!(gateway.fetch_charge(&lookup).await, charged);
    assert_eq!(gateway.cancel(&lookup).await, charged, "too late");
    let stranger = request(super::card("pm_visa"));
    let theirs = ChargeLookup { reference: Some(reference.clone()), ..by_ours(&stranger) };
    assert!(matches!(gateway.fetch_charge(&theirs).await, ChargeOutcome::Unknown { .. }));

    let amount = Money::try_new(345, Currency::BRL).unwrap();
    let refund =
        RefundRequest { refund: RefundId::new(owner, Timestamp::now(), 7), charge: reference, amount };
    let given = gateway.refund(&refund).await;
    assert!(matches!(&given, RefundOutcome::Succeeded { amount: told, .. } if *told == amount), "{given:?}");
    assert_eq!(gateway.fetch_refund(&refund).await, Some(given));
    let other = RefundRequest { refund: RefundId::new(owner, Timestamp::now(), 8), ..refund };
    assert_eq!(gateway.fetch_refund(&other).await, None);

    let sent = intake.next().await;
    let genuine = WebhookDelivery { body: sent.body, headers: sent.headers, query: Vec::new() };
    assert_eq!(gateway.verify_webhook(&genuine, Timestamp::now()).await, Ok(()));
    let hint = gateway.parse_webhook(&genuine.body).unwrap();
    assert_eq!(
        (hint.kind.as_str(), hint.subject),
        ("payment_intent.succeeded", Some(WebhookSubject::Charge(lookup)))
    );
    let mut forged = genuine;
    forged.body[10] ^= 1;
    assert_eq!(gateway.verify_webhook(&forged, Timestamp::now()).await, Err(WebhookRefusal::BadSignature));

    assert_eq!(gateway.detach_method(&token).await, Ok(()));
    assert_eq!(gateway.detach_method(&token).await, Ok(()));
}

#[tokio::test]
#[ignore = "needs Stripe's SDK: make gateways-outside"]
async fn what_the_sdk_signs_is_genuine_and_nothing_else() {
    let gateway = StripeBench::start().await.gateway();
    let now = Timestamp::now();
    let body = r#"{"id":"evt_1","object":"event","type":"charge.refunded","name":"Ção"}"#.as_bytes();
    let sign = |secret: &str, at: i64| oracle(&["sign", secret, &at.to_string()], body).1;
    for (secret, at, expected) in [
        (WEBHOOK_SECRET, 0, Ok(())),
        (WEBHOOK_SECRET, -290, Ok(())),
        (WEBHOOK_SECRET, -310, Err(WebhookRefusal::Stale)),
        (WEBHOOK_SECRET, 310, Err(WebhookRefusal::Stale)),
        ("whsec_other", 0, Err(WebhookRefusal::BadSignature)),
    ] {
        let header = sign(secret, now.as_second() + at);
        assert_eq!(gateway.verify_webhook(&delivery(body, &header), now).await, expected, "{secret} {at}");
        if expected.is_ok() {
            for place in [0, body.len() / 2, body.len() - 1] {
                let mut forged = body.to_vec();
                forged[place] ^= 1;
                let refused = gateway.verify_webhook(&delivery(&forged, &header), now).await;
                assert_eq!(refused, Err(WebhookRefusal::BadSignature));
            }
        }
    }
}

/// What our tests sign is what Stripe signs: so their negatives are refused for the reason that they name.
#[tokio::test]
#[ignore = "needs Stripe's SDK: make gateways-outside"]
async fn what_our_tests_sign_is_genuine_to_the_sdk() {
    let bench = StripeBench::start().await;
    let body = bench.event("evt_1", &by_ours(&request(super::card("pm_visa"))));
    let now = Timestamp::now().as_second();
    for (secret, at, is_genuine) in
        [(WEBHOOK_SECRET, now, true), (WEBHOOK_SECRET, now - 400, false), ("whsec_other", now, false)]
    {
        let signed = bench.signed(&body, secret, at);
        let [(_, header)] = &signed.headers[..] else { panic!("one header") };
        assert_eq!(oracle(&["check", WEBHOOK_SECRET, header], &signed.body).0, is_genuine, "{secret} {at}");
        let mut forged = signed.body.clone();
        forged[10] ^= 1;
        assert!(!oracle(&["check", WEBHOOK_SECRET, header], &forged).0);
    }
}
