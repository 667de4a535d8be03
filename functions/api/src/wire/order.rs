use super::common::{Instant, MoneyBody, metadata_body};
use super::fields::Fields;
use super::invoice::{ItemBody, items_body, read_items};
use super::values::{id, text};
use crate::problem::Problem;
use fatura_application::{OrderView, PlaceOrder};
use fatura_domain::id::CustomerId;
use fatura_domain::invoice::Content;
use fatura_domain::money::Currency;
use fatura_domain::text::Description;
use serde::Serialize;
use std::collections::BTreeMap;

pub(crate) fn read_order(mut fields: Fields) -> Result<PlaceOrder, Problem> {
    let buyer = fields.required("buyer_id", id::<CustomerId>);
    let merchant = fields.required("merchant_id", id::<CustomerId>);
    let currency = fields.required("currency", text(str::parse::<Currency>));
    if !fields.has("items") {
        fields.fault("items", "is required");
    }
    let items = read_items(&mut fields, currency);
    let description = fields.optional("description", text(Description::parse));
    let metadata = fields.metadata().unwrap_or_default();
    fields.finish(|| {
        let content = Content { currency: currency?, items: items?, description, metadata };
        Some(PlaceOrder { buyer: buyer?, merchant: merchant?, content })
    })
}

/// Whose list it is.
pub(crate) fn read_buyer(mut fields: Fields) -> Result<CustomerId, Problem> {
    let buyer = fields.required("customer_id", id::<CustomerId>);
    fields.finish(|| buyer)
}

#[derive(Debug, Serialize)]
pub(crate) struct OrderBody<'a> {
    id: String,
    buyer_id: String,
    merchant_id: String,
    status: &'static str,
    currency: &'static str,
    description: Option<&'a str>,
    items: Vec<ItemBody<'a>>,
    total: MoneyBody,
    payment_id: Option<String>,
    metadata: BTreeMap<&'a str, &'a str>,
    created_at: Instant,
    updated_at: Instant,
    version: u64,
}

impl<'a> From<&'a OrderView> for OrderBody<'a> {
    fn from(OrderView { order, status }: &'a OrderView) -> Self {
        Self {
            id: order.id.to_string(),
            buyer_id: order.buyer().to_string(),
            merchant_id: order.merchant.to_string(),
            status: status.as_str(),
            currency: order.content.currency.code(),
            description: order.content.description.as_ref().map(Description::as_str),
            items: items_body(order.id.code(), &order.content),
            total: order.total.into(),
            payment_id: order.payment().map(|payment| payment.to_string()),
            metadata: metadata_body(&order.content.metadata),
            created_at: Instant(order.created_at),
            updated_at: Instant(order.updated_at),
            version: order.version,
        }
    }
}
