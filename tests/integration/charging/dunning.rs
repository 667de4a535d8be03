//! Each failure has its own patience, to the second.

use crate::books::accounts;
use crate::world::{World, card, pix};
use fatura_application::Error;
use fatura_domain::attention::AttentionKind;
use fatura_domain::charge::{AttemptOutcome, FailureClass, Phase};
use fatura_domain::dunning::{ClassRule, Minutes, NetworkRule, Rules};
use fatura_domain::id::InvoiceId;
use fatura_domain::invoice::{NextAction, Status};

const DAY: i64 = 24 * 3_600;

/// Whatever was tried and when, it ends like this.
async fn assert_given_up_after_60_days(world: &World, invoice: InvoiceId) {
    let after = world.invoice(invoice).await;
    let last = after.history.last().unwrap();
    assert_eq!((last.status.as_str(), last.cause.as_str()), ("uncollectible", "gave_up"));
    let first = after.history.iter().find(|step| step.status == Status::Pending).unwrap();
    assert_eq!(last.at.duration_since(first.at).as_secs(), 60 * DAY);
    assert_eq!(after.amount_paid().minor(), 0);
    assert!(world.transactions(invoice).await.is_empty());
    world.pass(400 * DAY);
    assert_eq!(world.sweep().await, 0, "nothing is due any more");
}

#[tokio::test]
async fn each_class_has_its_exact_sequence_of_attempts() {
    let tokens: [(&str, &str, &[i64], &[AttentionKind]); 9] = [
        ("tok_insufficient_funds", "insufficient_funds", &[0, 3, 8, 15], &[]),
        ("tok_do_not_honor", "do_not_honor", &[0, 1, 4, 9], &[]),
        ("tok_issuer_unavailable", "issuer_unavailable", &[0, 1, 2, 3], &[]),
        ("tok_stolen", "hard", &[0], &[]),
        ("tok_expired_card", "hard", &[0], &[]),
        ("tok_authentication_required", "authentication_required", &[0], &[]),
        ("tok_fraud", "suspected_fraud", &[0], &[]),
        ("tok_currency_mismatch", "currency_mismatch", &[0], &[AttentionKind::CannotCharge]),
        ("tok_customer_not_found", "customer_not_found", &[0, 1], &[AttentionKind::CannotCharge]),
    ];
    for (token, class, days, matters) in tokens {
        let world = World::start().await;
        let invoice = world.charged(token).await;
        world.drain().await;
        world.wait_out(invoice).await;
        let expected: Vec<_> = (1..).zip(days).map(|(number, days)| (number, days * DAY, class)).collect();
        assert_eq!(world.time_line(invoice).await, expected, "{token}");
        assert_eq!(world.journal(invoice).await.len(), days.len(), "{token}: each has reached the gateway");
        assert_eq!(world.open_matters().await, matters, "{token}");
        assert_given_up_after_60_days(&world, invoice).await;
    }
}

#[tokio::test]
async fn whoever_asks_is_told_what_happens_next() {
    let world = World::start().await;
    for (token, action, days) in [
        ("tok_insufficient_funds", NextAction::Retry, Some(3)),
        ("tok_stolen", NextAction::AwaitPaymentMethod, None),
        ("tok_fraud", NextAction::GiveUp, Some(60)),
        ("tok_currency_mismatch", NextAction::AwaitOperator, None),
    ] {
        let invoice = world.charged(token).await;
        world.drain().await;
        let (next, at) = world.invoice(invoice).await.next_action().unwrap();
        let days_left = at.map(|at| at.duration_since(world.now()).as_secs() / DAY);
        assert_eq!((next, days_left), (action, days), "{token}");
    }
}

#[tokio::test]
async fn an_order_that_never_gets_through_is_one_attempt_of_eight_sends() {
    let world = World::start().await;
    let invoice = world.charged("tok_429").await;
    let began = world.now();
    world.drain().await;
    for (sent, minutes) in (1..).zip([5, 10, 20, 40, 80, 160, 320]) {
        assert_eq!(world.gateway.orders(), sent);
        let waiting = world.invoice(invoice).await;
        assert!(matches!(waiting.state.live_attempt().unwrap().phase, Phase::NotSent { .. }));
        let wait = waiting.state.due().unwrap().duration_since(world.now()).as_secs();
        assert!((minutes * 60..=minutes * 66).contains(&wait), "{minutes} minutes, a tenth more: {wait} s");
        world.meet_next_due(invoice).await;
    }
    assert_eq!(world.gateway.orders(), 8);
    let ended = world.now().duration_since(began).as_secs();
    assert_eq!(world.time_line(invoice).await, [(1, ended, "not_sent")]);
    assert!(matches!(world.attempts(invoice).await[0].outcome, AttemptOutcome::NotSent(_)));
    assert_eq!(world.invoice(invoice).await.declines, 0, "no bank has said no");
    world.wait_out(invoice).await;
    assert_eq!(world.gateway.orders(), 8);
    assert!(world.journal(invoice).await.is_empty());
    assert_given_up_after_60_days(&world, invoice).await;
}

