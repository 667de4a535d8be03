//! A bill, each shard's sum, and the line items. The bill never grows with what it gathers.

use super::{Item, corrupt, from_item, partition_key, sort_key, to_item};
use crate::keys;
use aws_sdk_dynamodb::types::AttributeValue;
use fatura_application::ports::StoreError;
use fatura_domain::Timestamp;
use fatura_domain::bill::{
    Bill, BillLine, BillState, BillStep, BillTerms, LineContent, Shard, Shards, Sums, Totals,
};
use fatura_domain::id::{BillId, LineItemId};
use fatura_domain::money::{Currency, Money};
use serde::{Deserialize, Serialize};

/// Its id and its customer are in its key, its creation is the first step of its history.
#[derive(Serialize, Deserialize)]
pub(crate) struct BillItem {
    #[serde(rename = "WP", default)]
    partition: String,
    #[serde(rename = "WS", default)]
    position: String,
    #[serde(rename = "v")]
    version: u64,
    #[serde(rename = "tm")]
    terms: BillTerms,
    #[serde(rename = "sh")]
    shards: Shards,
    #[serde(rename = "ob", default, skip_serializing_if = "Option::is_none")]
    opened_by: Option<BillId>,
    #[serde(rename = "st")]
    state: BillState,
    #[serde(rename = "h")]
    history: Vec<BillStep>,
    #[serde(rename = "u", with = "fatura_domain::stored_instant")]
    updated_at: Timestamp,
}

impl BillItem {
    pub(crate) fn write(bill: &Bill) -> Result<Item, StoreError> {
        let (partition, position) = keys::bill_work(bill);
        let Bill { id, version, terms, shards, opened_by, state, history, created_at: _, updated_at } =
            bill.clone();
        let attributes =
            Self { partition, position, version, terms, shards, opened_by, state, history, updated_at };
        to_item(keys::bill(id), attributes)
    }

    pub(crate) fn read(item: Item) -> Result<Bill, StoreError> {
        let id = keys::bill_id(sort_key(&item)).ok_or_else(|| corrupt("not a bill's key"))?;
        let read: Self = from_item(item)?;
        let created_at = read.history.first().ok_or_else(|| corrupt("a bill without history"))?.at;
        Ok(Bill {
            id,
            version: read.version,
            terms: read.terms,
            shards: read.shards,
            opened_by: read.opened_by,
            state: read.state,
            history: read.history,
            created_at,
            updated_at: read.updated_at,
        })
    }
}

/// Its bill is in its partition's key, and its place in its bill in its sort key.
#[derive(Serialize, Deserialize)]
pub(crate) struct LineItem {
    id: LineItemId,
    #[serde(rename = "l")]
    content: LineContent,
    #[serde(rename = "at", with = "fatura_domain::stored_instant")]
    occurred_at: Timestamp,
    #[serde(rename = "c", with = "fatura_domain::stored_instant")]
    appended_at: Timestamp,
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    carried_from: Option<BillId>,
}

impl LineItem {
    pub(crate) fn write(line: &BillLine, shard: u8) -> Result<Item, StoreError> {
        let key = keys::bill_line(line.bill, shard, &line.key());
        let BillLine { id, bill: _, content, occurred_at, appended_at, carried_from } = line.clone();
        to_item(key, Self { id, content, occurred_at, appended_at, carried_from })
    }

    pub(crate) fn read(item: Item) -> Result<BillLine, StoreError> {
        let bill =
            keys::gathering_bill(partition_key(&item)).ok_or_else(|| corrupt("not a line item's key"))?;
        let Self { id, content, occurred_at, appended_at, carried_from } = from_item(item)?;
        Ok(BillLine { id, bill, content, occurred_at, appended_at, carried_from })
    }
}

/// What a shard has counted. Each currency is an attribute of its own: DynamoDB adds to nothing that lies deeper.
pub(crate) struct SumItem;

impl SumItem {
    pub(crate) const COUNT: &str = "n";
    pub(crate) const CLOSED: &str = "cl";
    const TOTAL: &str = "t_";

    pub(crate) fn total(currency: Currency) -> String {
        format!("{}{currency}", Self::TOTAL)
    }

    /// A shard that has no item has counted nothing, and is open.
    pub(crate) fn read(number: u8, item: Option<&Item>) -> Result<Shard, StoreError> {
        let mut shard = Shard::new(number);
        let mut totals = Vec::new();
        for (name, value) in item.into_iter().flatten() {
            match name.as_str() {
                Self::COUNT => shard.sums.count = digits(value)?,
                Self::CLOSED => shard.closed = *value == AttributeValue::Bool(true),
                name => {
                    let Some(code) = name.strip_prefix(Self::TOTAL) else { continue };
                    let currency = code.parse().map_err(corrupt)?;
                    totals.push(Money::try_new(digits(value)?, currency).map_err(corrupt)?);
                }
            }
        }
        shard.sums = Sums { count: shard.sums.count, totals: Totals::of(totals).map_err(corrupt)? };
        Ok(shard)
    }
}

fn digits<N: std::str::FromStr<Err: std::fmt::Display>>(value: &AttributeValue) -> Result<N, StoreError> {
    value.as_n().map_err(|_| corrupt("a sum that is no number"))?.parse().map_err(corrupt)
}
