//! Risk rules as an operator puts and tries them, and what they do to a shop's charges.

use crate::sign_in::with;
use crate::world::{Answer, BY_OPERATOR, DAY, Says, World, attempt_of, brl};
use fatura_application::ChangeSet;
use fatura_application::ports::{Invoices, Message, Store};
use fatura_domain::charge::FailureClass;
use fatura_domain::id::AttemptNumber;
use fatura_domain::invoice::Invoice;
use fatura_domain::risk::{Assessment, Decision};
use http::Method;
use serde_json::{Value, json};
use std::time::Duration;

const PATH: &str = "/v1/risk-rules";

fn none() -> Value {
    json!({
        "version": 0, "updated_at": null, "updated_by": null, "rules": [], "thresholds": {"review": 50, "decline": 100},
        "blocklists": {"customers": [], "payment_methods": [], "emails": [], "email_domains": [], "countries": []},
    })
}

fn rule(expression: &str, decision: &str) -> Value {
    json!({"rules": [{"name": "it", "expression": expression, "decision": decision}]})
}

async fn put(world: &World, if_match: Option<&str>, body: Value) -> Answer {
    world.change(Method::PUT, PATH, if_match, body).await
}

impl World {
    /// In force, and known.
    async fn rules(&self, body: Value) {
        put(self, None, body).await.expect(200);
        self.wait(31);
    }

    async fn review(&self, invoice: &str, decision: &str) -> Answer {
        let body = json!({"decision": decision, "note": "called the customer"});
        self.post(&format!("/v1/invoices/{invoice}/review"), body).await
    }

    async fn first_attempt(&self, invoice: &str) -> Value {
        let attempts = self.get(&format!("/v1/invoices/{invoice}/attempts")).await.expect(200);
        attempts["data"].as_array().unwrap().last().unwrap().clone()
    }
}

#[tokio::test]
async fn rules_are_shown_put_and_kept() {
    let world = World::new().await;
    let shown = world.get(PATH).await;
    assert_eq!(shown.header("etag"), "\"0\"");
    assert_eq!(shown.expect(200), none());
    let customer = world.payer().await;
    let methods = world.get(&format!("/v1/customers/{customer}/payment-methods")).await.expect(200);
    let method = methods["data"][0]["id"].as_str().unwrap();
    let rules = json!({
        "rules": [
            {"name": "many_cards", "expression": "velocity.cards_day >= 3", "score": 60},
            {"name": "listed", "expression": "blocked.email || blocked.country", "decision": "decline"},
        ],
        "thresholds": {"review": 40, "decline": 90},
        "blocklists": {
            "customers": [customer], "payment_methods": [method], "emails": ["eve@example.com"],
            "email_domains": ["spam.example"], "countries": ["KP"],
        },
    });
    world.wait(1);
    let answer = put(&world, Some("\"0\""), rules.clone()).await;
    assert_eq!(answer.header("etag"), "\"1\"");
    let mut first = rules;
    (first["version"], first["updated_by"]) = (json!(1), json!(BY_OPERATOR));
    first["updated_at"] = json!("2026-11-02T12:00:01.000Z");
    let mut answered = first.clone();
    (answered["dry_run"], answered["examples"]) = (json!(false), json!([]));
    assert_eq!(answer.expect(200), answered);
    assert_eq!(world.get(PATH).await.expect(200), first);
    let stale = put(&world, Some("\"0\""), json!({"rules": []})).await;
    assert_eq!(stale.code(), (412, "version_mismatch"));
    let second = put(&world, Some("\"1\""), json!({"rules": []})).await.expect(200);
    assert_eq!((&second["version"], &second["thresholds"]), (&json!(2), &none()["thresholds"]));
    let page = world.get(&format!("{PATH}/versions?limit=1")).await.expect(200);
    assert_eq!(page["data"][0]["version"], 2);
    let next = page["next_cursor"].as_str().unwrap();
    let oldest = world.get(&format!("{PATH}/versions?limit=1&cursor={next}")).await.expect(200);
    assert_eq!(oldest, json!({"data": [first], "next_cursor": null}));
}

