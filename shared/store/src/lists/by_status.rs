use super::shards::Merge;
use super::{MOST_READS, passes as passes_filter};
use crate::DynamoStore;
use crate::items::{InvoiceItem, to_key};
use crate::keys;
use crate::retry::{failure, passes, pause};
use aws_sdk_dynamodb::types::{KeysAndAttributes, ReturnConsumedCapacity};
use fatura_application::ports::{InvoiceFilter, ListError, Page, PageRequest, Position, StoreError};
use fatura_domain::Timestamp;
use fatura_domain::id::InvoiceId;
use fatura_domain::invoice::{Invoice, Status};
use std::collections::{HashMap, HashSet};

/// What DynamoDB reads by key in one request.
const BATCH: usize = 100;
/// How often the rest of a batch is asked for, which DynamoDB leaves out when it is throttling.
const MOST_RESTS: u32 = 6;

impl DynamoStore {
    /// The shards share one order, so one place in it is the place in each of them.
    pub(super) async fn by_status(
        &self,
        status: Status,
        filter: &InvoiceFilter,
        page: PageRequest,
    ) -> Result<Page<Invoice>, ListError> {
        let mut place = match page.after {
            Some(position) => Some(place(status, &position).ok_or(ListError::BadPosition)?),
            None => None,
        };
        let from = place.as_deref().map_or_else(|| keys::WORK_FROM.to_owned(), keys::just_after);
        let mut merge = Merge::new(self, keys::work_partitions(status), &from, keys::WORK_TO.to_owned());
        let mut data: Vec<Invoice> = Vec::new();
        let mut seen: HashSet<InvoiceId> = HashSet::new();
        for _ in 0..MOST_READS {
            let entries = merge.next(page.limit - data.len()).await?;
            let Some(last) = entries.last() else { return Ok(Page { data, next: None }) };
            place = Some(last.clone());
            // An invoice that is being moved may stand in the index twice for a moment.
            let ids: Vec<InvoiceId> = entries
                .iter()
                .filter_map(|sk| keys::work_invoice(sk))
                .filter(|id| seen.insert(*id))
                .collect();
            let mut invoices = self.invoices_by_id(&ids).await?;
            // The index is a moment behind: what has moved on isn't in this status any more.
            let found = ids.iter().filter_map(|id| invoices.remove(id));
            data.extend(found.filter(|invoice| invoice.status() == status && passes_filter(invoice, filter)));
            if data.len() == page.limit {
                let is_last = merge.next(1).await?.is_empty();
                let next = place.filter(|_| !is_last).map(|place| position(status, &place));
                return Ok(Page { data, next });
            }
        }
        Ok(Page { data, next: place.map(|place| position(status, &place)) })
    }

    pub(super) async fn all_due(&self, now: Timestamp, limit: usize) -> Result<Vec<InvoiceId>, StoreError> {
        let swept = [Status::Pending, Status::ChargedWithError].into_iter().flat_map(keys::work_partitions);
        let entries = Merge::new(self, swept, keys::WORK_FROM, keys::due_by(now)).next(limit).await?;
        Ok(entries.iter().filter_map(|sk| keys::work_invoice(sk)).collect())
    }

    pub(super) async fn invoices_by_id(
        &self,
        ids: &[InvoiceId],
    ) -> Result<HashMap<InvoiceId, Invoice>, StoreError> {
        let mut invoices = HashMap::new();
        for ids in ids.chunks(BATCH) {
            let keys = ids.iter().map(|id| to_key(keys::invoice(*id))).collect();
            let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
            let keys = keys.map_err(|error| StoreError::Corrupt(error.to_string()))?;
            let mut asked = HashMap::from([(self.table.clone(), keys)]);
            for rests in 0.. {
                let request = self
                    .client
                    .batch_get_item()
                    .set_request_items(Some(asked))
                    .return_consumed_capacity(ReturnConsumedCapacity::Total);
                let answer = self.patiently(|| request.clone().send(), passes).await;
                let answer = answer.map_err(|error| failure(&error))?;
                self.meter.read(answer.consumed_capacity());
                for item in answer.responses.into_iter().flatten().flat_map(|(_, items)| items) {
                    let invoice = InvoiceItem::read(item)?;
                    invoices.insert(invoice.id, invoice);
                }
                asked = answer.unprocessed_keys.unwrap_or_default();
                if asked.is_empty() {
                    break;
                }
                if rests == MOST_RESTS {
                    return Err(StoreError::Unavailable("a batch is read only in part".to_owned()));
                }
                tokio::time::sleep(pause(rests)).await;
            }
        }
        Ok(invoices)
    }
}

/// The status is part of it: a place in one list is none in another.
fn position(status: Status, place: &str) -> Position {
    Position(format!("{}#{place}", status.as_str()))
}

fn place(status: Status, Position(text): &Position) -> Option<String> {
    let place = text.strip_prefix(status.as_str())?.strip_prefix('#')?;
    keys::work_invoice(place).map(|_| place.to_owned())
}
