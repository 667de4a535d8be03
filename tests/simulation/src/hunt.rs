//! Does it catch anything at all? Each deliberate bug is planted, and has to be found.

use crate::plan::Plan;
use crate::runner::run;
use crate::world::World;
use fatura_domain::bug::Bug;
use std::process::ExitCode;

/// Plants each, or those that are named, and says in which world it was found first, and by what.
pub fn hunt(seeds: u64, names: &[String]) -> Result<ExitCode, String> {
    let plans: Vec<Plan> = (0..seeds).map(Plan::of).collect();
    let mut is_well = true;
    for bug in meant(names)? {
        let found = find(bug, &plans);
        is_well &= found.is_ok();
        println!("{bug:?}: {}", found.unwrap_or_else(|missed| missed));
    }
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn meant(names: &[String]) -> Result<Vec<Bug>, String> {
    if names.is_empty() {
        return Ok(Bug::ALL.to_vec());
    }
    let of_name = |name: &String| {
        let bug = Bug::ALL.into_iter().find(|bug| format!("{bug:?}") == *name);
        bug.ok_or_else(|| format!("there is no bug {name}"))
    };
    names.iter().map(of_name).collect()
}

/// The world that fails has to be a good one without the bug: else it catches something else.
fn find(bug: Bug, plans: &[Plan]) -> Result<String, String> {
    Bug::plant(Some(bug));
    let found = run(plans, 1, &|_, _| {});
    Bug::plant(None);
    let Some(failure) = found.failures.first() else {
        return Err(format!("NOT FOUND in {} seeds", plans.len()));
    };
    let seed = failure.plan.seed;
    if let (_, Err(other)) = World::run(&failure.plan) {
        return Err(format!("seed {seed} FAILS WITHOUT IT: {}", other.wrong.join("; ")));
    }
    let wrong = failure.wrong.first().map(String::as_str).unwrap_or_default();
    Ok(format!("in world {}, seed {seed}: {wrong}", seed + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bug_that_there_is_not_is_refused() {
        let names = |names: &[&str]| meant(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(names(&["HeldIsSent"]), Ok(vec![Bug::HeldIsSent]));
        assert_eq!(names(&[]).unwrap().len(), Bug::ALL.len());
        assert_eq!(names(&["HeldIsSent", "HeldWasSent"]), Err("there is no bug HeldWasSent".to_owned()));
    }
}
