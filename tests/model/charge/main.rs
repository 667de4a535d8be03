//! The protocol of a charge (claim, call, settle, lease, sweep, webhook, poll), in every interleaving of two consumers, a
//! webhook, a sweep, crashes, lost answers and late orders, as far as the bounds below go. A crash and a webhook are in each:
//! who died and what the gateway tells of it meet in the same attempt.
//!
//! The model has no rules of its own: what becomes of an invoice is said by the domain's functions on a real one, and that
//! the store's claim is `Invoice::claimed` is a test of the store's. So model and code can't drift apart where money moves.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a model says what went wrong by failing")]

mod calm;
mod steps;
mod world;

use fatura_domain::invoice::Status;
use stateright::{Checker, Model, Property};
use std::collections::HashSet;
use std::sync::Mutex;
use steps::Action;
use world::{CONSUMERS, Heard, Left, WEBHOOK, Worker, World};

/// What of the model is worth looking at: how much may go wrong, and what has to come about for the rest to say anything.
struct Charge {
    bounds: Left,
    reaches: Vec<Property<Self>>,
    /// Ends that were seen: many states come to the same one.
    calm: Mutex<HashSet<World>>,
}

impl Model for Charge {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::begun(self.bounds)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        actions.extend(world.possible());
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let next = world.after(action);
        (next != *world).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let always = [
            Property::always("the gateway captures once", |_: &Charge, world: &World| {
                world.gateway.captured() <= 1
            }),
            Property::always("the books have no more than the gateway", |_: &Charge, world: &World| {
                usize::from(world.booked) <= world.gateway.captured()
            }),
            Property::always("what is paid was captured and booked", |_: &Charge, world: &World| {
                !is_paid(world) || (world.booked == 1 && world.gateway.captured() == 1)
            }),
            Property::always("two never hold an attempt that both may send", |_: &Charge, world: &World| {
                let [one, other] = CONSUMERS.map(|place| match &world.workers[place] {
                    Worker::Calling(seen) => Some(seen.version),
                    _ => None,
                });
                one.is_none() || one != other
            }),
            Property::always("it comes to its end from everywhere", |model: &Charge, world: &World| {
                model.comes_to_its_end(world)
            }),
        ];
        let reaches = self.reaches.iter().map(|known| Property::sometimes(known.name, known.condition));
        always.into_iter().chain(reaches).collect()
    }
}

impl Charge {
    fn comes_to_its_end(&self, world: &World) -> bool {
        let known = |world: World| {
            if self.calm.lock().unwrap().contains(&world) {
                return true;
            }
            let ends = world.comes_to_its_end();
            self.calm.lock().unwrap().insert(world);
            ends
        };
        known(world.abandoned(true)) && known(world.abandoned(false))
    }
}

fn is_paid(world: &World) -> bool {
    world.kept.status() == Status::Paid
}

fn check(bounds: Left, reaches: Vec<Property<Charge>>) {
    let model = Charge { bounds, reaches, calm: Mutex::default() };
    let checker = model.checker().threads(2).spawn_bfs().join();
    println!("{} states, {} of them unique", checker.state_count(), checker.unique_state_count());
    checker.assert_properties();
}

fn paid_after_a_crash() -> Property<Charge> {
    Property::sometimes("paid after a crash", |model: &Charge, world: &World| {
        is_paid(world) && world.left.crashes < model.bounds.crashes
    })
}

fn came_twice() -> Property<Charge> {
    Property::sometimes("an order came twice under one key", |_: &Charge, world: &World| {
        world.gateway.came.values().any(|came| *came > 1)
    })
}

fn two_at_once() -> Property<Charge> {
    Property::sometimes("two consumers at once", |_: &Charge, world: &World| {
        CONSUMERS.iter().all(|place| world.workers[*place] != Worker::Idle)
    })
}

fn second_attempt() -> Property<Charge> {
    Property::sometimes("paid by a second attempt", |_: &Charge, world: &World| {
        is_paid(world) && world.kept.attempts.0 == 2
    })
}

fn paid_by_webhook() -> Property<Charge> {
    Property::sometimes("paid before the consumer had an answer", |_: &Charge, world: &World| {
        is_paid(world) && matches!(world.workers[0], Worker::Settling(_, _, Heard::Silence))
    })
}

fn only_the_webhook_knows() -> Property<Charge> {
    Property::sometimes("told of what a consumer died over", |model: &Charge, world: &World| {
        let is_told = matches!(world.workers[WEBHOOK], Worker::Settling(..));
        let is_alone = CONSUMERS.iter().all(|place| world.workers[*place] == Worker::Idle);
        let is_open = world.kept.state.live_attempt().is_some() && world.gateway.captured() == 1;
        is_told && is_alone && is_open && world.left.crashes < model.bounds.crashes
    })
}

#[test]
fn a_crash_a_webhook_a_decline_and_an_answer_that_never_came() {
    let bounds = Left { ticks: 2, crashes: 1, faults: 1, declines: 1, webhooks: 1 };
    let known = [paid_after_a_crash(), only_the_webhook_knows(), came_twice(), second_attempt()];
    check(bounds, known.into_iter().chain([paid_by_webhook(), two_at_once()]).collect());
}

#[test]
fn two_crashes_a_webhook_and_three_looks_at_the_clock() {
    let bounds = Left { ticks: 3, crashes: 2, faults: 0, declines: 0, webhooks: 1 };
    check(bounds, vec![paid_after_a_crash(), only_the_webhook_knows(), two_at_once()]);
}

#[test]
fn a_crash_two_webhooks_an_answer_that_never_came_and_an_order_that_is_late() {
    let bounds = Left { ticks: 2, crashes: 1, faults: 1, declines: 0, webhooks: 2 };
    check(bounds, vec![paid_by_webhook(), only_the_webhook_knows(), came_twice(), two_at_once()]);
}

#[test]
fn a_crash_a_decline_its_webhook_and_the_attempt_after_it() {
    let bounds = Left { ticks: 3, crashes: 1, faults: 0, declines: 1, webhooks: 1 };
    check(bounds, vec![paid_after_a_crash(), only_the_webhook_knows(), second_attempt()]);
}
