//! Cards that are kept.

use super::*;
use fatura_domain::gateway::{StoreKey, StoreOutcome, StoreRequest};
use fatura_domain::id::CustomerId;

fn to_store(token: &str) -> StoreRequest {
    let customer = CustomerId::new(42);
    StoreRequest {
        key: StoreKey("store-5f0c9a".to_owned()),
        customer,
        name: "Ana Souza".to_owned(),
        email: "ana@example.com".to_owned(),
        token: Token(token.to_owned()),
    }
}

fn kept() -> Value {
    json!({
        "id": VAULTED, "customer": { "id": "customer_4029352050" },
        "payment_source": { "card": { "brand": "VISA", "last_digits": "1111", "expiry": "2027-02" } },
        "links": [],
    })
}

#[tokio::test]
async fn a_setup_token_becomes_a_card() {
    for status in ["201 Created", "200 OK"] {
        let mut server = server(say(status, &kept())).await;
        let request = to_store("5C991763VB2781612");
        let outcome = gateway(&server).store_method(&request).await;
        assert_eq!(outcome, StoreOutcome::Stored(Token(VAULTED.to_owned())));
        let sent = sent(&mut server).await;
        assert_eq!((sent.method.as_str(), sent.target.as_str()), ("POST", "/v3/vault/payment-tokens"));
        assert_eq!(sent.header("paypal-request-id"), [request.key.to_string()]);
        let body: Value = serde_json::from_slice(&sent.body).unwrap();
        let token = json!({ "id": "5C991763VB2781612", "type": "SETUP_TOKEN" });
        assert_eq!(body, json!({ "payment_source": { "token": token } }));
    }
}

#[tokio::test]
async fn what_is_no_card_is_declined() {
    for (act, class, code, raw) in [
        (
            say("422 U", &problem("UNPROCESSABLE_ENTITY", "CARD_CLOSED")),
            FailureClass::Hard,
            "card_closed",
            Some("CARD_CLOSED"),
        ),
        (
            say("422 U", &problem("UNPROCESSABLE_ENTITY", "SETUP_TOKEN_NOT_APPROVED")),
            FailureClass::Hard,
            "invalid_token",
            Some("SETUP_TOKEN_NOT_APPROVED"),
        ),
        (
            say("404 N", &problem("RESOURCE_NOT_FOUND", "TOKEN_NOT_FOUND")),
            FailureClass::Hard,
            "invalid_token",
            Some("TOKEN_NOT_FOUND"),
        ),
        (
            say("400 B", &problem("INVALID_REQUEST", "INVALID_PARAMETER_VALUE")),
            FailureClass::Hard,
            "invalid_token",
            Some("INVALID_PARAMETER_VALUE"),
        ),
        (
            say(
                "201 Created",
                &json!({ "id": "x1", "payment_source": { "paypal": { "email_address": "a@b" } } }),
            ),
            FailureClass::Hard,
            "not_a_card",
            None,
        ),
    ] {
        let server = server(act).await;
        let outcome = gateway(&server).store_method(&to_store("5C991763VB2781612")).await;
        let StoreOutcome::Declined { failure } = outcome else { panic!("{code}: {outcome:?}") };
        assert_eq!((failure.class, failure.code.as_str(), failure.raw_code.as_deref()), (class, code, raw));
    }
    let server = server(say("201 Created", &kept())).await;
    for token in ["", "../x", "a/b", "tok?x"] {
        let outcome = gateway(&server).store_method(&to_store(token)).await;
        assert!(matches!(outcome, StoreOutcome::Declined { .. }), "{token}: {outcome:?}");
    }
    assert_eq!(server.unseen(), 0);
}

#[tokio::test]
async fn what_nobody_knows_may_go_out_again() {
    for (act, code) in [
        (Act::Reset, "connection_lost"),
        (Act::Silence, "timeout"),
        (say("500 Oops", &json!({})), "gateway_error"),
        (say("429 Slow", &json!({})), "rate_limited"),
        // By the status alone, and by the words alone.
        (say("409 Conflict", &problem("X", "X")), "key_reused"),
        (say("409 Conflict", &json!({})), "key_reused"),
        (say("422 U", &problem("UNPROCESSABLE_ENTITY", "DUPLICATE_REQUEST_ID")), "key_reused"),
        (say("401 Unauthorized", &json!({})), "unauthorized"),
        (say("403 Forbidden", &json!({})), "unauthorized"),
        (Act::Say(answer("200 OK", "", "<html>")), "unreadable_answer"),
    ] {
        let server = server(act.clone()).await;
        let outcome = waiting_for(&act, &server).store_method(&to_store("5C991763VB2781612")).await;
        let StoreOutcome::Unclear { failure } = &outcome else { panic!("{act:?}: {outcome:?}") };
        assert_eq!(failure.code, code, "{act:?}");
        crate::contract::charging::keeps_secrets(&outcome);
    }
}

#[tokio::test]
async fn a_card_is_forgotten_once_and_for_all() {
    for (status, expected) in [
        ("204 No Content", Ok(())),
        ("404 Not Found", Ok(())),
        ("401 Unauthorized", Err("unauthorized")),
        ("422 U", Err("unexpected_status")),
        ("500 Oops", Err("gateway_error")),
    ] {
        let mut server = server(Act::Say(answer(status, "", ""))).await;
        let forgotten = gateway(&server).detach_method(&Token(VAULTED.to_owned())).await;
        assert_eq!(forgotten.map_err(|failure| failure.code), expected.map_err(str::to_owned), "{status}");
        let sent = sent(&mut server).await;
        assert_eq!(
            (sent.method.as_str(), sent.target.as_str()),
            ("DELETE", "/v3/vault/payment-tokens/8kk8451t")
        );
    }
    let server = server(Act::Reset).await;
    let failure = gateway(&server).detach_method(&Token("../x".to_owned())).await.unwrap_err();
    assert_eq!((failure.class, server.unseen()), (FailureClass::Configuration, 0));
}
