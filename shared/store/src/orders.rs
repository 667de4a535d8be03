//! Orders and fees as they are read.

use crate::DynamoStore;
use crate::items::{InvoiceItem, OrderItem, read_fees};
use crate::keys;
use async_trait::async_trait;
use fatura_application::FeesEdition;
use fatura_application::ports::{ListError, Orders, Page, PageRequest, StoreError};
use fatura_domain::id::{CustomerId, InvoiceId, OrderId};
use fatura_domain::invoice::Invoice;
use fatura_domain::order::Order;

#[async_trait]
impl Orders for DynamoStore {
    async fn orders(&self, ids: &[OrderId]) -> Result<Vec<Order>, StoreError> {
        let items = self.get_all(ids.iter().map(|id| keys::order(*id))).await?;
        items.into_values().map(OrderItem::read).collect()
    }

    async fn orders_of(&self, buyer: CustomerId, page: PageRequest) -> Result<Page<Order>, ListError> {
        let partition = keys::customer_partition(buyer);
        self.newest_first(&partition, keys::all_orders(), page, OrderItem::read, |_| true).await
    }

    async fn invoices(&self, ids: &[InvoiceId]) -> Result<Vec<Invoice>, StoreError> {
        let items = self.get_all(ids.iter().map(|id| keys::invoice(*id))).await?;
        items.into_values().map(InvoiceItem::read).collect()
    }

    async fn fees(&self) -> Result<Option<FeesEdition>, StoreError> {
        self.get(keys::fees(None)).await?.map(read_fees).transpose()
    }

    async fn fees_of(&self, merchants: &[CustomerId]) -> Result<Vec<FeesEdition>, StoreError> {
        let items = self.get_all(merchants.iter().map(|merchant| keys::fees(Some(*merchant)))).await?;
        items.into_values().map(read_fees).collect()
    }
}
