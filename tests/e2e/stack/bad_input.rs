//! Whatever is sent, the answer is clear, names every fault, and is never a 500.

use crate::client::{Shop, id, shared, unique};
use reqwest::Method;
use serde_json::{Value, json};

async fn raw(shop: &Shop, path: &str, body: &str) -> (u16, Value) {
    let request = shop.request(Method::POST, path).header("Idempotency-Key", unique("key"));
    let answer = shop.send(request.header("Content-Type", "application/json").body(body.to_owned())).await;
    (answer.status, answer.body)
}

fn fields(body: &Value) -> Vec<&str> {
    body["details"]["errors"]
        .as_array()
        .map(|e| e.iter().filter_map(|e| e["field"].as_str()).collect())
        .unwrap_or_default()
}

#[tokio::test]
async fn every_fault_is_named_at_once() {
    let (shop, _stack) = shared().await;
    let customer = shop.customer().await;
    let body = json!({
        "customer_id": customer, "currency": "BRLX", "status": "paid",
        "items": [{ "description": "", "quantity": 0, "unit_prize": "1.00" }],
    });
    let answer = shop.post("/v1/invoices", body).await;
    assert_eq!((answer.status, answer.code()), (422, "invalid_argument"), "{}", answer.body);
    let mut named = fields(&answer.body);
    named.sort_unstable();
    assert_eq!(
        named,
        [
            "currency",
            "items[0].description",
            "items[0].quantity",
            "items[0].unit_price",
            "items[0].unit_prize",
            "status"
        ]
    );
}

#[tokio::test]
async fn amounts_are_exact_or_refused() {
    let (shop, _stack) = shared().await;
    let customer = shop.customer().await;
    for (quantity, price) in [
        ("-1", "\"1.00\""),
        ("0", "\"1.00\""),
        ("1e30", "\"1.00\""),
        ("\"NaN\"", "\"1.00\""),
        ("1", "\"NaN\""),
        ("1", "-0.01"),
        ("1", "1e30"),
        ("1", "\"1e999999999\""),
        ("1", "\"90071992547409.92\""),
        ("1", "\"0.0000000000001\""),
        ("1", "null"),
        ("true", "\"1.00\""),
    ] {
        let body = format!(
            r#"{{"customer_id":"{customer}","currency":"BRL","items":[{{"description":"a","quantity":{quantity},"unit_price":{price}}}]}}"#
        );
        let (status, answer) = raw(&shop, "/v1/invoices", &body).await;
        assert_eq!(
            (status, &answer["code"]),
            (422, &json!("invalid_argument")),
            "{quantity} × {price}: {answer}"
        );
    }
    let filter = format!("/v1/customers/{customer}/transactions?min_amount=1.005&currency=BRL");
    assert_eq!(shop.get(&filter).await.status, 422, "three decimals in BRL");
}

#[tokio::test]
async fn what_is_not_a_request_is_said_so() {
    let (shop, _stack) = shared().await;
    let customer = shop.customer().await;
    for body in ["{", "", "{\"a\":NaN}", "[1,2", "\u{0}"] {
        let (status, answer) = raw(&shop, "/v1/invoices", body).await;
        assert_eq!((status, &answer["code"]), (400, &json!("malformed_json")), "{body:?}: {answer}");
    }
    let items: Vec<Value> =
        (0..101).map(|_| json!({ "description": "a", "quantity": 1, "unit_price": "1" })).collect();
    let body = json!({ "customer_id": customer, "currency": "BRL", "items": items });
    assert_eq!(shop.post("/v1/invoices", body).await.status, 422, "101 items");

    let body = json!({ "customer_id": customer, "description": "x".repeat(300 * 1024) }).to_string();
    let (status, answer) = raw(&shop, "/v1/invoices", &body).await;
    assert_eq!((status, &answer["code"]), (413, &json!("payload_too_large")), "{answer}");

    let request =
        shop.request(Method::POST, "/v1/customers").json(&json!({ "name": "a", "email": "a@example.com" }));
    let answer = shop.send(request).await;
    assert_eq!((answer.status, answer.code()), (400, "idempotency_key_missing"));

    let request = shop.request(Method::POST, "/v1/customers").header("Idempotency-Key", unique("key"));
    let answer = shop.send(request.header("Content-Type", "text/plain").body("{}")).await;
    assert_eq!(answer.status, 415);

    assert_eq!(shop.get("/v1/nothing").await.code(), "not_found");
    assert_eq!(shop.send(shop.request(Method::DELETE, "/v1/invoices")).await.status, 405);
    assert_eq!(shop.get("/v1/invoices?status=paid&cursor=AAAA").await.code(), "invalid_cursor");
}

