//! What was seen, as tables, and what never was.

use crate::plan::{Crash, LAST_DEADLY_CALL};
use crate::report::Report;
use crate::runner::Run;
use crate::task::operations;
use fatura_domain::invoice::Status;
use std::collections::BTreeSet;
use std::fmt::Write;

const WIDTH: usize = 44;

impl Run {
    /// For people.
    pub fn table(&self) -> String {
        let report = &self.report;
        let mut rows = vec![
            ("seeds", self.seeds),
            ("steps", report.steps),
            ("charges at gateways", report.charges),
            ("refunds at gateways", report.refunds),
            ("duplicates suppressed", report.duplicates),
        ];
        if !self.meant.is_empty() {
            let came = self.meant.len() - self.spared().count();
            rows.push(("deaths that were meant, and came", u64::try_from(came).unwrap()));
        }
        rows.push(("faults injected", report.faults.values().sum()));
        let mut text = String::new();
        for (name, count) in rows {
            let _ = writeln!(text, "{name:<WIDTH$} {:>11}", grouped(count));
        }
        for (name, count) in &report.faults {
            let _ = writeln!(text, "  {name:<0$} {1:>11}", WIDTH - 2, grouped(*count));
        }
        let (edges, unseen) = (legal_edges().len(), report.unseen_edges().len());
        let _ = writeln!(text, "\n{:<WIDTH$} {:>5} of {edges:>2}", "steps of an invoice", edges - unseen);
        for (from, to) in legal_edges() {
            let count = report.edges.get(&(from, to)).copied().unwrap_or_default();
            let edge = format!("{} -> {}", from.as_str(), to.as_str());
            let _ = writeln!(text, "  {edge:<0$} {1:>11}", WIDTH - 2, grouped(count));
        }
        text + &report.crash_table()
    }

    /// What a run that is to see everything has not seen.
    pub fn unseen(&self) -> Vec<String> {
        let points = self.report.unseen_points().into_iter().map(|(crash, _)| format!("a death at {crash}"));
        self.report.unseen_edges().into_iter().chain(self.report.unseen_operations()).chain(points).collect()
    }

    /// Deaths that were meant and did not come, for people, and operations that nobody could die in, as nobody came to them.
    pub fn unkilled(&self) -> Vec<String> {
        let spared = self.spared().map(|crash| format!("a death at {crash}"));
        self.report.unseen_operations().into_iter().chain(spared).collect()
    }

    fn spared(&self) -> impl Iterator<Item = &Crash> {
        self.meant.iter().filter(|crash| !self.report.has_died_at(**crash))
    }
}

impl Report {
    /// What made no call while anything could go wrong.
    fn unseen_operations(&self) -> Vec<String> {
        let unseen = operations().filter(|operation| !self.calls.contains_key(&(*operation, 1)));
        unseen.map(|operation| format!("a call of {operation}")).collect()
    }

    /// Legal steps that no invoice took.
    fn unseen_edges(&self) -> Vec<String> {
        let unseen = legal_edges().into_iter().filter(|edge| !self.edges.contains_key(edge));
        unseen.map(|(from, to)| format!("{} -> {}", from.as_str(), to.as_str())).collect()
    }

    /// Calls that were made and that nobody ever died at, each with the first world that came so far.
    pub fn unseen_points(&self) -> Vec<(Crash, u64)> {
        let points = self.reachable().flat_map(|(operation, nth, seed)| {
            [false, true].map(|after| (Crash { operation, nth, after }, seed))
        });
        points.filter(|(crash, _)| !self.has_died_at(*crash)).collect()
    }

    pub fn has_died_at(&self, crash: Crash) -> bool {
        self.crashes.contains(&(crash.operation, crash.nth, crash.after))
    }

    /// Calls at which chance lets invocations die.
    fn reachable(&self) -> impl Iterator<Item = (&'static str, u32, u64)> {
        let calls = self.calls.iter().map(|((operation, nth), seed)| (*operation, *nth, *seed));
        calls.filter(|(_, nth, _)| *nth <= LAST_DEADLY_CALL)
    }

    /// A line an operation, with a mark for each of its calls.
    fn crash_table(&self) -> String {
        let (all, unseen) = (2 * self.reachable().count(), self.unseen_points().len());
        let mut text = format!("\n{:<WIDTH$} {:>5} of {all}\n", "deaths by operation and call", all - unseen);
        for operation in operations().collect::<BTreeSet<_>>() {
            let marks: Vec<String> =
                (1..=LAST_DEADLY_CALL).map(|nth| self.mark(operation, nth).to_owned()).collect();
            let _ = writeln!(text, "  {operation:<24} {}", marks.join(" ").trim_end());
        }
        text + "  (ba: it died before that call had its effect, and after; -: never; blank: it makes no such call)\n"
    }

    fn mark(&self, operation: &'static str, nth: u32) -> &'static str {
        if !self.calls.contains_key(&(operation, nth)) {
            return "  ";
        }
        match [false, true].map(|after| self.has_died_at(Crash { operation, nth, after })) {
            [true, true] => "ba",
            [true, false] => "b-",
            [false, true] => "-a",
            [false, false] => "--",
        }
    }
}

fn legal_edges() -> Vec<(Status, Status)> {
    let of = |from: Status| from.may_become().iter().map(move |to| (from, *to));
    Status::ALL.into_iter().flat_map(of).collect()
}

/// 1234567 as 1,234,567.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
