//! Iugu's adapter against scripts of what Iugu answers.

use crate::bench::{API_KEY, by_ours, request};
use crate::brazil::{
    Make, PREVIOUS, SECRET, Subject, brl, card, judge, ok, pix, refund_of, refused, say, sent, theirs,
    to_store, troubles, verdict, without_secrets,
};
use crate::common::{Common, Covered};
use crate::contract::charging::unknown;
use crate::contract::disputes::{UNDISPUTED, only};
use crate::scripted::{Act, Received, Scripted};
use fatura_application::ports::{WebhookDelivery, WebhookRefusal, WebhookSubject};
use fatura_domain::charge::FailureClass;
use fatura_domain::gateway::{
    ChargeOutcome, ChargeRequest, DisputeOutcome, DisputeVerdict, GatewayReference, MeansType, PendingAction,
    RefundOutcome, StoreOutcome, Token,
};
use fatura_domain::money::Currency;
use fatura_domain::{SignedDuration, Timestamp};
use fatura_gateways::Iugu;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;

const MAKE: Make = |http, at, secrets| Arc::new(Iugu::new(http, at, secrets));
const STORED: &str = "CAD4999627F8/77C2565F6F06";
const INVOICE: &str = "B9E1A2F0C3D44F5E";
const BAD: Result<(), WebhookRefusal> = Err(WebhookRefusal::BadSignature);

/// From `printf 'sk_test_very_secret:' | base64`.
const BASIC: &str = "Basic c2tfdGVzdF92ZXJ5X3NlY3JldDo=";

fn subject() -> Subject {
    let more = &[
        ("pix_payer_name", "Fatura"),
        ("pix_payer_email", "b@example.com"),
        ("pix_payer_tax_id", "12345678909"),
    ];
    Subject {
        make: MAKE,
        more,
        order: request(card(STORED)),
        before: |_| None,
        captured: charged().to_string(),
    }
}

