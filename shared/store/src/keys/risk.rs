//! What a customer tried, an item an hour of the clock.

use super::Key;
use fatura_domain::id::CustomerId;
use fatura_domain::risk::Hour;

const VELOCITY: &str = "VEL#";

pub(crate) fn velocity(customer: CustomerId, hour: Hour) -> Key {
    Key::of_customer(customer, sort_key(hour))
}

/// The sort keys from one hour to another, both included.
pub(crate) fn velocity_between(from: Hour, to: Hour) -> (String, String) {
    (sort_key(from), sort_key(to))
}

pub(crate) fn velocity_hour(sk: &str) -> Option<Hour> {
    sk.strip_prefix(VELOCITY)?.parse().ok().map(Hour)
}

fn sort_key(Hour(hour): Hour) -> String {
    format!("{VELOCITY}{hour:07}")
}
