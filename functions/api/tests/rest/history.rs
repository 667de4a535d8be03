use crate::world::{BY_OPERATOR, Says, World, attempt_of};
use fatura_domain::charge::FailureClass;
use serde_json::{Value, json};

fn transition(at: &str, by: &str, status: &str, cause: &str) -> Value {
    json!({"at": at, "by": by, "type": "transition", "status": status, "cause": cause, "attempt": null})
}

#[tokio::test]
async fn everything_that_happened_is_told_with_who_asked_for_it() {
    let world = World::new().await;
    let invoice = world.charged(&world.payer().await, Says::Declined(FailureClass::DoNotHonor)).await;
    let method = world.show(&invoice).await["payment_method_id"].clone();
    world.wait(60);
    world.gateway.says(Says::Yes);
    world.post(&format!("/v1/invoices/{invoice}/requeue"), json!({})).await.expect(202);
    world.collect_all().await;

    let (first, later) = ("2026-11-02T12:00:00.000Z", "2026-11-02T12:01:00.000Z");
    let attempt = |number: u8, at: &str, status: &str, failure: Value| {
        let id = attempt_of(&invoice, number);
        json!({"at": at, "by": "sandbox", "type": "attempt", "status": null, "cause": null, "attempt": {
            "id": id, "number": number, "gateway": "sandbox", "payment_method_id": method, "status": status,
            "routing": {"by": "priority", "rule": null, "version": 0},
            "failure": failure, "idempotency_key": id, "gateway_reference": "ch_1", "started_at": at, "finished_at": at,
        }})
    };
    let refused = json!({
        "class": "do_not_honor", "code": "do_not_honor", "raw_code": "51", "message": "the bank said no",
        "retry": "other_gateway",
    });
    let history = world.get(&format!("/v1/invoices/{invoice}/history")).await.expect(200);
    assert_eq!(
        history,
        json!({"next_cursor": null, "data": [
            transition(later, "gateway", "paid", "charge_succeeded"),
            attempt(2, later, "succeeded", Value::Null),
            transition(later, BY_OPERATOR, "pending", "requeued"),
            transition(first, "gateway", "charged_with_error", "charge_failed"),
            attempt(1, first, "declined", refused),
            transition(first, BY_OPERATOR, "pending", "charge_requested"),
            transition(first, BY_OPERATOR, "draft", "created"),
        ]})
    );
    let attempts = world.get(&format!("/v1/invoices/{invoice}/attempts")).await.expect(200);
    assert_eq!(attempts["data"], json!([history["data"][1]["attempt"], history["data"][4]["attempt"]]));
}

#[tokio::test]
async fn what_is_under_way_is_told_too() {
    let world = World::new().await;
    let invoice = world.charged(&world.payer().await, Says::Unknown).await;
    world.wait(60);
    let history = world.get(&format!("/v1/invoices/{invoice}/history")).await.expect(200);
    let entries = history["data"].as_array().unwrap();
    let types: Vec<_> = entries.iter().map(|entry| entry["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["attempt", "transition", "transition"]);
    let live = &entries[0];
    assert_eq!(live["at"], "2026-11-02T12:00:00.000Z");
    assert_eq!(
        (&live["attempt"]["status"], &live["attempt"]["finished_at"]),
        (&json!("unknown"), &Value::Null)
    );
    assert_eq!(
        world.show(&invoice).await["next_action"],
        json!({"action": "ask_gateway", "at": "2026-11-02T12:01:00.000Z", "because": "unknown"})
    );
}
