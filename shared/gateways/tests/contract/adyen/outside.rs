//! Adyen's adapter against Adyen's own SDK for Python on signatures. `tests/gateways-outside/run.py` runs these.

use super::signatures::{KEY, delivery, paid, signed};
use super::{MORE, gateway};
use crate::brazil::now;
use fatura_application::ports::WebhookRefusal;
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::{Command, Stdio};

const OTHER: &str = "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn outside(name: &str) -> String {
    std::env::var(name).expect("runs under tests/gateways-outside/run.py")
}

/// What the SDK says: its output, and whether it believes.
fn oracle(arguments: &[&str], item: &Value) -> (bool, String) {
    let mut child = Command::new(outside("ORACLE_PYTHON"))
        .arg(outside("ADYEN_ORACLE"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(item.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

fn paid_as(reference: &str, value: i64) -> Value {
    let mut item = paid();
    item["merchantReference"] = json!(reference);
    item["amount"]["value"] = json!(value);
    item
}

#[tokio::test]
#[ignore = "needs Adyen's SDK: make gateways-outside"]
async fn what_the_sdk_signs_is_genuine_and_nothing_else() {
    let judge = gateway("http://127.0.0.1:1", &[KEY], MORE);
    for (reference, value) in [("att_1", 12_345), ("a:b\\:c", 0), ("Ção ✓", 9_007_199_254_740_991_i64)] {
        let mut item = paid_as(reference, value);
        for (key, expected) in [(KEY, Ok(())), (OTHER, Err(WebhookRefusal::BadSignature))] {
            item["additionalData"]["hmacSignature"] = json!(oracle(&["sign", key], &item).1);
            let verdict = judge.verify_webhook(&delivery(std::slice::from_ref(&item)), now()).await;
            assert_eq!(verdict, expected, "{reference} {key}");
            // The signature of one event, under another.
            item["pspReference"] = json!("993617895204576K");
            assert!(!oracle(&["check", key], &item).0);
            let verdict = judge.verify_webhook(&delivery(std::slice::from_ref(&item)), now()).await;
            assert_eq!(verdict, Err(WebhookRefusal::BadSignature), "{reference} {key}");
            item = paid_as(reference, value);
        }
    }
}

/// What our tests sign is what Adyen signs: so their negatives are refused for the reason that they name.
#[test]
#[ignore = "needs Adyen's SDK: make gateways-outside"]
fn what_our_tests_sign_is_genuine_to_the_sdk() {
    for (key, is_genuine) in [(KEY, true), (OTHER, false)] {
        let mut item = signed(paid(), key);
        assert_eq!(oracle(&["check", KEY], &item).0, is_genuine, "{key}");
        item["amount"]["value"] = json!(1);
        assert!(!oracle(&["check", KEY], &item).0);
    }
}