pub(crate) fn common() -> Common {
    Common {
        make: MAKE,
        more: &[],
        means: || card(STORED),
        key: Some("idempotency-key"),
        // The answer to the order says no amount: its invoice is asked for that.
        aside: |asked, order| (asked.method == "GET").then(|| ok(&invoice(order, "paid").to_string())),
        captured: |_| charged().to_string(),
        sent_at_401: 1,
        amount: |amount| {
            (amount.currency() == Currency::BRL).then(|| format!(r#""price_cents":{}}}"#, amount.minor()))
        },
        reference: INVOICE,
        webhook_secrets: [SECRET, PREVIOUS, "whsec_wrong"],
        now: crate::brazil::now,
        delivery: |secret, _| notice(&[], &[("secret", secret)]),
        covered: Covered::NOTHING,
    }
}

fn charged() -> Value {
    json!({ "success": true, "message": "Autorizado", "LR": "00", "invoice_id": INVOICE, "errors": {} })
}

fn invoice(order: &ChargeRequest, status: &str) -> Value {
    let minor = order.amount.minor();
    let paid = if status == "pending" { 0 } else { minor };
    json!({
        "id": INVOICE, "status": status, "order_id": order.attempt, "currency": "BRL", "due_date": "2099-11-22",
        "total_cents": minor, "total_paid_cents": paid, "refunded_cents": 0, "payment_method": "iugu_credit_card",
        "paid_at": (Timestamp::now() - SignedDuration::from_hours(24)).to_string(), "pix": null,
    })
}

fn with(mut told: Value, name: &str, value: Value) -> Value {
    told[name] = value;
    told
}

fn id() -> GatewayReference {
    GatewayReference(INVOICE.to_owned())
}

fn approved(minor: i64) -> ChargeOutcome {
    ChargeOutcome::Approved { reference: id(), captured: brl(minor) }
}

/// One answer to the charge and one to every question.
async fn told(charge: Value, question: Act) -> Scripted {
    Scripted::routed(
        move |asked: &Received| {
            if asked.method == "POST" { say("200 OK", &charge) } else { question.clone() }
        },
    )
    .await
}

async fn fetched(order: &ChargeRequest, invoice: &Value) -> ChargeOutcome {
    let server = Scripted::answering("200 OK", "", &invoice.to_string()).await;
    subject().at(&server.url).fetch_charge(&theirs(order, INVOICE)).await
}

#[tokio::test]
async fn troubles_of_the_way() {
    troubles(&subject()).await;
    let order = request(pix("payer@example.com"));
    let captured = with(invoice(&order, "pending"), "pix", json!({ "qrcode_text": "0002" })).to_string();
    troubles(&Subject { order, captured, ..subject() }).await;
}

#[tokio::test]
async fn its_name_and_limits() {
    let gateway = judge(MAKE, &[]);
    assert_eq!(gateway.name().as_str(), "iugu");
    let capabilities = gateway.capabilities();
    assert_eq!(
        (capabilities.means, capabilities.partial_refund),
        (&MeansType::ALL[..], &[MeansType::CreditCard][..])
    );
    assert!(capabilities.looks_up_by_reference && !capabilities.retries_by_itself);
    let now = Timestamp::now();
    assert_eq!(gateway.movements(now, now, None).await.unwrap_err().code, "books_not_offered");
}

#[tokio::test]
async fn a_kept_card_is_charged_and_its_invoice_says_how_much() {
    for minor in [12_345, 1, 9_007_199_254_740_991] {
        let order = ChargeRequest { amount: brl(minor), ..request(card(STORED)) };
        let mut server = told(charged(), say("200 OK", &invoice(&order, "paid"))).await;
        assert_eq!(subject().at(&server.url).charge(&order).await, approved(minor));
        let sent = server.next().await;
        assert_eq!((sent.method.as_str(), sent.target.as_str()), ("POST", "/v1/charge"));
        assert_eq!(sent.header("authorization"), [BASIC]);
        assert_eq!(sent.header("content-type"), ["application/json"]);
        assert_eq!(sent.header("idempotency-key"), [order.attempt.to_string()]);
        let (attempt, invoice) = (order.attempt, order.invoice());
        assert_eq!(
            String::from_utf8(sent.body).unwrap(),
            format!(
                r#"{{"customer_id":"CAD4999627F8","customer_payment_method_id":"77C2565F6F06","order_id":"{attempt}","items":[{{"description":"{invoice}","quantity":1,"price_cents":{minor}}}]}}"#
            )
        );
        assert_eq!(server.next().await.target, format!("/v1/invoices/{INVOICE}"));
    }
}

/// It charged: whatever becomes of the question how much, it is known by name and never sent again.
#[tokio::test]
async fn a_charge_whose_invoice_cannot_be_read_waits() {
    let order = request(card(STORED));
    let stranger = invoice(&request(card(STORED)), "paid");
    for question in [
        say("500 Oops", &json!({})),
        say("404 Not Found", &json!({})),
        say("200 OK", &json!({ "items": [] })),
        say("200 OK", &stranger),
        say("200 OK", &invoice(&order, "canceled")),
        Act::Reset,
    ] {
        let server = told(charged(), question.clone()).await;
        let outcome = subject().at(&server.url).charge(&order).await;
        let waits = ChargeOutcome::Pending { reference: id(), action: PendingAction::Review };
        assert_eq!(outcome, waits, "{question:?}");
    }
    for strange in [json!("../x"), Value::Null] {
        let server = told(with(charged(), "invoice_id", strange), Act::Reset).await;
        assert_eq!(unknown(&subject().at(&server.url).charge(&order).await), "unreadable_answer");
    }
}

#[tokio::test]
async fn each_decline_has_its_class() {
    use FailureClass as Class;
    let order = request(card(STORED));
    for (lr, class, raw) in [
        (json!("51"), Class::InsufficientFunds, Some("51")),
        (json!(51), Class::InsufficientFunds, Some("51")),
        (json!("05"), Class::DoNotHonor, Some("05")),
        (json!("01"), Class::SuspectedFraud, Some("01")),
        (json!("4"), Class::Hard, Some("4")),
        (json!("14"), Class::Hard, Some("14")),
        (json!("41"), Class::Hard, Some("41")),
        (json!("43"), Class::Hard, Some("43")),
        (json!("54"), Class::Hard, Some("54")),
        (json!("57"), Class::DoNotHonor, Some("57")),
        (json!("59"), Class::SuspectedFraud, Some("59")),
        (json!("AF01"), Class::SuspectedFraud, Some("AF01")),
        (json!("82"), Class::Hard, Some("82")),
        (json!("91"), Class::IssuerUnavailable, Some("91")),
        (json!("AA"), Class::IssuerUnavailable, Some("AA")),
        (json!("1A"), Class::AuthenticationRequired, Some("1A")),
        (json!("03"), Class::Configuration, Some("03")),
        (json!("94"), Class::Duplicate, Some("94")),
        (json!("ZZ9"), Class::Generic, Some("ZZ9")),
        (Value::Null, Class::Generic, None),
    ] {
        let answer = json!({ "success": false, "message": "Negado", "LR": lr, "invoice_id": INVOICE });
        let mut server = told(answer, Act::Reset).await;
        let outcome = subject().at(&server.url).charge(&order).await;
        let failure = refused(&outcome);
        assert_eq!(
            (failure.class, failure.raw_code.as_deref(), failure.message.as_str()),
            (class, raw, "Negado"),
            "{lr}"
        );
        assert!(
            matches!(outcome, ChargeOutcome::Declined { reference: Some(reference), .. } if reference == id())
        );
        server.next().await;
        assert_eq!(server.unseen(), 0);
    }
}

/// The issuer's word for a success is no reason for a decline.
#[tokio::test]
async fn a_decline_that_was_approved_is_unknown() {
    for lr in [json!("00"), json!("0"), json!(0)] {
        let server = told(with(with(charged(), "success", json!(false)), "LR", lr), Act::Reset).await;
        let outcome = subject().at(&server.url).charge(&request(card(STORED))).await;
        assert_eq!(unknown(&outcome), "contradictory_answer");
    }
}

#[tokio::test]
async fn refusals_of_the_order() {
    let order = request(card(STORED));
    let answer = json!({ "errors": { "items.price_cents": ["deve ser maior que 100"], "email": ["ana@example.com"] } });
    let server = Scripted::answering("422 Unprocessable", "", &answer.to_string()).await;
    let failure = refused(&subject().at(&server.url).charge(&order).await);
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Configuration, "order_refused"));
    assert_eq!(
        failure.raw_code.as_deref(),
        Some("email,items.price_cents"),
        "the fields, not the payer's data"
    );
    for token in ["tok_form", "a/b/c", "../b", "a/"] {
        assert_eq!(
            refused(&subject().at(&server.url).charge(&request(card(token))).await).code,
            "not_a_stored_card"
        );
    }
    assert_eq!(server.unseen(), 1);
}

