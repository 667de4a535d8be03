//! Runs: each invoice once, whatever dies; each month once, whoever asks; each customer on the day that was meant.

use crate::books::counted;
use crate::faults::Mishap;
use crate::world::{World, card};
use fatura_application::BeginBilling;
use fatura_domain::Timestamp;
use fatura_domain::charge::FailureClass;
use fatura_domain::gateway::GatewayName;
use fatura_domain::id::{CustomerId, InvoiceId, RunId};
use fatura_domain::invoice::{State, Status};
use fatura_domain::run::Requeue;
use futures::future::join_all;
use retry_sweep::Task;
use serde_json::json;
use std::collections::BTreeMap;

const DAY: i64 = 24 * 3_600;

async fn drafts(world: &World, customer: CustomerId, count: usize) -> Vec<InvoiceId> {
    join_all((0..count).map(|_| world.draft_for(customer))).await
}

fn once_each(invoices: &[InvoiceId]) -> BTreeMap<InvoiceId, usize> {
    invoices.iter().map(|invoice| (*invoice, 1)).collect()
}

/// Minute by minute, as the schedule has it, until the run and all that it charged have come to an end.
async fn resume(world: &World, run: &RunId) {
    for _ in 0..10 {
        world.drain().await;
        let (_, outcomes) = world.counts(run).await;
        if world.is_walked(run).await && !outcomes.contains_key("pending") {
            return;
        }
        world.pass(121);
        world.sweep().await;
    }
    panic!("{run} never ends");
}

#[tokio::test]
async fn a_thousand_that_are_due_killed_twice_are_each_charged_once() {
    let world = World::start().await;
    world.without_webhooks().await;
    let mut invoices = Vec::new();
    for _ in 0..10 {
        let customer = world.payer(card("tok_visa")).await;
        invoices.extend(drafts(&world, customer, 100).await);
    }
    world.pass(1);
    let run = world.bill(None, &world.once()).await.unwrap();
    assert_eq!(run.as_str(), "run_202611");
    // Once while it is still going over the drafts, once in the midst of collecting; all messages are lost with it.
    for nth in [20, 400] {
        world.store.at_commit(nth, Mishap::Dies);
        while !world.store.is_dead() {
            let messages = world.charges.take();
            assert!(!messages.is_empty(), "it came to an end before it could be killed");
            let bodies = messages.iter().map(|message| serde_json::to_string(message).unwrap()).collect();
            world.deliver_bodies(bodies).await;
        }
        world.charges.take();
        world.store.revive();
        let (_, outcomes) = world.counts(&run).await;
        let paid = outcomes.get("paid").copied().unwrap_or_default();
        assert!(paid < 1_000, "half-way: {outcomes:?}");
        assert!(!world.is_walked(&run).await || paid > 0);
        world.pass(121);
        world.sweep().await;
    }
    resume(&world, &run).await;
    assert_eq!(world.captures().await, once_each(&invoices));
    assert_eq!(world.truth("/charges").await.len(), 1_000);
    assert_eq!(world.counts(&run).await.1, counted([("paid", 1_000)]));
    world.assert_paid_by(&run, &invoices[..3]).await;

    assert_eq!(world.bill(None, &world.once()).await.unwrap(), run, "asked again, it is the same run");
    assert_eq!(world.charges.take(), []);
}

impl World {
    async fn assert_paid_by(&self, run: &RunId, invoices: &[InvoiceId]) {
        for id in invoices {
            let invoice = self.invoice(*id).await;
            assert_eq!((invoice.status(), invoice.run.as_ref()), (Status::Paid, Some(run)));
            let by = invoice.history[1].by.as_ref().unwrap();
            assert_eq!((invoice.history[1].status, by.as_str()), (Status::Pending, run.as_str()));
        }
    }
}

