//! The README's tour, as it stands there.

use crate::client::shared;
use std::fs;
use std::process::Command;

#[tokio::test]
async fn the_tour_works_as_written() {
    let (_shop, _stack) = shared().await;
    let readme = fs::read_to_string("../../README.md").unwrap();
    let blocks: Vec<&str> = readme
        .split("<!-- tour -->\n```bash\n")
        .skip(1)
        .map(|rest| rest.split("\n```").next().unwrap())
        .collect();
    assert!(blocks.len() > 5, "the tour is gone");
    // The stack is up already, and another `make` would wait for this one.
    let script = format!("set -euo pipefail\n{}", blocks.join("\n")).replace("\nmake up\n", "\n");
    let told =
        Command::new("timeout").args(["300", "bash", "-c", &script]).current_dir("../..").output().unwrap();
    let (said, complaints) = (String::from_utf8_lossy(&told.stdout), String::from_utf8_lossy(&told.stderr));
    assert!(told.status.success(), "{said}\n{complaints}");
    for expected in [
        r#""amount_paid":{"amount":"122.05","currency":"BRL"}"#,
        r#""status":"succeeded""#,
        r#""amount_minor":12205"#,
        r#""reason":"one seat too many""#,
        "'class': 'hard'",
        "'action': 'await_payment_method'",
        r#""cause":"payment_method_changed""#,
        r#""raw_code":"stolen_card""#,
        "insufficient_funds",
        r#""cause":"requeued""#,
        r#""status":"canceled""#,
        r#""code":"not_found""#,
        r#""balances":[{"amount":"48.55","currency":"BRL"}]"#,
        r#""amount_refunded":{"amount":"10.00","currency":"BRL"}"#,
        "items[0].unit_prize",
    ] {
        assert!(said.contains(expected), "no {expected} in:\n{said}");
    }
}
