//! The cardholder's case, however its news come: by webhook, by poll, twice, and the last first.

use crate::books::accounts;
use crate::world::World;
use fatura_domain::attention::AttentionKind;
use fatura_domain::dispute::Origin;
use fatura_domain::id::InvoiceId;
use fatura_domain::invoice::Status;
use std::collections::BTreeMap;

const DAY: i64 = 24 * 3_600;

/// An invoice that was paid, and what the gateway calls its charge; no webhook comes unasked.
async fn paid(world: &World) -> (InvoiceId, String) {
    world.without_webhooks().await;
    let invoice = world.paid().await;
    world.pass(DAY);
    (invoice, world.charge_at_gateway(invoice).await)
}

/// The invoice's disputes by state, newest first.
async fn cases(world: &World, invoice: InvoiceId) -> Vec<&'static str> {
    world.disputes(invoice).await.iter().map(|dispute| dispute.state.as_str()).collect()
}

fn as_if_paid() -> BTreeMap<String, i64> {
    accounts([("gateway_clearing:sandbox", 12_205), ("revenue", -12_205)])
}

/// The money is gone: revenue stands against what was taken back.
fn as_if_charged_back() -> BTreeMap<String, i64> {
    accounts([("chargebacks", 12_205), ("revenue", -12_205)])
}

const OPENED: (&str, &str) = ("in_protest", "dispute_opened");
const LOST: (&str, &str) = ("chargeback", "dispute_lost");

#[tokio::test]
async fn opened_by_the_bank_and_lost_it_is_a_chargeback() {
    let world = World::start().await;
    let (invoice, charge) = paid(&world).await;
    world.dispute(&charge, "open").await;
    world.tell(&charge, 1, false).await;
    assert_eq!(world.invoice(invoice).await.status(), Status::InProtest);
    let [dispute] = &world.disputes(invoice).await[..] else { panic!("one case") };
    assert_eq!((&dispute.origin, dispute.amount.to_string()), (&Origin::Gateway, "122.05".to_owned()));
    assert_eq!(world.balances(invoice).await, as_if_paid(), "nothing has been taken yet");
    assert!(world.refund(invoice, "1.00").await.is_err(), "not while it is disputed");

    world.dispute(&charge, "lost").await;
    world.tell(&charge, 1, false).await;
    assert_eq!(world.steps(invoice).await[2..], [OPENED, LOST]);
    assert_eq!(cases(&world, invoice).await, ["lost"]);
    assert_eq!(world.movements(invoice).await, [("charge", 12_205), ("chargeback", 12_205)]);
    assert_eq!(world.balances(invoice).await, as_if_charged_back());
}

#[tokio::test]
async fn contested_with_us_it_is_the_banks_case_that_counts() {
    let world = World::start().await;
    let (invoice, charge) = paid(&world).await;
    world.contest(invoice).await.unwrap();
    assert_eq!(world.invoice(invoice).await.status(), Status::InProtest);
    world.dispute(&charge, "open").await;
    world.tell(&charge, 1, false).await;
    assert_eq!(cases(&world, invoice).await, ["open"], "one case, not two");
    world.dispute(&charge, "lost").await;
    world.tell(&charge, 1, false).await;
    assert_eq!(world.steps(invoice).await[2..], [("in_protest", "contested"), LOST]);
    assert_eq!(cases(&world, invoice).await, ["lost"]);
    assert_eq!(world.balances(invoice).await, as_if_charged_back());
}

#[tokio::test]
async fn won_it_is_paid_as_before() {
    let world = World::start().await;
    let (invoice, charge) = paid(&world).await;
    world.dispute(&charge, "open").await;
    world.tell(&charge, 1, false).await;
    world.dispute(&charge, "won").await;
    world.tell(&charge, 1, false).await;
    assert_eq!(world.steps(invoice).await[2..], [OPENED, ("paid", "dispute_won")]);
    assert_eq!(cases(&world, invoice).await, ["won"]);
    assert_eq!(world.movements(invoice).await, [("charge", 12_205)], "no money has moved");
    world.assert_paid_once(invoice).await;
}

