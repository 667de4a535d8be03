use crate::shop::Shop;
use serde_json::{Value, json};

#[tokio::test]
async fn a_pix_waits_for_its_payer() {
    let shop = Shop::open().await;
    let told = shop.pix().await;
    assert_eq!((told.status, &told.body["status"]), (201, &json!("pending")));
    assert!(told.body["pix"]["emv"].as_str().unwrap().starts_with("000201"));
    let lifetime =
        told.body["pix"]["expires_at"].as_i64().unwrap() - told.body["created_at"].as_i64().unwrap();
    assert_eq!(lifetime, 3_600);

    let paid = shop.post(&path(&told.body, "pay"), &json!({})).await;
    assert_eq!((paid.status, &paid.body["status"]), (200, &json!("captured")));
    assert_eq!(paid.body["captured_minor"], 12_345);
    shop.inbox.wait_for(2).await;
}

#[tokio::test]
async fn money_that_comes_wrong_is_kept_and_shown() {
    let shop = Shop::open().await;
    let charge = shop.pix().await.body;
    let pay = path(&charge, "pay");
    assert_eq!(shop.post(&pay, &json!({ "amount_minor": 0 })).await.status, 422);
    shop.post(&pay, &json!({ "amount_minor": 20_000 })).await;
    let twice = shop.post(&pay, &json!({ "amount_minor": 5 })).await.body;
    assert_eq!((&twice["amount_minor"], &twice["captured_minor"]), (&json!(12_345), &json!(20_005)));
    let amounts: Vec<_> =
        twice["payments"].as_array().unwrap().iter().map(|it| &it["amount_minor"]).collect();
    assert_eq!(amounts, [&json!(20_000), &json!(5)]);
    assert!(twice["payments"].as_array().unwrap().iter().all(|payment| payment["late"] == false));
    shop.inbox.wait_for(3).await;
    assert_eq!(shop.inbox.kinds().iter().filter(|kind| *kind == "charge.captured").count(), 2);
}

#[tokio::test]
async fn an_unpaid_pix_expires_and_late_money_still_arrives() {
    let shop = Shop::open().await;
    let mut order = crate::shop::order("att_1", "inv_1", &json!({ "type": "pix", "key": "any" }));
    order["expires_in_seconds"] = json!(1);
    let charge = shop.merchant_post("/charges", "att_1", &order).await.body;
    shop.wait_for_status("voided").await;
    assert_eq!(shop.only_charge().await["reason"], "expired");
    shop.inbox.wait_for(2).await;
    assert!(shop.inbox.kinds().contains(&"charge.voided".to_owned()));

    let late = shop.post(&path(&charge, "pay"), &json!({})).await.body;
    assert_eq!((&late["status"], &late["reason"]), (&json!("captured"), &Value::Null));
    assert_eq!(late["payments"][0]["late"], true);
}

#[tokio::test]
async fn a_pix_takes_reais_and_a_card_takes_no_bank_payment() {
    let shop = Shop::open().await;
    let mut order = crate::shop::order("att_1", "inv_1", &json!({ "type": "pix", "key": "any" }));
    order["currency"] = json!("USD");
    assert_eq!(shop.merchant_post("/charges", "k", &order).await.status, 422);
    let charge = shop.pay_with("tok_visa").await.body;
    assert_eq!(shop.post(&path(&charge, "pay"), &json!({})).await.status, 409);
}

#[tokio::test]
async fn a_pix_pays_itself_when_told_to() {
    let shop = Shop::open().await;
    shop.control(&json!({ "pix_auto_pay_ms": 30 })).await;
    assert_eq!(shop.pix().await.body["status"], "pending");
    shop.wait_for_status("captured").await;
}

fn path(charge: &Value, verb: &str) -> String {
    format!("/charges/{}/{verb}", charge["id"].as_str().unwrap())
}
