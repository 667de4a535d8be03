//! PagBank's adapter against scripts of what PagBank answers.

use crate::bench::{API_KEY, by_ours, request};
use crate::brazil::{
    Make, PREVIOUS, SECRET, Subject, brl, card, judge, pix, refund_of, refused, say, sent, theirs, to_store,
    troubles, verdict, without_secrets,
};
use crate::common::{Common, Covered};
use crate::contract::charging::unknown;
use crate::contract::disputes::unclear;
use crate::scripted::Scripted;
use fatura_application::ports::{WebhookDelivery, WebhookRefusal, WebhookSubject};
use fatura_domain::Timestamp;
use fatura_domain::charge::FailureClass;
use fatura_domain::gateway::{
    ChargeOutcome, ChargeRequest, GatewayReference, MeansType, PendingAction, RefundOutcome, StoreOutcome,
    Token,
};
use fatura_domain::money::Currency;
use fatura_gateways::PagBank;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const MAKE: Make = |http, at, secrets| Arc::new(PagBank::new(http, at, secrets));
const CARD: &str = "CARD_CCFE8D12-79E7-4ADF-920B-A54E51D8DA6E";
const ORDER: &str = "ORDE_F87334AC-BB8B-42E2-AA85-8579F70AA328";
const CHARGE: &str = "CHAR_67FC568B-00D8-431D-B2E7-755E3E6C66A0";
const BAD: Result<(), WebhookRefusal> = Err(WebhookRefusal::BadSignature);

fn bearer() -> String {
    format!("Bearer {API_KEY}")
}

fn subject() -> Subject {
    let order = request(card(CARD));
    let captured = placed(&order, "PAID").to_string();
    let more = &[
        ("pix_payer_name", "Fatura"),
        ("pix_payer_email", "b@example.com"),
        ("pix_payer_tax_id", "12345678909"),
    ];
    Subject { make: MAKE, more, order, before: |_| None, captured }
}

