//! One shard of a list by itself, for those who work at all of them side by side.

use super::shards::Merge;
use crate::DynamoStore;
use crate::items::{InvoiceItem, RefundItem, sort_key};
use crate::keys;
use fatura_application::ports::{ListError, Page, PageRequest, Position, StoreError};
use fatura_domain::Timestamp;
use fatura_domain::id::CustomerId;
use fatura_domain::invoice::{Invoice, Status};
use fatura_domain::refund::Refund;
use futures::stream::{self, StreamExt, TryStreamExt};

const READS_AT_ONCE: usize = 8;

impl DynamoStore {
    pub(super) async fn invoices_in_shard(
        &self,
        status: Status,
        shard: u8,
        from: String,
        page: PageRequest,
    ) -> Result<Page<Invoice>, ListError> {
        let until = keys::WORK_TO.to_owned();
        let is_place = |place: &str| keys::work_invoice(place).is_some();
        let partition = keys::work_partition(status, shard);
        let (entries, next) = self.shard(partition, (from, until), page, is_place).await?;
        let ids = entries.iter().filter_map(|sk| keys::work_invoice(sk)).collect();
        let found = self.found(ids, keys::invoice, InvoiceItem::read).await?.into_iter();
        // The index is a moment behind: what has moved on isn't in this status any more.
        Ok(Page { data: found.filter(|invoice| invoice.status() == status).collect(), next })
    }

    pub(super) async fn refunds_in_shard(
        &self,
        shard: u8,
        from: Timestamp,
        to: Timestamp,
        page: PageRequest,
    ) -> Result<Page<Refund>, ListError> {
        let (from, until) = (keys::not_due_since(from), keys::not_due_since(to));
        let is_place = |place: &str| keys::work_refund(place).is_some();
        let (entries, next) =
            self.shard(keys::returned_partition(shard), (from, until), page, is_place).await?;
        let ids: Vec<_> = entries.iter().filter_map(|sk| keys::work_refund(sk)).collect();
        let items: Vec<_> = stream::iter(ids)
            .map(|id| self.get(keys::refund(id)))
            .buffered(READS_AT_ONCE)
            .try_collect()
            .await?;
        let refunds = items.into_iter().flatten().map(RefundItem::read);
        Ok(Page { data: refunds.collect::<Result<_, _>>()?, next })
    }

    pub(super) async fn waiting_invoices(
        &self,
        customer: CustomerId,
        limit: usize,
    ) -> Result<Vec<Invoice>, StoreError> {
        let partition = keys::customer_partition(customer);
        let (from, to) = keys::all_waiting();
        let waiting = self.part_of_range(partition, &from, &to, true, limit).await?;
        let ids = waiting.iter().filter_map(|item| keys::waiting_invoice(sort_key(item))).collect();
        self.found(ids, keys::invoice, InvoiceItem::read).await
    }

    /// The next sort keys of one partition of the index, and the place to go on from, if there is more.
    pub(super) async fn shard(
        &self,
        partition: String,
        (from, until): (String, String),
        page: PageRequest,
        is_place: impl Fn(&str) -> bool,
    ) -> Result<(Vec<String>, Option<Position>), ListError> {
        let from = match page.after {
            Some(Position(place)) if from <= place && place < until && is_place(&place) => {
                keys::just_after(&place)
            }
            // A place of another list would be read as if it were one of this.
            Some(_) => return Err(ListError::BadPosition),
            None => from,
        };
        let mut merge = Merge::new(self, [partition], &from, until);
        let entries = merge.next(page.limit).await?;
        let is_last = entries.len() < page.limit || merge.next(1).await?.is_empty();
        let next = entries.last().filter(|_| !is_last).cloned().map(Position);
        Ok((entries, next))
    }
}
