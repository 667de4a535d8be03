//! A few worlds with every `cargo test`; `make simulate` lives through thousands.

use fatura_simulation::{Crash, Plan, World, run};

/// Seeds that failed once, each with what it found.
const KEPT: [u64; 7] = [2, 10, 11, 40, 64, 75, 420];

const FEW: u64 = 6;

#[test]
fn what_failed_once_does_not_fail_again() {
    for seed in KEPT {
        if let (_, Err(failure)) = World::run(&Plan::of(seed)) {
            panic!("{failure}");
        }
    }
}

#[test]
fn nothing_is_lost_in_a_few_hostile_worlds() {
    let plans: Vec<Plan> = (0..FEW).map(Plan::of).collect();
    let run = run(&plans, 1, &|_, _| {});
    if let Some(failure) = run.failures.first() {
        panic!("seed {}:\n{failure}", failure.plan.seed);
    }
    assert!(run.report.charges > 0 && run.report.refunds > 0 && !run.report.faults.is_empty());
}

#[test]
fn a_seed_is_the_same_world_every_time() {
    let twice = [(); 2].map(|()| World::run(&Plan::of(3)));
    let [first, second] = twice;
    assert_eq!(first, second);
}

#[test]
fn whoever_dies_where_nobody_did_is_in_a_world_that_came_so_far() {
    const SEED: u64 = 1;
    let (before, _) = World::run(&Plan::of(SEED));
    let (crash, seed) = before.unseen_points().pop().unwrap();
    let (closed, _) = World::run(&Plan { crash: Some(crash), ..Plan::of(seed) });
    assert_eq!(seed, SEED);
    assert!(!closed.unseen_points().contains(&(crash, SEED)));
    assert!(closed.crashes.contains(&(crash.operation, crash.nth, crash.after)));
}

#[test]
fn what_a_plan_says_of_itself_makes_the_same_world() {
    let crash: Crash = "create-invoice:2:after".parse().unwrap();
    let plan = Plan { crash: Some(crash), steps: 20, ..Plan::of(7) };
    assert_eq!(plan.arguments(), ["--steps 20", "--crash create-invoice:2:after"]);
    assert_eq!(Plan::of(7).arguments(), Vec::<String>::new());
    for nonsense in ["", "create-invoice", "create-invoice:x:after", "create-invoice:2:during"] {
        assert!(nonsense.parse::<Crash>().is_err(), "{nonsense}");
    }
}
