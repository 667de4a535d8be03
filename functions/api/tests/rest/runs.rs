use crate::world::{BROKE, BY_OPERATOR, DAY, Says, World, attempt_of, brl, steps};
use fatura_domain::Timestamp;
use fatura_domain::charge::FailureClass;
use fatura_domain::gateway::MovementKind;
use fatura_domain::money::{Currency, Money};
use fatura_testkit::Fault;
use serde_json::{Value, json};
use std::time::Duration;

const NOW: &str = "2026-11-02T12:00:00.000Z";

fn counts() -> Value {
    json!({
        "due": 0, "enqueued": 0, "scheduled": 0, "skipped": {}, "pending": 0, "paid": 0, "failed": {}, "unknown": 0,
        "canceled": 0,
    })
}

fn counted(what: &[(&str, Value)]) -> Value {
    let mut counts = counts();
    for (name, count) in what {
        counts[*name] = count.clone();
    }
    counts
}

fn id(run: &Value) -> &str {
    run["id"].as_str().unwrap()
}

async fn billing(world: &World, run: &Value) -> Value {
    world.get(&format!("/v1/billing-runs/{}", id(run))).await.expect(200)
}

#[tokio::test]
async fn one_customers_drafts_are_charged_when_it_is_asked_for() {
    let world = World::new().await;
    let customer = world.payer().await;
    let invoice = world.invoice(&customer).await;
    let other = world.invoice(&customer).await;
    let elses = world.invoice(&world.payer().await).await;
    let body = json!({"customer_id": customer});
    let first = world.post_as("k", "/v1/billing-runs", body.clone()).await;
    let replayed = world.post_as("k", "/v1/billing-runs", body.clone()).await;
    assert_eq!((replayed.header("idempotent-replayed"), &replayed.text), ("true", &first.text));
    let begun = first.expect(202);
    let mut run = json!({
        "id": format!("run_202611_{}", customer.strip_prefix("cus_").unwrap()), "status": "running",
        "requested_by": BY_OPERATOR, "created_at": NOW, "period": "2026-11", "customer_id": customer, "counts": counts(),
    });
    assert_eq!(begun, run);
    assert_eq!(billing(&world, &begun).await, run);

    world.collect().await;
    run["status"] = json!("collecting");
    run["counts"] = counted(&[("due", json!(2)), ("enqueued", json!(2)), ("pending", json!(2))]);
    assert_eq!(billing(&world, &begun).await, run);
    world.collect_all().await;
    run["status"] = json!("completed");
    run["counts"] = counted(&[("due", json!(2)), ("enqueued", json!(2)), ("paid", json!(2))]);
    assert_eq!(billing(&world, &begun).await, run);

    let paid = world.show(&invoice).await;
    assert_eq!(steps(&paid), ["created", "charge_requested", "charge_succeeded"]);
    assert_eq!(paid["history"][1]["by"], run["id"]);
    assert_eq!(world.show(&other).await["status"], "paid");
    assert_eq!(world.show(&elses).await["status"], "draft");

    let late = world.invoice(&customer).await;
    let same = json!({"customer_id": customer, "period": "2026-11"});
    let again = world.post("/v1/billing-runs", same).await;
    assert_eq!(again.header("idempotent-replayed"), "", "another request for the same run");
    assert_eq!(again.expect(202), run);
    world.collect_all().await;
    assert_eq!(world.show(&late).await["status"], "draft", "there is one run for a month");
}

#[tokio::test]
async fn everybody_is_billed_each_on_their_own_day() {
    let world = World::new().await;
    world.invoice(&world.payer().await).await;
    let penniless = world.customer().await;
    world.add_card(&penniless, BROKE).await;
    world.invoice(&penniless).await;
    let bare = world.invoice(&world.customer().await).await;
    let mut anchored = Vec::new();
    for (email, day) in [("later@example.com", 15), ("past@example.com", 1)] {
        let body = json!({
            "name": "Ana", "email": email, "time_zone": "America/Sao_Paulo", "billing_anchor_day": day,
        });
        let customer = world.post("/v1/customers", body).await.created();
        world.add_card(&customer, "tok_visa").await;
        anchored.push(world.invoice(&customer).await);
    }
    let run = world.post("/v1/billing-runs", json!({"period": "2026-11"})).await.expect(202);
    assert_eq!((id(&run), &run["customer_id"]), ("run_202611", &Value::Null));
    world.collect_all().await;
    let progress = billing(&world, &run).await;
    assert_eq!(progress["status"], "collecting");
    assert_eq!(
        progress["counts"],
        counted(&[
            ("due", json!(5)),
            ("enqueued", json!(3)),
            ("scheduled", json!(1)),
            ("skipped", json!({"no_payment_method": 1})),
            ("pending", json!(1)),
            ("paid", json!(2)),
            ("failed", json!({"insufficient_funds": 1})),
        ])
    );
    assert_eq!(world.show(&bare).await["status"], "draft");
    let waiting = world.show(&anchored[0]).await;
    let at = "2026-11-15T03:00:00.000Z";
    assert_eq!((&waiting["status"], &waiting["next_attempt_at"]), (&json!("pending"), &json!(at)));
    assert_eq!(waiting["next_action"], json!({"action": "charge", "at": at, "because": null}));
    assert_eq!(world.show(&anchored[1]).await["status"], "paid");

    world.clock.set(at.parse().unwrap());
    world.pass(0).await;
    assert_eq!(world.show(&anchored[0]).await["status"], "paid");
    let progress = billing(&world, &run).await;
    assert_eq!((&progress["status"], &progress["counts"]["paid"]), (&json!("completed"), &json!(3)));
    assert_eq!(progress["counts"]["pending"], 0);
}

