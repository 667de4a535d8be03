//! Money back.

use super::*;
use fatura_domain::gateway::{RefundOutcome, RefundRequest};
use fatura_domain::id::{CustomerId, RefundId};

const REFUND: &str = "1JU08902781691411";

fn asked(minor: i64, currency: &str) -> RefundRequest {
    let at = "2026-11-21T12:00:00Z".parse().unwrap();
    let refund = RefundId::new(CustomerId::new(42), at, 1);
    RefundRequest { refund, charge: named(CAPTURE), amount: money(minor, currency) }
}

fn given(request: &RefundRequest, status: &str) -> Value {
    json!({
        "id": REFUND, "status": status, "amount": amount("23.45"), "custom_id": request.refund,
        "links": [{ "href": format!("https://api.paypal.com/v2/payments/captures/{CAPTURE}"), "rel": "up", "method": "GET" }],
    })
}

fn succeeded() -> RefundOutcome {
    RefundOutcome::Succeeded { reference: named(REFUND), amount: money(2_345, "BRL") }
}

fn unclear(outcome: &RefundOutcome) -> Failure {
    let RefundOutcome::Unclear { failure } = outcome else { panic!("{outcome:?}") };
    crate::contract::charging::keeps_secrets(outcome);
    failure.clone()
}

#[tokio::test]
async fn the_refund_is_exact_on_the_wire() {
    for (minor, currency, written) in
        [(2_345, "BRL", "23.45"), (500, "JPY", "500"), (10_000, "HUF", "100"), (1, "USD", "0.01")]
    {
        let request = asked(minor, currency);
        let told = with(
            given(&request, "COMPLETED"),
            "/amount",
            json!({ "currency_code": currency, "value": written }),
        );
        let mut server = server(say("201 Created", &told)).await;
        let outcome = gateway(&server).refund(&request).await;
        assert_eq!(outcome, RefundOutcome::Succeeded { reference: named(REFUND), amount: request.amount });
        let sent = sent(&mut server).await;
        assert_eq!(sent.method, "POST");
        assert_eq!(sent.target, format!("/v2/payments/captures/{CAPTURE}/refund"));
        assert_eq!(sent.header("paypal-request-id"), [request.refund.to_string()]);
        assert_eq!(sent.header("prefer"), ["return=representation"]);
        assert_eq!(
            String::from_utf8(sent.body).unwrap(),
            format!(
                r#"{{"amount":{{"currency_code":"{currency}","value":"{written}"}},"custom_id":"{}"}}"#,
                request.refund
            )
        );
    }
}

#[tokio::test]
async fn each_answer_is_what_it_says() {
    let request = asked(2_345, "BRL");
    let refund = async |told: Value| {
        let server = server(say("201 Created", &told)).await;
        gateway(&server).refund(&request).await
    };
    assert_eq!(refund(given(&request, "COMPLETED")).await, succeeded());
    assert_eq!(refund(given(&request, "PENDING")).await, RefundOutcome::Pending { reference: named(REFUND) });
    for word in ["FAILED", "CANCELLED"] {
        let RefundOutcome::Failed { failure } = refund(given(&request, word)).await else { panic!("{word}") };
        assert_eq!((failure.code.as_str(), failure.raw_code.as_deref()), ("refund_failed", Some(word)));
    }
    for (told, code) in [
        (with(given(&request, "COMPLETED"), "/custom_id", json!("rfd_other")), "reference_mismatch"),
        (
            with(
                given(&request, "COMPLETED"),
                "/links/0/href",
                json!("https://api.paypal.com/v2/payments/captures/OTHER"),
            ),
            "reference_mismatch",
        ),
        (given(&request, "MOON"), "unreadable_answer"),
        (with(given(&request, "COMPLETED"), "/amount/value", json!("0.00")), "contradictory_answer"),
        (with(given(&request, "COMPLETED"), "/amount", Value::Null), "contradictory_answer"),
        (json!({}), "unreadable_answer"),
    ] {
        assert_eq!(unclear(&refund(told.clone()).await).code, code, "{told}");
    }
}

/// Answers a refund like this, and has this order when it is looked for.
async fn refusing(status: &'static str, issue: &'static str, refunds: Value) -> Scripted {
    let order = order();
    let taken = capture(&order, "PARTIALLY_REFUNDED");
    let mut whole = made(&order, "COMPLETED", std::slice::from_ref(&taken));
    whole["purchase_units"][0]["payments"]["refunds"] = refunds;
    routed(move |asked| match asked.target.as_str() {
        "/v2/payments/captures/2GG279541U471931P/refund" => {
            say(status, &problem("UNPROCESSABLE_ENTITY", issue))
        }
        "/v2/payments/captures/2GG279541U471931P" => say("200 OK", &taken),
        "/v2/checkout/orders/5O190127TN364715T" => say("200 OK", &whole),
        _ => say("404 Not Found", &json!({})),
    })
    .await
}

