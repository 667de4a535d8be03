use aws_sdk_dynamodb::types::ConsumedCapacity;
use std::sync::atomic::{AtomicU64, Ordering};

/// What DynamoDB was asked and what it charged, in tenths of units: capacity comes as a decimal fraction.
#[derive(Debug, Default)]
pub struct Meter {
    calls: AtomicU64,
    read_tenths: AtomicU64,
    write_tenths: AtomicU64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reading {
    pub calls: u64,
    pub read_tenths: u64,
    pub write_tenths: u64,
}

impl Meter {
    pub fn reading(&self) -> Reading {
        Reading {
            calls: self.calls.load(Ordering::Relaxed),
            read_tenths: self.read_tenths.load(Ordering::Relaxed),
            write_tenths: self.write_tenths.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn call(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read<'a>(&self, capacity: impl IntoIterator<Item = &'a ConsumedCapacity>) {
        self.read_tenths.fetch_add(tenths(capacity), Ordering::Relaxed);
    }

    pub(crate) fn write<'a>(&self, capacity: impl IntoIterator<Item = &'a ConsumedCapacity>) {
        self.write_tenths.fetch_add(tenths(capacity), Ordering::Relaxed);
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
