//! Many worlds, and the smallest one that still fails.

use crate::plan::{Crash, Plan};
use crate::report::Report;
use crate::world::{Failure, World};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What came of many worlds.
#[derive(Debug, Default)]
pub struct Run {
    pub seeds: u64,
    pub report: Report,
    /// Those that came first, by seed.
    pub failures: Vec<Failure>,
    /// Deaths that were to come.
    pub meant: Vec<Crash>,
}

/// Hears how many worlds were lived through, of how many.
pub type Progress<'a> = &'a (dyn Fn(u64, usize) + Sync);

impl Run {
    /// Together with another.
    pub fn add(&mut self, other: Self) {
        self.seeds += other.seeds;
        self.report.add(other.report);
        self.failures.extend(other.failures);
        self.meant.extend(other.meant);
    }
}

/// Runs these plans on every core. After `most_failures` no other begins.
pub fn run(plans: &[Plan], most_failures: usize, progress: Progress<'_>) -> Run {
    let (next, done, is_over) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    let all = Mutex::new(Run::default());
    let work = || {
        while !is_over.load(Ordering::Relaxed) {
            let place = usize::try_from(next.fetch_add(1, Ordering::Relaxed)).unwrap_or(usize::MAX);
            let Some(plan) = plans.get(place) else { break };
            let (report, result) = World::run(plan);
            let mut all = all.lock().unwrap();
            all.seeds += 1;
            all.report.add(report);
            all.failures.extend(result.err());
            is_over.fetch_or(all.failures.len() >= most_failures, Ordering::Relaxed);
            drop(all);
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, plans.len());
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(work))));
    let mut run = all.into_inner().unwrap();
    run.failures.sort_by_key(|failure| failure.plan.seed);
    run
}

/// A smaller world that fails, too: with fewer clients, fewer steps and less that goes wrong.
pub fn shrink(failure: Failure) -> Failure {
    const MOST_ROUNDS: usize = 4;
    let mut smallest = failure;
    for _ in 0..MOST_ROUNDS {
        let before = smallest.plan.clone();
        for smaller in smaller(&before) {
            if let (_, Err(failure)) = World::run(&smaller) {
                smallest = failure;
                break;
            }
        }
        if smallest.plan == before {
            break;
        }
    }
    smallest
}

/// From what takes most away to what takes least.
fn smaller(plan: &Plan) -> Vec<Plan> {
    let with = |change: &dyn Fn(&mut Plan)| {
        let mut plan = plan.clone();
        change(&mut plan);
        plan
    };
    let all = [
        with(&|plan| plan.steps /= 4),
        with(&|plan| plan.steps /= 2),
        with(&|plan| plan.steps = plan.steps * 3 / 4),
        with(&|plan| plan.clients = 1),
        with(&|plan| plan.faults = 0),
        with(&|plan| plan.deaths = 0),
        with(&|plan| plan.zombies = 0),
        with(&|plan| plan.skew_ms = 0),
        with(&|plan| plan.disputes = 0),
        with(&|plan| plan.contradictions = 0),
        with(&|plan| plan.forgeries = 0),
        with(&|plan| plan.steps = plan.steps * 9 / 10),
    ];
    all.into_iter().filter(|smaller| smaller != plan).collect()
}
