use crate::wire;
use async_trait::async_trait;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use fatura_application::ports::{EventBus, SendError};
use fatura_domain::event::Event;

/// What the bus takes in one request.
const BATCH: usize = 10;
const SOURCE: &str = "fatura";

#[derive(Debug, Clone)]
pub struct EventBridgeBus {
    client: Client,
    name: String,
}

impl EventBridgeBus {
    pub const fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }
}

#[async_trait]
impl EventBus for EventBridgeBus {
    async fn publish(&self, events: &[Event]) -> Result<Vec<usize>, SendError> {
        let mut refused = Vec::new();
        for (batch, events) in events.chunks(BATCH).enumerate() {
            let entries = events.iter().map(|event| {
                PutEventsRequestEntry::builder()
                    .event_bus_name(&self.name)
                    .source(SOURCE)
                    .detail_type(event.kind.as_str())
                    .detail(wire::detail(event))
                    .build()
            });
            let answer = self.client.put_events().set_entries(Some(entries.collect())).send().await;
            let answer = answer.map_err(|error| SendError(error.into_service_error().to_string()))?;
            let places =
                answer.entries().iter().enumerate().filter(|(_, entry)| entry.error_code().is_some());
            refused.extend(places.map(|(place, _)| batch * BATCH + place));
        }
        Ok(refused)
    }
}
