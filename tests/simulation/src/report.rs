//! What a world has seen: for the table at the end, and for whoever wants to know why it failed.

use crate::clock::Clock;
use fatura_domain::invoice::Status;
use serde_json::Value;
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};

#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Report {
    pub steps: u64,
    pub charges: u64,
    pub refunds: u64,
    /// Requests and orders that came again and had no second effect.
    pub duplicates: u64,
    pub faults: BTreeMap<&'static str, u64>,
    pub edges: BTreeMap<(Status, Status), u64>,
    /// Operation, the call at which it died, and whether that had its effect.
    pub crashes: BTreeSet<(&'static str, u32, bool)>,
    /// Every call at which an invocation may die: its operation, which it was of it, and the first world that came so far.
    pub calls: BTreeMap<(&'static str, u32), u64>,
    /// Of everything that happened, in its order.
    pub fingerprint: u64,
}

impl Report {
    pub(crate) fn fault(&mut self, name: &'static str) {
        *self.faults.entry(name).or_default() += 1;
    }

    pub(crate) fn crash(&mut self, operation: &'static str, nth: u32, after: bool) {
        self.crashes.insert((operation, nth, after));
    }

    pub(crate) fn call(&mut self, operation: &'static str, nth: u32, seed: u64) {
        self.calls.entry((operation, nth)).or_insert(seed);
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
        for (edge, count) in other.edges {
            *self.edges.entry(edge).or_default() += count;
        }
        self.crashes.extend(other.crashes);
        for (call, seed) in other.calls {
            let first = self.calls.entry(call).or_insert(seed);
            *first = seed.min(*first);
        }
    }
}

/// What happened, in its order.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    lines: Vec<String>,
    fingerprint: DefaultHasher,
}

impl Trace {
    pub(crate) fn note(&mut self, clock: &Clock, what: &str) {
        let line = format!("{:>12} {what}", clock.since_start().as_millis());
        line.hash(&mut self.fingerprint);
        self.lines.push(line);
    }

    /// Which item was written, and not what: the marks in it are random, and decide nothing.
    pub(crate) fn wrote(&mut self, record: &Value) {
        let key = |name| record.pointer(name).and_then(Value::as_str);
        ["/dynamodb/Keys/PK/S", "/dynamodb/Keys/SK/S"].map(key).hash(&mut self.fingerprint);
    }

    pub(crate) fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }

    pub(crate) fn fingerprint(&self) -> u64 {
        self.fingerprint.finish()
    }
}
