//! Orders, and what is made of each answer.

use super::*;
use crate::contract::charging::unknown;
use fatura_domain::gateway::{PendingAction, PixKey};

async fn charged(order: &ChargeRequest, status: &str, told: &Value) -> ChargeOutcome {
    let server = server(say(status, told)).await;
    gateway(&server).charge(order).await
}

#[tokio::test]
async fn the_order_is_exact_on_the_wire() {
    for (minor, currency, written) in [
        (12_345, "BRL", "123.45"),
        (1, "USD", "0.01"),
        (100, "EUR", "1.00"),
        (500, "JPY", "500"),
        (104_500, "HUF", "1045"),
        (80_000, "TWD", "800"),
        (9_007_199_254_740_991, "GBP", "90071992547409.91"),
    ] {
        let order = ChargeRequest { amount: money(minor, currency), ..order() };
        let told = json!({ "currency_code": currency, "value": written });
        let paid = with(paid(&order), "/purchase_units/0/amount", told.clone());
        let paid = with(paid, "/purchase_units/0/payments/captures/0/amount", told);
        let mut server = server(say("201 Created", &paid)).await;
        let outcome = gateway(&server).charge(&order).await;
        let expected = ChargeOutcome::Approved { reference: named(CAPTURE), captured: order.amount };
        assert_eq!(outcome, expected, "{currency}");

        let token = server.next().await;
        assert_eq!((token.method.as_str(), token.target.as_str()), ("POST", "/v1/oauth2/token"));
        // From `printf client_AbC-1:sk_test_very_secret | base64`.
        assert_eq!(token.header("authorization"), ["Basic Y2xpZW50X0FiQy0xOnNrX3Rlc3RfdmVyeV9zZWNyZXQ="]);
        assert_eq!(token.header("content-type"), ["application/x-www-form-urlencoded"]);
        assert_eq!(token.body, b"grant_type=client_credentials");

        let sent = sent(&mut server).await;
        assert_eq!((sent.method.as_str(), sent.target.as_str()), ("POST", "/v2/checkout/orders"));
        let attempt = order.attempt;
        for (name, value) in [
            ("paypal-request-id", attempt.to_string()),
            ("prefer", "return=representation".to_owned()),
            ("content-type", "application/json".to_owned()),
        ] {
            assert_eq!(sent.header(name), [value], "{name}");
        }
        assert_eq!(
            String::from_utf8(sent.body).unwrap(),
            format!(
                r#"{{"intent":"CAPTURE","purchase_units":[{{"reference_id":"{attempt}","custom_id":"{attempt}","invoice_id":"{attempt}","amount":{{"currency_code":"{currency}","value":"{written}"}}}}],"payment_source":{{"card":{{"vault_id":"8kk8451t","stored_credential":{{"payment_initiator":"MERCHANT","payment_type":"RECURRING","usage":"SUBSEQUENT"}}}}}}}}"#
            )
        );
        assert_eq!(server.unseen(), 0);
    }
}

#[tokio::test]
async fn the_kind_of_bill_is_configured() {
    for (configured, expected) in
        [("UNSCHEDULED", Some("UNSCHEDULED")), ("RECURRING", Some("RECURRING")), ("", None)]
    {
        let order = order();
        let mut server = server(say("201 Created", &paid(&order))).await;
        let gateway = paypal(&server.url, Timeouts::default(), told(&[("payment_type", configured)]));
        let outcome = gateway.charge(&order).await;
        if let Some(expected) = expected {
            let body: Value = serde_json::from_slice(&sent(&mut server).await.body).unwrap();
            assert_eq!(body["payment_source"]["card"]["stored_credential"]["payment_type"], expected);
        } else {
            assert_eq!(refused(&outcome).code, "not_configured");
            assert_eq!(server.unseen(), 0);
        }
    }
}

#[tokio::test]
async fn what_paypal_does_not_take_is_not_sent() {
    let server = server(say("201 Created", &json!({}))).await;
    let asked = async |order: &ChargeRequest| refused(&gateway(&server).charge(order).await);
    for (minor, currency, code) in [
        (1_000, "KWD", "currency_not_offered"),
        (1_000, "CLP", "currency_not_offered"),
        (104_550, "HUF", "amount_not_chargeable"),
        (1, "TWD", "amount_not_chargeable"),
        (0, "BRL", "amount_not_chargeable"),
    ] {
        let failure = asked(&ChargeRequest { amount: money(minor, currency), ..order() }).await;
        assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Configuration, code), "{currency}");
    }
    for token in ["", "../x", "a/b", "a b", "a?b", "é"] {
        assert_eq!(asked(&request(card(token))).await.code, "not_a_stored_card", "{token}");
    }
    let pix = asked(&request(Means::Pix(PixKey("payer@example.com".to_owned())))).await;
    assert_eq!((pix.class, pix.code.as_str()), (FailureClass::Configuration, "means_not_offered"));
    assert_eq!(server.unseen(), 0);
}