#[tokio::test]
async fn a_dry_run_judges_examples_and_puts_nothing_in_force() {
    let world = World::new().await;
    let example = json!({
        "amount": brl("12.50"), "expect": "review",
        "customer": {
            "id": "cus_000000000007", "email": "Ana@spam.example", "age_hours": 30, "country": "br", "payments": 2,
            "disputes": 1,
        },
        "payment_method": {
            "id": "pm_0000000000000000000000000000", "type": "credit_card", "brand": "Visa", "country": "PT",
        },
        "velocity": {"attempts_hour": 1, "attempts_day": 4, "cards_hour": 1, "cards_day": 3},
    });
    let all = "amount.minor == 1250 && customer.age_days == 1 && customer.payments == 2 && blocked.email \
        && customer.disputes == 1 && has(payment_method.brand) && payment_method.brand == 'visa' \
        && velocity.attempts_day == 4 && velocity.cards_day == 3 && blocked.country && blocked.customer \
        && customer.email == 'ana@spam.example' && has(customer.country) && customer.country == 'BR'";
    let new = "customer.age_hours == 0 && velocity.attempts_hour == 1 && velocity.cards_hour == 0 \
        && !has(payment_method.type) && !blocked.customer";
    let mut rules = json!({
        "rules": [
            {"name": "all", "expression": all, "score": 60}, {"name": "new", "expression": new, "score": -5},
        ],
        "blocklists": {
            "customers": ["cus_000000000007"], "email_domains": ["spam.example"], "countries": ["PT"],
        },
        "examples": [example, {"amount": brl("1.00"), "expect": "decline"}, {"amount": brl("1.00")}],
        "dry_run": true,
    });
    let tried = put(&world, None, rules.clone()).await.expect(200);
    assert_eq!(
        (&tried["version"], &tried["updated_at"], &tried["dry_run"]),
        (&json!(1), &Value::Null, &json!(true))
    );
    let outcome = |decision: &str, score: i32, reason: &str, expected: Value, as_expected: bool| {
        json!({
            "decision": decision, "score": score, "reasons": [reason], "rules_version": 1, "expected": expected,
            "as_expected": as_expected,
        })
    };
    assert_eq!(
        tried["examples"],
        json!([
            outcome("review", 60, "all +60", json!("review"), true),
            outcome("approve", -5, "new -5", json!("decline"), false),
            outcome("approve", -5, "new -5", Value::Null, true),
        ])
    );
    assert_eq!(world.get(PATH).await.expect(200), none());

    rules["dry_run"] = json!(false);
    let refused = put(&world, None, rules.clone()).await;
    assert_eq!(refused.faults(), ["examples[1].expect comes out as approve"]);
    assert_eq!(world.get(PATH).await.expect(200), none(), "not even a part");
    rules["examples"][1]["expect"] = json!("approve");
    put(&world, None, rules).await.expect(200);
    assert_eq!(world.get(PATH).await.expect(200)["version"], 1);
}

