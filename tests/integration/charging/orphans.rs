//! Money that nothing is owed for goes back by itself, once, and operators are told.

use crate::books::accounts;
use crate::world::{World, pix};
use fatura_domain::attention::AttentionKind;
use fatura_domain::charge::Phase;
use fatura_domain::gateway::GatewayReference;
use fatura_domain::id::InvoiceId;
use fatura_domain::invoice::{Resolution, Status};
use fatura_domain::text::Text;

/// A QR code that waits to be paid, and what the gateway calls it.
async fn waiting(world: &World) -> (InvoiceId, String) {
    world.without_webhooks().await;
    world.set_gateway_clock().await;
    let invoice = world.draft(pix()).await;
    world.charge(invoice).await.unwrap();
    world.drain().await;
    (invoice, world.charge_at_gateway(invoice).await)
}

async fn canceled(world: &World) -> (InvoiceId, String) {
    let (invoice, charge) = waiting(world).await;
    world.cancel(invoice).await.unwrap();
    world.drain().await;
    assert_eq!(world.invoice(invoice).await.status(), Status::Canceled);
    (invoice, charge)
}

async fn refunded_minor(world: &World, invoice: InvoiceId) -> i64 {
    world.journal(invoice).await[0]["refunded_minor"].as_i64().unwrap()
}

async fn close_the_only_matter(world: &World, kind: AttentionKind) {
    let [matter] = &world.matters().await[..] else { panic!("{:?}", world.matters().await) };
    assert_eq!(matter.kind, kind);
    let note = Some(Text::parse("told the customer").unwrap());
    let closed = world.app.close_attention(&World::operator(), &matter.id, None, note).await.unwrap();
    assert_eq!(closed.closed.unwrap().by.unwrap().as_str(), "key_test");
    assert_eq!(world.matters().await, []);
    let kept = world.app.attention_of(&World::operator(), &matter.id).await.unwrap();
    assert_eq!(kept.closed.unwrap().note.as_deref(), Some("told the customer"));
}

#[tokio::test]
async fn paid_after_it_was_canceled() {
    let world = World::start().await;
    let (invoice, charge) = canceled(&world).await;
    world.pay(&charge, 12_205).await;
    world.tell(&charge, 3, false).await;
    assert_eq!(world.movements(invoice).await, [("orphan", 12_205)]);
    let held = accounts([("gateway_clearing:sandbox", 12_205), ("unapplied", -12_205)]);
    assert_eq!(world.balances(invoice).await, held);

    world.drain().await;
    world.tell(&charge, 3, true).await;
    world.drain().await;
    assert_eq!(refunded_minor(&world, invoice).await, 12_205);
    assert_eq!(world.refunds(invoice).await.len(), 1);
    assert_eq!(world.movements(invoice).await, [("orphan", 12_205), ("refund", 12_205)]);
    assert_eq!(world.balances(invoice).await, accounts([]));
    let after = world.invoice(invoice).await;
    assert_eq!((after.status(), after.amount_paid().minor()), (Status::Canceled, 0));
    assert!(after.orphans[0].returned);
    close_the_only_matter(&world, AttentionKind::OrphanPayment).await;
}

#[tokio::test]
async fn another_amount_after_it_was_canceled() {
    let world = World::start().await;
    let (invoice, charge) = canceled(&world).await;
    world.pay(&charge, 5_000).await;
    world.tell(&charge, 1, false).await;
    world.drain().await;
    assert_eq!(refunded_minor(&world, invoice).await, 5_000);
    assert_eq!(world.movements(invoice).await, [("orphan", 5_000), ("refund", 5_000)]);
    assert_eq!(world.balances(invoice).await, accounts([]));
    close_the_only_matter(&world, AttentionKind::OrphanPayment).await;
}

#[tokio::test]
async fn the_order_to_give_it_back_may_be_lost() {
    let world = World::start().await;
    let (invoice, charge) = canceled(&world).await;
    world.pay(&charge, 12_205).await;
    world.tell(&charge, 1, false).await;
    assert_eq!(world.charges.take().len(), 1);
    world.pass(60);
    assert_eq!(world.sweep().await, 1);
    world.drain().await;
    assert_eq!(refunded_minor(&world, invoice).await, 12_205);
    assert_eq!(world.balances(invoice).await, accounts([]));
}