/// The order is COMPLETED all the while: it is the capture that was declined.
#[tokio::test]
async fn each_decline_has_its_class() {
    use FailureClass as Class;
    let order = order();
    for (raw, class, code) in [
        ("5120", Class::InsufficientFunds, "insufficient_funds"),
        ("0500", Class::DoNotHonor, "do_not_honor"),
        ("5100", Class::Generic, "generic_decline"),
        ("5400", Class::Hard, "expired_card"),
        ("9520", Class::Hard, "lost_or_stolen"),
        ("00N7", Class::Hard, "cvv2_failure_possible_retry_with_cvv"),
        ("5650", Class::AuthenticationRequired, "declined_sca_required"),
        ("9500", Class::SuspectedFraud, "suspected_fraud"),
        ("5920", Class::IssuerUnavailable, "issuer_not_available_retriable"),
        ("PPS4", Class::CurrencyMismatch, "currency_mismatch"),
        ("8020", Class::Configuration, "configuration_error"),
        ("5200", Class::Duplicate, "duplicate_transaction"),
        ("MOON", Class::Generic, "declined"),
    ] {
        let declined = with(capture(&order, "DECLINED"), "/processor_response/response_code", json!(raw));
        let outcome = charged(&order, "201 Created", &made(&order, "COMPLETED", &[declined])).await;
        let failure = refused(&outcome);
        assert_eq!((failure.class, failure.code.as_str()), (class, code), "{raw}");
        assert_eq!(failure.raw_code.as_deref(), Some(raw));
        assert!(
            matches!(outcome, ChargeOutcome::Declined { reference: Some(id), .. } if id == named(CAPTURE))
        );
    }
    let advice = json!({ "response_code": "0500", "payment_advice_code": "21" });
    let stopped = with(capture(&order, "DECLINED"), "/processor_response", advice);
    let outcome = charged(&order, "201 Created", &made(&order, "COMPLETED", &[stopped])).await;
    assert_eq!(refused(&outcome).class, Class::Hard);
}

#[tokio::test]
async fn each_refusal_has_its_class() {
    use FailureClass as Class;
    let order = order();
    for (status, name, issue, class, code) in [
        ("422 U", "UNPROCESSABLE_ENTITY", "INSTRUMENT_DECLINED", Class::Generic, "instrument_declined"),
        ("422 U", "UNPROCESSABLE_ENTITY", "PAYER_CANNOT_PAY", Class::DoNotHonor, "payer_cannot_pay"),
        ("422 U", "UNPROCESSABLE_ENTITY", "CARD_EXPIRED", Class::Hard, "card_expired"),
        ("422 U", "UNPROCESSABLE_ENTITY", "TRANSACTION_REFUSED", Class::DoNotHonor, "transaction_refused"),
        (
            "422 U",
            "UNPROCESSABLE_ENTITY",
            "TRANSACTION_LIMIT_EXCEEDED",
            Class::InsufficientFunds,
            "transaction_limit_exceeded",
        ),
        (
            "422 U",
            "UNPROCESSABLE_ENTITY",
            "PAYER_ACTION_REQUIRED",
            Class::AuthenticationRequired,
            "payer_action_required",
        ),
        (
            "422 U",
            "UNPROCESSABLE_ENTITY",
            "PAYEE_BLOCKED_TRANSACTION",
            Class::SuspectedFraud,
            "payee_blocked_transaction",
        ),
        (
            "422 U",
            "UNPROCESSABLE_ENTITY",
            "CURRENCY_NOT_SUPPORTED_FOR_CARD_TYPE",
            Class::CurrencyMismatch,
            "currency_not_supported_for_card_type",
        ),
        (
            "422 U",
            "UNPROCESSABLE_ENTITY",
            "TOKEN_ID_NOT_FOUND",
            Class::CustomerNotFound,
            "token_id_not_found",
        ),
        ("404 N", "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID", Class::CustomerNotFound, "customer_not_found"),
        (
            "422 U",
            "UNPROCESSABLE_ENTITY",
            "NOT_ENABLED_FOR_CARD_PROCESSING",
            Class::Configuration,
            "order_refused",
        ),
        ("422 U", "UNPROCESSABLE_ENTITY", "MOON_PHASE", Class::Configuration, "order_refused"),
        ("400 B", "INVALID_REQUEST", "INVALID_PARAMETER_SYNTAX", Class::Configuration, "order_refused"),
        // Only of a 422 an issue is about what was to be done.
        ("400 B", "INVALID_REQUEST", "CARD_EXPIRED", Class::Configuration, "order_refused"),
        ("403 F", "NOT_AUTHORIZED", "PERMISSION_DENIED", Class::Configuration, "unauthorized"),
    ] {
        let outcome = charged(&order, status, &problem(name, issue)).await;
        let failure = refused(&outcome);
        assert_eq!((failure.class, failure.code.as_str()), (class, code), "{issue}");
        assert_eq!(failure.raw_code.as_deref(), Some(issue));
        assert!(matches!(outcome, ChargeOutcome::Declined { reference: None, .. }));
    }
    // Of several issues one may be the one that counts.
    let mut several = problem("UNPROCESSABLE_ENTITY", "MOON_PHASE");
    several["details"].as_array_mut().unwrap().push(json!({ "issue": "DUPLICATE_INVOICE_ID" }));
    assert_eq!(unknown(&charged(&order, "422 U", &several).await), "key_reused");
    let failure = refused(&charged(&order, "404 N", &json!({ "error": "no such path" })).await);
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Configuration, "order_refused"));
}