#[tokio::test]
async fn lost_and_then_won_the_money_is_back_to_the_cent() {
    let world = World::start().await;
    let (invoice, charge) = paid(&world).await;
    for (outcome, books) in [("lost", as_if_charged_back()), ("won", as_if_paid())] {
        world.dispute(&charge, outcome).await;
        world.tell(&charge, 1, false).await;
        assert_eq!(world.balances(invoice).await, books, "{outcome}");
        world.pass(DAY);
    }
    assert_eq!(world.steps(invoice).await[2..], [OPENED, LOST, ("paid", "reinstated")]);
    let booked = [("charge", 12_205), ("chargeback", 12_205), ("reinstatement", 12_205)];
    assert_eq!(world.movements(invoice).await, booked);
    assert_eq!(cases(&world, invoice).await, ["won"]);
}

#[tokio::test]
async fn told_twice_and_the_last_first_it_ends_the_same() {
    for (outcomes, books, status) in [
        (&["open", "lost"][..], as_if_charged_back(), Status::Chargeback),
        (&["open", "lost", "won"], as_if_paid(), Status::Paid),
        (&["open", "won"], as_if_paid(), Status::Paid),
    ] {
        let world = World::start().await;
        let (invoice, charge) = paid(&world).await;
        for outcome in outcomes {
            world.dispute(&charge, outcome).await;
        }
        // Whatever comes first, the gateway is asked how it stands, and that is how it stands.
        world.tell(&charge, 2, true).await;
        let first = world.invoice(invoice).await;
        world.tell(&charge, 2, false).await;
        world.tell(&charge, 1, true).await;
        assert_eq!(world.invoice(invoice).await, first, "{outcomes:?}");
        assert_eq!(first.status(), status, "{outcomes:?}");
        assert_eq!(world.balances(invoice).await, books, "{outcomes:?}");
        assert_eq!(cases(&world, invoice).await.len(), 1, "{outcomes:?}");
    }
}

#[tokio::test]
async fn told_step_by_step_twice_and_backwards_each_step_is_one() {
    let world = World::start().await;
    let (invoice, charge) = paid(&world).await;
    for (outcome, status) in
        [("open", Status::InProtest), ("lost", Status::Chargeback), ("won", Status::Paid)]
    {
        world.dispute(&charge, outcome).await;
        world.tell(&charge, 2, true).await;
        world.tell(&charge, 1, false).await;
        assert_eq!(world.invoice(invoice).await.status(), status);
        world.pass(3_600);
    }
    assert_eq!(world.steps(invoice).await[2..], [OPENED, LOST, ("paid", "reinstated")]);
    assert_eq!(world.movements(invoice).await.len(), 3);
    assert_eq!(world.balances(invoice).await, as_if_paid());
}

#[tokio::test]
async fn webhooks_that_are_lost_are_made_good_by_the_daily_question() {
    for (outcome, status) in [("lost", Status::Chargeback), ("won", Status::Paid)] {
        let world = World::start().await;
        let (invoice, charge) = paid(&world).await;
        world.contest(invoice).await.unwrap();
        world.pass(DAY);
        assert_eq!(world.sweep().await, 1, "asked each day");
        world.drain().await;
        assert_eq!(world.invoice(invoice).await.status(), Status::InProtest, "the bank has no case yet");
        world.dispute(&charge, outcome).await;
        world.pass(DAY - 1);
        assert_eq!(world.sweep().await, 0);
        world.pass(1);
        assert_eq!(world.sweep().await, 1);
        world.drain().await;
        assert_eq!(world.invoice(invoice).await.status(), status);
        world.pass(30 * DAY);
        assert_eq!(world.sweep().await, 0, "decided");
    }
}

/// Contested with us, and for 120 days no bank has said a word of it.
async fn contested_in_vain(world: &World) -> (InvoiceId, String) {
    let (invoice, charge) = paid(world).await;
    world.contest(invoice).await.unwrap();
    for days in [119, 1] {
        assert!(world.open_matters().await.is_empty());
        world.pass(days * DAY);
        assert_eq!(world.sweep().await, 1, "asked until the last day, and once more then");
        world.drain().await;
    }
    let [matter] = &world.matters().await[..] else { panic!("one matter") };
    assert_eq!((matter.kind, matter.invoice), (AttentionKind::ContestUnanswered, Some(invoice)));
    (invoice, charge)
}

