//! Orders on the wire, and what Stripe can say of a payment.

use super::fake::pairs;
use super::{StripeBench, card, intent};
use crate::bench::{API_KEY, Bench, Wanted, request};
use crate::contract::charging::{approved, keeps_secrets, unknown};
use crate::scripted::Scripted;
use fatura_domain::Timestamp;
use fatura_domain::charge::FailureClass;
use fatura_domain::gateway::{
    ChargeOutcome, ChargeRequest, GatewayReference, Means, MeansType, PendingAction, Token,
};
use fatura_domain::money::Money;
use fatura_gateways::Timeouts;
use serde_json::{Value, json};

/// In Stripe's unit, written without looking at the adapter: the currencies of these tests.
pub(super) fn units(amount: Money) -> i64 {
    match amount.currency().code() {
        "ISK" => amount.minor() * 100,
        "MGA" => amount.minor() / 100,
        _ => amount.minor(),
    }
}

fn money(minor: i64, currency: &str) -> Money {
    Money::try_new(minor, currency.parse().unwrap()).unwrap()
}

fn refused(kind: &str, code: &str, more: &Value) -> String {
    let mut error = json!({ "type": kind, "code": code, "message": "No such thing: 'tok_visa'" });
    error.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "error": error }).to_string()
}

async fn charged(status: &str, body: &str, order: &ChargeRequest) -> ChargeOutcome {
    let server = Scripted::answering(status, "", body).await;
    let outcome = StripeBench::start().await.gateway_at(&server.url).charge(order).await;
    assert_eq!(server.unseen(), 1, "sent once");
    outcome
}

#[tokio::test]
async fn it_is_called_stripe_and_takes_cards_and_pix() {
    let gateway = StripeBench::start().await.gateway();
    assert_eq!(gateway.name().as_str(), "stripe");
    let capabilities = gateway.capabilities();
    assert_eq!(capabilities.means, [MeansType::CreditCard, MeansType::Pix]);
    assert!(capabilities.looks_up_by_reference && !capabilities.retries_by_itself);
}

#[tokio::test]
async fn an_order_is_exact_on_the_wire() {
    let bench = StripeBench::start().await;
    for amount in [
        money(1, "BRL"),
        money(12_345, "JPY"),
        money(9_007_199_254_740_990, "KWD"),
        money(5, "ISK"),
        money(1_200, "MGA"),
    ] {
        let order = ChargeRequest { amount, ..request(bench.means(Wanted::Approval)) };
        let mut server = Scripted::answering("200 OK", "", &bench.captured(&order)).await;
        approved(&bench.gateway_at(&server.url).charge(&order).await, &order);
        let (sent, wire) = (server.next().await, bench.wire(&order));
        assert_eq!((sent.method.as_str(), sent.target.as_str()), (wire.method, wire.target.as_str()));
        assert_eq!(String::from_utf8(sent.body.clone()).unwrap(), wire.body);
        for (name, value) in &wire.headers {
            assert_eq!(sent.header(name), [value.as_str()], "{name}");
        }
        let bearers = sent.headers.iter().filter(|(_, value)| value.contains(API_KEY)).count();
        assert_eq!((bearers, server.unseen()), (1, 0));
    }
}

#[tokio::test]
async fn what_stripe_cannot_charge_exactly_is_not_sent() {
    let bench = StripeBench::start().await;
    for (amount, token) in [
        (money(5_124, "KWD"), "cus_1/pm_1"),
        (money(150, "MGA"), "cus_1/pm_1"),
        (money(1_000, "IQD"), "cus_1/pm_1"),
        (money(1_000, "BRL"), "pm_1"),
        (money(1_000, "BRL"), "cus_1/../x"),
        (money(1_000, "BRL"), "pm_1/cus_1"),
        (money(1_000, "BRL"), ""),
    ] {
        let order = ChargeRequest { amount, ..request(Means::CreditCard(Token(token.to_owned()))) };
        let server = Scripted::answering("200 OK", "", "{}").await;
        let outcome = bench.gateway_at(&server.url).charge(&order).await;
        let ChargeOutcome::Declined { reference: None, failure } = &outcome else { panic!("{outcome:?}") };
        assert_eq!(failure.class, FailureClass::Configuration, "{amount} {token}");
        assert_eq!(server.unseen(), 0);
        keeps_secrets(&outcome);
    }
}

