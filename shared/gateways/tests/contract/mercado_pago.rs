//! Mercado Pago's adapter against scripts of what Mercado Pago answers.

mod outside;

use crate::bench::{API_KEY, by_ours, request};
use crate::brazil::{
    Make, PREVIOUS, SECRET, Subject, asked, brl, card, judge, ok, pix, refund_of, refused, say, sent, theirs,
    to_store, troubles, verdict, without_secrets,
};
use crate::common::{Common, Covered, Window};
use crate::contract::charging::unknown;
use crate::contract::disputes::{UNDISPUTED, only};
use crate::scripted::{Received, Scripted};
use fatura_application::ports::{ChargeLookup, WebhookDelivery, WebhookRefusal, WebhookSubject};
use fatura_domain::charge::FailureClass;
use fatura_domain::gateway::{
    ChargeOutcome, ChargeRequest, DisputeOutcome, DisputeVerdict, GatewayReference, MeansType, MovementKind,
    PendingAction, RefundOutcome, StoreOutcome, Token,
};
use fatura_domain::money::Currency;
use fatura_gateways::MercadoPago;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use std::sync::Arc;

const MAKE: Make = |http, at, secrets| Arc::new(MercadoPago::new(http, at, secrets));
const STORED: &str = "123-abc/9001/visa";
const BAD: Result<(), WebhookRefusal> = Err(WebhookRefusal::BadSignature);

fn bearer() -> String {
    format!("Bearer {API_KEY}")
}

fn one_use_token(asked: &Received) -> Option<String> {
    (asked.target == "/v1/card_tokens").then(|| json!({ "id": "one_use" }).to_string())
}

fn subject() -> Subject {
    let order = request(card(STORED));
    let captured = payment(&order, "approved").to_string();
    Subject { make: MAKE, more: &[], order, before: one_use_token, captured }
}

