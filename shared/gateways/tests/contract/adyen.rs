//! Adyen's adapter against scripts of what Adyen answers, in the shapes of its documents' examples.

mod events;
mod outside;
mod signatures;

use crate::bench::{API_KEY, by_ours, request};
use crate::brazil::{
    Make, Subject, asked, brl, card, ok, pix, refund_of, refused, say, theirs, to_store, told, troubles,
};
use crate::common::{Common, Covered};
use crate::contract::charging::{keeps_secrets, unknown};
use crate::scripted::{Received, Scripted};
use fatura_application::ports::Gateway;
use fatura_domain::SignedDuration;
use fatura_domain::Timestamp;
use fatura_domain::charge::FailureClass;
use fatura_domain::gateway::{
    ChargeOutcome, ChargeRequest, DisputeOutcome, GatewayReference, MeansType, PendingAction, RefundOutcome,
    StoreOutcome, Token,
};
use fatura_domain::money::Money;
use fatura_gateways::{Adyen, Http, Timeouts};
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) const MAKE: Make = |http, at, secrets| Arc::new(Adyen::new(http, at, secrets));
pub(crate) const MERCHANT: &str = "FaturaBR";
pub(crate) const MORE: &[(&str, &str)] =
    &[("merchant_account", MERCHANT), ("return_url", "https://fatura.example/return")];
const CARD: &str = "M5N7TQ4TG5PFWR50";
const PSP: &str = "993617895204576J";

pub(crate) fn gateway(url: &str, keys: &[&str], more: &[(&str, &str)]) -> Arc<dyn Gateway> {
    MAKE(Http::try_new(Timeouts::default()).unwrap(), url.parse().unwrap(), told(keys, more))
}

fn at(url: &str) -> Arc<dyn Gateway> {
    gateway(url, &[], MORE)
}

fn stored() -> String {
    format!("{}/{CARD}", request(card("x")).invoice().owner())
}

fn by_card() -> ChargeRequest {
    request(card(&stored()))
}

fn payment(order: &ChargeRequest, code: &str) -> Value {
    json!({
        "pspReference": PSP,
        "resultCode": code,
        "merchantReference": order.attempt,
        "amount": { "currency": "BRL", "value": 12_345 },
        "additionalData": { "cardSummary": "1111" },
    })
}

fn with(mut told: Value, name: &str, value: Value) -> Value {
    told[name] = value;
    told
}

fn without(mut told: Value, name: &str) -> Value {
    told.as_object_mut().unwrap().remove(name);
    told
}

fn with_code(order: &ChargeRequest) -> Value {
    let action = json!({ "type": "qrCode", "paymentMethodType": "pix", "qrCodeData": "000201...6304ABCD" });
    let told = with(payment(order, "Pending"), "action", action);
    with(told, "additionalData", json!({ "pix.expirationDate": "2026-11-22T23:59:59-03:00" }))
}

fn no_call_before(_: &Received) -> Option<String> {
    None
}

