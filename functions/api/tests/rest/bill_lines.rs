use crate::bills::{START, credit, fee, month};
use crate::world::World;
use fatura_domain::SignedDuration;
use fatura_testkit::Fault;
use serde_json::{Value, json};

fn named(reference: &str, price: &str) -> Value {
    let mut line = fee(price, "USD");
    line["reference"] = json!(reference);
    line
}

async fn count(world: &World, bill: &str) -> Value {
    world.shown_bill(bill).await["line_item_count"].clone()
}

#[tokio::test]
async fn a_line_item_is_appended_and_shown() {
    let world = World::new().await;
    let bill = world.bill(month(&world.customer().await)).await;
    let line = json!({
        "description": "Transfer fee", "quantity": 2.5, "unit_price": "0.333", "currency": "USD", "kind": "fee",
        "reference": "transfer 4711", "occurred_at": "2026-11-01T08:00:00+02:00",
    });
    let answer = world.append(&bill, line).await.expect(201);
    let item = json!({
        "id": answer["line_item"]["id"], "bill_id": bill, "kind": "fee", "description": "Transfer fee",
        "quantity": "2.5", "unit_price": "0.333", "currency": "USD",
        "total": {"amount": "0.83", "currency": "USD"}, "reference": "transfer 4711", "carried_from": null,
        "occurred_at": "2026-11-01T06:00:00.000Z", "appended_at": START,
    });
    assert_eq!(answer["line_item"], item);
    let mut shown = world.shown_bill(&bill).await;
    assert_eq!(shown["total"]["by_currency"], json!({"USD": "0.83"}));
    shown["line_item"] = item.clone();
    assert_eq!(answer, shown, "the bill with it");
    world.append(&bill, fee("1", "USD")).await.expect(201);
    let list = world.get(&format!("/v1/bills/{bill}/line-items")).await.expect(200);
    let plain = &list["data"][0];
    assert_eq!((&plain["reference"], &plain["occurred_at"]), (&Value::Null, &json!(START)));
    assert_eq!((&list["data"][1], &list["next_cursor"]), (&item, &Value::Null));
}