#[tokio::test]
async fn an_expired_qr_code_is_followed_by_a_new_one() {
    let world = World::start().await;
    world.without_webhooks().await;
    let invoice = world.draft(pix()).await;
    let mut codes = Vec::new();
    world.set_gateway_clock().await;
    world.charge(invoice).await.unwrap();
    world.drain().await;
    for _ in 0..20 {
        let shown = world.invoice(invoice).await;
        if let Some(Phase::Awaiting { action, .. }) = shown.state.live_attempt().map(|live| &live.phase) {
            codes.push(format!("{action:?}"));
        }
        let Some(due) = shown.state.due() else { break };
        world.clock.set(due);
        world.set_gateway_clock().await;
        world.sweep().await;
        world.drain().await;
    }
    codes.dedup();
    assert_eq!(codes.len(), 4, "one at first, and three more: {codes:?}");
    let time_line = world.time_line(invoice).await;
    // An hour, and a minute's grace. The gateway knows whole seconds only.
    let minutes: Vec<_> =
        time_line.iter().map(|(number, seconds, class)| (*number, (seconds + 30) / 60, *class)).collect();
    let expired = |number: u8| (number, 61 * i64::from(number), "pix_expired");
    assert_eq!(minutes, [expired(1), expired(2), expired(3), expired(4)]);
    assert_eq!(world.invoice(invoice).await.declines, 0);
    assert_given_up_after_60_days(&world, invoice).await;
}

#[tokio::test]
async fn seven_declines_are_the_end_however_often_somebody_asks() {
    let world = World::start().await;
    let invoice = world.charged("tok_insufficient_funds").await;
    world.drain().await;
    for _ in 0..3 {
        world.meet_next_due(invoice).await;
    }
    world.pass(5 * DAY);
    world.requeue(invoice).await.unwrap();
    world.drain().await;
    world.meet_next_due(invoice).await;
    assert_eq!(world.invoice(invoice).await.status(), Status::ChargedWithError);
    world.meet_next_due(invoice).await;
    let days: Vec<_> = world.time_line(invoice).await.iter().map(|(_, at, _)| at / DAY).collect();
    assert_eq!(days, [0, 3, 8, 15, 20, 23, 28], "as patiently as the first time, up to the seventh");
    let end = [("charged_with_error", "charge_failed"), ("uncollectible", "gave_up")];
    assert!(world.steps(invoice).await.ends_with(&end));
    assert_eq!(world.sweep().await, 0);

    world.requeue(invoice).await.unwrap();
    world.drain().await;
    assert_eq!(world.invoice(invoice).await.status(), Status::Uncollectible, "one more try, and no retry");
    assert_eq!(world.journal(invoice).await.len(), 8);
}

#[tokio::test]
async fn twenty_attempts_are_the_end_though_no_bank_has_declined() {
    let world = World::start().await;
    let invoice = world.charged("tok_customer_not_found").await;
    world.drain().await;
    world.meet_next_due(invoice).await;
    for _ in 0..9 {
        assert_eq!(world.invoice(invoice).await.status(), Status::ChargedWithError);
        // Not so often that the card's network would mind.
        world.pass(4 * DAY);
        world.requeue(invoice).await.unwrap();
        world.drain().await;
        world.meet_next_due(invoice).await;
    }
    let after = world.invoice(invoice).await;
    assert_eq!((after.status(), after.attempts.0, after.declines), (Status::Uncollectible, 20, 0));
}

#[tokio::test]
async fn a_card_network_that_allows_less_is_spared() {
    let world = World::start().await;
    let strict = NetworkRule { declines: 3, days: 30 };
    let rules = Rules { card_networks: [("visa".to_owned(), strict)].into(), ..Rules::default() };
    world.app.replace_rules(&World::operator(), rules, Some(0)).await.unwrap();
    world.pass(30);
    let invoice = world.charged("tok_insufficient_funds").await;
    world.drain().await;
    world.meet_next_due(invoice).await;
    world.meet_next_due(invoice).await;
    let refused = world.requeue(invoice).await;
    assert!(matches!(refused, Err(Error::FailedPrecondition { .. })), "{refused:?}");
    // The retry of the fifteenth day waits until the first decline is thirty days old.
    world.meet_next_due(invoice).await;
    assert_eq!(world.gateway.orders(), 3);
    world.meet_next_due(invoice).await;
    let days: Vec<_> = world.time_line(invoice).await.iter().map(|(_, at, _)| at / DAY).collect();
    assert_eq!(days, [0, 3, 8, 30]);
}

