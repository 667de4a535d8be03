//! The work index's shards, read as the one sorted list that they are together.

use super::MOST_READS;
use crate::DynamoStore;
use crate::keys::{self, WORK_INDEX, WORK_SK};
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
    until: String,
    shards: Vec<Shard>,
}

struct Shard {
    partition: String,
    /// Where the next portion begins.
    from: String,
    waiting: VecDeque<String>,
    is_read: bool,
}

impl<'a> Merge<'a> {
    pub(crate) fn new(
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
        Self { store, until, shards }
    }

    /// The next sort keys in order, up to `count`. Fewer: these were the last.
    pub(crate) async fn next(&mut self, count: usize) -> Result<Vec<String>, StoreError> {
        let portion = (count / self.shards.len().max(1) + SLACK).min(count + 1);
        let mut entries = Vec::new();
        for _ in 0..MOST_READS {
            self.fill(portion).await?;
            while entries.len() < count && self.shards.iter().all(Shard::knows_its_next) {
                let first = self.shards.iter_mut().filter(|shard| !shard.waiting.is_empty());
                let Some(first) = first.min_by(|a, b| a.waiting.front().cmp(&b.waiting.front())) else {
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
        let (store, until) = (self.store, &self.until);
        let empty = self.shards.iter_mut().filter(|shard| !shard.knows_its_next());
        let reads: Vec<_> = empty.map(|shard| shard.read_on(store, until, portion)).collect();
        stream::iter(reads).buffer_unordered(AT_ONCE).try_collect().await
    }
}

impl Shard {
    fn knows_its_next(&self) -> bool {
        self.is_read || !self.waiting.is_empty()
    }

    async fn read_on(&mut self, store: &DynamoStore, until: &str, portion: usize) -> Result<(), StoreError> {
        let request = store
            .client
            .query()
            .table_name(&store.table)
            .index_name(WORK_INDEX)
            .key_condition_expression("WP = :wp AND WS BETWEEN :from AND :until")
            .expression_attribute_values(":wp", AttributeValue::S(self.partition.clone()))
            .expression_attribute_values(":from", AttributeValue::S(self.from.clone()))
            .expression_attribute_values(":until", AttributeValue::S(until.to_owned()))
            .limit(i32::try_from(portion).unwrap_or(i32::MAX))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = store.patiently(|| request.clone().send(), passes).await;
        let answer = answer.map_err(|error| failure(&error))?;
        store.meter.read(answer.consumed_capacity());
        self.is_read = answer.last_evaluated_key.is_none();
        let sort_keys =
            answer.items.unwrap_or_default().into_iter().filter_map(|mut item| item.remove(WORK_SK));
        self.waiting.extend(sort_keys.filter_map(|sk| match sk {
            AttributeValue::S(sk) => Some(sk),
            _ => None,
        }));
        if let Some(last) = self.waiting.back() {
            self.from = keys::just_after(last);
        }
        Ok(())
    }
}
