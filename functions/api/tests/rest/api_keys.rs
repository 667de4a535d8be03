use crate::world::World;
use http::{Method, Request, header};
use serde_json::{Value, json};

#[tokio::test]
async fn a_key_is_shown_once_and_works_until_it_is_revoked() {
    let world = World::new().await;
    let body = json!({"role": "service", "name": "shop"});
    let made = world.post_as("k", "/v1/api-keys", body.clone()).await;
    let key = made.body["key"].as_str().unwrap().to_owned();
    let made = made.expect(201);
    let replayed = world.post_as("k", "/v1/api-keys", body).await;
    assert_eq!(replayed.header("idempotent-replayed"), "true");
    let replayed = replayed.expect(201);
    assert_eq!((&replayed["id"], &replayed["key"]), (&made["id"], &Value::Null));
    let list = world.get("/v1/api-keys").await;
    assert!(!list.text.contains(&key), "{}", list.text);
    assert_eq!(list.expect(200)["data"][0]["name"], "shop");

    let as_service = |method: Method, path: &str| {
        Request::builder().method(method).uri(path).header(header::AUTHORIZATION, format!("Bearer {key}"))
    };
    let body = json!({"name": "Bia", "email": "bia@example.com"});
    let create = as_service(Method::POST, "/v1/customers").header("Idempotency-Key", "k");
    let customer = world.send(create, Some(body)).await.created();
    world.send(as_service(Method::GET, &format!("/v1/customers/{customer}")), None).await.expect(200);
    for path in ["/v1/invoices?status=paid", "/v1/api-keys"] {
        assert_eq!(
            world.send(as_service(Method::GET, path), None).await.code(),
            (403, "forbidden"),
            "{path}"
        );
    }
    let path = format!("/v1/api-keys/{}", made["id"].as_str().unwrap());
    assert_eq!(world.delete(&path).await.status, 204);
    assert_eq!(world.delete(&path).await.status, 204, "revoking twice is revoking once");
    assert_eq!(world.delete("/v1/api-keys/key_1").await.code(), (404, "not_found"));
    world.wait(31);
    let late = world.send(as_service(Method::GET, "/v1/invoices?status=paid"), None).await;
    assert_eq!(late.code(), (401, "unauthenticated"));

    let bad = world.post("/v1/api-keys", json!({"role": "god", "scope": 1})).await;
    assert_eq!(
        bad.faults(),
        ["role must be one of: operator, service", "scope is not a member of this request"]
    );
}
