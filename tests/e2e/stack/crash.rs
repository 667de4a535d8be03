//! The consumer dies between the gateway's answer and the books.

use crate::client::alone;
use serde_json::json;
use std::fs;
use std::process::Command;

/// Local Lambda functions are native processes; each knows its function's name.
fn kill_function(name: &str) -> usize {
    let mut killed = 0;
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let process = entry.file_name().to_string_lossy().into_owned();
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        let is_it = environment
            .split(|byte| *byte == 0)
            .filter_map(|variable| variable.strip_prefix(b"AWS_LAMBDA_FUNCTION_NAME="))
            .any(|function| String::from_utf8_lossy(function).contains(name));
        let is_bootstrap = fs::read_link(entry.path().join("exe"))
            .is_ok_and(|exe| exe.to_string_lossy().contains("bootstrap"));
        if is_it && is_bootstrap && process.chars().all(|c| c.is_ascii_digit()) {
            killed += usize::from(Command::new("kill").args(["-9", &process]).status().unwrap().success());
        }
    }
    killed
}

#[tokio::test]
async fn what_a_killed_consumer_left_is_finished_by_the_sweep() {
    let (shop, _stack) = alone().await;
    shop.at_the_gateway("/control", json!({ "webhooks_off": true })).await.expect(200);
    let invoice = shop.charged("tok_slow_3s").await;
    shop.until_captured(&invoice).await;
    let killed = kill_function("charge-consumer") + kill_function("ChargeConsumer");
    assert!(killed > 0, "no consumer was running");
    assert_eq!(shop.show(&invoice).await["status"], "pending", "it died before it could settle");
    shop.assert_paid_once(&invoice).await;
    assert_eq!(shop.journal(&invoice).await.len(), 1);
    shop.at_the_gateway("/control", json!({ "webhooks_off": false })).await.expect(200);
}