#[tokio::test]
async fn no_retry_is_planned_beyond_sixty_days() {
    let world = World::start().await;
    let invoice = world.charged("tok_insufficient_funds").await;
    world.drain().await;
    world.pass(55 * DAY - 3 * DAY);
    // What was due meanwhile has been slept over: it is made good once, not once for each day.
    world.sweep().await;
    world.drain().await;
    assert_eq!(world.time_line(invoice).await.len(), 2);
    world.wait_out(invoice).await;
    let days: Vec<_> = world.time_line(invoice).await.iter().map(|(_, at, _)| at / DAY).collect();
    assert_eq!(days, [0, 52, 57], "seven days on would be the 64th");
    assert_given_up_after_60_days(&world, invoice).await;
}

#[tokio::test]
async fn other_rules_are_in_force_for_the_next_failure_half_a_minute_later() {
    let world = World::start().await;
    let days_to_retry = async |invoice| {
        world.drain().await;
        let at = world.invoice(invoice).await.state.due().unwrap();
        at.duration_since(world.now()).as_secs() / DAY
    };
    let before = world.charged("tok_insufficient_funds").await;
    assert_eq!(days_to_retry(before).await, 3);
    let mut rules = Rules::default();
    let rule =
        ClassRule { retry_after: vec![Minutes::of_days(2), Minutes::of_days(9)], ..ClassRule::default() };
    rules.classes.insert(FailureClass::InsufficientFunds, rule);
    let edition = world.app.replace_rules(&World::operator(), rules, Some(0)).await.unwrap();
    assert_eq!(edition.version, 1);

    world.pass(29);
    let between = world.charged("tok_insufficient_funds").await;
    assert_eq!(days_to_retry(between).await, 3, "known for half a minute");
    world.pass(1);
    let after = world.charged("tok_insufficient_funds").await;
    assert_eq!(days_to_retry(after).await, 2);

    world.meet_next_due(after).await;
    assert_eq!(days_to_retry(after).await, 9);
    world.clock.set(world.invoice(before).await.state.due().unwrap());
    world.sweep().await;
    assert_eq!(
        days_to_retry(before).await,
        9,
        "what was decided stayed; its next failure is under the new rules"
    );
}

#[tokio::test]
async fn a_retry_takes_the_default_where_its_own_method_is_gone() {
    let world = World::start().await;
    let invoice = world.charged("tok_insufficient_funds").await;
    world.drain().await;
    let first = world.invoice(invoice).await.payment_method().unwrap();
    let second = world.add_method(invoice.owner(), card("tok_visa"), false).await;
    assert_eq!(world.charges.take(), [], "it waits for money, not for a card");
    world.detach(invoice.owner(), first).await;
    world.meet_next_due(invoice).await;
    assert_eq!(world.time_line(invoice).await, [(1, 0, "insufficient_funds"), (2, 3 * DAY, "succeeded")]);
    world.assert_paid_once(invoice).await;
    assert_eq!(world.invoice(invoice).await.payment_method(), Some(second));
}

#[tokio::test]
async fn a_retry_without_any_method_waits_for_one() {
    let world = World::start().await;
    let invoice = world.charged("tok_insufficient_funds").await;
    world.drain().await;
    let only = world.invoice(invoice).await.payment_method().unwrap();
    world.detach(invoice.owner(), only).await;
    world.pass(3 * DAY);
    assert_eq!(world.sweep().await, 0);
    let waiting = world.invoice(invoice).await;
    assert_eq!(waiting.next_action(), Some((NextAction::AwaitPaymentMethod, None)));
    assert_eq!(waiting.attempts.0, 1, "nothing was burnt");
    world.pass(10 * DAY);
    assert_eq!(world.sweep().await, 0);

    world.add_method(invoice.owner(), card("tok_visa"), false).await;
    world.drain().await;
    assert_eq!(world.time_line(invoice).await, [(1, 0, "insufficient_funds"), (2, 13 * DAY, "succeeded")]);
    world.assert_paid_once(invoice).await;
    let books = accounts([("gateway_clearing:sandbox", 12_205), ("revenue", -12_205)]);
    assert_eq!(world.balances(invoice).await, books);
}