#[tokio::test]
async fn an_order_that_was_seen_before_may_have_charged() {
    let order = order();
    for (status, name, issue) in [
        ("409 Conflict", "RESOURCE_CONFLICT", "PREVIOUS_REQUEST_IN_PROGRESS"),
        ("409 Conflict", "WHATEVER", "INSTRUMENT_DECLINED"),
        ("400 Bad", "DUPLICATE_REQUEST_ID", "X"),
        ("422 U", "UNPROCESSABLE_ENTITY", "DUPLICATE_INVOICE_ID"),
        ("422 U", "UNPROCESSABLE_ENTITY", "ORDER_ALREADY_CAPTURED"),
    ] {
        assert_eq!(unknown(&charged(&order, status, &problem(name, issue)).await), "key_reused", "{issue}");
    }
    // A repeat that is known is answered with 200.
    assert_eq!(charged(&order, "200 OK", &paid(&order)).await, approved(12_345));
}

#[tokio::test]
async fn the_captures_word_counts() {
    let order = order();
    let review = |reference: &str| ChargeOutcome::Pending {
        reference: named(reference),
        action: PendingAction::Review,
    };
    for (capture_is, expected) in [
        ("COMPLETED", approved(12_345)),
        ("PARTIALLY_REFUNDED", approved(12_345)),
        ("REFUNDED", approved(12_345)),
        ("PENDING", review(CAPTURE)),
    ] {
        for order_is in ["COMPLETED", "CREATED", "MOON"] {
            let told = made(&order, order_is, &[capture(&order, capture_is)]);
            assert_eq!(charged(&order, "201 Created", &told).await, expected, "{capture_is}");
        }
    }
    let failed = made(&order, "COMPLETED", &[capture(&order, "FAILED")]);
    assert_eq!(refused(&charged(&order, "201 Created", &failed).await).class, FailureClass::Generic);
    let moon = made(&order, "COMPLETED", &[capture(&order, "MOON")]);
    assert_eq!(unknown(&charged(&order, "201 Created", &moon).await), "unreadable_answer");
    // Of several the one that took money.
    let several = [capture(&order, "DECLINED"), capture(&order, "COMPLETED"), capture(&order, "PENDING")];
    let told = made(&order, "COMPLETED", &several);
    assert_eq!(charged(&order, "201 Created", &told).await, approved(12_345));

    let lone = format!("order/{ORDER}");
    for status in ["CREATED", "SAVED", "APPROVED"] {
        assert_eq!(
            charged(&order, "201 Created", &made(&order, status, &[])).await,
            review(&lone),
            "{status}"
        );
    }
    let url = "https://www.paypal.com/webapps/helios?action=verify&flow=3ds";
    let told = with(
        made(&order, "PAYER_ACTION_REQUIRED", &[]),
        "/links/0",
        json!({ "href": url, "rel": "payer-action", "method": "GET" }),
    );
    let action = PendingAction::RequiresAction { url: Some(url.to_owned()) };
    let expected = ChargeOutcome::Pending { reference: named(&lone), action };
    assert_eq!(charged(&order, "200 OK", &told).await, expected);
    let outcome = charged(&order, "201 Created", &made(&order, "VOIDED", &[])).await;
    assert_eq!(outcome, ChargeOutcome::Voided { reference: named(&lone) });
    for (status, code) in [("COMPLETED", "contradictory_answer"), ("MOON", "unreadable_answer")] {
        assert_eq!(unknown(&charged(&order, "201 Created", &made(&order, status, &[])).await), code);
    }
}

