//! Vindi's adapter against scripts of what Vindi answers.

use crate::bench::{by_ours, request};
use crate::brazil::{
    Make, PREVIOUS, SECRET, Subject, brl, card, judge, ok, pix, refund_of, refused, say, sent, theirs,
    to_store, troubles, verdict, without_secrets,
};
use crate::common::{Common, Covered};
use crate::contract::charging::unknown;
use crate::contract::disputes::unclear;
use crate::scripted::{Act, Received, Scripted};
use fatura_application::ports::{WebhookDelivery, WebhookRefusal, WebhookSubject};
use fatura_domain::charge::FailureClass;
use fatura_domain::gateway::{
    ChargeOutcome, ChargeRequest, GatewayReference, MeansType, PendingAction, RefundOutcome, StoreOutcome,
    Token,
};
use fatura_domain::money::Currency;
use fatura_domain::{SignedDuration, Timestamp};
use fatura_gateways::Vindi;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;

const MAKE: Make = |http, at, secrets| Arc::new(Vindi::new(http, at, secrets));
const STORED: &str = "2208025/77";
const BAD: Result<(), WebhookRefusal> = Err(WebhookRefusal::BadSignature);
/// From `printf 'sk_test_very_secret:' | base64`.
const BASIC: &str = "Basic c2tfdGVzdF92ZXJ5X3NlY3JldDo=";
const MORE: &[(&str, &str)] = &[("product_id", "227657"), ("pix_customer_id", "99")];

fn subject() -> Subject {
    let order = request(card(STORED));
    let captured = one(&bill(&order, "paid", "success")).to_string();
    Subject { make: MAKE, more: MORE, order, before: nothing_there, captured }
}