pub(crate) fn common() -> Common {
    Common {
        make: MAKE,
        more: &[],
        means: || card(STORED),
        key: Some("x-idempotency-key"),
        aside: |asked, _| one_use_token(asked).map(|body| ok(&body)),
        captured: |order| {
            let amount = serde_json::from_str(&order.amount.to_string()).unwrap();
            with(payment(order, "approved"), "transaction_amount", amount).to_string()
        },
        sent_at_401: 1,
        amount: |amount| {
            (amount.currency() == Currency::BRL).then(|| format!(r#""transaction_amount":{amount},"#))
        },
        reference: "1312345678901",
        webhook_secrets: [SECRET, PREVIOUS, "whsec_wrong"],
        now: crate::brazil::now,
        delivery: |secret, at| notice("77", "77", &at.to_string(), secret),
        // The id, the request's id and the time.
        covered: Covered { body: false, time: Some(Window::FIVE_MINUTES), not: &["type"] },
    }
}

fn payment(order: &ChargeRequest, status: &str) -> Value {
    json!({
        "id": 1_312_345_678_901_i64,
        "status": status,
        "status_detail": "accredited",
        "transaction_amount": serde_json::from_str::<Value>("123.45").unwrap(),
        "currency_id": "BRL",
        "external_reference": order.attempt,
        "payment_method_id": "visa",
        "date_created": "2026-11-21T08:00:00.000-04:00",
        "date_approved": null,
        "point_of_interaction": {},
    })
}

fn with(mut told: Value, name: &str, value: Value) -> Value {
    told[name] = value;
    told
}

fn found(results: &[Value]) -> Value {
    json!({ "paging": { "total": results.len(), "limit": 30, "offset": 0 }, "results": results })
}

/// Charges with this answer to the payment.
async fn charged(order: &ChargeRequest, status: &'static str, told: Value) -> ChargeOutcome {
    let server = Scripted::routed(move |asked| match one_use_token(asked) {
        Some(made) => ok(&made),
        None => say(status, &told),
    })
    .await;
    subject().at(&server.url).charge(order).await
}

#[tokio::test]
async fn troubles_of_the_way() {
    troubles(&subject()).await;
}

#[tokio::test]
async fn its_name_and_limits() {
    let gateway = judge(MAKE, &[]);
    assert_eq!(gateway.name().as_str(), "mercado-pago");
    let capabilities = gateway.capabilities();
    assert_eq!((capabilities.means, capabilities.partial_refund), (&MeansType::ALL[..], &MeansType::ALL[..]));
    assert!(capabilities.looks_up_by_reference && !capabilities.retries_by_itself);
}

#[tokio::test]
async fn a_stored_card_is_charged_by_a_token_for_one_use() {
    for (minor, written) in
        [(12_345, "123.45"), (1, "0.01"), (100, "1.00"), (9_007_199_254_740_991, "90071992547409.91")]
    {
        let order = ChargeRequest { amount: brl(minor), ..request(card(STORED)) };
        let amount = serde_json::from_str(written).unwrap();
        let told = with(payment(&order, "approved"), "transaction_amount", amount);
        let mut server = Scripted::routed(move |asked| match one_use_token(asked) {
            Some(made) => ok(&made),
            None => say("201 Created", &told),
        })
        .await;
        let outcome = subject().at(&server.url).charge(&order).await;
        let reference = GatewayReference("1312345678901".to_owned());
        assert_eq!(outcome, ChargeOutcome::Approved { reference, captured: brl(minor) });
        let (call, body) = sent(&mut server, &bearer()).await;
        assert_eq!(call, "POST /v1/card_tokens");
        assert_eq!(body, json!({ "customer_id": "123-abc", "card_id": "9001" }));
        let payment = server.next().await;
        assert_eq!((payment.method.as_str(), payment.target.as_str()), ("POST", "/v1/payments"));
        assert_eq!(payment.header("authorization"), [bearer()]);
        assert_eq!(payment.header("content-type"), ["application/json"]);
        assert_eq!(payment.header("x-idempotency-key"), [order.attempt.to_string()]);
        let (attempt, invoice) = (order.attempt, order.invoice());
        assert_eq!(
            String::from_utf8(payment.body).unwrap(),
            format!(
                r#"{{"transaction_amount":{written},"description":"{invoice}","external_reference":"{attempt}","payment_method_id":"visa","token":"one_use","installments":1,"payer":{{"type":"customer","id":"123-abc"}}}}"#
            )
        );
        assert_eq!(server.unseen(), 0);
    }
}

#[tokio::test]
async fn each_decline_has_its_class() {
    use FailureClass as Class;
    let order = request(card(STORED));
    for (raw, class, code) in [
        ("cc_rejected_insufficient_amount", Class::InsufficientFunds, "insufficient_funds"),
        ("cc_rejected_high_risk", Class::SuspectedFraud, "suspected_fraud"),
        ("cc_rejected_blacklist", Class::SuspectedFraud, "suspected_fraud"),
        ("cc_rejected_call_for_authorize", Class::AuthenticationRequired, "authentication_required"),
        ("cc_rejected_3ds_mandatory", Class::AuthenticationRequired, "authentication_required"),
        ("cc_rejected_bad_filled_card_number", Class::Hard, "invalid_card"),
        ("cc_rejected_bad_filled_date", Class::Hard, "expired_card"),
        ("cc_rejected_bad_filled_other", Class::Hard, "invalid_card"),
        ("cc_rejected_bad_filled_security_code", Class::Hard, "security_code"),
        ("cc_rejected_card_disabled", Class::Hard, "card_disabled"),
        ("cc_rejected_max_attempts", Class::Hard, "too_many_attempts"),
        ("cc_rejected_invalid_installments", Class::Configuration, "installments"),
        ("cc_rejected_duplicated_payment", Class::Duplicate, "duplicate"),
        ("cc_rejected_card_error", Class::Generic, "declined"),
        ("cc_rejected_other_reason", Class::Generic, "declined"),
        ("bank_error", Class::IssuerUnavailable, "issuer_unavailable"),
        ("rejected_by_bank", Class::DoNotHonor, "do_not_honor"),
        ("cc_rejected_by_the_moon", Class::Generic, "declined"),
    ] {
        let told = with(payment(&order, "rejected"), "status_detail", json!(raw));
        let outcome = charged(&order, "201 Created", told).await;
        let failure = refused(&outcome);
        assert_eq!((failure.class, failure.code.as_str()), (class, code), "{raw}");
        assert_eq!(failure.raw_code.as_deref(), Some(raw));
        assert!(matches!(outcome, ChargeOutcome::Declined { reference: Some(_), .. }));
    }
}

#[tokio::test]
async fn what_the_answer_contradicts_is_unknown() {
    let order = request(card(STORED));
    let told = |name: &str, value: Value| with(payment(&order, "approved"), name, value);
    for (told, code) in [
        (told("external_reference", json!(request(card(STORED)).attempt)), "reference_mismatch"),
        (told("external_reference", Value::Null), "reference_mismatch"),
        (told("currency_id", json!("XXX")), "contradictory_answer"),
        (told("transaction_amount", json!(0)), "contradictory_answer"),
        (told("transaction_amount", json!("123.45")), "unreadable_answer"),
        (told("transaction_amount", serde_json::from_str("123.456").unwrap()), "contradictory_answer"),
        (told("status", json!("settled")), "unreadable_answer"),
        (told("id", json!("../x")), "unreadable_answer"),
    ] {
        assert_eq!(unknown(&charged(&order, "201 Created", told.clone()).await), code, "{told}");
    }
    // Another amount is passed on, so that it is seen.
    let less = told("transaction_amount", serde_json::from_str("123.4").unwrap());
    let outcome = charged(&order, "201 Created", less).await;
    assert!(matches!(outcome, ChargeOutcome::Approved { captured, .. } if captured == brl(12_340)));
}

#[tokio::test]
async fn refusals_of_the_order() {
    let order = request(card(STORED));
    let told = json!({ "message": "m", "error": "bad_request", "status": 400, "cause": [{ "code": 3003 }] });
    let failure = refused(&charged(&order, "400 Bad Request", told).await);
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Configuration, "order_refused"));
    assert_eq!(failure.raw_code.as_deref(), Some("3003"));
    // The same order a moment ago: it may have charged.
    let told = json!({ "error": "bad_request", "cause": [{ "code": 2001 }] });
    assert_eq!(unknown(&charged(&order, "400 Bad Request", told).await), "key_reused");
    let told = json!({ "error": "bad_request", "cause": [{ "code": 2002 }] });
    assert_eq!(
        refused(&charged(&order, "400 Bad Request", told).await).class,
        FailureClass::CustomerNotFound
    );
}

