use super::MOST_READS;
use crate::DynamoStore;
use crate::items::{Item, sort_key};
use crate::keys::{self, PK, SK};
use crate::transact::failure;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use fatura_application::ports::{ListError, Page, PageRequest, Position, StoreError};
use fatura_domain::id::CustomerId;
use std::collections::HashMap;

impl DynamoStore {
    /// A customer's items between two sort keys, newest first, that pass a filter. The position is the last sort key.
    pub(super) async fn newest_first<T>(
        &self,
        customer: CustomerId,
        (first, last): (String, String),
        page: PageRequest,
        read: fn(Item) -> Result<T, StoreError>,
        wanted: impl Fn(&T) -> bool,
    ) -> Result<Page<T>, ListError> {
        if first > last {
            return Ok(Page { data: Vec::new(), next: None });
        }
        let pk = keys::customer_partition(customer);
        let mut start = page.after.map(|Position(sk)| start_key(&pk, &first, &last, sk)).transpose()?;
        let mut data = Vec::new();
        let mut position = None;
        for _ in 0..MOST_READS {
            self.meter.call();
            // One more than the page: whether there is another page is known without another read.
            let limit = i32::try_from(page.limit.saturating_sub(data.len()) + 1).unwrap_or(i32::MAX);
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("PK = :pk AND SK BETWEEN :first AND :last")
                .expression_attribute_values(":pk", AttributeValue::S(pk.clone()))
                .expression_attribute_values(":first", AttributeValue::S(first.clone()))
                .expression_attribute_values(":last", AttributeValue::S(last.clone()))
                .scan_index_forward(false)
                .consistent_read(true)
                .limit(limit)
                .set_exclusive_start_key(start)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(|error| failure(&error))?;
            self.meter.read(answer.consumed_capacity());
            for item in answer.items.unwrap_or_default() {
                let sk = sort_key(&item).to_owned();
                let found = read(item)?;
                if wanted(&found) {
                    if data.len() == page.limit {
                        return Ok(Page { data, next: position.map(Position) });
                    }
                    data.push(found);
                }
                position = Some(sk);
            }
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(Page { data, next: None });
            }
        }
        Ok(Page { data, next: position.map(Position) })
    }
}

/// A position is a sort key of this very list, or none of ours.
fn start_key(
    pk: &str,
    first: &str,
    last: &str,
    sk: String,
) -> Result<HashMap<String, AttributeValue>, ListError> {
    if sk.as_str() < first || sk.as_str() > last {
        return Err(ListError::BadPosition);
    }
    Ok(HashMap::from([
        (PK.to_owned(), AttributeValue::S(pk.to_owned())),
        (SK.to_owned(), AttributeValue::S(sk)),
    ]))
}