pub(crate) fn common() -> Common {
    Common {
        make: MAKE,
        more: MORE,
        means: || card(&stored()),
        key: Some("idempotency-key"),
        aside: |_, _| None,
        captured: |order| {
            let amount = json!({ "currency": order.amount.currency().code(), "value": order.amount.minor() });
            with(payment(order, "Authorised"), "amount", amount).to_string()
        },
        sent_at_401: 1,
        amount: |amount| {
            let (currency, value) = (amount.currency().code(), amount.minor());
            Some(format!(r#""amount":{{"currency":"{currency}","value":{value}}}"#))
        },
        reference: PSP,
        webhook_secrets: signatures::KEYS,
        now: crate::brazil::now,
        delivery: |key, _| signatures::delivery(&[signatures::signed(signatures::paid(), key)]),
        // The signature is within the body and covers some of it, and no time: see `signatures`.
        covered: Covered::NOTHING,
    }
}

async fn charged(order: &ChargeRequest, status: &'static str, told: Value) -> ChargeOutcome {
    let server = Scripted::routed(move |_| say(status, &told)).await;
    let outcome = at(&server.url).charge(order).await;
    // Where the payer is sent is for the payer.
    if !matches!(outcome, ChargeOutcome::Pending { .. }) {
        keeps_secrets(&outcome);
    }
    outcome
}

/// What was sent, its key where it belongs.
async fn sent(server: &mut Scripted) -> (Received, Value) {
    let sent = server.next().await;
    assert_eq!(sent.header("x-api-key"), [API_KEY]);
    assert!(sent.header("authorization").is_empty() && !sent.target.contains(API_KEY));
    let body = if sent.body.is_empty() { Value::Null } else { serde_json::from_slice(&sent.body).unwrap() };
    (sent, body)
}

#[tokio::test]
async fn troubles_of_the_way() {
    let order = request(pix("payer@example.com"));
    let captured = with_code(&order).to_string();
    troubles(&Subject { make: MAKE, more: MORE, order, before: no_call_before, captured }).await;
}

#[test]
fn its_name_and_limits() {
    let gateway = at("http://127.0.0.1:1");
    assert_eq!(gateway.name().as_str(), "adyen");
    let capabilities = gateway.capabilities();
    assert_eq!((capabilities.means, capabilities.partial_refund), (&MeansType::ALL[..], &MeansType::ALL[..]));
    assert!(!capabilities.looks_up_by_reference && !capabilities.retries_by_itself);
    assert_eq!(capabilities.idempotency_key_lifetime, SignedDuration::from_hours(168));
    assert!(!gateway.can_be_asked());
}

#[tokio::test]
async fn a_stored_card_is_charged_exactly() {
    for (minor, currency, value) in [
        (12_345, "BRL", 12_345_i64),
        (1, "USD", 1),
        (500, "JPY", 500),
        (1_234, "KWD", 1_234),
        (1_990, "CLP", 199_000),
        (5, "ISK", 500),
        (1_500_000, "IDR", 15_000),
    ] {
        let amount = Money::try_new(minor, currency.parse().unwrap()).unwrap();
        let order = ChargeRequest { amount, ..by_card() };
        let told =
            with(payment(&order, "Authorised"), "amount", json!({ "currency": currency, "value": value }));
        let mut server = Scripted::answering("200 OK", "", &told.to_string()).await;
        let outcome = at(&server.url).charge(&order).await;
        let reference = GatewayReference(PSP.to_owned());
        assert_eq!(outcome, ChargeOutcome::Approved { reference, captured: amount });
        let (sent, body) = sent(&mut server).await;
        assert!(asked(&sent, "POST", "/v71/payments"), "{}", sent.target);
        assert_eq!(sent.header("content-type"), ["application/json"]);
        assert_eq!(sent.header("idempotency-key"), [order.attempt.to_string()]);
        assert!(order.attempt.to_string().len() <= 64, "Adyen's limit");
        assert_eq!(
            body,
            json!({
                "merchantAccount": MERCHANT,
                "amount": { "currency": currency, "value": value },
                "reference": order.attempt,
                "returnUrl": "https://fatura.example/return",
                "shopperReference": order.invoice().owner(),
                "paymentMethod": { "type": "scheme", "storedPaymentMethodId": CARD },
                "shopperInteraction": "ContAuth",
                "recurringProcessingModel": "Subscription",
                "captureDelayHours": 0,
            })
        );
        assert_eq!(server.unseen(), 0);
    }
}

#[tokio::test]
async fn what_it_does_not_take_is_not_sent() {
    let server = Scripted::answering("200 OK", "", "{}").await;
    let order = |minor, currency: &str| ChargeRequest {
        amount: Money::try_new(minor, currency.parse().unwrap()).unwrap(),
        ..by_card()
    };
    let other = |name: &'static str, value: &'static str| {
        let mut more = MORE.to_vec();
        more.retain(|(known, _)| *known != name);
        more.push((name, value));
        more
    };
    for (order, more, code) in [
        (order(1_500_050, "IDR"), MORE.to_vec(), "amount_not_chargeable"),
        (order(1, "CVE"), MORE.to_vec(), "amount_not_chargeable"),
        (order(1_000, "IQD"), MORE.to_vec(), "amount_not_chargeable"),
        (by_card(), other("merchant_account", ""), "not_configured"),
        (by_card(), other("return_url", ""), "not_configured"),
        (by_card(), other("recurring_processing_model", "Yearly"), "not_configured"),
        (request(card(CARD)), MORE.to_vec(), "not_a_stored_card"),
        (request(card(&format!("cus_000000000000/{CARD}"))), MORE.to_vec(), "not_a_stored_card"),
        (request(card("a/../b")), MORE.to_vec(), "not_a_stored_card"),
    ] {
        let outcome = gateway(&server.url, &[], &more).charge(&order).await;
        let failure = refused(&outcome);
        assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Configuration, code), "{more:?}");
        keeps_secrets(&outcome);
    }
    assert_eq!(server.unseen(), 0);
    let mut server = Scripted::answering("200 OK", "", &payment(&by_card(), "Refused").to_string()).await;
    let more = other("recurring_processing_model", "UnscheduledCardOnFile");
    gateway(&server.url, &[], &more).charge(&by_card()).await;
    assert_eq!(sent(&mut server).await.1["recurringProcessingModel"], "UnscheduledCardOnFile");
}

