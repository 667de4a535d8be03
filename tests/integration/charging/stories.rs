//! The usual way, and the ways around it.

use crate::world::{World, card, pix};
use fatura_application::Error;
use fatura_domain::SignedDuration;
use fatura_domain::charge::{AttemptOutcome, FailureClass, Phase};
use fatura_domain::invoice::{State, Status};
use fatura_domain::ledger::{Account, Direction, TransactionKind};
use futures::future::join_all;
use serde_json::json;
use std::time::Duration;

use fatura_application::ports::Clock;

#[tokio::test]
async fn a_charge_is_claimed_called_and_settled() {
    let world = World::start().await;
    let invoice = world.charged("tok_visa").await;
    assert!(world.deliver().await.is_empty());
    world.assert_paid_once(invoice).await;
    let attempts = world.attempts(invoice).await;
    assert_eq!(attempts.len(), 1);
    assert_eq!(attempts[0].outcome, AttemptOutcome::Succeeded);
    assert_eq!(world.journal(invoice).await[0]["idempotency_key"], attempts[0].id.to_string());
    let entries = world.transactions(invoice).await[0].journal.entries().to_vec();
    assert_eq!(entries[0].direction, Direction::Debit);
    assert_eq!((&entries[1].account, entries[1].direction), (&Account::Revenue, Direction::Credit));
}

#[tokio::test]
async fn one_message_ten_times_is_one_charge() {
    let world = World::start().await;
    let invoice = world.charged("tok_visa").await;
    let message = serde_json::to_string(&world.charges.take()[0]).unwrap();
    for _ in 0..3 {
        assert!(world.deliver_bodies(vec![message.clone(); 10]).await.is_empty());
    }
    world.assert_paid_once(invoice).await;
    assert_eq!(world.journal(invoice).await.len(), 1);
}

#[tokio::test]
async fn what_is_not_a_message_fails_alone() {
    let world = World::start().await;
    let (first, second) = (world.charged("tok_visa").await, world.charged("tok_visa").await);
    let mut bodies: Vec<_> =
        world.charges.take().iter().map(|message| serde_json::to_string(message).unwrap()).collect();
    let foreign = [
        "",
        "null",
        "{\"invoice_id\":1}",
        "{\"invoice_id\":\"inv_x\",\"attempt\":1,\"version\":2}",
        "\u{fffd}",
    ];
    bodies.splice(1..1, foreign.map(str::to_owned));
    assert_eq!(world.deliver_bodies(bodies).await, ["1", "2", "3", "4", "5"]);
    world.assert_paid_once(first).await;
    world.assert_paid_once(second).await;
}

#[tokio::test]
async fn without_time_for_the_call_nothing_is_begun() {
    let world = World::start().await;
    let invoice = world.charged("tok_visa").await;
    let message = serde_json::to_string(&world.charges.take()[0]).unwrap();
    assert_eq!(world.deliver_with(vec![message.clone()], Duration::from_secs(5)).await, ["0"]);
    assert!(world.invoice(invoice).await.state.live_attempt().is_none());
    assert!(world.deliver_bodies(vec![message]).await.is_empty());
    world.assert_paid_once(invoice).await;
}

#[tokio::test]
async fn with_too_little_time_left_after_the_claim_nothing_is_sent_and_nothing_is_burnt() {
    for (slow_s, orders) in [(18, 1), (19, 0)] {
        let world = World::start().await;
        let invoice = world.charged("tok_visa").await;
        let message = serde_json::to_string(&world.charges.take()[0]).unwrap();
        world.store.be_slow(world.clock.clone(), SignedDuration::from_secs(slow_s));
        assert!(world.deliver_with(vec![message], Duration::from_secs(30)).await.is_empty());
        assert_eq!(world.gateway.orders(), orders, "{slow_s} of 30 seconds gone, and 12 are needed");
        if orders == 0 {
            let held = world.invoice(invoice).await;
            let live = held.state.live_attempt().unwrap();
            let Phase::NotSent { failure } = &live.phase else { panic!("{live:?}") };
            assert_eq!((failure.code.as_str(), live.unsent, held.failures), ("out_of_time", 0, 0));
            world.pass(31);
            assert_eq!(world.sweep().await, 1);
            world.drain().await;
        }
        world.assert_paid_once(invoice).await;
        assert_eq!(world.invoice(invoice).await.attempts.0, 1);
    }
}

#[tokio::test]
async fn twenty_at_once_with_one_key_are_one_charge() {
    let world = World::start().await;
    let invoice = world.draft(card("tok_visa")).await;
    let once = world.once();
    let replies = join_all((0..20).map(|_| world.charge_once(invoice, &once))).await;
    let replies: Vec<_> = replies.into_iter().map(Result::unwrap).collect();
    assert_eq!(replies.iter().filter(|reply| !reply.replayed).count(), 1);
    assert!(replies.iter().all(|reply| reply.answer.body == "pending 2"));
    assert_eq!(world.charges.take().len(), 1);
}

