//! Who is told by webhook, and what is on its way there.

use crate::DynamoStore;
use crate::items::{DeliveryItem, EndpointItem, Item, corrupt, sort_key};
use crate::keys;
use crate::lists::Merge;
use async_trait::async_trait;
use fatura_application::ports::{Endpoints, ListError, Page, PageRequest, StoreError};
use fatura_domain::Timestamp;
use fatura_domain::webhook_endpoint::{Delivery, Endpoint, EndpointId, MessageId};

#[async_trait]
impl Endpoints for DynamoStore {
    async fn endpoints(&self) -> Result<Vec<Endpoint>, StoreError> {
        let (from, to) = keys::all_endpoints();
        let items = self.range(keys::endpoints_partition(), &from, &to, false).await?;
        items.into_iter().map(EndpointItem::read).collect()
    }

    async fn endpoint(&self, id: EndpointId) -> Result<Option<Endpoint>, StoreError> {
        self.get(keys::endpoint(id)).await?.map(EndpointItem::read).transpose()
    }

    async fn delivery(&self, id: MessageId, now: Timestamp) -> Result<Option<Delivery>, StoreError> {
        let stored = self.get(keys::delivery(id)).await?.map(DeliveryItem::read).transpose()?;
        // DynamoDB deletes what has expired when it finds the time; for us it is gone at once.
        Ok(stored.filter(|delivery| delivery.expires_at() >= now))
    }

    async fn deliveries_of(
        &self,
        endpoint: EndpointId,
        now: Timestamp,
        page: PageRequest,
    ) -> Result<Page<Delivery>, ListError> {
        let partition = keys::deliveries_partition(endpoint);
        let range = keys::deliveries_from(Timestamp::UNIX_EPOCH);
        let Page { data, next } = self.newest_first(&partition, range, page, place, |_| true).await?;
        Ok(Page { data: self.listed_deliveries(data, now).await?, next })
    }

    async fn deliveries_since(
        &self,
        endpoint: EndpointId,
        since: Timestamp,
        now: Timestamp,
        page: PageRequest,
    ) -> Result<Page<Delivery>, ListError> {
        let partition = keys::deliveries_partition(endpoint);
        let range = keys::deliveries_from(since);
        let Page { data, next } = self.oldest_first(&partition, range, page, place).await?;
        Ok(Page { data: self.listed_deliveries(data, now).await?, next })
    }

    async fn due_deliveries(&self, now: Timestamp, limit: usize) -> Result<Vec<MessageId>, StoreError> {
        let partitions = keys::delivery_partitions();
        let entries = Merge::new(self, partitions, keys::WORK_FROM, keys::due_by(now)).next(limit).await?;
        Ok(entries.iter().filter_map(|sk| keys::work_delivery(sk)).collect())
    }
}

impl DynamoStore {
    /// In the order of the list; what has expired is left out.
    async fn listed_deliveries(
        &self,
        ids: Vec<MessageId>,
        now: Timestamp,
    ) -> Result<Vec<Delivery>, StoreError> {
        let mut items = self.get_all(ids.iter().map(|id| keys::delivery(*id))).await?;
        let found = ids.into_iter().filter_map(|id| items.remove(&keys::delivery(id)));
        let found = found.map(DeliveryItem::read).collect::<Result<Vec<_>, _>>()?;
        Ok(found.into_iter().filter(|delivery| delivery.expires_at() >= now).collect())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "lists hand each item over to whoever reads it")]
fn place(item: Item) -> Result<MessageId, StoreError> {
    keys::listed_delivery(sort_key(&item)).ok_or_else(|| corrupt("not a message's place"))
}