#[tokio::test]
async fn each_decline_has_its_class() {
    use FailureClass as Class;
    let order = by_card();
    for (class, codes) in [
        (Class::DoNotHonor, &["2", "3", "10", "23"][..]),
        (Class::IssuerUnavailable, &["4", "9"]),
        (Class::Hard, &["5", "6", "8", "18", "24", "25", "26", "32", "34", "35", "46"]),
        (Class::InsufficientFunds, &["12", "28", "29"]),
        (Class::SuspectedFraud, &["14", "20", "22", "31"]),
        (Class::AuthenticationRequired, &["11", "17", "19", "33", "36", "37", "38", "39", "41", "42", "43"]),
        (Class::Configuration, &["7", "21"]),
        (Class::Generic, &["15", "16", "27", "40", "44", "45", "9999"]),
    ] {
        for (code, result) in codes.iter().zip(["Refused", "Error", "Cancelled"].into_iter().cycle()) {
            let told = with(payment(&order, result), "refusalReasonCode", json!(code));
            let outcome = charged(&order, "200 OK", with(told, "refusalReason", json!("Because"))).await;
            let failure = refused(&outcome);
            assert_eq!((failure.class, failure.raw_code.as_deref()), (class, Some(*code)), "{code}");
            assert_eq!(failure.message, "Because");
            assert!(matches!(outcome, ChargeOutcome::Declined { reference: Some(_), .. }));
        }
    }
    let outcome = charged(&order, "200 OK", payment(&order, "Refused")).await;
    assert_eq!((refused(&outcome).class, refused(&outcome).raw_code), (Class::Generic, None));
    let gone = with(payment(&order, "Refused"), "refusalReason", json!("803 PaymentDetail not found"));
    let outcome = charged(&order, "200 OK", with(gone, "refusalReasonCode", json!("2"))).await;
    assert_eq!(refused(&outcome).class, Class::CustomerNotFound);
}

#[tokio::test]
async fn what_the_answer_contradicts_is_unknown() {
    let order = by_card();
    let told = |name: &str, value: Value| with(payment(&order, "Authorised"), name, value);
    for (told, code) in [
        (told("merchantReference", json!(by_card().attempt)), "reference_mismatch"),
        (told("amount", json!({ "currency": "XXX", "value": 1 })), "contradictory_answer"),
        (told("amount", json!({ "currency": "BRL", "value": 0 })), "contradictory_answer"),
        (told("amount", json!({ "currency": "BRL", "value": -5 })), "contradictory_answer"),
        (told("amount", json!({ "currency": "BRL", "value": 1.5 })), "unreadable_answer"),
        (told("pspReference", json!("../x")), "unreadable_answer"),
        (told("pspReference", Value::Null), "unreadable_answer"),
        (told("resultCode", json!("AuthenticationFinished")), "unreadable_answer"),
        (told("resultCode", json!("Settled")), "unreadable_answer"),
        (without(payment(&order, "PartiallyAuthorised"), "amount"), "unreadable_answer"),
    ] {
        assert_eq!(unknown(&charged(&order, "200 OK", told.clone()).await), code, "{told}");
    }
    // Another amount is passed on, so that it is seen.
    for code in ["Authorised", "PartiallyAuthorised"] {
        let less = with(payment(&order, code), "amount", json!({ "currency": "BRL", "value": 12_000 }));
        let outcome = charged(&order, "200 OK", less).await;
        assert!(matches!(outcome, ChargeOutcome::Approved { captured, .. } if captured == brl(12_000)));
    }
    // What isn't told is what was asked for.
    let silent = without(without(payment(&order, "Authorised"), "amount"), "merchantReference");
    let outcome = charged(&order, "200 OK", silent).await;
    assert!(matches!(outcome, ChargeOutcome::Approved { captured, .. } if captured == brl(12_345)));
}

