//! Webhooks that go out: who is told, what is on its way, and how it is sent, again if it must be.

mod change;
mod deliveries;
mod endpoints;
mod notifier;

pub use change::OutgoingChange;
pub use deliveries::ReplayedMissed;
pub use endpoints::AmendEndpoint;
pub use notifier::{Notifier, NotifierError, ToldEvent};

use crate::app::App;
use crate::ports::{Deliver, DeliveryQueue};
use fatura_domain::webhook_endpoint::{Loopback, MessageId};
use std::fmt;
use std::sync::Arc;

/// What a deployment allows, and where to say that something is to be sent.
#[derive(Clone)]
pub struct Outgoing {
    /// None: everything is left to the sweep.
    pub queue: Option<Arc<dyn DeliveryQueue>>,
    pub loopback: Loopback,
}

impl Default for Outgoing {
    fn default() -> Self {
        Self { queue: None, loopback: Loopback::Refused }
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("loopback", &self.loopback).finish_non_exhaustive()
    }
}

impl App {
    /// Whether a server on this machine may be told.
    pub const fn loopback(&self) -> Loopback {
        self.outgoing.loopback
    }

    /// Best effort: what isn't told, the sweep finds.
    async fn hasten(&self, deliveries: impl IntoIterator<Item = MessageId>) {
        let messages: Vec<Deliver> =
            deliveries.into_iter().map(|delivery_id| Deliver { delivery_id }).collect();
        let Some(queue) = self.outgoing.queue.as_ref().filter(|_| !messages.is_empty()) else { return };
        if let Err(error) = queue.send(&messages).await {
            tracing::warn!(count = messages.len(), %error, "left to the sweep");
        }
    }
}
