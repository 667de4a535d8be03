//! A few worlds with every `cargo test`; `make simulate` lives through thousands.
#![expect(clippy::unwrap_used, reason = "that is how a test fails")]

use fatura_simulation::{Crash, Plan, World, run};
use std::process::{Command, Output};

const FEW: u64 = 6;
/// Seeds that failed once, as other worlds than these: what each found is a test of its own, which `README.md` names.
const FAILED_ONCE: [u64; 9] = [10, 11, 34, 40, 64, 75, 90, 396, 1369];

fn simulate(arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_simulate")).args(arguments.split(' ')).output().unwrap()
}

#[test]
fn nothing_is_lost_in_a_few_hostile_worlds() {
    let plans: Vec<Plan> = (0..FEW).chain(FAILED_ONCE).map(Plan::of).collect();
    let run = run(&plans, 1, &|_, _| {});
    if let Some(failure) = run.failures.first() {
        panic!("seed {}:\n{failure}", failure.plan.seed);
    }
    assert!(run.report.charges > 0 && run.report.refunds > 0 && !run.report.faults.is_empty());
    // Whatever made a call is known by its name, so that it is missed where it makes none.
    for (operation, nth) in run.report.calls.keys() {
        assert!(format!("{operation}:{nth}:after").parse::<Crash>().is_ok(), "{operation}");
    }
}

/// Here and in another process, where hash maps are in another order.
#[test]
fn a_seed_is_the_same_world_every_time() {
    for seed in [3, 5, 8] {
        let (here, _) = World::run(&Plan::of(seed));
        let there = String::from_utf8(simulate(&format!("--seed {seed}")).stdout).unwrap();
        assert_eq!(there, format!("seed {seed}: fingerprint {:016x}\nall is well\n", here.fingerprint));
    }
}

#[test]
fn whoever_dies_where_nobody_did_is_in_a_world_that_came_so_far() {
    const SEED: u64 = 1;
    let (before, _) = World::run(&Plan::of(SEED));
    let (crash, seed) = before.unseen_points().pop().unwrap();
    let (closed, _) = World::run(&Plan { crash: Some(crash), ..Plan::of(seed) });
    assert_eq!(seed, SEED);
    assert!(!closed.unseen_points().contains(&(crash, SEED)));
    assert!(closed.has_died_at(crash));
}

#[test]
fn a_death_that_nobody_comes_to_is_no_success() {
    let replayed = simulate("--seed 1 --steps 10 --crash refund:70:after");
    assert!(!replayed.status.success());
    assert!(String::from_utf8(replayed.stdout).unwrap().ends_with("nobody came to refund:70:after\n"));
}

#[test]
fn what_is_not_understood_lives_through_no_world() {
    let refused = simulate("--seed x");
    assert!(!refused.status.success() && refused.stdout.is_empty());
    assert_eq!(String::from_utf8(refused.stderr).unwrap(), "simulate: --seed x: that is no number\n");
}

#[test]
fn a_run_that_is_to_see_everything_says_what_it_has_not_seen() {
    let kind = Plan { steps: 1, ..Plan::kind(1) };
    let mut run = run(&[kind], 1, &|_, _| {});
    assert!(run.unseen().contains(&"a call of refund-payment".to_owned()), "{:?}", run.unseen());
    let crash: Crash = "refund-payment:1:before".parse().unwrap();
    let death = "a death at refund-payment:1:before".to_owned();
    assert!(!run.unkilled().contains(&death));
    run.meant.push(crash);
    assert!(run.unkilled().contains(&death));
    run.report.calls.insert((crash.operation, 1), 1);
    run.report.crashes.insert((crash.operation, 1, false));
    assert!(!run.unkilled().contains(&death) && !run.unseen().contains(&death));
    assert!(run.unseen().contains(&"a death at refund-payment:1:after".to_owned()));
}

#[test]
fn what_a_plan_says_of_itself_makes_the_same_world() {
    let crash: Crash = "create-invoice:2:after".parse().unwrap();
    let plan = Plan { crash: Some(crash), steps: 20, ..Plan::of(7) };
    assert_eq!(plan.arguments(), ["--steps 20", "--crash create-invoice:2:after"]);
    assert_eq!(Plan::of(7).arguments(), Vec::<String>::new());
    for nonsense in
        ["", "create-invoice", "make-invoice:2:after", "create-invoice:x:after", "create-invoice:2:during"]
    {
        assert!(nonsense.parse::<Crash>().is_err(), "{nonsense}");
    }
}
