use crate::bills::month;
use crate::log::logged;
use crate::world::{OPERATOR, World, attempt_of, plan};
use http::{Method, Request, header};
use serde_json::{Value, json};

const KEY: &str = "Idempotency-Key";

#[tokio::test]
async fn nobody_gets_nothing() {
    let world = World::new().await;
    for credentials in [
        vec![],
        vec!["Bearer fat_wrong"],
        vec!["Bearer"],
        vec!["Bearer "],
        vec!["Basic YTpi"],
        vec!["Bearer fat_operator", "Bearer fat_wrong"],
    ] {
        let mut request = Request::get("/v1/invoices/inv_1");
        for one in &credentials {
            request = request.header(header::AUTHORIZATION, *one);
        }
        let answer = world.send(request, None).await;
        assert_eq!(answer.code(), (401, "unauthenticated"), "{credentials:?}");
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"fatura\"");
        assert!(!answer.text.contains("fat_"), "{}", answer.text);
    }
    let request =
        Request::get("/v1/invoices/inv_1").header(header::AUTHORIZATION, format!("bearer {OPERATOR}"));
    assert_eq!(
        world.send(request, None).await.code(),
        (404, "not_found"),
        "the scheme's case is nothing to us"
    );
}

#[tokio::test]
async fn what_is_not_there_is_said_so() {
    let world = World::new().await;
    for path in [
        "/",
        "/v1",
        "/v2/invoices",
        "/v1/invoices/",
        "/v1/invoices/inv_1",
        "/v1/customers/cus_%FF",
        "/v1/customers/external:",
        "/v1/customers/cus_000000000000",
        "/v1/invoices/inv_0000000000000000000000000000",
        "/v1/invoices/inv_0000000000000000000000000000/history",
        "/v1/invoices/inv_0000000000000000000000000000/disputes",
        "/v1/bills/bill_1",
        "/v1/bills/bill_0000000000000000000000000000",
        "/v1/bills/bill_0000000000000000000000000000/line-items",
        "/v1/bills/bill_0000000000000000000000000000/export",
        "/v1/attention/atn_1",
        "/v1/attention/att_1",
        "/v1/billing-runs/run_202611",
        "/v1/requeues/run_202611",
        "/v1/reconciliations/run_202611",
        "/v1/reconciliations/run_202611/differences",
        "/health/",
    ] {
        let answer = world.get(path).await;
        assert_eq!(answer.code(), (404, "not_found"), "{path}");
        assert_eq!(answer.body["type"], "urn:fatura:problem:not_found");
    }
    let answer = world.delete("/v1/invoices").await;
    assert_eq!(answer.code(), (405, "method_not_allowed"));
    assert_eq!(answer.header("allow"), "POST,GET,HEAD");
    assert_eq!(world.get("/v1/customers").await.header("allow"), "POST");
}

#[tokio::test]
async fn a_path_that_is_cut_short_is_not_a_request_for_what_is_left_of_it() {
    let world = World::new().await;
    let customer = world.customer().await;
    for ending in ["?/payment-methods", "#/payment-methods"] {
        let left = format!("/v1/customers/{customer}");
        let whole = lambda_http::request::LambdaRequest::ApiGatewayV2(decoded(&format!("{left}{ending}")));
        let mut request: http::Request<_> = whole.into();
        assert_eq!(request.uri().path(), left, "this is what API Gateway's decoding does");
        let bearer = format!("Bearer {OPERATOR}").parse().unwrap();
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
        let request = request.map(|_| axum::body::Body::empty());
        assert_eq!(world.send_raw(request).await.code(), (404, "not_found"), "{ending}");
    }
}

/// A GET as API Gateway tells it, whose path has been decoded.
fn decoded(path: &str) -> lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest {
    serde_json::from_value(json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {},
        "requestContext": {"stage": "$default", "http": {"method": "GET", "path": path}},
        "isBase64Encoded": false
    }))
    .unwrap()
}

#[tokio::test]
async fn what_is_not_a_request_is_said_so() {
    let world = World::new().await;
    let raw = async |body: &str, content_type: &str| {
        let request = world.request(Method::POST, "/v1/customers").header(KEY, "k");
        let request =
            request.header(header::CONTENT_TYPE, content_type).body(body.to_owned().into()).unwrap();
        world.send_raw(request).await
    };
    for body in [
        "{",
        "",
        "{\"a\":NaN}",
        "[1,2",
        "\u{0}",
        "{}{}",
        "{\"name\":\"a\",\"name\":\"b\"}",
        "{\"a\":\"\u{1}\"}",
    ] {
        assert_eq!(raw(body, "application/json").await.code(), (400, "malformed_json"), "{body:?}");
    }
    let deep = "[".repeat(10_000);
    assert_eq!(raw(&deep, "application/json").await.code(), (400, "malformed_json"));
    for body in ["[]", "\"x\"", "1", "null"] {
        assert_eq!(raw(body, "application/json; charset=utf-8").await.faults(), ["body must be an object"]);
    }
    for content_type in ["text/plain", "", "application/x-www-form-urlencoded", "application/jsonx"] {
        assert_eq!(raw("{}", content_type).await.code(), (415, "unsupported_media_type"), "{content_type}");
    }
    let large = json!({"name": "x".repeat(300 * 1024)}).to_string();
    assert_eq!(raw(&large, "application/json").await.code(), (413, "payload_too_large"));
    let mistakes: serde_json::Map<_, _> = (0..20_000).map(|n| (format!("m{n}"), json!(0))).collect();
    let many = world.post("/v1/customers", mistakes.into()).await;
    assert_eq!(many.faults().len(), 1_000, "all that is bearable");
}

