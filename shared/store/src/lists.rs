//! Lists: a page is full unless it is the last, and costs what it shows.

mod bills;
mod by_shard;
mod by_status;
mod of_customer;
mod operations;
mod shards;

use crate::DynamoStore;
use crate::items::{AttemptItem, DisputeItem, InvoiceItem, RefundItem, TransactionItem};
use crate::keys;
use async_trait::async_trait;
use by_status::WorkList;
use fatura_application::ports::{
    Disputes, InvoiceFilter, Invoices, ListError, Page, PageRequest, Refunds, StoreError, Transactions,
};
use fatura_domain::Timestamp;
use fatura_domain::charge::Attempt;
use fatura_domain::dispute::Dispute;
use fatura_domain::id::{CustomerId, DisputeId, InvoiceId, RefundId};
use fatura_domain::invoice::{Invoice, Status};
use fatura_domain::ledger::{Transaction, TransactionFilter};
use fatura_domain::refund::Refund;
pub(crate) use shards::Merge;

/// How many pages of DynamoDB one page of ours may read before it is handed out as it is, with its cursor: a filter
/// that nothing passes mustn't run into the function's deadline.
const MOST_READS: usize = 50;

#[async_trait]
impl Invoices for DynamoStore {
    async fn invoice(&self, id: InvoiceId) -> Result<Option<Invoice>, StoreError> {
        self.get(keys::invoice(id)).await?.map(InvoiceItem::read).transpose()
    }

    async fn of_customer(
        &self,
        customer: CustomerId,
        filter: &InvoiceFilter,
        page: PageRequest,
    ) -> Result<Page<Invoice>, ListError> {
        let range = keys::invoices_between(customer, filter.created_from, filter.created_to);
        let wanted = |invoice: &Invoice| {
            filter.status.is_none_or(|status| status == invoice.status()) && passes(invoice, filter)
        };
        self.newest_first(&keys::customer_partition(customer), range, page, InvoiceItem::read, wanted).await
    }

    async fn in_status(
        &self,
        status: Status,
        filter: &InvoiceFilter,
        page: PageRequest,
    ) -> Result<Page<Invoice>, ListError> {
        let list = WorkList { name: status.as_str(), key: keys::invoice, read: InvoiceItem::read };
        self.listed(list, page, |invoice| invoice.status() == status && passes(invoice, filter)).await
    }

    async fn attempts(&self, invoice: &Invoice) -> Result<Vec<Attempt>, StoreError> {
        let prefix = keys::attempts_prefix(invoice.id);
        let last = format!("{prefix}~");
        let failed = self.range(keys::record_partition(invoice.customer()), &prefix, &last, true);
        let charge = invoice.state.payment().and_then(|payment| payment.charge.as_ref());
        let succeeded = async {
            match charge {
                Some(charge) => self.get(keys::transaction(charge.transaction)).await,
                None => Ok(None),
            }
        };
        let (failed, succeeded) = tokio::try_join!(failed, succeeded)?;
        let mut attempts = succeeded
            .map(TransactionItem::read_attempt)
            .transpose()?
            .flatten()
            .into_iter()
            .collect::<Vec<_>>();
        for item in failed {
            attempts.push(AttemptItem::read(invoice.id, item)?);
        }
        attempts.sort_by_key(|attempt| std::cmp::Reverse(attempt.id.number));
        Ok(attempts)
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<InvoiceId>, StoreError> {
        let swept = [Status::Pending, Status::ChargedWithError].into_iter().flat_map(keys::work_partitions);
        let entries = Merge::new(self, swept, keys::WORK_FROM, keys::due_by(now)).next(limit).await?;
        Ok(entries.iter().filter_map(|sk| keys::work_invoice(sk)).collect())
    }

    fn shards(&self) -> u8 {
        keys::SHARDS
    }

    async fn in_shard(
        &self,
        status: Status,
        shard: u8,
        page: PageRequest,
    ) -> Result<Page<Invoice>, ListError> {
        self.invoices_in_shard(status, shard, keys::WORK_FROM.to_owned(), page).await
    }

    async fn in_shard_since(
        &self,
        status: Status,
        shard: u8,
        since: Timestamp,
        page: PageRequest,
    ) -> Result<Page<Invoice>, ListError> {
        self.invoices_in_shard(status, shard, keys::not_due_since(since), page).await
    }

    async fn awaiting_method(&self, customer: CustomerId, limit: usize) -> Result<Vec<Invoice>, StoreError> {
        self.waiting_invoices(customer, limit).await
    }
}

#[async_trait]
impl Refunds for DynamoStore {
    async fn refund(&self, id: RefundId) -> Result<Option<Refund>, StoreError> {
        self.get(keys::refund(id)).await?.map(RefundItem::read).transpose()
    }

