//! Where charges go, changed while the system runs.

use crate::world::{Answer, Says, World, plan};
use fatura_domain::charge::FailureClass;
use http::Method;
use serde_json::{Value, json};

const ROUTING: &str = "/v1/gateway-routing";

fn used(name: &str, enabled: bool, priority: u16) -> Value {
    json!({
        "name": name, "enabled": enabled, "priority": priority,
        "payment_method_types": ["credit_card", "pix"], "currencies": [], "secret_ref": null,
    })
}

async fn put(world: &World, path: &str, if_match: Option<&str>, body: Value) -> Answer {
    world.change(Method::PUT, path, if_match, body).await
}

async fn put_in_use(world: &World, name: &str, priority: u16, means: &[&str]) -> Answer {
    let body = json!({"enabled": true, "priority": priority, "payment_method_types": means});
    put(world, &format!("/v1/gateways/{name}"), None, body).await
}

/// Which gateway a new charge of a new customer's pix goes to.
async fn goes_to(world: &World) -> Value {
    let customer = world.customer().await;
    let path = format!("/v1/customers/{customer}/payment-methods");
    world.post(&path, json!({"type": "pix", "key": "ana@example.com"})).await.created();
    let invoice = world.invoice(&customer).await;
    world.charge(&invoice).await.expect(202);
    world.collect().await;
    world.show(&invoice).await["gateway"].clone()
}

#[tokio::test]
async fn a_gateway_is_put_in_use_and_the_next_charge_goes_there() {
    let world = World::new().await;
    world.other.says(Says::Yes);
    let listed = world.get("/v1/gateways").await;
    assert_eq!(listed.header("etag"), "\"0\"");
    let data = json!([used("other", false, 100), used("sandbox", true, 100)]);
    assert_eq!(listed.expect(200), json!({"data": data, "next_cursor": null}));
    assert_eq!(goes_to(&world).await, "sandbox");

    let answer = put_in_use(&world, "other", 1, &["credit_card", "pix"]).await;
    assert_eq!(answer.header("etag"), "\"1\"");
    assert_eq!(answer.expect(200), used("other", true, 1));
    world.wait(29);
    assert_eq!(goes_to(&world).await, "sandbox", "what was read is good for half a minute");
    world.wait(1);
    assert_eq!(goes_to(&world).await, "other");

    let stale = put(
        &world,
        "/v1/gateways/other",
        Some("\"0\""),
        json!({"enabled": false, "priority": 1, "payment_method_types": ["pix"]}),
    )
    .await;
    assert_eq!((stale.code(), &stale.body["details"]), ((412, "version_mismatch"), &json!({"version": 1})));
}

#[tokio::test]
async fn rules_come_before_priorities_and_refunds_stay_where_the_charge_was() {
    let world = World::new().await;
    put_in_use(&world, "other", 1, &["credit_card", "pix"]).await.expect(200);
    let customer = world.customer().await;
    let routing = json!({
        "rules": [
            {"match": {"customer_id": customer, "payment_method_type": "pix"}, "gateways": ["sandbox"]},
            {"match": {"currency": "BRL", "min_amount": "500.00"}, "gateways": ["sandbox", "other"]},
        ],
        "default": ["other", "sandbox"],
    });
    let put_routing = put(&world, ROUTING, Some("\"1\""), routing).await;
    assert_eq!(put_routing.header("etag"), "\"2\"");
    let shown = world.get(ROUTING).await.expect(200);
    assert_eq!(shown, put_routing.body);
    assert_eq!(shown["rules"][1]["match"]["min_amount"], json!({"amount": "500.00", "currency": "BRL"}));
    assert_eq!((&shown["version"], &shown["updated_by"]), (&json!(2), &json!("key_deployment")));

    assert_eq!(goes_to(&world).await, "other", "122.05 of somebody else");
    let paid = world.paid().await;
    put(&world, ROUTING, None, json!({"rules": [], "default": ["sandbox"]})).await.expect(200);
    world.wait(30);
    let refund = world.post(&format!("/v1/invoices/{paid}/refunds"), json!({})).await.expect(202);
    assert_eq!(refund["gateway"], world.show(&paid).await["gateway"]);
    let versions = world.get("/v1/gateway-routing/versions?limit=2").await.expect(200);
    assert_eq!((&versions["data"][0]["version"], &versions["data"][1]["version"]), (&json!(3), &json!(2)));
    assert_eq!(versions["data"][0]["gateways"][1], used("other", true, 1));
    assert!(versions["next_cursor"].is_string());
}

