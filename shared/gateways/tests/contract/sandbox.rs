//! The sandbox's adapter with the real sandbox, in process.

mod disputes;
mod hints;
mod movements;

use crate::bench::{
    API_KEY, Bench, PREVIOUS_WEBHOOK_SECRET, Vault, WEBHOOK_SECRET, Wanted, WireOrder, by_ours, request,
};
use crate::common::{Common, Covered};
use crate::contract::charging::{approved, unknown};
use crate::scripted::Scripted;
use async_trait::async_trait;
use fatura_application::ports::{ChargeLookup, Gateway, Secrets, WebhookDelivery};
use fatura_domain::charge::FailureClass;
use fatura_domain::gateway::{
    ChargeOutcome, ChargeRequest, DisputeVerdict, GatewayReference, Means, MeansType, PendingAction, PixKey,
    Token,
};
use fatura_domain::id::AttemptId;
use fatura_domain::money::{Currency, Money};
use fatura_gateways::{Http, Sandbox, Timeouts};
use hmac::{Hmac, KeyInit, Mac};
use sandbox_gateway::Config;
use serde_json::{Value, json};
use std::sync::Arc;

crate::every_gateway!(SandboxBench);

struct SandboxBench {
    server: sandbox_gateway::Sandbox,
    client: reqwest::Client,
}

#[async_trait]
impl Bench for SandboxBench {
    async fn start() -> Self {
        Self::telling(None).await
    }

    fn adapter(&self, at: &str, timeouts: Timeouts, secrets: Arc<dyn Secrets>) -> Arc<dyn Gateway> {
        Arc::new(Sandbox::new(Http::try_new(timeouts).unwrap(), at.parse().unwrap(), secrets))
    }

    fn url(&self) -> &str {
        self.server.url()
    }

    async fn charges(&self, attempt: AttemptId) -> usize {
        let truth = format!("{}/charges?reference={attempt}", self.url());
        let found: Value = self.client.get(truth).send().await.unwrap().json().await.unwrap();
        found["data"].as_array().unwrap().len()
    }

    async fn dispute(&self, charge: &GatewayReference, verdict: DisputeVerdict) {
        self.post(&format!("/charges/{charge}/dispute"), json!({ "outcome": verdict })).await;
    }

    fn means(&self, wanted: Wanted) -> Means {
        card(match wanted {
            Wanted::Approval => "tok_visa",
            Wanted::SilenceAfterCharging => "tok_charged_no_answer",
            Wanted::SilenceWithoutCharging => "tok_not_charged_no_answer",
            Wanted::ServerErrorAfterCharging => "tok_charged_500",
            Wanted::ServerErrorWithoutCharging => "tok_not_charged_500",
            Wanted::HtmlAfterCharging => "tok_charged_html_200",
            Wanted::HalfAnAnswerAfterCharging => "tok_charged_truncated",
            Wanted::TooManyRequests => "tok_429",
            Wanted::Pix => return Means::Pix(PixKey("payer@example.com".to_owned())),
        })
    }

    fn declines(&self) -> Vec<(Means, FailureClass, &'static str)> {
        use FailureClass as Class;
        [
            ("tok_insufficient_funds", Class::InsufficientFunds, "insufficient_funds"),
            ("tok_do_not_honor", Class::DoNotHonor, "do_not_honor"),
            ("tok_issuer_unavailable", Class::IssuerUnavailable, "issuer_unavailable"),
            ("tok_stolen", Class::Hard, "stolen_card"),
            ("tok_expired_card", Class::Hard, "expired_card"),
            ("tok_no_such_card", Class::Hard, "invalid_card"),
            ("tok_authentication_required", Class::AuthenticationRequired, "authentication_required"),
            ("tok_fraud", Class::SuspectedFraud, "suspected_fraud"),
            ("tok_currency_mismatch", Class::CurrencyMismatch, "currency_mismatch"),
            ("tok_customer_not_found", Class::CustomerNotFound, "customer_not_found"),
        ]
        .map(|(token, class, raw_code)| (card(token), class, raw_code))
        .to_vec()
    }

    fn wire(&self, request: &ChargeRequest) -> WireOrder {
        let (attempt, invoice) = (request.attempt, request.invoice());
        let (minor, currency) = (request.amount.minor(), request.amount.currency());
        WireOrder {
            method: "POST",
            target: "/charges".to_owned(),
            headers: vec![
                ("authorization", format!("Bearer {API_KEY}")),
                ("idempotency-key", attempt.to_string()),
                ("content-type", "application/json".to_owned()),
            ],
            body: format!(
                r#"{{"reference":"{attempt}","invoice_id":"{invoice}","amount_minor":{minor},"currency":"{currency}","method":{{"type":"card","token":"tok_visa"}}}}"#
            ),
        }
    }

