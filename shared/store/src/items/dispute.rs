use super::{Item, corrupt, from_item, sort_key, to_item};
use crate::keys;
use fatura_application::ports::StoreError;
use fatura_domain::Timestamp;
use fatura_domain::dispute::{Dispute, DisputeState, Origin};
use fatura_domain::gateway::{GatewayName, GatewayReference};
use fatura_domain::id::InvoiceId;
use fatura_domain::money::Money;
use serde::{Deserialize, Serialize};

/// In the work index only while it is open.
#[derive(Serialize, Deserialize)]
pub(crate) struct DisputeItem {
    #[serde(rename = "WP", default, skip_serializing_if = "Option::is_none")]
    work: Option<String>,
    #[serde(rename = "WS", default, skip_serializing_if = "Option::is_none")]
    position: Option<String>,
    #[serde(rename = "v")]
    version: u64,
    #[serde(rename = "inv")]
    invoice: InvoiceId,
    #[serde(rename = "gw")]
    gateway: GatewayName,
    #[serde(rename = "ch")]
    charge: GatewayReference,
    #[serde(rename = "cs", default, skip_serializing_if = "Option::is_none")]
    case: Option<GatewayReference>,
    #[serde(rename = "a")]
    amount: Money,
    #[serde(rename = "or")]
    origin: Origin,
    #[serde(rename = "st")]
    state: DisputeState,
    #[serde(rename = "ca", with = "fatura_domain::stored_instant")]
    created_at: Timestamp,
    #[serde(rename = "u", with = "fatura_domain::stored_instant")]
    updated_at: Timestamp,
}

impl DisputeItem {
    pub(crate) fn write(dispute: &Dispute) -> Result<Item, StoreError> {
        let (work, position) = keys::dispute_work(dispute).unzip();
        let dispute = dispute.clone();
        let attributes = Self {
            work,
            position,
            version: dispute.version,
            invoice: dispute.invoice,
            gateway: dispute.gateway,
            charge: dispute.charge,
            case: dispute.case,
            amount: dispute.amount,
            origin: dispute.origin,
            state: dispute.state,
            created_at: dispute.created_at,
            updated_at: dispute.updated_at,
        };
        to_item(keys::dispute(dispute.id), attributes)
    }

    pub(crate) fn read(item: Item) -> Result<Dispute, StoreError> {
        let id = keys::dispute_id(sort_key(&item)).ok_or_else(|| corrupt("not a dispute's key"))?;
        let read: Self = from_item(item)?;
        Ok(Dispute {
            id,
            version: read.version,
            invoice: read.invoice,
            gateway: read.gateway,
            charge: read.charge,
            case: read.case,
            amount: read.amount,
            origin: read.origin,
            state: read.state,
            created_at: read.created_at,
            updated_at: read.updated_at,
        })
    }
}