/// Nothing is charged by making a token, so the order was not sent, whatever came of that.
#[tokio::test]
async fn without_a_token_for_one_use_nothing_is_sent() {
    let order = request(card(STORED));
    let not_sent = |outcome: &ChargeOutcome| matches!(outcome, ChargeOutcome::NotSent { .. });
    for (status, class) in [
        ("500 Oops", None),
        ("404 Not Found", Some(FailureClass::CustomerNotFound)),
        ("401 No", Some(FailureClass::Configuration)),
    ] {
        let server = Scripted::answering(status, "", "{}").await;
        let outcome = subject().at(&server.url).charge(&order).await;
        match class {
            None => assert!(not_sent(&outcome), "{outcome:?}"),
            Some(class) => assert_eq!(refused(&outcome).class, class),
        }
        assert_eq!(server.unseen(), 1, "no payment: {status}");
    }
    let server = Scripted::answering("200 OK", "", "{}").await;
    for token in ["one_use", "a/b", "a/b/c/d", "a//c", "../b/c", "a/b/c?d"] {
        let failure = refused(&subject().at(&server.url).charge(&request(card(token))).await);
        assert_eq!(failure.code, "not_a_stored_card", "{token}");
    }
    assert_eq!(server.unseen(), 0);
}

fn with_code(order: &ChargeRequest) -> Value {
    let told = with(payment(order, "pending"), "payment_method_id", json!("pix"));
    let told = with(told, "date_of_expiration", json!("2026-11-22T23:59:59.000-03:00"));
    let data = json!({ "transaction_data": { "qr_code": "000201...6304ABCD", "qr_code_base64": "iVBO" } });
    with(told, "point_of_interaction", data)
}

#[tokio::test]
async fn a_pix_waits_for_its_payer() {
    let more = &[("pix_payer_email", "billing@example.com")];
    for (key, email, identification) in [
        ("payer@example.com", "payer@example.com", Value::Null),
        ("12345678909", "billing@example.com", json!({ "type": "CPF", "number": "12345678909" })),
        ("12345678000195", "billing@example.com", json!({ "type": "CNPJ", "number": "12345678000195" })),
        ("+5511999999999", "billing@example.com", Value::Null),
    ] {
        let order = request(pix(key));
        let mut server = Scripted::answering("201 Created", "", &with_code(&order).to_string()).await;
        let outcome = Subject { more, ..subject() }.at(&server.url).charge(&order).await;
        let expires_at = "2026-11-23T02:59:59Z".parse().unwrap();
        let action = PendingAction::Pix { emv: "000201...6304ABCD".to_owned(), expires_at };
        let reference = GatewayReference("1312345678901".to_owned());
        assert_eq!(outcome, ChargeOutcome::Pending { reference, action });
        let (call, body) = sent(&mut server, &bearer()).await;
        assert_eq!(call, "POST /v1/payments");
        assert_eq!(body["transaction_amount"].to_string(), "123.45");
        assert_eq!((&body["payment_method_id"], &body["payer"]["email"]), (&json!("pix"), &json!(email)));
        assert_eq!(body["payer"]["identification"], identification);
        assert_eq!(body["external_reference"], json!(order.attempt));
        assert_eq!(body["date_of_expiration"], "2023-11-15T23:59:59.000-03:00", "by when the attempt began");
        assert_eq!((&body["token"], &body["installments"]), (&Value::Null, &Value::Null));
    }
    // Nobody is known to pay.
    let server = Scripted::answering("201 Created", "", "{}").await;
    let failure = refused(&subject().at(&server.url).charge(&request(pix("12345678909"))).await);
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Configuration, "payer_unknown"));
    assert_eq!(server.unseen(), 0);
}

