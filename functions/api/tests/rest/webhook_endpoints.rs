//! Servers that are told of what happens, as their owners manage them.

use crate::sign_in::with;
use crate::world::{Answer as Reply, World};
use async_trait::async_trait;
use fatura_application::ports::OutgoingWebhook;
use fatura_application::ports::WebhookSender;
use fatura_application::{Notifier, ToldEvent};
use fatura_domain::event::EventKind;
use fatura_domain::id::CustomerId;
use fatura_domain::webhook_endpoint::{Answer, Attempt, NoAnswer, Took};
use http::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const PATH: &str = "/v1/webhook-endpoints";

fn hook(events: &[&str]) -> Value {
    json!({"url": "https://example.com/hook?token=t", "events": events})
}

async fn endpoint(world: &World) -> String {
    world.post(PATH, hook(&["*"])).await.created()
}

/// Answers each webhook with the same.
struct Receiver(Answer);

#[async_trait]
impl WebhookSender for Receiver {
    async fn send(&self, webhook: OutgoingWebhook<'_>) -> Attempt {
        Attempt { at: webhook.at, answer: self.0, took: Took::UnderASecond }
    }
}

fn notifier(world: &World, answer: Answer) -> Notifier {
    let store = world.table.store.clone();
    Notifier::new(store, Arc::new(Receiver(answer)), world.deliveries.clone(), world.clock.clone())
}

const fn status(code: u16) -> Answer {
    Answer::Status { code, retry_after: None }
}

