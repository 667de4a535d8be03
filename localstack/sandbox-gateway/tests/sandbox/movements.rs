use crate::shop::{API_KEY, Shop, card, tell};
use reqwest::Method;
use serde_json::{Value, json};

const HOUR: i64 = 3_600;

/// What there is in a window around now, and the cursor of the rest.
async fn movements(shop: &Shop, more: &str, is_merchant: bool) -> (Vec<Value>, Value) {
    let now = unix_now();
    let path = format!("/movements?from={}&to={}{more}", now - HOUR, now + HOUR);
    let told = if is_merchant { shop.merchant_get(&path).await } else { shop.get(&path).await };
    assert_eq!(told.status, 200, "{}", told.body);
    (told.body["data"].as_array().unwrap().clone(), told.body["next_cursor"].clone())
}

async fn refund(shop: &Shop, charge: &Value, reference: &str, amount_minor: i64) -> Value {
    let path = format!("/charges/{}/refunds", charge["id"].as_str().unwrap());
    let body = json!({ "reference": reference, "amount_minor": amount_minor });
    let told = shop.merchant_post(&path, reference, &body).await;
    assert_eq!(told.status, 201, "{}", told.body);
    told.body
}

fn capture_of(charge: &Value, amount_minor: i64) -> Value {
    json!({
        "kind": "capture",
        "id": charge["id"],
        "charge_id": charge["id"],
        "reference": charge["reference"],
        "amount_minor": amount_minor,
        "currency": "BRL",
        "at": charge["payments"][0]["paid_at"],
    })
}

fn movement_of(refund: &Value) -> Value {
    json!({
        "kind": "refund",
        "id": refund["id"],
        "charge_id": refund["charge_id"],
        "reference": refund["reference"],
        "amount_minor": refund["amount_minor"],
        "currency": "BRL",
        "at": refund["succeeded_at"],
    })
}

#[tokio::test]
async fn only_money_that_moved_is_a_movement() {
    let shop = Shop::open().await;
    assert_eq!(movements(&shop, "", true).await, (vec![], Value::Null));
    let paid = shop.pay_with("tok_visa").await.body;
    shop.charge("att_2", "inv_2", &card("tok_fraud")).await;
    let pix = json!({ "type": "pix", "key": "any" });
    shop.charge("att_3", "inv_3", &pix).await;
    let pix = shop.charge("att_4", "inv_4", &pix).await.body;
    let pay = format!("/charges/{}/pay", pix["id"].as_str().unwrap());
    shop.post(&pay, &json!({ "amount_minor": 20_000 })).await;
    // Twice is one capture of both.
    let overpaid = shop.post(&pay, &json!({ "amount_minor": 5 })).await.body;
    let part = refund(&shop, &paid, "rfd_1", 345).await;
    shop.control(&json!({ "refund_outcome": "failed" })).await;
    refund(&shop, &paid, "rfd_2", 1).await;
    shop.control(&json!({ "refund_outcome": "pending" })).await;
    refund(&shop, &paid, "rfd_3", 2).await;

    let mut expected = vec![capture_of(&paid, 12_345), capture_of(&overpaid, 20_005), movement_of(&part)];
    expected.sort_by_key(|entry| entry["at"].as_i64());
    assert_eq!(movements(&shop, "", true).await, (expected.clone(), Value::Null));
    assert_eq!(movements(&shop, "", false).await.0, expected);

    // The pending one is a movement as soon as it has succeeded.
    shop.inbox.wait_for(9).await;
    let late = shop.get("/refunds?reference=rfd_3").await.body["data"][0].clone();
    expected.push(movement_of(&late));
    assert_eq!(movements(&shop, "", true).await.0, expected);
}

#[tokio::test]
async fn the_window_begins_with_from_and_ends_before_to() {
    let shop = Shop::open().await;
    let charge = shop.pay_with("tok_visa").await.body;
    let at = charge["payments"][0]["paid_at"].as_i64().unwrap();
    for (from, to, expected) in [(at, at + 1, 1), (at + 1, at + HOUR, 0), (at - HOUR, at, 0), (at, at, 0)] {
        let told = shop.get(&format!("/movements?from={from}&to={to}")).await.body;
        assert_eq!(told["data"].as_array().unwrap().len(), expected, "from {from} to {to}, {at}");
    }
}

