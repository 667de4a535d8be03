//! Webhooks that go out: endpoints, messages, the list of each endpoint and what is due.

use crate::world::*;
use fatura_application::Change;
use fatura_application::outgoing::OutgoingChange;
use fatura_application::ports::*;
use fatura_domain::SignedDuration;
use fatura_domain::event::EventKind;
use fatura_domain::text::Text;
use fatura_domain::webhook_endpoint::{
    Claim, Delivery, DisabledBy, Endpoint, EndpointId, EndpointTerms, EndpointUrl, EventFilter, KEPT_FOR,
    Loopback, Owner, Secret,
};
use fatura_testkit::{Fault, TestTable};

fn endpoint(number: u64) -> Endpoint {
    let terms = EndpointTerms {
        owner: Owner::Customer(customer_id(ANA)),
        url: EndpointUrl::parse("https://example.com/hook?token=t", Loopback::Refused).unwrap(),
        description: Some(Text::parse("Books").unwrap()),
        events: EventFilter::parse(&["invoice.paid", "bill.*"]).unwrap(),
    };
    Endpoint::new(EndpointId::new(at(0), number), terms, Secret::new([7; 32]), at(0))
}

fn delivery(event: &str, endpoint: &Endpoint, seconds: i64) -> Delivery {
    let body = format!(r#"{{"id":"{event}"}}"#);
    Delivery::new(event, EventKind::InvoicePaid, body, endpoint.id, at(seconds))
}

async fn out(table: &TestTable, change: OutgoingChange) {
    write(&table.store, [Change::Outgoing(change)]).await;
}

async fn refused(table: &TestTable, change: OutgoingChange) {
    let refusals = refusals(&table.store, [Change::Outgoing(change)]).await;
    assert!(matches!(refusals[..], [Refusal::Stale]), "{refusals:?}");
}

fn page(limit: usize, after: Option<Position>) -> PageRequest {
    PageRequest { limit, after }
}

#[tokio::test]
async fn endpoints_lie_together_and_change_at_their_version() {
    let table = TestTable::start().await;
    let (first, second) = (endpoint(1), endpoint(2));
    for one in [&first, &second] {
        out(&table, OutgoingChange::EndpointAdded(one.clone())).await;
    }
    refused(&table, OutgoingChange::EndpointAdded(first.clone())).await;
    assert_eq!(table.store.endpoints().await.unwrap(), [first.clone(), second.clone()]);
    let rotated = first.rotated(Secret::new([8; 32]), SignedDuration::from_hours(1), at(5));
    let disabled = rotated.disabled(DisabledBy::Gone, at(6)).unwrap();
    refused(&table, OutgoingChange::EndpointChanged(disabled.clone())).await;
    out(&table, OutgoingChange::EndpointChanged(rotated.clone())).await;
    out(&table, OutgoingChange::EndpointChanged(disabled.clone())).await;
    assert_eq!(table.store.endpoint(first.id).await.unwrap(), Some(disabled.clone()));
    refused(&table, OutgoingChange::EndpointRemoved { id: first.id, version: rotated.version }).await;
    out(&table, OutgoingChange::EndpointRemoved { id: first.id, version: disabled.version }).await;
    assert_eq!(table.store.endpoint(first.id).await.unwrap(), None);
    assert_eq!(table.store.endpoints().await.unwrap(), [second]);
}

#[tokio::test]
async fn a_message_is_begun_once_and_due_until_it_is_over() {
    let table = TestTable::start().await;
    let endpoint = endpoint(1);
    let new = delivery("evt_1", &endpoint, 0);
    out(&table, OutgoingChange::DeliveryBegun(new.clone())).await;
    refused(&table, OutgoingChange::DeliveryBegun(delivery("evt_1", &endpoint, 9))).await;
    assert_eq!(table.store.delivery(new.id, at(0)).await.unwrap(), Some(new.clone()));
    let due = async |seconds| table.store.due_deliveries(at(seconds), 10).await.unwrap();
    assert_eq!(due(0).await, [new.id]);
    let Claim::Send(claimed) = new.claimed(Some(&endpoint), at(0)) else { panic!("it is due") };
    out(&table, OutgoingChange::DeliveryChanged(claimed.clone())).await;
    refused(&table, OutgoingChange::DeliveryChanged(claimed.clone())).await;
    assert_eq!((due(59).await, due(60).await), (vec![], vec![new.id]), "the lease");
    let gone = endpoint.disabled(DisabledBy::Gone, at(60)).unwrap();
    let Claim::Over(canceled) = claimed.claimed(Some(&gone), at(60)) else { panic!("it is due") };
    out(&table, OutgoingChange::DeliveryChanged(canceled)).await;
    assert_eq!(due(1_000_000).await, []);
}

#[tokio::test]
async fn what_is_due_is_bounded_and_comes_from_every_shard() {
    let table = TestTable::start().await;
    let endpoint = endpoint(1);
    for number in 0..30 {
        let new = delivery(&format!("evt_{number}"), &endpoint, number);
        out(&table, OutgoingChange::DeliveryBegun(new)).await;
    }
    assert_eq!(table.store.due_deliveries(at(14), 100).await.unwrap().len(), 15);
    let first = table.store.due_deliveries(at(100), 7).await.unwrap();
    let expected: Vec<_> = (0..7).map(|n| delivery(&format!("evt_{n}"), &endpoint, n).id).collect();
    assert_eq!(first, expected, "the longest overdue first");
}

#[tokio::test]
async fn an_endpoints_messages_are_listed_in_both_directions() {
    let table = TestTable::start().await;
    let (here, there) = (endpoint(1), endpoint(2));
    for number in 0..5 {
        let event = format!("evt_{number}");
        for one in [&here, &there] {
            out(&table, OutgoingChange::DeliveryBegun(delivery(&event, one, number))).await;
        }
    }
    let list = async |after| table.store.deliveries_of(here.id, at(9), page(3, after)).await.unwrap();
    let events = |page: &Page<Delivery>| -> Vec<String> {
        page.data.iter().map(|one| one.fact.event.clone()).collect()
    };
    let first = list(None).await;
    assert_eq!(events(&first), ["evt_4", "evt_3", "evt_2"]);
    assert!(first.data.iter().all(|one| one.endpoint == here.id));
    let second = list(first.next).await;
    assert_eq!(
        (events(&second), second.next.is_none()),
        (vec!["evt_1".to_owned(), "evt_0".to_owned()], true)
    );
    let strange = page(3, Some(Position("~~".to_owned())));
    let strange = table.store.deliveries_of(here.id, at(9), strange).await;
    assert!(matches!(strange, Err(ListError::BadPosition)));

    let since = table.store.deliveries_since(here.id, at(2), at(9), page(2, None)).await.unwrap();
    assert_eq!((events(&since), since.next.is_some()), (vec!["evt_2".to_owned(), "evt_3".to_owned()], true));
}

#[tokio::test]
async fn what_has_expired_is_gone_whether_it_was_deleted_or_not() {
    let table = TestTable::start().await;
    let endpoint = endpoint(1);
    let old = delivery("evt_1", &endpoint, 0);
    out(&table, OutgoingChange::DeliveryBegun(old.clone())).await;
    let last = at(0) + KEPT_FOR;
    let later = last + SignedDuration::from_millis(1);
    assert!(table.store.delivery(old.id, last).await.unwrap().is_some());
    assert_eq!(table.store.delivery(old.id, later).await.unwrap(), None);
    let listed = table.store.deliveries_of(endpoint.id, later, page(9, None)).await.unwrap();
    assert!(listed.data.is_empty());
}

#[tokio::test]
async fn an_answer_that_was_lost_is_none_of_somebody_elses() {
    let table = TestTable::start().await;
    let endpoint = endpoint(1);
    let new = delivery("evt_1", &endpoint, 0);
    out(&table, OutgoingChange::DeliveryBegun(new.clone())).await;
    let Claim::Send(claimed) = new.claimed(Some(&endpoint), at(0)) else { panic!("it is due") };
    table.faults.next([Fault::AnswerLost]);
    out(&table, OutgoingChange::DeliveryChanged(claimed)).await;
}

/// A secret lies in the table and nowhere else: not in what is shown of an endpoint for the log.
#[tokio::test]
async fn a_secret_is_not_shown() {
    let shown = format!("{:?}", OutgoingChange::EndpointAdded(endpoint(1)));
    assert!(!shown.contains("whsec_") && !shown.contains("BwcH") && !shown.contains("token"), "{shown}");
}
