//! Whatever is sent, the fault is the sender's or there is none.

use crate::bills::month;
use crate::world::{World, attempt_of, contract};
use http::{Method, header};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

/// Names that mean something, so that bodies get past the first reader.
fn name() -> impl Strategy<Value = String> {
    let schemas = contract().document["components"]["schemas"].as_object().unwrap();
    let inputs = schemas.iter().filter(|(name, _)| name.ends_with("Input") || name.ends_with("Amendment"));
    let mut names: Vec<String> =
        inputs.filter_map(|(_, s)| s["properties"].as_object()).flat_map(Map::keys).cloned().collect();
    names.push("$serde_json::private::Number".to_owned());
    prop_oneof![9 => prop::sample::select(names), 1 => ".{0,12}"]
}

fn leaf() -> impl Strategy<Value = Value> {
    let words = [
        "credit_card",
        "pix",
        "BRL",
        "a@b.c",
        "2027-01-01T00:00:00Z",
        "tok_visa",
        "4111111111111111",
        "0.1",
        "1e30",
        "NaN",
    ];
    let numbers = ["0.1", "-0", "1e30", "1e-30", "1E400", "9007199254740993", "100"];
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        prop::sample::select(numbers.to_vec()).prop_map(|n| serde_json::from_str(n).unwrap()),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(words.to_vec()).prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
    ]
}

fn body() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(4, 48, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::vec((name(), inner), 0..8)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// Tells the story with many values, in one world.
fn check<S: Strategy>(strategy: &S, story: &impl AsyncFn(&World, &Place, S::Value)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (world, place) = runtime.block_on(async {
        let world = World::new().await;
        let customer = world.payer().await;
        let invoice = world.invoice(&customer).await;
        let bill = world.bill(month(&customer)).await;
        (world, Place { customer, invoice, bill })
    });
    let mut runner = TestRunner::new(ProptestConfig::with_cases(64));
    let told = runner.run(strategy, |value| {
        runtime.block_on(story(&world, &place, value));
        Ok(())
    });
    told.unwrap();
}

struct Place {
    customer: String,
    invoice: String,
    bill: String,
}

fn operations_with_bodies(place: &Place) -> Vec<(Method, String)> {
    let with_bodies =
        api::operations().into_iter().filter(|(method, _)| ["post", "put", "patch"].contains(method));
    let concrete = |path: &str| {
        let id = match path.split('/').nth(2) {
            Some("invoices") => place.invoice.clone(),
            Some("attempts") => attempt_of(&place.invoice, 1),
            Some("attention") => "atn_1".to_owned(),
            Some("bills") => place.bill.clone(),
            _ => place.customer.clone(),
        };
        path.replace("{id}", &id).replace("{pm}", "pm_0")
    };
    with_bodies.map(|(method, path)| (method.to_uppercase().parse().unwrap(), concrete(path))).collect()
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |encoded, byte| format!("{encoded}%{byte:02x}"))
}

#[test]
fn any_json_is_answered() {
    check(&body(), &async |world, place, body| {
        for (method, path) in operations_with_bodies(place) {
            let request = world.request(method, &path).header("Idempotency-Key", "k");
            let answer = world.send(request, Some(body.clone())).await;
            assert!(answer.status < 500, "{}", answer.text);
        }
    });
}

#[test]
fn any_bytes_are_answered() {
    let bytes = (prop::collection::vec(any::<u8>(), 0..200), "[ -~]{0,20}");
    check(&bytes, &async |world, place, (body, key)| {
        for (method, path) in operations_with_bodies(place) {
            let request = world.request(method, &path).header("Idempotency-Key", &key);
            let request = request.header(header::CONTENT_TYPE, "application/json");
            assert!(world.send_raw(request.body(body.clone().into()).unwrap()).await.status < 500);
        }
    });
}

#[test]
fn any_query_is_answered() {
    let pairs = prop::collection::vec(
        ("[a-z_]{1,10}|limit|cursor|status|from|item|kind|failure_class", ".{0,20}"),
        0..6,
    );
    check(&pairs, &async |world, place, pairs| {
        let query: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        for path in [
            "/v1/invoices".to_owned(),
            "/v1/attention".to_owned(),
            "/v1/dunning-policy/versions".to_owned(),
            "/v1/bills".to_owned(),
            format!("/v1/bills/{}/line-items", place.bill),
            format!("/v1/bills/{}/export", place.bill),
            format!("/v1/invoices/{}/disputes", place.invoice),
            format!("/v1/customers/{}/transactions", place.customer),
        ] {
            assert!(world.get(&format!("{path}?{}", query.join("&"))).await.status < 500);
        }
    });
}

#[test]
fn any_path_is_answered() {
    check(&"[!-~]{1,40}", &async |world, _, id| {
        for path in [
            "/v1/invoices/",
            "/v1/bills/",
            "/v1/customers/",
            "/v1/customers/external:",
            "/v1/attention/",
            "/v1/billing-runs/",
            "/v1/requeues/",
            "/v1/reconciliations/",
        ] {
            let answer = world.get(&format!("{path}{}", encoded(&id))).await;
            assert_eq!(answer.body.get("code"), Some(&json!("not_found")));
        }
    });
}
