//! Bills with what they come to, which lies on their shards.

use crate::DynamoStore;
use crate::items::{BillItem, Item, LineItem, SumItem, corrupt, to_key};
use crate::keys::{self, Key};
use crate::retry::{failure, passes};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity, ReturnValue};
use fatura_application::ports::{BillFilter, Bills, ListError, Page, PageRequest, StoreError};
use fatura_domain::Timestamp;
use fatura_domain::bill::{Bill, BillLine, BillStatus, LineKey, Shard, Shards};
use fatura_domain::id::{BillId, CustomerId};
use futures::stream::{self, StreamExt, TryStreamExt};
use std::collections::HashMap;

/// As many as most bills have shards: they are closed in the time of one. A request is a connection, and a small function
/// shouldn't open many.
const CLOSED_AT_ONCE: usize = 8;

#[async_trait]
impl Bills for DynamoStore {
    async fn bill(&self, id: BillId) -> Result<Option<Bill>, StoreError> {
        self.get(keys::bill(id)).await?.map(BillItem::read).transpose()
    }

    /// How many shards it has is on the bill. Nearly all have as many as new ones get, so these are asked for with it.
    async fn bill_with_shards(&self, id: BillId) -> Result<Option<(Bill, Vec<Shard>)>, StoreError> {
        let likely = Shards::DEFAULT.numbers().map(|number| keys::shard_sum(id, number));
        let mut items = self.get_all(likely.chain([keys::bill(id)])).await?;
        let Some(bill) = items.remove(&keys::bill(id)) else { return Ok(None) };
        let bill = BillItem::read(bill)?;
        let more: Vec<Key> = sums_of(&bill).skip(Shards::DEFAULT.count().into()).collect();
        if !more.is_empty() {
            items.extend(self.get_all(more).await?);
        }
        let shards = shards(&bill, &items)?;
        Ok(Some((bill, shards)))
    }

    async fn shards_of(&self, bills: &[&Bill]) -> Result<Vec<Vec<Shard>>, StoreError> {
        let items = self.glance_at_all(bills.iter().flat_map(|bill| sums_of(bill))).await?;
        bills.iter().map(|bill| shards(bill, &items)).collect()
    }

    async fn close_shards(&self, bill: &Bill) -> Result<Vec<Shard>, StoreError> {
        stream::iter(bill.shards.numbers())
            .map(|number| self.close_shard(bill.id, number))
            .buffered(CLOSED_AT_ONCE)
            .try_collect()
            .await
    }

    async fn lines(&self, bill: &Bill, lines: &[LineKey]) -> Result<Vec<BillLine>, StoreError> {
        let keys = lines.iter().map(|line| keys::bill_line(bill.id, bill.shards.of(line), line));
        self.get_all(keys).await?.into_values().map(LineItem::read).collect()
    }

    async fn lines_of(&self, bill: &Bill, page: PageRequest) -> Result<Page<BillLine>, ListError> {
        self.lines_over_shards(bill, page).await
    }

    async fn bills_of(
        &self,
        customer: CustomerId,
        filter: BillFilter,
        page: PageRequest,
    ) -> Result<Page<Bill>, ListError> {
        self.customers_bills(customer, filter, page).await
    }

    async fn bills_in(&self, status: BillStatus, page: PageRequest) -> Result<Page<Bill>, ListError> {
        self.bills_by_status(status, page).await
    }

    async fn due_bills(&self, now: Timestamp, limit: usize) -> Result<Vec<BillId>, StoreError> {
        self.bills_due(now, limit).await
    }

    async fn awaiting_bill(&self, customer: CustomerId, limit: usize) -> Result<Vec<BillId>, StoreError> {
        self.bills_that_await(customer, limit).await
    }
}

impl DynamoStore {
    /// Closing it is how it is read: what it says then is what it will always say.
    async fn close_shard(&self, bill: BillId, number: u8) -> Result<Shard, StoreError> {
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(to_key(keys::shard_sum(bill, number))))
            .update_expression("SET #closed = :closed")
            .expression_attribute_names("#closed", SumItem::CLOSED)
            .expression_attribute_values(":closed", AttributeValue::Bool(true))
            .return_values(ReturnValue::AllNew)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = self.patiently(|| request.clone().send(), passes).await;
        let answer = answer.map_err(|error| failure(&error))?;
        self.meter.write(answer.consumed_capacity());
        let item = answer.attributes.ok_or_else(|| corrupt("a shard was closed and not shown"))?;
        SumItem::read(number, Some(&item))
    }
}

fn sums_of(bill: &Bill) -> impl Iterator<Item = Key> {
    bill.shards.numbers().map(|number| keys::shard_sum(bill.id, number))
}

fn shards(bill: &Bill, items: &HashMap<Key, Item>) -> Result<Vec<Shard>, StoreError> {
    let shard = |number| SumItem::read(number, items.get(&keys::shard_sum(bill.id, number)));
    bill.shards.numbers().map(shard).collect()
}
