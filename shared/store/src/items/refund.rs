use super::{Item, corrupt, from_item, sort_key, to_item};
use crate::keys;
use fatura_application::ports::StoreError;
use fatura_domain::Timestamp;
use fatura_domain::gateway::{GatewayName, GatewayReference};
use fatura_domain::id::InvoiceId;
use fatura_domain::money::Money;
use fatura_domain::refund::{Refund, RefundOf, RefundState, RefundTo};
use fatura_domain::text::Text;
use serde::{Deserialize, Serialize};

/// In the work index while there is something to do, and when the money has gone back.
#[derive(Serialize, Deserialize)]
pub(crate) struct RefundItem {
    #[serde(rename = "WP", default, skip_serializing_if = "Option::is_none")]
    work: Option<String>,
    #[serde(rename = "WS", default, skip_serializing_if = "Option::is_none")]
    position: Option<String>,
    #[serde(rename = "v")]
    version: u64,
    #[serde(rename = "inv")]
    invoice: InvoiceId,
    #[serde(rename = "of", default, skip_serializing_if = "is_of_payment")]
    of: RefundOf,
    #[serde(rename = "a")]
    amount: Money,
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    reason: Option<Text<500>>,
    /// None: it went into a wallet.
    #[serde(rename = "gw", default, skip_serializing_if = "Option::is_none")]
    gateway: Option<GatewayName>,
    #[serde(rename = "ch", default, skip_serializing_if = "Option::is_none")]
    charge: Option<GatewayReference>,
    #[serde(rename = "st")]
    state: RefundState,
    #[serde(rename = "ca", with = "fatura_domain::stored_instant")]
    created_at: Timestamp,
    #[serde(rename = "u", with = "fatura_domain::stored_instant")]
    updated_at: Timestamp,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's skip_serializing_if hands over a reference")]
const fn is_of_payment(of: &RefundOf) -> bool {
    matches!(of, RefundOf::Payment)
}

impl RefundItem {
    pub(crate) fn write(refund: &Refund) -> Result<Item, StoreError> {
        let (work, position) = keys::refund_work(refund).unzip();
        let refund = refund.clone();
        let (gateway, charge) = match refund.to {
            RefundTo::Gateway(gateway, charge) => (Some(gateway), Some(charge)),
            RefundTo::Wallet => (None, None),
        };
        let attributes = Self {
            work,
            position,
            version: refund.version,
            invoice: refund.invoice,
            of: refund.of,
            amount: refund.amount,
            reason: refund.reason,
            gateway,
            charge,
            state: refund.state,
            created_at: refund.created_at,
            updated_at: refund.updated_at,
        };
        to_item(keys::refund(refund.id), attributes)
    }

    pub(crate) fn read(item: Item) -> Result<Refund, StoreError> {
        let id = keys::refund_id(sort_key(&item)).ok_or_else(|| corrupt("not a refund's key"))?;
        let read: Self = from_item(item)?;
        let to = match (read.gateway, read.charge) {
            (Some(gateway), Some(charge)) => RefundTo::Gateway(gateway, charge),
            (None, None) => RefundTo::Wallet,
            _ => return Err(corrupt("a refund of half a charge")),
        };
        Ok(Refund {
            id,
            version: read.version,
            invoice: read.invoice,
            of: read.of,
            amount: read.amount,
            reason: read.reason,
            to,
            state: read.state,
            created_at: read.created_at,
            updated_at: read.updated_at,
        })
    }
}
