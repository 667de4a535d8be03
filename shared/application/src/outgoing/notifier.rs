//! Sends what happened to those who want to know it. It is woken by events, and by messages about what is due again.

use super::OutgoingChange;
use crate::app::DECISIONS;
use crate::change_set::{Change, ChangeSet};
use crate::error::Error;
use crate::fresh::Fresh;
use crate::ports::{
    Clock, CommitError, Deliver, DeliveryQueue, Endpoints, OutgoingWebhook, Store, WebhookSender,
};
use fatura_domain::bug::Bug;
use fatura_domain::event::EventKind;
use fatura_domain::id::CustomerId;
use fatura_domain::webhook_endpoint::{Attempt, Claim, Delivery, Endpoint, MessageId, report};
use futures::stream::{self, StreamExt};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error as ThisError;

/// What one call to a receiver may take, the writes around it included. Whoever has less time left doesn't begin.
const CALL_TIME: Duration = Duration::from_secs(13);
/// To how many endpoints one event is sent at a time: each waits for its receiver, and a request is a connection.
const AT_ONCE: usize = 16;
/// The longest that the queue holds a message back. What is due later is left to the sweep.
const LONGEST_DELAY: Duration = Duration::from_mins(15);

/// Something that happened, as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldEvent {
    pub id: String,
    pub kind: EventKind,
    pub customer: CustomerId,
    /// The event itself, word for word.
    pub body: String,
}

#[derive(Debug, ThisError)]
pub enum NotifierError {
    /// Nothing was begun: the message goes back.
    #[error("not enough time is left to call a receiver")]
    NotEnoughTime,
    #[error(transparent)]
    Failed(#[from] Error),
}

#[derive(Clone)]
pub struct Notifier {
    store: Arc<dyn Store>,
    endpoints: Arc<dyn Endpoints>,
    sender: Arc<dyn WebhookSender>,
    queue: Arc<dyn DeliveryQueue>,
    clock: Arc<dyn Clock>,
    known: Arc<Fresh<Vec<Endpoint>>>,
}

impl Notifier {
    pub fn new<S: Store + Endpoints + 'static>(
        store: Arc<S>,
        sender: Arc<dyn WebhookSender>,
        queue: Arc<dyn DeliveryQueue>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let known = Arc::new(Fresh::nothing());
        Self { store: store.clone(), endpoints: store, sender, queue, clock, known }
    }

    /// The same, where somebody else writes: for tests, in which a writer dies.
    #[must_use]
    pub fn with_store(self, store: Arc<dyn Store>) -> Self {
        Self { store, ..self }
    }

    /// Sends an event to each endpoint that wants it, once: for what is on record already there is nothing to do, as it was
    /// sent, or is due again by itself.
    pub async fn tell(
        &self,
        event: &ToldEvent,
        time_left: impl Fn() -> Duration,
    ) -> Result<(), NotifierError> {
        let now = self.clock.now();
        let endpoints = self.known.get(now, self.endpoints.endpoints()).await.map_err(Error::from)?;
        let wanting = endpoints.iter().filter(|endpoint| endpoint.wants(event.kind, event.customer));
        let told: Vec<Result<(), Error>> = stream::iter(wanting)
            .map(|endpoint| self.begin(event, endpoint, time_left() >= CALL_TIME))
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        // One endpoint's trouble is none of the others'.
        Ok(told.into_iter().collect::<Result<(), Error>>()?)
    }

    /// Written and claimed at once, which saves a write: whoever dies before it is sent leaves it due in a minute. What is for
    /// an endpoint that fails is only written: the sweep finds it, a bounded number at a time and the oldest first, so that a
    /// receiver that keeps us waiting takes no time from whom else the queue is for.
    async fn begin(&self, event: &ToldEvent, endpoint: &Endpoint, has_time: bool) -> Result<(), Error> {
        let now = self.clock.now();
        let new = Delivery::new(&event.id, event.kind, event.body.clone(), endpoint.id, now);
        let claimed = match new.claimed(Some(endpoint), now) {
            Claim::Send(claimed) if has_time && !endpoint.is_failing() => Some(claimed),
            _ => None,
        };
        let begun = OutgoingChange::DeliveryBegun(claimed.clone().unwrap_or(new));
        if !self.is_written(begun).await? && !Bug::SentUnclaimed.is_planted() {
            tracing::debug!(event = event.id, endpoint = %endpoint.id, "told before");
            return Ok(());
        }
        match claimed {
            Some(claimed) => self.send(endpoint, claimed).await,
            None => Ok(()),
        }
    }

