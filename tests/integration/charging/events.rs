//! What the stream tells, the bus is told.

use async_trait::async_trait;
use aws_lambda_events::event::dynamodb::Event;
use event_relay::Relay;
use fatura_application::ports::Journals;
use fatura_application::ports::{EventBus, SendError};
use fatura_domain::id::TransactionId;
use fatura_domain::ledger::check_chain;
use fatura_testkit::TestTable;
use std::sync::{Arc, Mutex};

/// Takes what it is given, but for what it is told to refuse.
#[derive(Default)]
struct Bus {
    told: Mutex<Vec<(String, &'static str)>>,
    refuse: Option<&'static str>,
}

#[async_trait]
impl EventBus for Bus {
    async fn publish(&self, events: &[fatura_domain::event::Event]) -> Result<Vec<usize>, SendError> {
        let refused = |event: &fatura_domain::event::Event| Some(event.kind.as_str()) == self.refuse;
        let mut told = self.told.lock().unwrap();
        told.extend(
            events
                .iter()
                .filter(|event| !refused(event))
                .map(|event| (event.id.clone(), event.kind.as_str())),
        );
        Ok(events.iter().enumerate().filter(|(_, event)| refused(event)).map(|(place, _)| place).collect())
    }
}

async fn relay(bus: Arc<Bus>) -> (Relay, TestTable) {
    let table = TestTable::start().await;
    (Relay { bus, store: table.store.clone(), journals: table.store.clone() }, table)
}

async fn told(bus: &Bus) -> Vec<(String, &'static str)> {
    bus.told.lock().unwrap().clone()
}

fn sample() -> Event {
    serde_json::from_str(include_str!("../../../events/event-relay-stream.json")).unwrap()
}

#[tokio::test]
async fn each_new_step_is_an_event_and_bookkeeping_is_none() {
    let bus = Arc::new(Bus::default());
    let (relay, _table) = relay(bus.clone()).await;
    let response = event_relay::handle(&relay, sample()).await.unwrap();
    assert!(response.batch_item_failures.is_empty());
    let told = told(&bus).await;
    let kinds: Vec<_> = told.iter().map(|(_, kind)| *kind).collect();
    assert_eq!(kinds, ["invoice.created", "invoice.charging", "invoice.paid"]);
}

#[tokio::test]
async fn told_again_it_has_the_same_id() {
    let (first, second) = (Arc::new(Bus::default()), Arc::new(Bus::default()));
    for bus in [&first, &second] {
        let (relay, _table) = relay(bus.clone()).await;
        event_relay::handle(&relay, sample()).await.unwrap();
    }
    assert_eq!(told(&first).await, told(&second).await);
}

#[tokio::test]
async fn what_the_bus_refuses_is_told_again_from_there() {
    let bus = Arc::new(Bus { refuse: Some("invoice.charging"), ..Bus::default() });
    let (relay, _table) = relay(bus).await;
    let response = event_relay::handle(&relay, sample()).await.unwrap();
    let failed: Vec<_> =
        response.batch_item_failures.into_iter().filter_map(|failure| failure.item_identifier).collect();
    assert_eq!(failed.len(), 1, "from the first that failed on");
}