/// An event that is told to whoever wants it, and what came of it.
async fn happened(world: &World, id: &str, answer: Answer) {
    let customer = CustomerId::new(1);
    let body = format!(r#"{{"id":"{id}"}}"#);
    let event = ToldEvent { id: id.to_owned(), kind: EventKind::InvoicePaid, customer, body };
    notifier(world, answer).tell(&event, || Duration::from_mins(1)).await.unwrap();
}

/// What the queue holds is delivered.
async fn deliver(world: &World, answer: Answer) {
    let notifier = notifier(world, answer);
    for message in world.deliveries.take() {
        notifier.deliver(message.delivery_id, || Duration::from_mins(1)).await.unwrap();
    }
}

#[tokio::test]
async fn a_secret_is_shown_when_it_is_made_and_never_again() {
    let world = World::new().await;
    let made = world.post_as("k", PATH, hook(&["invoice.*", "bill.closed"])).await.expect(201);
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_") && secret.len() > 40);
    assert_eq!((&made["status"], &made["events"]), (&json!("enabled"), &json!(["invoice.*", "bill.closed"])));
    let replayed = world.post_as("k", PATH, hook(&["invoice.*", "bill.closed"])).await;
    assert_eq!(replayed.header("idempotent-replayed"), "true");
    let replayed = replayed.expect(201);
    assert_eq!((&replayed["id"], &replayed["secret"]), (&made["id"], &Value::Null));

    let path = format!("{PATH}/{}", made["id"].as_str().unwrap());
    let rotated = world.post_as("r", &format!("{path}/rotate-secret"), json!({})).await.expect(200);
    assert_ne!(rotated["secret"], made["secret"]);
    assert_eq!(rotated["previous_secret_expires_at"], "2026-11-03T12:00:00.000Z", "a day from now");
    let again = world.post_as("r", &format!("{path}/rotate-secret"), json!({})).await.expect(200);
    assert_eq!((&again["secret"], &again["version"]), (&Value::Null, &json!(2)), "rotated once");
    for shown in [world.get(&path).await, world.get(PATH).await] {
        assert!(!shown.text.contains("whsec_"), "{}", shown.text);
    }
    let at_once = json!({"overlap_seconds": 0});
    let leaked = world.post(&format!("{path}/rotate-secret"), at_once).await.expect(200);
    assert_eq!(leaked["previous_secret_expires_at"], Value::Null);
    let too_long = json!({"overlap_seconds": 604_801});
    let refused = world.post(&format!("{path}/rotate-secret"), too_long).await.faults();
    assert_eq!(refused, ["overlap_seconds must be at most 604800"]);
}

#[tokio::test]
async fn what_leads_to_us_is_refused() {
    let world = World::new().await;
    for url in [
        "https://169.254.169.254/latest/meta-data",
        "https://127.0.0.1/hook",
        "https://localhost/hook",
        "https://10.0.0.1/",
        "https://[fd00:ec2::254]/",
        "https://2852039166/",
        "https://metadata.google.internal/",
    ] {
        let answer = world.post(PATH, json!({"url": url, "events": ["*"]})).await;
        assert_eq!(answer.faults(), ["url must lead to a host on the public internet"], "{url}");
    }
    let plain = world.post(PATH, json!({"url": "http://example.com/", "events": ["*"]})).await;
    assert_eq!(plain.faults(), ["url must be an https URL"]);
    let made = endpoint(&world).await;
    let moved = json!({"url": "https://169.254.169.254/"});
    let moved = world.change(Method::PATCH, &format!("{PATH}/{made}"), None, moved).await;
    assert_eq!(moved.faults(), ["url must lead to a host on the public internet"]);
}

#[tokio::test]
async fn every_mistake_is_named() {
    let world = World::new().await;
    let body = json!({"url": 7, "events": ["invoice.paid", "invoice.framed"], "secret": "whsec_mine"});
    assert_eq!(
        world.post(PATH, body).await.faults(),
        [
            "url must be text",
            "events[1] must be an event such as invoice.paid, a group such as invoice.*, or *",
            "secret is not a member of this request",
        ]
    );
    let nobodys = json!({"url": "https://example.com/", "events": ["*"], "customer_id": "cus_00000000000Z"});
    assert_eq!(world.post(PATH, nobodys).await.code(), (404, "not_found"));
    let empty = json!({"url": "https://example.com/", "events": []});
    assert_eq!(world.post(PATH, empty).await.faults(), ["events must have 1 to 50 entries"]);
}

#[tokio::test]
async fn an_endpoint_is_changed_as_it_was_seen() {
    let world = World::new().await;
    let path = format!("{PATH}/{}", endpoint(&world).await);
    let shown = world.get(&path).await;
    assert_eq!(shown.header("etag"), "\"1\"");
    let change = json!({"url": "https://example.org/", "events": ["bill.*"], "description": "Books", "enabled": false});
    let changed = world.change(Method::PATCH, &path, Some("\"1\""), change.clone()).await.expect(200);
    assert_eq!(
        [&changed["url"], &changed["status"], &changed["disabled_by"], &changed["version"]],
        [&json!("https://example.org/"), &json!("disabled"), &json!("key_deployment"), &json!(2)]
    );
    let stale = world.change(Method::PATCH, &path, Some("\"1\""), json!({"enabled": true})).await;
    assert_eq!(stale.status, 412);
    let same = world.change(Method::PATCH, &path, None, change).await.expect(200);
    assert_eq!(same["version"], 2, "nothing changed");
    let cleared = json!({"description": null, "enabled": true});
    let cleared = world.change(Method::PATCH, &path, None, cleared).await.expect(200);
    assert_eq!((&cleared["description"], &cleared["status"]), (&Value::Null, &json!("enabled")));
    assert_eq!(cleared["disabled_at"], Value::Null);

    assert_eq!(world.delete(&path).await.status, 204);
    assert_eq!(world.delete(&path).await.code(), (404, "not_found"));
    assert_eq!(world.get(&path).await.code(), (404, "not_found"));
    assert_eq!(world.get(PATH).await.expect(200)["data"], json!([]));
}

#[tokio::test]
async fn there_are_so_many_endpoints_and_no_more() {
    let world = World::new().await;
    for _ in 0..fatura_domain::webhook_endpoint::MOST_ENDPOINTS {
        endpoint(&world).await;
    }
    assert_eq!(world.post(PATH, hook(&["*"])).await.code(), (422, "failed_precondition"));
    assert_eq!(world.get(PATH).await.expect(200)["data"].as_array().unwrap().len(), 100);
}

#[tokio::test]
async fn a_test_message_is_queued_and_shown_with_its_tries() {
    let world = World::new().await;
    let id = endpoint(&world).await;
    let sent = world.post_as("t", &format!("{PATH}/{id}/test"), json!({})).await.expect(202);
    assert_eq!((&sent["event_type"], &sent["status"]), (&json!("webhook.test"), &json!("pending")));
    let body: Value = serde_json::from_str(sent["body"].as_str().unwrap()).unwrap();
    assert_eq!((&body["type"], &body["data"]["webhook_endpoint_id"]), (&json!("webhook.test"), &json!(id)));
    let again = world.post_as("t", &format!("{PATH}/{id}/test"), json!({})).await.expect(202);
    assert_eq!(again["id"], sent["id"], "one message");
    assert_eq!(world.deliveries.take().len(), 1);

    let path = format!("/v1/webhook-deliveries/{}", sent["id"].as_str().unwrap());
    world.app.sweep_due(|| true).await.unwrap();
    deliver(&world, Answer::Nothing(NoAnswer::TimedOut)).await;
    let failed = world.get(&path).await.expect(200);
    assert_eq!(failed["status"], "pending");
    assert_eq!(
        failed["attempts"],
        json!([{"at": "2026-11-02T12:00:00.000Z", "status_code": null, "error": "timed_out", "took": "under_a_second"}])
    );
    world.wait(5);
    deliver(&world, status(204)).await;
    let arrived = world.get(&path).await.expect(200);
    assert_eq!((&arrived["status"], &arrived["next_attempt_at"]), (&json!("delivered"), &Value::Null));
    assert_eq!(arrived["attempts"][0]["status_code"], 204, "newest first");

    world.change(Method::PATCH, &format!("{PATH}/{id}"), None, json!({"enabled": false})).await.expect(200);
    let refused = world.post(&format!("{PATH}/{id}/test"), json!({})).await;
    assert_eq!(refused.code(), (422, "failed_precondition"));
    assert_eq!(world.post(&format!("{path}/replay"), json!({})).await.code(), (422, "failed_precondition"));
    assert_eq!(world.get("/v1/webhook-deliveries/msg_1").await.code(), (404, "not_found"));
}

#[tokio::test]
async fn messages_are_listed_newest_first_and_sent_again_by_hand() {
    let world = World::new().await;
    let id = endpoint(&world).await;
    for event in ["evt_1", "evt_2", "evt_3"] {
        happened(&world, event, if event == "evt_2" { status(410) } else { status(200) }).await;
        if event == "evt_2" {
            let enabled = json!({"enabled": true});
            world.change(Method::PATCH, &format!("{PATH}/{id}"), None, enabled).await.expect(200);
        }
        world.wait(60);
    }
    let list = format!("{PATH}/{id}/deliveries");
    let first = world.get(&format!("{list}?limit=2")).await.expect(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = world.get(&format!("{list}?limit=2&cursor={cursor}")).await.expect(200);
    let events: Vec<_> =
        [&first, &second].into_iter().flat_map(|page| page["data"].as_array().unwrap()).collect();
    let told: Vec<_> = events.iter().map(|event| (&event["event_id"], &event["status"])).collect();
    assert_eq!(
        told,
        [
            (&json!("evt_3"), &json!("delivered")),
            (&json!("evt_2"), &json!("failed")),
            (&json!("evt_1"), &json!("delivered")),
        ]
    );
    assert_eq!((&events[1]["reason"], &second["next_cursor"]), (&json!("gone"), &Value::Null));
    assert_eq!(world.get(&format!("{PATH}/we_0000000000000000/deliveries")).await.code(), (404, "not_found"));

    // One by hand, though it has arrived.
    let arrived = format!("/v1/webhook-deliveries/{}/replay", events[2]["id"].as_str().unwrap());
    assert_eq!(world.post(&arrived, json!({})).await.expect(202)["status"], "pending");
    deliver(&world, status(200)).await;
    let shown = world.get(arrived.strip_suffix("/replay").unwrap()).await.expect(200);
    assert_eq!((&shown["status"], shown["attempts"].as_array().unwrap().len()), (&json!("delivered"), 2));

    // And all that did not, of some time.
    let replay = format!("{PATH}/{id}/replay");
    let missed = |since: &str| json!({"since": since});
    let none = world.post(&replay, missed("2026-11-02T12:02:00Z")).await.expect(202);
    assert_eq!(none, json!({"replayed": 0, "more_since": null}));
    let one = world.post(&replay, missed("2026-11-02T12:01:00Z")).await.expect(202);
    assert_eq!(one, json!({"replayed": 1, "more_since": null}));
    let again = world.post(&replay, missed("2026-11-02T12:01:00Z")).await.expect(202);
    assert_eq!(again["replayed"], 0, "it is on its way");
    deliver(&world, status(200)).await;
    let all = world.get(&list).await.expect(200);
    assert!(all["data"].as_array().unwrap().iter().all(|sent| sent["status"] == "delivered"), "{all}");
}

#[tokio::test]
async fn an_endpoint_that_says_that_it_is_gone_is_on_the_list_until_it_is_enabled() {
    let world = World::new().await;
    let id = endpoint(&world).await;
    happened(&world, "evt_1", status(410)).await;
    let path = format!("{PATH}/{id}");
    let shown = world.get(&path).await.expect(200);
    assert_eq!((&shown["status"], &shown["disabled_by"]), (&json!("disabled"), &json!("gone")));
    let matters = world.get("/v1/attention?kind=webhook_endpoint_disabled").await.expect(200);
    assert_eq!(matters["data"][0]["id"], json!(format!("atn_{id}")));
    let detail = matters["data"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("example.com") && !detail.contains("token"), "{detail}");
    world.change(Method::PATCH, &path, None, json!({"enabled": true})).await.expect(200);
    let matter = world.get(&format!("/v1/attention/atn_{id}")).await.expect(200);
    assert_eq!(matter["status"], "closed");
    happened(&world, "evt_2", status(410)).await;
    world.wait(31);
    happened(&world, "evt_3", status(200)).await;
    assert_eq!(world.get(&format!("/v1/attention/atn_{id}")).await.expect(200)["status"], "open");
    assert_eq!(world.delete(&path).await.status, 204);
    assert_eq!(world.get(&format!("/v1/attention/atn_{id}")).await.expect(200)["status"], "closed");
}

/// Everybody's events are for whoever may see all customers together, so a shop's backend has endpoints for one customer each.
#[tokio::test]
async fn a_service_has_the_endpoints_of_customers_and_none_of_the_operators() {
    let world = World::new().await;
    let scopes = json!({"role": "service", "scopes": ["webhooks:manage"]});
    let made = world.post("/v1/api-keys", scopes).await.expect(201);
    let key = made["key"].as_str().unwrap();
    let ask = async |method: Method, path: &str, body: Value| -> Reply {
        let body = (method != Method::GET && method != Method::DELETE).then_some(body);
        world.send(with(key, method, path).header("Idempotency-Key", path), body).await
    };
    let all = endpoint(&world).await;
    let sent = world.post(&format!("{PATH}/{all}/test"), json!({})).await.expect(202);
    let told = format!("/v1/webhook-deliveries/{}", sent["id"].as_str().unwrap());
    let customer = world.customer().await;
    let mut of_one = hook(&["*"]);
    of_one["customer_id"] = json!(customer);

    assert_eq!(ask(Method::POST, PATH, hook(&["*"])).await.code(), (403, "forbidden"));
    let own = ask(Method::POST, PATH, of_one).await.created();
    let listed = ask(Method::GET, PATH, Value::Null).await.expect(200);
    let ids: Vec<_> = listed["data"].as_array().unwrap().iter().map(|endpoint| &endpoint["id"]).collect();
    assert_eq!(ids, [&json!(own)]);
    assert_eq!(world.get(PATH).await.expect(200)["data"].as_array().unwrap().len(), 2);

    let mut answers = Vec::new();
    for id in [&all, &own] {
        let path = format!("{PATH}/{id}");
        let since = json!({"since": "2026-11-01T00:00:00Z"});
        let mut became = Vec::new();
        for (method, path, body) in [
            (Method::GET, path.clone(), Value::Null),
            (Method::PATCH, path.clone(), json!({"description": "Mine"})),
            (Method::POST, format!("{path}/rotate-secret"), json!({})),
            (Method::POST, format!("{path}/test"), json!({})),
            (Method::POST, format!("{path}/replay"), since),
            (Method::GET, format!("{path}/deliveries"), Value::Null),
        ] {
            became.push(ask(method, &path, body).await.status);
        }
        answers.push(became);
    }
    assert_eq!(answers, [[404; 6], [200, 200, 200, 202, 202, 200]]);
    let deliveries = ask(Method::GET, &format!("{PATH}/{own}/deliveries"), Value::Null).await.expect(200);
    let mine = format!("/v1/webhook-deliveries/{}", deliveries["data"][0]["id"].as_str().unwrap());
    for (path, read, replayed) in [(&told, 404, 404), (&mine, 200, 202)] {
        assert_eq!(ask(Method::GET, path, Value::Null).await.status, read, "{path}");
        assert_eq!(ask(Method::POST, &format!("{path}/replay"), json!({})).await.status, replayed, "{path}");
    }
    assert_eq!(ask(Method::DELETE, &format!("{PATH}/{all}"), Value::Null).await.status, 404);
    assert_eq!(ask(Method::DELETE, &format!("{PATH}/{own}"), Value::Null).await.status, 204);
    // Whose it was is no longer known.
    assert_eq!(ask(Method::GET, &mine, Value::Null).await.status, 404);
    world.get(&mine).await.expect(200);
}
