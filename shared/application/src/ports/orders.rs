use super::{ListError, Page, PageRequest, StoreError};
use crate::fees::FeesEdition;
use async_trait::async_trait;
use fatura_domain::id::{CustomerId, InvoiceId, OrderId};
use fatura_domain::invoice::Invoice;
use fatura_domain::order::Order;

/// What is bought, what paid for it, and what the platform keeps of that.
#[async_trait]
pub trait Orders: Send + Sync {
    /// Those of these that there are, in no order that means anything.
    async fn orders(&self, ids: &[OrderId]) -> Result<Vec<Order>, StoreError>;

    /// A buyer's, newest first. A page is full unless it is the last.
    async fn orders_of(&self, buyer: CustomerId, page: PageRequest) -> Result<Page<Order>, ListError>;

    /// Those of these that there are, in no order that means anything.
    async fn invoices(&self, ids: &[InvoiceId]) -> Result<Vec<Invoice>, StoreError>;

    /// The platform's fees in force. None: nobody has put any.
    async fn fees(&self) -> Result<Option<FeesEdition>, StoreError>;

    /// Those of these merchants that have fees of their own.
    async fn fees_of(&self, merchants: &[CustomerId]) -> Result<Vec<FeesEdition>, StoreError>;
}
