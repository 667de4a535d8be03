//! What was seen, as a table, and what never was.

use crate::plan::LAST_DEADLY_CALL;
use crate::report::Report;
use crate::runner::Run;
use fatura_domain::invoice::Status;
use std::fmt::Write;

impl Run {
    /// For people.
    pub fn table(&self) -> String {
        let report = &self.report;
        let mut text = String::new();
        let mut row = |name: &str, count: u64| {
            let _ = writeln!(text, "{name:<44} {count:>10}");
        };
        row("seeds", self.seeds);
        row("steps", report.steps);
        row("charges at gateways", report.charges);
        row("refunds at gateways", report.refunds);
        row("duplicates suppressed", report.duplicates);
        for (name, count) in &report.faults {
            row(&format!("fault: {name}"), *count);
        }
        let (edges, points) = (legal_edges(), report.points());
        let unseen = (report.unseen_edges().len(), report.unseen_points().len());
        let _ =
            writeln!(text, "{:<44} {:>4} of {}", "edges of the invoice", edges.len() - unseen.0, edges.len());
        let _ = writeln!(text, "{:<44} {:>4} of {}", "crash points", points - unseen.1, points);
        text
    }
}

impl Report {
    /// Legal steps that no invoice took.
    pub fn unseen_edges(&self) -> Vec<String> {
        let unseen = legal_edges().into_iter().filter(|edge| !self.edges.contains(edge));
        unseen.map(|(from, to)| format!("{} -> {}", from.as_str(), to.as_str())).collect()
    }

    /// Calls that were made, and that nobody ever died at.
    pub fn unseen_points(&self) -> Vec<String> {
        let mut unseen = Vec::new();
        for (operation, nth) in self.reachable() {
            for after in [false, true] {
                if !self.crashes.contains(&(operation, nth, after)) {
                    let when = if after { "after" } else { "before" };
                    unseen.push(format!("{operation}: {when} call {nth}"));
                }
            }
        }
        unseen
    }

    fn points(&self) -> usize {
        2 * self.reachable().count()
    }

    /// Calls at which chance lets invocations die.
    fn reachable(&self) -> impl Iterator<Item = (&'static str, u32)> {
        self.calls.iter().copied().filter(|(_, nth)| *nth <= LAST_DEADLY_CALL)
    }
}

fn legal_edges() -> Vec<(Status, Status)> {
    let of = |from: Status| from.may_become().iter().map(move |to| (from, *to));
    Status::ALL.into_iter().flat_map(of).collect()
}