#[tokio::test]
async fn refusals_of_the_order() {
    let order = by_card();
    let told = |status: u16, code: &str, kind: &str| json!({ "status": status, "errorCode": code, "message": "m 4111111111111111", "errorType": kind });
    for (status, body, class) in [
        ("422 Unprocessable", told(422, "167", "validation"), FailureClass::Configuration),
        ("400 Bad Request", told(400, "702", "validation"), FailureClass::Configuration),
        ("403 Forbidden", told(403, "901", "security"), FailureClass::Configuration),
        ("401 Unauthorized", told(401, "000", "security"), FailureClass::Configuration),
        ("422 Unprocessable", told(422, "803", "validation"), FailureClass::CustomerNotFound),
        ("422 Unprocessable", told(422, "138", "validation"), FailureClass::CurrencyMismatch),
    ] {
        let outcome = charged(&order, status, body.clone()).await;
        let failure = refused(&outcome);
        assert_eq!(
            (failure.class, failure.raw_code.as_deref()),
            (class, body["errorCode"].as_str()),
            "{body}"
        );
        assert!(!format!("{outcome:?}").contains("4111"), "the message may quote the order");
    }
    for (status, body, code) in [
        // The same key: the first order may be charging.
        ("422 Unprocessable", told(422, "704", "validation"), "key_reused"),
        ("409 Conflict", told(409, "704", "validation"), "key_reused"),
        ("409 Conflict", json!({}), "key_reused"),
        ("422 Unprocessable", told(422, "905", "internal"), "gateway_error"),
        ("500 Oops", told(500, "905", "configuration"), "gateway_error"),
        ("408 Slow", json!({}), "unexpected_status"),
    ] {
        assert_eq!(unknown(&charged(&order, status, body.clone()).await), code, "{status} {body}");
    }
}

#[tokio::test]
async fn what_waits_is_pending() {
    let order = request(pix("12345678909"));
    let mut server = Scripted::answering("200 OK", "", &with_code(&order).to_string()).await;
    let outcome = at(&server.url).charge(&order).await;
    let expires_at = "2026-11-23T02:59:59Z".parse().unwrap();
    let action = PendingAction::Pix { emv: "000201...6304ABCD".to_owned(), expires_at };
    let reference = GatewayReference(PSP.to_owned());
    assert_eq!(outcome, ChargeOutcome::Pending { reference: reference.clone(), action: action.clone() });
    let (_, body) = sent(&mut server).await;
    assert_eq!(body["paymentMethod"], json!({ "type": "pix" }));
    assert_eq!(body["amount"], json!({ "currency": "BRL", "value": 12_345 }));
    assert!(body.get("shopperInteraction").is_none() && body.get("captureDelayHours").is_none());
    assert!(!body.to_string().contains("12345678909"), "the payer's key has no place in it");

    let newer = json!({ "qrCodeData": "000201...6304ABCD", "expiresAt": "2026-11-22T23:59:59-03:00" });
    let newer = without(with(payment(&order, "Pending"), "action", newer), "additionalData");
    let outcome = charged(&order, "200 OK", newer).await;
    assert_eq!(outcome, ChargeOutcome::Pending { reference: reference.clone(), action });
    for expiry in [Value::Null, json!("soon")] {
        let told = with(with_code(&order), "additionalData", json!({ "pix.expirationDate": expiry }));
        assert_eq!(unknown(&charged(&order, "200 OK", told).await), "unreadable_answer");
    }
    let order = by_card();
    let url = Some("https://bank.example/3ds".to_owned());
    for (code, action, expected) in [
        ("Received", Value::Null, PendingAction::Review),
        ("Pending", Value::Null, PendingAction::Review),
        ("PresentToShopper", json!({ "type": "voucher" }), PendingAction::RequiresAction { url: None }),
        ("RedirectShopper", json!({ "type": "redirect", "url": url }), PendingAction::RequiresAction { url }),
    ] {
        let told = with(payment(&order, code), "action", action);
        let reference = reference.clone();
        let outcome = charged(&order, "200 OK", told).await;
        assert_eq!(outcome, ChargeOutcome::Pending { reference, action: expected }, "{code}");
    }
}