pub(crate) fn common() -> Common {
    Common {
        make: MAKE,
        more: MORE,
        means: || card(STORED),
        key: None,
        aside: |asked, _| nothing_there(asked).map(|body| ok(&body)),
        captured: |order| one(&bill(order, "paid", "success")).to_string(),
        sent_at_401: 1,
        amount: |amount| (amount.currency() == Currency::BRL).then(|| format!(r#""amount":{amount}}}"#)),
        reference: "501",
        webhook_secrets: [SECRET, PREVIOUS, "whsec_wrong"],
        now: crate::brazil::now,
        delivery: |secret, _| {
            let body = br#"{"event":{"type":"bill_paid","data":{}}}"#.to_vec();
            WebhookDelivery { body, ..notice(&[], &[("secret", secret)]) }
        },
        covered: Covered::NOTHING,
    }
}

/// Nothing is found under the code, so the order is sent.
fn nothing_there(asked: &Received) -> Option<String> {
    asked.target.starts_with("/api/v1/bills?").then(|| json!({ "bills": [] }).to_string())
}

fn bill(order: &ChargeRequest, status: &str, transaction: &str) -> Value {
    json!({
        "id": 501, "code": order.attempt, "amount": order.amount.to_string(), "status": status,
        "charges": [{
            "id": 601, "amount": order.amount.to_string(), "status": if status == "paid" { "paid" } else { "pending" },
            "due_at": "2099-11-22T23:59:59.000-03:00", "paid_at": null, "next_attempt": null, "attempt_count": 1,
            "last_transaction": {
                "id": 701, "transaction_type": "charge", "status": transaction, "amount": order.amount.to_string(),
                "gateway_message": "Negada", "gateway_response_code": "51", "gateway_response_fields": null,
            },
        }],
    })
}

fn one(bill: &Value) -> Value {
    json!({ "bill": bill })
}

fn with(mut told: Value, pointer: &str, value: Value) -> Value {
    *told.pointer_mut(pointer).unwrap() = value;
    told
}

fn id() -> GatewayReference {
    GatewayReference("501".to_owned())
}

fn review() -> ChargeOutcome {
    ChargeOutcome::Pending { reference: id(), action: PendingAction::Review }
}

fn approved(minor: i64) -> ChargeOutcome {
    ChargeOutcome::Approved { reference: id(), captured: brl(minor) }
}

/// A server that knows of no bill until it is sent one.
async fn empty(status: &'static str, told: Value) -> Scripted {
    Scripted::routed(move |asked| match nothing_there(asked) {
        Some(nothing) => ok(&nothing),
        None => say(status, &told),
    })
    .await
}

/// A server that makes this bill of the order, and is told to take it back.
async fn taking_back(made: &Value, deleted: Act, asked_again: Act) -> Scripted {
    let made = made.clone();
    Scripted::routed(move |asked| match (asked.method.as_str(), nothing_there(asked)) {
        ("DELETE", _) => deleted.clone(),
        ("POST", _) => say("201 Created", &one(&made)),
        (_, Some(nothing)) => ok(&nothing),
        _ => asked_again.clone(),
    })
    .await
}

/// Charges, is rejected, and the bill is closed.
async fn rejected(order: &ChargeRequest, told: &Value) -> ChargeOutcome {
    let closed = with(told.clone(), "/status", json!("canceled"));
    let server = taking_back(told, say("200 OK", &one(&closed)), Act::Reset).await;
    subject().at(&server.url).charge(order).await
}

async fn charged(order: &ChargeRequest, told: &Value) -> ChargeOutcome {
    let server = empty("201 Created", one(told)).await;
    subject().at(&server.url).charge(order).await
}

#[tokio::test]
async fn troubles_of_the_way() {
    troubles(&subject()).await;
}

#[tokio::test]
async fn its_name_and_limits() {
    let gateway = judge(MAKE, &[]);
    assert_eq!(gateway.name().as_str(), "vindi");
    let capabilities = gateway.capabilities();
    assert_eq!(
        (capabilities.means, capabilities.partial_refund),
        (&MeansType::ALL[..], &[MeansType::CreditCard][..])
    );
    assert!(capabilities.looks_up_by_reference && capabilities.retries_by_itself);
    assert_eq!(capabilities.idempotency_key_lifetime, SignedDuration::ZERO);
    let now = Timestamp::now();
    assert_eq!(gateway.movements(now, now, None).await.unwrap_err().code, "books_not_offered");
    assert_eq!(
        unclear(&gateway.fetch_dispute(&by_ours(&request(card(STORED)))).await),
        "disputes_not_offered"
    );
}

#[tokio::test]
async fn a_bill_is_looked_for_and_then_sent() {
    for (minor, written) in
        [(12_345, "123.45"), (1, "0.01"), (100, "1.00"), (9_007_199_254_740_991, "90071992547409.91")]
    {
        let order = ChargeRequest { amount: brl(minor), ..request(card(STORED)) };
        let mut server = empty("201 Created", one(&bill(&order, "paid", "success"))).await;
        assert_eq!(subject().at(&server.url).charge(&order).await, approved(minor));
        let attempt = order.attempt;
        let looked = sent(&mut server, BASIC).await;
        assert_eq!(looked, (format!("GET /api/v1/bills?query=code%3A{attempt}"), Value::Null));
        let sent = server.next().await;
        assert_eq!((sent.method.as_str(), sent.target.as_str()), ("POST", "/api/v1/bills"));
        assert_eq!(sent.header("authorization"), [BASIC]);
        assert_eq!(sent.header("content-type"), ["application/json"]);
        assert_eq!(
            String::from_utf8(sent.body).unwrap(),
            format!(
                r#"{{"customer_id":2208025,"code":"{attempt}","payment_method_code":"credit_card","bill_items":[{{"product_id":227657,"amount":{written}}}],"payment_profile":{{"id":77}}}}"#
            )
        );
        assert_eq!(server.unseen(), 0);
    }
}

/// There are no idempotency keys: this is what keeps a repeat from being a second bill.
#[tokio::test]
async fn a_repeat_is_never_a_second_bill() {
    let order = request(card(STORED));
    let bills = |bills: Value| json!({ "bills": bills });
    for (found, expected) in [
        (bills(json!([bill(&order, "paid", "success")])), Some(approved(12_345))),
        (bills(json!([bill(&order, "pending", "processing")])), Some(review())),
        (
            bills(json!([bill(&order, "canceled", "canceled"), bill(&order, "paid", "success")])),
            Some(approved(12_345)),
        ),
        (bills(json!([with(bill(&order, "paid", "success"), "/amount", json!("0"))])), None),
        (bills(json!([with(bill(&order, "paid", "success"), "/amount", json!("543.21"))])), None),
    ] {
        let server = Scripted::answering("200 OK", "", &found.to_string()).await;
        let outcome = subject().at(&server.url).charge(&order).await;
        match expected {
            Some(expected) => assert_eq!(outcome, expected),
            None => assert_eq!(unknown(&outcome), "key_reused", "there is a bill, of another order"),
        }
        assert_eq!(server.unseen(), 1, "nothing was sent");
    }
    // If it can't be looked for, nothing is sent either.
    let others = bills(json!([bill(&request(card(STORED)), "paid", "success")]));
    for act in [
        Act::Reset,
        say("500 Oops", &json!({})),
        say("200 OK", &json!({})),
        say("404 No", &json!({})),
        say("200 OK", &others),
    ] {
        let server = Scripted::always(act.clone()).await;
        let outcome = subject().at(&server.url).charge(&order).await;
        assert!(matches!(outcome, ChargeOutcome::NotSent { .. }), "{act:?}: {outcome:?}");
        assert_eq!(server.unseen(), 1);
    }
    // A bill of this code that the search hadn't found yet.
    let server =
        empty("422 Unprocessable", json!({ "errors": [{ "id": "invalid_parameter", "parameter": "code" }] }))
            .await;
    assert_eq!(unknown(&subject().at(&server.url).charge(&order).await), "key_reused");
}

/// Vindi charges a rejected bill again by itself: only a closed one is declined, or it would charge beside us.
#[tokio::test]
async fn a_rejected_bill_is_closed_before_it_is_called_declined() {
    let order = request(card(STORED));
    let planned = json!("2026-11-24T12:00:00.000-03:00");
    for next_attempt in [planned, Value::Null] {
        let open = with(bill(&order, "pending", "rejected"), "/charges/0/next_attempt", next_attempt);
        let closed = with(open.clone(), "/status", json!("canceled"));
        let forgetful = bill(&order, "canceled", "canceled");
        let charged_again = bill(&order, "paid", "success");
        let told = |bill: &Value| say("200 OK", &one(bill));
        let oops = || say("500 Oops", &json!({}));
        let refusal = say(
            "422 Unprocessable",
            &json!({ "errors": [{ "id": "invalid_parameter", "parameter": "status" }] }),
        );
        for (deleted, asked_again, expected) in [
            (told(&closed), Act::Reset, "declined"),
            // Of the cancelled bill it need not say why it was rejected.
            (told(&forgetful), Act::Reset, "declined"),
            // Cancelled, and the answer says nothing of it: it is asked.
            (Act::Reset, told(&closed), "declined"),
            (oops(), told(&closed), "declined"),
            (ok("<html>"), told(&closed), "declined"),
            (ok(""), told(&closed), "declined"),
            (refusal.clone(), told(&closed), "declined"),
            // It may be charged again.
            (refusal.clone(), told(&open), "waits"),
            (told(&open), Act::Reset, "waits"),
            (oops(), oops(), "waits"),
            (Act::Reset, Act::Reset, "waits"),
            (refusal.clone(), say("404 Not Found", &json!({})), "waits"),
            (say("401 No", &json!({})), say("401 No", &json!({})), "waits"),
            (say("429 Slow", &json!({})), say("429 Slow", &json!({})), "waits"),
            (told(&bill(&request(card(STORED)), "canceled", "rejected")), Act::Reset, "waits"),
            // It was, between the rejection and the closing.
            (told(&charged_again), Act::Reset, "approved"),
            (refusal, told(&charged_again), "approved"),
        ] {
            let mut server = taking_back(&open, deleted.clone(), asked_again.clone()).await;
            let outcome = subject().at(&server.url).charge(&order).await;
            match expected {
                "approved" => assert_eq!(outcome, approved(12_345)),
                "waits" => assert_eq!(outcome, review(), "{deleted:?} {asked_again:?}"),
                _ => {
                    let failure = refused(&outcome);
                    assert_eq!(
                        (failure.class, failure.raw_code.as_deref()),
                        (FailureClass::InsufficientFunds, Some("51"))
                    );
                }
            }
            assert!(sent(&mut server, BASIC).await.0.starts_with("GET /api/v1/bills?"));
            assert_eq!(sent(&mut server, BASIC).await.0, "POST /api/v1/bills");
            assert_eq!(sent(&mut server, BASIC).await, ("DELETE /api/v1/bills/501".to_owned(), Value::Null));
        }
    }
}

/// Whoever meets an open one closes it: after an answer that was lost, or a closing that failed.
#[tokio::test]
async fn a_question_closes_what_it_finds_rejected() {
    let order = request(card(STORED));
    let open = bill(&order, "pending", "rejected");
    let closed = with(open.clone(), "/status", json!("canceled"));
    for is_closed in [true, false] {
        let (open, told) = (open.clone(), one(if is_closed { &closed } else { &open }));
        let mut server = Scripted::routed(move |asked| match asked.method.as_str() {
            "DELETE" => say("200 OK", &told),
            _ if asked.target.contains('?') => say("200 OK", &json!({ "bills": [open] })),
            _ => say("200 OK", &one(&open)),
        })
        .await;
        let gateway = subject().at(&server.url);
        for lookup in [theirs(&order, "501"), by_ours(&order)] {
            for outcome in [gateway.fetch_charge(&lookup).await, gateway.charge(&order).await] {
                let is_declined = matches!(&outcome, ChargeOutcome::Declined { reference: Some(bill), .. } if *bill == id());
                assert_eq!((is_declined, outcome == review()), (is_closed, !is_closed));
                server.next().await;
                assert_eq!(sent(&mut server, BASIC).await.0, "DELETE /api/v1/bills/501");
            }
        }
        assert_eq!(
            matches!(gateway.cancel(&theirs(&order, "501")).await, ChargeOutcome::Declined { .. }),
            is_closed
        );
    }
    // Closed is closed.
    let mut server = Scripted::answering("200 OK", "", &one(&closed).to_string()).await;
    let outcome = subject().at(&server.url).fetch_charge(&theirs(&order, "501")).await;
    assert_eq!(refused(&outcome).raw_code.as_deref(), Some("51"));
    assert_eq!(sent(&mut server, BASIC).await.0, "GET /api/v1/bills/501");
    assert_eq!(server.unseen(), 0);
}

/// A charge that was issued anew makes a bill of two: it is rejected when no charge of it can take money any more.
#[tokio::test]
async fn a_bill_is_rejected_when_all_its_charges_are() {
    let order = request(card(STORED));
    let charge = |status: &str, transaction: &str| {
        let told = with(bill(&order, "pending", transaction), "/charges/0/status", json!(status));
        told["charges"][0].clone()
    };
    for (charges, is_rejected) in [
        (json!([charge("canceled", "rejected"), charge("pending", "rejected")]), true),
        (json!([charge("pending", "rejected"), charge("canceled", "canceled")]), true),
        (json!([charge("pending", "rejected"), charge("pending", "waiting")]), false),
        (json!([charge("pending", "waiting"), charge("pending", "rejected")]), false),
        (json!([charge("fraud_review", "fraud_review")]), false),
        (json!([charge("canceled", "canceled")]), false),
    ] {
        let told = with(bill(&order, "pending", "rejected"), "/charges", charges);
        let outcome = rejected(&order, &told).await;
        assert_eq!(matches!(outcome, ChargeOutcome::Declined { .. }), is_rejected, "{told}");
        assert_eq!(outcome == review(), !is_rejected, "{told}");
    }
    // That a refund was rejected says nothing of the charge.
    let refused = with(
        bill(&order, "pending", "rejected"),
        "/charges/0/last_transaction/transaction_type",
        json!("refund"),
    );
    assert_eq!(charged(&order, &refused).await, review());
}

#[tokio::test]
async fn each_decline_has_its_class() {
    use FailureClass as Class;
    let order = request(card(STORED));
    for (code, class, raw) in [
        (json!("51"), Class::InsufficientFunds, Some("51")),
        (json!(51), Class::InsufficientFunds, Some("51")),
        (json!("005"), Class::DoNotHonor, Some("005")),
        (json!("14"), Class::Hard, Some("14")),
        (json!("41"), Class::Hard, Some("41")),
        (json!("43"), Class::Hard, Some("43")),
        (json!("54"), Class::Hard, Some("54")),
        (json!("59"), Class::SuspectedFraud, Some("59")),
        (json!("63"), Class::SuspectedFraud, Some("63")),
        (json!("N7"), Class::Hard, Some("N7")),
        (json!("R1"), Class::Hard, Some("R1")),
        (json!("91"), Class::IssuerUnavailable, Some("91")),
        (json!("1A"), Class::AuthenticationRequired, Some("1A")),
        (json!("58"), Class::Configuration, Some("58")),
        (json!("94"), Class::Duplicate, Some("94")),
        (json!("76"), Class::Hard, Some("76")),
        (json!("79"), Class::Hard, Some("79")),
        (json!("81"), Class::IssuerUnavailable, Some("81")),
        (json!("1000"), Class::DoNotHonor, Some("1000")),
        (json!(1016), Class::InsufficientFunds, Some("1016")),
        (json!("1032"), Class::Hard, Some("1032")),
        (json!("moon"), Class::Generic, Some("moon")),
        (Value::Null, Class::Generic, None),
    ] {
        let told = with(
            bill(&order, "pending", "rejected"),
            "/charges/0/last_transaction/gateway_response_code",
            code,
        );
        let outcome = rejected(&order, &told).await;
        let failure = refused(&outcome);
        assert_eq!(
            (failure.class, failure.raw_code.as_deref(), failure.message.as_str()),
            (class, raw, "Negada")
        );
        assert!(
            matches!(outcome, ChargeOutcome::Declined { reference: Some(reference), .. } if reference == id())
        );
    }
}

#[tokio::test]
async fn how_it_stands() {
    let order = request(card(STORED));
    for (status, transaction) in
        [("review", "success"), ("scheduled", "waiting"), ("pending", "waiting"), ("pending", "processing")]
    {
        assert_eq!(charged(&order, &bill(&order, status, transaction)).await, review(), "{status}");
    }
    for (pointer, value) in [("/charges", json!([])), ("/charges/0/last_transaction", Value::Null)] {
        assert_eq!(
            charged(&order, &with(bill(&order, "pending", "waiting"), pointer, value)).await,
            review()
        );
    }
    let canceled = bill(&order, "canceled", "canceled");
    assert_eq!(charged(&order, &canceled).await, ChargeOutcome::Voided { reference: id() });
    // Given back, and cancelled with that: it was paid all the same.
    let paid_before = with(canceled, "/charges/0/paid_at", json!("2026-11-21T12:00:00.000-03:00"));
    assert_eq!(charged(&order, &paid_before).await, approved(12_345));
    let paid = bill(&order, "paid", "success");
    for (amount, minor) in [
        (json!("100.0"), 10_000),
        (json!("123.4"), 12_340),
        (serde_json::from_str("123.45").unwrap(), 12_345),
    ] {
        assert_eq!(charged(&order, &with(paid.clone(), "/amount", amount)).await, approved(minor));
    }
    for (pointer, value, code) in [
        ("/code", json!(request(card(STORED)).attempt), "reference_mismatch"),
        ("/code", Value::Null, "reference_mismatch"),
        ("/amount", json!("0.0"), "contradictory_answer"),
        ("/amount", json!("R$ 123,45"), "contradictory_answer"),
        ("/amount", json!("123.456"), "contradictory_answer"),
        ("/status", json!("settled"), "unreadable_answer"),
        ("/id", json!("../x"), "unreadable_answer"),
    ] {
        assert_eq!(unknown(&charged(&order, &with(paid.clone(), pointer, value)).await), code, "{pointer}");
    }
}

#[tokio::test]
async fn refusals_of_the_order() {
    let order = request(card(STORED));
    let server = empty(
        "422 Unprocessable",
        json!({ "errors": [{ "id": "invalid_parameter", "parameter": "customer_id" }] }),
    )
    .await;
    let failure = refused(&subject().at(&server.url).charge(&order).await);
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Configuration, "order_refused"));
    assert_eq!(failure.raw_code.as_deref(), Some("customer_id"));
    let quiet = Scripted::answering("200 OK", "", "{}").await;
    for (means, more, code) in [
        (card("tok"), MORE, "not_a_stored_card"),
        (card("1/x"), MORE, "not_a_stored_card"),
        (card("1/2/3"), MORE, "not_a_stored_card"),
        (card(STORED), &[][..], "not_configured"),
        (pix("k"), &[("product_id", "227657")][..], "not_configured"),
        (card(STORED), &[("product_id", "abc")][..], "not_configured"),
    ] {
        let failure = refused(&Subject { more, ..subject() }.at(&quiet.url).charge(&request(means)).await);
        assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Configuration, code));
    }
    assert_eq!(quiet.unseen(), 0);
}

