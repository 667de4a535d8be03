use crate::shop::{Shop, tell};
use reqwest::Method;
use serde_json::{Value, json};

async fn refund(shop: &Shop, charge: &Value, key: &str, amount_minor: i64) -> (u16, Value) {
    let path = format!("/charges/{}/refunds", charge["id"].as_str().unwrap());
    let body = json!({ "reference": key, "amount_minor": amount_minor });
    let told = shop.merchant_post(&path, key, &body).await;
    (told.status, told.body)
}

#[tokio::test]
async fn refunds_never_exceed_what_was_captured() {
    let shop = Shop::open().await;
    let charge = shop.pay_with("tok_visa").await.body;
    let (status, first) = refund(&shop, &charge, "rfd_1", 12_000).await;
    assert_eq!((status, &first["status"]), (201, &json!("succeeded")));
    assert_eq!((&first["charge_id"], &first["currency"]), (&charge["id"], &json!("BRL")));
    assert_eq!(refund(&shop, &charge, "rfd_1", 12_000).await, (201, first.clone()), "a repeat");
    assert_eq!(refund(&shop, &charge, "rfd_1", 1).await.0, 409);
    let (status, problem) = refund(&shop, &charge, "rfd_2", 346).await;
    assert_eq!((status, &problem["error"]["code"]), (422, &json!("amount_too_large")));
    assert_eq!(refund(&shop, &charge, "rfd_3", 345).await.0, 201);
    assert_eq!(shop.only_charge().await["refunded_minor"], 12_345);

    assert_eq!(shop.get("/refunds?reference=rfd_1").await.body["data"], json!([first]));
    let path = format!("/refunds/{}", first["id"].as_str().unwrap());
    assert_eq!(shop.merchant_get(&path).await.body, first);
    let received = shop.inbox.wait_for(3).await;
    let told: Vec<_> = received.iter().map(|it| it.event()["data"].clone()).collect();
    let data = json!({
        "charge_id": charge["id"],
        "reference": "att_1",
        "invoice_id": "inv_1",
        "refund_id": first["id"],
        "refund_reference": "rfd_1",
    });
    assert!(told.contains(&data), "{told:?}");
}

#[tokio::test]
async fn many_refunds_at_once_stay_within_the_capture() {
    let shop = Shop::open().await;
    let charge = shop.pay_with("tok_visa").await.body;
    let path = format!("/charges/{}/refunds", charge["id"].as_str().unwrap());
    let refunds = (0..10).map(|n| {
        let request = shop.request(Method::POST, &path).bearer_auth(crate::shop::API_KEY);
        let body = json!({ "reference": format!("rfd_{n}"), "amount_minor": 4_000 });
        tokio::spawn(tell(request.header("Idempotency-Key", format!("rfd_{n}")).json(&body)))
    });
    let mut accepted = 0;
    for refund in refunds.collect::<Vec<_>>() {
        accepted += usize::from(refund.await.unwrap().status == 201);
    }
    assert_eq!(accepted, 3);
    assert_eq!(shop.only_charge().await["refunded_minor"], 12_000);
}

#[tokio::test]
async fn only_captured_money_is_refunded() {
    let shop = Shop::open().await;
    let charge = shop.pix().await.body;
    assert_eq!(refund(&shop, &charge, "rfd_1", 1).await.0, 409);
    assert_eq!(refund(&shop, &json!({ "id": "ch_none" }), "rfd_1", 1).await.0, 404);
    // Overpaid: what came can go back.
    let pay = format!("/charges/{}/pay", charge["id"].as_str().unwrap());
    shop.post(&pay, &json!({ "amount_minor": 20_000 })).await;
    assert_eq!(refund(&shop, &charge, "rfd_1", 20_000).await.0, 201);
}

#[tokio::test]
async fn a_refund_may_fail_or_take_its_time() {
    let shop = Shop::open().await;
    let charge = shop.pay_with("tok_visa").await.body;
    shop.inbox.wait_for(1).await;
    shop.control(&json!({ "refund_outcome": "failed" })).await;
    assert_eq!(refund(&shop, &charge, "rfd_1", 12_345).await.1["status"], "failed");
    assert_eq!(shop.only_charge().await["refunded_minor"], 0);
    shop.inbox.wait_for(2).await;
    shop.control(&json!({ "refund_outcome": "pending" })).await;
    assert_eq!(refund(&shop, &charge, "rfd_2", 12_345).await.1["status"], "pending");
    // Money on its way back can't be given back twice.
    assert_eq!(refund(&shop, &charge, "rfd_3", 1).await.0, 422);
    shop.inbox.wait_for(3).await;
    assert_eq!(shop.inbox.kinds()[1..], ["refund.failed", "refund.succeeded"]);
    assert_eq!(shop.get("/refunds?reference=rfd_2").await.body["data"][0]["status"], "succeeded");
}