/// The payer's bank sends it a second time, after the first was booked.
#[tokio::test]
async fn paid_twice() {
    let world = World::start().await;
    let (invoice, charge) = waiting(&world).await;
    world.pay(&charge, 12_205).await;
    world.tell(&charge, 1, false).await;
    world.assert_paid_once(invoice).await;
    world.pay(&charge, 12_205).await;
    for _ in 0..2 {
        world.tell(&charge, 2, true).await;
        world.drain().await;
    }
    assert_eq!(refunded_minor(&world, invoice).await, 12_205, "the second goes back, once");
    let books = accounts([("gateway_clearing:sandbox", 12_205), ("revenue", -12_205)]);
    assert_eq!(world.balances(invoice).await, books);
    assert_eq!(world.movements(invoice).await, [("charge", 12_205), ("orphan", 12_205), ("refund", 12_205)]);
    assert_eq!(world.invoice(invoice).await.status(), Status::Paid);
    close_the_only_matter(&world, AttentionKind::OrphanPayment).await;
}

/// Both before anybody heard of the first: twice the amount is another amount, and a person decides.
#[tokio::test]
async fn paid_twice_at_once() {
    let world = World::start().await;
    let (invoice, charge) = waiting(&world).await;
    world.pay(&charge, 12_205).await;
    world.pay(&charge, 12_205).await;
    world.tell(&charge, 2, false).await;
    world.drain().await;
    assert_eq!(world.open_matters().await, [AttentionKind::AmountMismatch]);
    assert_eq!(world.movements(invoice).await, [("orphan", 24_410)]);
    world.resolve(invoice, 1, Resolution::NotCharged).await.unwrap();
    world.drain().await;
    assert_eq!(refunded_minor(&world, invoice).await, 24_410);
    assert_eq!(world.balances(invoice).await, accounts([]));
}

#[tokio::test]
async fn another_amount_than_asked_for_goes_back_when_a_person_says_so() {
    let world = World::start().await;
    let (invoice, charge) = waiting(&world).await;
    world.pay(&charge, 5_000).await;
    world.tell(&charge, 2, false).await;
    world.drain().await;
    let shown = world.invoice(invoice).await;
    assert!(matches!(shown.state.live_attempt().unwrap().phase, Phase::Mismatched { .. }));
    let [matter] = &world.matters().await[..] else { panic!("{:?}", world.matters().await) };
    assert_eq!((matter.kind, matter.reference.clone()), {
        (AttentionKind::AmountMismatch, Some(GatewayReference(charge.clone())))
    });
    assert_eq!(refunded_minor(&world, invoice).await, 0, "nothing is done behind the operator's back");
    let charged = world.resolve(invoice, 1, Resolution::Charged(GatewayReference(charge.clone()))).await;
    assert!(charged.is_err(), "it isn't what was owed");

    world.resolve(invoice, 1, Resolution::NotCharged).await.unwrap();
    world.drain().await;
    world.tell(&charge, 2, true).await;
    world.drain().await;
    assert_eq!(refunded_minor(&world, invoice).await, 5_000);
    assert_eq!(world.refunds(invoice).await.len(), 1);
    assert_eq!(world.movements(invoice).await, [("orphan", 5_000), ("refund", 5_000)]);
    assert_eq!(world.balances(invoice).await, accounts([]));
    assert_eq!(world.invoice(invoice).await.status(), Status::ChargedWithError);
    assert_eq!(world.open_matters().await, []);
}

/// A bank's case about money that paid nothing is no dispute of the invoice's.
#[tokio::test]
async fn a_dispute_about_it_leaves_the_payment_alone_and_is_for_a_person() {
    let world = World::start().await;
    let (invoice, first) = waiting(&world).await;
    world.pay(&first, 5_000).await;
    world.tell(&first, 1, false).await;
    world.resolve(invoice, 1, Resolution::NotCharged).await.unwrap();
    world.requeue(invoice).await.unwrap();
    world.drain().await;
    let journal = world.journal(invoice).await;
    let ids = journal.iter().map(|charge| charge["id"].as_str().unwrap().to_owned());
    let second = ids.into_iter().find(|id| *id != first).unwrap();
    world.pay(&second, 12_205).await;
    world.tell(&second, 1, false).await;
    assert_eq!(world.invoice(invoice).await.status(), Status::Paid);

    world.pass(3_600);
    world.dispute(&first, "open").await;
    world.dispute(&first, "lost").await;
    world.tell(&first, 2, false).await;
    assert_eq!(world.invoice(invoice).await.status(), Status::Paid);
    assert_eq!(world.disputes(invoice).await, []);
    assert!(world.open_matters().await.contains(&AttentionKind::WebhookMismatch));
}