    /// Sends what is due, if it is.
    pub async fn deliver(
        &self,
        id: MessageId,
        time_left: impl Fn() -> Duration,
    ) -> Result<(), NotifierError> {
        if time_left() < CALL_TIME {
            return Err(NotifierError::NotEnoughTime);
        }
        let now = self.clock.now();
        let delivery = self.endpoints.delivery(id, now).await.map_err(Error::from)?;
        let Some(delivery) = delivery else { return Ok(()) };
        let endpoint = self.endpoints.endpoint(delivery.endpoint).await.map_err(Error::from)?;
        match (delivery.claimed(endpoint.as_ref(), now), endpoint) {
            (Claim::Send(claimed), Some(endpoint)) => {
                let change = OutgoingChange::DeliveryChanged(claimed.clone());
                if self.is_written(change).await? || Bug::SentUnclaimed.is_planted() {
                    self.send(&endpoint, claimed).await?;
                }
            }
            (Claim::Over(ended), _) => {
                self.is_written(OutgoingChange::DeliveryChanged(ended)).await?;
            }
            (Claim::NotDue | Claim::Send(_), _) => tracing::debug!(message = %id, "nothing is due"),
        }
        Ok(())
    }

    async fn send(&self, endpoint: &Endpoint, delivery: Delivery) -> Result<(), Error> {
        let at = self.clock.now();
        let webhook = OutgoingWebhook {
            to: &endpoint.url,
            id: delivery.id,
            secrets: &endpoint.secrets.in_force(at),
            body: &delivery.fact.body,
            at,
        };
        let attempt = self.sender.send(webhook).await;
        self.report(Some(endpoint.clone()), delivery, attempt).await
    }

    /// Writes down what came back, with what it says about the endpoint.
    async fn report(
        &self,
        mut endpoint: Option<Endpoint>,
        mut delivery: Delivery,
        attempt: Attempt,
    ) -> Result<(), Error> {
        for _ in 0..DECISIONS {
            let now = self.clock.now();
            let was_failing = endpoint.as_ref().is_some_and(Endpoint::is_failing);
            let reported = report(endpoint.as_ref(), &delivery, attempt, now);
            let moved = endpoint.as_ref().zip(reported.endpoint);
            let changes = moved.map(|(before, after)| ChangeSet::endpoint_moved(before, after));
            let next = OutgoingChange::DeliveryChanged(reported.delivery.clone());
            match self.store.commit(changes.unwrap_or_default().and([Change::Outgoing(next)])).await {
                Ok(()) if was_failing => return Ok(()),
                Ok(()) => {
                    self.hold_back(&reported.delivery).await;
                    return Ok(());
                }
                Err(CommitError::Refused(_)) => {}
                Err(CommitError::Store(error)) => return Err(error.into()),
            }
            let Some(stored) = self.endpoints.delivery(delivery.id, now).await? else { return Ok(()) };
            endpoint = self.endpoints.endpoint(stored.endpoint).await?;
            delivery = stored;
        }
        Err(Error::Busy)
    }

    /// So that a first failure, which may be an accident, needn't wait for the sweep. Best effort.
    async fn hold_back(&self, delivery: &Delivery) {
        let Some(due) = delivery.due() else { return };
        // A whole second later at most: one that came early would find nothing due.
        let wait = (due.duration_since(self.clock.now()).as_millis().max(0) + 999) / 1_000;
        let wait = Duration::from_secs(u64::try_from(wait).unwrap_or(u64::MAX));
        if wait > LONGEST_DELAY {
            return;
        }
        let message = Deliver { delivery_id: delivery.id };
        if let Err(error) = self.queue.send_later(message, wait).await {
            tracing::warn!(message = %delivery.id, %error, "left to the sweep");
        }
    }

    /// False: somebody else was first.
    async fn is_written(&self, change: OutgoingChange) -> Result<bool, Error> {
        match self.store.commit(ChangeSet::of([Change::Outgoing(change)])).await {
            Ok(()) => Ok(true),
            Err(CommitError::Refused(_)) => Ok(false),
            Err(CommitError::Store(error)) => Err(error.into()),
        }
    }
}

impl fmt::Debug for Notifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notifier(..)")
    }
}