#[tokio::test]
async fn a_pix_without_its_code_is_unknown() {
    let order = request(pix("payer@example.com"));
    for (name, value) in [("point_of_interaction", json!({})), ("date_of_expiration", json!("soon"))] {
        let told = with(with_code(&order), name, value);
        assert_eq!(unknown(&charged(&order, "201 Created", told).await), "unreadable_answer", "{name}");
    }
}

#[tokio::test]
async fn a_payment_is_looked_up_by_id_and_then_by_our_reference() {
    let order = request(card(STORED));
    let (paid, search) =
        (payment(&order, "approved"), format!("/v1/payments/search?external_reference={}", order.attempt));
    let stranger = payment(&request(card(STORED)), "approved");
    let several = found(&[
        payment(&order, "rejected"),
        stranger.clone(),
        with(paid.clone(), "id", json!(7)),
        payment(&order, "pending"),
    ]);
    let told = paid.clone();
    let mut server = Scripted::routed(move |request| match request.target.as_str() {
        "/v1/payments/1312345678901" => say("200 OK", &told),
        "/v1/payments/404" => say("404 Not Found", &json!({})),
        "/v1/payments/5" => say("200 OK", &stranger),
        target if asked(request, "GET", target) && target.contains("search") => say("200 OK", &several),
        _ => say("418 Teapot", &json!({})),
    })
    .await;
    let gateway = subject().at(&server.url);
    let approved = |id: &str| ChargeOutcome::Approved {
        reference: GatewayReference(id.to_owned()),
        captured: brl(12_345),
    };
    assert_eq!(gateway.fetch_charge(&theirs(&order, "1312345678901")).await, approved("1312345678901"));
    assert_eq!(server.next().await.target, "/v1/payments/1312345678901");
    assert_eq!(gateway.fetch_charge(&theirs(&order, "404")).await, approved("7"), "the one that took money");
    server.next().await;
    assert_eq!(server.next().await.target, search);
    // Never another address, and never another attempt's.
    assert_eq!(gateway.fetch_charge(&theirs(&order, "../x")).await, approved("7"));
    assert_eq!(server.next().await.target, search);
    assert_eq!(unknown(&gateway.fetch_charge(&theirs(&order, "5")).await), "reference_mismatch");
    // Paid, so too late; and what isn't ours is left alone.
    assert_eq!(gateway.cancel(&by_ours(&order)).await, approved("7"));
    unknown(&gateway.cancel(&theirs(&order, "5")).await);

    let server = Scripted::answering("200 OK", "", &found(&[]).to_string()).await;
    assert_eq!(subject().at(&server.url).fetch_charge(&by_ours(&order)).await, ChargeOutcome::Absent);
    let short = json!({ "paging": { "total": 31 }, "results": [] });
    let server = Scripted::answering("200 OK", "", &short.to_string()).await;
    assert_eq!(
        unknown(&subject().at(&server.url).fetch_charge(&by_ours(&order)).await),
        "contradictory_answer"
    );
}

#[tokio::test]
async fn how_it_stands() {
    let order = request(card(STORED));
    let review = PendingAction::Review;
    let challenge = PendingAction::RequiresAction { url: None };
    for (status, detail, action) in [
        ("in_process", "pending_review_manual", Some(review.clone())),
        ("pending", "pending_challenge", Some(challenge)),
        ("authorized", "pending_capture", Some(review)),
        ("refunded", "refunded", None),
        ("charged_back", "settled", None),
        ("in_mediation", "pending", None),
        ("approved", "partially_refunded", None),
    ] {
        let told = with(payment(&order, status), "status_detail", json!(detail));
        let outcome = charged(&order, "200 OK", told).await;
        match action {
            Some(expected) => assert!(
                matches!(&outcome, ChargeOutcome::Pending { action, .. } if *action == expected),
                "{status}"
            ),
            None => {
                assert!(matches!(outcome, ChargeOutcome::Approved { .. }), "{status}: the money was taken");
            }
        }
    }
    for detail in ["expired", "by_collector"] {
        let told = with(payment(&order, "cancelled"), "status_detail", json!(detail));
        assert!(matches!(charged(&order, "200 OK", told).await, ChargeOutcome::Voided { .. }));
    }
}