#[tokio::test]
async fn everything_that_is_wrong_with_rules_is_named() {
    let world = World::new().await;
    let wrong = json!({
        "rules": [
            {"name": "New", "expression": " ", "score": 1},
            {"name": "both", "expression": "true", "score": 1, "decision": "approve"},
            {"name": "neither", "expression": "true"},
            {"name": "word", "expression": "true", "decision": "perhaps"},
        ],
        "thresholds": {"review": "x"},
        "blocklists": {"countries": ["BR", "Brazil"], "emails": "eve"},
        "examples": [{}],
        "when": 1,
    });
    let faults = put(&world, None, wrong).await.faults();
    for field in [
        "rules[0].name",
        "rules[0].expression",
        "rules[1].decision",
        "rules[2].score",
        "rules[3].decision",
        "thresholds.review",
        "blocklists.countries [1]",
        "blocklists.emails",
        "examples[0].amount",
        "when",
    ] {
        assert!(faults.iter().any(|fault| fault.starts_with(field)), "{field}: {faults:?}");
    }
    let faults = put(&world, None, json!({})).await.faults();
    assert!(faults[0].starts_with("rules is required"), "{faults:?}");
    let broken = json!({
        "rules": [
            {"name": "a", "expression": "amount.minor >", "score": 1},
            {"name": "b", "expression": "amount.minor + 10", "score": 0},
        ],
        "thresholds": {"review": 0, "decline": -1},
    });
    let faults = put(&world, None, broken).await.faults();
    assert_eq!(
        faults,
        [
            "rules[1].score must be -1000 to 1000, and not 0",
            "thresholds.review must be at least 1",
            "thresholds.decline must not be below thresholds.review",
            "rules[0].expression line 1, column 15: mismatched input '<EOF>' expecting expression",
            "rules[1].expression must come to a bool, and comes to int",
        ]
    );
    assert_eq!(world.get(PATH).await.expect(200), none(), "nothing of it is in force");
}

#[tokio::test]
async fn what_a_charge_would_be_judged_to_be() {
    let world = World::new().await;
    let customer = world.payer().await;
    let ask = async |body: Value| world.post("/v1/risk", body).await;
    let nothing = json!({"decision": "approve", "score": 0, "reasons": [], "rules_version": 0});
    assert_eq!(ask(json!({"customer_id": customer, "amount": brl("1.00")})).await.expect(200), nothing);
    let rules = json!({
        "rules": [
            {"name": "large", "expression": "amount.minor > 10000", "score": 60},
            {"name": "pix", "expression": "has(payment_method.type) && payment_method.type == 'pix'", "score": 50},
            {"name": "abroad", "expression": "has(payment_method.country) && has(customer.country) && \
                payment_method.country != customer.country", "decision": "decline"},
        ],
    });
    world.rules(rules).await;
    let large = ask(json!({"customer_id": customer, "amount": brl("100.01")})).await.expect(200);
    assert_eq!(
        large,
        json!({"decision": "review", "score": 60, "reasons": ["large +60"], "rules_version": 1})
    );
    let methods = format!("/v1/customers/{customer}/payment-methods");
    let pix = world.post(&methods, json!({"type": "pix", "key": "a@b.c"})).await.created();
    let by_pix = json!({"customer_id": customer, "payment_method_id": pix, "amount": brl("100.01")});
    assert_eq!(ask(by_pix).await.expect(200)["decision"], "decline");

    let other = json!({"name": "Eva", "email": "eva@example.com", "country": "pt"});
    let other = world.post("/v1/customers", other).await.created();
    assert_eq!(world.get(&format!("/v1/customers/{other}")).await.expect(200)["country"], "PT");
    let card = json!({"type": "credit_card", "token": "tok_visa", "country": "BR"});
    let card = world.post(&format!("/v1/customers/{other}/payment-methods"), card).await.expect(201);
    assert_eq!(card["country"], "BR");
    let abroad = ask(json!({"customer_id": other, "amount": brl("1.00")})).await.expect(200);
    assert_eq!((&abroad["decision"], &abroad["reasons"]), (&json!("decline"), &json!(["abroad:decline"])));

    let of_another = json!({"customer_id": other, "payment_method_id": pix, "amount": brl("1.00")});
    assert_eq!(
        ask(of_another).await.faults(),
        ["payment_method_id is not a payment method of this customer"]
    );
    let nobody = json!({"customer_id": "cus_000000000000", "amount": brl("1.00")});
    assert_eq!(ask(nobody).await.code(), (404, "not_found"));
}