#[tokio::test]
async fn what_would_leave_a_payer_with_no_gateway_is_refused_with_every_reason() {
    let world = World::new().await;
    let routing = json!({
        "rules": [
            {"match": {"payment_method_type": "pix"}, "gateways": ["other"]},
            {"gateways": ["stripe", "sandbox"]},
        ],
        "default": ["other"],
    });
    assert_eq!(
        put(&world, ROUTING, None, routing).await.faults(),
        [
            "rules[0].gateways leave pix with no gateway that is enabled for it",
            "rules[1].gateways stripe is not a gateway of this deployment",
            "default leave credit_card with no gateway that is enabled for it",
            "default leave pix with no gateway that is enabled for it",
        ]
    );
    let odd = json!({
        "rules": [
            {"match": {"min_amount": "1.00", "country": "BR"}, "gateways": ["sandbox", "sandbox"]},
            {"match": {"currency": "BRLX", "min_amount": "x"}, "gateways": "sandbox"}, 7,
        ],
        "default": ["Not A Name"],
    });
    let mut faults = put(&world, ROUTING, None, odd).await.faults();
    faults.sort_unstable();
    assert_eq!(faults.len(), 8, "{faults:?}");

    put(&world, ROUTING, None, json!({"rules": [{"gateways": ["sandbox"]}]})).await.expect(200);
    let off = json!({"enabled": false, "priority": 1, "payment_method_types": ["credit_card"]});
    put_in_use(&world, "other", 1, &["pix"]).await.expect(200);
    assert_eq!(
        put(&world, "/v1/gateways/sandbox", None, off).await.faults(),
        ["rules[0].gateways leave pix with no gateway that is enabled for it"]
    );
    assert_eq!(world.get(ROUTING).await.expect(200)["version"], 2, "nothing of it is in force");
    let unknown = put_in_use(&world, "stripe", 1, &["pix"]).await;
    assert_eq!(unknown.code(), (404, "not_found"));
    assert_eq!(put_in_use(&world, "Not-A-Name", 1, &["pix"]).await.code(), (404, "not_found"));
    let wrong = json!({"enabled": "yes", "payment_method_types": ["cash"], "currencies": ["BRL", "BRL"]});
    assert_eq!(put(&world, "/v1/gateways/sandbox", None, wrong).await.faults().len(), 4);
}

#[tokio::test]
async fn a_card_that_no_gateway_in_use_holds_is_not_charged_and_says_so() {
    let world = World::new().await;
    let customer = world.payer().await;
    put_in_use(&world, "other", 1, &["credit_card", "pix"]).await.expect(200);
    let off = json!({"enabled": false, "priority": 1, "payment_method_types": ["credit_card"]});
    put(&world, "/v1/gateways/sandbox", None, off).await.expect(200);
    world.wait(30);
    let invoice = world.invoice(&customer).await;
    let refused = world.charge(&invoice).await;
    assert_eq!(refused.code(), (422, "failed_precondition"), "{}", refused.text);
    let created = world.post("/v1/invoices", {
        let mut body = plan(&customer);
        body["auto_charge"] = json!(true);
        body
    });
    assert_eq!(created.await.code(), (422, "failed_precondition"));
    world.add_card(&customer, "tok_new").await;
    world.charge(&invoice).await.expect(202);
    world.collect().await;
    assert_eq!(world.show(&invoice).await["gateway"], "other", "new cards go where cards go now");
}

