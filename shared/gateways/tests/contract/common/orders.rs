//! Orders, and the troubles of the way. The question is always the same: may it have charged?

use super::{Common, forgotten, shows_its_key_once, troubles};
use crate::brazil::Told;
use crate::contract::charging::{approved, keeps_secrets, unknown};
use crate::scripted::{Act, Deserted, Scripted, answer};
use fatura_application::ports::SecretsError;
use fatura_domain::charge::{Failure, FailureClass};
use fatura_domain::gateway::{ChargeOutcome, ChargeRequest};
use fatura_domain::money::Money;
use fatura_gateways::Timeouts;
use std::sync::Arc;
use std::time::Duration;

pub(super) async fn what_cannot_connect_was_not_sent(common: &Common) {
    let refusing = Deserted::new();
    // Speaks no TLS, so the handshake ends before any of the order is sent.
    let plain = Scripted::answering("200 OK", "", "{}").await;
    let secure = plain.url.replace("http://", "https://");
    for url in [refusing.url.as_str(), &secure] {
        let timeouts = Timeouts { connect: Duration::from_millis(500), ..Timeouts::default() };
        let outcome = common.gateway(url, timeouts, common.secrets()).charge(&common.order()).await;
        let ChargeOutcome::NotSent { failure } = &outcome else { panic!("{url}: {outcome:?}") };
        assert_eq!((failure.class, failure.code.as_str()), (FailureClass::NotSent, "unreachable"));
        keeps_secrets(&outcome);
    }
    assert_eq!(plain.unseen(), 0);
}

pub(super) async fn too_many_requests_were_not_sent(common: &Common) {
    for (header, expected) in [
        ("retry-after: 120\r\n", "120"),
        ("retry-after: Wed, 21 Oct 2026 07:28:00 GMT\r\n", "Wed, 21 Oct 2026 07:28:00 GMT"),
        ("", "unstated"),
    ] {
        let limited = Act::Say(answer("429 Slow Down", header, "<html>"));
        let (outcome, sent) = common.charged(limited.clone()).await;
        let before = Scripted::always(limited).await;
        for outcome in [outcome, common.at(&before.url).charge(&common.order()).await] {
            let ChargeOutcome::NotSent { failure: Failure { code, message, .. } } = &outcome else {
                panic!("{outcome:?}")
            };
            assert_eq!(code, "rate_limited");
            assert!(message.ends_with(expected), "{message}");
        }
        assert_eq!(sent, 1);
    }
}

pub(super) async fn what_breaks_after_sending_is_unknown(common: &Common) {
    let body = (common.captured)(&common.order());
    let whole = answer("201 Created", "", &body);
    let half = whole[..whole.len() - body.len() / 2].to_owned();
    for (act, code) in [
        (Act::Reset, "connection_lost"),
        (Act::Say(String::new()), "connection_lost"),
        (Act::Say(whole[..12].to_owned()), "connection_lost"),
        (Act::Say("this is not HTTP\r\n\r\n".to_owned()), "connection_lost"),
        (Act::Say(half.clone()), "unreadable_answer"),
        (Act::Begin(half), "timeout"),
        (Act::Silence, "timeout"),
    ] {
        let (outcome, sent) = common.charged(act.clone()).await;
        assert_eq!((unknown(&outcome), sent), (code, 1), "{act:?}");
    }
}

pub(super) async fn a_server_error_is_unknown(common: &Common) {
    // Even with a body that would be a success.
    let body = (common.captured)(&common.order());
    for status in ["500 Oops", "501 No", "502 Bad Gateway", "503 Unavailable", "504 Timeout", "599 Odd"] {
        let (outcome, sent) = common.charged(Act::Say(answer(status, "retry-after: 1\r\n", &body))).await;
        assert_eq!((unknown(&outcome), sent), ("gateway_error", 1), "{status}");
    }
}

pub(super) async fn an_unreadable_success_is_unknown(common: &Common) {
    let good = (common.captured)(&common.order());
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
        let (outcome, sent) = common.charged(Act::Say(answer(status, "", body))).await;
        assert_eq!((unknown(&outcome), sent), ("unreadable_answer", 1), "{status}");
    }
}

pub(super) async fn a_redirect_is_not_followed(common: &Common) {
    let body = (common.captured)(&common.order());
    let elsewhere = Scripted::answering("201 Created", "", &body).await;
    for status in ["300 Many", "301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let location = format!("location: {}/\r\n", elsewhere.url);
        let (outcome, sent) = common.charged(Act::Say(answer(status, &location, &body))).await;
        assert_eq!((unknown(&outcome), sent), ("unexpected_status", 1), "{status}");
    }
    assert_eq!(elsewhere.unseen(), 0, "neither the order nor the key went there");
}