#[tokio::test]
async fn a_charge_is_held_shown_and_released() {
    let world = World::new().await;
    world.rules(rule("amount.minor > 1", "review")).await;
    let customer = world.sign_up("ana@example.com").await;
    world.add_card(&customer, "tok_visa").await;
    let invoice = world.charged(&customer, Says::Yes).await;
    let held = world.show(&invoice).await;
    assert_eq!(
        (&held["status"], &held["next_action"]["action"]),
        (&json!("pending"), &json!("await_operator"))
    );
    let mut risk = json!({"decision": "review", "score": 0, "reasons": ["it:review"], "rules_version": 1, "review": null});
    assert_eq!(held["risk"], risk);
    let attempt = world.first_attempt(&invoice).await;
    assert_eq!((&attempt["status"], &attempt["risk"]), (&json!("created"), &risk));
    let listed = world.get(&format!("/v1/invoices?customer_id={customer}")).await.expect(200);
    assert_eq!(listed["data"][0]["risk"], risk);
    let (token, _) = world.sign_in("ana@example.com").await;
    for path in [format!("/v1/invoices/{invoice}"), format!("/v1/invoices/{invoice}/attempts")] {
        let seen = world.send(with(&token, Method::GET, &path), None).await.expect(200);
        assert!(!seen.to_string().contains("it:review"), "no payer learns why: {seen}");
    }
    let matters = world.get("/v1/attention?kind=risk_review").await.expect(200);
    assert_eq!(matters["data"][0]["invoice_id"], json!(invoice));
    let matter = matters["data"][0]["id"].as_str().unwrap();
    let closed = world.post(&format!("/v1/attention/{matter}/close"), json!({})).await;
    assert_eq!(closed.code(), (422, "failed_precondition"));

    let path = format!("/v1/invoices/{invoice}/review");
    let approve = json!({"decision": "approve", "note": "called"});
    let answer = world.post_as("k", &path, approve.clone()).await;
    risk["review"] = json!({"decision": "approve", "by": BY_OPERATOR, "at": "2026-11-02T12:00:31.000Z"});
    assert_eq!(answer.expect(200)["risk"], risk);
    let again = world.post_as("k", &path, approve).await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    world.collect_all().await;
    assert_eq!(world.show(&invoice).await["status"], "paid");
    assert_eq!(world.first_attempt(&invoice).await["risk"], risk);
    let matter = world.get(&format!("/v1/attention/{matter}")).await.expect(200);
    assert_eq!((&matter["closed_by"], &matter["note"]), (&json!(BY_OPERATOR), &json!("called")));
    let late = world.review(&invoice, "reject").await;
    assert_eq!(
        (late.code(), &late.body["details"]["status"]),
        ((422, "failed_precondition"), &json!("paid"))
    );
}

/// The same attempt may be looked at again for another reason: what was said first stays on record.
#[tokio::test]
async fn a_review_stays_on_record_whatever_becomes_of_the_charge() {
    let world = World::new().await;
    world.rules(rule("amount.minor > 1", "review")).await;
    let invoice = world.charged(&world.payer().await, Says::Unknown).await;
    let held = world.get("/v1/attention?kind=risk_review").await.expect(200)["data"][0].clone();
    assert_eq!(held["attempt_id"], json!(attempt_of(&invoice, 1)));
    world.gateway.is_silent(true);
    world.review(&invoice, "approve").await.expect(200);
    world.collect_all().await;
    for seconds in [60, 300, 3_600, DAY, DAY, DAY, DAY, DAY] {
        world.pass(seconds).await;
    }
    let unknown = world.get("/v1/attention").await.expect(200)["data"][0].clone();
    let told = (&unknown["kind"], &unknown["attempt_id"]);
    assert_eq!(told, (&json!("unknown_outcome"), &held["attempt_id"]));
    let review = format!("/v1/attention/{}", held["id"].as_str().unwrap());
    let review = world.get(&review).await.expect(200);
    let said = (&review["kind"], &review["status"], &review["note"]);
    assert_eq!(said, (&json!("risk_review"), &json!("closed"), &json!("called the customer")));
}