/// And nobody is asked.
#[tokio::test]
async fn no_question_has_an_answer() {
    let server = Scripted::answering("200 OK", "", "{}").await;
    let (gateway, order) = (at(&server.url), by_card());
    let lookup = theirs(&order, PSP);
    assert_eq!(unknown(&gateway.fetch_charge(&lookup).await), "cannot_be_asked");
    assert_eq!(unknown(&gateway.cancel(&by_ours(&order)).await), "cannot_be_asked");
    let told = gateway.fetch_refund(&refund_of(PSP, 100)).await;
    assert!(matches!(told, Some(RefundOutcome::Unclear { failure }) if failure.code == "cannot_be_asked"));
    assert!(matches!(gateway.fetch_dispute(&lookup).await, DisputeOutcome::Unclear { .. }));
    let now = Timestamp::now();
    assert_eq!(gateway.movements(now, now, None).await.unwrap_err().code, "books_not_offered");
    assert_eq!(server.unseen(), 0);
}

fn received(reference: &str, amount: Option<i64>) -> Value {
    json!({
        "merchantAccount": MERCHANT,
        "paymentPspReference": PSP,
        "pspReference": "JDD6LKT8MBLZNN84",
        "reference": reference,
        "status": "received",
        "amount": amount.map(|value| json!({ "currency": "BRL", "value": value })),
    })
}

