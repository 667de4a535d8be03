//! Once signed in: tokens that follow each other, keys that are rotated, and how a session ends.

use crate::sign_in::{EMAIL, MINUTE, PASSWORD, both};
use crate::world::{ISSUER, World};
use async_trait::async_trait;
use fatura_application::Tokens;
use fatura_application::ports::{SecretsError, SignIns, TokenKeys};
use fatura_application::tokens::{KeyId, KeyRing, TokenKey};
use fatura_domain::id::{CustomerId, SessionId};
use futures::future::join_all;
use http::Request;
use serde_json::json;
use std::sync::{Arc, Mutex};

/// The keys of tokens, in a secret that a test can rotate.
pub(crate) struct RotatingKeys(Mutex<(String, Option<String>)>);

impl Default for RotatingKeys {
    fn default() -> Self {
        Self(Mutex::new(("first".to_owned(), None)))
    }
}

impl RotatingKeys {
    pub(crate) fn rotate(&self, secret: &str) {
        let mut secrets = self.0.lock().unwrap();
        secrets.1 = Some(std::mem::replace(&mut secrets.0, secret.to_owned()));
    }
}

#[async_trait]
impl TokenKeys for RotatingKeys {
    async fn keys(&self, _: Option<&KeyId>) -> Result<Arc<KeyRing>, SecretsError> {
        let (current, previous) = self.0.lock().unwrap().clone();
        let previous = previous.and_then(|text| TokenKey::of_secret(&text));
        Ok(Arc::new(KeyRing::new(TokenKey::of_secret(&current).unwrap(), previous)))
    }
}

#[tokio::test]
async fn each_refresh_token_is_good_once_and_a_second_use_ends_the_session() {
    let world = World::new().await;
    let ana = world.sign_up(EMAIL).await;
    let (_, first) = world.sign_in(EMAIL).await;
    let (_, elsewhere) = world.sign_in(EMAIL).await;
    world.wait(15 * MINUTE);
    let (token, second) = both(&world.refresh(&first).await.expect(200));
    world.get_with(&token, &format!("/v1/customers/{ana}")).await.expect(200);
    assert_ne!(first, second);

    world.wait(29);
    let (_, again) = both(&world.refresh(&first).await.expect(200));
    assert_eq!(again, second, "whoever missed the answer gets it again");
    let at_once = join_all((0..6).map(|_| world.refresh(&second))).await;
    let thirds: Vec<String> = at_once.into_iter().map(|answer| both(&answer.expect(200)).1).collect();
    assert!(thirds.iter().all(|third| *third == thirds[0] && *third != second));

    assert_eq!(world.refresh(&first).await.code(), (401, "unauthenticated"));
    for token in [&first, &second, &thirds[0]] {
        assert_eq!(world.refresh(token).await.code(), (401, "unauthenticated"), "the thief's, too");
    }
    world.refresh(&elsewhere).await.expect(200);
    assert!(crate::log::logged().contains("a refresh token was used twice"));
}

#[tokio::test]
async fn a_session_ends_by_itself_and_when_it_is_signed_out() {
    const DAY: i64 = 24 * 60 * MINUTE;
    let world = World::new().await;
    world.sign_up(EMAIL).await;
    let (_, idle) = world.sign_in(EMAIL).await;
    let (_, signed_out) = world.sign_in(EMAIL).await;
    let sign_out = async |token: &str| {
        world.send(Request::post("/v1/auth/sign-out"), Some(json!({"refresh_token": token}))).await.status
    };
    for token in [&signed_out, &signed_out, "frt_1", ""] {
        assert_eq!(sign_out(token).await, 204, "{token}");
    }
    assert_eq!(world.refresh(&signed_out).await.status, 401);
    world.wait(30 * DAY - 1);
    let (_, kept) = both(&world.refresh(&idle).await.expect(200));
    world.wait(30 * DAY);
    assert_eq!(world.refresh(&kept).await.status, 401);
    for unknown in ["", "frt_", "fat_operator", &kept.replace("frt_", "frt_0").replace('_', "__")] {
        assert_eq!(world.refresh(unknown).await.code(), (401, "unauthenticated"), "{unknown}");
    }
}

#[tokio::test]
async fn ten_devices_are_signed_in_at_most() {
    let world = World::new().await;
    let ana: CustomerId = world.sign_up(EMAIL).await.parse().unwrap();
    let mut tokens = Vec::new();
    for _ in 0..11 {
        tokens.push(world.sign_in(EMAIL).await.1);
        world.wait(1);
    }
    assert_eq!(world.table.store.access(ana).await.unwrap().sessions.len(), 10);
    assert_eq!(world.refresh(&tokens[0]).await.status, 401);
    world.refresh(&tokens[1]).await.expect(200);
}

