use super::{Item, corrupt, from_item, sort_key, to_item};
use crate::keys;
use fatura_application::ports::StoreError;
use fatura_domain::Timestamp;
use fatura_domain::id::CustomerId;
use fatura_domain::invoice::{Content, LineItem};
use fatura_domain::money::{Currency, Money};
use fatura_domain::order::{Order, OrderState};
use fatura_domain::text::{Description, Metadata};
use serde::{Deserialize, Serialize};

/// Its id and its buyer are in its key.
#[derive(Serialize, Deserialize)]
pub(crate) struct OrderItem {
    #[serde(rename = "v")]
    version: u64,
    #[serde(rename = "me")]
    merchant: CustomerId,
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
    #[serde(rename = "st")]
    state: OrderState,
    #[serde(rename = "ca", with = "fatura_domain::stored_instant")]
    created_at: Timestamp,
    #[serde(rename = "u", with = "fatura_domain::stored_instant")]
    updated_at: Timestamp,
}

impl OrderItem {
    pub(crate) fn write(order: &Order) -> Result<Item, StoreError> {
        let order = order.clone();
        let attributes = Self {
            version: order.version,
            merchant: order.merchant,
            currency: order.content.currency,
            items: order.content.items,
            total_minor: order.total.minor(),
            description: order.content.description,
            metadata: order.content.metadata,
            state: order.state,
            created_at: order.created_at,
            updated_at: order.updated_at,
        };
        to_item(keys::order(order.id), attributes)
    }

    pub(crate) fn read(item: Item) -> Result<Order, StoreError> {
        let id = keys::order_id(sort_key(&item)).ok_or_else(|| corrupt("not an order's key"))?;
        let read: Self = from_item(item)?;
        Ok(Order {
            id,
            version: read.version,
            merchant: read.merchant,
            content: Content {
                currency: read.currency,
                items: read.items,
                description: read.description,
                metadata: read.metadata,
            },
            total: Money::try_new(read.total_minor, read.currency).map_err(corrupt)?,
            state: read.state,
            created_at: read.created_at,
            updated_at: read.updated_at,
        })
    }
}
