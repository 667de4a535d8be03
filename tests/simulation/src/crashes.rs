//! Deaths that are meant: at every call of every operation, and where chance let nobody die.

use crate::plan::{Crash, Plan};
use crate::report::Report;
use crate::runner::{Progress, Run, run};

/// Only a sweep of much that is due makes more calls, which are those of others of its kind again.
const MOST_CALLS: u32 = 80;

/// For each operation that `worlds` kind worlds see: at each call before it has its effect, and after, in the first that came to it.
pub fn crashes(worlds: u64, most_failures: usize, progress: Progress<'_>) -> Run {
    let kind: Vec<Plan> = (0..worlds).map(Plan::kind).collect();
    let mut seen = run(&kind, most_failures, progress);
    if !seen.failures.is_empty() {
        return seen;
    }
    let mut plans = Vec::new();
    for ((operation, nth), seed) in seen.report.calls.iter().filter(|((_, nth), _)| *nth <= MOST_CALLS) {
        let deaths = [false, true].map(|after| Crash { operation, nth: *nth, after });
        plans.extend(deaths.map(|crash| Plan { crash: Some(crash), ..Plan::kind(*seed) }));
    }
    seen.add(dying(&plans, most_failures, progress));
    seen
}

/// Lives once more through worlds that came to a call at which nobody died, with a death there.
pub fn close(seen: &mut Run, most_failures: usize, progress: Progress<'_>) {
    let plans = aimed(&seen.report);
    if plans.is_empty() || seen.failures.len() >= most_failures {
        return;
    }
    seen.add(dying(&plans, most_failures, progress));
}

/// What is come to only after a death that was meant is no world's that its seed alone decides: it asks for no death of its own.
fn dying(plans: &[Plan], most_failures: usize, progress: Progress<'_>) -> Run {
    let mut run = run(plans, most_failures, progress);
    run.report.calls.clear();
    run.meant = plans.iter().filter_map(|plan| plan.crash).collect();
    run
}

/// Until its death such a world is as it was, so that it comes to it.
fn aimed(report: &Report) -> Vec<Plan> {
    let points = report.unseen_points().into_iter();
    points.map(|(crash, seed)| Plan { crash: Some(crash), ..Plan::of(seed) }).collect()
}
