//! Our books against the gateway's: what agrees is silent, and every difference is listed and shown.

use crate::books::{ALL, counted};
use crate::world::{World, answer, pix};
use fatura_application::ports::Progress;
use fatura_application::{BeginReconciliation, Difference, Error};
use fatura_domain::SignedDuration;
use fatura_domain::attention::AttentionKind;
use fatura_domain::gateway::{GatewayName, MovementKind};
use fatura_domain::id::{InvoiceId, RunId};
use retry_sweep::Task;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const HOUR: i64 = 3_600;

fn sandbox() -> GatewayName {
    GatewayName::parse("sandbox").unwrap()
}

/// Begins one over the last hours.
async fn begin(world: &World, hours: i64) -> RunId {
    let from = world.now() - SignedDuration::from_hours(hours);
    let command = BeginReconciliation { gateway: sandbox(), from, to: world.now() };
    let id_only = |progress: &Progress| answer(progress.run.id.as_str());
    let begun = world.app.begin_reconciliation(&World::operator(), command, &world.once(), &id_only).await;
    begun.unwrap().answer.body.parse().unwrap()
}

async fn reconciled(world: &World) -> Vec<Difference> {
    let run = begin(world, 3).await;
    world.drain().await;
    assert!(world.is_walked(&run).await);
    let found = world.app.differences(&World::operator(), &run, ALL).await.unwrap().data;
    let counts = world.app.difference_counts(&World::operator(), &run).await.unwrap();
    // Both sides may meet the same difference, which is listed once.
    let mut expected: BTreeMap<&str, u64> = BTreeMap::new();
    for difference in &found {
        *expected.entry(difference.kind.as_str()).or_default() += 1;
    }
    assert_eq!(counts, expected);
    found
}

/// What a difference says: its kind, what kind of movement, and both amounts.
fn said(difference: &Difference) -> (&'static str, MovementKind, Option<String>, Option<String>) {
    let shown = |amount: Option<fatura_domain::money::Money>| {
        amount.map(|amount| format!("{amount} {}", amount.currency().code()))
    };
    let (here, there) = (shown(difference.amount_here), shown(difference.amount_there));
    (difference.kind.as_str(), difference.movement, here, there)
}

fn brl(amount: &str) -> String {
    format!("{amount} BRL")
}

/// Three paid invoices, of the first of which a part went back; an hour ago by both clocks.
async fn books(world: &World) -> Vec<InvoiceId> {
    world.without_webhooks().await;
    world.set_gateway_clock().await;
    let mut invoices = Vec::new();
    for _ in 0..3 {
        invoices.push(world.paid().await);
    }
    world.refund(invoices[0], "22.05").await.unwrap();
    world.drain().await;
    world.pass(HOUR);
    invoices
}

async fn lie(world: &World, lie: Value) {
    world.at_the_gateway("/control", json!({ "lie": lie })).await;
}

/// Each difference is a matter of its own, about this invoice.
async fn assert_shown(world: &World, count: usize, invoice: Option<InvoiceId>) {
    let matters = world.matters().await;
    assert_eq!(matters.len(), count, "{matters:?}");
    for matter in matters {
        assert_eq!((matter.kind, matter.invoice), (AttentionKind::ReconciliationDifference, invoice));
        world.app.close_attention(&World::operator(), &matter.id, None, None).await.unwrap();
    }
}

#[tokio::test]
async fn books_that_agree_have_no_difference() {
    let world = World::start().await;
    books(&world).await;
    let run = begin(&world, 3).await;
    world.drain().await;
    // Their three captures and a refund, and ours.
    assert_eq!(world.counts(&run).await.0, counted([("compared", 8)]));
    assert!(world.app.differences(&World::operator(), &run, ALL).await.unwrap().data.is_empty());
    assert_eq!(world.matters().await, []);
    let earlier = begin(&world, 0).await;
    world.drain().await;
    assert_eq!(world.counts(&earlier).await.0, counted([("compared", 0)]), "only what the period holds");
}

#[tokio::test]
async fn orphans_and_what_was_paid_twice_agree_too() {
    let world = World::start().await;
    world.without_webhooks().await;
    world.set_gateway_clock().await;
    let invoice = world.draft(pix()).await;
    world.charge(invoice).await.unwrap();
    world.drain().await;
    let charge = world.charge_at_gateway(invoice).await;
    for _ in 0..2 {
        world.pay(&charge, 12_205).await;
        world.tell(&charge, 1, false).await;
        world.drain().await;
    }
    world.pass(HOUR);
    assert_eq!(reconciled(&world).await, []);
}

#[tokio::test]
async fn what_the_gateway_does_not_have_is_missing_there() {
    let world = World::start().await;
    let invoices = books(&world).await;
    let charge = world.charge_at_gateway(invoices[1]).await;
    lie(&world, json!({ "charge_ids": [charge], "missing": true })).await;
    let found = reconciled(&world).await;
    let told: Vec<_> = found.iter().map(said).collect();
    assert_eq!(told, [("missing_there", MovementKind::Capture, Some(brl("122.05")), None)]);
    assert_eq!((&found[0].reference.0, found[0].invoice), (&charge, Some(invoices[1])));
    assert_shown(&world, 1, Some(invoices[1])).await;
}