#[tokio::test]
async fn line_items_are_listed_by_reference_each_once() {
    let world = World::new().await;
    let bill = world.bill(month(&world.customer().await)).await;
    for reference in ["c", "a", "e", "b", "d"] {
        world.append(&bill, named(reference, "1")).await.expect(201);
    }
    let path = format!("/v1/bills/{bill}/line-items?limit=2");
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("{path}{cursor}")).await.expect(200);
        let lines = page["data"].as_array().unwrap();
        seen.extend(lines.iter().map(|line| line["reference"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["a", "b", "c", "d", "e"]);
}

#[tokio::test]
async fn every_currency_has_its_own_digits() {
    let world = World::new().await;
    let bill = world.bill(month(&world.customer().await)).await;
    for (price, currency, total) in
        [("0.5", "JPY", "0"), ("1.5", "JPY", "2"), ("0.0005", "KWD", "0.000"), ("1.0015", "KWD", "1.002")]
    {
        let answer = world.append(&bill, fee(price, currency)).await.expect(201);
        assert_eq!(answer["line_item"]["total"], json!({"amount": total, "currency": currency}), "{price}");
    }
    let shown = world.shown_bill(&bill).await;
    assert_eq!(shown["total"]["by_currency"], json!({"JPY": "2", "KWD": "1.002"}), "half to even, each once");
}

#[tokio::test]
async fn what_comes_at_the_periods_end_is_too_late() {
    let world = World::new().await;
    let mut terms = month(&world.payer().await);
    terms["period_end"] = json!("2026-11-02T13:00:00Z");
    let bill = world.bill(terms).await;
    world.clock.advance(SignedDuration::from_millis(3_599_999));
    let last = world.append(&bill, fee("0.10", "USD")).await.expect(201);
    assert_eq!(last["line_item"]["appended_at"], "2026-11-02T12:59:59.999Z");
    world.clock.advance(SignedDuration::from_millis(1));
    let late = world.append(&bill, fee("0.20", "USD")).await;
    assert_eq!(late.code(), (422, "failed_precondition"));
    assert_eq!(late.body["details"], json!({"status": "open"}), "the sweep has not been here yet");
    world.pass(60).await;
    let later = world.append(&bill, fee("0.20", "USD")).await;
    assert_eq!(later.code(), (422, "failed_precondition"));
    assert_eq!(later.body["details"], json!({"status": "closed"}));
    let closed = world.shown_bill(&bill).await;
    assert_eq!(closed["total"]["by_currency"], json!({"USD": "0.10"}), "what was accepted is in it");
    assert_eq!(closed["settlement"]["invoices"][0]["amount"], "0.10");
}

#[tokio::test]
async fn every_fault_of_a_line_item_is_named() {
    let world = World::new().await;
    let bill = world.bill(month(&world.customer().await)).await;
    let faults = async |line: Value| world.append(&bill, line).await.faults();
    assert_eq!(
        faults(json!({})).await,
        ["description is required", "quantity is required", "unit_price is required", "currency is required"]
    );
    let beyond = json!({
        "quantity": "1000000.000000000001", "unit_price": -1, "currency": "XYZ", "kind": "gift", "reference": "",
        "occurred_at": "today", "total": "1",
    });
    assert_eq!(
        faults(beyond).await,
        [
            "kind must be one of: fee, credit",
            "description is required",
            "currency must be a currency code of ISO 4217, such as BRL",
            "reference must not be empty",
            "occurred_at must be a time of RFC 3339, such as 2026-11-02T12:00:00Z",
            "quantity must be at most 1000000",
            "unit_price must not be negative, unless the kind is credit",
            "total is not a member of this request",
        ]
    );
    let with = |name: &str, value: Value| {
        let mut line = fee("1", "USD");
        line[name] = value;
        line
    };
    for (line, fault) in [
        (with("quantity", json!(0)), "quantity must be greater than 0"),
        (with("quantity", json!(1_000_001)), "quantity must be at most 1000000"),
        (with("unit_price", json!("-1")), "unit_price must not be negative, unless the kind is credit"),
        (with("unit_price", json!(1_000_001)), "unit_price must be at most 1000000"),
        (credit("1", "USD"), "unit_price must not be positive where the kind is credit"),
        (credit("-1000001", "USD"), "unit_price must be at least -1000000"),
        (
            with("occurred_at", json!("2026-10-31T23:59:59.999Z")),
            "occurred_at must be within the bill's period",
        ),
        (with("occurred_at", json!("2026-12-01T00:00:00Z")), "occurred_at must be within the bill's period"),
        (with("reference", json!("r".repeat(201))), "reference must have at most 200 characters"),
    ] {
        assert_eq!(faults(line.clone()).await, [fault], "{line}");
    }
    let mut large = with("quantity", json!(1_000_000));
    (large["unit_price"], large["currency"]) = (json!(1_000_000), json!("CLF"));
    let refused = world.append(&bill, large.clone()).await.faults();
    assert!(refused.len() == 1 && refused[0].starts_with("body has a total that"), "{refused:?}");
    large["currency"] = json!("USD");
    let largest = world.append(&bill, large).await.expect(201);
    assert_eq!(largest["line_item"]["total"]["amount"], "1000000000000.00");
    for free in [fee("0", "USD"), credit("0", "USD"), credit("-1000000", "USD")] {
        world.append(&bill, free).await.expect(201);
    }
    assert_eq!(count(&world, &bill).await, 4);
}

#[tokio::test]
async fn without_a_reference_the_key_tells_one_line_item_from_another() {
    let world = World::new().await;
    let bill = world.bill(month(&world.customer().await)).await;
    let path = format!("/v1/bills/{bill}/line-items");
    let first = world.post_as("k", &path, fee("1", "USD")).await;
    let again = world.post_as("k", &path, fee("1", "USD")).await;
    assert_eq!((again.status, again.header("idempotent-replayed"), &again.text), (201, "true", &first.text));
    assert_eq!(world.post_as("k", &path, fee("2", "USD")).await.code(), (422, "idempotency_key_reused"));
    world.post_as("other", &path, fee("1", "USD")).await.expect(201);
    assert_eq!(count(&world, &bill).await, 2);
    world.close_bill(&bill).await.expect(200);
    let late = world.post_as("k", &path, fee("1", "USD")).await;
    assert_eq!(
        (late.header("idempotent-replayed"), &late.text),
        ("true", &first.text),
        "whatever came since"
    );
}

#[tokio::test]
async fn the_same_reference_is_the_same_line_item() {
    let world = World::new().await;
    let bill = world.bill(month(&world.customer().await)).await;
    let path = format!("/v1/bills/{bill}/line-items");
    let send = async |line: Value| world.send(world.request(http::Method::POST, &path), Some(line)).await;
    let first = send(named("r", "1.5")).await;
    assert_eq!((first.status, first.header("idempotent-replayed")), (201, ""), "without any key");
    let mut nameless = fee("1.5", "USD");
    assert_eq!(send(nameless.clone()).await.code(), (400, "idempotency_key_missing"));
    nameless["reference"] = Value::Null;
    assert_eq!(send(nameless).await.code(), (400, "idempotency_key_missing"));
    world.wait(60);
    let mut same = named("r", "1.50");
    same["kind"] = json!("fee");
    let again = send(same).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (201, "true"));
    assert_eq!(again.body["line_item"], first.body["line_item"]);
    assert_eq!(again.body["line_item_count"], 1);

    let other = send(named("r", "2")).await;
    assert_eq!(other.code(), (409, "conflict"));
    assert_eq!(other.body["detail"], "the reference is that of another line item of this bill");
    let elsewhere = world.bill(month(&world.customer().await)).await;
    world.append(&elsewhere, named("r", "2")).await.expect(201);

    world.close_bill(&bill).await.expect(200);
    let late = send(named("r", "1.5")).await;
    assert_eq!((late.status, late.header("idempotent-replayed")), (201, "true"), "what it has it has");
    assert_eq!((&late.body["status"], &late.body["line_item_count"]), (&json!("closed"), &json!(1)));
    assert_eq!(send(named("r2", "1.5")).await.code(), (422, "failed_precondition"));
}

