//! What the stream tells, the bus is told.

use async_trait::async_trait;
use aws_lambda_events::event::dynamodb::Event;
use event_relay::Relay;
use fatura_application::ChangeSet;
use fatura_application::ports::{EventBus, JournalRange, Journals, PageRequest, SendError, Store};
use fatura_domain::Moment;
use fatura_domain::Timestamp;
use fatura_domain::actor::Actor;
use fatura_domain::id::CustomerId;
use fatura_domain::ledger::{Transaction, check_chain};
use fatura_domain::money::{Currency, Money};
use fatura_domain::wallet::{Amount, Movement, Route};
use fatura_testkit::{Fault, TestTable};
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

fn told(bus: &Bus) -> Vec<(String, &'static str)> {
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
    let told = told(&bus);
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
    assert_eq!(told(&first), told(&second));
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

const ANA: u64 = 1;

fn credit(second: i64) -> Transaction {
    let movement = Movement {
        customer: CustomerId::new(ANA),
        route: Route::Credit,
        amount: Amount::try_new(Money::try_new(100, Currency::BRL).unwrap()).unwrap(),
        reference: None,
    };
    let now = Timestamp::from_millisecond(1_793_620_800_000 + second).unwrap();
    movement.booked(Actor::new("key_1"), Moment { now, entropy: 7 }).unwrap()
}

/// Two journals as the table's stream tells them, after the sample's own records.
async fn journals(table: &TestTable) -> Event {
    let ana = CustomerId::new(ANA);
    let opened = [(ana, Currency::BRL)].into();
    table.store.commit(ChangeSet::booked(credit(1), &opened)).await.unwrap();
    table.store.commit(ChangeSet::booked(credit(2), &[].into())).await.unwrap();
    let written = table.client.scan().table_name(TestTable::name()).send().await.unwrap();
    let mut event = sample();
    let like = event.records[0].clone();
    for item in written.items().iter().filter(|item| item["SK"].as_s().unwrap().starts_with("TXN#")) {
        let mut record = like.clone();
        record.change.sequence_number = Some(format!("journal-{}", event.records.len()));
        record.change.new_image = item.clone().into();
        event.records.push(record);
    }
    event
}

async fn sealed(table: &TestTable) -> usize {
    let ana = CustomerId::new(ANA);
    let page = PageRequest { limit: 100, after: None };
    let found = table.store.journals(ana, JournalRange::default(), page).await.unwrap().data;
    let ids: Vec<_> = found.iter().map(|journal| journal.id).collect();
    let links = table.store.links(&ids).await.unwrap();
    let head = table.store.chain(ana, &[]).await.unwrap().head;
    assert_eq!(check_chain(&found, &links, head), []);
    let turnover = |side: i128| i128::try_from(links.len()).unwrap() * side;
    let totals = table.store.totals().await.unwrap();
    assert!(totals.each().all(|(_, _, posted)| posted.debits + posted.credits == turnover(100)));
    links.len()
}

#[tokio::test]
async fn journals_are_sealed_beside_what_the_bus_is_told() {
    let bus = Arc::new(Bus::default());
    let (relay, table) = relay(bus.clone()).await;
    let event = journals(&table).await;
    for _ in 0..2 {
        let response = event_relay::handle(&relay, event.clone()).await.unwrap();
        assert!(response.batch_item_failures.is_empty());
        assert_eq!(sealed(&table).await, 2);
    }
    assert!(told(&bus).iter().all(|(_, kind)| kind.starts_with("invoice.")));
}

#[tokio::test]
async fn what_could_not_be_sealed_is_told_again_from_there() {
    let (relay, table) = relay(Arc::new(Bus::default())).await;
    let event = journals(&table).await;
    let first = event.records.iter().position(|record| {
        record.change.sequence_number.as_deref().is_some_and(|number| number.starts_with("journal-"))
    });
    let first = event.records[first.unwrap()].change.sequence_number.clone();
    table.faults.next([Fault::Invalid]);
    let response = event_relay::handle(&relay, event.clone()).await.unwrap();
    let failed: Vec<_> =
        response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect();
    assert_eq!(failed, [first]);
    assert_eq!(sealed(&table).await, 0);
    event_relay::handle(&relay, event).await.unwrap();
    assert_eq!(sealed(&table).await, 2);
}
