//! The access token: kept, fetched once, and no order without it.

use super::*;
use crate::contract::charging::unknown;
use crate::scripted::Deserted;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

async fn seen(server: &mut Scripted) -> Vec<Received> {
    let mut seen = Vec::new();
    for _ in 0..server.unseen() {
        seen.push(server.next().await);
    }
    seen
}

#[tokio::test]
async fn it_is_fetched_once_however_many_wait_for_it() {
    let orders: Vec<_> = (0..6).map(|_| order()).collect();
    let answers = orders.clone();
    let mut server = routed(move |asked| {
        let key = asked.header("paypal-request-id")[0];
        let order = answers.iter().find(|order| order.attempt.to_string() == key).unwrap();
        say("201 Created", &paid(order))
    })
    .await;
    let gateway = gateway(&server);
    let charging = orders.iter().map(|order| {
        let (gateway, order) = (gateway.clone(), order.clone());
        tokio::spawn(async move { gateway.charge(&order).await })
    });
    for charge in charging.collect::<Vec<_>>() {
        assert_eq!(charge.await.unwrap(), approved(12_345));
    }
    let seen = seen(&mut server).await;
    assert_eq!(seen.iter().filter(|asked| is_token(asked)).count(), 1);
    assert_eq!(seen.len(), 7);
}

/// The kept one has ended at PayPal: the same order goes out again, once, and nothing of it has changed.
#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let order = order();
    let paid = paid(&order);
    let fetched = AtomicUsize::new(0);
    let mut server = Scripted::routed(move |asked| {
        if is_token(asked) {
            return granted(&format!("token{}", fetched.fetch_add(1, Ordering::SeqCst)), 32_400);
        }
        match asked.header("authorization")[0] {
            "Bearer token1" => say("201 Created", &paid),
            _ => say("401 Unauthorized", &problem("AUTHENTICATION_FAILURE", "INVALID_TOKEN")),
        }
    })
    .await;
    let gateway = gateway(&server);
    assert_eq!(gateway.charge(&order).await, approved(12_345));
    let seen = seen(&mut server).await;
    let [_, first, _, second] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!(first.header("paypal-request-id"), second.header("paypal-request-id"));
    assert_eq!((&first.target, &first.body), (&second.target, &second.body));
    // And it is kept.
    assert_eq!(gateway.charge(&order).await, approved(12_345));
    assert_eq!(server.unseen(), 1);
}

#[tokio::test]
async fn a_token_that_is_refused_again_is_ours_to_mend() {
    let server = server(say("401 Unauthorized", &problem("AUTHENTICATION_FAILURE", "INVALID_TOKEN"))).await;
    let failure = refused(&gateway(&server).charge(&order()).await);
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Configuration, "unauthorized"));
    assert_eq!(server.unseen(), 4, "two tokens and two orders, and no more");
    let lookup = theirs(&order(), CAPTURE);
    assert_eq!(unknown(&gateway(&server).fetch_charge(&lookup).await), "unauthorized");
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let bad = |told: &Value| say("200 OK", told);
    for (act, code) in [
        (Act::Reset, "connection_lost"),
        (Act::Silence, "timeout"),
        (Act::Say(answer("500 Oops", "", "")), "gateway_error"),
        (Act::Say(answer("429 Too Many Requests", "retry-after: 3\r\n", "")), "rate_limited"),
        (Act::Say(answer("302 Found", "location: /\r\n", "")), "unexpected_status"),
        (Act::Say(answer("200 OK", "", "<html>")), "unreadable_answer"),
        (bad(&json!({ "access_token": "", "token_type": "Bearer", "expires_in": 9 })), "unreadable_answer"),
        (
            bad(&json!({ "access_token": "a\nb", "token_type": "Bearer", "expires_in": 9 })),
            "unreadable_answer",
        ),
        (bad(&json!({ "access_token": "a", "token_type": "MAC", "expires_in": 9 })), "unreadable_answer"),
    ] {
        let server = Scripted::always(act.clone()).await;
        let failure = not_sent(&waiting_for(&act, &server).charge(&order()).await);
        assert_eq!(failure.code, code, "{act:?}");
        assert_eq!(server.unseen(), 1, "{act:?}");
        let lookup = theirs(&order(), CAPTURE);
        assert_eq!(
            unknown(&waiting_for(&act, &server).fetch_charge(&lookup).await),
            code,
            "says nothing: {act:?}"
        );
    }
    let gone = Deserted::new();
    let outcome = paypal(&gone.url, Timeouts::default(), told(&[])).charge(&order()).await;
    assert_eq!(not_sent(&outcome).code, "unreachable");
}