#[tokio::test]
async fn a_key_is_required_where_something_happens() {
    let world = World::new().await;
    let customer = world.payer().await;
    let invoice = world.invoice(&customer).await;
    let bill = world.bill(month(&customer)).await;
    for path in [
        "/v1/customers".to_owned(),
        "/v1/invoices".to_owned(),
        "/v1/api-keys".to_owned(),
        format!("/v1/customers/{customer}/payment-methods"),
        format!("/v1/invoices/{invoice}/charge"),
        format!("/v1/invoices/{invoice}/requeue"),
        format!("/v1/invoices/{invoice}/contest"),
        format!("/v1/attempts/{}/resolve", attempt_of(&invoice, 1)),
        "/v1/bills".to_owned(),
        format!("/v1/bills/{bill}/line-items"),
        format!("/v1/bills/{bill}/close"),
        format!("/v1/bills/{bill}/cancel"),
        format!("/v1/bills/{bill}/forgo-rates"),
        "/v1/billing-runs".to_owned(),
        "/v1/requeues".to_owned(),
        "/v1/reconciliations".to_owned(),
    ] {
        for request in
            [world.request(Method::POST, &path), world.request(Method::POST, &path).header(KEY, "")]
        {
            let answer = world.send(request, Some(json!({}))).await;
            assert_eq!(answer.code(), (400, "idempotency_key_missing"), "{path}");
        }
        let long = "k".repeat(256);
        for key in ["two words", long.as_str()] {
            let request = world.request(Method::POST, &path).header(KEY, key);
            let faults = world.send(request, Some(json!({}))).await.faults();
            assert_eq!(faults, ["Idempotency-Key must be one value of 1 to 255 visible ASCII characters"]);
        }
    }
}

#[tokio::test]
async fn a_failing_database_is_not_the_clients_fault() {
    let world = World::without_database().await;
    let answer = world.post("/v1/invoices", plan("cus_000000000000")).await;
    assert_eq!((answer.code(), answer.header("retry-after")), ((503, "unavailable"), "2"));
    assert!(!answer.text.contains("127.0.0.1") && !answer.text.contains("fatura\""), "{}", answer.text);
    assert_eq!(world.get("/health").await.expect(200)["status"], "ok", "which asks nobody");
}

#[tokio::test]
async fn a_failing_queue_is_not_even_noticed() {
    let world = World::new().await;
    let invoice = world.invoice(&world.payer().await).await;
    world.queue.set_down(true);
    assert_eq!(world.charge(&invoice).await.status, 202, "the sweep will find it");
}

#[tokio::test]
async fn a_panic_is_an_answer_that_tells_nothing() {
    let world = World::new().await;
    world.gateway.panics();
    let path = format!("/v1/customers/{}/payment-methods", world.customer().await);
    let answer = world.post(&path, json!({"type": "credit_card", "token": "tok_visa"})).await;
    assert_eq!(answer.code(), (500, "internal"));
    assert!(!answer.text.contains("secret"), "{}", answer.text);
}

#[tokio::test]
async fn the_requests_id_comes_from_whoever_has_one() {
    let world = World::new().await;
    let id = async |given: &str| {
        let request = Request::get("/health").header("x-amzn-request-id", given);
        world.send(request, None).await.header("x-request-id").to_owned()
    };
    assert_eq!(id("4f7ff7b6-1d0d-4bbb-8c5e-5d3c0c3dcb3f").await, "4f7ff7b6-1d0d-4bbb-8c5e-5d3c0c3dcb3f");
    assert!(id("a b; forged=\"1\"").await.starts_with("req-"));
}

#[tokio::test]
async fn a_request_is_one_line_without_secrets() {
    let world = World::new().await;
    let customer = world.customer().await;
    let body = json!({"type": "credit_card", "token": "tok_planted", "brand": "4111111111111111"});
    let path = format!("/v1/customers/{customer}/payment-methods?planted=query");
    world.post(&path, body).await.faults();

    let text = logged();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let fields: Vec<&Value> =
        lines.iter().map(|line| &line["fields"]).filter(|fields| fields["message"] == "answered").collect();
    assert_eq!(fields.len(), 2, "{text}");
    assert_eq!(fields[1]["path"], "/v1/customers/{id}/payment-methods");
    assert_eq!(fields[1]["status"], 422);
    assert_eq!((&fields[1]["method"], &fields[1]["caller"]), (&json!("POST"), &json!("key_deployment")));
    assert!(fields[1]["request_id"].is_string() && fields[1]["duration_ms"].is_u64());
    for secret in [OPERATOR, "planted", "4111", "example.com", &customer] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}