#[tokio::test]
async fn a_pix_waits_for_its_payer() {
    let order = request(pix("payer@example.com"));
    let code = json!({ "qrcode": "https://example.com/q.png", "qrcode_text": "000201...6304ABCD", "status": "qr_code_created" });
    let with_code = with(invoice(&order, "pending"), "pix", code);
    // The code is in the answer, or in the first reading.
    for made in [with_code.clone(), invoice(&order, "pending")] {
        let mut server = told(made, say("200 OK", &with_code)).await;
        let outcome = subject().at(&server.url).charge(&order).await;
        let expires_at = "2099-11-23T02:59:59Z".parse().unwrap();
        let action = PendingAction::Pix { emv: "000201...6304ABCD".to_owned(), expires_at };
        assert_eq!(outcome, ChargeOutcome::Pending { reference: id(), action });
        let request = server.next().await;
        assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/v1/invoices"));
        assert_eq!(request.header("idempotency-key"), [order.attempt.to_string()]);
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(
            body["items"],
            json!([{ "description": order.invoice(), "quantity": 1, "price_cents": 12345 }])
        );
        assert_eq!(body["payer"], json!({ "name": "Fatura", "cpf_cnpj": "12345678909" }));
        assert_eq!((&body["order_id"], &body["payable_with"]), (&json!(order.attempt), &json!(["pix"])));
        assert_eq!(
            (&body["email"], &body["due_date"]),
            (&json!("payer@example.com"), &json!("2023-11-15")),
            "by when the attempt began"
        );
    }
    assert_eq!(fetched(&order, &invoice(&order, "paid")).await, approved(12_345));
    assert_eq!(
        unknown(&fetched(&order, &with(with_code, "due_date", Value::Null)).await),
        "unreadable_answer"
    );
    let anonymous = Subject { more: &[], ..subject() };
    assert_eq!(refused(&anonymous.at("http://127.0.0.1:1").charge(&order).await).code, "payer_unknown");
}

