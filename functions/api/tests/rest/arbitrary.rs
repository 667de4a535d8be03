//! Whatever is sent, the fault is the sender's or there is none.

use crate::world::{World, contract};
use http::{Method, header};
use proptest::prelude::*;
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

fn run(story: impl AsyncFnOnce(&World, String, String)) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let world = World::new();
        let customer = world.payer().await;
        let invoice = world.invoice(&customer).await;
        story(&world, customer, invoice).await;
    });
}

fn operations_with_bodies(customer: &str, invoice: &str) -> Vec<(Method, String)> {
    let with_bodies =
        api::operations().into_iter().filter(|(method, _)| ["post", "put", "patch"].contains(method));
    let concrete = |path: &str| {
        let id = if path.contains("invoices") { invoice } else { customer };
        path.replace("{id}", id).replace("{pm}", "pm_0")
    };
    with_bodies.map(|(method, path)| (method.to_uppercase().parse().unwrap(), concrete(path))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_json_is_answered(body in body()) {
        run(async |world, customer, invoice| {
            for (method, path) in operations_with_bodies(&customer, &invoice) {
                let request = world.request(method, &path).header("Idempotency-Key", "k");
                let answer = world.send(request, Some(body.clone())).await;
                assert!(answer.status < 500, "{}", answer.text);
            }
        });
    }

    #[test]
    fn any_bytes_are_answered(body in prop::collection::vec(any::<u8>(), 0..200), key in "[ -~]{0,20}") {
        run(async |world, customer, invoice| {
            for (method, path) in operations_with_bodies(&customer, &invoice) {
                let request = world.request(method, &path).header("Idempotency-Key", &key);
                let request = request.header(header::CONTENT_TYPE, "application/json").body(body.clone().into()).unwrap();
                assert!(world.send_raw(request).await.status < 500);
            }
        });
    }

    #[test]
    fn any_query_is_answered(pairs in prop::collection::vec(("[a-z_]{1,10}|limit|cursor|status|from|item", ".{0,20}"), 0..6)) {
        run(async |world, customer, _| {
            let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
            let query: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
            for path in ["/v1/invoices".to_owned(), format!("/v1/customers/{customer}/transactions")] {
                assert!(world.get(&format!("{path}?{}", query.join("&"))).await.status < 500);
            }
        });
    }

    #[test]
    fn any_path_is_answered(id in "[!-~]{1,40}") {
        run(async |world, _, _| {
            let encoded: String = id.bytes().map(|byte| format!("%{byte:02x}")).collect();
            for path in ["/v1/invoices", "/v1/customers", "/v1/customers/external:"] {
                let answer = world.get(&format!("{path}/{encoded}")).await;
                assert_eq!(answer.body.get("code"), Some(&json!("not_found")));
            }
        });
    }
}
