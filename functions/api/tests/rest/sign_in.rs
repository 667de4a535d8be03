//! Customers sign in, stay signed in and sign out; and those who aren't customers, or no longer, don't.

use crate::world::{Answer, World};
use fatura_application::ports::{SignIns, Store};
use fatura_application::sign_in::{AccessChange, TriesOf};
use fatura_application::{Change, ChangeSet};
use fatura_domain::sign_in::Tries;
use futures::future::join_all;
use http::{Method, Request, header};
use serde_json::{Value, json};

pub(crate) const EMAIL: &str = "ana@example.com";
pub(crate) const PASSWORD: &str = "correct horse";
pub(crate) const MINUTE: i64 = 60;

impl World {
    /// A customer who can sign in.
    pub(crate) async fn sign_up(&self, email: &str) -> String {
        let body = json!({"name": "Ana Souza", "email": email, "password": PASSWORD});
        self.post("/v1/customers", body).await.created()
    }

    pub(crate) async fn try_to_sign_in(&self, email: &str, password: &str) -> Answer {
        let request = Request::post("/v1/auth");
        self.send(request, Some(json!({"email": email, "password": password}))).await
    }

    /// An access token and a refresh token.
    pub(crate) async fn sign_in(&self, email: &str) -> (String, String) {
        both(&self.try_to_sign_in(email, PASSWORD).await.expect(200))
    }

    pub(crate) async fn refresh(&self, token: &str) -> Answer {
        self.send(Request::post("/v1/auth/refresh"), Some(json!({"refresh_token": token}))).await
    }

    pub(crate) async fn get_with(&self, token: &str, path: &str) -> Answer {
        self.send(with(token, Method::GET, path), None).await
    }

    pub(crate) async fn set_password(&self, token: &str, customer: &str, body: Value) -> Answer {
        let path = format!("/v1/customers/{customer}/password");
        self.send(with(token, Method::PUT, &path), Some(body)).await
    }
}

pub(crate) fn with(token: &str, method: Method, path: &str) -> http::request::Builder {
    Request::builder().method(method).uri(path).header(header::AUTHORIZATION, format!("Bearer {token}"))
}

