//! Troubles of the way. The question is always the same: may it have charged?

use super::charging::{keeps_secrets, unknown};
use super::disputes::unclear;
use crate::bench::{Bench, Vault, Wanted, by_ours, request};
use crate::scripted::{Act, Deserted, Scripted, answer};
use fatura_application::ports::Gateway;
use fatura_domain::Timestamp;
use fatura_domain::charge::{Failure, FailureClass};
use fatura_domain::gateway::{ChargeOutcome, ChargeRequest};
use fatura_gateways::Timeouts;
use std::time::Duration;

pub(crate) async fn what_cannot_connect_was_not_sent(bench: &dyn Bench) {
    let order = request(bench.means(Wanted::Approval));
    let refusing = Deserted::new();
    // Speaks no TLS, so the handshake ends before any of the order is sent.
    let plain = Scripted::answering("200 OK", "", "{}").await;
    let secure = plain.url.replace("http://", "https://");
    for url in [refusing.url.as_str(), "http://no-such-host.invalid", &secure] {
        // A name server may take its time to say no, and a connection that took too long was never there either.
        let timeouts = Timeouts { connect: Duration::from_millis(500), ..Timeouts::default() };
        let gateway = bench.adapter(url, timeouts, Vault::full());
        let outcome = gateway.charge(&order).await;
        let ChargeOutcome::NotSent { failure } = &outcome else { panic!("{url}: {outcome:?}") };
        assert_eq!((failure.class, failure.code.as_str()), (FailureClass::NotSent, "unreachable"));
        keeps_secrets(&outcome);
        let now = Timestamp::now();
        let failure = gateway.movements(now, now, None).await.unwrap_err();
        assert_eq!((failure.class, failure.code.as_str()), (FailureClass::NotSent, "unreachable"));
        // That the question couldn't be asked says nothing about an order that was sent before.
        asks_in_vain(&*gateway, &order).await;
    }
    assert_eq!(plain.unseen(), 0);
}

pub(crate) async fn what_breaks_after_sending_is_unknown(bench: &dyn Bench) {
    let order = request(bench.means(Wanted::Approval));
    let body = bench.captured(&order);
    let whole = answer("201 Created", "", &body);
    let half = whole[..whole.len() - body.len() / 2].to_owned();
    let head = whole[..whole.len() / 8].to_owned();
    for (act, code) in [
        (Act::Reset, "connection_lost"),
        (Act::Say(String::new()), "connection_lost"),
        (Act::Say(head), "connection_lost"),
        (Act::Say("this is not HTTP\r\n\r\n".to_owned()), "connection_lost"),
        (Act::Say(half.clone()), "unreadable_answer"),
        (Act::Begin(half), "timeout"),
        (Act::Silence, "timeout"),
    ] {
        let mut server = Scripted::always(act.clone()).await;
        let gateway = bench.impatient_at(&server.url);
        assert_eq!(unknown(&gateway.charge(&order).await), code, "{act:?}");
        server.next().await;
        assert_eq!(server.unseen(), 0, "sent once: {act:?}");
        asks_in_vain(&*gateway, &order).await;
    }
}

pub(crate) async fn a_server_error_is_unknown(bench: &dyn Bench) {
    let order = request(bench.means(Wanted::Approval));
    for status in ["500 Oops", "501 No", "502 Bad Gateway", "503 Unavailable", "504 Timeout", "599 Odd"] {
        // Even with a body that would be a success.
        let server = Scripted::answering(status, "retry-after: 1\r\n", &bench.captured(&order)).await;
        let gateway = bench.gateway_at(&server.url);
        assert_eq!(unknown(&gateway.charge(&order).await), "gateway_error", "{status}");
        assert_eq!(server.unseen(), 1, "sent once");
        asks_in_vain(&*gateway, &order).await;
    }
}

pub(crate) async fn a_redirect_is_not_followed(bench: &dyn Bench) {
    let order = request(bench.means(Wanted::Approval));
    let elsewhere = Scripted::answering("201 Created", "", &bench.captured(&order)).await;
    for status in ["300 Many", "301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let location = format!("location: {}/charges\r\n", elsewhere.url);
        let server = Scripted::answering(status, &location, &bench.captured(&order)).await;
        let gateway = bench.gateway_at(&server.url);
        assert_eq!(unknown(&gateway.charge(&order).await), "unexpected_status", "{status}");
        asks_in_vain(&*gateway, &order).await;
    }
    assert_eq!(elsewhere.unseen(), 0, "neither the order nor the key went there");
}

