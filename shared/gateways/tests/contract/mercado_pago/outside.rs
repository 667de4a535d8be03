//! Mercado Pago's adapter against Mercado Pago's own SDKs on signatures, which only check them; and against `openssl`,
//! which makes them by the recipe in the documents. `tests/gateways-outside/run.py` runs these.

use super::{MAKE, notice};
use crate::brazil::{NOW, SECRET, judge, now};
use fatura_application::ports::{WebhookDelivery, WebhookRefusal};
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::{Command, Stdio};

const OK: Result<(), WebhookRefusal> = Ok(());
const BAD: Result<(), WebhookRefusal> = Err(WebhookRefusal::BadSignature);
const STALE: Result<(), WebhookRefusal> = Err(WebhookRefusal::Stale);
const TOLERANCE_S: i64 = 300;

fn outside(name: &str) -> String {
    std::env::var(name).expect("runs under tests/gateways-outside/run.py")
}

fn told(mut program: Command, input: &[u8]) -> (bool, String) {
    let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

/// What an SDK says of a delivery. It takes every time for seconds, so milliseconds are judged without a tolerance.
fn verdict_of(sdk: &[String; 2], delivery: &WebhookDelivery) -> Result<(), WebhookRefusal> {
    let value = |pairs: &[(String, String)], name: &str| {
        let found = pairs.iter().find(|(known, _)| known == name);
        found.map_or(Value::Null, |(_, value)| json!(value))
    };
    let signature = value(&delivery.headers, "x-signature");
    let is_in_seconds = signature.as_str().is_some_and(|text| text.find(',') == Some("ts=1700000000".len()));
    let came = json!({
        "signature": signature,
        "request_id": value(&delivery.headers, "x-request-id"),
        "data_id": value(&delivery.query, "data.id"),
        "secret": SECRET,
        "tolerance_s": is_in_seconds.then_some(TOLERANCE_S),
        "now_ms": NOW * 1_000,
    });
    let mut program = Command::new(&sdk[0]);
    program.arg(&sdk[1]);
    match told(program, came.to_string().as_bytes()) {
        (true, _) => OK,
        (false, reason) if reason == "TimestampOutOfTolerance" => STALE,
        (false, reason) => {
            let is_known = ["SignatureMismatch", "MissingHash", "MissingSignatureHeader"];
            assert!(is_known.contains(&reason.as_str()), "{reason}");
            BAD
        }
    }
}

fn changed(change: impl FnOnce(&mut WebhookDelivery)) -> WebhookDelivery {
    let mut delivery = notice("77", "77", "1700000000", SECRET);
    change(&mut delivery);
    delivery
}

/// We and the SDK judge alike, as it has to be.
async fn both_judge(sdk: [String; 2]) {
    let ours = judge(MAKE, &[SECRET]);
    let at = |ts: &str| notice("77", "77", ts, SECRET);
    for (what, delivery, expected) in [
        ("genuine", at("1700000000"), OK),
        ("genuine, of another kind of id", notice("ORD01J", "ORD01J", "1700000000", SECRET), OK),
        ("genuine, in milliseconds", at("1700000000123"), OK),
        ("almost too old", at("1699999700"), OK),
        ("almost too far ahead", at("1700000300"), OK),
        ("too old", at("1699999699"), STALE),
        ("too far ahead", at("1700000301"), STALE),
        ("by another secret", notice("77", "77", "1700000000", "whsec_other"), BAD),
        ("for another id", changed(|told| told.query[0].1.replace_range(.., "78")), BAD),
        ("for an id one byte longer", changed(|told| told.query[0].1.push('0')), BAD),
        ("again, as another request", changed(|told| told.headers[1].1.replace_range(.., "req-2")), BAD),
        (
            "made younger",
            changed(|told| told.headers[0].1 = told.headers[0].1.replace("1700000000", "1700000001")),
            BAD,
        ),
        (
            "with another version's digest",
            changed(|told| told.headers[0].1 = told.headers[0].1.replace("v1", "v2")),
            BAD,
        ),
        ("without a signature", changed(|told| drop(told.headers.remove(0))), BAD),
    ] {
        assert_eq!(ours.verify_webhook(&delivery, now()).await, expected, "ours: {what}");
        assert_eq!(verdict_of(&sdk, &delivery), expected, "the SDK's: {what}");
    }
    let length = changed(|_| ()).headers[0].1.len();
    for place in [length - 64, length - 30, length - 1] {
        let delivery = changed(|told| {
            let digit = if &told.headers[0].1[place..=place] == "0" { "1" } else { "0" };
            told.headers[0].1.replace_range(place..=place, digit);
        });
        assert_eq!(ours.verify_webhook(&delivery, now()).await, BAD, "digit {place}");
        assert_eq!(verdict_of(&sdk, &delivery), BAD, "digit {place}");
    }
    // Without the parts that were not there to be signed a notice is genuine to the SDK, and says too little for us.
    let bare = {
        let signed = openssl("ts:1700000000;", SECRET);
        let headers = vec![("x-signature".to_owned(), format!("ts=1700000000,v1={signed}"))];
        WebhookDelivery { headers, query: Vec::new(), ..changed(|_| ()) }
    };
    assert_eq!((verdict_of(&sdk, &bare), ours.verify_webhook(&bare, now()).await), (OK, BAD));
}

#[tokio::test]
#[ignore = "needs Mercado Pago's SDK: make gateways-outside"]
async fn we_judge_as_the_sdk_does() {
    both_judge([outside("ORACLE_PYTHON"), outside("MERCADO_PAGO_ORACLE")]).await;
}

#[tokio::test]
#[ignore = "needs Mercado Pago's SDK for Node.js: make gateways-outside"]
async fn we_judge_as_the_sdk_for_node_does() {
    both_judge([outside("ORACLE_NODE"), outside("MERCADO_PAGO_NODE_ORACLE")]).await;
}

fn openssl(signed: &str, secret: &str) -> String {
    let mut program = Command::new("openssl");
    program.args(["dgst", "-sha256", "-hmac", secret, "-hex"]);
    let (is_made, told) = told(program, signed.as_bytes());
    assert!(is_made, "{told}");
    told.rsplit(' ').next().unwrap().to_owned()
}

/// `id:[data.id];request-id:[x-request-id];ts:[ts];`, the id in small letters.
#[tokio::test]
#[ignore = "runs with the others: make gateways-outside"]
async fn what_openssl_signs_by_the_recipe_is_genuine_and_nothing_else() {
    let ours = judge(MAKE, &[SECRET]);
    for (id, in_small_letters) in [("77", "77"), ("ORD01J", "ord01j")] {
        for (ts, secret, expected) in [
            ("1700000000", SECRET, OK),
            ("1700000000999", SECRET, OK),
            ("1699999600", SECRET, STALE),
            ("1700000000", "whsec_other", BAD),
        ] {
            let v1 = openssl(&format!("id:{in_small_letters};request-id:req-1;ts:{ts};"), secret);
            let genuine = changed(|told| {
                told.headers[0].1 = format!("ts={ts},v1={v1}");
                told.query[0].1 = id.to_owned();
            });
            assert_eq!(ours.verify_webhook(&genuine, now()).await, expected, "{id} {ts} {secret}");
            let mut replayed = genuine;
            replayed.query[0].1 = "78".to_owned();
            assert_eq!(ours.verify_webhook(&replayed, now()).await, BAD, "{id} {ts} {secret}");
        }
    }
}
