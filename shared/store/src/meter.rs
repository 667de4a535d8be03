use aws_sdk_dynamodb::types::ConsumedCapacity;
use std::sync::atomic::{AtomicU64, Ordering};

/// What DynamoDB was asked and what it charged, in tenths of units: capacity comes as a decimal fraction.
#[derive(Debug, Default)]
pub struct Meter {
    calls: AtomicU64,
    under_way: AtomicU64,
    round_trips: AtomicU64,
    read_tenths: AtomicU64,
    write_tenths: AtomicU64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reading {
    pub calls: u64,
    /// Calls at the same time are one round trip: what somebody waits for.
    pub round_trips: u64,
    pub read_tenths: u64,
    pub write_tenths: u64,
}

impl Meter {
    pub fn reading(&self) -> Reading {
        Reading {
            calls: self.calls.load(Ordering::Relaxed),
            round_trips: self.round_trips.load(Ordering::Relaxed),
            read_tenths: self.read_tenths.load(Ordering::Relaxed),
            write_tenths: self.write_tenths.load(Ordering::Relaxed),
        }
    }

    /// A call is under way while what this returns is kept.
    pub(crate) fn call(&self) -> Call<'_> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if self.under_way.fetch_add(1, Ordering::Relaxed) == 0 {
            self.round_trips.fetch_add(1, Ordering::Relaxed);
        }
        Call(self)
    }

    pub(crate) fn read<'a>(&self, capacity: impl IntoIterator<Item = &'a ConsumedCapacity>) {
        self.read_tenths.fetch_add(tenths(capacity), Ordering::Relaxed);
    }

    pub(crate) fn write<'a>(&self, capacity: impl IntoIterator<Item = &'a ConsumedCapacity>) {
        self.write_tenths.fetch_add(tenths(capacity), Ordering::Relaxed);
    }
}

pub(crate) struct Call<'a>(&'a Meter);

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Reading {
    /// What was done between two readings.
    #[must_use]
    pub const fn since(self, before: Self) -> Self {
        Self {
            calls: self.calls - before.calls,
            round_trips: self.round_trips - before.round_trips,
            read_tenths: self.read_tenths - before.read_tenths,
            write_tenths: self.write_tenths - before.write_tenths,
        }
    }

    /// Writes are charged in whole units.
    pub const fn write_units(self) -> u64 {
        self.write_tenths.div_ceil(10)
    }
}

#[expect(
    clippy::float_arithmetic,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "capacity comes as a float, and is never money"
)]
fn tenths<'a>(capacity: impl IntoIterator<Item = &'a ConsumedCapacity>) -> u64 {
    capacity
        .into_iter()
        .filter_map(|consumed| consumed.capacity_units)
        .map(|units| (units * 10.0).round() as u64)
        .sum()
}