#[tokio::test]
async fn the_first_answer_stands_after_the_invoice_has_moved_on() {
    let world = World::start().await;
    let invoice = world.draft(card("tok_visa")).await;
    let once = world.once();
    world.charge_once(invoice, &once).await.unwrap();
    world.deliver().await;
    world.assert_paid_once(invoice).await;
    let again = world.charge_once(invoice, &once).await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.answer.body, "pending 2");
    let other = fatura_application::Once { fingerprint: [1; 32], ..once };
    assert!(matches!(world.charge_once(invoice, &other).await, Err(Error::IdempotencyKeyReused)));
    assert!(matches!(world.charge(invoice).await, Err(Error::FailedPrecondition { .. })));
}

#[tokio::test]
async fn another_amount_than_asked_for_is_booked_aside_and_nothing_else_is_charged() {
    let world = World::start().await;
    world.at_the_gateway("/control", json!({ "webhooks_off": true, "lie": { "amount_minor": 1 } })).await;
    let invoice = world.charged("tok_charged_500").await;
    world.deliver().await;
    world.pass(61);
    world.sweep().await;
    world.deliver().await;
    let shown = world.invoice(invoice).await;
    let live = shown.state.live_attempt().unwrap();
    assert!(matches!(live.phase, Phase::Mismatched { .. }), "{live:?}");
    let transactions = world.transactions(invoice).await;
    assert_eq!((transactions.len(), transactions[0].kind), (1, TransactionKind::Orphan));
    world.pass(7_200);
    assert_eq!(world.sweep().await, 0);
}

#[tokio::test]
async fn a_scheduled_invoice_is_charged_when_its_time_comes() {
    let world = World::start().await;
    let at = world.clock.now() + SignedDuration::from_hours(48);
    let invoice = world.create(card("tok_visa"), Some(at)).await;
    assert!(world.charges.take().is_empty());
    world.pass(48 * 3_600 - 1);
    assert_eq!(world.sweep().await, 0);
    world.pass(1);
    assert_eq!(world.sweep().await, 1);
    world.deliver().await;
    world.assert_paid_once(invoice).await;
}

#[tokio::test]
async fn a_waiting_qr_code_is_voided_before_its_invoice_is_canceled() {
    let world = World::start().await;
    let invoice = world.draft(pix()).await;
    world.charge(invoice).await.unwrap();
    world.deliver().await;
    assert!(matches!(
        world.invoice(invoice).await.state.live_attempt().unwrap().phase,
        Phase::Awaiting { .. }
    ));
    let shown = |invoice: &fatura_domain::invoice::Invoice| crate::world::answer(invoice.status().as_str());
    let reply = world.app.cancel_invoice(&World::operator(), invoice, None, &shown).await.unwrap();
    assert_eq!(reply.answer.body, "pending");
    world.deliver().await;
    assert_eq!(world.invoice(invoice).await.status(), Status::Canceled);
    assert_eq!(world.journal(invoice).await[0]["status"], "voided");
}

#[tokio::test]
async fn asked_again_a_cancel_is_answered_as_it_was_first() {
    let world = World::start().await;
    let invoice = world.draft(pix()).await;
    world.charge(invoice).await.unwrap();
    world.deliver().await;
    let keys = [world.once(), world.once()];
    for once in &keys {
        let first = world.cancel_once(invoice, once).await.unwrap();
        assert_eq!((first.answer.body.as_str(), first.replayed), ("pending", false), "a void is on its way");
    }
    world.deliver().await;
    assert_eq!(world.invoice(invoice).await.status(), Status::Canceled);
    for once in &keys {
        let again = world.cancel_once(invoice, once).await.unwrap();
        assert_eq!(
            (again.answer.body.as_str(), again.replayed),
            ("pending", true),
            "whatever has become of it"
        );
    }
}

#[tokio::test]
async fn money_for_a_canceled_invoice_is_an_orphan() {
    let world = World::start().await;
    let invoice = world.draft(pix()).await;
    world.charge(invoice).await.unwrap();
    world.deliver().await;
    let shown = |invoice: &fatura_domain::invoice::Invoice| crate::world::answer(invoice.status().as_str());
    world.app.cancel_invoice(&World::operator(), invoice, None, &shown).await.unwrap();
    world.deliver().await;
    let charge = world.journal(invoice).await[0]["id"].as_str().unwrap().to_owned();
    // The payer's bank was slower than we were.
    world.at_the_gateway(&format!("/charges/{charge}/pay"), json!({})).await;
    while world.invoice(invoice).await.orphans.is_empty() {
        world.deliver_webhooks().await;
    }
    let after = world.invoice(invoice).await;
    assert_eq!((after.status(), after.orphans.len()), (Status::Canceled, 1));
    assert_eq!(world.transactions(invoice).await[0].kind, TransactionKind::Orphan);
}

#[tokio::test]
async fn a_decline_says_why() {
    let world = World::start().await;
    let invoice = world.charged("tok_stolen").await;
    world.deliver().await;
    let State::ChargedWithError(failed) = world.invoice(invoice).await.state else { panic!("not failed") };
    assert_eq!((failed.failure.class, failed.retry_at), (FailureClass::Hard, None));
    assert!(matches!(world.attempts(invoice).await[0].outcome, AttemptOutcome::Declined(_)));
    assert!(world.transactions(invoice).await.is_empty());
}