#[tokio::test]
async fn what_we_do_not_have_is_missing_here() {
    let world = World::start().await;
    books(&world).await;
    let at = world.now().as_second() - HOUR;
    let invented = |kind, id| {
        json!({ "kind": kind, "id": id, "charge_id": "ch_x", "reference": "of nobody", "amount_minor": 999,
                "currency": "BRL", "at": at })
    };
    lie(&world, json!({ "movements": [invented("capture", "ch_x"), invented("refund", "re_x")] })).await;
    let mut told: Vec<_> = reconciled(&world).await.iter().map(said).collect();
    told.sort_by_key(|(_, movement, ..)| *movement == MovementKind::Refund);
    let missing = |movement| ("missing_here", movement, None, Some(brl("9.99")));
    assert_eq!(told, [missing(MovementKind::Capture), missing(MovementKind::Refund)]);
    assert_shown(&world, 2, None).await;
}

/// No lie this time: it was charged, and we were never told.
#[tokio::test]
async fn a_charge_that_nobody_told_us_of_is_found() {
    let world = World::start().await;
    books(&world).await;
    world.set_gateway_clock().await;
    let invoice = world.charged("tok_charged_500").await;
    world.drain().await;
    world.pass(30);
    let found = reconciled(&world).await;
    let told: Vec<_> = found.iter().map(said).collect();
    assert_eq!(told, [("missing_here", MovementKind::Capture, None, Some(brl("122.05")))]);
    assert_shown(&world, 1, Some(invoice)).await;
}

#[tokio::test]
async fn another_amount_and_another_currency_are_differences() {
    for (what, kind, there) in [
        (json!({ "amount_minor": 12_206 }), "amount", "122.06 BRL"),
        (json!({ "currency": "USD" }), "currency", "122.05 USD"),
    ] {
        let world = World::start().await;
        let invoices = books(&world).await;
        let mut told_lie = what;
        told_lie["charge_ids"] = json!([world.charge_at_gateway(invoices[2]).await]);
        lie(&world, told_lie).await;
        let told: Vec<_> = reconciled(&world).await.iter().map(said).collect();
        assert_eq!(told, [(kind, MovementKind::Capture, Some(brl("122.05")), Some(there.to_owned()))]);
        assert_shown(&world, 1, Some(invoices[2])).await;
    }
}

#[tokio::test]
async fn refunds_are_compared_as_well() {
    let world = World::start().await;
    let invoices = books(&world).await;
    let refund = world.truth("/refunds").await[0]["id"].clone();
    lie(&world, json!({ "charge_ids": [refund], "amount_minor": 2_204 })).await;
    let told: Vec<_> = reconciled(&world).await.iter().map(said).collect();
    assert_eq!(told, [("amount", MovementKind::Refund, Some(brl("22.05")), Some(brl("22.04")))]);
    assert_shown(&world, 1, Some(invoices[0])).await;
}

#[tokio::test]
async fn a_gateway_that_has_forgotten_everything_misses_everything() {
    let world = World::start().await;
    books(&world).await;
    world.at_the_gateway("/control/reset", json!({})).await;
    world.set_gateway_clock().await;
    let mut told: Vec<_> = reconciled(&world).await.iter().map(said).collect();
    told.sort_by_key(|(_, movement, ..)| *movement == MovementKind::Refund);
    let missing = |movement, amount| ("missing_there", movement, Some(brl(amount)), None);
    let capture = missing(MovementKind::Capture, "122.05");
    assert_eq!(told, [capture.clone(), capture.clone(), capture, missing(MovementKind::Refund, "22.05")]);
    assert_eq!(world.matters().await.len(), 4);
}

#[tokio::test]
async fn a_gateway_that_is_down_is_asked_again() {
    let world = World::start().await;
    books(&world).await;
    let run = begin(&world, 3).await;
    world.at_the_gateway("/control", json!({ "down": true })).await;
    assert!(!world.deliver().await.is_empty(), "they go back to the queue, which may lose them");
    assert!(!world.is_walked(&run).await);
    world.at_the_gateway("/control", json!({ "down": false })).await;
    world.pass(121);
    world.sweep().await;
    world.drain().await;
    assert!(world.is_walked(&run).await);
    assert_eq!(world.counts(&run).await.0, counted([("compared", 8)]));
}

#[tokio::test]
async fn the_schedule_begins_one_for_each_gateway_and_day() {
    let world = World::start().await;
    let invoices = books(&world).await;
    let charge = world.charge_at_gateway(invoices[0]).await;
    lie(&world, json!({ "charge_ids": [charge], "missing": true })).await;
    world.clock.set("2026-11-03T03:00:00Z".parse().unwrap());
    let (one, other) =
        tokio::join!(world.scheduled(Task::DailyReconciliation), world.scheduled(Task::DailyReconciliation));
    assert_eq!(one["runs"].as_u64().unwrap() + other["runs"].as_u64().unwrap(), 1);
    world.drain().await;
    let run: RunId = "run_20261102_sandbox".parse().unwrap();
    assert_eq!(world.counts(&run).await.0, counted([("compared", 7)]));
    assert_eq!(world.scheduled(Task::DailyReconciliation).await, json!({ "runs": 0 }));
    world.pass(24 * HOUR);
    assert_eq!(world.scheduled(Task::DailyReconciliation).await, json!({ "runs": 1 }));
    world.drain().await;
    let next: RunId = "run_20261103_sandbox".parse().unwrap();
    assert_eq!(world.counts(&next).await.0, counted([("compared", 0)]), "each day by itself");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let world = World::start().await;
    let (now, hour) = (world.now(), SignedDuration::from_hours(1));
    for (gateway, from, to) in
        [("stripe", now - hour, now), ("sandbox", now - hour, now + SignedDuration::from_millis(1))]
    {
        let command = BeginReconciliation { gateway: GatewayName::parse(gateway).unwrap(), from, to };
        let shown = |_: &Progress| answer("");
        let refused =
            world.app.begin_reconciliation(&World::operator(), command, &world.once(), &shown).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{gateway}: {refused:?}");
    }
}