#[tokio::test]
async fn a_refusal_may_be_about_the_same_refund() {
    let request = asked(2_345, "BRL");
    for (status, issue) in [
        ("422 U", "CAPTURE_FULLY_REFUNDED"),
        ("422 U", "REFUND_AMOUNT_EXCEEDED"),
        ("422 U", "REFUND_TIME_LIMIT_EXCEEDED"),
        ("404 N", "INVALID_RESOURCE_ID"),
        ("400 B", "INVALID_PARAMETER_VALUE"),
    ] {
        let server = refusing(status, issue, json!([])).await;
        let RefundOutcome::Failed { failure } = gateway(&server).refund(&request).await else {
            panic!("{issue}")
        };
        assert_eq!((failure.code.as_str(), failure.raw_code.as_deref()), ("refund_refused", Some(issue)));

        let server = refusing(status, issue, json!([given(&request, "COMPLETED")])).await;
        assert_eq!(gateway(&server).refund(&request).await, succeeded(), "{issue}");
    }
    for (status, issue, code) in [
        ("422 U", "REFUND_FAILED_INSUFFICIENT_FUNDS", "refund_not_now"),
        ("422 U", "PENDING_CAPTURE", "refund_not_now"),
        ("409 Conflict", "PREVIOUS_REQUEST_IN_PROGRESS", "unexpected_status"),
        ("422 U", "DUPLICATE_INVOICE_ID", "unexpected_status"),
        ("401 Unauthorized", "INVALID_TOKEN", "unexpected_status"),
        ("403 Forbidden", "PERMISSION_DENIED", "unexpected_status"),
        ("500 Oops", "X", "gateway_error"),
        ("429 Slow", "X", "rate_limited"),
    ] {
        let server = refusing(status, issue, json!([given(&request, "COMPLETED")])).await;
        assert_eq!(unclear(&gateway(&server).refund(&request).await).code, code, "{issue}");
    }
}

#[tokio::test]
async fn a_refund_is_found_in_its_order() {
    let request = asked(2_345, "BRL");
    let other = |custom: Value, value: &str| {
        let told = with(given(&request, "COMPLETED"), "/custom_id", custom);
        with(with(told, "/amount/value", json!(value)), "/id", json!("OTHER"))
    };
    for (refunds, expected) in [
        (json!([]), None),
        (json!([other(json!("rfd_x"), "23.45")]), None),
        (json!([other(json!("rfd_x"), "23.45"), given(&request, "COMPLETED")]), Some(succeeded())),
        (json!([given(&request, "PENDING")]), Some(RefundOutcome::Pending { reference: named(REFUND) })),
        // Without a name, but not of this amount.
        (json!([other(Value::Null, "1.00")]), None),
    ] {
        let server = refusing("500 Oops", "X", refunds.clone()).await;
        assert_eq!(gateway(&server).fetch_refund(&request).await, expected, "{refunds}");
    }
    let server = refusing("500 Oops", "X", json!([other(Value::Null, "23.45")])).await;
    let outcome = gateway(&server).fetch_refund(&request).await.unwrap();
    assert_eq!(unclear(&outcome).code, "refund_ambiguous");
}

#[tokio::test]
async fn what_cannot_be_asked_stays_unclear() {
    let request = asked(2_345, "BRL");
    for act in [
        Act::Reset,
        Act::Silence,
        say("404 Not Found", &json!({})),
        say("500 Oops", &json!({})),
        say("200 OK", &with(capture(&order(), "COMPLETED"), "/id", json!("OTHER"))),
    ] {
        let server = server(act.clone()).await;
        unclear(&impatient(&server).fetch_refund(&request).await.unwrap());
    }
    let silent = server(Act::Silence).await;
    assert_eq!(unclear(&impatient(&silent).refund(&request).await).code, "timeout");
    let asked_for = silent.unseen();
    for charge in ["order/5O190127TN364715T", "../x", ""] {
        let request = RefundRequest { charge: named(charge), ..request.clone() };
        assert_eq!(unclear(&gateway(&silent).refund(&request).await).code, "no_such_id", "{charge}");
        assert_eq!(unclear(&gateway(&silent).fetch_refund(&request).await.unwrap()).code, "no_such_id");
    }
    assert_eq!(silent.unseen(), asked_for);
}

/// A capture that says its order by a link only.
#[tokio::test]
async fn the_order_is_known_by_either_word() {
    let request = asked(2_345, "BRL");
    for (place, expected) in [("/supplementary_data", true), ("/links", true), ("/both", false)] {
        let mut taken = capture(&order(), "COMPLETED");
        for word in ["supplementary_data", "links"] {
            if place == format!("/{word}") || place == "/both" {
                taken.as_object_mut().unwrap().remove(word);
            }
        }
        let whole = made(&order(), "COMPLETED", &[]);
        let server = routed(move |asked| {
            if asked.target.contains("captures") { say("200 OK", &taken) } else { say("200 OK", &whole) }
        })
        .await;
        let found = gateway(&server).fetch_refund(&request).await;
        assert_eq!(found.is_none(), expected, "{place}: {found:?}");
    }
}