#[tokio::test]
async fn what_became_of_a_runs_invoices_is_counted_live() {
    let world = World::new().await;
    let customer = world.payer().await;
    let invoice = world.invoice(&customer).await;
    world.gateway.is_silent(true);
    world.gateway.says(Says::Unknown);
    let run = world.post("/v1/billing-runs", json!({"customer_id": customer})).await.expect(202);
    world.collect_all().await;
    let of = async |name: &str| billing(&world, &run).await["counts"][name].clone();
    assert_eq!(of("unknown").await, 1);
    assert_eq!(billing(&world, &run).await["status"], "collecting");
    let resolve = format!("/v1/attempts/{}/resolve", attempt_of(&invoice, 1));
    world.post(&resolve, json!({"outcome": "not_charged"})).await.expect(200);
    assert_eq!((of("unknown").await, of("failed").await), (json!(0), json!({"unknown": 1})));
    world.post(&format!("/v1/invoices/{invoice}/cancel"), json!({})).await.expect(200);
    assert_eq!((of("failed").await, of("canceled").await), (json!({}), json!(1)));
}

#[tokio::test]
async fn whatever_request_it_dies_at_a_run_counts_each_invoice_once() {
    const ENOUGH: usize = 100;
    let mut died = 0;
    for reached in 0..ENOUGH {
        let world = World::new().await;
        let customer = world.payer().await;
        world.invoice(&customer).await;
        let run = world.post("/v1/billing-runs", json!({"customer_id": customer})).await.expect(202);
        let message = world.queue.take().remove(0);
        world.table.faults.next_times(reached, &Fault::Pass);
        world.table.faults.next_times(ENOUGH, &Fault::Invalid);
        let step = world.app.handle_message(message, Duration::from_mins(1)).await;
        let is_over = world.table.faults.left() >= ENOUGH;
        world.table.faults.clear();
        died += usize::from(step.is_err());
        // The sweep takes up what was left.
        world.pass(120).await;
        let progress = billing(&world, &run).await;
        let all = counted(&[("due", json!(1)), ("enqueued", json!(1)), ("paid", json!(1))]);
        assert_eq!(progress["counts"], all, "dead at request {reached}");
        if is_over {
            break;
        }
    }
    assert!(died > 3, "{died}");
}

#[tokio::test]
async fn what_is_no_billing_run_is_said_so() {
    let world = World::new().await;
    for (body, faults) in [
        (json!({"period": "2026-12"}), vec!["period has not begun"]),
        (
            json!({"period": "2026-13", "customer_id": "cus_1", "dry_run": true}),
            vec![
                "period must be a month, such as 2026-11",
                "customer_id is not an id of this kind",
                "dry_run is not a member of this request",
            ],
        ),
    ] {
        assert_eq!(world.post("/v1/billing-runs", body).await.faults(), faults);
    }
    let nobody = world.post("/v1/billing-runs", json!({"customer_id": "cus_000000000000"})).await;
    assert_eq!(nobody.code(), (404, "not_found"));

    let draft = world.invoice(&world.payer().await).await;
    let past = world.post("/v1/billing-runs", json!({"period": "2026-10"})).await.expect(202);
    world.collect_all().await;
    let past = billing(&world, &past).await;
    assert_eq!((id(&past), &past["status"], &past["counts"]), ("run_202610", &json!("completed"), &counts()));
    assert_eq!(world.show(&draft).await["status"], "draft", "it was drafted in November");
}