/// Every point at which something is written, and every way in which that can go wrong.
#[tokio::test]
async fn whatever_goes_wrong_and_wherever_each_is_charged_once() {
    const COMMITS: usize = 7;
    for mishap in [Mishap::Fails, Mishap::AnswerLost, Mishap::Dies] {
        let world = World::start().await;
        world.without_webhooks().await;
        for nth in 1..=COMMITS {
            let customer = world.payer(card("tok_visa")).await;
            let invoices = drafts(&world, customer, 4).await;
            world.pass(1);
            let once = world.once();
            let before = world.store.commits();
            world.store.at_commit(nth, mishap);
            let asked = std::panic::AssertUnwindSafe(world.bill(Some(customer), &once));
            let asked = futures::FutureExt::catch_unwind(asked).await;
            for _ in 0..4 {
                let messages = world.charges.take();
                let bodies = messages.iter().map(|message| serde_json::to_string(message).unwrap()).collect();
                world.deliver_bodies(bodies).await;
            }
            assert!(world.store.commits() - before >= nth, "{mishap:?} at {nth} was met");
            world.store.revive();
            let run = match asked {
                Ok(Ok(run)) => run,
                // Whoever wasn't answered asks again.
                Ok(Err(_)) | Err(_) => world.bill(Some(customer), &once).await.unwrap(),
            };
            resume(&world, &run).await;
            let captures = world.captures().await;
            for invoice in &invoices {
                assert_eq!(captures.get(invoice), Some(&1), "{mishap:?} at {nth}");
            }
            assert_eq!(world.counts(&run).await.1, counted([("paid", 4)]), "{mishap:?} at {nth}");
        }
    }
}

#[tokio::test]
async fn the_same_period_asked_for_twice_is_one_run() {
    let world = World::start().await;
    let customer = world.payer(card("tok_visa")).await;
    let first = drafts(&world, customer, 3).await;
    world.pass(1);
    let (one, other) = (world.once(), world.once());
    let (one, other) = tokio::join!(world.bill(None, &one), world.bill(None, &other));
    let (run, same) = (one.unwrap(), other.unwrap());
    assert_eq!(run, same);
    world.drain().await;
    let later = drafts(&world, customer, 2).await;
    world.pass(DAY);
    assert_eq!(world.bill(None, &world.once()).await.unwrap(), run);
    world.drain().await;
    assert_eq!(world.captures().await, once_each(&first));
    assert_eq!(world.counts(&run).await, (counted([("due", 3), ("enqueued", 3)]), counted([("paid", 3)])));
    for draft in &later {
        assert_eq!(world.invoice(*draft).await.status(), Status::Draft, "next month's");
    }
    let alone = world.bill(Some(customer), &world.once()).await.unwrap();
    assert_ne!(alone, run, "another scope is another run");
    world.drain().await;
    assert_eq!(world.captures().await.len(), 5);
}

#[tokio::test]
async fn who_has_no_method_is_skipped_and_counted() {
    let world = World::start().await;
    let (payer, other) = (world.payer(card("tok_visa")).await, world.customer(None).await);
    let (paid, skipped) = (drafts(&world, payer, 2).await, drafts(&world, other, 3).await);
    let refused = world.payer(card("tok_insufficient_funds")).await;
    drafts(&world, refused, 1).await;
    world.pass(1);
    let run = world.bill(None, &world.once()).await.unwrap();
    world.drain().await;
    assert_eq!(
        world.counts(&run).await,
        (
            counted([("due", 6), ("enqueued", 3), ("skipped_no_payment_method", 3)]),
            counted([("paid", 2), ("failed_insufficient_funds", 1)])
        )
    );
    world.assert_paid_by(&run, &paid).await;
    for draft in skipped {
        assert_eq!(world.invoice(draft).await.status(), Status::Draft);
    }
}

#[tokio::test]
async fn a_month_that_has_not_begun_is_refused() {
    let world = World::start().await;
    let command = BeginBilling { period: Some("2026-12".parse().unwrap()), customer: None };
    let shown = |_: &fatura_application::ports::Progress| crate::world::answer("");
    let refused = world.app.begin_billing(&World::operator(), command, &world.once(), &shown).await;
    assert!(matches!(refused, Err(fatura_application::Error::Invalid(_))), "{refused:?}");
}

fn at(instant: &str) -> Timestamp {
    instant.parse().unwrap()
}

/// The schedule asks on the first of each month; what waits is charged at midnight of the customer's own day.
async fn assert_billed(zone: &str, day: u8, start: &str, months: &[(&str, &str)]) {
    let world = World::start().await;
    world.without_webhooks().await;
    world.clock.set(at(start));
    let customer = world.customer(Some((day, zone))).await;
    world.add_method(customer, card("tok_visa"), true).await;
    for (first, midnight) in months {
        let invoice = world.draft_for(customer).await;
        world.clock.set(at(first));
        assert_eq!(world.scheduled(Task::MonthlyBilling).await, json!({ "runs": 1 }), "{first}");
        world.drain().await;
        let State::Pending(collection) = world.invoice(invoice).await.state else { panic!("{first}") };
        assert_eq!(collection.scheduled_for, Some(at(midnight)), "{first}");
        world.meet_next_due(invoice).await;
        assert_eq!(world.now(), at(midnight));
        assert_eq!(world.invoice(invoice).await.status(), Status::Paid);
        assert_eq!(world.journal(invoice).await.len(), 1);
        world.pass(3_600);
    }
}

