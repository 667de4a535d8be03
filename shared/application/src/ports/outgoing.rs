//! The servers of those who want to be told.

use async_trait::async_trait;
use fatura_domain::Timestamp;
use fatura_domain::webhook_endpoint::{Attempt, EndpointUrl, MessageId, Secret};

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
