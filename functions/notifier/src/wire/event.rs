//! What notices are made of. `docs/events.md` describes the whole.

use fatura_domain::Timestamp;
use fatura_domain::id::{BillId, InvoiceId};
use fatura_domain::money::Money;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
pub(crate) struct Event {
    pub(crate) occurred_at: At,
    pub(crate) data: EventData,
}

/// What it happened to is told by what it names.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum EventData {
    Invoice(InvoiceData),
    Bill(BillData),
}

#[derive(Debug, Deserialize)]
pub(crate) struct InvoiceData {
    pub(crate) invoice_id: InvoiceId,
    pub(crate) cause: String,
    pub(crate) total: Amount,
    pub(crate) amount_paid: Amount,
    #[serde(default)]
    pub(crate) failure: Option<Failure>,
    #[serde(default)]
    pub(crate) amount_returned: Option<Amount>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Failure {
    pub(crate) class: String,
    pub(crate) retry_at: Option<At>,
    /// The invoice is given up by it, which is told, too.
    #[serde(default)]
    pub(crate) uncollectible: bool,
}

#[derive(Debug, Deserialize)]
pub(crate) struct BillData {
    pub(crate) bill_id: BillId,
    pub(crate) period_start: At,
    pub(crate) period_end: At,
    #[serde(default)]
    pub(crate) total: Option<Total>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Total {
    pub(crate) by_currency: BTreeMap<String, String>,
    pub(crate) converted: Option<Amount>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Amount {
    amount: String,
    currency: String,
}

/// RFC 3339, as it is told.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct At(pub(crate) Timestamp);

impl TryFrom<String> for At {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        text.parse().map(Self).map_err(|_| "not a time")
    }
}

impl Amount {
    /// None: not an amount, which none of ours is.
    pub(crate) fn money(&self) -> Option<Money> {
        Money::parse(&self.amount, self.currency.parse().ok()?).ok()
    }
}
