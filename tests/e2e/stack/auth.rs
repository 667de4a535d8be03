//! A customer's own story: signing in at the deployed stack, staying signed in, and what others can't do in the
//! customer's name.

use crate::aws::rotate_token_key;
use crate::client::{Answer, Shop, alone, id, shared, unique};
use reqwest::Method;
use serde_json::{Value, json};

/// What the check of the logs looks for.
const PASSWORD: &str = "correct horse";
const OTHER_PASSWORD: &str = "battery staple";

async fn signed_up(shop: &Shop) -> (String, String) {
    let email = format!("{}@example.com", unique("ana"));
    let body = json!({ "name": "Ana Souza", "email": email, "password": PASSWORD });
    (id(&shop.post("/v1/customers", body).await.expect(201)), email)
}

/// Without anybody's key.
async fn tell(shop: &Shop, path: &str, body: Value) -> Answer {
    shop.send(shop.anonymous(Method::POST, path).json(&body)).await
}

async fn try_to_sign_in(shop: &Shop, email: &str, password: &str) -> Answer {
    tell(shop, "/v1/auth", json!({ "email": email, "password": password })).await
}

fn tokens(granted: &Value) -> (String, String) {
    let text = |name: &str| granted[name].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

async fn get_with(shop: &Shop, token: &str, path: &str) -> Answer {
    shop.send(shop.anonymous(Method::GET, path).bearer_auth(token)).await
}

#[tokio::test]
async fn a_customer_signs_in_pays_and_signs_out() {
    let (shop, _stack) = shared().await;
    let (customer, email) = signed_up(&shop).await;
    shop.card(&customer, "tok_visa").await;
    let invoice = shop.invoice(&customer).await;
    let granted = try_to_sign_in(&shop, &email, PASSWORD).await.expect(200);
    assert_eq!((&granted["token_type"], &granted["expires_in"]), (&json!("Bearer"), &json!(900)));
    let (token, refresh_token) = tokens(&granted);

    let own = get_with(&shop, &token, &format!("/v1/invoices/{invoice}")).await.expect(200);
    assert_eq!(own["total"], json!({ "amount": "122.05", "currency": "BRL" }));
    let charge = shop.anonymous(Method::POST, &format!("/v1/invoices/{invoice}/charge")).bearer_auth(&token);
    shop.send(charge.header("Idempotency-Key", unique("key")).json(&json!({}))).await.expect(202);
    shop.assert_paid_once(&invoice).await;

    let others = shop.invoice(&shop.customer().await).await;
    assert_eq!(get_with(&shop, &token, &format!("/v1/invoices/{others}")).await.status, 404);
    assert_eq!(get_with(&shop, &token, "/v1/gateways").await.status, 403);

    let sign_out = tell(&shop, "/v1/auth/sign-out", json!({ "refresh_token": refresh_token })).await;
    assert_eq!(sign_out.status, 204);
    let gone = tell(&shop, "/v1/auth/refresh", json!({ "refresh_token": refresh_token })).await;
    assert_eq!((gone.status, gone.code()), (401, "unauthenticated"));
}

#[tokio::test]
async fn nobody_learns_who_is_a_customer_and_guessing_takes_ever_longer() {
    let (shop, _stack) = shared().await;
    let (customer, email) = signed_up(&shop).await;
    let nobody = format!("{}@example.com", unique("nobody"));
    let mut answers = Vec::new();
    for email in [&email, &nobody] {
        for _ in 0..5 {
            let mut answer = try_to_sign_in(&shop, email, OTHER_PASSWORD).await;
            answer.body["request_id"] = Value::Null;
            answers.push((answer.status, answer.body));
        }
        // As long as the first wait, a second, is not over: which a slow machine may spend on the way here.
        let early = try_to_sign_in(&shop, email, OTHER_PASSWORD).await;
        assert!(matches!(early.status, 429 | 401), "{}", early.body);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0] && answer.0 == 401), "{answers:?}");

    let path = format!("/v1/customers/{customer}/password");
    assert_eq!(shop.put(&path, json!({ "password": OTHER_PASSWORD })).await.status, 204);
    try_to_sign_in(&shop, &email, OTHER_PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_refresh_token_gives_one_successor_however_often_it_is_sent_at_once() {
    let (shop, _stack) = shared().await;
    let (customer, email) = signed_up(&shop).await;
    let (_, first) = tokens(&try_to_sign_in(&shop, &email, PASSWORD).await.expect(200));
    let at_once = (0..4).map(|_| tell(&shop, "/v1/auth/refresh", json!({ "refresh_token": first })));
    let granted = futures::future::join_all(at_once).await;
    let granted: Vec<_> = granted.into_iter().map(|answer| tokens(&answer.expect(200))).collect();
    assert!(granted.iter().all(|(_, next)| *next == granted[0].1 && *next != first));
    get_with(&shop, &granted[0].0, &format!("/v1/customers/{customer}")).await.expect(200);
    let third = tell(&shop, "/v1/auth/refresh", json!({ "refresh_token": granted[0].1 })).await;
    let (_, third) = tokens(&third.expect(200));
    // The first was used before the second: whoever sends it now has it from somebody.
    for token in [&first, &third] {
        let refused = tell(&shop, "/v1/auth/refresh", json!({ "refresh_token": token })).await;
        assert_eq!(refused.status, 401, "the session is over for both");
    }
}

#[tokio::test]
async fn a_rotated_key_signs_out_nobody() {
    let (shop, _stack) = alone().await;
    let (customer, email) = signed_up(&shop).await;
    let path = format!("/v1/customers/{customer}");
    let (before, refresh_token) = tokens(&try_to_sign_in(&shop, &email, PASSWORD).await.expect(200));
    rotate_token_key().await;
    get_with(&shop, &before, &path).await.expect(200);
    let renewed = tell(&shop, "/v1/auth/refresh", json!({ "refresh_token": refresh_token })).await;
    let (after, _) = tokens(&renewed.expect(200));
    get_with(&shop, &after, &path).await.expect(200);
    let keys = shop.send(shop.anonymous(Method::GET, "/.well-known/jwks.json")).await.expect(200);
    assert!((1..=2).contains(&keys["keys"].as_array().unwrap().len()), "{keys}");
}
