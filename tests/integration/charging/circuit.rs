//! A gateway that has stopped answering is left alone, and nothing is lost or burnt meanwhile.

use crate::books::counted;
use crate::world::{World, card};
use fatura_application::App;
use fatura_domain::charge::Phase;
use fatura_domain::id::InvoiceId;
use fatura_domain::invoice::Status;
use serde_json::json;
use std::time::Duration;

async fn set_down(world: &World, is_down: bool) {
    world.at_the_gateway("/control", json!({ "down": is_down })).await;
}

/// So many invoices whose messages wait in the queue, while the gateway is down.
async fn waiting(world: &World, count: usize) -> Vec<InvoiceId> {
    world.without_webhooks().await;
    set_down(world, true).await;
    let customer = world.payer(card("tok_visa")).await;
    let mut invoices = Vec::new();
    for _ in 0..count {
        let invoice = world.draft_for(customer).await;
        world.charge(invoice).await.unwrap();
        invoices.push(invoice);
    }
    invoices
}

/// How many know nothing of their order's fate, and how many have not sent it.
async fn phases(world: &World, invoices: &[InvoiceId]) -> (usize, usize) {
    let (mut unknown, mut held) = (0, 0);
    for id in invoices {
        let invoice = world.invoice(*id).await;
        let live = invoice.state.live_attempt().unwrap();
        assert_eq!((live.number.0, invoice.attempts.0, invoice.failures), (1, 1, 0), "nothing is burnt");
        match &live.phase {
            Phase::Unknown { .. } => unknown += 1,
            Phase::NotSent { failure } => {
                assert_eq!((failure.code.as_str(), live.unsent), ("circuit_open", 0));
                held += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    (unknown, held)
}

/// Minute by minute until all are paid, by one charge each.
async fn assert_all_are_charged_once(world: &World, invoices: &[InvoiceId]) {
    for _ in 0..10 {
        world.pass(60);
        world.sweep().await;
        world.drain().await;
    }
    let captures = world.captures().await;
    for id in invoices {
        let invoice = world.invoice(*id).await;
        assert_eq!((invoice.status(), invoice.attempts.0), (Status::Paid, 1), "{invoice:?}");
        assert_eq!(captures.get(id), Some(&1));
    }
}

#[tokio::test]
async fn after_ten_silent_orders_no_more_go_out() {
    let world = World::start().await;
    let invoices = waiting(&world, 25).await;
    world.deliver_in_turn().await;
    assert_eq!(world.gateway.orders(), 10);
    assert_eq!(phases(&world, &invoices).await, (10, 15));
    world.pass(29);
    assert_eq!(world.sweep().await, 0, "those held back are not even taken up");

    set_down(&world, false).await;
    assert_all_are_charged_once(&world, &invoices).await;
}

#[tokio::test]
async fn nine_are_bad_luck() {
    let world = World::start().await;
    let invoices = waiting(&world, 9).await;
    world.deliver_in_turn().await;
    set_down(&world, false).await;
    let between = world.charged("tok_stolen").await;
    world.drain().await;
    assert_eq!(world.invoice(between).await.status(), Status::ChargedWithError, "an answer, and a good one");
    set_down(&world, true).await;
    let more = waiting(&world, 9).await;
    world.deliver_in_turn().await;
    assert_eq!(world.gateway.orders(), 19, "silence in a row is what counts");
    set_down(&world, false).await;
    let all: Vec<_> = invoices.into_iter().chain(more).collect();
    assert_all_are_charged_once(&world, &all).await;
}

#[tokio::test]
async fn one_probe_at_a_time_asks_whether_it_is_back() {
    let world = World::start().await;
    let invoices = waiting(&world, 25).await;
    world.deliver_in_turn().await;
    // The first pause is half a minute, and up to another until each is taken up; then it doubles, and doubles.
    let mut orders = 10;
    for _ in 0..3 {
        world.pass(60);
        while world.sweep().await > 0 {
            world.drain().await;
        }
        // All at once, and still one.
        assert!(world.gateway.orders() <= orders + 1, "{} after {orders}", world.gateway.orders());
        orders = world.gateway.orders();
        phases(&world, &invoices).await;
    }
    assert!((11..=13).contains(&orders), "it was asked: {orders}");
    set_down(&world, false).await;
    assert_all_are_charged_once(&world, &invoices).await;
}

#[tokio::test]
async fn another_consumer_knows_of_it() {
    let world = World::start().await;
    let invoices = waiting(&world, 12).await;
    let mut bodies: Vec<String> =
        world.charges.take().iter().map(|message| serde_json::to_string(message).unwrap()).collect();
    let left = bodies.split_off(10);
    for body in bodies {
        world.deliver_bodies(vec![body]).await;
    }
    let App { records, charges, gateways, clock, entropy, .. } = world.app.clone();
    let other = App::new(records, charges, gateways, clock, entropy);
    assert!(World::consume(&other, left, Duration::from_secs(30)).await.is_empty());
    assert_eq!(world.gateway.orders(), 10);
    assert_eq!(phases(&world, &invoices).await, (10, 2));
}

#[tokio::test]
async fn a_billing_run_pauses_and_goes_on() {
    let world = World::start().await;
    let invoices = waiting(&world, 10).await;
    world.deliver_in_turn().await;
    let customer = world.payer(card("tok_visa")).await;
    let mut drafts = Vec::new();
    for _ in 0..30 {
        drafts.push(world.draft_for(customer).await);
    }
    world.pass(1);
    let run = world.bill(None, &world.once()).await.unwrap();
    for _ in 0..3 {
        world.deliver_in_turn().await;
    }
    assert!(!world.is_walked(&run).await);
    assert_eq!(world.counts(&run).await, (counted([]), counted([])), "nothing is piled up");
    for draft in &drafts {
        assert_eq!(world.invoice(*draft).await.status(), Status::Draft);
    }
    assert_eq!(world.gateway.orders(), 10);

    set_down(&world, false).await;
    world.pass(60);
    world.drain().await;
    assert_all_are_charged_once(&world, &drafts).await;
    assert_all_are_charged_once(&world, &invoices).await;
    assert!(world.is_walked(&run).await);
    assert_eq!(world.counts(&run).await, (counted([("due", 30), ("enqueued", 30)]), counted([("paid", 30)])));
}
