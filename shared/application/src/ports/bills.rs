//! Bills, their line items and what these come to.

use super::{ListError, Page, PageRequest, StoreError};
use async_trait::async_trait;
use fatura_domain::Timestamp;
use fatura_domain::bill::{Bill, BillLine, BillStatus, LineKey, Shard};
use fatura_domain::id::{BillId, CustomerId};

/// What a list of bills may be narrowed to.
#[derive(Debug, Clone, Copy, Default)]
pub struct BillFilter {
    pub status: Option<BillStatus>,
}

#[async_trait]
pub trait Bills: Send + Sync {
    async fn bill(&self, id: BillId) -> Result<Option<Bill>, StoreError>;

    /// A bill with every one of its shards, read at once; one that has counted nothing yet is empty.
    async fn bill_with_shards(&self, id: BillId) -> Result<Option<(Bill, Vec<Shard>)>, StoreError>;

    /// Every shard of each of these bills, in their order, for a list: they may be a moment old.
    async fn shards_of(&self, bills: &[&Bill]) -> Result<Vec<Vec<Shard>>, StoreError>;

    /// Closes every shard for good, and says what each has counted. Doing it again changes nothing.
    async fn close_shards(&self, bill: &Bill) -> Result<Vec<Shard>, StoreError>;

    /// Those of these keys that the bill has, in no order that means anything. Up to 100 keys.
    async fn lines(&self, bill: &Bill, keys: &[LineKey]) -> Result<Vec<BillLine>, StoreError>;

    /// In the order of their keys. A page is full unless it is the last.
    async fn lines_of(&self, bill: &Bill, page: PageRequest) -> Result<Page<BillLine>, ListError>;

    /// Newest first. A page is full unless it is the last.
    async fn bills_of(
        &self,
        customer: CustomerId,
        filter: BillFilter,
        page: PageRequest,
    ) -> Result<Page<Bill>, ListError>;

    /// Over all customers: what is due first, else oldest first; each bill that stays in its status exactly once.
    async fn bills_in(&self, status: BillStatus, page: PageRequest) -> Result<Page<Bill>, ListError>;

    /// Up to `limit` bills whose due time has come.
    async fn due_bills(&self, now: Timestamp, limit: usize) -> Result<Vec<BillId>, StoreError>;

    /// Up to `limit` closed bills of a customer with a balance that waits for the next bill, the oldest first.
    async fn awaiting_bill(&self, customer: CustomerId, limit: usize) -> Result<Vec<BillId>, StoreError>;
}
