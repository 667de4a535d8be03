use crate::bills::{credit, fee, month_in_dollars};
use crate::world::{BY_OPERATOR, World, steps};
use serde_json::{Value, json};

fn indicative(amount: &str, gel: &str, at: &str, age: i64, stale: bool) -> Value {
    json!({
        "currency": "USD", "amount": amount, "rates": {"GEL": gel}, "rate_source": "open_exchange_rates",
        "rates_at": at, "indicative": true, "rates_age_seconds": age, "stale": stale,
    })
}

/// 27.30 lari and 10 dollars.
async fn gel_and_usd(world: &World) -> String {
    let bill = world.bill(month_in_dollars(&world.payer().await)).await;
    world.append(&bill, fee("27.30", "GEL")).await.expect(201);
    world.append(&bill, fee("10", "USD")).await.expect(201);
    bill
}

const HALF_PAST: &str = "2026-11-02T11:30:00.000Z";

#[tokio::test]
async fn many_currencies_are_shown_and_settled_as_one() {
    let world = World::new().await;
    world.rates.dollar_is(&[("GEL", "2.73")]);
    let bill = gel_and_usd(&world).await;
    let open = world.shown_bill(&bill).await;
    assert_eq!(open["total"]["by_currency"], json!({"GEL": "27.30", "USD": "10.00"}));
    assert_eq!(
        open["total"]["converted"],
        indicative("20.00", "0.3663003663003663", HALF_PAST, 1_800, false)
    );
    let listed = world.get(&format!("/v1/bills?customer_id={}", open["customer_id"].as_str().unwrap())).await;
    assert_eq!(listed.expect(200)["data"][0], open);

    world.wait(3_601);
    world.rates.dollar_is(&[("GEL", "2.6")]);
    let closed = world.close_bill(&bill).await.expect(200);
    assert_eq!(
        closed["total"]["converted"],
        json!({
            "currency": "USD", "amount": "20.50", "rates": {"GEL": "0.384615384615384615"},
            "rate_source": "open_exchange_rates", "rates_at": "2026-11-02T12:30:01.000Z", "indicative": false,
        }),
        "by the rates of the close"
    );
    let made = &closed["settlement"]["invoices"];
    let invoice = made[0]["invoice_id"].as_str().unwrap();
    assert_eq!(made, &json!([{"amount": "20.50", "currency": "USD", "invoice_id": invoice}]));
    assert_eq!(world.show(invoice).await["total"], json!({"amount": "20.50", "currency": "USD"}));

    world.wait(7_200);
    world.rates.dollar_is(&[("GEL", "5")]);
    assert_eq!(world.shown_bill(&bill).await, closed, "and never again otherwise");
}

#[tokio::test]
async fn where_nothing_is_foreign_nobody_asks_for_rates() {
    let world = World::new().await;
    let bill = world.bill(month_in_dollars(&world.payer().await)).await;
    world.append(&bill, fee("10", "USD")).await.expect(201);
    world.append(&bill, fee("1", "GEL")).await.expect(201);
    world.append(&bill, credit("-1", "GEL")).await.expect(201);
    let open = &world.shown_bill(&bill).await["total"];
    assert_eq!(open["by_currency"], json!({"GEL": "0.00", "USD": "10.00"}));
    assert_eq!(
        open["converted"],
        json!({
            "currency": "USD", "amount": "10.00", "rates": {}, "rate_source": null, "rates_at": null,
            "indicative": true, "rates_age_seconds": 0, "stale": false,
        })
    );
    let closed = world.close_bill(&bill).await.expect(200);
    assert_eq!(
        closed["total"]["converted"],
        json!({
            "currency": "USD", "amount": "10.00", "rates": {}, "rate_source": null, "rates_at": null,
            "indicative": false,
        })
    );
    assert_eq!(closed["settlement"]["invoices"][0]["amount"], "10.00");
}