#[tokio::test]
async fn a_pix_waits_for_its_payer() {
    let order = request(pix("payer@example.com"));
    let fields = |kept: Value| json!({ "qrcode_original_path": "000201...6304ABCD", "qrcode_path": "x", "max_days_to_keep_waiting_payment": kept });
    let told = |kept: Value| {
        with(
            bill(&order, "pending", "waiting"),
            "/charges/0/last_transaction/gateway_response_fields",
            fields(kept),
        )
    };
    for (kept, expires_at) in [
        (json!("2099-01-01T00:00:00Z"), "2099-01-01T00:00:00Z"),
        (json!(1), "2099-11-23T02:59:59Z"),
        (Value::Null, "2099-11-23T02:59:59Z"),
    ] {
        let mut server = empty("201 Created", one(&told(kept))).await;
        let outcome = subject().at(&server.url).charge(&order).await;
        let action = PendingAction::Pix {
            emv: "000201...6304ABCD".to_owned(),
            expires_at: expires_at.parse().unwrap(),
        };
        assert_eq!(outcome, ChargeOutcome::Pending { reference: id(), action });
        server.next().await;
        let (call, body) = sent(&mut server, BASIC).await;
        assert_eq!(call, "POST /api/v1/bills");
        assert_eq!(
            (&body["payment_method_code"], &body["customer_id"], &body["payment_profile"]),
            (&json!("pix"), &json!(99), &Value::Null)
        );
        assert_eq!(
            (body["bill_items"][0]["amount"].to_string().as_str(), &body["code"]),
            ("123.45", &json!(order.attempt))
        );
    }
    let endless = with(told(Value::Null), "/charges/0/due_at", Value::Null);
    assert_eq!(unknown(&charged(&order, &endless).await), "unreadable_answer");
    assert_eq!(charged(&order, &bill(&order, "paid", "success")).await, approved(12_345));
}