#[tokio::test]
async fn what_waits_is_cancelled() {
    let order = request(pix("payer@example.com"));
    let (waits, over) = (with_code(&order), payment(&order, "cancelled"));
    let mut server =
        Scripted::routed(move |request| say("200 OK", if request.method == "PUT" { &over } else { &waits }))
            .await;
    let voided = ChargeOutcome::Voided { reference: GatewayReference("1312345678901".to_owned()) };
    assert_eq!(subject().at(&server.url).cancel(&theirs(&order, "1312345678901")).await, voided);
    server.next().await;
    let (call, body) = sent(&mut server, &bearer()).await;
    assert_eq!((call.as_str(), body), ("PUT /v1/payments/1312345678901", json!({ "status": "cancelled" })));
}

fn refund(id: i64, amount: &str, made: &str) -> Value {
    json!({ "id": id, "payment_id": 77, "amount": serde_json::from_str::<Value>(amount).unwrap(), "status": "approved", "date_created": made })
}

#[tokio::test]
async fn money_goes_back() {
    let order = refund_of("77", 5_005);
    let told = refund(1, "50.05", "2026-11-21T12:00:01Z");
    let mut server = Scripted::answering("201 Created", "", &told.to_string()).await;
    let succeeded =
        RefundOutcome::Succeeded { reference: GatewayReference("1".to_owned()), amount: brl(5_005) };
    assert_eq!(subject().at(&server.url).refund(&order).await, succeeded);
    let request = server.next().await;
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/v1/payments/77/refunds"));
    assert_eq!(request.header("x-idempotency-key"), [order.refund.to_string()]);
    assert_eq!(request.body, br#"{"amount":50.05}"#);

    let unclear = |outcome: &RefundOutcome| matches!(outcome, RefundOutcome::Unclear { .. });
    let failed = |outcome: &RefundOutcome| matches!(outcome, RefundOutcome::Failed { .. });
    for (status, told, test) in [
        (
            "400 Bad Request",
            json!({ "cause": [{ "code": 2063 }] }),
            &failed as &dyn Fn(&RefundOutcome) -> bool,
        ),
        ("404 Not Found", json!({}), &failed),
        ("201 Created", with(told.clone(), "status", json!("rejected")), &failed),
        ("201 Created", with(told.clone(), "status", json!("in_process")), &|outcome| {
            matches!(outcome, RefundOutcome::Pending { .. })
        }),
        ("201 Created", with(told.clone(), "status", json!("odd")), &unclear),
        ("201 Created", with(told.clone(), "payment_id", json!(78)), &unclear),
        ("409 Conflict", json!({}), &unclear),
        ("500 Oops", json!({}), &unclear),
        ("429 Slow", json!({}), &unclear),
        ("401 No", json!({}), &unclear),
    ] {
        let server = Scripted::answering(status, "", &told.to_string()).await;
        let outcome = subject().at(&server.url).refund(&order).await;
        assert!(test(&outcome), "{status} {told}: {outcome:?}");
    }
    let strange =
        fatura_domain::gateway::RefundRequest { charge: GatewayReference("../77".to_owned()), ..order };
    assert!(unclear(&subject().at(&server.url).refund(&strange).await));
    assert_eq!(server.unseen(), 0);
}

/// There is no name of ours on it: its amount and time have to do.
#[tokio::test]
async fn a_refund_is_known_again_by_amount_and_time() {
    let order = refund_of("77", 5_005);
    let (ours, stale, other) = (
        refund(1, "50.05", "2026-11-21T12:00:01Z"),
        refund(2, "50.05", "2026-11-20T12:00:00Z"),
        refund(3, "50.06", "2026-11-21T12:00:01Z"),
    );
    for (found, expected) in [
        (vec![], Some(None)),
        (vec![&stale, &other], Some(None)),
        (vec![&stale, &ours, &other], Some(Some("1"))),
        (vec![&ours, &ours], None),
    ] {
        let server = Scripted::answering("200 OK", "", &json!(found).to_string()).await;
        let outcome = subject().at(&server.url).fetch_refund(&order).await;
        match expected {
            Some(expected) => assert_eq!(
                outcome,
                expected.map(|id| RefundOutcome::Succeeded {
                    reference: GatewayReference(id.to_owned()),
                    amount: brl(5_005)
                })
            ),
            None => assert!(matches!(outcome, Some(RefundOutcome::Unclear { .. })), "{outcome:?}"),
        }
    }
    let server = Scripted::answering("500 Oops", "", "").await;
    assert!(matches!(
        subject().at(&server.url).fetch_refund(&order).await,
        Some(RefundOutcome::Unclear { .. })
    ));
}

#[tokio::test]
async fn a_card_is_kept_for_its_customer_and_forgotten() {
    for known in [true, false] {
        let mut server =
            Scripted::routed(move |request| match (request.method.as_str(), request.target.as_str()) {
                ("GET", _) if known => say("200 OK", &found(&[json!({ "id": "123-abc" })])),
                ("GET", _) => say("200 OK", &found(&[])),
                (_, "/v1/customers") => say("201 Created", &json!({ "id": "123-abc" })),
                _ => say("201 Created", &json!({ "id": "9001", "payment_method": { "id": "visa" } })),
            })
            .await;
        let order = to_store("tok_form");
        assert_eq!(
            subject().at(&server.url).store_method(&order).await,
            StoreOutcome::Stored(Token(STORED.to_owned()))
        );
        assert_eq!(sent(&mut server, &bearer()).await.0, "GET /v1/customers/search?email=ana%40example.com");
        if !known {
            let made = (json!("ana@example.com"), json!("Ana Souza"));
            let (call, body) = sent(&mut server, &bearer()).await;
            assert_eq!(
                (call.as_str(), (body["email"].clone(), body["first_name"].clone())),
                ("POST /v1/customers", made)
            );
        }
        let (call, body) = sent(&mut server, &bearer()).await;
        assert_eq!(
            (call.as_str(), body),
            ("POST /v1/customers/123-abc/cards", json!({ "token": "tok_form" }))
        );
    }
    let server = Scripted::routed(|request| match request.method.as_str() {
        "GET" => say("200 OK", &found(&[json!({ "id": "123-abc" })])),
        _ => say("400 Bad Request", &json!({ "cause": [{ "code": "E301" }] })),
    })
    .await;
    let declined = subject().at(&server.url).store_method(&to_store("tok_form")).await;
    assert!(
        matches!(declined, StoreOutcome::Declined { failure } if failure.raw_code.as_deref() == Some("E301"))
    );
    let server = Scripted::answering("500 Oops", "", "").await;
    let unclear = subject().at(&server.url).store_method(&to_store("tok_form")).await;
    assert!(matches!(unclear, StoreOutcome::Unclear { .. }));

    for (status, is_gone) in
        [("200 OK", true), ("404 Not Found", true), ("500 Oops", false), ("401 No", false)]
    {
        let mut server = Scripted::answering(status, "", "{}").await;
        let forgotten = subject().at(&server.url).detach_method(&Token(STORED.to_owned())).await;
        assert_eq!(forgotten.is_ok(), is_gone, "{status}");
        assert_eq!(sent(&mut server, &bearer()).await.0, "DELETE /v1/customers/123-abc/cards/9001");
    }
}

#[tokio::test]
async fn credentials_are_proved_by_a_harmless_call() {
    for (status, code) in
        [("200 OK", None), ("401 No", Some("unauthorized")), ("500 Oops", Some("gateway_error"))]
    {
        let mut server = Scripted::answering(status, "", "{}").await;
        let checked = subject().at(&server.url).check().await;
        assert_eq!(checked.err().map(|failure| failure.code).as_deref(), code);
        assert_eq!(sent(&mut server, &bearer()).await.0, "GET /users/me");
    }
}

#[tokio::test]
async fn a_chargeback_is_open_won_or_lost() {
    let order = request(card(STORED));
    for (coverage, verdict) in [
        (Value::Null, DisputeVerdict::Open),
        (json!(true), DisputeVerdict::Won),
        (json!(false), DisputeVerdict::Lost),
    ] {
        let case = json!({ "id": "217", "amount": serde_json::from_str::<Value>("123.45").unwrap(), "currency": "BRL", "coverage_applied": coverage, "payments": [1_312_345_678_901_i64] });
        let (paid, cases) = (payment(&order, "charged_back"), found(&[case]));
        let server = Scripted::routed(move |request| {
            if request.target.contains("chargebacks") { say("200 OK", &cases) } else { say("200 OK", &paid) }
        })
        .await;
        let outcome = subject().at(&server.url).fetch_dispute(&theirs(&order, "1312345678901")).await;
        let standing = only(outcome);
        assert_eq!((standing.status, standing.amount), (verdict, Some(brl(12_345))));
    }
    let cases = found(&[
        json!({ "id": "217", "coverage_applied": false }),
        json!({ "id": "218", "payments": [5] }),
        json!({ "id": "219" }),
    ]);
    let paid = payment(&order, "charged_back");
    let server = Scripted::routed(move |request| {
        if request.target.contains("chargebacks") { say("200 OK", &cases) } else { say("200 OK", &paid) }
    })
    .await;
    let outcome = subject().at(&server.url).fetch_dispute(&theirs(&order, "1312345678901")).await;
    let DisputeOutcome::Told(told) = outcome else { panic!("{outcome:?}") };
    let told: Vec<_> = told.iter().map(|standing| (standing.reference.0.as_str(), standing.status)).collect();
    assert_eq!(told, [("217", DisputeVerdict::Lost), ("219", DisputeVerdict::Open)], "each of this payment");
    // Of another payment, or none at all.
    for cases in [found(&[json!({ "id": "217", "payments": [5] })]), found(&[])] {
        let paid = payment(&order, "approved");
        let server = Scripted::routed(move |request| {
            if request.target.contains("chargebacks") { say("200 OK", &cases) } else { say("200 OK", &paid) }
        })
        .await;
        let outcome = subject().at(&server.url).fetch_dispute(&theirs(&order, "1312345678901")).await;
        assert_eq!(outcome, UNDISPUTED);
    }
}

#[tokio::test]
async fn the_books_tell_what_moved_in_the_time() {
    let order = request(card(STORED));
    let told = with(payment(&order, "approved"), "date_approved", json!("2026-11-21T08:00:01.000-04:00"));
    let refunds =
        json!([refund(1, "50.05", "2026-11-21T13:00:00Z"), refund(2, "1.00", "2026-11-22T13:00:00Z")]);
    let page = json!({ "paging": { "total": 2 }, "results": [with(told, "refunds", refunds)] });
    let mut server = Scripted::answering("200 OK", "", &page.to_string()).await;
    let (from, to) = ("2026-11-21T00:00:00Z".parse().unwrap(), "2026-11-22T00:00:00Z".parse().unwrap());
    let told = subject().at(&server.url).movements(from, to, None).await.unwrap();
    assert_eq!(told.next.as_deref(), Some("1"));
    let told: Vec<_> =
        told.data.into_iter().map(|moved| (moved.kind, moved.amount, moved.charge.0)).collect();
    let id = "1312345678901".to_owned();
    assert_eq!(
        told,
        [(MovementKind::Capture, brl(12_345), id.clone()), (MovementKind::Refund, brl(5_005), id)]
    );
    let target = server.next().await.target;
    assert!(target.contains("begin_date=2026-11-21T00%3A00%3A00Z&end_date=NOW"), "{target}");
    let last = subject().at(&server.url).movements(from, to, Some("1")).await.unwrap();
    assert_eq!(last.next, None);
    assert!(subject().at(&server.url).movements(from, to, Some("x")).await.is_err());
}

// ---- notices -------------------------------------------------------------------------------------------------------

fn notice(data_id: &str, signed_id: &str, ts: &str, secret: &str) -> WebhookDelivery {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("id:{signed_id};request-id:req-1;ts:{ts};").as_bytes());
    let v1 = hex::encode(mac.finalize().into_bytes());
    WebhookDelivery {
        body: br#"{"action":"payment.updated","data":{"id":"999"},"type":"payment"}"#.to_vec(),
        headers: vec![
            ("x-signature".to_owned(), format!("ts={ts},v1={v1}")),
            ("x-request-id".to_owned(), "req-1".to_owned()),
        ],
        query: vec![("data.id".to_owned(), data_id.to_owned()), ("type".to_owned(), "payment".to_owned())],
    }
}

