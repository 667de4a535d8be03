//! The servers of those who want to be told, what is on its way to them, and what was said of it.

use super::{ListError, Page, PageRequest, SendError, StoreError};
use async_trait::async_trait;
use fatura_domain::Timestamp;
use fatura_domain::webhook_endpoint::{
    Attempt, Delivery, Endpoint, EndpointId, EndpointUrl, MessageId, Secret,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One message, once. Whoever makes it has claimed its delivery.
#[derive(Debug, Clone, Copy)]
pub struct OutgoingWebhook<'a> {
    pub to: &'a EndpointUrl,
    pub id: MessageId,
    /// All that are in force: it is signed with each.
    pub secrets: &'a [&'a Secret],
    pub body: &'a str,
    /// When it is sent: it is part of what is signed, so that nobody can send it again later.
    pub at: Timestamp,
}

#[async_trait]
pub trait WebhookSender: Send + Sync {
    /// Nothing that happens on the way is an error: it is what came back, and the domain decides what it means.
    async fn send(&self, webhook: OutgoingWebhook<'_>) -> Attempt;
}

#[async_trait]
pub trait Endpoints: Send + Sync {
    /// Every one; there are few.
    async fn endpoints(&self) -> Result<Vec<Endpoint>, StoreError>;

    async fn endpoint(&self, id: EndpointId) -> Result<Option<Endpoint>, StoreError>;

    /// Unless its time has passed.
    async fn delivery(&self, id: MessageId, now: Timestamp) -> Result<Option<Delivery>, StoreError>;

    /// What was made for an endpoint, newest first. A page is full unless it is the last, but for what has been deleted.
    async fn deliveries_of(
        &self,
        endpoint: EndpointId,
        now: Timestamp,
        page: PageRequest,
    ) -> Result<Page<Delivery>, ListError>;

    /// The same the other way round, from those made then on.
    async fn deliveries_since(
        &self,
        endpoint: EndpointId,
        since: Timestamp,
        now: Timestamp,
        page: PageRequest,
    ) -> Result<Page<Delivery>, ListError>;

    /// Up to `limit` whose next try is due.
    async fn due_deliveries(&self, now: Timestamp, limit: usize) -> Result<Vec<MessageId>, StoreError>;
}

/// There is something to send. About no version: what is due is claimed by whoever comes first, and for the others there is
/// nothing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deliver {
    pub delivery_id: MessageId,
}

#[async_trait]
pub trait DeliveryQueue: Send + Sync {
    /// Sends all of them, or says that some may not have been sent: sending again does no harm.
    async fn send(&self, messages: &[Deliver]) -> Result<(), SendError>;

    /// Sends one that is delivered after a wait of up to 15 minutes.
    async fn send_later(&self, message: Deliver, wait: Duration) -> Result<(), SendError>;
}