#[tokio::test]
async fn a_bill_is_looked_up_by_id_and_then_by_its_code() {
    let order = request(card(STORED));
    let (paid, stranger) = (bill(&order, "paid", "success"), bill(&request(card(STORED)), "paid", "success"));
    let list = json!({ "bills": [stranger, bill(&order, "canceled", "canceled"), paid] });
    let mut server = Scripted::routed(move |asked| match asked.target.as_str() {
        "/api/v1/bills/501" => say("200 OK", &one(&paid)),
        path if path.starts_with("/api/v1/bills?") => say("200 OK", &list),
        _ => say("404 Not Found", &json!({})),
    })
    .await;
    let gateway = subject().at(&server.url);
    assert_eq!(gateway.fetch_charge(&theirs(&order, "501")).await, approved(12_345));
    assert_eq!(sent(&mut server, BASIC).await.0, "GET /api/v1/bills/501");
    for lookup in [by_ours(&order), theirs(&order, "404"), theirs(&order, "../x")] {
        assert_eq!(gateway.fetch_charge(&lookup).await, approved(12_345), "{lookup:?}");
    }
    assert_eq!(gateway.cancel(&theirs(&order, "501")).await, approved(12_345), "too late");
    let other = request(card(STORED));
    assert_eq!(unknown(&gateway.fetch_charge(&theirs(&other, "501")).await), "reference_mismatch");
    assert_eq!(unknown(&gateway.cancel(&by_ours(&other)).await), "reference_mismatch");
    let server = Scripted::answering("200 OK", "", r#"{"bills":[]}"#).await;
    assert_eq!(subject().at(&server.url).fetch_charge(&by_ours(&order)).await, ChargeOutcome::Absent);
}

#[tokio::test]
async fn what_waits_is_cancelled() {
    let order = request(card(STORED));
    let (waits, over) = (bill(&order, "pending", "waiting"), bill(&order, "canceled", "canceled"));
    let mut server = Scripted::routed(move |asked| {
        say("200 OK", &one(if asked.method == "DELETE" { &over } else { &waits }))
    })
    .await;
    assert_eq!(
        subject().at(&server.url).cancel(&theirs(&order, "501")).await,
        ChargeOutcome::Voided { reference: id() }
    );
    server.next().await;
    assert_eq!(sent(&mut server, BASIC).await, ("DELETE /api/v1/bills/501".to_owned(), Value::Null));
    let waits = bill(&order, "pending", "waiting");
    let server = Scripted::routed(move |asked| {
        if asked.method == "DELETE" { say("422 No", &json!({})) } else { say("200 OK", &one(&waits)) }
    })
    .await;
    assert_eq!(subject().at(&server.url).cancel(&theirs(&order, "501")).await, review());
}

fn refunded(amount: &str, status: &str) -> Value {
    let made = json!({ "id": 801, "transaction_type": "refund", "status": status, "amount": amount, "created_at": "2026-11-21T12:00:01Z", "charge": { "id": 601 } });
    json!({ "charge": { "id": 601, "status": "paid", "amount": "123.45", "last_transaction": made } })
}

#[tokio::test]
async fn money_goes_back() {
    let paid = one(&bill(&request(card(STORED)), "paid", "success"));
    for (minor, written, cancel_bill) in [(5_005, "50.05", false), (12_345, "123.45", true)] {
        let order = refund_of("501", minor);
        let (paid, after) = (paid.clone(), refunded(written, "success"));
        let mut server =
            Scripted::routed(move |asked| say("200 OK", if asked.method == "GET" { &paid } else { &after }))
                .await;
        let succeeded =
            RefundOutcome::Succeeded { reference: GatewayReference("801".to_owned()), amount: brl(minor) };
        assert_eq!(subject().at(&server.url).refund(&order).await, succeeded);
        assert_eq!(sent(&mut server, BASIC).await.0, "GET /api/v1/bills/501");
        let sent = server.next().await;
        assert_eq!((sent.method.as_str(), sent.target.as_str()), ("POST", "/api/v1/charges/601/refund"));
        let body =
            format!(r#"{{"amount":{written},"cancel_bill":{cancel_bill},"comments":"{}"}}"#, order.refund);
        assert_eq!(String::from_utf8(sent.body).unwrap(), body);
    }
    let failed = |outcome: &RefundOutcome| matches!(outcome, RefundOutcome::Failed { .. });
    let unclear = |outcome: &RefundOutcome| matches!(outcome, RefundOutcome::Unclear { .. });
    let pending = |outcome: &RefundOutcome| matches!(outcome, RefundOutcome::Pending { .. });
    let other_charge = with(refunded("50.05", "success"), "/charge/id", json!(602));
    let no_refund =
        with(refunded("50.05", "success"), "/charge/last_transaction/transaction_type", json!("charge"));
    for (status, told, test) in [
        ("200 OK", refunded("50.05", "processing"), &pending as &dyn Fn(&RefundOutcome) -> bool),
        ("200 OK", refunded("50.05", "rejected"), &failed),
        ("200 OK", refunded("50.05", "odd"), &unclear),
        ("200 OK", other_charge, &unclear),
        ("200 OK", no_refund, &unclear),
        (
            "422 Unprocessable",
            json!({ "errors": [{ "id": "invalid_parameter", "parameter": "amount" }] }),
            &failed,
        ),
        ("500 Oops", json!({}), &unclear),
        ("429 Slow", json!({}), &unclear),
        ("401 No", json!({}), &unclear),
    ] {
        let paid = paid.clone();
        let server =
            Scripted::routed(
                move |asked| if asked.method == "GET" { say("200 OK", &paid) } else { say(status, &told) },
            )
            .await;
        let outcome = subject().at(&server.url).refund(&refund_of("501", 5_005)).await;
        assert!(test(&outcome), "{status}: {outcome:?}");
    }
    // What nobody paid can't go back.
    let server = Scripted::answering(
        "200 OK",
        "",
        &one(&bill(&request(card(STORED)), "pending", "waiting")).to_string(),
    )
    .await;
    assert!(failed(&subject().at(&server.url).refund(&refund_of("501", 5_005)).await));
    assert_eq!(server.unseen(), 1);
}

#[tokio::test]
async fn a_refund_is_known_again_by_amount_and_time() {
    let ours = refunded("50.05", "success")["charge"]["last_transaction"].clone();
    let older = with(ours.clone(), "/created_at", json!("2026-11-20T12:00:00Z"));
    let charge = with(ours.clone(), "/transaction_type", json!("charge"));
    let other = with(ours.clone(), "/amount", json!("50.06"));
    let of_another = with(ours.clone(), "/charge/id", json!(602));
    for (found, expected) in [
        (json!([]), "none"),
        (json!([older, charge, other, of_another]), "none"),
        (json!([older, ours, other]), "succeeded"),
        (json!([ours, ours]), "unclear"),
        // What may be it is not absent, even if it can't be read.
        (json!([with(ours.clone(), "/amount", Value::Null)]), "unclear"),
        (json!([with(ours.clone(), "/amount", json!("R$ 50,05"))]), "unclear"),
        (json!([with(ours.clone(), "/transaction_type", json!("reversal"))]), "unclear"),
        (json!([with(ours.clone(), "/transaction_type", Value::Null)]), "unclear"),
        (json!([with(ours.clone(), "/created_at", Value::Null)]), "succeeded"),
    ] {
        let (paid, list) =
            (one(&bill(&request(card(STORED)), "paid", "success")), json!({ "transactions": found }));
        let mut server = Scripted::routed(move |asked| {
            say("200 OK", if asked.target.contains("transactions") { &list } else { &paid })
        })
        .await;
        let told = match subject().at(&server.url).fetch_refund(&refund_of("501", 5_005)).await {
            None => "none",
            Some(RefundOutcome::Succeeded { .. }) => "succeeded",
            Some(RefundOutcome::Unclear { .. }) => "unclear",
            Some(_) => "odd",
        };
        assert_eq!(told, expected);
        server.next().await;
        assert_eq!(sent(&mut server, BASIC).await.0, "GET /api/v1/transactions?query=charge_id%3A601");
    }
}

#[tokio::test]
async fn a_card_is_kept_for_its_customer_and_forgotten() {
    let order = to_store("tok_form");
    for known in [true, false] {
        let mut server =
            Scripted::routed(move |asked| match (asked.method.as_str(), asked.target.as_str()) {
                ("GET", _) if known => say("200 OK", &json!({ "customers": [{ "id": 2_208_025 }] })),
                ("GET", _) => say("200 OK", &json!({ "customers": [] })),
                (_, "/api/v1/customers") => say("201 Created", &json!({ "customer": { "id": 2_208_025 } })),
                _ => say("201 Created", &json!({ "payment_profile": { "id": 77 } })),
            })
            .await;
        assert_eq!(
            subject().at(&server.url).store_method(&order).await,
            StoreOutcome::Stored(Token(STORED.to_owned()))
        );
        assert_eq!(
            sent(&mut server, BASIC).await.0,
            format!("GET /api/v1/customers?query=code%3A{}", order.customer)
        );
        if !known {
            let (call, body) = sent(&mut server, BASIC).await;
            assert_eq!(call, "POST /api/v1/customers");
            assert_eq!(
                body,
                json!({ "name": "Ana Souza", "email": "ana@example.com", "code": order.customer })
            );
        }
        let (call, body) = sent(&mut server, BASIC).await;
        assert_eq!(call, "POST /api/v1/payment_profiles");
        assert_eq!(
            body,
            json!({ "gateway_token": "tok_form", "customer_id": 2_208_025, "payment_method_code": "credit_card" })
        );
    }
    for (status, is_final) in [("422 Unprocessable", true), ("500 Oops", false), ("401 No", false)] {
        let server = Scripted::routed(move |asked| {
            if asked.method == "GET" {
                say("200 OK", &json!({ "customers": [{ "id": 1 }] }))
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
        assert_eq!(sent(&mut server, BASIC).await.0, "DELETE /api/v1/payment_profiles/77");
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
        assert_eq!(sent(&mut server, BASIC).await.0, "GET /api/v1/merchant");
    }
}

// ---- notices -------------------------------------------------------------------------------------------------------

fn notice(headers: &[(&str, &str)], query: &[(&str, &str)]) -> WebhookDelivery {
    let own = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    };
    WebhookDelivery { body: b"{}".to_vec(), headers: own(headers), query: own(query) }
}

#[tokio::test]
async fn a_notice_shows_its_secret() {
    // From `printf whsec_current | base64`.
    let shown = "Basic d2hzZWNfY3VycmVudA==";
    for delivery in [
        notice(&[], &[("secret", SECRET)]),
        notice(&[], &[("secret", PREVIOUS)]),
        notice(&[("authorization", shown)], &[]),
        notice(&[("authorization", "Basic eDp5")], &[("secret", SECRET)]),
    ] {
        assert_eq!(verdict(MAKE, &delivery).await, Ok(()), "{:?} {:?}", delivery.headers, delivery.query);
        without_secrets(MAKE, &delivery).await;
    }
    // `printf hook:pass | base64`
    let of_url = notice(&[("authorization", "Basic aG9vazpwYXNz")], &[]);
    let now = Timestamp::from_second(1_700_000_000).unwrap();
    assert_eq!(judge(MAKE, &["hook:pass"]).verify_webhook(&of_url, now).await, Ok(()));
    assert_eq!(judge(MAKE, &["hook:pass2"]).verify_webhook(&of_url, now).await, BAD);
    for delivery in [
        notice(&[], &[]),
        notice(&[], &[("secret", "")]),
        notice(&[("authorization", "")], &[]),
        notice(&[("authorization", "Basic ")], &[]),
        notice(&[], &[("secret", "whsec_wrong")]),
        notice(&[], &[("secret", "whsec_curren")]),
        notice(&[], &[("Secret", SECRET)]),
        notice(&[], &[("secret", SECRET), ("secret", SECRET)]),
        notice(&[("authorization", SECRET)], &[]),
        notice(&[("authorization", shown), ("authorization", shown)], &[]),
        notice(&[("authorization", "Bearer d2hzZWNfY3VycmVudA==")], &[]),
        notice(&[], &[("secret", shown)]),
    ] {
        assert_eq!(verdict(MAKE, &delivery).await, BAD, "{:?} {:?}", delivery.headers, delivery.query);
    }
}

#[tokio::test]
async fn a_notice_names_its_bill() {
    let gateway = judge(MAKE, &[SECRET]);
    let order = request(card(STORED));
    let named = json!({ "id": 501, "code": order.attempt });
    for (kind, data) in [
        ("bill_paid", json!({ "bill": named })),
        ("charge_rejected", json!({ "charge": { "id": 601, "next_attempt": "2026-11-24", "bill": named } })),
    ] {
        let body =
            json!({ "event": { "type": kind, "created_at": "2026-11-21T12:00:00.000-03:00", "data": data } })
                .to_string();
        let hint = gateway.parse_webhook(body.as_bytes()).unwrap();
        assert_eq!(
            (hint.kind.as_str(), hint.subject),
            (kind, Some(WebhookSubject::Charge(theirs(&order, "501"))))
        );
        assert_eq!(hint.event_id, hex::encode(Sha256::digest(&body)));
    }
    for nothing in [
        json!({ "event": { "type": "test", "data": { "test": "x" } } }),
        json!({ "event": { "type": "test" } }),
        json!({ "event": { "type": "bill_paid", "data": { "bill": { "id": 1, "code": null } } } }),
        json!({ "event": { "type": "bill_paid", "data": { "bill": { "id": 1, "code": "order-of-a-shop" } } } }),
    ] {
        assert_eq!(gateway.parse_webhook(nothing.to_string().as_bytes()).unwrap().subject, None, "{nothing}");
    }
    for body in [&b""[..], b"{}", b"\xff", br#"{"event":{"type":""}}"#, br#"{"event":{"data":{}}}"#] {
        assert!(gateway.parse_webhook(body).is_err());
    }
}