    fn captured(&self, request: &ChargeRequest) -> String {
        charge(request, "captured").to_string()
    }

    fn event(&self, id: &str, lookup: &ChargeLookup) -> String {
        let data = json!({
            "charge_id": lookup.reference,
            "reference": lookup.attempt,
            "invoice_id": lookup.attempt.invoice,
        });
        json!({ "id": id, "type": "charge.captured", "created": 1_700_000_000, "data": data }).to_string()
    }

    fn signed(&self, body: &str, secret: &str, at_unix: i64) -> WebhookDelivery {
        signed(body, secret, at_unix)
    }
}

fn signed(body: &str, secret: &str, at_unix: i64) -> WebhookDelivery {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{at_unix}.{body}").as_bytes());
    let value = format!("t={at_unix},v1={}", hex::encode(mac.finalize().into_bytes()));
    let headers = vec![("sandbox-signature".to_owned(), value)];
    WebhookDelivery { body: body.as_bytes().to_vec(), headers, query: Vec::new() }
}

pub(crate) fn common() -> Common {
    Common {
        make: |http, at, secrets| Arc::new(Sandbox::new(http, at, secrets)),
        more: &[],
        means: || card("tok_visa"),
        key: Some("idempotency-key"),
        aside: |_, _| None,
        captured: |order| charge(order, "captured").to_string(),
        sent_at_401: 1,
        amount: |amount| {
            Some(format!(r#""amount_minor":{},"currency":"{}","#, amount.minor(), amount.currency()))
        },
        reference: "ch_1",
        webhook_secrets: [WEBHOOK_SECRET, PREVIOUS_WEBHOOK_SECRET, "whsec_wrong"],
        now: crate::brazil::now,
        delivery: |secret, at| signed(r#"{"id":"evt_1","type":"charge.captured","data":{}}"#, secret, at),
        covered: Covered::BODY_AND_TIME,
    }
}

impl SandboxBench {
    async fn telling(webhook_target: Option<String>) -> Self {
        let config = Config {
            api_key: API_KEY.to_owned(),
            webhook_secret: WEBHOOK_SECRET.to_owned(),
            webhook_target,
            clock_file: None,
        };
        let server = sandbox_gateway::Sandbox::start(config).await.unwrap();
        // Building this one loads the system's certificates; it is enough to do so once a bench.
        Self { server, client: reqwest::Client::new() }
    }

    async fn post(&self, path: &str, body: Value) {
        let answer = self.client.post(format!("{}{path}", self.url())).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }
}

fn card(token: &str) -> Means {
    Means::CreditCard(Token(token.to_owned()))
}

fn charge(request: &ChargeRequest, status: &str) -> Value {
    json!({
        "id": "ch_1",
        "reference": request.attempt,
        "invoice_id": request.invoice(),
        "idempotency_key": request.attempt,
        "amount_minor": request.amount.minor(),
        "captured_minor": request.amount.minor(),
        "currency": request.amount.currency(),
        "status": status,
        "decline": null,
        "pix": null,
    })
}

#[tokio::test]
async fn it_is_called_sandbox_and_takes_cards_and_pix() {
    let gateway = SandboxBench::start().await.gateway();
    assert_eq!(gateway.name().as_str(), "sandbox");
    let capabilities = gateway.capabilities();
    assert_eq!(capabilities.means, [MeansType::CreditCard, MeansType::Pix]);
    assert!(capabilities.looks_up_by_reference && !capabilities.retries_by_itself);
}

#[tokio::test]
async fn a_pix_order_names_the_payers_key() {
    let order = request(Means::Pix(PixKey("payer@example.com".to_owned())));
    let mut server = Scripted::answering("201 Created", "", &charge(&order, "pending").to_string()).await;
    let outcome = SandboxBench::start().await.gateway_at(&server.url).charge(&order).await;
    assert!(matches!(outcome, ChargeOutcome::Pending { action: PendingAction::Review, .. }), "{outcome:?}");
    let sent: Value = serde_json::from_slice(&server.next().await.body).unwrap();
    assert_eq!(sent["method"], json!({ "type": "pix", "key": "payer@example.com" }));
}

#[tokio::test]
async fn questions_are_asked_with_the_key_and_escaped() {
    let order = request(card("tok_visa"));
    let reference = ChargeOutcome::Voided { reference: GatewayReference("ch_1".to_owned()) };
    let body = charge(&order, "voided").to_string();
    let mut server = Scripted::answering("200 OK", "", &body).await;
    let gateway = SandboxBench::start().await.gateway_at(&format!("{}/v1/", server.url));
    let by_id = ChargeLookup { reference: Some(GatewayReference("ch_1".to_owned())), ..by_ours(&order) };
    assert_eq!(gateway.fetch_charge(&by_id).await, reference);
    assert_eq!(gateway.cancel(&by_id).await, reference);
    unknown(&gateway.fetch_charge(&by_ours(&order)).await);
    let by_reference = format!("/v1/charges?reference={}", order.attempt);
    for (method, target) in
        [("GET", "/v1/charges/ch_1"), ("POST", "/v1/charges/ch_1/void"), ("GET", by_reference.as_str())]
    {
        let sent = server.next().await;
        assert_eq!((sent.method.as_str(), sent.target.as_str()), (method, target));
        assert_eq!(sent.header("authorization"), [format!("Bearer {API_KEY}")]);
        assert!(sent.body.is_empty());
    }
}

#[tokio::test]
async fn a_word_that_contradicts_itself_is_unknown() {
    let bench = SandboxBench::start().await;
    let order = request(card("tok_visa"));
    let with = |name: &str, value: Value| {
        let mut told = charge(&order, "captured");
        told[name] = value;
        told
    };
    for (status, told, code) in [
        ("402 Payment Required", charge(&order, "captured"), "contradictory_answer"),
        ("402 Payment Required", charge(&order, "pending"), "contradictory_answer"),
        ("402 Payment Required", json!({ "error": { "code": "x", "message": "y" } }), "unreadable_answer"),
        ("201 Created", charge(&order, "declined"), "contradictory_answer"),
        ("201 Created", with("captured_minor", json!(0)), "contradictory_answer"),
        ("201 Created", with("captured_minor", json!(-1)), "contradictory_answer"),
        ("201 Created", with("captured_minor", json!(i64::MAX)), "contradictory_answer"),
        ("201 Created", with("captured_minor", json!(123.45)), "unreadable_answer"),
        ("201 Created", with("captured_minor", json!("12345")), "unreadable_answer"),
        ("201 Created", with("currency", json!("XXX")), "contradictory_answer"),
        ("201 Created", with("status", json!("settled")), "unreadable_answer"),
        ("201 Created", with("id", json!("../x")), "unreadable_answer"),
        ("201 Created", with("reference", json!("att_other")), "reference_mismatch"),
        ("201 Created", with("invoice_id", json!("inv_other")), "reference_mismatch"),
    ] {
        let server = Scripted::answering(status, "", &told.to_string()).await;
        let outcome = bench.gateway_at(&server.url).charge(&order).await;
        assert_eq!(unknown(&outcome), code, "{status} {told}");
    }
}

#[tokio::test]
async fn an_unknown_decline_keeps_its_words() {
    let bench = SandboxBench::start().await;
    let order = request(card("tok_visa"));
    for (decline, code, raw_code) in [
        (json!({ "code": "moon_phase", "message": "not today" }), "declined", Some("moon_phase")),
        (json!({ "code": "lost_card", "message": "lost" }), "lost_card", Some("lost_card")),
        (Value::Null, "declined", None),
    ] {
        let mut told = charge(&order, "declined");
        told["decline"] = decline;
        let server = Scripted::answering("402 Payment Required", "", &told.to_string()).await;
        let outcome = bench.gateway_at(&server.url).charge(&order).await;
        let ChargeOutcome::Declined { failure, .. } = &outcome else { panic!("{outcome:?}") };
        let class = if code == "lost_card" { FailureClass::Hard } else { FailureClass::Generic };
        assert_eq!((failure.class, failure.code.as_str()), (class, code));
        assert_eq!(failure.raw_code.as_deref(), raw_code);
    }
}

/// The gateway lies about what it charged: the lie is passed on where it is about money, so that it is seen, and not
/// believed where it is about whose charge it is.
#[tokio::test]
async fn lies_are_passed_on_or_not_believed() {
    let bench = SandboxBench::start().await;
    let (gateway, order) = (bench.gateway(), request(card("tok_visa")));
    let reference = approved(&gateway.charge(&order).await, &order);
    let by_theirs = ChargeLookup { reference: Some(reference.clone()), ..by_ours(&order) };
    let approved = |minor, currency| ChargeOutcome::Approved {
        reference: reference.clone(),
        captured: Money::try_new(minor, currency).unwrap(),
    };
    for (lie, told) in [
        (json!({ "captured_minor": 12_344 }), Some(approved(12_344, Currency::BRL))),
        (json!({ "amount_minor": 99 }), Some(approved(99, Currency::BRL))),
        (json!({ "currency": "USD" }), Some(approved(12_345, Currency::USD))),
        (json!({ "missing": true }), Some(ChargeOutcome::Absent)),
        (json!({ "reference": "att_other" }), None),
        (json!({ "invoice_id": "inv_other" }), None),
        (json!({ "status": "settled" }), None),
    ] {
        bench.post("/control", json!({ "lie": lie })).await;
        for lookup in [&by_theirs, &by_ours(&order)] {
            let outcome = gateway.fetch_charge(lookup).await;
            match &told {
                Some(told) => assert_eq!(outcome, *told, "{lie}"),
                None => assert!(matches!(outcome, ChargeOutcome::Unknown { .. }), "{lie}: {outcome:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_pix_is_paid_with_whatever_its_payer_sends() {
    let bench = SandboxBench::start().await;
    let (gateway, order) = (bench.gateway(), request(bench.means(Wanted::Pix)));
    let outcome = gateway.charge(&order).await;
    let ChargeOutcome::Pending { reference, .. } = outcome else { panic!("{outcome:?}") };
    bench.post(&format!("/charges/{reference}/pay"), json!({ "amount_minor": 5_000 })).await;
    let captured = Money::try_new(5_000, Currency::BRL).unwrap();
    let paid = ChargeOutcome::Approved { reference: reference.clone(), captured };
    assert_eq!(gateway.fetch_charge(&by_ours(&order)).await, paid);
    let by_theirs = ChargeLookup { reference: Some(reference), ..by_ours(&order) };
    assert_eq!(gateway.cancel(&by_theirs).await, paid, "too late");
}

#[tokio::test]
async fn a_card_may_settle_later() {
    let bench = SandboxBench::start().await;
    let outcome = bench.gateway().charge(&request(card("tok_webhook_only"))).await;
    assert!(matches!(outcome, ChargeOutcome::Pending { action: PendingAction::Review, .. }), "{outcome:?}");
}

#[tokio::test]
async fn of_several_charges_the_one_that_took_money_counts() {
    let bench = SandboxBench::start().await;
    let order = request(card("tok_visa"));
    let stranger = request(card("tok_visa"));
    let mut paid = charge(&order, "captured");
    paid["id"] = json!("ch_paid");
    let data = [charge(&order, "declined"), charge(&stranger, "captured"), paid, charge(&order, "pending")];
    let server = Scripted::answering("200 OK", "", &json!({ "data": data }).to_string()).await;
    let found = bench.gateway_at(&server.url).fetch_charge(&by_ours(&order)).await;
    assert_eq!(approved(&found, &order), GatewayReference("ch_paid".to_owned()));

    let data = [charge(&stranger, "captured")];
    let server = Scripted::answering("200 OK", "", &json!({ "data": data }).to_string()).await;
    let found = bench.gateway_at(&server.url).fetch_charge(&by_ours(&order)).await;
    assert_eq!(unknown(&found), "reference_mismatch");
}

#[tokio::test]
async fn an_outage_leaves_the_charge_unknown() {
    let bench = SandboxBench::start().await;
    let (gateway, order) = (bench.gateway(), request(card("tok_visa")));
    bench.post("/control", json!({ "down": true })).await;
    assert_eq!(unknown(&gateway.charge(&order).await), "gateway_error");
    assert_eq!(unknown(&gateway.fetch_charge(&by_ours(&order)).await), "gateway_error");
    bench.post("/control", json!({ "down": false })).await;
    assert_eq!(gateway.fetch_charge(&by_ours(&order)).await, ChargeOutcome::Absent);
}

/// Whoever calls a gateway has reserved the time of one call, however many it takes.
#[tokio::test]
async fn a_question_of_several_calls_takes_the_time_of_one() {
    let bench = SandboxBench::start().await;
    let order = request(card("tok_visa"));
    bench.post("/control", json!({ "latency_ms": 300 })).await;
    let reference = Some(GatewayReference("ch_unheard_of".to_owned()));
    let lookup = ChargeLookup { reference, ..by_ours(&order) };
    let impatient = bench.impatient_at(bench.url());
    assert_eq!(unknown(&impatient.fetch_charge(&lookup).await), "timeout");
    assert_eq!(unknown(&impatient.cancel(&lookup).await), "timeout");
    assert_eq!(bench.gateway().fetch_charge(&lookup).await, ChargeOutcome::Absent);
}

#[tokio::test]
async fn a_wrong_key_charges_nothing() {
    let bench = SandboxBench::start().await;
    let order = request(card("tok_visa"));
    let gateway = bench.adapter(bench.url(), Timeouts::default(), Vault::with("sk_wrong", &[]));
    let outcome = gateway.charge(&order).await;
    let ChargeOutcome::Declined { failure, .. } = &outcome else { panic!("{outcome:?}") };
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Configuration, "unauthorized"));
    assert_eq!(bench.charges(order.attempt).await, 0);
}