#[tokio::test]
async fn the_thirty_first_is_the_last_of_february_and_the_thirty_first_again() {
    let firsts = ["2026-01-01T00:05:00Z", "2026-02-01T00:05:00Z", "2026-03-01T00:05:00Z"];
    let sao_paulo = ["2026-01-31T03:00:00Z", "2026-02-28T03:00:00Z", "2026-03-31T03:00:00Z"];
    // Summer time has begun on 29 March.
    let berlin = ["2026-01-30T23:00:00Z", "2026-02-27T23:00:00Z", "2026-03-30T22:00:00Z"];
    for (zone, midnights) in [("America/Sao_Paulo", sao_paulo), ("Europe/Berlin", berlin)] {
        let months: Vec<_> = firsts.into_iter().zip(midnights).collect();
        assert_billed(zone, 31, "2025-12-31T12:00:00Z", &months).await;
    }
}

#[tokio::test]
async fn on_a_day_that_has_no_midnight_it_is_the_first_instant_after() {
    // In Brazil's last summers the clock went from 24:00 to 01:00.
    let months = [
        ("2018-10-01T00:05:00Z", "2018-10-04T03:00:00Z"),
        ("2018-11-01T00:05:00Z", "2018-11-04T03:00:00Z"),
        ("2018-12-01T00:05:00Z", "2018-12-04T02:00:00Z"),
    ];
    assert_billed("America/Sao_Paulo", 4, "2018-09-30T12:00:00Z", &months).await;
    // The nights on which Berlin changes its clocks.
    let months =
        [("2026-03-01T00:05:00Z", "2026-03-28T23:00:00Z"), ("2026-04-01T00:05:00Z", "2026-04-28T22:00:00Z")];
    assert_billed("Europe/Berlin", 29, "2026-02-28T12:00:00Z", &months).await;
    let months =
        [("2026-10-01T00:05:00Z", "2026-10-24T22:00:00Z"), ("2026-11-01T00:05:00Z", "2026-11-24T23:00:00Z")];
    assert_billed("Europe/Berlin", 25, "2026-09-30T12:00:00Z", &months).await;
}

#[tokio::test]
async fn months_that_were_missed_are_caught_up_with() {
    let world = World::start().await;
    world.without_webhooks().await;
    world.clock.set(at("2025-12-20T12:00:00Z"));
    let customer = world.customer(Some((10, "UTC"))).await;
    world.add_method(customer, card("tok_visa"), true).await;
    let unanchored = world.payer(card("tok_visa")).await;
    let no_matter = world.draft_for(unanchored).await;
    world.clock.set(at("2026-01-01T00:05:00Z"));
    assert_eq!(world.scheduled(Task::MonthlyBilling).await, json!({ "runs": 1 }));
    world.drain().await;

    // The schedule stands still in February and in March.
    let mut invoices = Vec::new();
    for instant in ["2026-01-20T12:00:00Z", "2026-02-20T12:00:00Z", "2026-03-20T12:00:00Z"] {
        world.clock.set(at(instant));
        invoices.push(world.draft_for(customer).await);
    }
    world.clock.set(at("2026-04-01T00:05:00Z"));
    assert_eq!(world.scheduled(Task::MonthlyBilling).await, json!({ "runs": 3 }));
    world.drain().await;
    let mut runs = Vec::new();
    for invoice in &invoices {
        let invoice = world.invoice(*invoice).await;
        runs.push((invoice.status().as_str(), invoice.run.unwrap().to_string()));
    }
    // March's is charged at once, too: its day in March has passed.
    let expected = ["run_202602_anchored", "run_202602_anchored", "run_202603_anchored"];
    assert_eq!(runs, expected.map(|run| ("paid", run.to_owned())));
    assert_eq!(world.captures().await, once_each(&invoices));
    assert_eq!(world.invoice(no_matter).await.status(), Status::Draft, "who has no billing day isn't meant");
    assert_eq!(world.scheduled(Task::MonthlyBilling).await, json!({ "runs": 0 }));
    assert_eq!(world.charges.take(), []);
}

