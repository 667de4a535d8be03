use crate::bills::{fee, month};
use crate::world::{Answer, World};
use http::Method;
use serde_json::{Value, json};

fn named(reference: &str, price: &str) -> Value {
    let mut line = fee(price, "USD");
    line["reference"] = json!(reference);
    line
}

/// Without any key: none is needed.
async fn append(world: &World, bill: &str, lines: &[Value]) -> Answer {
    let request = world.request(Method::POST, &format!("/v1/bills/{bill}/line-items:batch"));
    world.send(request, Some(json!({"line_items": lines}))).await
}

fn many(count: usize) -> Vec<Value> {
    (0..count).map(|place| named(&format!("r{place:03}"), "0.10")).collect()
}

#[tokio::test]
async fn a_hundred_line_items_are_one_request() {
    let world = World::new().await;
    let bill = world.bill(month(&world.customer().await)).await;
    let answer = append(&world, &bill, &many(100)).await;
    assert_eq!((answer.status, answer.header("idempotent-replayed")), (201, ""), "{}", answer.text);
    assert_eq!(answer.body["line_item_count"], 100);
    assert_eq!(answer.body["total"]["by_currency"], json!({"USD": "10.00"}));
    let list = world.get(&format!("/v1/bills/{bill}/line-items?limit=100")).await.expect(200);
    assert_eq!(list["data"], answer.body["line_items"], "in the same order");
    assert_eq!(list["data"].as_array().unwrap().len(), 100);

    let again = append(&world, &bill, &many(100)).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (201, "true"));
    assert_eq!(again.body, answer.body);
    let mut more = many(2);
    more.push(named("r100", "0.10"));
    let some = append(&world, &bill, &more).await;
    assert_eq!((some.status, some.header("idempotent-replayed")), (201, ""), "one of them is new");
    assert_eq!(
        (&some.body["line_item_count"], some.body["line_items"].as_array().unwrap().len()),
        (&json!(101), 3)
    );
    assert_eq!(
        append(&world, &bill, &many(101)).await.faults(),
        ["line_items must have at most 100 entries"]
    );
}

#[tokio::test]
async fn two_that_say_the_same_are_one() {
    let world = World::new().await;
    let bill = world.bill(month(&world.customer().await)).await;
    let twice = [named("a", "1"), named("b", "2"), named("a", "1.00")];
    let answer = append(&world, &bill, &twice).await.expect(201);
    assert_eq!((&answer["line_item_count"], answer["line_items"].as_array().unwrap().len()), (&json!(2), 2));
    let contrary = [named("c", "1"), named("d", "2"), named("c", "2")];
    assert_eq!(
        append(&world, &bill, &contrary).await.faults(),
        ["line_items[2].reference is that of another line item of this batch"]
    );
    let taken = append(&world, &bill, &[named("e", "1"), named("a", "3")]).await;
    assert_eq!(taken.code(), (409, "conflict"));
    let detail = taken.body["detail"].as_str().unwrap();
    assert!(detail.ends_with("another line item of this bill: line_items[1]"), "{detail}");
    assert_eq!(world.shown_bill(&bill).await["line_item_count"], 2, "none of a batch that was refused");
}

