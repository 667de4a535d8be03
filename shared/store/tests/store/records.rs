use crate::world::*;
use fatura_application::Change;
use fatura_application::access::{ApiKey, KeyHash, KeyRole, Scope, Scopes};
use fatura_application::ports::*;
use fatura_domain::SignedDuration;
use fatura_testkit::{Fault, TestTable};

fn event(id: &str) -> WebhookEvent {
    WebhookEvent {
        gateway: sandbox(),
        event_id: id.to_owned(),
        body: br#"{"id":"evt_1","type":"charge.succeeded","charge":"ch_1"}"#.to_vec(),
        received_at: at(0),
    }
}

#[tokio::test]
async fn a_webhook_is_recorded_once_and_read_as_it_came() {
    let table = TestTable::start().await;
    let event = event("evt_1");
    assert_eq!(table.store.record(&event).await.unwrap(), Recorded::New);
    assert_eq!(table.store.record(&event).await.unwrap(), Recorded::Known { processed: false });
    let found = table.store.webhook(&sandbox(), "evt_1").await.unwrap().unwrap();
    assert_eq!((found.body, found.received_at), (event.body.clone(), event.received_at));
    write(
        &table.store,
        [
            Change::InvoiceCreated(draft(ANA, 0, 1)),
            Change::WebhookProcessed { gateway: sandbox(), event_id: "evt_1".to_owned() },
        ],
    )
    .await;
    assert_eq!(table.store.record(&event).await.unwrap(), Recorded::Known { processed: true });
    let found = table.store.webhook(&sandbox(), "evt_1").await.unwrap().unwrap();
    assert_eq!(found.body, event.body);
    assert!(table.store.webhook(&sandbox(), "evt_2").await.unwrap().is_none());
}

#[tokio::test]
async fn a_record_whose_answer_was_lost_is_new() {
    let table = TestTable::start().await;
    table.faults.next([Fault::AnswerLost]);
    assert_eq!(table.store.record(&event("evt_1")).await.unwrap(), Recorded::New);
}

#[tokio::test]
async fn what_was_kept_long_enough_gives_way() {
    let table = TestTable::start().await;
    table.store.record(&event("evt_1")).await.unwrap();
    let later = |days: i64| WebhookEvent {
        received_at: at(0) + SignedDuration::from_hours(24 * days),
        ..event("evt_1")
    };
    assert_eq!(table.store.record(&later(89)).await.unwrap(), Recorded::Known { processed: false });
    assert_eq!(table.store.record(&later(91)).await.unwrap(), Recorded::New);
}

#[tokio::test]
async fn names_and_bodies_of_any_length_are_taken() {
    let table = TestTable::start().await;
    let body: Vec<u8> = (0..300_000_u32).map(|n| u8::try_from(n % 251).unwrap()).collect();
    let long = WebhookEvent { body: body.clone(), ..event(&"e".repeat(5_000)) };
    assert_eq!(table.store.record(&long).await.unwrap(), Recorded::New);
    let found = table.store.webhook(&sandbox(), &long.event_id).await.unwrap().unwrap();
    assert!(found.body == body && found.event_id == long.event_id);
    let empty = WebhookEvent { body: Vec::new(), ..event("") };
    assert_eq!(table.store.record(&empty).await.unwrap(), Recorded::New);
}

#[tokio::test]
async fn api_keys_are_found_by_hash_listed_and_revoked() {
    let table = TestTable::start().await;
    let key = |number: u8, name: Option<&str>| ApiKey {
        id: format!("key_{number}"),
        hash: KeyHash::of(&format!("fat_{number}")),
        role: if number == 1 { KeyRole::Operator } else { KeyRole::Service },
        // The first is one from before there were scopes and prefixes: its item has neither.
        scopes: if number == 1 { Scopes::Unlimited } else { Scopes::Only([Scope::InvoicesRead].into()) },
        prefix: (number != 1).then(|| format!("fat_{number}")),
        name: name.map(str::to_owned),
        created_at: at(i64::from(number)),
        revoked_at: None,
    };
    let keys = [key(1, None), key(2, Some("shop")), key(3, None)];
    for key in &keys {
        write(&table.store, [Change::ApiKeyCreated(key.clone())]).await;
    }
    let again = refusals(&table.store, [Change::ApiKeyCreated(keys[0].clone())]).await;
    assert!(matches!(again[..], [Refusal::Stale]));
    let revoked = ApiKey { revoked_at: Some(at(9)), ..keys[1].clone() };
    write(&table.store, [Change::ApiKeyRevoked(revoked.clone())]).await;

    assert_eq!(table.store.api_key(KeyHash::of("fat_1")).await.unwrap(), Some(keys[0].clone()));
    assert_eq!(table.store.api_key(KeyHash::of("fat_2")).await.unwrap(), Some(revoked.clone()));
    assert_eq!(table.store.api_key(KeyHash::of("fat_9")).await.unwrap(), None);
    let mut listed = table.store.api_keys().await.unwrap();
    listed.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(listed, [keys[0].clone(), revoked, keys[2].clone()]);
    let unknown = refusals(&table.store, [Change::ApiKeyRevoked(key(9, None))]).await;
    assert!(matches!(unknown[..], [Refusal::Stale]));
}
