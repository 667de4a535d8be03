//! Does it catch anything at all? Each deliberate bug is planted, and has to be found.

use crate::plan::Plan;
use crate::runner::run;
use fatura_domain::bug::Bug;
use std::process::ExitCode;

/// Plants each, or those that are named, and says in which world it was found first, and by what.
pub fn hunt(seeds: u64, names: &[String]) -> ExitCode {
    let plans: Vec<Plan> = (0..seeds).map(Plan::of).collect();
    let mut missed = 0;
    let is_meant = |bug: &Bug| names.is_empty() || names.contains(&format!("{bug:?}"));
    for bug in Bug::ALL.into_iter().filter(is_meant) {
        Bug::plant(Some(bug));
        let found = run(&plans, 1, &|_, _| {});
        match found.failures.first() {
            Some(failure) => {
                let wrong = failure.wrong.first().map(String::as_str).unwrap_or_default();
                println!("{bug:?}: in world {}, seed {}: {wrong}", failure.plan.seed + 1, failure.plan.seed);
            }
            None => {
                missed += 1;
                println!("{bug:?}: NOT FOUND in {seeds} seeds");
            }
        }
    }
    Bug::plant(None);
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
