use super::{Item, corrupt, from_item, sort_key, to_item};
use crate::keys;
use fatura_application::ports::StoreError;
use fatura_domain::Timestamp;
use fatura_domain::id::{AttemptNumber, DisputeId, RunId};
use fatura_domain::invoice::{Content, Invoice, LineItem, Orphan, Split, State, Transition};
use fatura_domain::money::{Currency, Money};
use fatura_domain::text::{Description, Metadata};
use serde::{Deserialize, Serialize};

/// Its id and its customer are in its key, its creation is the first step of its history.
#[derive(Serialize, Deserialize)]
pub(crate) struct InvoiceItem {
    #[serde(rename = "WP", default)]
    partition: String,
    #[serde(rename = "WS", default)]
    position: String,
    #[serde(rename = "v")]
    version: u64,
    #[serde(rename = "c")]
    currency: Currency,
    #[serde(rename = "i")]
    items: Vec<LineItem>,
    #[serde(rename = "t")]
    total_minor: i64,
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    description: Option<Description>,
    #[serde(rename = "m", default, skip_serializing_if = "Metadata::is_empty")]
    metadata: Metadata,
    #[serde(rename = "sp", default, skip_serializing_if = "Option::is_none")]
    split: Option<Split>,
    #[serde(rename = "st")]
    state: State,
    #[serde(rename = "h")]
    history: Vec<Transition>,
    #[serde(rename = "n")]
    attempts: AttemptNumber,
    #[serde(rename = "f", default, skip_serializing_if = "is_zero")]
    failures: u8,
    #[serde(rename = "dc", default, skip_serializing_if = "is_zero")]
    declines: u8,
    #[serde(rename = "or", default, skip_serializing_if = "Vec::is_empty")]
    orphans: Vec<Orphan>,
    #[serde(rename = "dp", default, skip_serializing_if = "Option::is_none")]
    dispute: Option<DisputeId>,
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    run: Option<RunId>,
    #[serde(rename = "u", with = "fatura_domain::stored_instant")]
    updated_at: Timestamp,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's skip_serializing_if hands over a reference")]
const fn is_zero(number: &u8) -> bool {
    *number == 0
}

impl InvoiceItem {
    pub(crate) fn write(invoice: &Invoice) -> Result<Item, StoreError> {
        let (partition, position) = keys::work(invoice);
        let invoice = invoice.clone();
        let attributes = Self {
            partition,
            position,
            version: invoice.version,
            currency: invoice.content.currency,
            items: invoice.content.items,
            total_minor: invoice.total.minor(),
            description: invoice.content.description,
            metadata: invoice.content.metadata,
            split: invoice.split,
            state: invoice.state,
            history: invoice.history,
            attempts: invoice.attempts,
            failures: invoice.failures,
            declines: invoice.declines,
            orphans: invoice.orphans,
            dispute: invoice.dispute,
            run: invoice.run,
            updated_at: invoice.updated_at,
        };
        to_item(keys::invoice(invoice.id), attributes)
    }

    pub(crate) fn read(item: Item) -> Result<Invoice, StoreError> {
        let id = keys::invoice_id(sort_key(&item)).ok_or_else(|| corrupt("not an invoice's key"))?;
        let read: Self = from_item(item)?;
        let created_at = read.history.first().ok_or_else(|| corrupt("an invoice without history"))?.at;
        Ok(Invoice {
            id,
            version: read.version,
            content: Content {
                currency: read.currency,
                items: read.items,
                description: read.description,
                metadata: read.metadata,
            },
            total: Money::try_new(read.total_minor, read.currency).map_err(corrupt)?,
            split: read.split,
            state: read.state,
            history: read.history,
            attempts: read.attempts,
            failures: read.failures,
            declines: read.declines,
            orphans: read.orphans,
            dispute: read.dispute,
            run: read.run,
            created_at,
            updated_at: read.updated_at,
        })
    }
}
