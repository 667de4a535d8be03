//! What lies in the table: one private type per entity, with short names because an item pays for its names too.

mod access;
mod attention;
mod bill;
mod configuration;
mod detachment;
mod dispute;
mod invoice;
mod ledger;
mod notices;
mod order;
mod outgoing;
mod people;
mod rates;
mod records;
mod refund;
mod run;
mod service;
mod transaction;
mod velocity;

pub(crate) use access::{CredentialsItem, SessionItem, TriesItem};
pub(crate) use attention::AttentionItem;
pub(crate) use bill::{BillItem, LineItem, SumItem};
pub(crate) use configuration::{
    CircuitItem, read_fees, read_plan, read_risk_rules, read_rules, write_fees, write_plan, write_risk_rules,
    write_rules,
};
pub(crate) use detachment::DetachmentItem;
pub(crate) use dispute::DisputeItem;
pub(crate) use invoice::InvoiceItem;
pub(crate) use ledger::{HeadItem, LinkItem, TotalsItem, WalletItem};
pub(crate) use notices::{PreferencesItem, TellingItem};
pub(crate) use order::OrderItem;
pub(crate) use outgoing::{DeliveryItem, DeliveryPlaceItem, EndpointItem};
pub(crate) use people::{ApiKeyItem, CustomerItem, OwnerItem, PaymentMethodItem};
pub(crate) use rates::RatesItem;
pub(crate) use records::{AnswerItem, AttemptItem, WebhookItem};
pub(crate) use refund::RefundItem;
pub(crate) use run::{DifferenceItem, PartItem, RunItem, read_tally};
pub(crate) use service::ServiceItem;
pub(crate) use transaction::TransactionItem;
pub(crate) use velocity::{TRIES, read_tries, write_try};

use crate::keys::{Key, PK, SK};
use aws_sdk_dynamodb::types::AttributeValue;
use fatura_application::ports::StoreError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::fmt::Display;

pub(crate) type Item = HashMap<String, AttributeValue>;

/// Says which write an item comes from, where a write has no token to be recognised by.
pub(crate) const MARK: &str = "w";

/// An item's attributes with its key.
pub(crate) fn to_item(key: Key, attributes: impl Serialize) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::to_item(attributes).map_err(corrupt)?;
    item.extend(to_key(key));
    Ok(item)
}

pub(crate) fn to_key(key: Key) -> Item {
    HashMap::from([(PK.to_owned(), AttributeValue::S(key.pk)), (SK.to_owned(), AttributeValue::S(key.sk))])
}

pub(crate) fn key_of(item: &Item) -> Key {
    Key { pk: partition_key(item).to_owned(), sk: sort_key(item).to_owned() }
}

pub(crate) fn from_item<T: DeserializeOwned>(item: Item) -> Result<T, StoreError> {
    serde_dynamo::from_item(item).map_err(corrupt)
}

/// An item's sort key, which says what it is.
pub(crate) fn sort_key(item: &Item) -> &str {
    item.get(SK).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

pub(crate) fn partition_key(item: &Item) -> &str {
    item.get(PK).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

pub(crate) fn corrupt(error: impl Display) -> StoreError {
    StoreError::Corrupt(format!("{error}"))
}
