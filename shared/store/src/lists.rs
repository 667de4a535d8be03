//! Lists: a page is full unless it is the last, and costs what it shows.

mod by_status;
mod of_customer;
mod shards;

use crate::DynamoStore;
use crate::items::{AttemptItem, InvoiceItem, RefundItem, TransactionItem};
use crate::keys;
use async_trait::async_trait;
use fatura_application::ports::{
    InvoiceFilter, Invoices, ListError, Page, PageRequest, Refunds, StoreError, Transactions,
};
use fatura_domain::Timestamp;
use fatura_domain::charge::Attempt;
use fatura_domain::id::{CustomerId, InvoiceId, RefundId};
use fatura_domain::invoice::{Invoice, Status};
use fatura_domain::ledger::{Transaction, TransactionFilter};
use fatura_domain::refund::Refund;

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
            filter.status.is_none_or(|status| status == invoice.status()) && is_created_in(invoice, filter)
        };
        self.newest_first(customer, range, page, InvoiceItem::read, wanted).await
    }

    async fn in_status(
        &self,
        status: Status,
        filter: &InvoiceFilter,
        page: PageRequest,
    ) -> Result<Page<Invoice>, ListError> {
        self.by_status(status, filter, page).await
    }

    async fn attempts(&self, invoice: &Invoice) -> Result<Vec<Attempt>, StoreError> {
        let prefix = keys::attempts_prefix(invoice.id);
        let last = format!("{prefix}~");
        let failed = self.range(keys::customer_partition(invoice.customer()), &prefix, &last, true);
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
        self.all_due(now, limit).await
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
        self.newest_first(invoice.customer(), range, page, RefundItem::read, wanted).await
    }

    async fn due_refunds(&self, now: Timestamp, limit: usize) -> Result<Vec<RefundId>, StoreError> {
        self.all_due_refunds(now, limit).await
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
        self.newest_first(customer, range, page, TransactionItem::read, |transaction| {
            filter.matches(transaction)
        })
        .await
    }
}

fn is_created_in(invoice: &Invoice, filter: &InvoiceFilter) -> bool {
    filter.created_from.is_none_or(|from| invoice.created_at >= from)
        && filter.created_to.is_none_or(|to| invoice.created_at < to)
}
