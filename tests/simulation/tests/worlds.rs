//! A few worlds with every `cargo test`; `make simulate` lives through thousands.

use fatura_simulation::{Plan, World, run};

/// Seeds that failed once, each with what it found.
const KEPT: [u64; 6] = [2, 10, 11, 40, 64, 75];

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
    let run = run(&plans, 1, &|_| {});
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