#[tokio::test]
async fn credentials_are_proven_by_a_call_that_does_no_harm() {
    let world = World::new().await;
    let path = |name: &str| format!("/v1/gateways/{name}/check");
    let good = world.post(&path("sandbox"), json!({})).await.expect(200);
    assert_eq!(good, json!({"ok": true, "code": null, "message": null}));
    world.other.refuses_our_key();
    let bad = world.post(&path("other"), json!({})).await.expect(200);
    assert_eq!(
        bad,
        json!({"ok": false, "code": "unauthorized", "message": "the gateway does not accept our API key"})
    );
    assert_eq!(world.post(&path("stripe"), json!({})).await.code(), (404, "not_found"));
}

/// A customer's pix, which either gateway can charge, and the charge's invoice once the queue is empty.
async fn charged_by_pix(world: &World, sandbox: Says, other: Says) -> String {
    put_in_use(world, "other", 200, &["credit_card", "pix"]).await.expect(200);
    world.wait(30);
    let customer = world.customer().await;
    let path = format!("/v1/customers/{customer}/payment-methods");
    world.post(&path, json!({"type": "pix", "key": "ana@example.com"})).await.created();
    world.gateway.says(sandbox);
    world.other.says(other);
    let invoice = world.invoice(&customer).await;
    world.charge(&invoice).await.expect(202);
    world.collect_all().await;
    invoice
}

/// Gateway, status and reason of every attempt, the first one first.
async fn attempts(world: &World, invoice: &str) -> Vec<String> {
    let listed = world.get(&format!("/v1/invoices/{invoice}/attempts")).await.expect(200);
    let told = |attempt: &Value| {
        let member = |value: &Value| value.as_str().unwrap().to_owned();
        let routing = &attempt["routing"];
        let parts = [&attempt["gateway"], &attempt["status"], &routing["by"]].map(member);
        format!("{} of {}", parts.join(" "), routing["version"])
    };
    listed["data"].as_array().unwrap().iter().rev().map(told).collect()
}

#[tokio::test]
async fn what_one_gateway_does_not_take_is_charged_by_the_next_and_both_say_why() {
    let world = World::new().await;
    let invoice = charged_by_pix(&world, Says::NotSent, Says::Yes).await;
    let shown = world.show(&invoice).await;
    assert_eq!((&shown["status"], &shown["gateway"]), (&json!("paid"), &json!("other")));
    let causes: Vec<&Value> =
        shown["history"].as_array().unwrap().iter().map(|step| &step["cause"]).collect();
    assert_eq!(causes, ["created", "charge_requested", "not_sent", "failed_over", "charge_succeeded"]);
    assert_eq!(
        attempts(&world, &invoice).await,
        ["sandbox not_sent priority of 1", "other succeeded failover of 1"]
    );
    let refund = world.post(&format!("/v1/invoices/{invoice}/refunds"), json!({})).await.expect(202);
    assert_eq!(refund["gateway"], "other");
}

#[tokio::test]
async fn a_gateway_whose_circuit_is_open_is_passed_over_without_a_call() {
    let world = World::new().await;
    put_in_use(&world, "other", 200, &["credit_card", "pix"]).await.expect(200);
    let customer = world.payer().await;
    for _ in 0..10 {
        world.charged(&customer, Says::NotSent).await;
    }
    let path = format!("/v1/customers/{customer}/payment-methods");
    let pix = json!({"type": "pix", "key": "ana@example.com", "default": true});
    world.post(&path, pix).await.created();
    let invoice = world.charged(&customer, Says::Yes).await;
    world.collect_all().await;
    let listed = world.get(&format!("/v1/invoices/{invoice}/attempts")).await.expect(200);
    assert_eq!(listed["data"][1]["failure"]["code"], "circuit_open");
    assert_eq!(
        attempts(&world, &invoice).await,
        ["sandbox not_sent priority of 1", "other succeeded failover of 1"]
    );
}

