//! Runs: each of their parts goes one step at a time and comes to an end, no invoice is taken twice by one run, and what
//! became of those that were taken is what the run's counters say.

use super::{Books, Key, number};
use fatura_domain::id::InvoiceId;
use fatura_domain::invoice::Invoice;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const RUN: &str = "RUN#";
const PART: &str = "P#";
const TALLY: &str = "T#";

#[derive(Debug, Default)]
pub(super) struct Runs {
    /// What became of each invoice that a run took, as long as no other run took it.
    outcomes: BTreeMap<String, BTreeMap<InvoiceId, String>>,
    /// Those whose counters may have moved since somebody last looked.
    touched: BTreeSet<String>,
}

impl Books {
    /// A part or a counter that is about to be written.
    pub(super) fn advance(&mut self, key: &Key, image: &Value, wrong: &mut Vec<String>) {
        let (pk, sk) = key;
        if !pk.starts_with(RUN) {
            return;
        }
        self.runs.touched.insert(pk.clone());
        if !sk.starts_with(PART) {
            return;
        }
        let before = self.items.get(key);
        let was = before.map_or(0, |before| number(before, "/v/N"));
        if number(image, "/v/N") != was + 1 {
            wrong.push(format!("{pk} {sk}: version {} follows version {was}", number(image, "/v/N")));
        }
        if before.is_some_and(is_done) {
            wrong.push(format!("{pk} {sk} was done, and goes on"));
        }
    }

    /// An invoice's next version: which run had it charged, and how it stands.
    pub(super) fn tally(&mut self, after: &Invoice, wrong: &mut Vec<String>) {
        let Some((run, outcome)) = after.outcome_for_run() else { return };
        let pk = format!("{RUN}{run}");
        let by_it = |by: &fatura_domain::actor::Actor| by.as_str() == run.as_str();
        let taken = after.history.iter().filter(|step| step.by.as_ref().is_some_and(by_it)).count();
        if taken > 1 {
            wrong.push(format!("{} is taken {taken} times by {run}", after.id));
        }
        self.runs.touched.insert(pk.clone());
        self.runs.outcomes.entry(pk).or_default().insert(after.id, outcome.name());
    }

    /// A run's counters are what became of its invoices.
    pub(super) fn count_runs(&mut self, wrong: &mut Vec<String>) {
        for pk in std::mem::take(&mut self.runs.touched) {
            let mut expected: BTreeMap<&str, i64> = BTreeMap::new();
            for outcome in self.runs.outcomes.get(&pk).into_iter().flat_map(BTreeMap::values) {
                *expected.entry(outcome).or_default() += 1;
            }
            let mut kept: BTreeMap<&str, i64> = BTreeMap::new();
            for (_, item) in self.within(&pk).filter(|((_, sk), _)| sk.starts_with(TALLY)) {
                let counters = item.as_object().into_iter().flatten();
                for (name, value) in counters.filter(|(_, value)| value.get("N").is_some()) {
                    *kept.entry(name).or_default() += number(value, "/N");
                }
            }
            kept.retain(|_, count| *count != 0);
            if kept != expected {
                wrong.push(format!("{pk} counts {kept:?} instead of {expected:?}"));
            }
        }
    }

    pub(crate) fn runs_begun(&self) -> usize {
        self.runs_items("META").count()
    }

    /// In the end nothing of any run is left to do.
    pub(crate) fn runs_ended(&self, wrong: &mut Vec<String>) {
        let left = self.runs_items(PART).filter(|(_, item)| !is_done(item));
        wrong.extend(left.map(|((pk, sk), _)| format!("{pk} {sk} never ended")));
    }

    fn runs_items<'a>(&'a self, sk: &'a str) -> impl Iterator<Item = (&'a Key, &'a Value)> {
        self.starting_with(RUN).filter(move |((_, key), _)| key.starts_with(sk))
    }
}

fn is_done(part: &Value) -> bool {
    part.get("due").is_none()
}