pub(crate) async fn an_unreadable_success_is_unknown(bench: &dyn Bench) {
    let order = request(bench.means(Wanted::Approval));
    let good = bench.captured(&order);
    let half = &good[..good.len() / 2];
    let padded = format!("{}{good}", " ".repeat(1 << 20));
    for (status, body) in [
        ("200 OK", "<!doctype html><title>Maintenance</title>"),
        ("200 OK", half),
        ("201 Created", half),
        ("200 OK", ""),
        ("204 No Content", ""),
        ("200 OK", "{}"),
        ("200 OK", "[]"),
        ("200 OK", "null"),
        ("200 OK", &padded),
    ] {
        let server = Scripted::answering(status, "", body).await;
        let gateway = bench.gateway_at(&server.url);
        assert_eq!(unknown(&gateway.charge(&order).await), "unreadable_answer", "{status}");
        asks_in_vain(&*gateway, &order).await;
    }
}

pub(crate) async fn a_definite_refusal_is_ours_to_mend(bench: &dyn Bench) {
    let order = request(bench.means(Wanted::Approval));
    for status in ["400 Bad", "401 Who", "403 No", "404 Where", "405 How", "415 What", "422 Why"] {
        let server = Scripted::answering(status, "", r#"{"error":{"code":"because","message":"x"}}"#).await;
        let gateway = bench.gateway_at(&server.url);
        let outcome = gateway.charge(&order).await;
        let ChargeOutcome::Declined { reference: None, failure } = &outcome else {
            panic!("{status}: {outcome:?}")
        };
        assert_eq!(failure.class, FailureClass::Configuration, "{status}");
        keeps_secrets(&outcome);
        asks_in_vain(&*gateway, &order).await;
    }
    // These two are not definite.
    for status in ["408 Too Slow", "409 Conflict"] {
        let server = Scripted::answering(status, "", "{}").await;
        let gateway = bench.gateway_at(&server.url);
        unknown(&gateway.charge(&order).await);
        asks_in_vain(&*gateway, &order).await;
    }
}

pub(crate) async fn the_wait_that_is_asked_for_is_kept(bench: &dyn Bench) {
    let order = request(bench.means(Wanted::Approval));
    for (header, expected) in [
        ("retry-after: 120\r\n", "120"),
        ("retry-after: Wed, 21 Oct 2026 07:28:00 GMT\r\n", "Wed, 21 Oct 2026 07:28:00 GMT"),
        ("", "unstated"),
    ] {
        let server = Scripted::answering("429 Slow Down", header, "<html>").await;
        let gateway = bench.gateway_at(&server.url);
        let outcome = gateway.charge(&order).await;
        let ChargeOutcome::NotSent { failure: Failure { code, message, .. } } = &outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(code, "rate_limited");
        assert!(message.ends_with(expected), "{message}");
        asks_in_vain(&*gateway, &order).await;
    }
}

pub(crate) async fn a_question_that_fails_says_nothing(bench: &dyn Bench) {
    let order = request(bench.means(Wanted::Approval));
    let charged = bench.gateway().charge(&order).await;
    for vault in [Vault::empty(), Vault::broken(), Vault::with("sk_wrong", &[]), Vault::with("a\nb", &[])] {
        let gateway = bench.adapter(bench.url(), Timeouts::default(), vault);
        asks_in_vain(&*gateway, &order).await;
    }
    assert_eq!(bench.gateway().fetch_charge(&by_ours(&order)).await, charged);
}

pub(crate) async fn without_secrets_nothing_is_sent(bench: &dyn Bench) {
    let order = request(bench.means(Wanted::Approval));
    let server = Scripted::answering("201 Created", "", &bench.captured(&order)).await;
    let charge = async |vault| bench.adapter(&server.url, Timeouts::default(), vault).charge(&order).await;
    for vault in [Vault::empty(), Vault::with("", &["whsec"]), Vault::with("line\nbreak", &[])] {
        let outcome = charge(vault).await;
        let ChargeOutcome::Declined { reference: None, failure } = &outcome else { panic!("{outcome:?}") };
        assert_eq!(failure.class, FailureClass::Configuration);
    }
    // That they can't be read just now passes: the same order goes out later.
    let outcome = charge(Vault::broken()).await;
    assert!(matches!(outcome, ChargeOutcome::NotSent { .. }), "{outcome:?}");
    assert_eq!(server.unseen(), 0);
}

async fn asks_in_vain(gateway: &dyn Gateway, order: &ChargeRequest) {
    unknown(&gateway.fetch_charge(&by_ours(order)).await);
    unknown(&gateway.cancel(&by_ours(order)).await);
    unclear(&gateway.fetch_dispute(&by_ours(order)).await);
    let now = Timestamp::now();
    let failure = gateway.movements(now, now, None).await.unwrap_err();
    keeps_secrets(&failure);
}