#[tokio::test]
async fn a_run_is_found_under_its_own_kind_alone() {
    let world = World::new().await;
    let billing = world.post("/v1/billing-runs", json!({})).await.expect(202);
    let requeue = world.post("/v1/requeues", json!({})).await.expect(202);
    let books = json!({"gateway": "sandbox", "from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z"});
    let reconciliation = world.post("/v1/reconciliations", books).await.expect(202);
    let kinds = ["billing-runs", "requeues", "reconciliations"];
    for (own, run) in kinds.iter().zip([billing, requeue, reconciliation]) {
        for kind in kinds {
            let status = world.get(&format!("/v1/{kind}/{}", id(&run))).await.status;
            assert_eq!(status, if kind == *own { 200 } else { 404 }, "{own} under {kind}");
        }
        let status = world.get(&format!("/v1/reconciliations/{}/differences", id(&run))).await.status;
        assert_eq!(status, if *own == "reconciliations" { 200 } else { 404 }, "{own}");
    }
}

#[tokio::test]
async fn what_failed_for_one_reason_is_requeued_together() {
    let world = World::new().await;
    let customer = world.payer().await;
    let declined = async |class| world.charged(&customer, Says::Declined(class)).await;
    let poor = declined(FailureClass::InsufficientFunds).await;
    let stolen = declined(FailureClass::Hard).await;
    world.wait(60);
    let late = declined(FailureClass::InsufficientFunds).await;
    let bare = world.payer().await;
    let without = world.charged(&bare, Says::Declined(FailureClass::InsufficientFunds)).await;
    let method = world.show(&without).await["payment_method_id"].as_str().unwrap().to_owned();
    world.delete(&format!("/v1/customers/{bare}/payment-methods/{method}")).await;
    world.gateway.says(Says::Yes);

    let body = json!({"failure_class": "insufficient_funds", "gateway": "sandbox", "failed_from": NOW});
    let first = world.post_as("k", "/v1/requeues", body.clone()).await;
    let replayed = world.post_as("k", "/v1/requeues", body).await;
    assert_eq!((replayed.header("idempotent-replayed"), &replayed.text), ("true", &first.text));
    let mut run = first.expect(202);
    let path = format!("/v1/requeues/{}", id(&run));
    assert_eq!(
        run,
        json!({
            "id": run["id"], "status": "running", "requested_by": BY_OPERATOR, "created_at": "2026-11-02T12:01:00.000Z",
            "failure_class": "insufficient_funds", "gateway": "sandbox", "failed_from": NOW, "failed_to": null,
            "counts": counts(),
        })
    );
    world.collect_all().await;
    run["status"] = json!("completed");
    run["counts"] = counted(&[
        ("due", json!(3)),
        ("enqueued", json!(2)),
        ("skipped", json!({"no_payment_method": 1})),
        ("paid", json!(2)),
    ]);
    assert_eq!(world.get(&path).await.expect(200), run);
    for (invoice, status) in
        [(&poor, "paid"), (&late, "paid"), (&stolen, "charged_with_error"), (&without, "charged_with_error")]
    {
        assert_eq!(world.show(invoice).await["status"], status);
    }
    assert_eq!(world.show(&poor).await["history"][3]["by"], run["id"]);
}

#[tokio::test]
async fn a_requeue_has_its_bounds() {
    let world = World::new().await;
    let customer = world.payer().await;
    world.charged(&customer, Says::Declined(FailureClass::Generic)).await;
    let due = async |body: Value| {
        let run = world.post("/v1/requeues", body).await.expect(202);
        world.collect_all().await;
        world.get(&format!("/v1/requeues/{}", id(&run))).await.expect(200)["counts"]["due"].clone()
    };
    assert_eq!(due(json!({"gateway": "stripe"})).await, 0);
    assert_eq!(due(json!({"failed_to": NOW})).await, 0, "exclusive");
    assert_eq!(due(json!({"failure_class": "hard"})).await, 0);
    assert_eq!(due(json!({"failed_from": NOW, "failed_to": "2026-11-02T12:00:01Z"})).await, 1);
    for (body, faults) in [
        (json!({"failed_from": NOW, "failed_to": NOW}), vec!["failed_to must be after failed_from"]),
        (
            json!({"gateway": "Stripe", "failed_from": "today", "failed_to": 1, "status": "uncollectible"}),
            vec![
                "gateway must be the name of a gateway, such as sandbox",
                "failed_from must be a time of RFC 3339, such as 2026-11-02T12:00:00Z",
                "failed_to must be a time of RFC 3339, such as 2026-11-02T12:00:00Z",
                "status is not a member of this request",
            ],
        ),
    ] {
        assert_eq!(world.post("/v1/requeues", body).await.faults(), faults);
    }
}