#[tokio::test]
async fn after_silence_no_other_gateway_is_asked() {
    let world = World::new().await;
    let invoice = charged_by_pix(&world, Says::Unknown, Says::Yes).await;
    assert_eq!(attempts(&world, &invoice).await, ["sandbox unknown priority of 1"]);
    world.gateway.is_silent(true);
    world.pass(60).await;
    world.pass(300).await;
    assert_eq!(attempts(&world, &invoice).await, ["sandbox unknown priority of 1"]);
    assert_eq!(world.show(&invoice).await["status"], "pending");
}

#[tokio::test]
async fn what_is_planned_ahead_goes_where_such_charges_go_when_its_time_comes() {
    let world = World::new().await;
    let customer = world.customer().await;
    let path = format!("/v1/customers/{customer}/payment-methods");
    world.post(&path, json!({"type": "pix", "key": "ana@example.com"})).await.created();
    let mut planned = plan(&customer);
    planned["auto_charge"] = json!(true);
    planned["charge_at"] = json!("2026-11-03T12:00:00.000Z");
    let invoice = world.post("/v1/invoices", planned).await.expect(202)["id"].as_str().unwrap().to_owned();
    put_in_use(&world, "other", 1, &["credit_card", "pix"]).await.expect(200);
    world.pass(86_400).await;
    assert_eq!(attempts(&world, &invoice).await, ["other succeeded priority of 1"]);
}

#[tokio::test]
async fn a_retry_that_no_gateway_takes_waits_until_one_does() {
    let world = World::new().await;
    let invoice = world.charged(&world.payer().await, Says::Declined(FailureClass::IssuerUnavailable)).await;
    put_in_use(&world, "other", 1, &["credit_card", "pix"]).await.expect(200);
    let off = json!({"enabled": false, "priority": 1, "payment_method_types": ["credit_card"]});
    put(&world, "/v1/gateways/sandbox", None, off).await.expect(200);
    world.gateway.says(Says::Yes);
    world.pass(86_400).await;
    let waits = world.show(&invoice).await;
    assert_eq!(
        (&waits["status"], &waits["next_attempt_at"]),
        (&json!("charged_with_error"), &json!("2026-11-03T13:00:00.000Z"))
    );
    put_in_use(&world, "sandbox", 9, &["credit_card"]).await.expect(200);
    world.pass(3_600).await;
    assert_eq!(world.show(&invoice).await["status"], "paid");
}

#[tokio::test]
async fn a_planned_charge_that_no_gateway_takes_waits_and_one_of_nothing_needs_none() {
    let world = World::new().await;
    let customer = world.payer().await;
    let mut planned = plan(&customer);
    planned["charge_at"] = json!("2026-11-03T12:00:00.000Z");
    let invoice = world.post("/v1/invoices", planned).await.expect(201)["id"].as_str().unwrap().to_owned();
    put_in_use(&world, "other", 1, &["credit_card"]).await.expect(200);
    let off = json!({"enabled": false, "priority": 1, "payment_method_types": ["credit_card", "pix"]});
    put(&world, "/v1/gateways/sandbox", None, off).await.expect(200);
    world.pass(86_400).await;
    assert!(attempts(&world, &invoice).await.is_empty(), "nothing goes to a gateway that is switched off");
    let mut free = plan(&customer);
    free["auto_charge"] = json!(true);
    free["items"] = json!([{"description": "Trial", "quantity": 1, "unit_price": "0.00"}]);
    assert_eq!(world.post("/v1/invoices", free).await.expect(202)["status"], "paid");
    put_in_use(&world, "sandbox", 1, &["credit_card", "pix"]).await.expect(200);
    world.pass(2 * 86_400).await;
    assert_eq!(world.show(&invoice).await["status"], "paid");
}