#[tokio::test]
async fn a_genuine_notice_is_verified() {
    for (data_id, signed_id, ts, secret) in [
        ("77", "77", "1700000000", SECRET),
        ("77", "77", "1700000000000", SECRET),
        ("77", "77", "1700000300", PREVIOUS),
        ("77", "77", "1699999700999", PREVIOUS),
        ("ORD01", "ORD01", "1700000000", SECRET),
        ("ORD01", "ord01", "1700000000", SECRET),
    ] {
        assert_eq!(verdict(MAKE, &notice(data_id, signed_id, ts, secret)).await, Ok(()), "{data_id} {ts}");
    }
}

#[tokio::test]
async fn a_forged_notice_is_refused() {
    let genuine = notice("77", "77", "1700000000", SECRET);
    let change = |change: &dyn Fn(&mut WebhookDelivery)| {
        let mut forged = genuine.clone();
        change(&mut forged);
        forged
    };
    for (what, forged) in [
        ("another id", change(&|forged| forged.query[0].1 = "78".to_owned())),
        ("no id", change(&|forged| drop(forged.query.remove(0)))),
        ("two ids", change(&|forged| forged.query.push(("data.id".to_owned(), "77".to_owned())))),
        ("another request", change(&|forged| forged.headers[1].1 = "req-2".to_owned())),
        ("no request", change(&|forged| drop(forged.headers.pop()))),
        ("no signature", change(&|forged| drop(forged.headers.remove(0)))),
        ("two signatures", change(&|forged| forged.headers.push(forged.headers[0].clone()))),
        (
            "another time",
            change(&|forged| forged.headers[0].1 = forged.headers[0].1.replace("1700000000", "1700000001")),
        ),
        ("no digest", change(&|forged| forged.headers[0].1 = "ts=1700000000".to_owned())),
        ("half a digest", change(&|forged| forged.headers[0].1.truncate(80))),
        ("another scheme", change(&|forged| forged.headers[0].1 = forged.headers[0].1.replace("v1=", "v0="))),
        ("another secret", notice("77", "77", "1700000000", "whsec_wrong")),
        ("an empty secret", notice("77", "77", "1700000000", "")),
        ("another id signed", notice("77", "78", "1700000000", SECRET)),
        ("a path for an id", notice("../77", "../77", "1700000000", SECRET)),
        ("no time", notice("77", "77", "soon", SECRET)),
    ] {
        assert_eq!(verdict(MAKE, &forged).await, BAD, "{what}");
    }
    let digest = genuine.headers[0].1.len();
    for place in digest - 64..digest {
        let mut forged = genuine.clone();
        let digit = if &forged.headers[0].1[place..=place] == "0" { "1" } else { "0" };
        forged.headers[0].1.replace_range(place..=place, digit);
        assert_eq!(verdict(MAKE, &forged).await, BAD, "digit {place}");
    }
    without_secrets(MAKE, &genuine).await;
}