#[tokio::test]
async fn how_it_stands() {
    let order = request(card(STORED));
    for status in ["paid", "partially_paid", "refunded", "in_protest", "chargeback"] {
        assert_eq!(fetched(&order, &invoice(&order, status)).await, approved(12_345), "{status}");
    }
    for status in ["pending", "in_analysis", "authorized", "draft"] {
        let waits = ChargeOutcome::Pending { reference: id(), action: PendingAction::Review };
        assert_eq!(fetched(&order, &invoice(&order, status)).await, waits, "{status}");
    }
    for status in ["canceled", "expired"] {
        assert_eq!(
            fetched(&order, &invoice(&order, status)).await,
            ChargeOutcome::Voided { reference: id() },
            "{status}"
        );
    }
    let paid = invoice(&order, "paid");
    assert_eq!(
        fetched(&order, &with(paid.clone(), "total_paid_cents", json!(12_344))).await,
        approved(12_344)
    );
    for (told, code) in [
        (invoice(&order, "externally_paid"), "paid_elsewhere"),
        (invoice(&order, "settled"), "unreadable_answer"),
        (invoice(&request(card(STORED)), "paid"), "reference_mismatch"),
        (with(paid.clone(), "order_id", Value::Null), "reference_mismatch"),
        (with(paid.clone(), "id", json!("../x")), "reference_mismatch"),
        (with(paid.clone(), "currency", json!("USD")), "contradictory_answer"),
        (
            with(with(paid.clone(), "total_cents", json!(0)), "total_paid_cents", json!(0)),
            "contradictory_answer",
        ),
        (with(paid.clone(), "total_paid_cents", json!("R$ 123,45")), "unreadable_answer"),
        // Not all of it, and how much nobody says.
        (with(invoice(&order, "partially_paid"), "total_paid_cents", Value::Null), "contradictory_answer"),
    ] {
        assert_eq!(unknown(&fetched(&order, &told).await), code, "{told}");
    }
}