#[tokio::test]
async fn a_cancel_is_only_received() {
    let order = by_card();
    let answer = received(&order.attempt.to_string(), None).to_string();
    let mut server = Scripted::answering("201 Created", "", &answer).await;
    let gateway = at(&server.url);
    assert_eq!(unknown(&gateway.cancel(&theirs(&order, PSP)).await), "cancel_received");
    let (sent, body) = sent(&mut server).await;
    assert!(asked(&sent, "POST", &format!("/v71/payments/{PSP}/cancels")), "{}", sent.target);
    assert_eq!(sent.header("idempotency-key"), [format!("cancel-{}", order.attempt)]);
    assert_eq!(body, json!({ "merchantAccount": MERCHANT, "reference": order.attempt }));
    assert_eq!(unknown(&gateway.cancel(&theirs(&order, "../x")).await), "no_such_id");
    assert_eq!(server.unseen(), 0);
    for status in ["422 No", "401 No", "429 Slow", "500 Oops", "302 Found"] {
        let server = Scripted::answering(status, "", r#"{"errorType":"validation"}"#).await;
        unknown(&at(&server.url).cancel(&theirs(&order, PSP)).await);
    }
}

#[tokio::test]
async fn a_refund_is_only_received() {
    let order = refund_of(PSP, 345);
    let ours = order.refund.to_string();
    let mut server = Scripted::answering("201 Created", "", &received(&ours, Some(345)).to_string()).await;
    let reference = GatewayReference("JDD6LKT8MBLZNN84".to_owned());
    assert_eq!(at(&server.url).refund(&order).await, RefundOutcome::Pending { reference });
    let (sent, body) = sent(&mut server).await;
    assert!(asked(&sent, "POST", &format!("/v71/payments/{PSP}/refunds")), "{}", sent.target);
    assert_eq!(sent.header("idempotency-key"), [ours.as_str()]);
    let amount = json!({ "currency": "BRL", "value": 345 });
    assert_eq!(body, json!({ "merchantAccount": MERCHANT, "reference": ours, "amount": amount }));

    let good = received(&ours, Some(345));
    let no = |kind: &str, code: &str| json!({ "status": 422, "errorCode": code, "errorType": kind });
    for (status, body, code) in [
        ("201 Created", with(good.clone(), "paymentPspReference", json!("OTHER")), "reference_mismatch"),
        ("201 Created", with(good.clone(), "merchantAccount", json!("Other")), "reference_mismatch"),
        ("201 Created", with(good.clone(), "reference", json!("rfd_other")), "reference_mismatch"),
        ("201 Created", with(good.clone(), "status", json!("done")), "unreadable_answer"),
        ("201 Created", received(&ours, Some(344)), "amount_mismatch"),
        ("201 Created", json!("<html>"), "unreadable_answer"),
        ("401 No", no("security", "000"), "unauthorized"),
        ("422 No", no("validation", "704"), "key_reused"),
        ("409 No", json!({}), "key_reused"),
        ("422 No", no("internal", "905"), "gateway_error"),
        ("422 No", json!({}), "order_refused"),
        ("429 Slow", json!({}), "rate_limited"),
        ("500 Oops", good.clone(), "gateway_error"),
    ] {
        let server = Scripted::answering(status, "", &body.to_string()).await;
        let outcome = at(&server.url).refund(&order).await;
        let RefundOutcome::Unclear { failure } = &outcome else { panic!("{body}: {outcome:?}") };
        assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Unknown, code), "{body}");
        keeps_secrets(&outcome);
    }
    let server = Scripted::answering("422 No", "", &no("validation", "167").to_string()).await;
    let outcome = at(&server.url).refund(&order).await;
    assert!(
        matches!(&outcome, RefundOutcome::Failed { failure } if failure.raw_code.as_deref() == Some("167")),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_card_is_kept_if_the_gateway_has_it() {
    let listed = json!({ "storedPaymentMethods": [{ "id": "OTHER" }, { "id": CARD, "lastFour": "1111" }] });
    let mut server = Scripted::answering("200 OK", "", &listed.to_string()).await;
    let (gateway, order) = (at(&server.url), to_store(CARD));
    let expected = Token(format!("{}/{CARD}", order.customer));
    assert_eq!(gateway.store_method(&order).await, StoreOutcome::Stored(expected.clone()));
    let query = format!("shopperReference={}&merchantAccount={MERCHANT}", order.customer);
    assert!(asked(&sent(&mut server).await.0, "GET", &format!("/v71/storedPaymentMethods?{query}")));
    for token in ["M5N7TQ4TG5PFWR51", "", "{\"encryptedCard\":\"adyenjs_0_1\"}"] {
        let outcome = gateway.store_method(&to_store(token)).await;
        assert!(matches!(outcome, StoreOutcome::Declined { .. }), "{token}");
        sent(&mut server).await;
    }
    for status in ["401 No", "429 Slow", "500 Oops", "302 Found", "422 No"] {
        let server = Scripted::answering(status, "", &listed.to_string()).await;
        let outcome = at(&server.url).store_method(&order).await;
        assert!(matches!(outcome, StoreOutcome::Unclear { .. }), "{status}: {outcome:?}");
    }

    for (status, is_gone) in
        [("204 No Content", true), ("404 Gone", true), ("500 Oops", false), ("401 No", false)]
    {
        let mut server = Scripted::answering(status, "", "").await;
        assert_eq!(at(&server.url).detach_method(&expected).await.is_ok(), is_gone, "{status}");
        let target = format!("/v71/storedPaymentMethods/{CARD}?{query}");
        assert!(asked(&sent(&mut server).await.0, "DELETE", &target));
    }
}

#[tokio::test]
async fn credentials_are_proved_by_a_harmless_call() {
    let mut server = Scripted::routed(|_| ok(r#"{"paymentMethods":[]}"#)).await;
    assert_eq!(at(&server.url).check().await, Ok(()));
    let (call, body) = sent(&mut server).await;
    assert!(asked(&call, "POST", "/v71/paymentMethods"));
    assert_eq!(body, json!({ "merchantAccount": MERCHANT }));
    for (status, class) in [
        ("401 No", FailureClass::Configuration),
        ("403 No", FailureClass::Configuration),
        ("500 Oops", FailureClass::Unknown),
        ("429 Slow", FailureClass::NotSent),
    ] {
        let server = Scripted::answering(status, "", "{}").await;
        assert_eq!(at(&server.url).check().await.unwrap_err().class, class, "{status}");
    }
    // A live account's base has a path of its own.
    let mut server = Scripted::routed(|_| ok("{}")).await;
    at(&format!("{}/checkout", server.url)).check().await.unwrap();
    assert!(asked(&sent(&mut server).await.0, "POST", "/checkout/v71/paymentMethods"));
}
