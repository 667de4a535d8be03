//! A card that will never pay is followed by another: what waits is charged by it at once, one time.

use crate::faults::Mishap;
use crate::world::{World, answer, card};
use fatura_application::{AddPaymentMethod, Error, Once, Reply};
use fatura_domain::customer::PaymentMethod;
use fatura_domain::id::{CustomerId, InvoiceId, PaymentMethodId};
use fatura_domain::invoice::{NextAction, Status};

/// Invoices of one customer whose card was refused for good.
async fn refused(world: &World, count: usize) -> (CustomerId, Vec<InvoiceId>) {
    let customer = world.payer(card("tok_stolen")).await;
    let mut invoices = Vec::new();
    for _ in 0..count {
        let invoice = world.draft_for(customer).await;
        world.charge(invoice).await.unwrap();
        invoices.push(invoice);
    }
    world.drain().await;
    for invoice in &invoices {
        let next = world.invoice(*invoice).await.next_action();
        assert_eq!(next, Some((NextAction::AwaitPaymentMethod, None)));
    }
    world.pass(3_600);
    (customer, invoices)
}

async fn add(world: &World, customer: CustomerId, once: &Once) -> Result<Reply, Error> {
    let command = AddPaymentMethod { customer, instrument: card("tok_visa"), make_default: true };
    let id_only = |method: &PaymentMethod, _: bool| answer(method.id.to_string());
    world.app.add_payment_method(&World::operator(), command, once, &id_only).await
}

/// One capture each, on the second card; the customer's other invoices are no matter.
async fn assert_each_charged_once(world: &World, invoices: &[InvoiceId]) {
    for invoice in invoices {
        let after = world.invoice(*invoice).await;
        assert_eq!((after.status(), after.attempts.0), (Status::Paid, 2), "{after:?}");
        let journal = world.journal(*invoice).await;
        let statuses: Vec<_> = journal.iter().map(|charge| charge["status"].as_str().unwrap()).collect();
        assert_eq!(statuses, ["declined", "captured"]);
    }
}

async fn default_of(world: &World, customer: CustomerId) -> Option<PaymentMethodId> {
    let payer = world.app.payment_methods(&World::operator(), customer).await.unwrap();
    payer.customer.default_payment_method
}

#[tokio::test]
async fn a_new_card_is_charged_at_once_and_one_time() {
    let world = World::start().await;
    let (customer, invoices) = refused(&world, 1).await;
    let new = world.add_method(customer, card("tok_visa"), true).await;
    assert_eq!(default_of(&world, customer).await, Some(new));
    assert_eq!(world.charges.take().len(), 1, "at once: no sweep is needed");
    world.pass(60);
    assert_eq!(world.sweep().await, 1, "and if the message is lost, the sweep finds it");
    world.drain().await;
    assert_each_charged_once(&world, &invoices).await;
    let by = world.attempts(invoices[0]).await;
    assert_eq!(by.iter().map(|attempt| attempt.payment_method == new).collect::<Vec<_>>(), [true, false]);
    let asked = ("pending", "payment_method_changed");
    assert_eq!(world.steps(invoices[0]).await[2], asked);
    let step = &world.invoice(invoices[0]).await.history[3];
    assert_eq!(step.by.as_ref().unwrap().as_str(), "key_test");

    world.add_method(customer, card("tok_visa"), true).await;
    assert_eq!(world.charges.take(), []);
}

#[tokio::test]
async fn another_card_that_is_no_default_is_tried_all_the_same() {
    let world = World::start().await;
    let (customer, invoices) = refused(&world, 1).await;
    let before = default_of(&world, customer).await;
    let new = world.add_method(customer, card("tok_visa"), false).await;
    world.drain().await;
    assert_eq!(default_of(&world, customer).await, before);
    assert_eq!(world.invoice(invoices[0]).await.payment_method(), Some(new));
    assert_each_charged_once(&world, &invoices).await;
}

