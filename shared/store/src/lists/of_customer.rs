use super::MOST_READS;
use crate::DynamoStore;
use crate::items::{Item, sort_key};
use crate::keys::{self, PK, SK};
use crate::retry::{failure, passes};
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use fatura_application::ports::{ListError, Page, PageRequest, Position, StoreError};
use std::collections::HashMap;

/// The most items that one query reads where a filter passes few of them.
const MOST_AT_ONCE: usize = 1_000;

impl DynamoStore {
    /// A partition's items between two sort keys, newest first, that pass a filter. The position is the last sort key.
    pub(crate) async fn newest_first<T>(
        &self,
        partition: &str,
        range: (String, String),
        page: PageRequest,
        read: fn(Item) -> Result<T, StoreError>,
        wanted: impl Fn(&T) -> bool,
    ) -> Result<Page<T>, ListError> {
        self.in_order(false, partition, range, page, read, wanted).await
    }

    /// The same the other way round.
    pub(crate) async fn oldest_first<T>(
        &self,
        partition: &str,
        range: (String, String),
        page: PageRequest,
        read: fn(Item) -> Result<T, StoreError>,
    ) -> Result<Page<T>, ListError> {
        self.in_order(true, partition, range, page, read, |_| true).await
    }

    async fn in_order<T>(
        &self,
        is_ascending: bool,
        partition: &str,
        (first, last): (String, String),
        page: PageRequest,
        read: fn(Item) -> Result<T, StoreError>,
        wanted: impl Fn(&T) -> bool,
    ) -> Result<Page<T>, ListError> {
        if first > last {
            return Ok(Page { data: Vec::new(), next: None });
        }
        let mut start = match page.after {
            Some(Position(sk)) if is_place(partition, (&first, &last), &sk) => Some(start_key(partition, sk)),
            Some(_) => return Err(ListError::BadPosition),
            None => None,
        };
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("PK = :pk AND SK BETWEEN :first AND :last")
            .expression_attribute_values(":pk", AttributeValue::S(partition.to_owned()))
            .expression_attribute_values(":first", AttributeValue::S(first))
            .expression_attribute_values(":last", AttributeValue::S(last))
            .scan_index_forward(is_ascending)
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);

        let mut data = Vec::new();
        let mut place = None;
        // One more than the page: whether there is another page is known without another read.
        let mut limit = page.limit + 1;
        for _ in 0..MOST_READS {
            let request =
                query.clone().limit(i32::try_from(limit).unwrap_or(i32::MAX)).set_exclusive_start_key(start);
            let answer = self.patiently(|| request.clone().send(), passes).await;
            let answer = answer.map_err(|error| failure(&error))?;
            self.meter.read(answer.consumed_capacity());
            for item in answer.items.unwrap_or_default() {
                let sk = sort_key(&item).to_owned();
                let found = read(item)?;
                if wanted(&found) {
                    if data.len() == page.limit {
                        return Ok(Page { data, next: place.map(Position) });
                    }
                    data.push(found);
                }
                place = Some(sk);
            }
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(Page { data, next: None });
            }
            // A filter that passes little is read on in ever larger strides.
            limit = (limit * 2).min(MOST_AT_ONCE);
        }
        Ok(Page { data, next: place.map(Position) })
    }
}

/// A position is a sort key of this very list, or none of ours.
fn is_place(partition: &str, (first, last): (&str, &str), sk: &str) -> bool {
    (first..=last).contains(&sk) && keys::may_lie_in(partition, sk)
}

fn start_key(partition: &str, sk: String) -> HashMap<String, AttributeValue> {
    let pk = partition.to_owned();
    HashMap::from([(PK.to_owned(), AttributeValue::S(pk)), (SK.to_owned(), AttributeValue::S(sk))])
}
