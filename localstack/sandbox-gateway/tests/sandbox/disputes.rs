use crate::shop::{Shop, Told, card};
use serde_json::{Value, json};

async fn say(shop: &Shop, charge: &Value, outcome: &str) -> Told {
    shop.post(&path(charge), &json!({ "outcome": outcome })).await
}

fn path(charge: &Value) -> String {
    format!("/charges/{}/dispute", charge["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_dispute_opens_and_is_decided_once() {
    let shop = Shop::open().await;
    let charge = shop.pay_with("tok_visa").await.body;
    assert_eq!(say(&shop, &charge, "maybe").await.status, 422);
    let open = say(&shop, &charge, "open").await.body;
    let id = &open["dispute"]["id"];
    assert!(id.as_str().unwrap().starts_with("dp_"));
    assert_eq!(open["disputed"], true);
    assert_eq!(open["dispute"], json!({ "id": id, "status": "open", "amount_minor": 12_345 }));
    let won = say(&shop, &charge, "won").await.body;
    assert_eq!(won["disputed"], true);
    assert_eq!(won["dispute"], json!({ "id": id, "status": "won", "amount_minor": 12_345 }));
    assert_eq!(say(&shop, &charge, "won").await.status, 200);
    for late in ["lost", "open"] {
        let told = say(&shop, &charge, late).await;
        assert_eq!((told.status, &told.body["error"]["code"]), (409, &json!("dispute_closed")), "{late}");
    }
    let received = shop.inbox.wait_for(3).await;
    let decided = received.iter().find(|it| it.kind() == "dispute.won").unwrap();
    let data =
        json!({ "charge_id": charge["id"], "reference": "att_1", "invoice_id": "inv_1", "dispute_id": id });
    assert_eq!(decided.event()["data"], data);
    assert_eq!(kinds(&shop), ["charge.captured", "dispute.opened", "dispute.won"]);

    let declined = shop.charge("att_2", "inv_2", &card("tok_fraud")).await.body;
    assert_eq!(say(&shop, &declined, "lost").await.status, 409);
}

#[tokio::test]
async fn a_lost_dispute_may_be_won_after_all() {
    let shop = Shop::open().await;
    let charge = shop.pay_with("tok_visa").await.body;
    let lost = say(&shop, &charge, "lost").await.body;
    assert_eq!(lost["dispute"]["status"], "lost");
    assert_eq!(say(&shop, &charge, "lost").await.status, 200, "a repeat");
    assert_eq!(say(&shop, &charge, "open").await.status, 409);
    for _ in 0..2 {
        let reinstated = say(&shop, &charge, "won").await;
        assert_eq!((reinstated.status, &reinstated.body["dispute"]["status"]), (200, &json!("won")));
        assert_eq!(reinstated.body["dispute"]["id"], lost["dispute"]["id"]);
    }
    assert_eq!(say(&shop, &charge, "lost").await.status, 409, "now it is final");
    shop.inbox.wait_for(4).await;
    assert_eq!(kinds(&shop), ["charge.captured", "dispute.lost", "dispute.opened", "dispute.reinstated"]);
}

#[tokio::test]
async fn a_dispute_is_about_what_is_left_unless_it_says_so() {
    let shop = Shop::open().await;
    // Refunded before, asked for, disputed amount. Who was given everything back may go to the bank all the same.
    for (number, refunded, asked, disputed) in
        [(1, 0, None, 12_345), (2, 2_345, None, 10_000), (3, 12_345, None, 12_345), (4, 0, Some(99), 99)]
    {
        let attempt = format!("att_{number}");
        let charge = shop.charge(&attempt, "inv_1", &card("tok_visa")).await.body;
        if refunded > 0 {
            let refunds = format!("/charges/{}/refunds", charge["id"].as_str().unwrap());
            let body = json!({ "reference": "rfd", "amount_minor": refunded });
            assert_eq!(shop.merchant_post(&refunds, &attempt, &body).await.status, 201);
        }
        let order = json!({ "outcome": "open", "amount_minor": asked });
        let open = shop.post(&path(&charge), &order).await.body;
        assert_eq!(open["dispute"]["amount_minor"], disputed, "{number}");
        // What it is about was settled when it was opened.
        let order = json!({ "outcome": "lost", "amount_minor": 1 });
        let lost = shop.post(&path(&charge), &order).await.body;
        assert_eq!(lost["dispute"]["amount_minor"], disputed, "{number}");
    }
    let charge = shop.charge("att_5", "inv_1", &card("tok_visa")).await.body;
    for nonsense in [json!(0), json!(-1), json!(1.5), json!("99")] {
        let order = json!({ "outcome": "open", "amount_minor": nonsense });
        assert_eq!(shop.post(&path(&charge), &order).await.status, 422, "{nonsense}");
    }
}

/// Events may overtake one another.
fn kinds(shop: &Shop) -> Vec<String> {
    let mut kinds = shop.inbox.kinds();
    kinds.sort_unstable();
    kinds
}
