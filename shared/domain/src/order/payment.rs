//! A payment is an invoice of the buyer's over all lines of its orders, which knows whose each part of it is.

use super::Order;
use crate::Timestamp;
use crate::fees::Fees;
use crate::id::{CustomerId, PaymentId};
use crate::invoice::{Content, Invoice, LineItem, Share, Split, SplitError};
use crate::money::{Money, MoneyError};
use crate::text::{Description, Metadata};
use std::collections::BTreeMap;
use thiserror::Error;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PaymentRefusal {
    #[error(transparent)]
    Split(#[from] SplitError),
    #[error("must be orders of one buyer")]
    OtherBuyer,
    #[error("must be orders in one currency")]
    OtherCurrency,
    #[error("must have at most {} lines together", Content::MAX_ITEMS)]
    TooManyLines,
    #[error("come to a total that {0}")]
    Money(#[from] MoneyError),
}

/// The draft that is charged at once. A merchant that isn't among the fees is charged none.
pub fn payment_of(
    id: PaymentId,
    orders: &[Order],
    fees: &BTreeMap<CustomerId, Fees>,
    description: Option<Description>,
    metadata: Metadata,
    now: Timestamp,
) -> Result<Invoice, PaymentRefusal> {
    let first = orders.first().ok_or(SplitError::Empty)?;
    let currency = first.content.currency;
    if orders.iter().any(|order| order.buyer() != id.owner()) {
        return Err(PaymentRefusal::OtherBuyer);
    }
    if orders.iter().any(|order| order.content.currency != currency) {
        return Err(PaymentRefusal::OtherCurrency);
    }
    let items: Vec<LineItem> = orders.iter().flat_map(|order| order.content.items.clone()).collect();
    if items.len() > Content::MAX_ITEMS {
        return Err(PaymentRefusal::TooManyLines);
    }
    let share = |order: &Order| {
        let fee = fees.get(&order.merchant).map_or(Ok(0), |fees| fees.of(order.total).map(Money::minor))?;
        let lines = order.content.items.len();
        Ok::<_, MoneyError>(Share::new(order.id, order.merchant, order.total.minor(), fee, lines))
    };
    let split = Split::try_new(orders.iter().map(share).collect::<Result<_, _>>()?)?;
    let content = Content { currency, items, description, metadata };
    let draft = Invoice::draft(id.into(), content, None, now)?;
    Ok(Invoice { split: Some(split), ..draft })
}
