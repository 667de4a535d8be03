//! `simulate --seed N` replays one world; `--seeds N` lives through N of them, `--long` until every edge and crash point has
//! to be seen, `--crashes` through one death at every call of every operation; `--bugs` shows what catches deliberate ones.

use fatura_simulation::{Plan, Run, World, crashes, run, shrink};
use std::io::Write;
use std::process::ExitCode;

const MOST_FAILURES: usize = 3;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str| -> Option<u64> {
        let place = args.iter().position(|arg| arg == name)?;
        args.get(place + 1)?.parse().ok()
    };
    let has = |name: &str| args.iter().any(|arg| arg == name);
    if let Some(seed) = number("--seed") {
        let mut plan = Plan::of(seed);
        // As a shrunk plan says.
        for (name, place) in plan.numbers() {
            *place = number(name).unwrap_or(*place);
        }
        return replay(&plan, has("--trace"));
    }
    #[cfg(feature = "deliberate-bugs")]
    if has("--bugs") {
        let names: Vec<String> =
            args.iter().filter(|arg| arg.starts_with(char::is_uppercase)).cloned().collect();
        return fatura_simulation::hunt(number("--seeds").unwrap_or(500), &names);
    }
    if has("--crashes") {
        return end(&crashes(number("--seeds").unwrap_or(1)), false);
    }
    let from = number("--from").unwrap_or_default();
    let plans: Vec<Plan> = (from..from + number("--seeds").unwrap_or(2_000)).map(Plan::of).collect();
    let all = plans.len();
    let run = run(&plans, MOST_FAILURES, &|done| bar(done, all));
    end(&run, has("--long"))
}

/// The whole trace, to the byte as it was.
fn replay(plan: &Plan, is_whole: bool) -> ExitCode {
    let (_, result) = World::run(plan);
    match result {
        Ok(()) => {
            println!("seed {}: all is well", plan.seed);
            ExitCode::SUCCESS
        }
        Err(failure) => {
            if is_whole {
                println!("{}", failure.trace.join("\n"));
            }
            println!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn bar(done: u64, all: usize) {
    if done.is_multiple_of(20) {
        eprint!("\r{done} of {all} seeds");
        let _ = std::io::stderr().flush();
    }
}

fn end(run: &Run, is_long: bool) -> ExitCode {
    eprintln!();
    println!("{}", run.table());
    for failure in &run.failures {
        println!("seed {} fails: {}", failure.plan.seed, failure.wrong.join("; "));
    }
    if let Some(first) = run.failures.first() {
        println!("the first of them, shrunk:\n{}", shrink(first.clone()));
    }
    let unseen = [run.report.unseen_edges(), run.report.unseen_points()].concat();
    if is_long && !unseen.is_empty() {
        println!("never seen:\n  {}", unseen.join("\n  "));
        return ExitCode::FAILURE;
    }
    if run.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
