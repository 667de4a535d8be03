//! A death at every call of every operation, one to a world that is kind otherwise.

use crate::plan::{Crash, Plan};
use crate::runner::{Run, run};

/// Beyond this an operation has surely ended.
const MOST_CALLS: u32 = 80;

/// For each operation that a kind world sees, in `worlds` of them: at each call before it has its effect, and after.
pub fn crashes(worlds: u64) -> Run {
    let kind: Vec<Plan> = (0..worlds).map(Plan::kind).collect();
    let seen = run(&kind, 1, &|_| {});
    if !seen.failures.is_empty() {
        return seen;
    }
    let mut plans = Vec::new();
    for (operation, nth) in seen.report.calls.iter().filter(|(_, nth)| *nth <= MOST_CALLS) {
        for after in [false, true] {
            let crash = Some(Crash { operation, nth: *nth, after });
            plans.extend(kind.iter().map(|plan| Plan { crash, ..plan.clone() }));
        }
    }
    run(&plans, 3, &|_| {})
}
