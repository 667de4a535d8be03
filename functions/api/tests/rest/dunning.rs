use crate::world::{Answer, BY_OPERATOR, DAY, Says, World, contract};
use fatura_domain::charge::FailureClass;
use http::Method;
use serde_json::{Value, json};

const PATH: &str = "/v1/dunning-policy";
const NO_MONEY: Says = Says::Declined(FailureClass::InsufficientFunds);

/// What nobody has changed.
fn defaults() -> Value {
    let rule = |days: &[u32]| {
        let minutes: Vec<u32> = days.iter().map(|days| days * 1_440).collect();
        json!({"retry_after_minutes": minutes, "on_new_payment_method": false})
    };
    json!({
        "version": 0, "updated_at": null, "updated_by": null,
        "classes": {
            "insufficient_funds": rule(&[3, 5, 7]), "do_not_honor": rule(&[1, 3, 5]), "generic": rule(&[1, 3, 5]),
            "issuer_unavailable": rule(&[1, 1, 1]),
            "hard": {"retry_after_minutes": [], "on_new_payment_method": true},
            "authentication_required": rule(&[]), "suspected_fraud": rule(&[]), "currency_mismatch": rule(&[]),
            "configuration": rule(&[]), "customer_not_found": rule(&[1]), "pix_expired": rule(&[0, 0, 0]),
            "duplicate": rule(&[]), "risk_declined": rule(&[]),
        },
        "not_sent": {"first_wait_minutes": 5, "most_sends": 8, "jitter_percent": 10},
        "unknown": {"poll_after_minutes": [1, 5, 60, 1_440, 1_440, 1_440, 1_440, 1_440]},
        "caps": {"declines": 7, "attempts": 20, "days": 60},
        "card_networks": {"visa": {"declines": 15, "days": 30}, "mastercard": {"declines": 35, "days": 30}},
        "refund_window_days": 7, "run_charges_per_minute": 4_800,
    })
}

async fn put(world: &World, if_match: Option<&str>, body: Value) -> Answer {
    world.change(Method::PUT, PATH, if_match, body).await
}

#[tokio::test]
async fn a_policy_is_shown_changed_and_kept() {
    let world = World::new().await;
    let shown = world.get(PATH).await;
    assert_eq!(shown.header("etag"), "\"0\"");
    assert_eq!(shown.expect(200), defaults());
    let versions = world.get(&format!("{PATH}/versions")).await.expect(200);
    assert_eq!(versions, json!({"data": [], "next_cursor": null}));

    world.wait(1);
    let change = json!({
        "classes": {"insufficient_funds": {"retry_after_minutes": [2_880, 5_760]}, "generic": {"on_new_payment_method": true}},
        "caps": {"declines": 4}, "card_networks": {"visa": {"days": 20}}, "refund_window_days": 14, "unknown": null,
    });
    let answer = put(&world, Some("\"0\""), change).await;
    assert_eq!(answer.header("etag"), "\"1\"");
    let mut first = defaults();
    first["version"] = json!(1);
    first["updated_at"] = json!("2026-11-02T12:00:01.000Z");
    first["updated_by"] = json!(BY_OPERATOR);
    first["classes"]["insufficient_funds"]["retry_after_minutes"] = json!([2_880, 5_760]);
    first["classes"]["generic"]["on_new_payment_method"] = json!(true);
    first["caps"]["declines"] = json!(4);
    first["card_networks"]["visa"]["days"] = json!(20);
    first["refund_window_days"] = json!(14);
    assert_eq!(answer.expect(200), first);
    let shown = world.get(PATH).await;
    assert_eq!(shown.header("etag"), "\"1\"");
    assert_eq!(shown.expect(200), first);

    let mut second = defaults();
    second["version"] = json!(2);
    second["updated_at"] = json!("2026-11-02T12:00:01.000Z");
    second["updated_by"] = json!(BY_OPERATOR);
    assert_eq!(
        put(&world, None, json!({})).await.expect(200),
        second,
        "what is left out is as in the defaults"
    );

    let newest = world.get(&format!("{PATH}/versions?limit=1")).await.expect(200);
    assert_eq!(newest["data"], json!([second]));
    let next = newest["next_cursor"].as_str().unwrap();
    let oldest = world.get(&format!("{PATH}/versions?limit=1&cursor={next}")).await.expect(200);
    assert_eq!(oldest, json!({"data": [first], "next_cursor": null}));
}

#[tokio::test]
async fn a_policy_can_be_sent_back_as_it_was_shown() {
    let world = World::new().await;
    let mut policy = world.get(PATH).await.expect(200);
    for name in ["version", "updated_at", "updated_by"] {
        policy.as_object_mut().unwrap().remove(name);
    }
    policy["not_sent"]["most_sends"] = json!(3);
    let changed = put(&world, None, policy.clone()).await.expect(200);
    for (name, value) in policy.as_object().unwrap() {
        assert_eq!(&changed[name], value, "{name}");
    }
}

#[tokio::test]
async fn a_policy_that_has_changed_since_is_left_alone() {
    let world = World::new().await;
    for tag in ["\"1\"", "W/\"0\"", "\"of another\""] {
        let stale = put(&world, Some(tag), json!({})).await;
        assert_eq!(stale.code(), (412, "version_mismatch"), "{tag}");
        assert_eq!(stale.body["details"], json!({"version": 0}));
    }
    put(&world, Some("*"), json!({})).await.expect(200);
    assert_eq!(put(&world, Some("\"0\""), json!({})).await.body["details"], json!({"version": 1}));
    assert_eq!(
        put(&world, Some("0"), json!({})).await.faults(),
        ["If-Match must be one entity tag, such as \"3\""]
    );
}

