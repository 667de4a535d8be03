use crate::world::{World, plan};
use serde_json::{Value, json};

fn ids(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|thing| thing["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_list_is_read_page_by_page() {
    let world = World::new().await;
    let customer = world.payer().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.insert(0, world.invoice(&customer).await);
        world.wait(60);
    }
    let path = format!("/v1/invoices?customer_id={customer}&status=draft&limit=2");
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("{path}{cursor}")).await.expect(200);
        seen.extend(ids(&page).into_iter().map(str::to_owned));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, made, "newest first");

    let all = world.get("/v1/invoices?status=draft").await.expect(200);
    made.reverse();
    assert_eq!(ids(&all), made, "oldest first");
    let range = format!(
        "/v1/invoices?customer_id={customer}&created_from=2026-11-02T12:01:00Z&created_to=2026-11-02T12:03:00Z"
    );
    assert_eq!(ids(&world.get(&range).await.expect(200)), [&*made[2], &*made[1]]);
}

#[tokio::test]
async fn a_cursor_belongs_to_its_query() {
    let world = World::new().await;
    let customer = world.payer().await;
    for _ in 0..3 {
        world.invoice(&customer).await;
    }
    let query = format!("/v1/invoices?customer_id={customer}&status=draft");
    let cursor =
        world.get(&format!("{query}&limit=1")).await.expect(200)["next_cursor"].as_str().unwrap().to_owned();
    world
        .get(&format!("/v1/invoices?limit=2&cursor={cursor}&status=draft&customer_id={customer}"))
        .await
        .expect(200);
    let tampered = format!("{}{}", &cursor[..cursor.len() - 4], "AAAA");
    for other in [
        format!("/v1/invoices?customer_id={customer}&cursor={cursor}"),
        format!("/v1/invoices?status=draft&cursor={cursor}"),
        format!("/v1/customers/{customer}/transactions?cursor={cursor}"),
        format!("/v1/customers/{customer}/payment-methods?cursor={cursor}"),
        format!("{query}&cursor={tampered}"),
        format!("{query}&cursor=AAAA"),
        format!("{query}&cursor=%00"),
        format!("{query}&cursor={}", "A".repeat(5_000)),
    ] {
        assert_eq!(world.get(&other).await.code(), (400, "invalid_cursor"), "{other}");
    }
}

#[tokio::test]
async fn every_fault_of_a_query_is_named() {
    let world = World::new().await;
    let customer = world.customer().await;
    let bad = "limit=0&from=today&to=x&min_amount=-1&max_amount=1,5&currency=brl&type=gift&status=done&item=&gateway=A&payment_method_type=cash&page=2";
    let mut faults = world.get(&format!("/v1/customers/{customer}/transactions?{bad}")).await.faults();
    faults.sort_unstable();
    assert_eq!(
        faults,
        [
            "currency must be a currency code of ISO 4217, such as BRL",
            "from must be a time of RFC 3339, such as 2026-11-02T12:00:00Z",
            "gateway must be the name of a gateway, such as sandbox",
            "item must not be empty",
            "limit must be 1 to 100",
            "max_amount must be a decimal number, such as \"12.50\"",
            "min_amount must not be negative",
            "page is not a parameter of this request",
            "payment_method_type must be one of: credit_card, pix",
            "status must be one of: pending, succeeded, failed",
            "to must be a time of RFC 3339, such as 2026-11-02T12:00:00Z",
            "type must be one of: charge, refund, chargeback, reinstatement, wallet, orphan, journal",
        ]
    );
    for (query, fault) in [
        ("/v1/invoices", "status is required without customer_id"),
        (
            "/v1/invoices?status=open",
            "status must be one of: draft, pending, paid, charged_with_error, canceled, refunded, in_protest, chargeback, uncollectible",
        ),
        (
            "/v1/invoices?status=paid&failure_class=soft",
            "failure_class must be one of: not_sent, unknown, insufficient_funds, do_not_honor, generic, issuer_unavailable, hard, authentication_required, suspected_fraud, currency_mismatch, configuration, customer_not_found, pix_expired, duplicate, amount_mismatch, risk_declined",
        ),
        (
            "/v1/attention?kind=odd",
            "kind must be one of: unknown_outcome, amount_mismatch, orphan_payment, refund_failed, cannot_charge, dispute_after_refund, contest_unanswered, dispute_outcome_unknown, reconciliation_difference, webhook_mismatch, bill_awaits_rates, bill_not_charged, merchant_not_settled, webhook_endpoint_disabled, risk_review",
        ),
        ("/v1/bills", "status is required without customer_id"),
        ("/v1/bills?status=draft", "status must be one of: open, closing, closed, canceled"),
        ("/v1/invoices?status=paid&status=paid", "status must be given once"),
        ("/v1/invoices?status=paid&limit=101", "limit must be 1 to 100"),
        (
            "/v1/invoices?status=paid&created_from=2026-01-02T00:00:00Z&created_to=2026-01-01T00:00:00Z",
            "created_to must be after created_from",
        ),
    ] {
        assert_eq!(world.get(query).await.faults(), [fault], "{query}");
    }
    let path = format!("/v1/customers/{customer}/transactions?currency=BRL&min_amount=1.005");
    assert_eq!(world.get(&path).await.faults(), ["min_amount must have at most 2 decimals in BRL"]);
}

#[tokio::test]
async fn transactions_are_found_by_any_filters_together() {
    let world = World::new().await;
    let customer = world.payer().await;
    for (name, price) in [("Coffee", "10.00"), ("Tea", "20.00"), ("Green tea", "30.00")] {
        let mut body = plan(&customer);
        body["items"] = json!([{"description": name, "quantity": 1, "unit_price": price}]);
        body["auto_charge"] = json!(true);
        world.post("/v1/invoices", body).await.expect(202);
        world.collect().await;
        world.wait(60);
    }
    let path = format!("/v1/customers/{customer}/transactions");
    for (query, amounts) in [
        ("", vec!["30.00", "20.00", "10.00"]),
        ("item=TEA", vec!["30.00", "20.00"]),
        (
            "item=tea&max_amount=20&type=charge&currency=BRL&gateway=sandbox&payment_method_type=credit_card",
            vec!["20.00"],
        ),
        (
            "min_amount=10.01&to=2026-11-02T12:02:00Z&from=2026-11-02T12:00:00Z&status=succeeded",
            vec!["20.00"],
        ),
        ("type=refund", vec![]),
        ("currency=USD", vec![]),
        ("status=failed", vec![]),
    ] {
        let list = world.get(&format!("{path}?{query}")).await.expect(200);
        let found: Vec<_> = list["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|t| t["amount"]["amount"].as_str().unwrap())
            .collect();
        assert_eq!(found, amounts, "{query}");
    }
}
