use crate::world::{World, plan};
use http::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn an_invoice_is_what_the_contract_says() {
    let world = World::new().await;
    let customer = world.customer().await;
    let mut body = plan(&customer);
    body["description"] = json!("November");
    body["metadata"] = json!({"order": "17"});
    let created = world.post("/v1/invoices", body).await.expect(201);
    let id = created["id"].as_str().unwrap();
    let code = id.strip_prefix("inv_").unwrap();
    let brl = |amount: &str| json!({"amount": amount, "currency": "BRL"});
    assert_eq!(
        created,
        json!({
            "id": id, "customer_id": customer, "status": "draft", "currency": "BRL", "description": "November",
            "items": [
                {"id": format!("li_{code}001"), "description": "Plan", "quantity": "1", "unit_price": "100.00", "total": brl("100.00")},
                {"id": format!("li_{code}002"), "description": "Seats", "quantity": "3", "unit_price": "7.35", "total": brl("22.05")},
            ],
            "total": brl("122.05"), "amount_paid": brl("0.00"), "amount_refunded": brl("0.00"),
            "payment_method_id": null, "gateway": null, "gateway_reference": null, "next_attempt_at": null, "next_action": null,
            "attempt_count": 0,
            "metadata": {"order": "17"},
            "history": [{"status": "draft", "at": "2026-11-02T12:00:00.000Z", "cause": "created", "by": "key_deployment"}],
            "created_at": "2026-11-02T12:00:00.000Z", "updated_at": "2026-11-02T12:00:00.000Z", "version": 1,
        })
    );
    let shown = world.get(&format!("/v1/invoices/{id}")).await;
    assert_eq!(shown.header("etag"), "\"1\"");
    assert_eq!(shown.expect(200), created);
}

#[tokio::test]
async fn amounts_have_exactly_their_currencys_digits() {
    let world = World::new().await;
    let customer = world.customer().await;
    for (currency, price, total) in [
        ("BRL", json!(0.1), "0.10"),
        ("BRL", json!("0.10"), "0.10"),
        ("BRL", json!("0.005"), "0.00"),
        ("BRL", json!("0.015"), "0.02"),
        ("JPY", json!("1000"), "1000"),
        ("KWD", json!("1.2345"), "1.234"),
        ("BRL", serde_json::from_str("90071992547409.91").unwrap(), "90071992547409.91"),
    ] {
        let body = json!({
            "customer_id": customer, "currency": currency,
            "items": [{"description": "a", "quantity": "1.0", "unit_price": price}],
        });
        let invoice = world.post("/v1/invoices", body).await.expect(201);
        assert_eq!(invoice["total"], json!({"amount": total, "currency": currency}));
    }
}

#[tokio::test]
async fn every_fault_of_an_invoice_is_named() {
    let world = World::new().await;
    let body = json!({
        "customer_id": "cus_1", "currency": "BRLX", "charge_at": "tomorrow", "auto_charge": 1, "status": "paid",
        "payment_method_id": "pm_1", "description": "x".repeat(501), "metadata": [],
        "items": [{"description": "", "quantity": 0, "unit_prize": "1.00"}, "two"],
    });
    let mut faults = world.post("/v1/invoices", body).await.faults();
    faults.sort_unstable();
    assert_eq!(
        faults,
        [
            "auto_charge must be true or false",
            "charge_at must be a time of RFC 3339, such as 2026-11-02T12:00:00Z",
            "currency must be a currency code of ISO 4217, such as BRL",
            "customer_id is not an id of this kind",
            "description must have at most 500 characters",
            "items[0].description must not be empty",
            "items[0].quantity must be greater than 0",
            "items[0].unit_price is required",
            "items[0].unit_prize is not a member of this request",
            "items[1] must be an object",
            "metadata must be an object of text",
            "payment_method_id is not an id of this kind",
            "status is not a member of this request",
        ]
    );
}

async fn faults_of(world: &World, customer: &str, quantity: &str, price: &str) -> Vec<String> {
    let body = format!(
        r#"{{"customer_id":"{customer}","currency":"BRL","items":[{{"description":"a","quantity":{quantity},"unit_price":{price}}}]}}"#
    );
    let request = world.request(Method::POST, "/v1/invoices").header("Idempotency-Key", "k");
    let request = request.header("Content-Type", "application/json").body(body.into()).unwrap();
    world.send_raw(request).await.faults()
}