#[tokio::test]
async fn an_invoice_is_looked_up_by_id_and_then_by_our_reference() {
    let order = request(card(STORED));
    let (paid, over, stranger) =
        (invoice(&order, "paid"), invoice(&order, "canceled"), invoice(&request(card(STORED)), "paid"));
    let list = json!({ "totalItems": 3, "items": [over, stranger, paid] });
    let mut server = Scripted::routed(move |asked| match asked.target.as_str() {
        path if path.starts_with("/v1/invoices?") => say("200 OK", &list),
        "/v1/invoices/404" => say("404 Not Found", &json!({ "errors": "Invoice Not Found" })),
        _ => say("418 Teapot", &json!({})),
    })
    .await;
    let gateway = subject().at(&server.url);
    assert_eq!(gateway.fetch_charge(&by_ours(&order)).await, approved(12_345), "the one that took money");
    assert_eq!(sent(&mut server, BASIC).await.0, format!("GET /v1/invoices?query={}", order.attempt));
    for wrong in ["404", "../x", ""] {
        assert_eq!(gateway.fetch_charge(&theirs(&order, wrong)).await, approved(12_345), "{wrong}");
    }
    assert_eq!(gateway.cancel(&by_ours(&order)).await, approved(12_345), "too late");
    assert_eq!(unknown(&gateway.fetch_charge(&by_ours(&request(card(STORED)))).await), "reference_mismatch");
    let server = Scripted::answering("200 OK", "", r#"{"totalItems":0,"items":[]}"#).await;
    assert_eq!(subject().at(&server.url).fetch_charge(&by_ours(&order)).await, ChargeOutcome::Absent);
}

#[tokio::test]
async fn what_waits_is_cancelled() {
    let order = request(pix("payer@example.com"));
    let (waits, over) = (invoice(&order, "pending"), invoice(&order, "canceled"));
    let mut server =
        Scripted::routed(move |asked| say("200 OK", if asked.method == "PUT" { &over } else { &waits }))
            .await;
    assert_eq!(
        subject().at(&server.url).cancel(&theirs(&order, INVOICE)).await,
        ChargeOutcome::Voided { reference: id() }
    );
    server.next().await;
    assert_eq!(sent(&mut server, BASIC).await.0, format!("PUT /v1/invoices/{INVOICE}/cancel"));
    // Refused: how it stands then.
    let waits = invoice(&order, "pending");
    let server = Scripted::routed(move |asked| {
        if asked.method == "PUT" { say("400 Bad", &json!({})) } else { say("200 OK", &waits) }
    })
    .await;
    let outcome = subject().at(&server.url).cancel(&theirs(&order, INVOICE)).await;
    assert!(matches!(outcome, ChargeOutcome::Pending { .. }));
}

/// Gives back so much of an invoice that is so old, and says what was sent and what came of it.
async fn given_back(method: &str, days: i64, minor: i64) -> (RefundOutcome, Option<Value>) {
    let order = request(card(STORED));
    let paid_at = (Timestamp::now() - SignedDuration::from_hours(24 * days)).to_string();
    let before =
        with(with(invoice(&order, "paid"), "payment_method", json!(method)), "paid_at", json!(paid_at));
    let after = if minor == 12_345 {
        with(before.clone(), "status", json!("refunded"))
    } else {
        with(before.clone(), "refunded_cents", json!(minor))
    };
    let mut server = told(after, say("200 OK", &before)).await;
    let outcome = subject().at(&server.url).refund(&refund_of(INVOICE, minor)).await;
    assert_eq!(sent(&mut server, BASIC).await.0, format!("GET /v1/invoices/{INVOICE}"));
    if server.unseen() == 0 {
        return (outcome, None);
    }
    let (call, body) = sent(&mut server, BASIC).await;
    assert_eq!(call, format!("POST /v1/invoices/{INVOICE}/refund"));
    (outcome, Some(body))
}

#[tokio::test]
async fn money_goes_back_within_limits() {
    let done = |minor| RefundOutcome::Succeeded { reference: id(), amount: brl(minor) };
    for (method, days, minor, body) in [
        ("iugu_credit_card", 1, 5_005, json!({ "partial_value_refund_cents": 5_005 })),
        ("iugu_credit_card", 179, 12_345, Value::Null),
        ("iugu_pix", 89, 12_345, Value::Null),
    ] {
        assert_eq!(given_back(method, days, minor).await, (done(minor), Some(body)), "{method}");
    }
    for (method, days, minor, reason) in [
        ("iugu_pix", 1, 5_005, "pix_refunds_are_whole"),
        ("iugu_pix", 91, 12_345, "too_old_to_refund"),
        ("iugu_credit_card", 181, 5_005, "too_old_to_refund"),
    ] {
        let (outcome, sent) = given_back(method, days, minor).await;
        assert!(
            matches!(&outcome, RefundOutcome::Failed { failure } if failure.raw_code.as_deref() == Some(reason)),
            "{outcome:?}"
        );
        assert_eq!(sent, None);
    }
    let paid = invoice(&request(card(STORED)), "paid");
    for (status, told, is_final) in [
        ("422 Unprocessable", json!({ "errors": "no" }), true),
        ("200 OK", paid.clone(), false),
        ("409 Conflict", json!({}), false),
        ("500 Oops", json!({}), false),
        ("429 Slow", json!({}), false),
    ] {
        let paid = paid.clone();
        let server =
            Scripted::routed(
                move |asked| if asked.method == "POST" { say(status, &told) } else { say("200 OK", &paid) },
            )
            .await;
        let outcome = subject().at(&server.url).refund(&refund_of(INVOICE, 5_005)).await;
        assert_eq!(matches!(outcome, RefundOutcome::Failed { .. }), is_final, "{status}: {outcome:?}");
        assert_eq!(matches!(outcome, RefundOutcome::Unclear { .. }), !is_final, "{status}: {outcome:?}");
    }
}

/// There is no idempotency key on refunds: what may have been made must not be made again.
#[tokio::test]
async fn a_refund_is_known_again_only_where_nothing_else_can_be_meant() {
    let paid = invoice(&request(card(STORED)), "paid");
    for (minor, told, expected) in [
        (5_005, paid.clone(), "none"),
        (5_005, with(paid.clone(), "refunded_cents", json!(5_004)), "none"),
        (5_005, with(paid.clone(), "refunded_cents", json!(5_005)), "unclear"),
        // Not told is not nothing, but a whole refund would show in the status.
        (5_005, with(paid.clone(), "refunded_cents", Value::Null), "unclear"),
        (12_345, with(paid.clone(), "refunded_cents", Value::Null), "none"),
        (12_345, with(paid.clone(), "refunded_cents", json!(12_344)), "none"),
        (12_345, with(paid.clone(), "status", json!("refunded")), "succeeded"),
    ] {
        let server = Scripted::answering("200 OK", "", &told.to_string()).await;
        let told = match subject().at(&server.url).fetch_refund(&refund_of(INVOICE, minor)).await {
            None => "none",
            Some(RefundOutcome::Succeeded { .. }) => "succeeded",
            Some(RefundOutcome::Unclear { .. }) => "unclear",
            Some(_) => "odd",
        };
        assert_eq!(told, expected, "{minor}");
    }
}

#[tokio::test]
async fn a_dispute_is_its_invoices_status() {
    let order = request(card(STORED));
    for (status, verdict) in [
        ("in_protest", Some(DisputeVerdict::Open)),
        ("chargeback", Some(DisputeVerdict::Lost)),
        ("paid", None),
    ] {
        let server = Scripted::answering("200 OK", "", &invoice(&order, status).to_string()).await;
        let gateway = subject().at(&server.url);
        let outcome = gateway.fetch_dispute(&theirs(&order, INVOICE)).await;
        match verdict {
            Some(verdict) => {
                let standing = only(outcome);
                assert_eq!((standing.status, standing.amount), (verdict, None));
            }
            None => assert_eq!(outcome, UNDISPUTED),
        }
        let others = gateway.fetch_dispute(&theirs(&request(card(STORED)), INVOICE)).await;
        assert!(matches!(others, DisputeOutcome::Unclear { .. }));
    }
}

#[tokio::test]
async fn a_card_is_kept_for_its_customer_and_forgotten() {
    let order = to_store("tok_form");
    let mut server = Scripted::routed(|asked| {
        say(
            "200 OK",
            &json!({ "id": if asked.target == "/v1/customers" { "CAD4999627F8" } else { "77C2565F6F06" } }),
        )
    })
    .await;
    assert_eq!(
        subject().at(&server.url).store_method(&order).await,
        StoreOutcome::Stored(Token(STORED.to_owned()))
    );
    let request = server.next().await;
    assert_eq!(
        (request.target.as_str(), request.header("idempotency-key")),
        ("/v1/customers", vec![order.key.to_string().as_str()])
    );
    assert_eq!(
        serde_json::from_slice::<Value>(&request.body).unwrap(),
        json!({ "email": "ana@example.com", "name": "Ana Souza" })
    );
    let (call, body) = sent(&mut server, BASIC).await;
    assert_eq!(call, "POST /v1/customers/CAD4999627F8/payment_methods");
    assert_eq!(body, json!({ "description": order.key, "token": "tok_form" }));
    for (status, is_final) in [("422 Unprocessable", true), ("500 Oops", false), ("401 No", false)] {
        let server = Scripted::routed(move |asked| {
            if asked.target == "/v1/customers" {
                say("200 OK", &json!({ "id": "CAD" }))
            } else {
                say(status, &json!({}))
            }
        })
        .await;
        let outcome = subject().at(&server.url).store_method(&order).await;
        assert_eq!(matches!(outcome, StoreOutcome::Declined { .. }), is_final, "{status}");
        assert_eq!(matches!(outcome, StoreOutcome::Unclear { .. }), !is_final, "{status}");
    }
    for (status, is_gone) in [("200 OK", true), ("404 Not Found", true), ("500 Oops", false)] {
        let mut server = Scripted::answering(status, "", "{}").await;
        assert_eq!(
            subject().at(&server.url).detach_method(&Token(STORED.to_owned())).await.is_ok(),
            is_gone,
            "{status}"
        );
        assert_eq!(
            sent(&mut server, BASIC).await.0,
            "DELETE /v1/customers/CAD4999627F8/payment_methods/77C2565F6F06"
        );
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
        assert_eq!(sent(&mut server, BASIC).await.0, "GET /v1/customers?limit=1");
    }
    assert!(!BASIC.contains(API_KEY));
}

// ---- notices -------------------------------------------------------------------------------------------------------

const FORM: &str =
    "event=invoice.status_changed&data%5Bid%5D=B9E1A2F0C3D44F5E&data[status]=paid&data[account_id]=1";

fn notice(headers: &[(&str, &str)], query: &[(&str, &str)]) -> WebhookDelivery {
    let own = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    };
    WebhookDelivery { body: FORM.as_bytes().to_vec(), headers: own(headers), query: own(query) }
}