#[tokio::test]
async fn a_rotated_key_keeps_nobody_out_and_a_key_rotated_away_lets_nobody_in() {
    let world = World::new().await;
    let path = format!("/v1/customers/{}", world.sign_up(EMAIL).await);
    let set = async || {
        let answer = world.send(Request::get("/.well-known/jwks.json"), None).await;
        assert_eq!(answer.header("cache-control"), "public, max-age=300");
        let set = answer.expect(200);
        set["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect::<Vec<_>>()
    };
    let (old, _) = world.sign_in(EMAIL).await;
    let first = set().await;
    assert_eq!(first.len(), 1);
    world.token_keys.rotate("second");
    let (new, _) = world.sign_in(EMAIL).await;
    assert_eq!(set().await[1..], first);
    for token in [&old, &new] {
        world.get_with(token, &path).await.expect(200);
    }
    world.token_keys.rotate("third");
    assert_eq!(world.get_with(&old, &path).await.status, 401);
    world.get_with(&new, &path).await.expect(200);
}

/// The rest of what may be forged has its tests where tokens are read.
#[tokio::test]
async fn a_token_of_somebody_elses_making_opens_nothing() {
    let world = World::new().await;
    let ana = world.sign_up(EMAIL).await;
    let path = format!("/v1/customers/{ana}");
    let (token, refresh_token) = world.sign_in(EMAIL).await;
    let claims = token.split('.').nth(1).unwrap();
    // {"alg":"none","typ":"at+jwt"}
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0";
    let other_key = Arc::new(RotatingKeys::default());
    other_key.rotate("other");
    other_key.rotate("another");
    let id: CustomerId = ana.parse().unwrap();
    let now = world.app.clock.now();
    let session = SessionId::new(id, now, 1);
    let issued = async |keys, issuer| Tokens::new(keys, issuer).issue(id, session, 1, now).await.unwrap();
    let same = issued(world.token_keys.clone(), ISSUER).await;
    world.get_with(&same, &path).await.expect(200);
    for forged in [
        format!("{none}.{claims}."),
        format!("{none}.{claims}.x"),
        issued(other_key, ISSUER).await,
        issued(world.token_keys.clone(), "https://other.example.com").await,
        refresh_token,
        "a.b.c".to_owned(),
        ".".to_owned(),
    ] {
        assert_eq!(world.get_with(&forged, &path).await.code(), (401, "unauthenticated"), "{forged}");
    }
}

#[tokio::test]
async fn a_new_password_ends_every_session_and_the_lock_out() {
    let world = World::new().await;
    let (ana, bia) = (world.sign_up(EMAIL).await, world.sign_up("bia@example.com").await);
    let (token, refresh_token) = world.sign_in(EMAIL).await;
    let new = json!({"current_password": PASSWORD, "password": "battery staple"});
    assert_eq!(world.set_password(&token, &bia, new.clone()).await.code(), (404, "not_found"));
    let service = world.service_key().await;
    assert_eq!(world.set_password(&service, &ana, new.clone()).await.code(), (403, "forbidden"));
    for (body, fault) in [
        (json!({"password": "battery staple"}), "current_password is required"),
        (
            json!({"current_password": "wrong horse", "password": "battery staple"}),
            "current_password is not the password",
        ),
        (
            json!({"current_password": PASSWORD, "password": "short"}),
            "password must have at least 8 characters",
        ),
    ] {
        assert_eq!(world.set_password(&token, &ana, body).await.faults(), [fault]);
    }
    assert_eq!(world.set_password(&token, &ana, new).await.status, 204);
    assert_eq!(world.refresh(&refresh_token).await.status, 401);
    assert_eq!(world.try_to_sign_in(EMAIL, PASSWORD).await.status, 401);
    world.try_to_sign_in(EMAIL, "battery staple").await.expect(200);

    // A stolen access token is no better for guessing than the front door.
    let wrong = json!({"current_password": "wrong horse", "password": "battery staple"});
    for _ in 0..5 {
        assert_eq!(world.set_password(&token, &ana, wrong.clone()).await.status, 422);
    }
    let waits = world.set_password(&token, &ana, wrong).await;
    assert_eq!((waits.code(), waits.header("retry-after")), ((429, "rate_limited"), "1"));
    assert_eq!(world.try_to_sign_in(EMAIL, "battery staple").await.status, 429);
    let operator = crate::world::OPERATOR;
    assert_eq!(world.set_password(operator, &ana, json!({"password": PASSWORD})).await.status, 204);
    world.sign_in(EMAIL).await;

    let nobody = CustomerId::new(99).to_string();
    let answer = world.set_password(operator, &nobody, json!({"password": PASSWORD})).await;
    assert_eq!(answer.code(), (404, "not_found"));
    let plain = world.customer().await;
    assert_eq!(world.set_password(operator, &plain, json!({"password": PASSWORD})).await.status, 204);
}