#[tokio::test]
async fn old_rates_serve_on_and_say_so_until_they_are_none() {
    let world = World::new().await;
    world.rates.dollar_is(&[("GEL", "2.73")]);
    let bill = gel_and_usd(&world).await;
    world.rates.falls_silent();
    world.wait(3_600);
    assert_eq!(
        world.shown_bill(&bill).await["total"]["converted"],
        indicative("20.00", "0.3663003663003663", HALF_PAST, 5_400, true)
    );
    world.wait(48 * 3_600);
    let total = &world.shown_bill(&bill).await["total"];
    assert_eq!(total["converted"], Value::Null);
    assert_eq!(total["by_currency"], json!({"GEL": "27.30", "USD": "10.00"}), "the rest still comes");
}

#[tokio::test]
async fn without_rates_a_closed_bill_waits_and_somebody_is_told() {
    let world = World::new().await;
    let bill = gel_and_usd(&world).await;
    let closed = world.close_bill(&bill).await.expect(200);
    let waiting = json!({
        "status": "awaiting_rates", "invoices": [], "carried": [], "awaits_bill": false, "settled_at": null,
    });
    assert_eq!((&closed["settlement"], &closed["total"]["converted"]), (&waiting, &Value::Null));
    let matters = world.get("/v1/attention?kind=bill_awaits_rates").await.expect(200);
    let matter = &matters["data"][0];
    assert_eq!((&matter["bill_id"], &matter["invoice_id"]), (&json!(bill), &Value::Null));

    world.rates.dollar_is(&[("GEL", "2.73")]);
    world.pass(60).await;
    let settled = world.shown_bill(&bill).await;
    assert_eq!(
        (&settled["settlement"]["status"], &settled["total"]["converted"]["amount"]),
        (&json!("settled"), &json!("20.00"))
    );
    assert_eq!(steps(&settled), ["created", "close_requested", "counted", "rates_frozen", "settled"]);
    let ended = world.get(&format!("/v1/attention/{}", matter["id"].as_str().unwrap())).await.expect(200);
    assert_eq!((&ended["status"], &ended["closed_by"]), (&json!("closed"), &Value::Null));
}

#[tokio::test]
async fn whoever_does_not_want_to_wait_settles_each_currency() {
    let world = World::new().await;
    let bill = gel_and_usd(&world).await;
    world.close_bill(&bill).await.expect(200);
    let path = format!("/v1/bills/{bill}/forgo-rates");
    let first = world.post_as("k", &path, json!({})).await;
    let again = world.post_as("k", &path, json!({})).await;
    assert_eq!((again.header("idempotent-replayed"), &again.text), ("true", &first.text));
    let settled = first.expect(200);
    assert_eq!(settled, world.shown_bill(&bill).await);
    assert_eq!(settled["total"]["converted"], Value::Null);
    let amounts: Vec<Value> = settled["settlement"]["invoices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| json!([one["amount"], one["currency"]]))
        .collect();
    assert_eq!(amounts, [json!(["27.30", "GEL"]), json!(["10.00", "USD"])]);
    assert_eq!(steps(&settled), ["created", "close_requested", "counted", "rates_forgone", "settled"]);
    assert_eq!(settled["history"][3]["by"], BY_OPERATOR);
    assert_eq!(world.get("/v1/attention").await.expect(200)["data"], json!([]));
}

#[tokio::test]
async fn what_no_gateway_takes_is_somebodys_to_look_at() {
    let world = World::new().await;
    let bill = world.bill(month_in_dollars(&world.payer().await)).await;
    world.append(&bill, fee("10", "USD")).await.expect(201);
    let off = json!({"enabled": false, "priority": 1, "payment_method_types": ["credit_card", "pix"]});
    world.change(http::Method::PUT, "/v1/gateways/sandbox", None, off).await.expect(200);
    world.wait(60);
    let closed = world.close_bill(&bill).await.expect(200);
    let invoice = &closed["settlement"]["invoices"][0]["invoice_id"];
    let matter = &world.get("/v1/attention?kind=bill_not_charged").await.expect(200)["data"][0];
    assert_eq!((&matter["bill_id"], &matter["invoice_id"]), (&json!(bill), invoice));
    assert_eq!(matter["amount"], json!({"amount": "10.00", "currency": "USD"}));
    assert_eq!(world.show(invoice.as_str().unwrap()).await["next_action"]["action"], "await_payment_method");
}