#[tokio::test]
async fn a_notice_shows_its_secret() {
    for delivery in [
        notice(&[], &[("secret", SECRET)]),
        notice(&[], &[("secret", PREVIOUS), ("other", "x")]),
        notice(&[("authorization", SECRET)], &[]),
        // From `printf whsec_current | base64`.
        notice(&[("authorization", "Basic d2hzZWNfY3VycmVudA==")], &[]),
        notice(&[("authorization", "something else")], &[("secret", SECRET)]),
    ] {
        assert_eq!(verdict(MAKE, &delivery).await, Ok(()), "{:?} {:?}", delivery.headers, delivery.query);
        without_secrets(MAKE, &delivery).await;
    }
    for delivery in [
        notice(&[], &[]),
        notice(&[], &[("secret", "")]),
        notice(&[("authorization", "")], &[("secret", "")]),
        notice(&[("authorization", "Basic ")], &[]),
        notice(&[], &[("secret", "whsec_wrong")]),
        notice(&[], &[("secret", "whsec_curren")]),
        notice(&[], &[("secret", "whsec_currentt")]),
        notice(&[], &[("secret", "WHSEC_CURRENT")]),
        notice(&[], &[("Secret", SECRET)]),
        notice(&[], &[("secret", SECRET), ("secret", SECRET)]),
        notice(&[], &[("secret", "x"), ("secret", SECRET)]),
        notice(&[], &[("secret", "Basic d2hzZWNfY3VycmVudA==")]),
        notice(&[("authorization", SECRET), ("authorization", SECRET)], &[]),
        notice(&[("authorization", "Bearer whsec_current")], &[]),
        notice(&[("authorization", "Basic d2hzZWNfd3Jvbmc=")], &[]),
        notice(&[("secret", SECRET)], &[]),
    ] {
        assert_eq!(verdict(MAKE, &delivery).await, BAD, "{:?} {:?}", delivery.headers, delivery.query);
    }
}