#[tokio::test]
async fn a_charge_is_rejected_or_declined_and_says_so() {
    let world = World::new().await;
    let customer = world.payer().await;
    world.rules(rule("amount.minor > 1", "review")).await;
    let invoice = world.charged(&customer, Says::Yes).await;
    world.review(&invoice, "reject").await.expect(200);
    let rejected = world.show(&invoice).await;
    assert_eq!(
        (&rejected["status"], &rejected["failure"]["class"], &rejected["failure"]["code"]),
        (&json!("charged_with_error"), &json!("risk_declined"), &json!("risk_rejected"))
    );
    assert_eq!(world.first_attempt(&invoice).await["risk"]["review"]["decision"], "reject");
    assert_eq!(
        world.review(&invoice, "perhaps").await.faults(),
        ["decision must be one of: approve, reject"]
    );

    world.rules(rule("amount.minor > 1", "decline")).await;
    let invoice = world.charged(&customer, Says::Yes).await;
    let attempt = world.first_attempt(&invoice).await;
    assert_eq!((&attempt["status"], &attempt["risk"]["decision"]), (&json!("declined"), &json!("decline")));
    assert_eq!(
        (&attempt["failure"]["code"], &attempt["failure"]["retry"]),
        (&json!("risk_declined"), &json!("never"))
    );
    let failed = format!("/v1/invoices?customer_id={customer}&failure_class=risk_declined");
    assert_eq!(world.get(&failed).await.expect(200)["data"].as_array().unwrap().len(), 2);
    assert!(attempt_of(&invoice, 1) == attempt["id"].as_str().unwrap());
}

/// What the shop has decided isn't the buyer's, nor the shop's backend's, to undo.
#[tokio::test]
async fn only_an_operator_charges_again_what_was_declined_for_its_risk() {
    let world = World::new().await;
    let customer = world.sign_up("ana@example.com").await;
    world.add_card(&customer, "tok_visa").await;
    let (token, _) = world.sign_in("ana@example.com").await;
    let service = world.service_key().await;
    for decision in ["review", "decline"] {
        world.rules(rule("amount.minor > 1", decision)).await;
        let invoice = world.charged(&customer, Says::Yes).await;
        if decision == "review" {
            world.review(&invoice, "reject").await.expect(200);
        }
        world.rules(json!({"rules": []})).await;
        let path = format!("/v1/invoices/{invoice}/requeue");
        for (place, token) in [&token, &service].into_iter().enumerate() {
            let request = with(token, Method::POST, &path).header("Idempotency-Key", format!("{place}"));
            let refused = world.send(request, Some(json!({}))).await;
            assert_eq!(refused.code(), (403, "forbidden"), "{decision} {place}");
        }
        let everything = world.post("/v1/requeues", json!({})).await.expect(202);
        world.collect_all().await;
        assert_eq!(world.show(&invoice).await["status"], "charged_with_error", "{everything}");
        world.post(&path, json!({})).await.expect(202);
        world.collect_all().await;
        assert_eq!(world.show(&invoice).await["status"], "paid");
    }
    world.rules(rule("amount.minor > 1", "decline")).await;
    let invoice = world.charged(&customer, Says::Yes).await;
    world.rules(json!({"rules": []})).await;
    world.post("/v1/requeues", json!({"failure_class": "risk_declined"})).await.expect(202);
    world.collect_all().await;
    assert_eq!(world.show(&invoice).await["status"], "paid", "it was named");
}

