//! What a world has seen: for the table at the end, and for whoever wants to know why it failed.

use crate::clock::Clock;
use fatura_domain::invoice::Status;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Report {
    pub steps: u64,
    pub charges: u64,
    pub refunds: u64,
    /// Requests and orders that came again and had no second effect.
    pub duplicates: u64,
    pub faults: BTreeMap<&'static str, u64>,
    pub edges: BTreeSet<(Status, Status)>,
    /// Operation, the call at which it died, and whether that had its effect.
    pub crashes: BTreeSet<(&'static str, u32, bool)>,
    pub(crate) last_answer: String,
}

impl Report {
    pub(crate) fn fault(&mut self, name: &'static str) {
        *self.faults.entry(name).or_default() += 1;
    }

    pub(crate) fn crash(&mut self, operation: &'static str, nth: u32, after: bool) {
        self.crashes.insert((operation, nth, after));
    }

    /// Together with what another world has seen.
    pub fn add(&mut self, other: Self) {
        self.steps += other.steps;
        self.charges += other.charges;
        self.refunds += other.refunds;
        self.duplicates += other.duplicates;
        for (name, count) in other.faults {
            *self.faults.entry(name).or_default() += count;
        }
        self.edges.extend(other.edges);
        self.crashes.extend(other.crashes);
    }
}

/// The last of what happened.
#[derive(Debug, Default)]
pub(crate) struct Trace(VecDeque<String>);

impl Trace {
    const LENGTH: usize = 400;

    pub(crate) fn note(&mut self, clock: &Clock, what: String) {
        if self.0.len() == Self::LENGTH {
            self.0.pop_front();
        }
        self.0.push_back(format!("{:>12} {what}", clock.since_start().as_millis()));
    }

    pub(crate) fn last(&self) -> Vec<String> {
        self.0.iter().cloned().collect()
    }
}
