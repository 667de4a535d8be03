//! Deaths that are meant: at every call of every operation, and where chance let nobody die.

use crate::plan::{Crash, Plan};
use crate::report::Report;
use crate::runner::{Progress, Run, run};

/// Beyond this an operation has surely ended.
const MOST_CALLS: u32 = 80;
/// Whoever dies elsewhere may come to where nobody was.
const MOST_ROUNDS: usize = 4;

/// For each operation that a kind world sees, in `worlds` of them: at each call before it has its effect, and after.
pub fn crashes(worlds: u64, most_failures: usize, progress: Progress<'_>) -> Run {
    let kind: Vec<Plan> = (0..worlds).map(Plan::kind).collect();
    let mut seen = run(&kind, most_failures, progress);
    if !seen.failures.is_empty() {
        return seen;
    }
    let mut plans = Vec::new();
    for (operation, nth) in seen.report.calls.keys().filter(|(_, nth)| *nth <= MOST_CALLS) {
        for after in [false, true] {
            let crash = Some(Crash { operation, nth: *nth, after });
            plans.extend(kind.iter().map(|plan| Plan { crash, ..plan.clone() }));
        }
    }
    seen.add(run(&plans, most_failures, progress));
    seen
}

/// Lives once more through worlds that came to a call at which nobody died, with a death there, until there is none.
pub fn close(seen: &mut Run, most_failures: usize, progress: Progress<'_>) {
    for _ in 0..MOST_ROUNDS {
        let plans = aimed(&seen.report);
        if plans.is_empty() || seen.failures.len() >= most_failures {
            return;
        }
        seen.add(run(&plans, most_failures, progress));
    }
}

/// Until its death such a world is as it was, so that it comes to it.
fn aimed(report: &Report) -> Vec<Plan> {
    let points = report.unseen_points().into_iter();
    points.map(|(crash, seed)| Plan { crash: Some(crash), ..Plan::of(seed) }).collect()
}
