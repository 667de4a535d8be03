//! The sample events do what `events/README.md` says.

use crate::world::World;
use aws_lambda_events::event::sqs::SqsEvent;
use std::time::Duration;

async fn failures(sample: &str) -> Vec<String> {
    let world = World::start().await;
    let event: SqsEvent = serde_json::from_str(sample).unwrap();
    let response = notifier::handle(&world.notifier, &world.teller, event, || Duration::from_secs(30)).await;
    response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
}

#[tokio::test]
async fn an_event_and_a_message_are_taken() {
    assert!(failures(include_str!("../../../events/notifier-batch.json")).await.is_empty());
}

#[tokio::test]
async fn nobodys_messages_are_not() {
    assert_eq!(failures(include_str!("../../../events/notifier-malformed.json")).await.len(), 2);
}
