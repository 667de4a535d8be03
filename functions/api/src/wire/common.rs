//! Shapes that many answers share.

use fatura_application::Answer;
use fatura_domain::Timestamp;
use fatura_domain::charge::Failure;
use fatura_domain::money::Money;
use fatura_domain::text::Metadata;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// An amount with exactly its currency's digits.
#[derive(Debug, Serialize)]
pub(crate) struct MoneyBody {
    amount: String,
    currency: &'static str,
}

impl From<Money> for MoneyBody {
    fn from(money: Money) -> Self {
        Self { amount: money.to_string(), currency: money.currency().code() }
    }
}

/// RFC 3339 in UTC, always with three digits of a second: what is kept is what is shown.
#[derive(Debug)]
pub(crate) struct Instant(pub(crate) Timestamp);

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:.3}", self.0))
    }
}

pub(crate) fn metadata_body(metadata: &Metadata) -> BTreeMap<&str, &str> {
    metadata.iter().collect()
}

/// Why money didn't come, for the invoice's owner.
#[derive(Debug, Serialize)]
pub(crate) struct FailureBody<'a> {
    class: &'static str,
    code: &'a str,
    message: &'a str,
}

impl<'a> From<&'a Failure> for FailureBody<'a> {
    fn from(failure: &'a Failure) -> Self {
        Self { class: failure.class.as_str(), code: &failure.code, message: &failure.message }
    }
}

pub(crate) fn answer(status: u16, body: &impl Serialize) -> Answer {
    Answer { status, body: super::to_json(body) }
}
