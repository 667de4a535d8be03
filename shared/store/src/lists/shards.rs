//! Shards of the work index, or of a bill, read as the one sorted list that they are together.

use super::MOST_READS;
use crate::DynamoStore;
use crate::items::Item;
use crate::keys::{self, SK, WORK_INDEX, WORK_SK};
use crate::retry::{failure, passes};
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use fatura_application::ports::StoreError;
use futures::stream::{self, StreamExt, TryStreamExt};
use std::collections::VecDeque;

/// A query is a connection, and a small function shouldn't open many.
const AT_ONCE: usize = 8;
/// What one shard may hold beyond its fair share of a page before it is read a second time.
const SLACK: usize = 8;

/// A merge of shards between two sort keys: each is read in small portions, and only as far as the merge has come.
pub(crate) struct Merge<'a> {
    store: &'a DynamoStore,
    order: Order,
    until: String,
    shards: Vec<Shard>,
}

/// Whose sort keys are merged.
#[derive(Clone, Copy)]
enum Order {
    Work,
    Table,
}

struct Shard {
    partition: String,
    /// Where the next portion begins.
    from: String,
    waiting: VecDeque<(String, Item)>,
    is_read: bool,
}

impl<'a> Merge<'a> {
    pub(crate) fn new(
        store: &'a DynamoStore,
        partitions: impl IntoIterator<Item = String>,
        from: &str,
        until: String,
    ) -> Self {
        Self::in_order(Order::Work, store, partitions, from, until)
    }

    /// Of the table itself, and as it is now.
    pub(crate) fn of_table(
        store: &'a DynamoStore,
        partitions: impl IntoIterator<Item = String>,
        from: &str,
        until: String,
    ) -> Self {
        Self::in_order(Order::Table, store, partitions, from, until)
    }

    fn in_order(
        order: Order,
        store: &'a DynamoStore,
        partitions: impl IntoIterator<Item = String>,
        from: &str,
        until: String,
    ) -> Self {
        let shards = partitions
            .into_iter()
            .map(|partition| Shard {
                partition,
                from: from.to_owned(),
                waiting: VecDeque::new(),
                is_read: false,
            })
            .collect();
        Self { store, order, until, shards }
    }

    /// The next sort keys in order, up to `count`. Fewer: these were the last.
    pub(crate) async fn next(&mut self, count: usize) -> Result<Vec<String>, StoreError> {
        Ok(self.entries(count).await?.into_iter().map(|(sk, _)| sk).collect())
    }

    /// The same, with what stands there.
    pub(crate) async fn next_items(&mut self, count: usize) -> Result<Vec<Item>, StoreError> {
        Ok(self.entries(count).await?.into_iter().map(|(_, item)| item).collect())
    }

    async fn entries(&mut self, count: usize) -> Result<Vec<(String, Item)>, StoreError> {
        let portion = (count / self.shards.len().max(1) + SLACK).min(count + 1);
        let mut entries = Vec::new();
        for _ in 0..MOST_READS {
            self.fill(portion).await?;
            while entries.len() < count && self.shards.iter().all(Shard::knows_its_next) {
                let first = self.shards.iter_mut().filter(|shard| !shard.waiting.is_empty());
                let Some(first) = first.min_by(|a, b| a.next().cmp(&b.next())) else {
                    return Ok(entries);
                };
                entries.extend(first.waiting.pop_front());
            }
            if entries.len() == count {
                break;
            }
        }
        Ok(entries)
    }

    /// Reads on where a shard has run out.
    async fn fill(&mut self, portion: usize) -> Result<(), StoreError> {
        let (store, order, until) = (self.store, self.order, &self.until);
        let empty = self.shards.iter_mut().filter(|shard| !shard.knows_its_next());
        let reads: Vec<_> = empty.map(|shard| shard.read_on(store, order, until, portion)).collect();
        stream::iter(reads).buffer_unordered(AT_ONCE).try_collect().await
    }
}

impl Order {
    const fn sort_key(self) -> &'static str {
        match self {
            Self::Work => WORK_SK,
            Self::Table => SK,
        }
    }

    const fn range(self) -> &'static str {
        match self {
            Self::Work => "WP = :pk AND WS BETWEEN :from AND :until",
            Self::Table => "PK = :pk AND SK BETWEEN :from AND :until",
        }
    }

    fn index(self) -> Option<String> {
        matches!(self, Self::Work).then(|| WORK_INDEX.to_owned())
    }
}

impl Shard {
    fn next(&self) -> Option<&str> {
        self.waiting.front().map(|(sk, _)| sk.as_str())
    }

    fn knows_its_next(&self) -> bool {
        self.is_read || !self.waiting.is_empty()
    }

    async fn read_on(
        &mut self,
        store: &DynamoStore,
        order: Order,
        until: &str,
        portion: usize,
    ) -> Result<(), StoreError> {
        let request = store
            .client
            .query()
            .table_name(&store.table)
            .set_index_name(order.index())
            .key_condition_expression(order.range())
            .expression_attribute_values(":pk", AttributeValue::S(self.partition.clone()))
            .expression_attribute_values(":from", AttributeValue::S(self.from.clone()))
            .expression_attribute_values(":until", AttributeValue::S(until.to_owned()))
            .limit(i32::try_from(portion).unwrap_or(i32::MAX))
            // An index is always a moment behind.
            .consistent_read(matches!(order, Order::Table))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = store.patiently(|| request.clone().send(), passes).await;
        let answer = answer.map_err(|error| failure(&error))?;
        store.meter.read(answer.consumed_capacity());
        self.is_read = answer.last_evaluated_key.is_none();
        for item in answer.items.unwrap_or_default() {
            if let Some(AttributeValue::S(sk)) = item.get(order.sort_key()) {
                self.waiting.push_back((sk.clone(), item));
            }
        }
        if let Some((last, _)) = self.waiting.back() {
            self.from = keys::just_after(last);
        }
        Ok(())
    }
}
