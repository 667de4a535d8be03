//! `simulate --seed N` replays one world; `--seeds N` lives through N of them, `--long` until every edge and crash point has
//! to be seen, `--crashes` through one death at every call of every operation; `--bugs` shows what catches deliberate ones.

mod arguments;

use arguments::Wanted;
use fatura_simulation::{Plan, Run, World, close, crashes, run, shrink};
use std::io::{IsTerminal, Write};
use std::ops::Range;
use std::process::ExitCode;
use std::time::Instant;

const MOST_FAILURES: usize = 3;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let done = Wanted::read(std::env::args().skip(1)).and_then(|wanted| match wanted {
        Wanted::Replay { plan, is_whole } => Ok(replay(&plan, is_whole)),
        Wanted::Worlds { seeds, is_long } => Ok(live(seeds, is_long)),
        Wanted::Crashes { worlds } => Ok(kill(worlds)),
        Wanted::Bugs { seeds, names } => hunt(seeds, &names),
    });
    done.unwrap_or_else(|error| {
        eprintln!("simulate: {error}");
        ExitCode::FAILURE
    })
}

fn live(seeds: Range<u64>, is_long: bool) -> ExitCode {
    let plans: Vec<Plan> = seeds.map(Plan::of).collect();
    let bar = Bar::begin();
    let mut run = run(&plans, MOST_FAILURES, &|done, all| bar.show(done, all));
    if is_long {
        let bar = Bar::begin();
        close(&mut run, MOST_FAILURES, &|done, all| bar.show(done, all));
    }
    let unseen = if is_long { run.unseen() } else { Vec::new() };
    end(&run, &unseen)
}

fn kill(worlds: u64) -> ExitCode {
    let bar = Bar::begin();
    let run = crashes(worlds, MOST_FAILURES, &|done, all| bar.show(done, all));
    end(&run, &run.unkilled())
}

#[cfg(feature = "deliberate-bugs")]
fn hunt(seeds: u64, names: &[String]) -> Result<ExitCode, String> {
    fatura_simulation::hunt(seeds, names)
}

#[cfg(not(feature = "deliberate-bugs"))]
fn hunt(_: u64, _: &[String]) -> Result<ExitCode, String> {
    Err("--bugs: there are none without the feature deliberate-bugs".to_owned())
}

/// The whole trace, to the byte as it was.
fn replay(plan: &Plan, is_whole: bool) -> ExitCode {
    let (report, result, trace) = World::run_traced(plan);
    if is_whole {
        println!("{}", trace.join("\n"));
    }
    println!("seed {}: fingerprint {:016x}", plan.seed, report.fingerprint);
    if let Err(failure) = result {
        println!("{failure}");
        return ExitCode::FAILURE;
    }
    if let Some(crash) = plan.crash.filter(|crash| !report.has_died_at(*crash)) {
        println!("nobody came to {crash}");
        return ExitCode::FAILURE;
    }
    println!("all is well");
    ExitCode::SUCCESS
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

/// What has not been seen and had to be fails as well.
fn end(run: &Run, unseen: &[String]) -> ExitCode {
    eprintln!();
    println!("{}", run.table());
    for failure in &run.failures {
        println!("seed {} fails: {}", failure.plan.seed, failure.wrong.join("; "));
    }
    if let Some(first) = run.failures.first() {
        println!("the first of them, shrunk:\n{}", shrink(first.clone()));
        return ExitCode::FAILURE;
    }
    if !unseen.is_empty() {
        println!("never seen:\n  {}", unseen.join("\n  "));
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