#[tokio::test]
async fn every_fault_of_a_batch_is_named_by_its_place() {
    let world = World::new().await;
    let bill = world.bill(month(&world.customer().await)).await;
    let mut lines = many(4);
    lines[0] = fee("1", "USD");
    lines[1]["reference"] = Value::Null;
    lines[1]["quantity"] = json!(0);
    lines[2] = json!(7);
    lines[3]["quantity"] = json!(1_000_001);
    lines[3]["unit_price"] = json!("-1");
    lines[3]["odd"] = json!(1);
    assert_eq!(
        append(&world, &bill, &lines).await.faults(),
        [
            "line_items[0].reference is required in a batch",
            "line_items[1].reference is required in a batch",
            "line_items[1].quantity must be greater than 0",
            "line_items[2] must be an object",
            "line_items[3].quantity must be at most 1000000",
            "line_items[3].unit_price must not be negative, unless the kind is credit",
            "line_items[3].odd is not a member of this request",
        ]
    );
    let mut large = many(2);
    for (name, value) in
        [("quantity", json!(1_000_000)), ("unit_price", json!(1_000_000)), ("currency", json!("CLF"))]
    {
        large[1][name] = value;
    }
    let refused = append(&world, &bill, &large).await.faults();
    assert!(refused.len() == 1 && refused[0].starts_with("line_items[1] has a total that"), "{refused:?}");
    let path = format!("/v1/bills/{bill}/line-items:batch");
    for (body, fault) in [
        (json!({}), "line_items is required"),
        (json!({"line_items": []}), "line_items must have at least 1 entry"),
        (json!({"line_items": null}), "line_items must be a list"),
        (json!({"line_items": [null]}), "line_items[0] must be an object"),
    ] {
        assert_eq!(world.post(&path, body).await.faults(), [fault]);
    }
    let mut outside = many(3);
    outside[1]["occurred_at"] = json!("2026-12-01T00:00:00Z");
    outside[2]["occurred_at"] = json!("2026-10-31T00:00:00Z");
    assert_eq!(
        append(&world, &bill, &outside).await.faults(),
        [
            "line_items[1].occurred_at must be within the bill's period",
            "line_items[2].occurred_at must be within the bill's period",
        ]
    );
    assert_eq!(world.shown_bill(&bill).await["line_item_count"], 0, "nothing of any of them");
}

#[tokio::test]
async fn a_batch_that_the_close_cuts_short_says_what_is_in_the_bill() {
    let world = World::new().await;
    let bill = world.bill(month(&world.payer().await)).await;
    append(&world, &bill, &many(2)).await.expect(201);
    world.close_bill(&bill).await.expect(200);
    let cut = append(&world, &bill, &many(3)).await;
    assert_eq!(cut.code(), (422, "failed_precondition"));
    assert_eq!(cut.body["details"], json!({"status": "closed", "accepted": ["r000", "r001"]}));
    let all_there = append(&world, &bill, &many(2)).await;
    assert_eq!((all_there.status, all_there.header("idempotent-replayed")), (201, "true"));
    assert_eq!(all_there.body["status"], "closed");
    let late = append(&world, &bill, &[named("new", "1")]).await;
    assert_eq!(
        (late.code(), &late.body["details"]),
        ((422, "failed_precondition"), &json!({"status": "closed"}))
    );
}

#[tokio::test]
async fn a_batch_is_told_of_what_contradicts_it_before_it_is_told_of_the_close() {
    let world = World::new().await;
    let bill = world.bill(month(&world.payer().await)).await;
    append(&world, &bill, &[named("a", "1")]).await.expect(201);
    world.close_bill(&bill).await.expect(200);
    let contrary = append(&world, &bill, &[named("a", "9"), named("b", "1")]).await;
    assert_eq!(contrary.code(), (409, "conflict"), "{}", contrary.text);
}

#[tokio::test]
async fn a_batch_that_is_too_much_says_so_and_what_is_in() {
    let world = World::new().await;
    let bill = world.bill(month(&world.customer().await)).await;
    // 10^15 minor units each: a shard takes one of them.
    let huge = |place: usize| {
        let mut line = named(&format!("h{place:02}"), "1000000");
        line["quantity"] = json!(1_000_000);
        line["currency"] = json!("KWD");
        line
    };
    let lines: Vec<Value> = (0..20).map(huge).collect();
    let full = append(&world, &bill, &lines).await;
    assert_eq!(full.code(), (422, "failed_precondition"), "{}", full.text);
    assert_eq!(full.body["details"]["status"], "open");
    let shown = world.shown_bill(&bill).await;
    let accepted = full.body["details"]["accepted"].as_array().map_or(0, Vec::len);
    assert_eq!(shown["line_item_count"], accepted, "what is in is named");
}
