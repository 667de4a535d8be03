//! `simulate --seed N` replays one world; `--seeds N` lives through N of them, `--long` until every edge and crash point has
//! to be seen, `--crashes` through one death at every call of every operation; `--bugs` shows what catches deliberate ones.

use fatura_simulation::{Plan, Run, World, close, crashes, run, shrink};
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Instant;

const MOST_FAILURES: usize = 3;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| args.get(args.iter().position(|arg| arg == name)? + 1);
    let number = |name: &str| value(name).and_then(|value| value.parse::<u64>().ok());
    let has = |name: &str| args.iter().any(|arg| arg == name);
    if let Some(seed) = number("--seed") {
        let mut plan = Plan::of(seed);
        // As a shrunk plan says.
        for (name, place) in plan.numbers() {
            *place = number(name).unwrap_or(*place);
        }
        plan.crash = value("--crash").and_then(|crash| crash.parse().ok());
        return replay(&plan, has("--trace"));
    }
    #[cfg(feature = "deliberate-bugs")]
    if has("--bugs") {
        let names: Vec<String> =
            args.iter().filter(|arg| arg.starts_with(char::is_uppercase)).cloned().collect();
        return fatura_simulation::hunt(number("--seeds").unwrap_or(500), &names);
    }
    let bar = Bar::begin();
    if has("--crashes") {
        let worlds = number("--seeds").unwrap_or(1);
        return end(&crashes(worlds, MOST_FAILURES, &|done, all| bar.show(done, all)), false);
    }
    let from = number("--from").unwrap_or_default();
    let plans: Vec<Plan> = (from..from + number("--seeds").unwrap_or(2_000)).map(Plan::of).collect();
    let mut run = run(&plans, MOST_FAILURES, &|done, all| bar.show(done, all));
    if has("--long") {
        let bar = Bar::begin();
        close(&mut run, MOST_FAILURES, &|done, all| bar.show(done, all));
    }
    end(&run, has("--long"))
}

/// The whole trace, to the byte as it was.
fn replay(plan: &Plan, is_whole: bool) -> ExitCode {
    let (_, result, trace) = World::run_traced(plan);
    if is_whole {
        println!("{}", trace.join("\n"));
    }
    match result {
        Ok(()) => {
            println!("seed {}: all is well", plan.seed);
            ExitCode::SUCCESS
        }
        Err(failure) => {
            println!("{failure}");
            ExitCode::FAILURE
        }
    }
}

/// What is shown to whoever waits.
struct Bar {
    since: Instant,
    is_watched: bool,
}

impl Bar {
    const CELLS: u64 = 30;

    fn begin() -> Self {
        Self { since: Instant::now(), is_watched: std::io::stderr().is_terminal() }
    }

    /// In place where somebody watches, and ten lines where it goes to a file.
    fn show(&self, done: u64, all: usize) {
        let all = u64::try_from(all).unwrap_or(u64::MAX).max(1);
        let is_over = done == all;
        let step = if self.is_watched { 10 } else { all.div_ceil(10) };
        if !is_over && !done.is_multiple_of(step) {
            return;
        }
        let seconds = self.since.elapsed().as_secs();
        let full = usize::try_from(Self::CELLS * done / all).unwrap_or_default();
        let empty = usize::try_from(Self::CELLS).unwrap_or_default() - full;
        let cells = "#".repeat(full) + &"-".repeat(empty);
        let left = if is_over { 0 } else { seconds * (all - done) / done.max(1) };
        let end = if self.is_watched { "    \r" } else { "\n" };
        eprint!("[{cells}] {done} of {all} worlds, {seconds} s, {left} s left{end}");
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
        return ExitCode::FAILURE;
    }
    let points = run.report.unseen_points().into_iter().map(|(crash, _)| format!("a death at {crash}"));
    let unseen: Vec<String> = run.report.unseen_edges().into_iter().chain(points).collect();
    if is_long && !unseen.is_empty() {
        println!("never seen:\n  {}", unseen.join("\n  "));
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