    async fn of_invoice(&self, invoice: &Invoice, page: PageRequest) -> Result<Page<Refund>, ListError> {
        let range = keys::refunds_since(invoice.customer(), invoice.created_at);
        let wanted = |refund: &Refund| refund.invoice == invoice.id;
        let partition = keys::customer_partition(invoice.customer());
        self.newest_first(&partition, range, page, RefundItem::read, wanted).await
    }

    async fn due_refunds(&self, now: Timestamp, limit: usize) -> Result<Vec<RefundId>, StoreError> {
        let partitions = keys::refund_partitions();
        let entries = Merge::new(self, partitions, keys::WORK_FROM, keys::due_by(now)).next(limit).await?;
        Ok(entries.iter().filter_map(|sk| keys::work_refund(sk)).collect())
    }

    async fn returned_in_shard(
        &self,
        shard: u8,
        from: Timestamp,
        to: Timestamp,
        page: PageRequest,
    ) -> Result<Page<Refund>, ListError> {
        self.refunds_in_shard(shard, from, to, page).await
    }
}

#[async_trait]
impl Disputes for DynamoStore {
    async fn dispute(&self, id: DisputeId) -> Result<Option<Dispute>, StoreError> {
        self.get(keys::dispute(id)).await?.map(DisputeItem::read).transpose()
    }

    async fn disputes_of(&self, invoice: &Invoice, page: PageRequest) -> Result<Page<Dispute>, ListError> {
        let range = keys::disputes_since(invoice.customer(), invoice.created_at);
        let wanted = |dispute: &Dispute| dispute.invoice == invoice.id;
        let partition = keys::customer_partition(invoice.customer());
        self.newest_first(&partition, range, page, DisputeItem::read, wanted).await
    }

    async fn due_disputes(&self, now: Timestamp, limit: usize) -> Result<Vec<DisputeId>, StoreError> {
        let partitions = keys::dispute_partitions();
        let entries = Merge::new(self, partitions, keys::WORK_FROM, keys::due_by(now)).next(limit).await?;
        Ok(entries.iter().filter_map(|sk| keys::work_dispute(sk)).collect())
    }
}

#[async_trait]
impl Transactions for DynamoStore {
    async fn transactions(
        &self,
        customer: CustomerId,
        filter: &TransactionFilter,
        page: PageRequest,
    ) -> Result<Page<Transaction>, ListError> {
        let range = keys::transactions_between(customer, filter.from, filter.to);
        let wanted = |transaction: &Transaction| filter.matches(transaction);
        self.newest_first(&keys::record_partition(customer), range, page, TransactionItem::read, wanted).await
    }
}

/// Everything that a filter asks for but the status.
fn passes(invoice: &Invoice, filter: &InvoiceFilter) -> bool {
    let has_failed_so = |class| invoice.failure_class() == Some(class);
    filter.failure_class.is_none_or(has_failed_so)
        && (!filter.only_payments || invoice.split.is_some())
        && filter.created_from.is_none_or(|from| invoice.created_at >= from)
        && filter.created_to.is_none_or(|to| invoice.created_at < to)
}