#[tokio::test]
async fn the_books_are_held_against_each_other() {
    let world = World::new().await;
    let money = |amount| Money::parse(amount, Currency::BRL).unwrap();
    let agreed = world.paid().await;
    let altered = world.paid().await;
    let at: Timestamp = NOW.parse().unwrap();
    let (agreed_attempt, altered_attempt) = (attempt_of(&agreed, 1), attempt_of(&altered, 1));
    world.gateway.lists(MovementKind::Capture, "ch_1", &agreed_attempt, money("122.05"), at);
    world.gateway.lists(MovementKind::Capture, "ch_1", &altered_attempt, money("120.00"), at);
    world.gateway.lists(MovementKind::Refund, "re_9", "not one of ours", money("5.00"), at);
    world.wait(60);

    let body = json!({"gateway": "sandbox", "from": NOW, "to": "2026-11-02T12:01:00Z"});
    let first = world.post_as("k", "/v1/reconciliations", body.clone()).await;
    let replayed = world.post_as("k", "/v1/reconciliations", body).await;
    assert_eq!((replayed.header("idempotent-replayed"), &replayed.text), ("true", &first.text));
    let mut run = first.expect(202);
    assert_eq!(
        run,
        json!({
            "id": run["id"], "status": "running", "requested_by": BY_OPERATOR, "created_at": "2026-11-02T12:01:00.000Z",
            "gateway": "sandbox", "from": NOW, "to": "2026-11-02T12:01:00.000Z", "compared": 0, "differences": {},
        })
    );
    world.collect_all().await;
    run["status"] = json!("completed");
    run["compared"] = json!(5);
    run["differences"] = json!({"amount": 1, "missing_here": 1});
    let path = format!("/v1/reconciliations/{}", id(&run));
    assert_eq!(world.get(&path).await.expect(200), run);

    let list = world.get(&format!("{path}/differences")).await.expect(200);
    let mut found = list["data"].as_array().unwrap().clone();
    found.sort_by_key(|difference| difference["kind"].to_string());
    assert_eq!(
        found,
        [
            json!({
                "kind": "amount", "movement": "capture", "gateway": "sandbox", "gateway_reference": "ch_1",
                "reference": altered_attempt, "invoice_id": altered, "amount_here": brl("122.05"),
                "amount_there": brl("120.00"),
            }),
            json!({
                "kind": "missing_here", "movement": "refund", "gateway": "sandbox", "gateway_reference": "re_9",
                "reference": "not one of ours", "invoice_id": null, "amount_here": null, "amount_there": brl("5.00"),
            }),
        ]
    );
    let page = world.get(&format!("{path}/differences?limit=1")).await.expect(200);
    let next = page["next_cursor"].as_str().unwrap();
    let rest = world.get(&format!("{path}/differences?limit=1&cursor={next}")).await.expect(200);
    assert_eq!(json!([page["data"][0], rest["data"][0]]), list["data"]);

    let matters = world.get("/v1/attention?kind=reconciliation_difference").await.expect(200);
    let mut details: Vec<_> =
        matters["data"].as_array().unwrap().iter().map(|m| m["detail"].as_str().unwrap()).collect();
    details.sort_unstable();
    assert_eq!(
        details,
        [
            "amount: our books have 122.05 BRL, the gateway has 120.00 BRL",
            "missing_here: our books have nothing, the gateway has 5.00 BRL",
        ]
    );
}

#[tokio::test]
async fn what_the_gateway_does_not_have_is_found_too() {
    let world = World::new().await;
    let invoice = world.paid().await;
    world.gateway.forgets();
    world.wait(DAY);
    let body = json!({"gateway": "sandbox", "from": "2026-11-02T00:00:00Z", "to": "2026-11-03T00:00:00Z"});
    let run = world.post("/v1/reconciliations", body).await.expect(202);
    world.collect_all().await;
    let list = world.get(&format!("/v1/reconciliations/{}/differences", id(&run))).await.expect(200);
    assert_eq!(
        list["data"],
        json!([{
            "kind": "missing_there", "movement": "capture", "gateway": "sandbox", "gateway_reference": "ch_1",
            "reference": attempt_of(&invoice, 1), "invoice_id": invoice, "amount_here": brl("122.05"), "amount_there": null,
        }])
    );
}

#[tokio::test]
async fn every_fault_of_a_reconciliation_is_named() {
    let world = World::new().await;
    let (from, to) = ("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z");
    for (body, faults) in [
        (json!({}), vec!["gateway is required", "from is required", "to is required"]),
        (json!({"gateway": "sandbox", "from": to, "to": from}), vec!["to must be after from"]),
        (
            json!({"gateway": "stripe", "from": from, "to": to}),
            vec!["gateway must be a gateway that is configured here"],
        ),
        (
            json!({"gateway": "sandbox", "from": from, "to": "2026-11-02T12:00:01Z"}),
            vec!["to must not be in the future"],
        ),
        (
            json!({"gateway": 1, "from": "2026-11-01", "to": to, "period": "2026-11"}),
            vec![
                "gateway must be text",
                "from must be a time of RFC 3339, such as 2026-11-02T12:00:00Z",
                "period is not a member of this request",
            ],
        ),
    ] {
        assert_eq!(world.post("/v1/reconciliations", body).await.faults(), faults);
    }
}