#[tokio::test]
async fn every_fault_of_a_policy_is_named_at_once() {
    let world = World::new().await;
    let body = json!({
        "classes": {
            "hard": {"retry_after_minutes": [1]}, "unknown": {}, "soft": {}, "duplicate": 7,
            "generic": {"retry_after_minutes": vec![86_401; 21], "on_new_payment_method": "yes", "retries": 3},
            "do_not_honor": {"retry_after_minutes": [1, -1]}, "pix_expired": {"retry_after_minutes": "daily"},
            "suspected_fraud": {"retry_after_minutes": [1]},
        },
        "not_sent": {"first_wait_minutes": 0, "most_sends": 13, "jitter_percent": 51, "first_wait": 1},
        "unknown": {"poll_after_minutes": []},
        "caps": {"declines": 16, "attempts": 300, "days": 1.5},
        "card_networks": {"visa": {"declines": 0, "hours": 1}, "mastercard": {"days": 366}, "elo": {}},
        "refund_window_days": 181, "run_charges_per_minute": "60", "version": 1,
    });
    let mut faults = put(&world, None, body).await.faults();
    faults.sort_unstable();
    assert_eq!(
        faults,
        [
            "caps.attempts is too large",
            "caps.days must be a whole number",
            "caps.declines must be 1 to 15, as card networks allow",
            "card_networks.elo is not a member of this request",
            "card_networks.mastercard.days must be 1 to 365",
            "card_networks.visa.declines must be 1 to 99",
            "card_networks.visa.hours is not a member of this request",
            "classes.do_not_honor.retry_after_minutes must be a list of whole minutes",
            "classes.duplicate must be an object",
            "classes.generic.on_new_payment_method must be true or false",
            "classes.generic.retries is not a member of this request",
            "classes.generic.retry_after_minutes must have at most 20 entries",
            "classes.hard.retry_after_minutes must be empty: this card must not be sent again",
            "classes.pix_expired.retry_after_minutes must be a list of whole minutes",
            "classes.soft is not a member of this request",
            "classes.suspected_fraud.retry_after_minutes must be empty: this card must not be sent again",
            "classes.unknown is not a member of this request",
            "not_sent.first_wait is not a member of this request",
            "not_sent.first_wait_minutes must be 1 minute to a day",
            "not_sent.jitter_percent must be at most 50",
            "not_sent.most_sends must be 1 to 12",
            "refund_window_days must be 1 to 180",
            "run_charges_per_minute must be a whole number",
            "unknown.poll_after_minutes must have 1 to 20 entries",
            "version is not a member of this request",
        ]
    );
    assert_eq!(world.get(PATH).await.expect(200)["version"], 0, "nothing of it is in force");
}

#[tokio::test]
async fn every_documented_member_is_known_at_every_depth() {
    let world = World::new().await;
    let schemas = &contract().document["components"]["schemas"];
    let filled = |schema: &Value| -> Value {
        let members = schema["properties"].as_object().unwrap().keys();
        members.map(|name| (name.clone(), json!({}))).collect::<serde_json::Map<_, _>>().into()
    };
    let mut body = filled(&schemas["DunningPolicyInput"]);
    for (name, schema) in schemas["DunningPolicyInput"]["properties"].as_object().unwrap() {
        if schema["properties"].is_object() {
            body[name] = filled(schema);
        }
    }
    for class in body["classes"].as_object_mut().unwrap().values_mut() {
        *class = filled(&schemas["DunningRuleInput"]);
    }
    let faults = put(&world, None, body).await.faults();
    assert_eq!(faults.len(), 13 * 2 + 3 + 1 + 3 + 2, "{faults:#?}");
    assert!(!faults.iter().any(|fault| fault.contains("is not a member")), "{faults:#?}");
}

#[tokio::test]
async fn a_change_is_in_force_half_a_minute_later_and_what_was_decided_stays() {
    let world = World::new().await;
    let customer = world.payer().await;
    let before = world.charged(&customer, NO_MONEY).await;
    let change = json!({"classes": {"insufficient_funds": {"retry_after_minutes": [60]}}});
    put(&world, None, change).await.expect(200);
    world.wait(30);
    let after = world.charged(&customer, NO_MONEY).await;
    assert_eq!(world.show(&after).await["next_attempt_at"], "2026-11-02T13:00:30.000Z");
    assert_eq!(world.show(&before).await["next_attempt_at"], "2026-11-05T12:00:00.000Z");
    world.pass(3_600).await;
    let retried = world.show(&after).await;
    assert_eq!((&retried["attempt_count"], &retried["next_attempt_at"]), (&json!(2), &Value::Null));
    assert_eq!(retried["next_action"]["action"], "give_up", "there was one retry, and no more");
}

#[tokio::test]
async fn a_cap_ends_it() {
    let world = World::new().await;
    put(&world, None, json!({"caps": {"declines": 2}})).await.expect(200);
    let invoice = world.charged(&world.payer().await, NO_MONEY).await;
    world.pass(3 * DAY).await;
    let ended = world.show(&invoice).await;
    assert_eq!((&ended["status"], &ended["attempt_count"]), (&json!("uncollectible"), &json!(2)));
}