#[tokio::test]
async fn what_was_answered_is_answered_again_whatever_is_in_use_by_then() {
    let world = World::new().await;
    let customer = world.payer().await;
    let mut charged = plan(&customer);
    charged["auto_charge"] = json!(true);
    let post = async || {
        let request = world.request(Method::POST, "/v1/invoices").header("Idempotency-Key", "k");
        world.send(request, Some(charged.clone())).await
    };
    let first = post().await.expect(202);
    put_in_use(&world, "other", 1, &["credit_card"]).await.expect(200);
    let off = json!({"enabled": false, "priority": 1, "payment_method_types": ["credit_card", "pix"]});
    put(&world, "/v1/gateways/sandbox", None, off).await.expect(200);
    world.wait(30);
    let again = post().await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.expect(202), first);
}

#[tokio::test]
async fn only_books_that_there_are_are_compared() {
    let world = World::new().await;
    assert_eq!(world.app.begin_daily_reconciliation().await.unwrap(), 1);
    let period = |gateway: &str| json!({"gateway": gateway, "from": "2026-11-01T00:00:00.000Z", "to": "2026-11-02T00:00:00.000Z"});
    let refused = world.post("/v1/reconciliations", period("other")).await.faults();
    assert_eq!(refused, ["gateway has no list of its movements to compare with"]);

    // In use, and still without books; switched off, and not compared any more.
    put_in_use(&world, "other", 1, &["credit_card", "pix"]).await.expect(200);
    world.wait(86_400);
    assert_eq!(world.app.begin_daily_reconciliation().await.unwrap(), 1);
    let off = json!({"enabled": false, "priority": 1, "payment_method_types": ["credit_card"]});
    put(&world, "/v1/gateways/sandbox", None, off).await.expect(200);
    world.wait(86_400);
    assert_eq!(world.app.begin_daily_reconciliation().await.unwrap(), 0);
}

#[tokio::test]
async fn books_that_are_closed_to_us_end_the_run_and_are_for_a_person() {
    let world = World::new().await;
    world.gateway.refuses_our_key();
    let period =
        json!({"gateway": "sandbox", "from": "2026-11-01T00:00:00.000Z", "to": "2026-11-02T00:00:00.000Z"});
    let run = world.post("/v1/reconciliations", period).await.expect(202);
    world.collect_all().await;
    let path = format!("/v1/reconciliations/{}", run["id"].as_str().unwrap());
    assert_eq!(world.get(&path).await.expect(200)["status"], "completed");
    let matters = world.get("/v1/attention?kind=reconciliation_difference").await.expect(200);
    let detail = matters["data"][0]["detail"].as_str().unwrap();
    assert!(detail.ends_with("cannot be read: the gateway does not accept our API key"), "{detail}");
}

#[tokio::test]
async fn a_gateway_that_was_to_take_over_is_not_sent_to_after_it_was_switched_off() {
    let world = World::new().await;
    let invoice = charged_by_pix(&world, Says::NotSent, Says::NotSent).await;
    let off = json!({"enabled": false, "priority": 1, "payment_method_types": ["credit_card", "pix"]});
    put(&world, "/v1/gateways/other", None, off).await.expect(200);
    world.other.says(Says::Yes);
    world.pass(600).await;
    let listed = world.get(&format!("/v1/invoices/{invoice}/attempts")).await.expect(200);
    let live = &listed["data"][0];
    assert_eq!(
        (&live["gateway"], &live["status"], &live["failure"]["code"]),
        (&json!("other"), &json!("not_sent"), &json!("gateway_not_in_use"))
    );
    put_in_use(&world, "other", 200, &["pix"]).await.expect(200);
    world.pass(1_800).await;
    assert_eq!(world.show(&invoice).await["status"], "paid");
}
