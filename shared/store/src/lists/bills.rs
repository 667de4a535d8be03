//! Bills and what they gather, a page at a time.

use super::by_status::WorkList;
use super::shards::Merge;
use crate::DynamoStore;
use crate::items::{BillItem, LineItem, sort_key};
use crate::keys;
use fatura_application::ports::{BillFilter, ListError, Page, PageRequest, Position, StoreError};
use fatura_domain::Timestamp;
use fatura_domain::bill::{Bill, BillLine, BillStatus};
use fatura_domain::id::{BillId, CustomerId};

impl DynamoStore {
    pub(crate) async fn customers_bills(
        &self,
        customer: CustomerId,
        filter: BillFilter,
        page: PageRequest,
    ) -> Result<Page<Bill>, ListError> {
        let wanted = |bill: &Bill| filter.status.is_none_or(|status| status == bill.status());
        let (partition, range) = (keys::customer_partition(customer), keys::bills_of(customer));
        self.newest_first(&partition, range, page, BillItem::read, wanted).await
    }

    pub(crate) async fn bills_by_status(
        &self,
        status: BillStatus,
        page: PageRequest,
    ) -> Result<Page<Bill>, ListError> {
        let list = WorkList { name: keys::bills_in(status), key: keys::bill, read: BillItem::read };
        self.listed(list, page, |bill| bill.status() == status).await
    }

    /// An open bill is due when its period ends, any other when it should have gone on.
    pub(crate) async fn bills_due(&self, now: Timestamp, limit: usize) -> Result<Vec<BillId>, StoreError> {
        let swept = [BillStatus::Open, BillStatus::Closing, BillStatus::Closed];
        let partitions = swept.into_iter().flat_map(keys::bill_partitions);
        let entries = Merge::new(self, partitions, keys::WORK_FROM, keys::due_by(now)).next(limit).await?;
        Ok(entries.iter().filter_map(|sk| keys::work_bill(sk)).collect())
    }

    /// The shards share one order, as those of the work index do.
    pub(crate) async fn lines_over_shards(
        &self,
        bill: &Bill,
        page: PageRequest,
    ) -> Result<Page<BillLine>, ListError> {
        let (first, past_all) = keys::bill_lines();
        let from = match &page.after {
            Some(Position(position)) => {
                let place = keys::line_place(bill.id, position).ok_or(ListError::BadPosition)?;
                keys::just_after(place)
            }
            None => first,
        };
        let partitions = bill.shards.numbers().map(|number| keys::shard_partition(bill.id, number));
        let mut merge = Merge::of_table(self, partitions, &from, past_all);
        // One more than the page: whether there is another page is known without another read.
        let mut items = merge.next_items(page.limit + 1).await?;
        let is_last = items.len() <= page.limit;
        items.truncate(page.limit);
        let last = items.last().filter(|_| !is_last);
        let next = last.map(|item| Position(keys::line_position(bill.id, sort_key(item))));
        let data = items.into_iter().map(LineItem::read).collect::<Result<_, _>>()?;
        Ok(Page { data, next })
    }

    pub(crate) async fn bills_that_await(
        &self,
        customer: CustomerId,
        limit: usize,
    ) -> Result<Vec<BillId>, StoreError> {
        let (partition, from, to) = keys::all_awaiting_bill(customer);
        let waiting = self.part_of_range(partition, &from, &to, false, limit).await?;
        Ok(waiting.iter().filter_map(|item| keys::bill_that_awaits(sort_key(item))).collect())
    }
}
