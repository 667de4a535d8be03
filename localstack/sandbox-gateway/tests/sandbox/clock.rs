use crate::shop::{Shop, card};
use serde_json::json;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

const DAY: i64 = 86_400;

/// How far the sandbox's clock is from the real one, to the day.
async fn days_off(shop: &Shop, attempt: &str) -> i64 {
    let charge = shop.charge(attempt, attempt, &card("tok_visa")).await.body;
    let created = charge["created_at"].as_i64().unwrap();
    assert_eq!(charge["payments"][0]["paid_at"], created);
    let real: i64 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap();
    // A second may pass in between.
    (created - real + DAY / 2).div_euclid(DAY)
}

struct ClockFile(PathBuf);

impl ClockFile {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("sandbox-clock-{name}-{}", std::process::id())))
    }

    fn says(&self, text: &str) {
        std::fs::write(&self.0, text).unwrap();
    }
}

impl Drop for ClockFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn a_file_moves_the_clock_from_one_call_to_the_next() {
    let file = ClockFile::new("moves");
    let shop = Shop::open_with(Some(file.0.clone())).await;
    assert_eq!(days_off(&shop, "absent").await, 0);
    let far = i64::MAX.to_string();
    for (attempt, text, days) in [
        ("ahead", "864000", 10),
        ("newline", "-86400\n", -1),
        ("empty", "", 0),
        ("words", "tomorrow", 0),
        ("far", far.as_str(), 36_525),
    ] {
        file.says(text);
        assert_eq!(days_off(&shop, attempt).await, days, "{attempt}");
    }
}

#[tokio::test]
async fn control_moves_the_clock_besides_its_file() {
    let file = ClockFile::new("besides");
    file.says("86400");
    let shop = Shop::open_with(Some(file.0.clone())).await;
    shop.control(&json!({ "clock_offset_s": 2 * DAY })).await;
    assert_eq!(days_off(&shop, "both").await, 3);
    for wrong in [json!(1.5), json!("1"), json!(10_000_000_000_i64)] {
        let told = shop.post("/control", &json!({ "clock_offset_s": wrong })).await;
        assert_eq!(told.status, 422, "{wrong}");
    }
    // A reset forgets what was asked of this sandbox, and not what it was started with.
    shop.post("/control/reset", &json!({})).await;
    assert_eq!(days_off(&shop, "file").await, 1);
}

#[tokio::test]
async fn everything_is_dated_and_signed_by_the_same_clock() {
    let shop = Shop::open().await;
    shop.control(&json!({ "clock_offset_s": 30 * DAY })).await;
    let charge = shop.pay_with("tok_visa").await.body;
    let created = charge["created_at"].as_i64().unwrap();
    let event = &shop.inbox.wait_for(1).await[0];
    let signed_at = event.signature.split_once(',').unwrap().0.strip_prefix("t=").unwrap();
    let signed_at: i64 = signed_at.parse().unwrap();
    assert!((0..=5).contains(&(signed_at - created)), "{signed_at}, {created}");
    assert!((0..=5).contains(&(event.event()["created"].as_i64().unwrap() - created)));
    let path = format!("/charges/{}/refunds", charge["id"].as_str().unwrap());
    let refund =
        shop.merchant_post(&path, "rfd_1", &json!({ "reference": "rfd_1", "amount_minor": 1 })).await;
    for field in ["created_at", "succeeded_at"] {
        assert!((0..=5).contains(&(refund.body[field].as_i64().unwrap() - created)), "{field}");
    }
}

#[tokio::test]
async fn a_pix_expires_when_the_clock_passes_it() {
    let shop = Shop::open().await;
    assert_eq!(shop.pix().await.body["status"], "pending");
    shop.control(&json!({ "clock_offset_s": 3_601 })).await;
    let expired = shop.only_charge().await;
    assert_eq!((&expired["status"], &expired["reason"]), (&json!("voided"), &json!("expired")));
}