#[tokio::test]
async fn numbers_are_exact_or_refused() {
    let world = World::new().await;
    let customer = world.customer().await;
    for (quantity, price, fault) in [
        ("-1", "1", "items[0].quantity must be greater than 0"),
        ("1e30", "1", "items[0].quantity has more digits than can be kept exactly"),
        ("\"NaN\"", "1", "items[0].quantity must be a decimal number, such as \"12.50\""),
        ("true", "1", "items[0].quantity must be a decimal, as text or as a number"),
        ("1", "null", "items[0].unit_price is required"),
        ("1", "-0.01", "items[0].unit_price must not be negative"),
        ("1", "1e999999999", "items[0].unit_price has more digits than can be kept exactly"),
        ("1", "\"0.0000000000001\"", "items[0].unit_price must have at most 12 decimals"),
        ("1", "90071992547409.92", "items[0] has a total that must be at most 9007199254740991 minor units"),
    ] {
        assert_eq!(faults_of(&world, &customer, quantity, price).await, [fault], "{quantity} × {price}");
    }
    let line = |price: &str| json!({"description": "a", "quantity": 1, "unit_price": price});
    let items = [line("90071992547409.91"), line("0.01")];
    let body = json!({"customer_id": customer, "currency": "BRL", "items": items});
    assert_eq!(
        world.post("/v1/invoices", body).await.faults(),
        ["items must be at most 9007199254740991 minor units"]
    );
}

#[tokio::test]
async fn an_invoice_has_one_to_a_hundred_lines() {
    let world = World::new().await;
    let customer = world.customer().await;
    let line = || json!({"description": "a", "quantity": 1, "unit_price": "1"});
    let with = |items: Value| json!({"customer_id": customer, "currency": "BRL", "items": items});
    let lines = |count: usize| Value::Array(std::iter::repeat_with(line).take(count).collect());
    world.post("/v1/invoices", with(lines(100))).await.expect(201);
    for (items, fault) in [
        (lines(101), "items must have at most 100 entries"),
        (json!([]), "items must have at least 1 entry"),
        (json!({}), "items must be a list"),
    ] {
        assert_eq!(world.post("/v1/invoices", with(items)).await.faults(), [fault]);
    }
}

#[tokio::test]
async fn a_draft_is_changed_by_whoever_has_seen_it() {
    let world = World::new().await;
    let customer = world.payer().await;
    let mut body = plan(&customer);
    body["description"] = json!("November");
    let path = format!("/v1/invoices/{}", world.post("/v1/invoices", body).await.created());

    let items = json!([{"description": "Plan", "quantity": 1, "unit_price": "90.00"}]);
    let amended = world.change(Method::PATCH, &path, Some("\"1\""), json!({"items": items})).await;
    assert_eq!(amended.header("etag"), "\"2\"");
    let amended = amended.expect(200);
    assert_eq!((&amended["total"]["amount"], &amended["description"]), (&json!("90.00"), &json!("November")));
    let cleared = world.change(Method::PATCH, &path, None, json!({"description": null})).await.expect(200);
    assert_eq!((&cleared["description"], &cleared["version"]), (&Value::Null, &json!(3)));

    for (tag, code) in [
        ("\"1\"", (412, "version_mismatch")),
        ("\"abc\"", (412, "version_mismatch")),
        ("W/\"3\"", (412, "version_mismatch")),
        ("3", (422, "invalid_argument")),
        ("\"3\", \"4\"", (422, "invalid_argument")),
    ] {
        assert_eq!(world.change(Method::PATCH, &path, Some(tag), json!({})).await.code(), code, "{tag}");
    }
    world.change(Method::PATCH, &path, Some("*"), json!({})).await.expect(200);
    let stranger = world.customer().await;
    let theirs = json!({"type": "pix", "key": "a@b.c"});
    let theirs = world.post(&format!("/v1/customers/{stranger}/payment-methods"), theirs).await.created();
    let foreign = world.change(Method::PATCH, &path, None, json!({"payment_method_id": theirs})).await;
    assert_eq!(foreign.faults(), ["payment_method_id is not a payment method of this customer"]);

    world.post(&format!("{path}/charge"), json!({})).await.expect(202);
    let late = world.change(Method::PATCH, &path, None, json!({"description": "x"})).await;
    assert_eq!(late.code(), (422, "failed_precondition"));
    assert_eq!(late.body["details"], json!({"status": "pending"}));
}
