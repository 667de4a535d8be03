use crate::shop::{API_KEY, Shop, card, order, tell};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_card_is_captured_and_the_truth_says_so() {
    let shop = Shop::open().await;
    let told = shop.pay_with("tok_visa").await;
    assert_eq!(told.status, 201);
    let charge = shop.only_charge().await;
    assert_eq!(told.body, charge);
    for (field, value) in [
        ("reference", json!("att_1")),
        ("invoice_id", json!("inv_1")),
        ("idempotency_key", json!("att_1")),
        ("amount_minor", json!(12_345)),
        ("captured_minor", json!(12_345)),
        ("currency", json!("BRL")),
        ("status", json!("captured")),
        ("refunded_minor", json!(0)),
        ("disputed", json!(false)),
        ("decline", Value::Null),
        ("pix", Value::Null),
    ] {
        assert_eq!(charge[field], value, "{field}");
    }
    assert!(charge["created_at"].as_i64().unwrap() > 1_600_000_000);
    let id = charge["id"].as_str().unwrap();
    assert!(id.starts_with("ch_"));
    assert_eq!(shop.get(&format!("/charges/{id}")).await.body, charge);
    assert_eq!(shop.truth("att_1").await, [charge]);
    assert!(shop.truth("inv_2").await.is_empty());
    assert_eq!(shop.get("/charges").await.body["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_repeat_gives_the_same_answer_and_another_body_is_a_conflict() {
    let shop = Shop::open().await;
    for token in ["tok_visa", "tok_insufficient_funds", "tok_declines_once"] {
        let first = shop.charge(token, token, &card(token)).await;
        let again = shop.charge(token, token, &card(token)).await;
        assert_eq!((first.status, &first.body), (again.status, &again.body));
        assert!(again.replayed && !first.replayed);
        assert_eq!(shop.truth(token).await.len(), 1);

        let other = shop.charge(token, "inv_other", &card(token)).await;
        assert_eq!(
            (other.status, other.body["error"]["code"].as_str()),
            (409, Some("idempotency_key_reused"))
        );
    }
    assert!(shop.truth("inv_other").await.is_empty());
}

#[tokio::test]
async fn many_repeats_at_once_charge_once() {
    let shop = Shop::open().await;
    let method = card("tok_visa");
    let repeats = (0..20).map(|_| tokio::spawn(tell(shop.charge_request("att_1", "inv_1", &method))));
    for repeat in repeats.collect::<Vec<_>>() {
        assert_eq!(repeat.await.unwrap().status, 201);
    }
    shop.only_charge().await;
}

#[tokio::test]
async fn requests_that_cannot_be_taken_are_refused_and_charge_nothing() {
    let shop = Shop::open().await;
    let order = order("att_1", "inv_1", &card("tok_visa"));
    let post = || shop.request(Method::POST, "/charges");

    assert_eq!(tell(post().header("Idempotency-Key", "k").json(&order)).await.status, 401);
    let wrong = post().bearer_auth("wrong").header("Idempotency-Key", "k").json(&order);
    assert_eq!(tell(wrong).await.status, 401);
    assert_eq!(tell(post().bearer_auth(API_KEY).json(&order)).await.status, 400);
    let malformed = post().bearer_auth(API_KEY).header("Idempotency-Key", "k").body("{\"reference\":");
    assert_eq!(tell(malformed).await.status, 400);

    let wrong_everywhere =
        json!({ "reference": " ", "amount_minor": 0, "currency": "brl", "method": { "type": "boleto" } });
    let told = shop.merchant_post("/charges", "k", &wrong_everywhere).await;
    assert_eq!(told.status, 422);
    let faults = told.body["error"]["faults"].as_array().unwrap();
    let fields: Vec<_> = faults.iter().map(|fault| fault["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["reference", "invoice_id", "amount_minor", "currency", "method.type"]);

    let mut fraction = order.clone();
    fraction["amount_minor"] = json!(10.5);
    assert_eq!(shop.merchant_post("/charges", "k", &fraction).await.status, 422);
    assert!(shop.get("/charges").await.body["data"].as_array().unwrap().is_empty());
    // A refused request doesn't use its key up.
    assert_eq!(shop.merchant_post("/charges", "k", &order).await.status, 201);
}

#[tokio::test]
async fn only_a_pending_charge_can_be_voided() {
    let shop = Shop::open().await;
    let pending = shop.pix().await.body;
    let path = format!("/charges/{}/void", pending["id"].as_str().unwrap());
    assert_eq!(shop.post(&path, &json!({})).await.status, 401);
    for _ in 0..2 {
        let told = shop.merchant_post(&path, "k", &json!({})).await;
        assert_eq!((told.status, told.body["status"].as_str()), (200, Some("voided")));
    }
    assert_eq!(shop.only_charge().await["reason"], "requested");

    let captured = shop.charge("att_2", "inv_2", &card("tok_visa")).await.body;
    let path = format!("/charges/{}/void", captured["id"].as_str().unwrap());
    let told = shop.merchant_post(&path, "k", &json!({})).await;
    assert_eq!((told.status, told.body["status"].as_str()), (409, Some("captured")));
    assert_eq!(shop.merchant_post("/charges/ch_none/void", "k", &json!({})).await.status, 404);

    shop.inbox.wait_for(3).await;
    let voided = shop.inbox.kinds().iter().filter(|kind| *kind == "charge.voided").count();
    assert_eq!(voided, 1, "a repeat is not another event");
}