#[tokio::test]
async fn a_pix_is_ordered_and_shown() {
    let bench = StripeBench::start().await;
    let order = request(bench.means(Wanted::Pix));
    let mut told = intent(&order, "requires_action");
    told["next_action"] = json!({
        "type": "pix_display_qr_code",
        "pix_display_qr_code": {
            "data": "00020126", "expires_at": 1_700_003_600, "image_url_png": "https://qr.stripe.com/1.png",
            "hosted_instructions_url": "https://payments.stripe.com/qr/1",
        },
    });
    let mut server = Scripted::answering("200 OK", "", &told.to_string()).await;
    let outcome = bench.gateway_at(&server.url).charge(&order).await;
    let expires_at = Timestamp::from_second(1_700_003_600).unwrap();
    let action = PendingAction::Pix { emv: "00020126".to_owned(), expires_at };
    assert_eq!(outcome, ChargeOutcome::Pending { reference: GatewayReference("pi_1".to_owned()), action });
    let sent = server.next().await;
    assert_eq!(sent.header("idempotency-key"), [order.attempt.to_string()]);
    let (attempt, invoice) = (order.attempt.to_string(), order.invoice().to_string());
    let expected = [
        ("amount", "12345"),
        ("capture_method", "automatic"),
        ("confirm", "true"),
        ("currency", "brl"),
        ("expand[]", "latest_charge"),
        ("metadata[attempt]", attempt.as_str()),
        ("metadata[invoice]", invoice.as_str()),
        ("payment_method_data[type]", "pix"),
        ("payment_method_options[pix][expires_after_seconds]", "3600"),
        ("payment_method_types[]", "pix"),
    ];
    let fields = pairs(&String::from_utf8(sent.body).unwrap());
    assert!(fields.iter().map(|(key, value)| (key.as_str(), value.as_str())).eq(expected), "{fields:?}");
}

#[tokio::test]
async fn each_status_has_its_outcome() {
    let order = request(card("pm_visa"));
    let reference = || GatewayReference("pi_1".to_owned());
    let pending = |action| Ok(ChargeOutcome::Pending { reference: reference(), action });
    let redirect =
        json!({ "type": "redirect_to_url", "redirect_to_url": { "url": "https://bank.test/3ds" } });
    let expired = json!({ "code": "payment_intent_payment_attempt_expired", "message": "expired" });
    for (status, field, value, expected) in [
        ("processing", "next_action", Value::Null, pending(PendingAction::Review)),
        (
            "requires_action",
            "next_action",
            redirect,
            pending(PendingAction::RequiresAction { url: Some("https://bank.test/3ds".to_owned()) }),
        ),
        (
            "requires_action",
            "next_action",
            json!({ "type": "use_stripe_sdk", "use_stripe_sdk": {} }),
            pending(PendingAction::RequiresAction { url: None }),
        ),
        ("canceled", "next_action", Value::Null, Ok(ChargeOutcome::Voided { reference: reference() })),
        (
            "requires_payment_method",
            "last_payment_error",
            expired,
            Ok(ChargeOutcome::Voided { reference: reference() }),
        ),
        ("requires_payment_method", "next_action", Value::Null, Err("unexpected_state")),
        ("requires_confirmation", "next_action", Value::Null, Err("unexpected_state")),
        ("requires_capture", "next_action", Value::Null, Err("unexpected_state")),
        ("settled", "next_action", Value::Null, Err("unreadable_answer")),
        ("succeeded", "amount_received", json!(0), Err("contradictory_answer")),
        ("succeeded", "amount_received", json!(-1), Err("contradictory_answer")),
        ("succeeded", "amount_received", json!(i64::MAX), Err("contradictory_answer")),
        ("succeeded", "amount_received", json!(12_344), Err("amount_mismatch")),
        ("succeeded", "amount", json!(12_344), Err("amount_mismatch")),
        ("processing", "amount", json!(12_344), Err("amount_mismatch")),
        ("succeeded", "currency", json!("usd"), Err("amount_mismatch")),
        ("processing", "currency", json!("usd"), Err("amount_mismatch")),
        ("succeeded", "currency", json!("xxx"), Err("contradictory_answer")),
        ("succeeded", "amount_received", json!("12345"), Err("unreadable_answer")),
        ("succeeded", "amount_received", json!(123.45), Err("unreadable_answer")),
        ("succeeded", "id", json!("../x"), Err("unreadable_answer")),
        ("succeeded", "metadata", json!({}), Err("reference_mismatch")),
        ("succeeded", "metadata", json!({ "attempt": order.attempt }), Err("reference_mismatch")),
        (
            "succeeded",
            "metadata",
            json!({ "attempt": "att_other", "invoice": order.invoice() }),
            Err("reference_mismatch"),
        ),
    ] {
        let mut told = intent(&order, status);
        told[field] = value;
        let outcome = charged("200 OK", &told.to_string(), &order).await;
        match expected {
            Ok(expected) => assert_eq!(outcome, expected, "{told}"),
            Err(code) => assert_eq!(unknown(&outcome), code, "{told}"),
        }
    }
}