#[tokio::test]
async fn wrong_credentials_are_ours_to_mend() {
    for status in ["401 Unauthorized", "400 Bad Request", "403 Forbidden"] {
        let told = json!({ "error": "invalid_client", "error_description": "Client Authentication failed" });
        let server = Scripted::always(say(status, &told)).await;
        let failure = refused(&gateway(&server).charge(&order()).await);
        assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Configuration, "unauthorized"));
        assert_eq!(server.unseen(), 1, "{status}");
        assert_eq!(gateway(&server).check().await.unwrap_err().class, FailureClass::Configuration);
    }
    let server = server(say("201 Created", &json!({}))).await;
    let asked = async |secrets: Told| {
        paypal(&server.url, Timeouts::default(), Arc::new(secrets)).charge(&order()).await
    };
    for (secrets, code) in [
        (Ok(None), "no_api_key"),
        (Ok(Some(secrets("", &[], &[("client_id", CLIENT_ID)]))), "no_api_key"),
        (Ok(Some(secrets(API_KEY, &[], &[]))), "no_client_id"),
        (Ok(Some(secrets(API_KEY, &[], &[("client_id", "")]))), "no_client_id"),
    ] {
        let failure = refused(&asked(Told(secrets)).await);
        assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Configuration, code));
    }
    let throttled = asked(Told(Err(SecretsError("throttled".to_owned())))).await;
    assert_eq!(not_sent(&throttled).code, "secrets_unavailable");
    assert_eq!(server.unseen(), 0);
}

#[tokio::test]
async fn a_token_that_ends_soon_is_not_kept() {
    for (expires_in, fetched) in [(32_400, 1), (121, 1), (120, 2), (0, 2)] {
        let order = order();
        let paid = paid(&order);
        let mut server = Scripted::routed(move |asked| {
            if is_token(asked) { granted(ACCESS, expires_in) } else { say("201 Created", &paid) }
        })
        .await;
        let gateway = gateway(&server);
        for _ in 0..2 {
            assert_eq!(gateway.charge(&order).await, approved(12_345));
        }
        let seen = seen(&mut server).await;
        assert_eq!(seen.iter().filter(|asked| is_token(asked)).count(), fetched, "{expires_in}");
    }
}

struct Rotated(Mutex<GatewaySecrets>);

#[async_trait]
impl Secrets for Rotated {
    async fn gateway(&self, _: &GatewayName) -> Result<Option<GatewaySecrets>, SecretsError> {
        Ok(Some(self.0.lock().unwrap().clone()))
    }
}

#[tokio::test]
async fn other_credentials_are_other_tokens() {
    let order = order();
    let mut server = server(say("201 Created", &paid(&order))).await;
    let vault = Arc::new(Rotated(Mutex::new(secrets(API_KEY, &[], &[("client_id", CLIENT_ID)]))));
    let gateway = paypal(&server.url, Timeouts::default(), vault.clone());
    gateway.charge(&order).await;
    vault.0.lock().unwrap().api_key = "another".to_owned();
    gateway.charge(&order).await;
    assert_eq!(seen(&mut server).await.iter().filter(|asked| is_token(asked)).count(), 2);
}

/// The kept token would prove what the credentials were.
#[tokio::test]
async fn checking_asks_for_a_token_and_nothing_else() {
    let mut server = server(Act::Reset).await;
    let gateway = gateway(&server);
    for _ in 0..2 {
        assert_eq!(gateway.check().await, Ok(()));
    }
    let seen = seen(&mut server).await;
    assert!(seen.len() == 2 && seen.iter().all(is_token));
}