#[tokio::test]
async fn two_schedules_at_once_begin_one_run() {
    let world = World::start().await;
    let (one, other) =
        tokio::join!(world.scheduled(Task::MonthlyBilling), world.scheduled(Task::MonthlyBilling));
    assert_eq!(one["runs"].as_u64().unwrap() + other["runs"].as_u64().unwrap(), 1);
    let parts = world.charges.take().len();
    let run: RunId = "run_202611_anchored".parse().unwrap();
    assert_eq!(parts, world.app.run(&World::operator(), &run).await.unwrap().parts.len());
}

/// One of each fate, by name.
async fn fates(world: &World) -> BTreeMap<&'static str, InvoiceId> {
    world.without_webhooks().await;
    let mut fates = BTreeMap::new();
    for (name, token) in [
        ("funds", "tok_declines_once"),
        ("honor", "tok_do_not_honor"),
        ("paid", "tok_visa"),
        ("unknown", "tok_charged_500"),
        ("stolen", "tok_stolen"),
    ] {
        fates.insert(name, world.charged(token).await);
        world.drain().await;
        world.pass(3_600);
    }
    fates.insert("draft", world.draft(card("tok_visa")).await);
    fates
}

/// Asks for a requeue and tells which were charged by it; what it doesn't mean isn't touched at all.
async fn requeued(
    world: &World,
    fates: &BTreeMap<&'static str, InvoiceId>,
    which: Requeue,
) -> Vec<&'static str> {
    let mut before = BTreeMap::new();
    for (name, invoice) in fates {
        before.insert(*name, world.invoice(*invoice).await);
    }
    let run = world.requeue_all(which).await;
    world.drain().await;
    let mut touched = Vec::new();
    for (name, before) in before {
        let after = world.invoice(before.id).await;
        if after != before {
            assert_eq!(after.run.as_ref(), Some(&run), "{name}");
            assert_eq!(after.attempts.0, before.attempts.0 + 1, "{name}");
            touched.push(name);
        }
    }
    let enqueued = u64::try_from(touched.len()).unwrap();
    let expected =
        if touched.is_empty() { counted([]) } else { counted([("due", enqueued), ("enqueued", enqueued)]) };
    assert_eq!(world.counts(&run).await.0, expected);
    touched
}

#[tokio::test]
async fn a_requeue_means_what_its_filter_says_and_touches_nothing_else() {
    let world = World::start().await;
    let fates = fates(&world).await;
    let everything = Requeue::default;
    let of_class = |class| Requeue { failure_class: Some(class), ..everything() };
    assert_eq!(requeued(&world, &fates, of_class(FailureClass::Generic)).await, [""; 0]);
    assert_eq!(
        requeued(&world, &fates, of_class(FailureClass::Unknown)).await,
        [""; 0],
        "never beside a live attempt"
    );
    let elsewhere = Requeue { gateway: Some(GatewayName::parse("stripe").unwrap()), ..everything() };
    assert_eq!(requeued(&world, &fates, elsewhere).await, [""; 0]);

    let failed_at = world.invoice(fates["honor"]).await.history.last().unwrap().at;
    let before = Requeue { failed_to: Some(failed_at), ..everything() };
    assert_eq!(requeued(&world, &fates, before).await, ["funds"], "the end is exclusive");
    assert_eq!(world.invoice(fates["funds"]).await.status(), Status::Paid);
    let from = Requeue {
        failed_from: Some(failed_at),
        failure_class: Some(FailureClass::DoNotHonor),
        ..everything()
    };
    assert_eq!(requeued(&world, &fates, from).await, ["honor"]);

    world.clock.set(world.now() + fatura_domain::SignedDuration::from_hours(24 * 90));
    world.at_the_gateway("/control", json!({ "down": true })).await;
    world.sweep().await;
    world.drain().await;
    let here = Requeue { gateway: Some(GatewayName::parse("sandbox").unwrap()), ..everything() };
    assert_eq!(world.invoice(fates["stolen"]).await.status(), Status::Uncollectible);
    world.at_the_gateway("/control", json!({ "down": false })).await;
    let touched = requeued(&world, &fates, here).await;
    assert_eq!(touched, ["stolen"], "what was given up is asked for again, too; the others are live or paid");
    assert_eq!(world.captures().await[&fates["paid"]], 1);
}
