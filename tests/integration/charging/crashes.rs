//! Whatever dies, and wherever: one charge, and it is found.

use crate::faults::Death;
use crate::world::{World, card};
use fatura_domain::invoice::Status;

#[tokio::test]
async fn dead_between_the_gateways_answer_and_the_books() {
    let world = World::start().await;
    world.at_the_gateway("/control", serde_json::json!({ "webhooks_off": true })).await;
    let invoice = world.charged("tok_visa").await;
    let message = serde_json::to_string(&world.charges.take()[0]).unwrap();
    world.gateway.die(Death::AfterTheAnswer);
    assert_eq!(world.deliver_bodies(vec![message.clone()]).await, ["0"], "the queue delivers it again");
    assert_eq!(world.journal(invoice).await.len(), 1, "and yet it was charged");

    assert!(world.deliver_bodies(vec![message]).await.is_empty());
    assert_eq!(world.invoice(invoice).await.status(), Status::Pending, "nobody sends blindly");
    world.pass(61);
    assert_eq!(world.sweep().await, 1);
    world.deliver().await;
    world.assert_paid_once(invoice).await;
}

#[tokio::test]
async fn dead_between_the_claim_and_the_call() {
    let world = World::start().await;
    let invoice = world.charged("tok_visa").await;
    world.gateway.die(Death::BeforeTheCall);
    world.deliver().await;
    assert!(world.journal(invoice).await.is_empty());
    world.pass(61);
    assert_eq!(world.sweep().await, 1);
    // The gateway knows nothing of it, so it goes out: the same attempt, the same key.
    world.deliver().await;
    world.deliver().await;
    world.assert_paid_once(invoice).await;
    assert_eq!(world.attempts(invoice).await[0].id.number.0, 1);
}

#[tokio::test]
async fn the_store_fails_after_the_gateways_answer() {
    let world = World::start().await;
    world.at_the_gateway("/control", serde_json::json!({ "webhooks_off": true })).await;
    let invoice = world.charged("tok_visa").await;
    world.store.fail_next_commit();
    assert_eq!(world.deliver().await, ["0"]);
    world.pass(61);
    world.sweep().await;
    world.deliver().await;
    world.assert_paid_once(invoice).await;
}

#[tokio::test]
async fn a_message_that_was_never_sent() {
    let world = World::start().await;
    let invoice = world.draft(card("tok_visa")).await;
    world.charges.set_down(true);
    assert_eq!(world.charge(invoice).await.unwrap().answer.body, "pending 2", "accepted all the same");
    world.charges.set_down(false);
    assert_eq!(world.sweep().await, 0, "not due yet");
    world.pass(60);
    assert_eq!(world.sweep().await, 1);
    world.deliver().await;
    world.assert_paid_once(invoice).await;
}

#[tokio::test]
async fn a_sweep_that_could_not_send_is_made_good_by_the_next() {
    let world = World::start().await;
    let invoice = world.charged("tok_visa").await;
    world.charges.take();
    world.pass(60);
    world.charges.set_down(true);
    assert!(
        retry_sweep::handle(&world.app, retry_sweep::Task::Sweep, || std::time::Duration::from_secs(50))
            .await
            .is_err()
    );
    world.charges.set_down(false);
    world.pass(120);
    assert_eq!(world.sweep().await, 1);
    world.deliver().await;
    world.assert_paid_once(invoice).await;
}

#[tokio::test]
async fn two_sweeps_at_once_send_once() {
    let world = World::start().await;
    for _ in 0..12 {
        world.charged("tok_visa").await;
    }
    world.charges.take();
    world.pass(60);
    let (first, second) = tokio::join!(world.sweep(), world.sweep());
    assert_eq!(first + second, 12);
    assert_eq!(world.charges.take().len(), 12);
}
