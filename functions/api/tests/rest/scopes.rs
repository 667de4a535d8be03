//! Keys that are for less than their role may.

use crate::access::{Shop, TABLE, operations, outcome};
use crate::sign_in::with;
use crate::world::World;
use fatura_application::access::Scope;
use http::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

async fn key(world: &World, role: &str, scopes: &[&str]) -> String {
    let made = world.post("/v1/api-keys", json!({"role": role, "scopes": scopes})).await.expect(201);
    assert_eq!(made["scopes"], json!(scopes));
    made["key"].as_str().unwrap().to_owned()
}

/// What the table of `docs/access.md` gives without credentials: no key is asked for there.
fn is_public(what: &str) -> bool {
    TABLE.contains(&format!("| `{what}` | yes |"))
}

/// Asks for every operation with an operator's key of every scope.
async fn walk() -> BTreeMap<&'static str, BTreeSet<String>> {
    let shop = Shop::open().await;
    let mut keys = Vec::new();
    for scope in Scope::ALL {
        keys.push((scope.as_str(), key(&shop.world, "operator", &[scope.as_str()]).await));
    }
    let mut given: BTreeMap<_, BTreeSet<String>> =
        Scope::ALL.iter().map(|scope| (scope.as_str(), BTreeSet::new())).collect();
    for (place, (method, template)) in operations().into_iter().enumerate() {
        let what = format!("{} {template}", method.to_uppercase());
        if is_public(&what) {
            continue;
        }
        let (path, body) = shop.request(method, template);
        let verb = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
        for (scope, key) in &keys {
            let request = with(key, verb.clone(), &path).header("Idempotency-Key", format!("walk-{place}"));
            let answer = shop.world.send(request, body.clone()).await;
            match outcome(answer.status, answer.code().1, &format!("{what} with {scope}: {}", answer.text)) {
                "yes" => assert!(given.get_mut(scope).unwrap().insert(what.clone())),
                became => assert_eq!(became, "403", "{what} with {scope}"),
            }
        }
    }
    given
}

#[tokio::test]
async fn every_scope_gives_what_the_table_says_and_nothing_else() {
    let scopes = TABLE.split_once("## Scopes").unwrap().1;
    let written: BTreeSet<String> =
        scopes.lines().filter(|line| line.starts_with("| `")).map(str::to_owned).collect();
    let row = |(scope, gives): (&str, BTreeSet<String>)| {
        assert!(!gives.is_empty(), "{scope} gives nothing");
        let gives: Vec<_> = gives.iter().map(|what| format!("`{what}`")).collect();
        format!("| `{scope}` | {} |", gives.join(", "))
    };
    let found: BTreeSet<String> = walk().await.into_iter().map(row).collect();
    let missing: Vec<_> = found.difference(&written).collect();
    let wrong: Vec<_> = written.difference(&found).collect();
    assert!(missing.is_empty() && wrong.is_empty(), "is: {missing:#?}\ndocs/access.md says: {wrong:#?}");
}

#[tokio::test]
async fn a_key_with_scopes_is_told_what_it_lacks_and_makes_no_keys() {
    let world = World::new().await;
    let customer = world.customer().await;
    let reader = key(&world, "operator", &["customers:read", "invoices:read"]).await;
    let path = format!("/v1/customers/{customer}");
    world.send(with(&reader, Method::GET, &path), None).await.expect(200);
    let methods = world.send(with(&reader, Method::GET, &format!("{path}/payment-methods")), None).await;
    assert_eq!(methods.code(), (403, "forbidden"));
    assert_eq!(methods.body["detail"], "the scopes of this key do not include payment_methods:read");
    assert_eq!(methods.body["details"], json!({"scope": "payment_methods:read"}));
    let request = with(&reader, Method::POST, "/v1/api-keys").header("Idempotency-Key", "k");
    let made = world.send(request, Some(json!({"role": "operator"}))).await;
    assert_eq!(made.code(), (403, "forbidden"));
    assert_eq!(made.body["detail"], "no scope gives this: it takes a key without scopes");
}

/// What a scope names, the role must give all the same.
#[tokio::test]
async fn a_scope_makes_no_operator_of_a_service() {
    let world = World::new().await;
    let customer = world.customer().await;
    let key = key(&world, "service", &["invoices:read"]).await;
    let get = async |path: &str| world.send(with(&key, Method::GET, path), None).await;
    get(&format!("/v1/invoices?customer_id={customer}")).await.expect(200);
    let all = get("/v1/invoices?status=paid").await;
    assert_eq!(all.body["detail"], "this role may not do that");
    for scope in Scope::ALL.iter().filter(|scope| scope.is_for_operators()) {
        let body = json!({"role": "service", "scopes": ["invoices:read", scope.as_str()]});
        let faults = world.post("/v1/api-keys", body).await;
        assert_eq!(faults.faults(), [format!("scopes has {scope}, which is for operators")]);
    }
}

#[tokio::test]
async fn the_list_tells_what_keys_are_for_and_how_they_begin() {
    let world = World::new().await;
    let limited = key(&world, "service", &["bills:read", "line_items:write"]).await;
    let made = world.post("/v1/api-keys", json!({"role": "service", "scopes": null})).await.expect(201);
    let free = made["key"].as_str().unwrap().to_owned();
    assert_eq!((&made["scopes"], &made["prefix"]), (&Value::Null, &json!(free[..12])));
    let list = world.get("/v1/api-keys").await;
    for key in [&limited, &free] {
        assert!(list.text.contains(&key[..12]) && !list.text.contains(&key[..13]), "{}", list.text);
    }
    let keys = list.expect(200)["data"].as_array().unwrap().clone();
    let found = keys.iter().find(|listed| listed["prefix"] == json!(limited[..12])).unwrap();
    assert_eq!(found["scopes"], json!(["bills:read", "line_items:write"]));
}

#[tokio::test]
async fn scopes_that_say_nothing_are_refused() {
    let world = World::new().await;
    for (scopes, reason) in
        [(json!([]), "must be a list of scopes"), (json!("bills:read"), "must be a list of scopes")]
    {
        let answer = world.post("/v1/api-keys", json!({"role": "service", "scopes": scopes})).await;
        assert_eq!(answer.faults(), [format!("scopes {reason}")]);
    }
    let unknown =
        world.post("/v1/api-keys", json!({"role": "service", "scopes": ["bills:read", "moon:read"]})).await;
    let faults = unknown.faults();
    assert!(faults[0].starts_with("scopes must be one of: customers:read, customers:write"), "{faults:?}");
}