#[tokio::test]
async fn nobody_and_somebody_else_see_nothing() {
    let (shop, _stack) = shared().await;
    for token in ["", "fat_wrong", "Bearer"] {
        let answer = shop.send(shop.request(Method::GET, "/v1/invoices/inv_1").bearer_auth(token)).await;
        assert_eq!(answer.status, 401, "two credentials or a wrong one: {}", answer.body);
    }
    let nobody = reqwest::get(format!("{}/v1/customers", shop.api)).await.unwrap();
    assert!([401, 405].contains(&nobody.status().as_u16()));

    let (own, other) = (shop.payer("tok_visa").await, shop.customer().await);
    let theirs = shop.card(&other, "tok_visa").await;
    let invoice = shop.invoice(&own).await;
    let answer =
        shop.post(&format!("/v1/invoices/{invoice}/charge"), json!({ "payment_method_id": theirs })).await;
    assert_eq!((answer.status, answer.code()), (422, "invalid_argument"));
    assert_eq!(shop.get(&format!("/v1/customers/{own}/payment-methods/{theirs}")).await.status, 404);
    assert_eq!(shop.show(&invoice).await["status"], "draft", "nothing happened");

    let unknown = shop
        .post(
            "/v1/invoices",
            json!({
                "customer_id": "cus_000000000000", "currency": "BRL",
                "items": [{ "description": "a", "quantity": 1, "unit_price": "1.00" }],
            }),
        )
        .await;
    assert_eq!((unknown.status, unknown.code()), (404, "not_found"));
}

#[tokio::test]
async fn a_card_number_is_refused_wherever_it_is() {
    let (shop, _stack) = shared().await;
    let path = format!("/v1/customers/{}/payment-methods", shop.customer().await);
    for body in [
        json!({ "type": "credit_card", "token": "4111111111111111" }),
        json!({ "type": "credit_card", "token": "tok_visa", "brand": "4111 1111 1111 1111" }),
        json!({ "type": "pix", "key": "4111-1111-1111-1111" }),
    ] {
        let answer = shop.post(&path, body).await;
        assert_eq!((answer.status, answer.code()), (422, "invalid_argument"));
        assert!(!answer.body.to_string().contains("1111"), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_service_may_charge_but_not_look_at_everybody() {
    let (shop, _stack) = shared().await;
    let made = shop.post("/v1/api-keys", json!({ "role": "service", "name": "shop" })).await.expect(201);
    let key = made["key"].as_str().unwrap().to_owned();
    let as_service = |method, path: &str| {
        reqwest::Client::new().request(method, format!("{}{path}", shop.api)).bearer_auth(&key)
    };
    let listing = as_service(Method::GET, "/v1/invoices?status=paid").send().await.unwrap();
    assert_eq!(listing.status(), 403);
    let body = json!({ "name": "Bia", "email": format!("{}@example.com", unique("bia")) });
    let request =
        as_service(Method::POST, "/v1/customers").header("Idempotency-Key", unique("key")).json(&body);
    assert_eq!(request.send().await.unwrap().status(), 201);
    assert_eq!(
        shop.send(shop.request(Method::DELETE, &format!("/v1/api-keys/{}", id(&made)))).await.status,
        204
    );
}