#[tokio::test]
async fn a_notice_of_another_time_is_stale() {
    for ts in ["1699999699", "1700000301", "1700000301000", "1699999699999", "0"] {
        assert_eq!(verdict(MAKE, &notice("77", "77", ts, SECRET)).await, Err(WebhookRefusal::Stale), "{ts}");
    }
}

/// The body names payment 999 and is signed by nobody: nothing of it is kept.
#[tokio::test]
async fn only_what_is_signed_is_kept() {
    let gateway = judge(MAKE, &[SECRET]);
    let delivery = notice("77", "77", "1700000000", SECRET);
    let kept = gateway.kept_body(&delivery);
    assert!(!String::from_utf8(kept.clone()).unwrap().contains("999"));
    let hint = gateway.parse_webhook(&kept).unwrap();
    assert_eq!((hint.event_id.as_str(), hint.kind.as_str()), ("77-req-1", "payment"));
    assert_eq!(hint.subject, Some(WebhookSubject::Unresolved(GatewayReference("payment/77".to_owned()))));
    // What can be changed without being noticed makes no other event of it.
    let mut same = delivery.clone();
    same.body = b"something else".to_vec();
    assert_eq!(gateway.kept_body(&same), kept);
    let mut case = delivery.clone();
    case.query[1].1 = "topic_chargebacks_wh".to_owned();
    let hint = gateway.parse_webhook(&gateway.kept_body(&case)).unwrap();
    assert_eq!(hint.event_id, "77-req-1");
    assert_eq!(hint.subject, Some(WebhookSubject::Unresolved(GatewayReference("chargeback/77".to_owned()))));
    case.query[1].1 = "subscription_preapproval".to_owned();
    assert_eq!(gateway.parse_webhook(&gateway.kept_body(&case)).unwrap().subject, None);
    for body in
        [&delivery.body[..], b"", b"{}", b"\xff", br#"{"data_id":"../1","request_id":"r","topic":"payment"}"#]
    {
        assert!(gateway.parse_webhook(body).is_err());
    }
}

#[tokio::test]
async fn whose_it_is_is_asked() {
    let order = request(card(STORED));
    let paid = payment(&order, "approved");
    let server = Scripted::routed(move |request| match request.target.as_str() {
        "/v1/payments/77" => say("200 OK", &paid),
        "/v1/payments/78" => {
            say("200 OK", &with(paid.clone(), "external_reference", json!("order-of-a-shop")))
        }
        "/v1/payments/79" => say("500 Oops", &json!({})),
        "/v1/chargebacks/217" => say("200 OK", &json!({ "id": 217, "payments": [77] })),
        _ => say("404 Not Found", &json!({})),
    })
    .await;
    let gateway = subject().at(&server.url);
    let ask = async |about: &str| gateway.resolve(&GatewayReference(about.to_owned())).await;
    let lookup: ChargeLookup = theirs(&order, "77");
    assert_eq!(ask("payment/77").await, Ok(Some(WebhookSubject::Charge(lookup.clone()))));
    assert_eq!(ask("chargeback/217").await, Ok(Some(WebhookSubject::Dispute(lookup))));
    for nothing in ["payment/78", "payment/80", "chargeback/1", "payment/../78", "order/77", ""] {
        assert_eq!(ask(nothing).await, Ok(None), "{nothing}");
    }
    assert!(ask("payment/79").await.is_err(), "asked again later");
}