pub(crate) fn common() -> Common {
    Common {
        make: MAKE,
        more: &[],
        means: || card(CARD),
        key: Some("x-idempotency-key"),
        aside: |_, _| None,
        captured: |order| placed(order, "PAID").to_string(),
        sent_at_401: 1,
        amount: |amount| {
            (amount.currency() == Currency::BRL)
                .then(|| format!(r#""amount":{{"value":{},"currency":"BRL"}}"#, amount.minor()))
        },
        reference: ORDER,
        webhook_secrets: [SECRET, PREVIOUS, "whsec_wrong"],
        now: crate::brazil::now,
        delivery: |secret, _| notice(&format!(r#"{{"id":"{ORDER}"}}"#), secret),
        // No time is told.
        covered: Covered { time: None, ..Covered::BODY_AND_TIME },
    }
}

fn charge(order: &ChargeRequest, status: &str) -> Value {
    let (paid, value) = (if status == "PAID" { order.amount.minor() } else { 0 }, order.amount.minor());
    json!({
        "id": CHARGE,
        "reference_id": order.attempt,
        "status": status,
        "amount": { "value": value, "currency": "BRL", "summary": { "total": value, "paid": paid, "refunded": 0 } },
        "payment_response": { "code": "20000", "message": "SUCESSO" },
    })
}

fn placed(order: &ChargeRequest, status: &str) -> Value {
    json!({ "id": ORDER, "reference_id": order.attempt, "charges": [charge(order, status)] })
}

fn with_code(order: &ChargeRequest, until: &str) -> Value {
    let code = json!({ "id": "QRCO_1", "text": "000201...6304ABCD", "expiration_date": until, "amount": { "value": 12345 } });
    json!({ "id": ORDER, "reference_id": order.attempt, "qr_codes": [code] })
}

fn order_id() -> GatewayReference {
    GatewayReference(ORDER.to_owned())
}

async fn charged(order: &ChargeRequest, told: &Value) -> ChargeOutcome {
    let server = Scripted::answering("201 Created", "", &told.to_string()).await;
    subject().at(&server.url).charge(order).await
}

#[tokio::test]
async fn troubles_of_the_way() {
    troubles(&subject()).await;
}

#[tokio::test]
async fn its_name_and_limits() {
    let gateway = judge(MAKE, &[]);
    assert_eq!(gateway.name().as_str(), "pagbank");
    let capabilities = gateway.capabilities();
    assert_eq!((capabilities.means, capabilities.partial_refund), (&MeansType::ALL[..], &MeansType::ALL[..]));
    assert!(!capabilities.looks_up_by_reference && !capabilities.retries_by_itself);
    let now = Timestamp::now();
    assert_eq!(gateway.movements(now, now, None).await.unwrap_err().code, "books_not_offered");
    assert_eq!(unclear(&gateway.fetch_dispute(&by_ours(&request(card(CARD)))).await), "disputes_not_offered");
}

#[tokio::test]
async fn a_kept_card_is_charged() {
    for minor in [12_345, 1, 999_999_999] {
        let order = ChargeRequest { amount: brl(minor), ..request(card(CARD)) };
        let mut server = Scripted::answering("201 Created", "", &placed(&order, "PAID").to_string()).await;
        let outcome = subject().at(&server.url).charge(&order).await;
        assert_eq!(outcome, ChargeOutcome::Approved { reference: order_id(), captured: brl(minor) });
        let sent = server.next().await;
        assert_eq!((sent.method.as_str(), sent.target.as_str()), ("POST", "/orders"));
        assert_eq!(sent.header("authorization"), [bearer()]);
        assert_eq!(sent.header("content-type"), ["application/json"]);
        assert_eq!(sent.header("x-idempotency-key"), [order.attempt.to_string()]);
        let (attempt, invoice) = (order.attempt, order.invoice());
        assert_eq!(
            String::from_utf8(sent.body).unwrap(),
            format!(
                r#"{{"reference_id":"{attempt}","charges":[{{"reference_id":"{attempt}","description":"{invoice}","amount":{{"value":{minor},"currency":"BRL"}},"payment_method":{{"type":"CREDIT_CARD","installments":1,"capture":true,"card":{{"id":"{CARD}"}}}}}}]}}"#
            )
        );
    }
    let server = Scripted::answering("201 Created", "", "{}").await;
    let too_much = ChargeRequest { amount: brl(1_000_000_000), ..request(card(CARD)) };
    for (order, code) in [
        (too_much, "amount_not_accepted"),
        (request(card("tok_encrypted")), "not_a_stored_card"),
        (request(card("CARD_/../x")), "not_a_stored_card"),
    ] {
        assert_eq!(refused(&subject().at(&server.url).charge(&order).await).code, code);
    }
    assert_eq!(server.unseen(), 0);
}

#[tokio::test]
async fn each_decline_has_its_class() {
    use FailureClass as Class;
    let order = request(card(CARD));
    for (raw, class) in [
        ("10000", Class::SuspectedFraud),
        ("10001", Class::Hard),
        ("10002", Class::DoNotHonor),
        ("10003", Class::Configuration),
        ("10004", Class::Hard),
        ("20001", Class::DoNotHonor),
        ("20003", Class::InsufficientFunds),
        ("20007", Class::Hard),
        ("20008", Class::Configuration),
        ("20012", Class::Configuration),
        ("20017", Class::Hard),
        ("20018", Class::Hard),
        ("20019", Class::IssuerUnavailable),
        ("20039", Class::Hard),
        ("20101", Class::AuthenticationRequired),
        ("20103", Class::AuthenticationRequired),
        ("20104", Class::InsufficientFunds),
        ("20111", Class::Hard),
        ("20118", Class::Hard),
        ("20119", Class::IssuerUnavailable),
        ("20158", Class::DoNotHonor),
        ("20159", Class::AuthenticationRequired),
        ("20301", Class::Hard),
        ("20999", Class::Generic),
        ("31337", Class::Generic),
    ] {
        for code in [json!(raw), json!(raw.parse::<u32>().unwrap())] {
            let mut told = placed(&order, "DECLINED");
            told["charges"][0]["payment_response"] = json!({ "code": code, "message": "NAO AUTORIZADA" });
            let outcome = charged(&order, &told).await;
            let failure = refused(&outcome);
            assert_eq!((failure.class, failure.raw_code.as_deref()), (class, Some(raw)));
            assert_eq!(failure.message, "NAO AUTORIZADA");
        }
    }
    let mut told = placed(&order, "DECLINED");
    told["charges"][0]["payment_response"] = Value::Null;
    let failure = refused(&charged(&order, &told).await);
    assert_eq!((failure.class, failure.raw_code), (FailureClass::Generic, None));
}

#[tokio::test]
async fn how_it_stands() {
    let order = request(card(CARD));
    for status in ["AUTHORIZED", "IN_ANALYSIS", "WAITING"] {
        let outcome = charged(&order, &placed(&order, status)).await;
        assert_eq!(outcome, ChargeOutcome::Pending { reference: order_id(), action: PendingAction::Review });
    }
    assert_eq!(
        charged(&order, &placed(&order, "CANCELED")).await,
        ChargeOutcome::Voided { reference: order_id() }
    );
    // Cancelled after it was paid is a refund, and the money was taken.
    let mut told = placed(&order, "CANCELED");
    told["charges"][0]["amount"]["summary"] = json!({ "total": 12345, "paid": 12345, "refunded": 12345 });
    let approved = ChargeOutcome::Approved { reference: order_id(), captured: brl(12_345) };
    assert_eq!(charged(&order, &told).await, approved);
    // Of several, the one that took money.
    let mut told = placed(&order, "DECLINED");
    told["charges"].as_array_mut().unwrap().extend([charge(&order, "WAITING"), charge(&order, "PAID")]);
    assert_eq!(charged(&order, &told).await, approved);
    // Another amount is passed on, so that it is seen.
    let mut told = placed(&order, "PAID");
    told["charges"][0]["amount"]["summary"]["paid"] = json!(12_344);
    assert!(
        matches!(charged(&order, &told).await, ChargeOutcome::Approved { captured, .. } if captured == brl(12_344))
    );
}

#[tokio::test]
async fn what_the_answer_contradicts_is_unknown() {
    let order = request(card(CARD));
    let other = json!(request(card(CARD)).attempt);
    for (pointer, value, code) in [
        ("/reference_id", other.clone(), "reference_mismatch"),
        ("/reference_id", Value::Null, "reference_mismatch"),
        ("/charges/0/reference_id", other, "reference_mismatch"),
        ("/id", json!("../x"), "reference_mismatch"),
        ("/charges/0/id", json!("../x"), "reference_mismatch"),
        ("/charges", json!([]), "contradictory_answer"),
        ("/charges/0/status", json!("SETTLED"), "unreadable_answer"),
        ("/charges/0/amount/value", json!("12345"), "unreadable_answer"),
        ("/charges/0/amount/currency", json!("USD"), "contradictory_answer"),
        ("/charges/0/amount/summary/paid", json!(0), "contradictory_answer"),
    ] {
        let mut told = placed(&order, "PAID");
        *told.pointer_mut(pointer).unwrap() = value;
        assert_eq!(unknown(&charged(&order, &told).await), code, "{pointer}");
    }
}

#[tokio::test]
async fn refusals_of_the_order() {
    let order = request(card(CARD));
    let told = json!({ "error_messages": [{ "code": "40002", "description": "invalid_parameter" }] });
    let server = Scripted::answering("400 Bad Request", "", &told.to_string()).await;
    let failure = refused(&subject().at(&server.url).charge(&order).await);
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Configuration, "order_refused"));
    assert_eq!(failure.raw_code.as_deref(), Some("40002"));
}

#[tokio::test]
async fn a_pix_waits_for_its_payer() {
    let order = request(pix("payer@example.com"));
    let told = with_code(&order, "2099-11-22T23:59:59.000-03:00");
    let mut server = Scripted::answering("201 Created", "", &told.to_string()).await;
    let outcome = subject().at(&server.url).charge(&order).await;
    let expires_at = "2099-11-23T02:59:59Z".parse().unwrap();
    let action = PendingAction::Pix { emv: "000201...6304ABCD".to_owned(), expires_at };
    assert_eq!(outcome, ChargeOutcome::Pending { reference: order_id(), action });
    let (call, body) = sent(&mut server, &bearer()).await;
    assert_eq!(call, "POST /orders");
    assert_eq!(
        body["customer"],
        json!({ "name": "Fatura", "email": "payer@example.com", "tax_id": "12345678909" })
    );
    assert_eq!(body["qr_codes"][0]["amount"], json!({ "value": 12345 }));
    assert_eq!(
        body["qr_codes"][0]["expiration_date"], "2023-11-15T23:59:59.000-03:00",
        "by when the attempt began"
    );
    assert_eq!((&body["reference_id"], &body["charges"]), (&json!(order.attempt), &Value::Null));

    // Paid: the charge in it needn't repeat our reference.
    let mut told = placed(&order, "PAID");
    told["charges"][0]["reference_id"] = Value::Null;
    assert!(matches!(charged(&order, &told).await, ChargeOutcome::Approved { .. }));
    // Ended unpaid, and longer ago than a payment takes to be told.
    let told = with_code(&order, "2025-11-22T23:59:59.000-03:00");
    assert_eq!(charged(&order, &told).await, ChargeOutcome::Voided { reference: order_id() });
    let just_now = (Timestamp::now() - fatura_domain::SignedDuration::from_mins(59)).to_string();
    assert!(matches!(charged(&order, &with_code(&order, &just_now)).await, ChargeOutcome::Pending { .. }));
    assert_eq!(unknown(&charged(&order, &with_code(&order, "soon")).await), "unreadable_answer");
    let anonymous = Subject { more: &[], ..subject() };
    assert_eq!(refused(&anonymous.at("http://127.0.0.1:1").charge(&order).await).code, "payer_unknown");
}

#[tokio::test]
async fn an_order_is_looked_up_by_id_and_a_charge_by_our_reference() {
    let order = request(card(CARD));
    let (whole, alone, stranger) =
        (placed(&order, "PAID"), charge(&order, "PAID"), charge(&request(card(CARD)), "PAID"));
    let by_reference = format!("/charges?reference_id={}", order.attempt);
    let target = by_reference.clone();
    let mut server = Scripted::routed(move |request| match request.target.as_str() {
        path if path == format!("/orders/{ORDER}") => say("200 OK", &whole),
        path if path == format!("/charges/{CHARGE}") => say("200 OK", &alone),
        path if path == target => say("200 OK", &json!([stranger, alone])),
        _ => say("404 Not Found", &json!({})),
    })
    .await;
    let gateway = subject().at(&server.url);
    let approved = |id: &str| ChargeOutcome::Approved {
        reference: GatewayReference(id.to_owned()),
        captured: brl(12_345),
    };
    assert_eq!(gateway.fetch_charge(&theirs(&order, ORDER)).await, approved(ORDER));
    assert_eq!(sent(&mut server, &bearer()).await.0, format!("GET /orders/{ORDER}"));
    assert_eq!(gateway.fetch_charge(&theirs(&order, CHARGE)).await, approved(CHARGE));
    assert_eq!(gateway.fetch_charge(&by_ours(&order)).await, approved(CHARGE));
    assert_eq!(gateway.fetch_charge(&theirs(&order, "ORDE_1")).await, approved(CHARGE));
    assert_eq!(gateway.fetch_charge(&theirs(&order, "../x")).await, approved(CHARGE));
    assert_eq!(gateway.cancel(&theirs(&order, ORDER)).await, approved(ORDER), "too late");
    let other = request(card(CARD));
    assert_eq!(unknown(&gateway.fetch_charge(&theirs(&other, ORDER)).await), "reference_mismatch");

    // A code that nobody paid has no charge: finding none is no proof.
    let server = Scripted::answering("200 OK", "", "[]").await;
    assert_eq!(
        unknown(&subject().at(&server.url).fetch_charge(&by_ours(&order)).await),
        "not_found_by_reference"
    );
}

#[tokio::test]
async fn what_waits_is_cancelled() {
    let order = request(card(CARD));
    let (waits, over) = (placed(&order, "AUTHORIZED"), charge(&order, "CANCELED"));
    let mut server =
        Scripted::routed(move |request| say("200 OK", if request.method == "POST" { &over } else { &waits }))
            .await;
    let gateway = subject().at(&server.url);
    assert_eq!(gateway.cancel(&theirs(&order, ORDER)).await, ChargeOutcome::Voided { reference: order_id() });
    server.next().await;
    server.next().await;
    let (call, body) = sent(&mut server, &bearer()).await;
    assert_eq!(
        (call, body),
        (format!("POST /charges/{CHARGE}/cancel"), json!({ "amount": { "value": 12345 } }))
    );
    // Paid before it could be cancelled: the same call would now give the money back.
    for later in [placed(&order, "PAID"), placed(&order, "DECLINED")] {
        let asked = Arc::new(AtomicUsize::new(0));
        let (waits, last) = (placed(&order, "IN_ANALYSIS"), later.clone());
        let mut server = Scripted::routed(move |_| {
            let first = asked.fetch_add(1, Ordering::Relaxed) == 0;
            say("200 OK", if first { &waits } else { &last })
        })
        .await;
        let outcome = subject().at(&server.url).cancel(&theirs(&order, ORDER)).await;
        assert_eq!(outcome, charged(&order, &later).await);
        while server.unseen() > 0 {
            assert_eq!(server.next().await.method, "GET");
        }
    }
    // A code can't be: how it stands is all that can be said.
    let code = with_code(&order, "2099-11-22T23:59:59.000-03:00");
    let server = Scripted::answering("200 OK", "", &code.to_string()).await;
    let outcome = subject().at(&server.url).cancel(&theirs(&order, ORDER)).await;
    assert!(matches!(outcome, ChargeOutcome::Pending { .. }), "{outcome:?}");
}

fn refunded(minor: i64) -> Value {
    let order = request(card(CARD));
    let mut told = charge(&order, "PAID");
    told["amount"]["summary"]["refunded"] = json!(minor);
    told
}

#[tokio::test]
async fn money_goes_back() {
    for reference in [ORDER, CHARGE] {
        let order = refund_of(reference, 5_005);
        let (before, after) = (refunded(0), refunded(5_005));
        let mut server =
            Scripted::routed(move |request| match (request.method.as_str(), request.target.as_str()) {
                ("GET", path) if path.starts_with("/orders") => {
                    say("200 OK", &json!({ "id": ORDER, "charges": [before] }))
                }
                ("GET", _) => say("200 OK", &before),
                _ => say("201 Created", &after),
            })
            .await;
        let succeeded = RefundOutcome::Succeeded {
            reference: GatewayReference(reference.to_owned()),
            amount: brl(5_005),
        };
        assert_eq!(subject().at(&server.url).refund(&order).await, succeeded);
        server.next().await;
        let request = server.next().await;
        assert_eq!(
            (request.method.as_str(), request.target.clone()),
            ("POST", format!("/charges/{CHARGE}/cancel"))
        );
        assert_eq!(request.header("x-idempotency-key"), [order.refund.to_string()]);
        assert_eq!(request.body, br#"{"amount":{"value":5005}}"#);
    }
    for (status, told, is_final) in [
        ("400 Bad Request", json!({ "error_messages": [{ "code": "40002" }] }), true),
        ("404 Not Found", json!({}), true),
        ("201 Created", refunded(5_004), false),
        ("409 Conflict", json!({}), false),
        ("500 Oops", json!({}), false),
        ("429 Slow", json!({}), false),
        ("401 No", json!({}), false),
    ] {
        let before = refunded(0);
        let server = Scripted::routed(move |request| {
            if request.method == "GET" { say("200 OK", &before) } else { say(status, &told) }
        })
        .await;
        let outcome = subject().at(&server.url).refund(&refund_of(CHARGE, 5_005)).await;
        assert_eq!(matches!(outcome, RefundOutcome::Failed { .. }), is_final, "{status}: {outcome:?}");
        assert_eq!(matches!(outcome, RefundOutcome::Unclear { .. }), !is_final, "{status}: {outcome:?}");
    }
}

/// What wasn't paid would be voided by the call that gives back; and what went back before is not this.
#[tokio::test]
async fn only_what_was_paid_goes_back_and_only_once() {
    let order = request(card(CARD));
    for status in ["AUTHORIZED", "IN_ANALYSIS", "WAITING", "DECLINED", "CANCELED"] {
        let mut server = Scripted::answering("200 OK", "", &charge(&order, status).to_string()).await;
        let outcome = subject().at(&server.url).refund(&refund_of(CHARGE, 5_005)).await;
        assert!(matches!(outcome, RefundOutcome::Failed { .. }), "{status}: {outcome:?}");
        assert_eq!((server.next().await.method.as_str(), server.unseen()), ("GET", 0), "{status}");
    }
    let server = Scripted::answering("200 OK", "", &refunded(5_005).to_string()).await;
    let outcome = subject().at(&server.url).refund(&refund_of(CHARGE, 5_005)).await;
    assert!(matches!(outcome, RefundOutcome::Unclear { .. }), "as much had gone back before: {outcome:?}");
    // Without the totals nobody can say that nothing went back.
    let mut untold = refunded(0);
    untold["amount"]["summary"] = Value::Null;
    let server = Scripted::answering("200 OK", "", &untold.to_string()).await;
    let found = subject().at(&server.url).fetch_refund(&refund_of(CHARGE, 5_005)).await;
    assert!(matches!(found, Some(RefundOutcome::Unclear { .. })), "{found:?}");
    let server = Scripted::answering("404 Not Found", "", "{}").await;
    assert_eq!(subject().at(&server.url).fetch_refund(&refund_of(CHARGE, 5_005)).await, None);
}

/// It tells only how much went back in all.
#[tokio::test]
async fn a_refund_is_known_again_only_where_nothing_else_can_be_meant() {
    for (minor, in_all, expected) in [
        (5_005, 0, "none"),
        (5_005, 5_004, "none"),
        (5_005, 5_005, "unclear"),
        (12_345, 12_344, "none"),
        (12_345, 12_345, "succeeded"),
    ] {
        let server = Scripted::answering("200 OK", "", &refunded(in_all).to_string()).await;
        let outcome = subject().at(&server.url).fetch_refund(&refund_of(CHARGE, minor)).await;
        let told = match outcome {
            None => "none",
            Some(RefundOutcome::Succeeded { .. }) => "succeeded",
            Some(RefundOutcome::Unclear { .. }) => "unclear",
            Some(_) => "odd",
        };
        assert_eq!(told, expected, "{minor} of {in_all}");
    }
}

#[tokio::test]
async fn a_card_is_kept_without_a_charge() {
    let order = to_store("tok_encrypted");
    let mut server = Scripted::answering("201 Created", "", &json!({ "id": CARD }).to_string()).await;
    assert_eq!(
        subject().at(&server.url).store_method(&order).await,
        StoreOutcome::Stored(Token(CARD.to_owned()))
    );
    let (call, body) = sent(&mut server, &bearer()).await;
    assert_eq!((call.as_str(), body), ("POST /tokens/cards", json!({ "encrypted": "tok_encrypted" })));
    for (status, told, is_final) in [
        ("400 Bad Request", json!({}), true),
        ("500 Oops", json!({}), false),
        ("401 No", json!({}), false),
        ("201 Created", json!({ "id": "../x" }), false),
    ] {
        let server = Scripted::answering(status, "", &told.to_string()).await;
        let outcome = subject().at(&server.url).store_method(&order).await;
        assert_eq!(matches!(outcome, StoreOutcome::Declined { .. }), is_final, "{status}");
        assert_eq!(matches!(outcome, StoreOutcome::Unclear { .. }), !is_final, "{status}");
    }
}

#[tokio::test]
async fn credentials_are_proved_by_a_harmless_call() {
    for (status, code) in [
        ("200 OK", None),
        ("404 Not Found", None),
        ("401 No", Some("unauthorized")),
        ("500 Oops", Some("gateway_error")),
    ] {
        let mut server = Scripted::answering(status, "", "{}").await;
        let checked = subject().at(&server.url).check().await;
        assert_eq!(checked.err().map(|failure| failure.code).as_deref(), code);
        assert_eq!(sent(&mut server, &bearer()).await.0, "GET /public-keys/card");
    }
}

// ---- notices -------------------------------------------------------------------------------------------------------

fn notice(body: &str, token: &str) -> WebhookDelivery {
    let digest = hex::encode(Sha256::digest(format!("{token}-{body}")));
    let headers = vec![("x-authenticity-token".to_owned(), digest)];
    WebhookDelivery { body: body.as_bytes().to_vec(), headers, query: Vec::new() }
}

/// From `printf '%s' 'whsec_current-{"id":"ORDE_1"}' | sha256sum`, which knows nothing of this code.
const KNOWN: &str = "fe92b97a9c34a1488890231117386087f62483401ff748ecee3921a2a5dfaa10";

#[tokio::test]
async fn a_notice_is_genuine_or_refused() {
    let body = placed(&request(card(CARD)), "PAID").to_string();
    let known = notice(r#"{"id":"ORDE_1"}"#, SECRET);
    assert_eq!(known.headers[0].1, KNOWN);
    let genuine = notice(&body, SECRET);
    for delivery in [&known, &genuine, &notice(&body, PREVIOUS), &notice("", SECRET)] {
        assert_eq!(verdict(MAKE, delivery).await, Ok(()));
    }
    for place in 0..genuine.body.len() {
        let mut forged = genuine.clone();
        forged.body[place] ^= 1;
        assert_eq!(verdict(MAKE, &forged).await, BAD, "byte {place}");
    }
    let mut missing = genuine.clone();
    missing.headers.clear();
    let mut twice = genuine.clone();
    twice.headers.extend(genuine.headers.clone());
    let mut short = genuine.clone();
    short.headers[0].1.pop();
    let mut moved = genuine.clone();
    moved.headers[0].1 = notice("{}", SECRET).headers[0].1.clone();
    let mut empty = genuine.clone();
    empty.headers[0].1.clear();
    for forged in [missing, twice, short, moved, empty, notice(&body, "whsec_wrong"), notice(&body, "")] {
        assert_eq!(verdict(MAKE, &forged).await, BAD);
    }
    without_secrets(MAKE, &genuine).await;
}

#[tokio::test]
async fn a_notice_names_its_order() {
    let gateway = judge(MAKE, &[SECRET]);
    let order = request(card(CARD));
    let body = placed(&order, "PAID").to_string();
    let hint = gateway.parse_webhook(&gateway.kept_body(&notice(&body, SECRET))).unwrap();
    assert_eq!(hint.subject, Some(WebhookSubject::Charge(theirs(&order, ORDER))));
    // The same bytes are the same event, for ever: there is no time in them to refuse them by.
    assert_eq!(hint.event_id, hex::encode(Sha256::digest(&body)));
    let other = json!({ "id": ORDER, "reference_id": "order-of-a-shop" }).to_string();
    assert_eq!(gateway.parse_webhook(other.as_bytes()).unwrap().subject, None);
    for body in ["", "{}", "[]", r#"{"id":"../x"}"#, "notificationCode=1&notificationType=transaction"] {
        assert!(gateway.parse_webhook(body.as_bytes()).is_err(), "{body}");
    }
}