#[tokio::test]
async fn a_notice_names_an_invoice_and_iugu_is_asked_whose() {
    let gateway = judge(MAKE, &[SECRET]);
    let unresolved =
        |about: &str| Some(WebhookSubject::Unresolved(GatewayReference(format!("{about}/{INVOICE}"))));
    let hint = gateway.parse_webhook(FORM.as_bytes()).unwrap();
    assert_eq!((hint.kind.as_str(), hint.subject), ("invoice.status_changed", unresolved("invoice")));
    assert_eq!(hint.event_id, hex::encode(Sha256::digest(FORM)));
    for (status, about) in [("chargeback", "dispute"), ("in_protest", "dispute"), ("refunded", "invoice")] {
        let body = FORM.replace("paid", status);
        let hint = gateway.parse_webhook(body.as_bytes()).unwrap();
        assert_eq!(hint.subject, unresolved(about), "{status}");
        assert_ne!(hint.event_id, hex::encode(Sha256::digest(FORM)));
    }
    let hint = gateway.parse_webhook(b"event=referrals.verification&data[account_id]=1").unwrap();
    assert_eq!(hint.subject, None);
    for body in [
        &b""[..],
        b"{}",
        b"\xff",
        b"event=",
        b"event=invoice.created",
        b"event=invoice.created&data[id]=../x",
        b"data[id]=1",
    ] {
        assert!(gateway.parse_webhook(body).is_err(), "{body:?}");
    }

    let order = request(card(STORED));
    let paid = invoice(&order, "paid");
    let server = Scripted::routed(move |asked| match asked.target.as_str() {
        path if path == format!("/v1/invoices/{INVOICE}") => say("200 OK", &paid),
        "/v1/invoices/foreign" => say("200 OK", &with(paid.clone(), "order_id", json!("order-of-a-shop"))),
        "/v1/invoices/broken" => say("500 Oops", &json!({})),
        _ => say("404 Not Found", &json!({})),
    })
    .await;
    let gateway = subject().at(&server.url);
    let ask = async |about: &str| gateway.resolve(&GatewayReference(about.to_owned())).await;
    let lookup = theirs(&order, INVOICE);
    assert_eq!(ask(&format!("invoice/{INVOICE}")).await, Ok(Some(WebhookSubject::Charge(lookup.clone()))));
    assert_eq!(ask(&format!("dispute/{INVOICE}")).await, Ok(Some(WebhookSubject::Dispute(lookup))));
    for nothing in ["invoice/foreign", "invoice/404", "invoice/../x", ""] {
        assert_eq!(ask(nothing).await, Ok(None), "{nothing}");
    }
    assert!(ask("invoice/broken").await.is_err(), "asked again later");
}