#[tokio::test]
async fn what_no_bank_takes_up_is_asked_about_for_120_days_and_then_a_person_decides() {
    let world = World::start().await;
    let (invoice, _) = contested_in_vain(&world).await;
    world.pass(100 * DAY);
    assert_eq!(world.sweep().await, 0, "nobody is asked for ever");
    assert_eq!(world.invoice(invoice).await.status(), Status::InProtest);
    let [matter] = &world.matters().await[..] else { panic!("raised once") };
    for _ in 0..2 {
        let closed = world.app.close_attention(&World::operator(), &matter.id, None, None).await.unwrap();
        assert_eq!(closed.closed.unwrap().by.unwrap().as_str(), "key_test");
    }
    assert_eq!(world.open_matters().await, []);
    assert_eq!(world.steps(invoice).await[2..], [("in_protest", "contested"), ("paid", "dispute_won")]);
    assert_eq!(cases(&world, invoice).await, ["won"]);
    world.assert_paid_once(invoice).await;
}

#[tokio::test]
async fn a_bank_that_is_later_than_that_still_decides_and_closes_the_matter() {
    let world = World::start().await;
    let (invoice, charge) = contested_in_vain(&world).await;
    world.dispute(&charge, "open").await;
    world.tell(&charge, 1, false).await;
    assert_eq!(world.open_matters().await, []);
    world.dispute(&charge, "lost").await;
    world.pass(DAY);
    assert_eq!(world.sweep().await, 1, "there is something to ask about again");
    world.drain().await;
    assert_eq!(world.invoice(invoice).await.status(), Status::Chargeback);
    assert_eq!(cases(&world, invoice).await, ["lost"]);
    assert_eq!(world.balances(invoice).await, as_if_charged_back());
}

#[tokio::test]
async fn a_case_that_the_bank_opened_is_followed_up_without_webhooks() {
    let world = World::start().await;
    let (invoice, charge) = paid(&world).await;
    world.dispute(&charge, "open").await;
    world.tell(&charge, 1, false).await;
    world.dispute(&charge, "lost").await;
    world.pass(DAY);
    assert_eq!(world.sweep().await, 1);
    world.drain().await;
    assert_eq!(world.invoice(invoice).await.status(), Status::Chargeback);
    assert_eq!(world.balances(invoice).await, as_if_charged_back());
}

#[tokio::test]
async fn after_a_refund_it_is_recorded_and_shown_and_stays_refunded() {
    let world = World::start().await;
    let (invoice, charge) = paid(&world).await;
    world.refund(invoice, "122.05").await.unwrap();
    world.drain().await;
    assert_eq!(world.balances(invoice).await, accounts([]));
    world.pass(DAY);
    world.dispute(&charge, "open").await;
    world.tell(&charge, 2, false).await;
    assert_eq!(world.invoice(invoice).await.status(), Status::Refunded);
    assert_eq!(cases(&world, invoice).await, ["open"]);
    let [matter] = &world.matters().await[..] else { panic!("one matter") };
    assert_eq!((matter.kind, matter.invoice), (AttentionKind::DisputeAfterRefund, Some(invoice)));
    world.app.close_attention(&World::operator(), &matter.id, None, None).await.unwrap();

    // The bank takes the money a second time, and gives it back when it is shown the refund.
    for (outcome, books) in [
        ("lost", accounts([("chargebacks", 12_205), ("gateway_clearing:sandbox", -12_205)])),
        ("won", accounts([])),
    ] {
        world.pass(DAY);
        world.dispute(&charge, outcome).await;
        world.tell(&charge, 2, true).await;
        assert_eq!(world.balances(invoice).await, books, "{outcome}");
        assert_eq!(world.invoice(invoice).await.status(), Status::Refunded);
    }
    assert_eq!(world.open_matters().await, []);
}

#[tokio::test]
async fn after_a_part_was_refunded_it_is_about_the_rest() {
    let world = World::start().await;
    let (invoice, charge) = paid(&world).await;
    world.refund(invoice, "22.05").await.unwrap();
    world.drain().await;
    world.dispute(&charge, "open").await;
    world.tell(&charge, 1, false).await;
    world.pass(DAY);
    world.dispute(&charge, "lost").await;
    world.tell(&charge, 1, false).await;
    assert_eq!(
        world.movements(invoice).await,
        [("charge", 12_205), ("refund", 2_205), ("chargeback", 10_000)]
    );
    assert_eq!(world.balances(invoice).await, accounts([("chargebacks", 10_000), ("revenue", -10_000)]));
    assert_eq!(world.invoice(invoice).await.status(), Status::Chargeback);
}