pub(crate) fn both(granted: &Value) -> (String, String) {
    let text = |name: &str| granted[name].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

#[tokio::test]
async fn a_customer_signs_in_and_sees_what_is_the_customers_own() {
    let world = World::new().await;
    let (ana, bia) = (world.sign_up(EMAIL).await, world.sign_up("bia@example.com").await);
    let answer = world.try_to_sign_in("ANA@example.com", PASSWORD).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let granted = answer.expect(200);
    assert_eq!((&granted["token_type"], &granted["expires_in"]), (&json!("Bearer"), &json!(900)));
    let (token, _) = both(&granted);
    let own = world.get_with(&token, &format!("/v1/customers/{ana}")).await.expect(200);
    assert_eq!(own["email"], EMAIL);
    let others = world.get_with(&token, &format!("/v1/customers/{bia}")).await;
    assert_eq!(others.code(), (404, "not_found"));
    assert_eq!(world.get_with(&token, "/v1/gateways").await.code(), (403, "forbidden"));
    world.wait(15 * MINUTE - 1);
    world.get_with(&token, &format!("/v1/customers/{ana}")).await.expect(200);
    world.wait(1);
    let late = world.get_with(&token, &format!("/v1/customers/{ana}")).await;
    assert_eq!(late.code(), (401, "unauthenticated"));
}

/// The time is what is done: the same questions to the table and the same hashing, which has a test of its own.
#[tokio::test]
async fn whatever_is_wrong_the_answer_is_the_same_and_costs_the_same() {
    let world = World::new().await;
    world.sign_up(EMAIL).await;
    world.post("/v1/customers", json!({"name": "Bia", "email": "bia@example.com"})).await.created();
    let mut answers = Vec::new();
    for (email, password) in [
        (EMAIL, "wrong horse"),
        ("nobody@example.com", PASSWORD),
        ("bia@example.com", PASSWORD),
        (EMAIL, "short"),
        (EMAIL, &"long".repeat(100)),
    ] {
        let before = world.table.store.meter().reading();
        let mut answer = world.try_to_sign_in(email, password).await;
        let cost = world.table.store.meter().reading().since(before);
        assert_eq!(answer.code(), (401, "unauthenticated"), "{email} {password}");
        answer.body["request_id"] = Value::Null;
        answer.headers.remove("x-request-id");
        let headers = format!("{:?}", answer.headers);
        answers.push((answer.body, headers, cost.calls, cost.write_tenths));
    }
    for answer in &answers {
        assert_eq!(answer, &answers[0]);
    }
    assert_eq!(world.try_to_sign_in("not an address", PASSWORD).await.body["detail"], answers[0].0["detail"]);
}

#[tokio::test]
async fn after_five_failures_the_next_try_waits_and_isnt_looked_at() {
    let world = World::new().await;
    world.sign_up(EMAIL).await;
    for email in [EMAIL, "nobody@example.com"] {
        for _ in 0..5 {
            assert_eq!(world.try_to_sign_in(email, "wrong horse").await.status, 401);
        }
        let early = world.try_to_sign_in(email, PASSWORD).await;
        assert_eq!(early.code(), (429, "rate_limited"), "as for anybody");
        assert_eq!(early.header("retry-after"), "1");
    }
    world.wait(1);
    assert_eq!(world.try_to_sign_in(EMAIL, "wrong horse").await.status, 401);
    assert_eq!(world.try_to_sign_in(EMAIL, PASSWORD).await.header("retry-after"), "2");
    world.wait(2);
    world.sign_in(EMAIL).await;
    assert_eq!(world.try_to_sign_in(EMAIL, "wrong horse").await.status, 401, "counted from none again");
    world.sign_in(EMAIL).await;
}

#[tokio::test]
async fn many_guesses_at_once_are_no_more_than_one_after_the_other() {
    let world = World::new().await;
    world.sign_up(EMAIL).await;
    let guesses = (0..25).map(|_| world.try_to_sign_in(EMAIL, "wrong horse"));
    let answers = join_all(guesses).await;
    let looked_at = answers.iter().filter(|answer| answer.status == 401).count();
    assert!((1..=5).contains(&looked_at), "{looked_at}");
    assert!(answers.iter().all(|answer| matches!(answer.status, 401 | 429)));
}

#[tokio::test]
async fn an_address_that_fails_everywhere_waits_everywhere() {
    let world = World::new().await;
    world.sign_up(EMAIL).await;
    let ip = |text: &str| Some(text.parse().unwrap());
    let (bad, good) = (ip("192.0.2.1"), ip("192.0.2.2"));
    let failed = Tries { failures: 100, last_at: world.app.clock.now(), version: 1 };
    let of = TriesOf::address(bad);
    let change = Change::Access(AccessChange::TriesChanged { of: of.clone(), tries: failed });
    world.table.store.commit(ChangeSet::of([change])).await.unwrap();
    assert!(world.sign_in.sign_in(EMAIL, PASSWORD, bad).await.is_err());
    world.sign_in.sign_in(EMAIL, PASSWORD, good).await.unwrap();
    world.wait(1);
    world.sign_in.sign_in(EMAIL, PASSWORD, bad).await.unwrap();
    let left = world.table.store.tries(&of).await.unwrap();
    assert_eq!(left.failures, 100, "who signs in to one's own account wins no guesses at others'");
}

/// As API Gateway says it. What a header says of it anybody can say.
#[tokio::test]
async fn an_address_is_the_one_that_api_gateway_saw() {
    let world = World::new().await;
    let event = include_str!("../../../../events/auth-sign-in.json");
    let request = lambda_http::request::from_str(event).unwrap();
    assert_eq!(auth::handle(&world.sign_in, request).await.status(), 401);
    let failures = async |address: Option<&str>| {
        let of = TriesOf::address(address.map(|address| address.parse().unwrap()));
        world.table.store.tries(&of).await.unwrap().failures
    };
    assert_eq!(failures(Some("198.51.100.7")).await, 1);
    assert_eq!((failures(Some("203.0.113.9")).await, failures(None).await), (0, 0));
}

#[tokio::test]
async fn a_password_is_nowhere_to_be_found_afterwards() {
    let world = World::new().await;
    let body = |password: &str| json!({"name": "Ana", "email": EMAIL, "password": password});
    let created = world.post_as("k", "/v1/customers", body(PASSWORD)).await;
    assert!(!created.text.contains("horse") && !created.text.contains("argon2"), "{}", created.text);
    let created = created.expect(201);
    let replayed = world.post_as("k", "/v1/customers", body("another horse")).await;
    assert_eq!(
        replayed.header("idempotent-replayed"),
        "true",
        "what is kept doesn't tell one from the other"
    );
    assert_eq!(replayed.expect(201), created);
    let named = json!({"name": "Bia", "email": EMAIL, "password": PASSWORD});
    assert_eq!(world.post_as("k", "/v1/customers", named).await.code(), (422, "idempotency_key_reused"));
    assert_eq!(world.try_to_sign_in(EMAIL, "another horse").await.status, 401);
    let (token, refresh_token) = world.sign_in(EMAIL).await;
    world.refresh(&refresh_token).await.expect(200);

    let items = world.table.client.scan().table_name(fatura_testkit::TestTable::name());
    let items = format!("{:?}", items.send().await.unwrap().items);
    let secret = refresh_token.rsplit('_').next().unwrap();
    for hidden in ["horse", &token, secret] {
        assert!(!items.contains(hidden) && !crate::log::logged().contains(hidden), "{hidden}");
    }
    assert!(!crate::log::logged().contains(EMAIL));
}

#[tokio::test]
async fn what_is_not_a_request_is_said_so_and_counts_for_nothing() {
    let world = World::new().await;
    for (body, code) in [
        ("", (400, "malformed_json")),
        ("{", (400, "malformed_json")),
        (r#"{"email": "a", "email": "b", "password": "c"}"#, (400, "malformed_json")),
        ("[]", (422, "invalid_argument")),
        (&"x".repeat(5_000), (413, "payload_too_large")),
    ] {
        let request = Request::post("/v1/auth").header(header::CONTENT_TYPE, "application/json");
        let answer = world.send_raw(request.body(axum::body::Body::from(body.to_owned())).unwrap()).await;
        assert_eq!(answer.code(), code, "{body:.50}");
    }
    let untyped = Request::post("/v1/auth").body(axum::body::Body::from("{}")).unwrap();
    assert_eq!(world.send_raw(untyped).await.code(), (415, "unsupported_media_type"));
    let body = json!({"email": 12_345_678, "correct horse": 1, "remember": true});
    let faults = world.send(Request::post("/v1/auth"), Some(body)).await;
    assert!(!faults.text.contains("horse") && !faults.text.contains("12345678"), "{}", faults.text);
    let mut faults = faults.faults();
    faults.sort_unstable();
    assert_eq!(
        faults,
        [
            "(a member) is not a member of this request",
            "email must be text",
            "password is required",
            "remember is not a member of this request",
        ]
    );
    let tries = world.table.store.tries(&TriesOf::address(None)).await.unwrap();
    assert_eq!(tries, Tries::NONE);
    let wrong_method = Request::get("/v1/auth").body(lambda_http::Body::Empty).unwrap();
    let answer = auth::handle(&world.sign_in, wrong_method).await;
    assert_eq!((answer.status().as_u16(), answer.headers()["allow"].to_str().unwrap()), (405, "POST"));
    let unknown = Request::post("/v1/auth/x").body(lambda_http::Body::Empty).unwrap();
    assert_eq!(auth::handle(&world.sign_in, unknown).await.status(), 404);
}

#[tokio::test]
async fn without_the_table_nobody_is_refused_who_might_be_right() {
    let world = World::without_database().await;
    let answer = world.try_to_sign_in(EMAIL, PASSWORD).await;
    assert_eq!((answer.code(), answer.header("retry-after")), ((503, "unavailable"), "2"));
}

/// What signing in asks of the table. The hashing is the rest, and takes longer.
#[tokio::test]
async fn signing_in_is_a_few_questions() {
    let world = World::new().await;
    world.sign_up(EMAIL).await;
    let before = world.table.store.meter().reading();
    let (_, refresh_token) = world.sign_in(EMAIL).await;
    let cost = world.table.store.meter().reading().since(before);
    assert_eq!((cost.calls, cost.write_units()), (8, 9));
    let before = world.table.store.meter().reading();
    world.refresh(&refresh_token).await.expect(200);
    let cost = world.table.store.meter().reading().since(before);
    assert_eq!((cost.calls, cost.write_units()), (2, 1));
}