#[tokio::test]
async fn many_at_once_are_all_counted() {
    let world = World::new().await;
    let bill = world.bill(month(&world.customer().await)).await;
    let lines = (0..20).map(|place| world.append(&bill, named(&format!("r{}", place % 10), "0.10")));
    let answers = futures::future::join_all(lines).await;
    let accepted = answers.iter().filter(|answer| answer.status == 201).count();
    assert!(answers.iter().all(|answer| answer.status == 201 || answer.code() == (429, "rate_limited")));
    assert!(answers.iter().all(|answer| answer.status == 201 || answer.header("retry-after") == "2"));
    assert!(accepted >= 1, "somebody gets through");
    for place in 0..10 {
        world.append(&bill, named(&format!("r{place}"), "0.10")).await.expect(201);
    }
    let shown = world.shown_bill(&bill).await;
    assert_eq!(
        (&shown["line_item_count"], &shown["total"]["by_currency"]),
        (&json!(10), &json!({"USD": "1.00"}))
    );
}

#[tokio::test]
async fn a_bill_that_is_too_hot_says_so_and_loses_nothing() {
    let world = World::new().await;
    let bill = world.bill(month(&world.customer().await)).await;
    let others_at_it = Fault::Canceled(vec!["None", "TransactionConflict", "None"]);
    // It is read, and then nothing gets through.
    world.table.faults.next([Fault::Pass]);
    world.table.faults.next_times(20, &others_at_it);
    let hot = world.append(&bill, named("r", "1")).await;
    assert_eq!((hot.code(), hot.header("retry-after")), ((429, "rate_limited"), "2"));
    assert!(world.table.faults.left() > 0, "it gives up at some time");
    world.table.faults.clear();
    assert_eq!(count(&world, &bill).await, 0);
    world.append(&bill, named("r", "1")).await.expect(201);
    assert_eq!(count(&world, &bill).await, 1);
}

#[tokio::test]
async fn a_key_keeps_its_answer_whatever_becomes_of_the_bill() {
    let world = World::new().await;
    let bill = world.bill(month(&world.payer().await)).await;
    let path = format!("/v1/bills/{bill}/line-items");
    let first = world.post_as("k", &path, named("a", "1")).await;
    world.append(&bill, named("b", "2")).await.expect(201);
    // The reference is there: the key's answer is that of the line item.
    let known = world.post_as("l", &path, named("b", "2")).await;
    assert_eq!((known.status, known.header("idempotent-replayed")), (201, "true"));
    let reused = world.post_as("l", &path, named("c", "3")).await;
    assert_eq!(reused.code(), (422, "idempotency_key_reused"));
    world.close_bill(&bill).await.expect(200);
    let again = world.post_as("k", &path, named("a", "1")).await;
    assert_eq!((again.status, again.header("idempotent-replayed"), &again.body), (201, "true", &first.body));
    let other = world.post_as("k", &path, named("b", "2")).await;
    assert_eq!(other.code(), (422, "idempotency_key_reused"));
}