#[tokio::test]
async fn pages_are_the_whole_list_in_order() {
    let shop = Shop::open().await;
    let mut charges = Vec::new();
    for number in 0..5 {
        // The later ones happened earlier.
        shop.control(&json!({ "clock_offset_s": -60 * number })).await;
        let attempt = format!("att_{number}");
        charges.push(shop.charge(&attempt, "inv_1", &card("tok_visa")).await.body);
    }
    let back = refund(&shop, &charges[4], "rfd_1", 345).await;
    let mut expected: Vec<Value> = charges.iter().rev().map(|charge| capture_of(charge, 12_345)).collect();
    expected.insert(1, movement_of(&back));
    assert_eq!(movements(&shop, "", true).await, (expected.clone(), Value::Null));

    for limit in 1..=7 {
        let (mut all, mut more) = (Vec::new(), format!("&limit={limit}"));
        loop {
            let (page, next) = movements(&shop, &more, true).await;
            assert!(page.len() <= limit);
            all.extend(page);
            let Some(cursor) = next.as_str() else { break };
            more = format!("&limit={limit}&cursor={cursor}");
        }
        assert_eq!(all, expected, "{limit} a page");
    }
    for wrong in ["limit=0", "limit=101", "limit=x", "cursor=", "cursor=x.y.z", "cursor=1.2"] {
        let told = shop.get(&format!("/movements?from=0&to=1&{wrong}")).await;
        assert_eq!((told.status, &told.body["error"]["code"]), (400, &json!("invalid_query")), "{wrong}");
    }
    assert_eq!(shop.get("/movements").await.status, 400);
}

#[tokio::test]
async fn the_merchant_needs_its_key_and_has_the_outages() {
    let shop = Shop::open().await;
    let path = "/movements?from=0&to=1";
    assert_eq!(tell(shop.request(Method::GET, path).bearer_auth("wrong")).await.status, 401);
    assert_eq!(tell(shop.request(Method::GET, path).bearer_auth(API_KEY)).await.status, 200);
    shop.control(&json!({ "down": true })).await;
    assert_eq!(shop.merchant_get(path).await.status, 503);
    assert_eq!(shop.get(path).await.status, 200);
}

#[tokio::test]
async fn lies_about_movements_are_told_to_the_merchant_alone() {
    let shop = Shop::open().await;
    let charge = shop.pay_with("tok_visa").await.body;
    let other = shop.charge("att_2", "inv_2", &card("tok_visa")).await.body;
    let back = refund(&shop, &charge, "rfd_1", 345).await;
    let (truth, _) = movements(&shop, "", false).await;
    let place = |id: &Value| truth.iter().position(|entry| entry["id"] == *id).unwrap();
    assert_eq!((truth.len(), place(&charge["id"]) < place(&back["id"])), (3, true));

    // A refund is lied about by its own id.
    for id in [&charge["id"], &other["id"], &back["id"]] {
        for (lie, field, value) in [
            (json!({ "amount_minor": 7 }), "amount_minor", json!(7)),
            (json!({ "amount_minor": 7, "captured_minor": 8 }), "amount_minor", json!(8)),
            (json!({ "currency": "USD" }), "currency", json!("USD")),
            (json!({ "reference": "somebody else's" }), "reference", json!("somebody else's")),
        ] {
            let mut lie = lie;
            lie["charge_ids"] = json!([id]);
            shop.control(&json!({ "lie": lie })).await;
            let mut told = truth.clone();
            told[place(id)][field] = value;
            assert_eq!(movements(&shop, "", true).await.0, told, "{lie}");
            assert_eq!(movements(&shop, "", false).await.0, truth);
        }
        shop.control(&json!({ "lie": { "charge_ids": [id], "missing": true } })).await;
        let mut told = truth.clone();
        told.remove(place(id));
        assert_eq!(movements(&shop, "", true).await.0, told);
        // What is missing leaves no gap in a page.
        let (page, next) = movements(&shop, "&limit=2", true).await;
        assert_eq!((page, next), (told, Value::Null));
    }
    shop.control(&json!({ "lie": { "missing": true } })).await;
    assert_eq!(movements(&shop, "", true).await.0, [] as [Value; 0]);
    assert_eq!(movements(&shop, "", false).await.0, truth);
}

#[tokio::test]
async fn movements_can_be_invented() {
    let shop = Shop::open().await;
    let charge = shop.pay_with("tok_visa").await.body;
    let at = charge["payments"][0]["paid_at"].as_i64().unwrap();
    let invented = |at: i64| {
        json!({
            "kind": "refund", "id": "re_invented", "charge_id": "ch_invented", "reference": "rfd_invented",
            "amount_minor": 5, "currency": "XXX", "at": at,
        })
    };
    let lies = [invented(at + 60), invented(at - 60), invented(at - 2 * HOUR)];
    shop.control(&json!({ "lie": { "movements": lies } })).await;
    let truth = vec![capture_of(&charge, 12_345)];
    assert_eq!(movements(&shop, "", false).await.0, truth);
    let told = [invented(at - 60), truth[0].clone(), invented(at + 60)];
    assert_eq!(movements(&shop, "", true).await.0, told);
    // The charge itself is told as it is.
    let path = format!("/charges/{}", charge["id"].as_str().unwrap());
    assert_eq!(shop.merchant_get(&path).await.body, charge);

    let half = json!({ "lie": { "movements": [{ "kind": "capture" }] } });
    assert_eq!(shop.post("/control", &half).await.status, 422);
}

fn unix_now() -> i64 {
    let elapsed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    elapsed.as_secs().try_into().unwrap()
}
