//! Records of the table's stream, as the relay is given them: whatever they hold, those after them are told.

use super::{Subject, Target, bytes_of};
use crate::corpus;
use crate::world::World;
use async_trait::async_trait;
use event_relay::Relay;
use fatura_application::ports::{EventBus, SendError};
use fatura_domain::event::Event;
use std::sync::Arc;

pub(super) const TARGET: Target = Target { seeds, ..Target::in_world("stream", 120, words, open) };

fn seeds() -> Vec<Vec<u8>> {
    vec![corpus::event("event-relay-stream.json")]
}

fn words() -> Vec<Vec<u8>> {
    bytes_of(&[
        "INV#", "BILL#", "TXN#", "C#", "PK", "SK", "S", "N", "M", "L", "BOOL", "NULL", "NewImage", "OldImage",
    ])
}

/// Takes everything.
struct Bus;

#[async_trait]
impl EventBus for Bus {
    async fn publish(&self, events: &[Event]) -> Result<Vec<usize>, SendError> {
        for event in events {
            assert!(!event.id.is_empty());
        }
        Ok(Vec::new())
    }
}

fn open() -> Subject {
    let world = World::open();
    let store = world.table.store.clone();
    let relay = Relay { bus: Arc::new(Bus), store: store.clone(), journals: store };
    Subject::new(move |input| {
        let Ok(event) = serde_json::from_slice(&world.filled(input)) else { return };
        world.block_on(event_relay::handle(&relay, event)).unwrap();
    })
}