/// An order that is carried to another gateway is the same charge: it was judged, and counted.
#[tokio::test]
async fn failover_asks_nothing_again() {
    let world = World::new().await;
    let both = json!({"enabled": true, "priority": 200, "payment_method_types": ["credit_card"]});
    world.change(Method::PUT, "/v1/gateways/other", None, both).await.expect(200);
    let customer = world.payer().await;
    let methods = world.get(&format!("/v1/customers/{customer}/payment-methods")).await.expect(200);
    let method = methods["data"][0]["id"].as_str().unwrap();
    let token = format!("/v1/customers/{customer}/payment-methods/{method}/tokens/other");
    world.change(Method::PUT, &token, None, json!({"token": "tok_visa"})).await.expect(200);
    world.rules(rule("velocity.attempts_hour > 1", "decline")).await;
    let invoice = world.charged(&customer, Says::Declined(FailureClass::DoNotHonor)).await;
    assert_eq!(world.show(&invoice).await["status"], "paid");
    let attempts = world.get(&format!("/v1/invoices/{invoice}/attempts")).await.expect(200);
    let attempts = attempts["data"].as_array().unwrap();
    let tried: Vec<_> = attempts.iter().map(|attempt| attempt["gateway"].as_str().unwrap()).collect();
    assert_eq!(tried, ["other", "sandbox"]);
    assert_eq!(attempts[0]["risk"], attempts[1]["risk"]);
    assert_eq!(attempts[0]["risk"]["decision"], "approve");
    let next = world.charged(&customer, Says::Yes).await;
    let declined = world.show(&next).await;
    assert_eq!(
        declined["failure"]["code"], "risk_declined",
        "which is the second charge, and the first that is told so"
    );
}

/// However it came to be on record: what doesn't allow an order holds for whoever would send it.
#[tokio::test]
async fn what_was_judged_is_not_sent_against_it() {
    let world = World::new().await;
    let customer = world.payer().await;
    for (decision, status) in [(Decision::Review, "pending"), (Decision::Decline, "charged_with_error")] {
        let id = world.invoice(&customer).await;
        world.charge(&id).await.expect(202);
        world.queue.take();
        let invoice = world.table.store.invoice(id.parse().unwrap()).await.unwrap().unwrap();
        let assessment = Assessment { decision, score: 60, reasons: Vec::new(), edition: 1 };
        let version = invoice.version + 1;
        let judged = Invoice { version, ..invoice.clone().judged(assessment.into()) };
        world.table.store.commit(ChangeSet::moved(&invoice, judged)).await.unwrap();
        let (attempt, begins) = (AttemptNumber(1), None);
        let message = Message::Collect { invoice: invoice.id, attempt, version, begins };
        world.app.handle_message(message, Duration::from_mins(1)).await.unwrap();
        let shown = world.show(&id).await;
        assert_eq!((&shown["status"], &shown["amount_paid"]), (&json!(status), &brl("0.00")));
    }
}

#[tokio::test]
async fn a_payment_says_what_it_was_judged_to_be() {
    let world = World::new().await;
    world.rules(rule("amount.minor > 1", "review")).await;
    let (buyer, merchant) = (world.sign_up("ana@example.com").await, world.merchant().await);
    world.add_card(&buyer, "tok_visa").await;
    let order = world.order(&buyer, &merchant, "10.00").await;
    let made = world.pay(&[&order], json!({})).await.expect(202);
    let path = format!("/v1/payments/{}", made["id"].as_str().unwrap());
    world.collect_all().await;
    let held = world.get(&path).await.expect(200);
    let judged = (&held["status"], &held["risk"]["decision"], &held["attempts"][0]["risk"]["decision"]);
    assert_eq!(judged, (&json!("pending"), &json!("review"), &json!("review")));

    world.review(made["invoice_id"].as_str().unwrap(), "approve").await.expect(200);
    world.collect_all().await;
    let paid = world.get(&path).await.expect(200);
    assert_eq!((&paid["status"], &paid["risk"]["review"]["decision"]), (&json!("paid"), &json!("approve")));
    let (token, _) = world.sign_in("ana@example.com").await;
    let seen = world.send(with(&token, Method::GET, &path), None).await.expect(200);
    assert!(!seen.to_string().contains("it:review"), "no payer learns why: {seen}");
}