/// Where other calls come before the order, their troubles are ours and not the card's.
pub(super) async fn what_fails_before_the_order_declines_nothing(common: &Common) {
    for act in troubles() {
        let server = Scripted::always(act.clone()).await;
        let outcome = common.at(&server.url).charge(&common.order()).await;
        keeps_secrets(&outcome);
        match &outcome {
            ChargeOutcome::NotSent { .. } | ChargeOutcome::Unknown { .. } => {}
            ChargeOutcome::Declined { reference: None, failure } => {
                let is_refused =
                    matches!(&act, Act::Say(bytes) if bytes.contains(" 401 ") || bytes.contains(" 403 "));
                assert!(is_refused && failure.class == FailureClass::Configuration, "{act:?}: {outcome:?}");
            }
            _ => panic!("{act:?}: {outcome:?}"),
        }
    }
}

pub(super) async fn a_key_that_is_refused_is_ours_to_mend(common: &Common) {
    for (status, times) in [("401 Who", common.sent_at_401), ("403 No", 1)] {
        let (outcome, sent) = common.charged(Act::Say(answer(status, "", "{}"))).await;
        assert_eq!((refused(&outcome).class, sent), (FailureClass::Configuration, times), "{status}");
    }
}

/// The server stopped waiting; and another order went out under this key.
pub(super) async fn what_is_not_definite_is_unknown(common: &Common) {
    for status in ["408 Too Slow", "409 Conflict"] {
        let (outcome, sent) = common.charged(Act::Say(answer(status, "", "{}"))).await;
        unknown(&outcome);
        assert_eq!(sent, 1);
    }
}

pub(super) async fn without_secrets_nothing_is_sent(common: &Common) {
    let order = common.order();
    let server = common.server(&order, Act::Reset).await;
    for secrets in forgotten() {
        let outcome = common.gateway(&server.url, Timeouts::default(), secrets).charge(&order).await;
        assert_eq!(refused(&outcome).class, FailureClass::Configuration);
    }
    // That they can't be read just now passes: the same order goes out later.
    let throttled = Arc::new(Told(Err(SecretsError("throttled".to_owned()))));
    let outcome = common.gateway(&server.url, Timeouts::default(), throttled).charge(&order).await;
    assert!(matches!(outcome, ChargeOutcome::NotSent { .. }), "{outcome:?}");
    assert_eq!(server.unseen(), 0);
}

pub(super) async fn the_same_order_is_the_same_call(common: &Common) {
    let (order, other) = (common.order(), common.order());
    let mut server =
        common.server(&order, Act::Say(answer("201 Created", "", &(common.captured)(&order)))).await;
    let gateway = common.at(&server.url);
    for order in [&order, &order, &other] {
        gateway.charge(order).await;
    }
    let sent = common.orders(&mut server, &order).await;
    let [first, again, another] = &sent[..] else { panic!("{sent:?}") };
    for call in &sent {
        shows_its_key_once(call);
    }
    assert_eq!((&first.method, &first.target), (&again.method, &again.target));
    assert_eq!(String::from_utf8_lossy(&first.body), String::from_utf8_lossy(&again.body));
    assert_ne!(first.body, another.body, "each says which order it is");
    assert!(String::from_utf8_lossy(&first.body).contains(&order.attempt.to_string()));
    if let Some(key) = common.key {
        assert_eq!(first.header(key), [order.attempt.to_string()]);
        assert_eq!(again.header(key), first.header(key));
        assert_eq!(another.header(key), [other.attempt.to_string()]);
    }
}

pub(super) async fn the_amount_is_exact_on_the_wire(common: &Common) {
    for (minor, currency) in
        [(1, "BRL"), (12_345, "BRL"), (12_345, "USD"), (12_345, "JPY"), (12_340, "KWD"), (12_345, "KWD")]
    {
        let amount = Money::try_new(minor, currency.parse().unwrap()).unwrap();
        let order = ChargeRequest { amount, ..common.order() };
        let written = (common.amount)(amount);
        let act = match &written {
            Some(_) => Act::Say(answer("201 Created", "", &(common.captured)(&order))),
            None => Act::Reset,
        };
        let mut server = common.server(&order, act).await;
        let outcome = common.at(&server.url).charge(&order).await;
        let sent = common.orders(&mut server, &order).await;
        if let Some(written) = written {
            approved(&outcome, &order);
            let [sent] = &sent[..] else { panic!("{amount:?}: {sent:?}") };
            let body = String::from_utf8(sent.body.clone()).unwrap();
            assert!(body.contains(&written), "{amount:?}: {body}");
        } else {
            assert_eq!(refused(&outcome).class, FailureClass::Configuration, "{amount:?}");
            assert_eq!(sent.len(), 0, "{amount:?}");
        }
    }
}

pub(super) async fn an_answer_about_another_order_is_not_believed(common: &Common) {
    let (order, other) = (common.order(), common.order());
    let server = common.server(&other, Act::Say(answer("201 Created", "", &(common.captured)(&other)))).await;
    let outcome = common.at(&server.url).charge(&order).await;
    let waits = matches!(outcome, ChargeOutcome::Unknown { .. } | ChargeOutcome::Pending { .. });
    assert!(waits, "{outcome:?}");
    keeps_secrets(&outcome);
}

/// What the charge was refused for, without a charge.
fn refused(outcome: &ChargeOutcome) -> &Failure {
    let ChargeOutcome::Declined { reference: None, failure } = outcome else { panic!("{outcome:?}") };
    keeps_secrets(outcome);
    failure
}
