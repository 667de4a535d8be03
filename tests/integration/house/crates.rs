//! Which crate may name which: the table of ARCHITECTURE.md.

use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;

fn ours() -> BTreeMap<String, Vec<String>> {
    let cargo = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .output();
    let metadata: Value = serde_json::from_slice(&cargo.unwrap().stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let names: Vec<&str> = packages.iter().map(|package| package["name"].as_str().unwrap()).collect();
    let edges = |package: &Value| {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        // What only a crate's own tests use makes no layer depend on another.
        dependencies
            .filter(|dependency| dependency["kind"].is_null())
            .map(|dependency| dependency["name"].as_str().unwrap())
            .filter(|name| names.contains(name))
            .map(str::to_owned)
            .collect()
    };
    packages.iter().map(|package| (package["name"].as_str().unwrap().to_owned(), edges(package))).collect()
}

#[test]
fn no_layer_names_one_above_it() {
    let shared = [
        ("fatura-domain", vec![]),
        ("fatura-application", vec!["fatura-domain"]),
        ("fatura-rules", vec!["fatura-application", "fatura-domain"]),
        ("fatura-store", vec!["fatura-application", "fatura-domain"]),
        ("fatura-gateways", vec!["fatura-application", "fatura-domain"]),
        ("fatura-notices", vec!["fatura-domain"]),
        (
            "fatura-bootstrap",
            vec!["fatura-application", "fatura-domain", "fatura-gateways", "fatura-rules", "fatura-store"],
        ),
    ];
    let functions = [
        "api",
        "auth",
        "charge-consumer",
        "webhook-intake",
        "webhook-consumer",
        "retry-sweep",
        "event-relay",
        "notifier",
    ];
    let below_functions: Vec<&str> = shared.iter().map(|(name, _)| *name).collect();
    let graph = ours();
    for (name, allowed) in shared.iter().cloned().chain(functions.map(|name| (name, below_functions.clone())))
    {
        for edge in &graph[name] {
            assert!(allowed.contains(&edge.as_str()), "{name} must not name {edge}");
        }
    }
}

#[test]
fn the_domain_is_pure() {
    let manifest = std::fs::read_to_string("../../shared/domain/Cargo.toml").unwrap();
    for impure in ["tokio", "aws", "serde_dynamo", "getrandom", "rand", "reqwest", "async"] {
        assert!(!manifest.contains(impure), "the domain must not depend on {impure}");
    }
}
