//! Money back: sent once, whatever dies or stays silent.

use crate::faults::Death;
use crate::world::{World, answer};
use fatura_application::{RefundAmount, RequestRefund};
use fatura_domain::id::InvoiceId;
use fatura_domain::invoice::Status;
use fatura_domain::ledger::{Account, Direction, TransactionKind};
use fatura_domain::refund::Refund;
use serde_json::json;

async fn paid(world: &World) -> InvoiceId {
    let invoice = world.charged("tok_visa").await;
    world.deliver().await;
    world.assert_paid_once(invoice).await;
    invoice
}

async fn refund(world: &World, invoice: InvoiceId) {
    world.pass(1);
    let command = RequestRefund { invoice, amount: RefundAmount::AllThatIsLeft, reason: None };
    let shown = |refund: &Refund| answer(refund.id.to_string());
    world.app.request_refund(&World::operator(), command, &world.once(), &shown).await.unwrap();
}

async fn assert_refunded_once(world: &World, invoice: InvoiceId) {
    let after = world.invoice(invoice).await;
    assert_eq!(
        (after.status(), after.amount_refunded().to_string()),
        (Status::Refunded, "122.05".to_owned())
    );
    assert_eq!(world.journal(invoice).await[0]["refunded_minor"], 12_205);
    let transactions = world.transactions(invoice).await;
    let kinds: Vec<_> = transactions.iter().map(|transaction| transaction.kind).collect();
    assert_eq!(kinds, [TransactionKind::Refund, TransactionKind::Charge]);
    let entries = transactions[0].journal.entries();
    assert_eq!((&entries[0].account, entries[0].direction), (&Account::Revenue, Direction::Debit));
}

#[tokio::test]
async fn a_paid_invoice_is_given_back_with_its_entries_reversed() {
    let world = World::start().await;
    let invoice = paid(&world).await;
    refund(&world, invoice).await;
    assert!(world.deliver().await.is_empty());
    assert_refunded_once(&world, invoice).await;
}

#[tokio::test]
async fn dead_after_the_gateways_answer_it_is_found_and_not_sent_twice() {
    for death in [Death::BeforeTheCall, Death::AfterTheAnswer] {
        let world = World::start().await;
        let invoice = paid(&world).await;
        refund(&world, invoice).await;
        world.gateway.die(death);
        assert_eq!(world.deliver().await, ["0"], "{death:?}");
        world.pass(60);
        assert_eq!(world.sweep().await, 1, "{death:?}");
        world.deliver().await;
        assert_refunded_once(&world, invoice).await;
    }
}

#[tokio::test]
async fn a_message_that_was_never_sent_is_made_good_by_the_sweep() {
    let world = World::start().await;
    let invoice = paid(&world).await;
    world.charges.set_down(true);
    refund(&world, invoice).await;
    world.charges.set_down(false);
    world.pass(59);
    assert_eq!(world.sweep().await, 0);
    world.pass(1);
    assert_eq!(world.sweep().await, 1);
    world.deliver().await;
    assert_refunded_once(&world, invoice).await;
}

#[tokio::test]
async fn what_takes_its_time_at_the_gateway_is_asked_about() {
    let world = World::start().await;
    let invoice = paid(&world).await;
    world.at_the_gateway("/control", json!({ "refund_outcome": "pending" })).await;
    refund(&world, invoice).await;
    world.deliver().await;
    assert_eq!(world.invoice(invoice).await.status(), Status::Paid, "on its way");
    // The gateway takes a second of its own time; ours passes a day with each look.
    for _ in 0..10 {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        world.pass(24 * 3_600);
        world.sweep().await;
        world.deliver().await;
        if world.invoice(invoice).await.status() == Status::Refunded {
            break;
        }
    }
    assert_refunded_once(&world, invoice).await;
}

#[tokio::test]
async fn what_the_gateway_refuses_stays_paid() {
    let world = World::start().await;
    let invoice = paid(&world).await;
    world.at_the_gateway("/control", json!({ "refund_outcome": "failed" })).await;
    refund(&world, invoice).await;
    world.deliver().await;
    let after = world.invoice(invoice).await;
    assert_eq!((after.status(), after.amount_refunded().minor()), (Status::Paid, 0));
    assert_eq!(world.transactions(invoice).await.len(), 1);
}

#[tokio::test]
async fn one_message_ten_times_is_one_refund() {
    let world = World::start().await;
    let invoice = paid(&world).await;
    refund(&world, invoice).await;
    let message = serde_json::to_string(&world.charges.take()[0]).unwrap();
    world.deliver_bodies(vec![message; 10]).await;
    assert_refunded_once(&world, invoice).await;
}
