use super::{MOST_READS, is_created_in};
use crate::DynamoStore;
use crate::items::{InvoiceItem, to_key};
use crate::keys::{self, SHARDS, WORK_INDEX, WORK_SK};
use crate::transact::failure;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, ReturnConsumedCapacity};
use fatura_application::ports::{InvoiceFilter, ListError, Page, PageRequest, Position, StoreError};
use fatura_domain::Timestamp;
use fatura_domain::id::InvoiceId;
use fatura_domain::invoice::{Invoice, Status};
use std::collections::HashMap;

/// Where a merge stands: everything up to this sort key was shown, whichever shard it lies in.
const FROM_THE_START: &str = "";
/// Sorts after everything in the index.
const TO_THE_END: &str = "~";
/// What DynamoDB reads by key in one request.
const BATCH: usize = 100;

impl DynamoStore {
    /// A merge over the shards. They share one order, so one place in it is the place in each of them.
    pub(super) async fn by_status(
        &self,
        status: Status,
        filter: &InvoiceFilter,
        page: PageRequest,
    ) -> Result<Page<Invoice>, ListError> {
        let mut after = match page.after {
            None => FROM_THE_START.to_owned(),
            Some(Position(sk)) if keys::work_invoice(&sk).is_some() => sk,
            Some(_) => return Err(ListError::BadPosition),
        };
        let mut data: Vec<Invoice> = Vec::new();
        for _ in 0..MOST_READS {
            let wanted = page.limit - data.len();
            let entries = self.merged(status, &after, wanted + 1).await?;
            let is_last = entries.len() <= wanted;
            let ids: Vec<InvoiceId> =
                entries.iter().take(wanted).filter_map(|sk| keys::work_invoice(sk)).collect();
            let mut invoices = self.invoices_by_id(&ids).await?;
            // The index is a moment behind: what has moved on isn't in this status any more.
            let found = ids.iter().filter_map(|id| invoices.remove(id));
            data.extend(found.filter(|invoice| invoice.status() == status && is_created_in(invoice, filter)));
            if is_last {
                return Ok(Page { data, next: None });
            }
            if let Some(last) = entries.into_iter().take(wanted).next_back() {
                after = last;
            }
            if data.len() == page.limit {
                break;
            }
        }
        Ok(Page { data, next: Some(Position(after)) })
    }

    /// The next `limit` entries of all shards, in order.
    async fn merged(&self, status: Status, after: &str, limit: usize) -> Result<Vec<String>, StoreError> {
        let shards = (0..SHARDS)
            .map(|shard| self.entries(keys::work_partition(status, shard), after, TO_THE_END, limit));
        let mut entries: Vec<String> =
            futures::future::try_join_all(shards).await?.into_iter().flatten().collect();
        entries.sort_unstable();
        entries.truncate(limit);
        Ok(entries)
    }

    pub(super) async fn all_due(&self, now: Timestamp, limit: usize) -> Result<Vec<InvoiceId>, StoreError> {
        let until = keys::due_up_to(now);
        let swept = [Status::Pending, Status::ChargedWithError];
        let partitions = swept
            .into_iter()
            .flat_map(|status| (0..SHARDS).map(move |shard| keys::work_partition(status, shard)));
        let reads = partitions.map(|partition| self.entries(partition, keys::DUE_FROM, &until, limit));
        let mut entries: Vec<String> =
            futures::future::try_join_all(reads).await?.into_iter().flatten().collect();
        entries.sort_unstable();
        entries.truncate(limit);
        Ok(entries.iter().filter_map(|sk| keys::work_invoice(sk)).collect())
    }

    /// Sort keys of one shard, greater than `after` and less than `until`.
    async fn entries(
        &self,
        partition: String,
        after: &str,
        until: &str,
        limit: usize,
    ) -> Result<Vec<String>, StoreError> {
        let mut found = Vec::new();
        let mut start = None;
        for _ in 0..MOST_READS {
            self.meter.call();
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(WORK_INDEX)
                .key_condition_expression("WP = :wp AND WS BETWEEN :after AND :until")
                .expression_attribute_values(":wp", AttributeValue::S(partition.clone()))
                // An empty text is no key; a blank comes before all of ours.
                .expression_attribute_values(
                    ":after",
                    AttributeValue::S(if after.is_empty() { " ".to_owned() } else { after.to_owned() }),
                )
                .expression_attribute_values(":until", AttributeValue::S(until.to_owned()))
                .limit(i32::try_from(limit.saturating_sub(found.len()) + 1).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(|error| failure(&error))?;
            self.meter.read(answer.consumed_capacity());
            let sort_keys =
                answer.items.unwrap_or_default().into_iter().filter_map(|mut item| item.remove(WORK_SK));
            found.extend(sort_keys.filter_map(|value| value.as_s().ok().cloned()).filter(|sk| sk != after));
            start = answer.last_evaluated_key;
            if start.is_none() || found.len() >= limit {
                break;
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    async fn invoices_by_id(&self, ids: &[InvoiceId]) -> Result<HashMap<InvoiceId, Invoice>, StoreError> {
        let mut invoices = HashMap::new();
        for ids in ids.chunks(BATCH) {
            let keys = ids.iter().map(|id| to_key(keys::invoice(*id))).collect();
            let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
            let keys = keys.map_err(|error| StoreError::Corrupt(error.to_string()))?;
            let mut asked = Some(HashMap::from([(self.table.clone(), keys)]));
            while let Some(request) = asked.take().filter(|request| !request.is_empty()) {
                self.meter.call();
                let request = self.client.batch_get_item().set_request_items(Some(request));
                let answer = request.return_consumed_capacity(ReturnConsumedCapacity::Total).send().await;
                let answer = answer.map_err(|error| failure(&error))?;
                self.meter.read(answer.consumed_capacity());
                for item in answer.responses.into_iter().flatten().flat_map(|(_, items)| items) {
                    let invoice = InvoiceItem::read(item)?;
                    invoices.insert(invoice.id, invoice);
                }
                // What didn't fit into one answer is asked for again, alone.
                asked = answer.unprocessed_keys;
            }
        }
        Ok(invoices)
    }
}