#[tokio::test]
async fn a_refusal_is_read_by_what_it_says() {
    use FailureClass as Class;
    let order = request(card("pm_visa"));
    let mut declined = intent(&order, "requires_payment_method");
    declined["last_payment_error"] = json!({ "type": "card_error", "code": "card_declined", "decline_code": "lost_card", "message": "Lost." });
    let mut blocked = intent(&order, "requires_payment_method");
    blocked["last_payment_error"] =
        json!({ "type": "card_error", "code": "card_declined", "message": "No." });
    blocked["latest_charge"] = json!({ "id": "ch_1", "outcome": { "type": "blocked" } });
    let with = |intent: &Value| json!({ "payment_intent": intent });
    for (status, kind, code, more, expected) in [
        ("402 No", "card_error", "card_declined", with(&declined), Ok((Class::Hard, "lost_card"))),
        (
            "402 No",
            "card_error",
            "card_declined",
            with(&blocked),
            Ok((Class::SuspectedFraud, "card_declined")),
        ),
        ("402 No", "card_error", "expired_card", json!({}), Ok((Class::Hard, "expired_card"))),
        (
            "402 No",
            "card_error",
            "card_declined",
            json!({ "decline_code": "insufficient_funds" }),
            Ok((Class::InsufficientFunds, "insufficient_funds")),
        ),
        (
            "402 No",
            "card_error",
            "card_declined",
            with(&intent(&order, "succeeded")),
            Err("contradictory_answer"),
        ),
        (
            "402 No",
            "card_error",
            "card_declined",
            with(&intent(&order, "processing")),
            Err("contradictory_answer"),
        ),
        (
            "400 No",
            "invalid_request_error",
            "x",
            with(&intent(&order, "succeeded")),
            Err("contradictory_answer"),
        ),
        ("402 No", "card_error", "card_declined", with(&json!({ "id": "pi_1" })), Err("unreadable_answer")),
        (
            "402 No",
            "card_error",
            "card_declined",
            with(&intent(&request(card("pm_visa")), "canceled")),
            Err("reference_mismatch"),
        ),
        ("402 No", "api_error", "x", json!({}), Err("unexpected_status")),
        ("424 No", "invalid_request_error", "x", json!({}), Err("unexpected_status")),
        ("400 No", "api_error", "x", json!({}), Err("unexpected_status")),
        ("409 No", "idempotency_error", "idempotency_key_in_use", json!({}), Err("key_reused")),
        ("400 No", "idempotency_error", "", json!({}), Err("key_reused")),
        (
            "404 No",
            "invalid_request_error",
            "resource_missing",
            json!({ "param": "customer" }),
            Ok((Class::CustomerNotFound, "resource_missing")),
        ),
        (
            "400 No",
            "invalid_request_error",
            "resource_missing",
            json!({ "param": "payment_method" }),
            Ok((Class::CustomerNotFound, "resource_missing")),
        ),
        (
            "400 No",
            "invalid_request_error",
            "amount_too_small",
            json!({}),
            Ok((Class::Configuration, "amount_too_small")),
        ),
        (
            "401 No",
            "invalid_request_error",
            "api_key_expired",
            json!({}),
            Ok((Class::Configuration, "api_key_expired")),
        ),
        ("403 No", "invalid_request_error", "x", json!({}), Ok((Class::Configuration, "x"))),
    ] {
        let body = refused(kind, code, &more);
        let outcome = charged(status, &body, &order).await;
        match expected {
            Err(code) => assert_eq!(unknown(&outcome), code, "{status} {body}"),
            Ok((class, raw_code)) => {
                let ChargeOutcome::Declined { failure, .. } = &outcome else { panic!("{body}: {outcome:?}") };
                assert_eq!((failure.class, failure.raw_code.as_deref()), (class, Some(raw_code)), "{body}");
            }
        }
    }
}

#[tokio::test]
async fn a_decline_names_the_payment_that_was_declined() {
    let order = request(card("pm_visa"));
    let mut declined = intent(&order, "requires_payment_method");
    declined["last_payment_error"] = json!({ "code": "card_declined", "decline_code": "lost_card" });
    let body = refused("card_error", "card_declined", &json!({ "payment_intent": declined }));
    let outcome = charged("402 No", &body, &order).await;
    let ChargeOutcome::Declined { reference, failure } = &outcome else { panic!("{outcome:?}") };
    assert_eq!(*reference, Some(GatewayReference("pi_1".to_owned())));
    assert_eq!(failure.class, FailureClass::Hard);
    assert_eq!(unknown(&charged("402 No", "<html>", &order).await), "unexpected_status");
}

#[tokio::test]
async fn the_credentials_are_proven_by_reading_the_balance() {
    let bench = StripeBench::start().await;
    for (status, body, expected) in [
        ("200 OK", r#"{"object":"balance","available":[]}"#, None),
        ("200 OK", "<html>", Some((FailureClass::Unknown, "unreadable_answer"))),
        ("401 Who", "{}", Some((FailureClass::Configuration, "unauthorized"))),
        ("403 No", "{}", Some((FailureClass::Configuration, "unauthorized"))),
        ("429 Slow", "{}", Some((FailureClass::NotSent, "rate_limited"))),
        ("500 Oops", "{}", Some((FailureClass::Unknown, "gateway_error"))),
    ] {
        let mut server = Scripted::answering(status, "", body).await;
        let failure = bench.gateway_at(&server.url).check().await.err();
        assert_eq!(failure.as_ref().map(|failure| (failure.class, failure.code.as_str())), expected);
        let sent = server.next().await;
        assert_eq!((sent.method.as_str(), sent.target.as_str()), ("GET", "/v1/balance"));
    }
    let none = bench.adapter(bench.url(), Timeouts::default(), crate::bench::Vault::empty());
    assert_eq!(none.check().await.unwrap_err().class, FailureClass::Configuration);
}