#[tokio::test]
async fn what_the_answer_contradicts_is_unknown() {
    let order = order();
    let other = json!(super::order().attempt);
    let unit = |place: &str| format!("/purchase_units/0{place}");
    let captured = |place: &str| unit(&format!("/payments/captures/0{place}"));
    let waiting = made(&order, "CREATED", &[]);
    let pending = made(&order, "COMPLETED", &[capture(&order, "PENDING")]);
    let declined = made(&order, "COMPLETED", &[capture(&order, "DECLINED")]);
    for (told, code) in [
        (with(paid(&order), &captured("/custom_id"), other.clone()), "reference_mismatch"),
        (with(paid(&order), &unit("/custom_id"), other.clone()), "reference_mismatch"),
        (
            with(with(paid(&order), &captured("/custom_id"), Value::Null), &unit("/custom_id"), Value::Null),
            "reference_mismatch",
        ),
        (with(waiting.clone(), &unit("/custom_id"), other), "reference_mismatch"),
        (with(waiting, &unit("/amount/value"), json!("54.32")), "amount_mismatch"),
        (with(pending, &captured("/amount/value"), json!("54.32")), "amount_mismatch"),
        (with(declined, &captured("/amount/currency_code"), json!("USD")), "amount_mismatch"),
        (with(paid(&order), &captured("/amount/value"), json!("0.00")), "contradictory_answer"),
        (with(paid(&order), &captured("/amount/value"), json!("-123.45")), "contradictory_answer"),
        (with(paid(&order), &captured("/amount/value"), json!("123.456")), "contradictory_answer"),
        (with(paid(&order), &captured("/amount/currency_code"), json!("XXQ")), "contradictory_answer"),
        (with(paid(&order), &captured("/amount/value"), json!(123)), "unreadable_answer"),
        (with(paid(&order), &captured("/id"), json!("../x")), "unreadable_answer"),
        (with(paid(&order), "/id", json!("a/b")), "unreadable_answer"),
        (with(paid(&order), "/purchase_units", json!([])), "contradictory_answer"),
        (json!({ "id": ORDER, "status": "COMPLETED" }), "unreadable_answer"),
    ] {
        assert_eq!(unknown(&charged(&order, "201 Created", &told).await), code, "{told}");
    }
    // What was taken is passed on, so that it is seen; and the capture's own name is enough.
    let less = with(paid(&order), &captured("/amount/value"), json!("123.40"));
    assert_eq!(charged(&order, "201 Created", &less).await, approved(12_340));
    let bare = with(paid(&order), &captured("/custom_id"), Value::Null);
    assert_eq!(charged(&order, "201 Created", &bare).await, approved(12_345));
}

#[tokio::test]
async fn troubles_of_the_way() {
    let order = order();
    let body = paid(&order).to_string();
    let whole = answer("201 Created", "", &body);
    let half = whole[..whole.len() - body.len() / 2].to_owned();
    let html = answer("200 OK", "content-type: text/html\r\n", "<html>Sorry</html>");
    for (act, code) in [
        (Act::Reset, "connection_lost"),
        (Act::Say(String::new()), "connection_lost"),
        (Act::Say(half.clone()), "unreadable_answer"),
        (Act::Begin(half), "timeout"),
        (Act::Silence, "timeout"),
        (Act::Say(html), "unreadable_answer"),
        (Act::Say(answer("200 OK", "", "{}")), "unreadable_answer"),
        (Act::Say(answer("500 Oops", "", &body)), "gateway_error"),
        (Act::Say(answer("503 Unavailable", "retry-after: 1\r\n", "")), "gateway_error"),
        (Act::Say(answer("408 Request Timeout", "", "{}")), "unexpected_status"),
    ] {
        let server = server(act.clone()).await;
        assert_eq!(unknown(&waiting_for(&act, &server).charge(&order).await), code, "{act:?}");
    }
    let elsewhere = Scripted::answering("201 Created", "", &body).await;
    let moved = answer("302 Found", &format!("location: {}/\r\n", elsewhere.url), &body);
    let redirecting = server(Act::Say(moved)).await;
    assert_eq!(unknown(&gateway(&redirecting).charge(&order).await), "unexpected_status");
    assert_eq!(elsewhere.unseen(), 0);

    let limited = server(Act::Say(answer("429 Too Many Requests", "retry-after: 7\r\n", "{}"))).await;
    let failure = not_sent(&gateway(&limited).charge(&order).await);
    assert_eq!(failure.code, "rate_limited");
    assert!(failure.message.ends_with("retry after: 7"), "{}", failure.message);
}
