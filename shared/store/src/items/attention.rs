use super::{Item, corrupt, from_item, partition_key, to_item};
use crate::keys;
use fatura_application::ports::StoreError;
use fatura_domain::Timestamp;
use fatura_domain::attention::{Attention, AttentionKind, Closed};
use fatura_domain::gateway::{GatewayName, GatewayReference};
use fatura_domain::id::{BillId, InvoiceId};
use fatura_domain::money::Money;
use serde::{Deserialize, Serialize};

/// In the work index only while it is open.
#[derive(Serialize, Deserialize)]
pub(crate) struct AttentionItem {
    #[serde(rename = "WP", default, skip_serializing_if = "Option::is_none")]
    work: Option<String>,
    #[serde(rename = "WS", default, skip_serializing_if = "Option::is_none")]
    position: Option<String>,
    #[serde(rename = "k")]
    kind: AttentionKind,
    #[serde(rename = "inv", default, skip_serializing_if = "Option::is_none")]
    invoice: Option<InvoiceId>,
    #[serde(rename = "bill", default, skip_serializing_if = "Option::is_none")]
    bill: Option<BillId>,
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    amount: Option<Money>,
    #[serde(rename = "gw", default, skip_serializing_if = "Option::is_none")]
    gateway: Option<GatewayName>,
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    reference: Option<GatewayReference>,
    #[serde(rename = "d")]
    detail: String,
    #[serde(rename = "at", with = "fatura_domain::stored_instant")]
    raised_at: Timestamp,
    #[serde(rename = "cl", default, skip_serializing_if = "Option::is_none")]
    closed: Option<Closed>,
}

impl AttentionItem {
    pub(crate) fn write(matter: &Attention) -> Result<Item, StoreError> {
        let (work, position) = keys::attention_work(matter).unzip();
        let matter = matter.clone();
        let attributes = Self {
            work,
            position,
            kind: matter.kind,
            invoice: matter.invoice,
            bill: matter.bill,
            amount: matter.amount,
            gateway: matter.gateway,
            reference: matter.reference,
            detail: matter.detail,
            raised_at: matter.raised_at,
            closed: matter.closed,
        };
        to_item(keys::attention(&matter.id), attributes)
    }

    pub(crate) fn read(item: Item) -> Result<Attention, StoreError> {
        let id = keys::attention_id(partition_key(&item)).ok_or_else(|| corrupt("not a matter's key"))?;
        let read: Self = from_item(item)?;
        Ok(Attention {
            id,
            kind: read.kind,
            invoice: read.invoice,
            bill: read.bill,
            amount: read.amount,
            gateway: read.gateway,
            reference: read.reference,
            detail: read.detail,
            raised_at: read.raised_at,
            closed: read.closed,
        })
    }
}
