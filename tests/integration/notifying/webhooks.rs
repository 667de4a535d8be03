//! From an event to those who want it.

use crate::receiver::{Receiver, nobody};
use crate::world::{World, event, event_of};
use fatura_application::ports::Clock;
use fatura_domain::SignedDuration;
use fatura_domain::id::CustomerId;
use fatura_domain::webhook_endpoint::{DeliveryState, Owner};
use std::time::Duration;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

#[tokio::test]
async fn an_event_arrives_word_for_word_signed_and_once() {
    let world = World::start().await;
    let server = Receiver::start().await;
    let endpoint = world.endpoint(&server.url, &["invoice.*"]).await;
    let told = event("evt_1", "invoice.paid");
    assert!(world.wake([told.clone()]).await.is_empty());
    let [received] = &server.received()[..] else { panic!("one") };
    assert_eq!(received.body, told);
    assert_eq!(received.at, world.clock.now().as_second());
    assert!(received.is_signed_with(&endpoint.secrets.current().exposed()));
    let delivery = world.delivery("evt_1", endpoint.id).await.unwrap();
    assert_eq!(received.id, delivery.id.to_string());
    assert_eq!(delivery.state, DeliveryState::Delivered { at: world.clock.now() });

    // The bus may tell it again, and its batch may come again.
    assert!(world.wake([told.clone(), told.clone()]).await.is_empty());
    world.pass(HOUR).await;
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn an_endpoint_is_told_what_it_wants_of_whom_it_may() {
    let world = World::start().await;
    let [all, bills, bias] = [Receiver::start().await, Receiver::start().await, Receiver::start().await];
    let bia = world.customer("Bia", "bia@example.com").await;
    world.endpoint(&all.url, &["*"]).await;
    world.endpoint(&bills.url, &["bill.*"]).await;
    world.endpoint_of(Owner::Customer(bia), &bias.url, &["*"]).await;
    let events = [
        event("evt_1", "invoice.paid"),
        event("evt_2", "bill.closed"),
        event_of("evt_3", "invoice.paid", bia),
        event_of("evt_4", "invoice.framed", bia),
    ];
    assert!(world.wake(events).await.is_empty(), "what a younger build tells is no failure");
    let count = |server: &Receiver| server.received().len();
    assert_eq!((count(&all), count(&bills), count(&bias)), (3, 1, 1));
    assert!(bias.received()[0].body.contains("evt_3"));
}

#[tokio::test]
async fn what_fails_is_sent_again_when_its_time_has_come_and_stays_the_same() {
    let world = World::start().await;
    let server = Receiver::start().await;
    let endpoint = world.endpoint(&server.url, &["*"]).await;
    server.answers([500, 302, 503, 404]);
    world.wake([event("evt_1", "invoice.paid")]).await;
    world.deliver().await;
    assert_eq!(server.received().len(), 1, "not before its time");

    // The queue holds it back for the first delays, each up to a tenth shorter.
    let first = event("evt_1", "invoice.paid");
    let id = world.delivery("evt_1", endpoint.id).await.unwrap().id;
    let again = || serde_json::to_string(&fatura_application::ports::Deliver { delivery_id: id }).unwrap();
    world.clock.advance(SignedDuration::from_secs(5));
    assert!(world.wake([again(), again()]).await.is_empty());
    assert_eq!(server.received().len(), 2, "for the second message there is nothing to do");
    world.queue.take();

    // Later ones are the sweep's.
    world.pass(MINUTE).await;
    assert_eq!(server.received().len(), 2);
    world.pass(MINUTE * 5).await;
    assert_eq!(server.received().len(), 3);
    world.pass(MINUTE * 26).await;
    assert_eq!(server.received().len(), 3);
    world.pass(MINUTE * 5).await;
    assert_eq!(server.received().len(), 4);
    world.pass(HOUR * 2).await;
    let received = server.received();
    assert_eq!(received.len(), 5);
    let secret = endpoint.secrets.current().exposed();
    for one in &received {
        assert_eq!((&one.id, &one.body), (&received[0].id, &first));
        assert!(one.is_signed_with(&secret), "each by its own time");
    }
    assert!(received.is_sorted_by(|one, next| one.at < next.at));
    let delivery = world.delivery("evt_1", endpoint.id).await.unwrap();
    assert!(matches!(delivery.state, DeliveryState::Delivered { .. }));
    assert_eq!(delivery.log.iter().count(), 5);
    world.pass(HOUR * 100).await;
    assert_eq!(server.received().len(), 5);
}

#[tokio::test]
async fn both_secrets_sign_for_the_overlap() {
    let world = World::start().await;
    let server = Receiver::start().await;
    let old = world.endpoint(&server.url, &["*"]).await;
    world.rotate(old.id).await;
    let new = world.stored(old.id).await;
    let [old, new] = [old, new].map(|endpoint| endpoint.secrets.current().exposed());
    world.wake([event("evt_1", "invoice.paid")]).await;
    world.clock.advance(HOUR * 25);
    world.wake([event("evt_2", "invoice.paid")]).await;
    let [within, after] = &server.received()[..] else { panic!("two") };
    assert!(within.is_signed_with(&old) && within.is_signed_with(&new));
    assert!(after.is_signed_with(&new) && !after.is_signed_with(&old));
}

#[tokio::test]
async fn a_replay_is_the_same_message_once_more() {
    let world = World::start().await;
    let server = Receiver::start().await;
    let endpoint = world.endpoint(&server.url, &["*"]).await;
    world.wake([event("evt_1", "invoice.paid")]).await;
    world.clock.advance(HOUR);
    let delivery = world.delivery("evt_1", endpoint.id).await.unwrap();
    world.replay(delivery.id).await;
    world.deliver().await;
    let [first, second] = &server.received()[..] else { panic!("two") };
    assert_eq!((&first.id, &first.body), (&second.id, &second.body));
    assert_eq!(second.at - first.at, 3_600);
}

#[tokio::test]
async fn without_the_time_nothing_is_sent_and_nothing_is_lost() {
    let world = World::start().await;
    let server = Receiver::start().await;
    world.endpoint(&server.url, &["*"]).await;
    let short = Duration::from_secs(5);
    assert!(world.wake_with([event("evt_1", "invoice.paid")], short).await.is_empty(), "it is on record");
    assert!(server.received().is_empty());
    world.app.sweep_due(|| true).await.unwrap();
    let waiting: Vec<String> =
        world.queue.take().iter().map(|message| serde_json::to_string(message).unwrap()).collect();
    assert_eq!(world.wake_with(waiting.clone(), short).await, [0], "comes again");
    assert!(world.wake(waiting).await.is_empty());
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn one_endpoints_silence_keeps_nothing_from_another() {
    let world = World::start().await;
    let server = Receiver::start().await;
    // Nobody listens there.
    let mute = world.endpoint(&nobody().await, &["*"]).await;
    world.endpoint(&server.url, &["*"]).await;
    assert!(world.wake([event("evt_1", "invoice.paid")]).await.is_empty());
    assert_eq!(server.received().len(), 1);
    let waiting = world.delivery("evt_1", mute.id).await.unwrap();
    assert!(waiting.due().is_some_and(|due| due > world.clock.now()));
}

/// A receiver that keeps us waiting costs the time of a few calls a minute, and not of one for each event.
#[tokio::test]
async fn what_happens_while_an_endpoint_fails_waits_for_the_sweep() {
    let world = World::start().await;
    let server = Receiver::start().await;
    let endpoint = world.endpoint(&server.url, &["*"]).await;
    server.answers([503, 503]);
    world.wake([event("evt_1", "invoice.paid")]).await;
    world.clock.advance(SignedDuration::from_secs(5));
    world.deliver().await;
    assert_eq!(server.received().len(), 2, "one failure may be an accident: it is tried again at once");
    assert!(world.queue.take().is_empty(), "a second one is none");

    world.clock.advance(MINUTE);
    assert!(world.wake([event("evt_2", "invoice.paid"), event("evt_3", "invoice.paid")]).await.is_empty());
    assert_eq!(server.received().len(), 2);
    let waiting = world.delivery("evt_2", endpoint.id).await.unwrap();
    assert_eq!((waiting.due(), waiting.log.iter().count()), (Some(world.clock.now()), 0));
    world.pass(MINUTE).await;
    assert_eq!(server.received().len(), 4);

    world.wake([event("evt_4", "invoice.paid")]).await;
    assert_eq!(server.received().len(), 5, "it is well again");
}

/// What the queue could not drain in a minute would keep mail and messages to others waiting.
#[tokio::test]
async fn a_backlog_waits_in_the_table_and_not_in_the_queue() {
    let world = World::start().await;
    world.endpoint(&nobody().await, &["*"]).await;
    let short = Duration::from_secs(5);
    let events: Vec<String> = (0..401).map(|number| event(&format!("evt_{number}"), "bill.opened")).collect();
    assert!(world.wake_with(events, short).await.is_empty());
    world.app.sweep_due(|| true).await.unwrap();
    assert_eq!(world.queue.take().len(), 400);
}

#[tokio::test]
async fn a_queue_that_is_down_leaves_it_to_the_sweep() {
    let world = World::start().await;
    let server = Receiver::start().await;
    world.endpoint(&server.url, &["*"]).await;
    server.answers([500]);
    world.queue.set_down(true);
    assert!(world.wake([event("evt_1", "invoice.paid")]).await.is_empty());
    assert!(world.app.sweep_due(|| true).await.is_ok(), "nothing is due yet");
    world.clock.advance(MINUTE);
    assert!(world.app.sweep_due(|| true).await.is_err(), "and somebody learns of it");
    world.queue.set_down(false);
    world.pass(MINUTE).await;
    assert_eq!(server.received().len(), 2);
}

#[tokio::test]
async fn nobodys_messages_come_again_alone() {
    let world = World::start().await;
    let server = Receiver::start().await;
    world.endpoint(&server.url, &["*"]).await;
    let bodies = ["{", &event("evt_1", "invoice.paid"), "{\"id\":\"evt_2\"}"].map(str::to_owned);
    assert_eq!(world.wake(bodies).await, [0, 2]);
    assert_eq!(server.received().len(), 1);
    let unknown = r#"{"delivery_id":"msg_00000000000000000000000000"}"#.to_owned();
    assert!(world.wake([unknown]).await.is_empty(), "about nothing that is on record: void");
    let customer = CustomerId::new(9);
    assert!(world.wake([event_of("evt_3", "invoice.paid", customer)]).await.is_empty());
}