#[tokio::test]
async fn a_new_card_that_is_refused_too_waits_for_the_next() {
    let world = World::start().await;
    let (customer, invoices) = refused(&world, 1).await;
    world.add_method(customer, card("tok_expired_card"), true).await;
    world.drain().await;
    world.pass(60);
    assert_eq!(world.sweep().await, 0);
    assert_eq!(world.invoice(invoices[0]).await.attempts.0, 2);
    world.add_method(customer, card("tok_visa"), true).await;
    world.drain().await;
    assert_eq!(world.time_line(invoices[0]).await.len(), 3);
    assert_eq!(world.invoice(invoices[0]).await.status(), Status::Paid);
}

#[tokio::test]
async fn the_default_that_is_switched_to_is_a_new_card() {
    let world = World::start().await;
    let customer = world.payer(card("tok_stolen")).await;
    let other = world.add_method(customer, card("tok_visa"), false).await;
    let invoice = world.draft_for(customer).await;
    world.charge(invoice).await.unwrap();
    world.drain().await;
    assert_eq!(world.invoice(invoice).await.status(), Status::ChargedWithError);
    world.make_default(customer, other).await;
    world.drain().await;
    assert_each_charged_once(&world, &[invoice]).await;
}

#[tokio::test]
async fn the_same_card_again_is_not_tried() {
    let world = World::start().await;
    let (customer, invoices) = refused(&world, 1).await;
    let refused = world.invoice(invoices[0]).await.payment_method().unwrap();
    world.make_default(customer, refused).await;
    assert_eq!(world.charges.take(), [], "it is the default already");
    // Typed in once more: another method of ours, the same card at the gateway.
    world.add_method(customer, card("tok_stolen"), true).await;
    world.drain().await;
    assert_eq!(world.gateway.orders(), 1, "a stolen card must not be sent again");
    assert!(world.invoice(invoices[0]).await.awaits_method());
}

#[tokio::test]
async fn two_that_wait_are_both_charged() {
    let world = World::start().await;
    let (customer, invoices) = refused(&world, 2).await;
    world.add_method(customer, card("tok_visa"), true).await;
    world.drain().await;
    assert_each_charged_once(&world, &invoices).await;
}

#[tokio::test]
async fn more_than_one_transaction_takes_are_all_charged_once() {
    let world = World::start().await;
    let (customer, invoices) = refused(&world, 45).await;
    let before = world.store.commits();
    world.add_method(customer, card("tok_visa"), true).await;
    assert_eq!(world.store.commits() - before, 3);
    world.drain().await;
    assert_each_charged_once(&world, &invoices).await;
    assert_eq!(world.gateway.orders(), 90);
}

#[tokio::test]
async fn a_commit_that_fails_leaves_all_of_it_to_be_asked_for_again() {
    let world = World::start().await;
    let (customer, invoices) = refused(&world, 2).await;
    let once = world.once();
    world.store.fail_next_commit();
    assert!(add(&world, customer, &once).await.is_err());
    assert_eq!(world.charges.take(), []);
    assert!(!add(&world, customer, &once).await.unwrap().replayed);
    world.drain().await;
    assert_each_charged_once(&world, &invoices).await;
}

#[tokio::test]
async fn an_answer_that_is_lost_loses_no_invoice() {
    let world = World::start().await;
    let (customer, invoices) = refused(&world, 2).await;
    let once = world.once();
    world.store.at_commit(1, Mishap::AnswerLost);
    assert!(add(&world, customer, &once).await.is_err());
    assert!(add(&world, customer, &once).await.unwrap().replayed, "it had been written");
    // Its messages were never sent: the sweep's to make good.
    world.charges.take();
    world.pass(60);
    assert_eq!(world.sweep().await, 2);
    world.drain().await;
    assert_each_charged_once(&world, &invoices).await;
}

/// Some are charged with the card's own transaction, some with the next, which doesn't come to pass.
#[tokio::test]
async fn whoever_dies_between_two_transactions_is_asked_again_and_goes_on() {
    for mishap in [Mishap::Fails, Mishap::AnswerLost] {
        let world = World::start().await;
        let (customer, invoices) = refused(&world, 25).await;
        let once = world.once();
        world.store.at_commit(2, mishap);
        assert!(add(&world, customer, &once).await.is_err(), "{mishap:?}");
        assert!(add(&world, customer, &once).await.unwrap().replayed);
        world.drain().await;
        world.pass(60);
        world.sweep().await;
        world.drain().await;
        assert_each_charged_once(&world, &invoices).await;
    }
}
