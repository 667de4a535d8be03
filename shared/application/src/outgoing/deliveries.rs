use super::OutgoingChange;
use super::endpoints::may_manage;
use crate::access::{Caller, Operation, Scope};
use crate::app::{App, Committed, DECISIONS};
use crate::change_set::{Change, ChangeSet};
use crate::error::{Error, listed};
use crate::idempotency::{Answer, Once, Reply};
use crate::ports::{Deliver, Page, PageRequest};
use crate::reads::ListFailure;
use fatura_domain::Timestamp;
use fatura_domain::webhook_endpoint::{Delivery, Endpoint, EndpointId, Fact, MessageId, Owner};
use serde_json::json;

/// How many messages one request looks at, to send again those that did not arrive: as many as it has the time for.
const MOST_PAGES: usize = 3;
const PAGE: usize = 100;
/// What the sweep tells the notifier of at most; the rest is first in line a minute later. As many as it is sure to be done with
/// by then, so that what waits does so in the table and keeps nothing in the queue waiting: ten batches of ten at a time, each
/// held up for the 13 seconds that a call may take at most, are 400 in a minute.
const MOST_DUE: usize = 400;

/// What came of sending again all that had been missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplayedMissed {
    pub count: usize,
    /// Where to go on, if there may be more. What was made just then may come again, and does no harm.
    pub more_since: Option<Timestamp>,
}

impl App {
    pub async fn webhook_deliveries(
        &self,
        caller: &Caller,
        endpoint: EndpointId,
        page: PageRequest,
    ) -> Result<Page<Delivery>, ListFailure> {
        let endpoint = self.webhook_endpoint(caller, endpoint).await?;
        Ok(self.records.endpoints.deliveries_of(endpoint.id, self.clock.now(), page).await?)
    }

    pub async fn webhook_delivery(&self, caller: &Caller, id: MessageId) -> Result<Delivery, Error> {
        Ok(self.sent_webhook(caller, id).await?.0)
    }

    /// With where it is sent, if that is still there. What was sent to an endpoint that isn't may have told of anybody.
    async fn sent_webhook(
        &self,
        caller: &Caller,
        id: MessageId,
    ) -> Result<(Delivery, Option<Endpoint>), Error> {
        caller.may_in(Scope::WebhooksManage, Operation::ManageWebhooks)?;
        let endpoints = &self.records.endpoints;
        let delivery = endpoints.delivery(id, self.clock.now()).await?.ok_or(Error::NotFound)?;
        let endpoint = endpoints.endpoint(delivery.endpoint).await?;
        let owner = endpoint.as_ref().map_or(Owner::Operators, |endpoint| endpoint.owner);
        may_manage(caller, owner).map_err(|_| Error::NotFound)?;
        Ok((delivery, endpoint))
    }

    /// A message that tells of nothing, for whoever wants to see one arrive, whatever events the endpoint wants.
    pub async fn test_webhook_endpoint(
        &self,
        caller: &Caller,
        id: EndpointId,
        once: &Once,
        render: &(dyn Fn(&Delivery) -> Answer + Sync),
    ) -> Result<Reply, Error> {
        let now = self.clock.now();
        let known = self.webhook_endpoint(caller, id).await;
        let enabled =
            known.and_then(|endpoint| if endpoint.is_enabled() { Ok(endpoint) } else { Err(disabled()) });
        let endpoint = match enabled {
            Ok(endpoint) => endpoint,
            Err(refusal) => return once.replay_or(&*self.records.answers, refusal, now).await,
        };
        let event = format!("evt_test_{:016x}", self.entropy.bits());
        let body = json!({
            "schema_version": 1,
            "id": event,
            "type": Fact::TEST,
            "occurred_at": now.to_string(),
            "data": { "webhook_endpoint_id": endpoint.id.to_string() },
        });
        let delivery = Delivery::of_test(&event, body.to_string(), endpoint.id, now);
        let begun = Change::Outgoing(OutgoingChange::DeliveryBegun(delivery.clone()));
        let answer = render(&delivery);
        let changes = ChangeSet::of([begun, once.answered(answer.clone(), now)]);
        match self.commit(changes, Some(once)).await? {
            Committed::Written => {
                self.hasten([delivery.id]).await;
                Ok(Reply { answer, replayed: false })
            }
            Committed::Replayed(reply) => Ok(reply),
            Committed::Stale => Err(Error::Busy),
        }
    }

    /// Sends a message (again), whatever became of it: the same one, for a receiver that has lost it.
    pub async fn replay_webhook(
        &self,
        caller: &Caller,
        id: MessageId,
        once: &Once,
        render: &(dyn Fn(&Delivery) -> Answer + Sync),
    ) -> Result<Reply, Error> {
        for _ in 0..DECISIONS {
            let (before, endpoint) = self.sent_webhook(caller, id).await?;
            let now = self.clock.now();
            let after = match replayed(&before, endpoint.as_ref(), now) {
                Ok(after) => after,
                Err(refusal) => return once.replay_or(&*self.records.answers, refusal, now).await,
            };
            let answer = render(&after);
            let next = Change::Outgoing(OutgoingChange::DeliveryChanged(after));
            let changes = ChangeSet::of([next, once.answered(answer.clone(), now)]);
            match self.commit(changes, Some(once)).await? {
                Committed::Written => {
                    self.hasten([id]).await;
                    return Ok(Reply { answer, replayed: false });
                }
                Committed::Replayed(reply) => return Ok(reply),
                Committed::Stale => {}
            }
        }
        Err(Error::Busy)
    }

    /// The same for everything since then that did not arrive. Each is written by itself, and asked for again it is on its
    /// way already, so that being cut off does no harm.
    pub async fn replay_missed_webhooks(
        &self,
        caller: &Caller,
        endpoint: EndpointId,
        since: Timestamp,
    ) -> Result<ReplayedMissed, Error> {
        let endpoint = self.webhook_endpoint(caller, endpoint).await?;
        if !endpoint.is_enabled() {
            return Err(disabled());
        }
        let (now, mut replayed) = (self.clock.now(), ReplayedMissed { count: 0, more_since: None });
        let mut after = None;
        for _ in 0..MOST_PAGES {
            let page = PageRequest { limit: PAGE, after };
            let page = self.records.endpoints.deliveries_since(endpoint.id, since, now, page).await;
            let page = page.map_err(listed)?;
            replayed.count += self.replay_missed_of(&endpoint, &page.data, now).await?;
            let last = page.data.last().map(|delivery| delivery.created_at);
            replayed.more_since =
                last.or(replayed.more_since).or(Some(since)).filter(|_| page.next.is_some());
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        Ok(replayed)
    }

    async fn replay_missed_of(
        &self,
        endpoint: &Endpoint,
        page: &[Delivery],
        now: Timestamp,
    ) -> Result<usize, Error> {
        let mut sent = Vec::new();
        for missed in page.iter().filter(|delivery| delivery.state.is_missed()) {
            let Ok(after) = replayed(missed, Some(endpoint), now) else { continue };
            let next = Change::Outgoing(OutgoingChange::DeliveryChanged(after));
            // Somebody else may have sent it again just now.
            if let Committed::Written = self.commit(ChangeSet::of([next]), None).await? {
                sent.push(missed.id);
            }
        }
        let count = sent.len();
        self.hasten(sent).await;
        Ok(count)
    }

    /// Tells the notifier of all that is due. What it doesn't come to within a minute is told again: whoever claims it
    /// first sends it, and for the others there is nothing to do.
    pub(crate) async fn sweep_deliveries(&self) -> Result<usize, Error> {
        let Some(queue) = &self.outgoing.queue else { return Ok(0) };
        let due = self.records.endpoints.due_deliveries(self.clock.now(), MOST_DUE).await?;
        let messages: Vec<Deliver> = due.into_iter().map(|delivery_id| Deliver { delivery_id }).collect();
        if !messages.is_empty() {
            queue.send(&messages).await.map_err(|error| Error::Unavailable(Box::new(error)))?;
        }
        Ok(messages.len())
    }
}

fn replayed(delivery: &Delivery, endpoint: Option<&Endpoint>, now: Timestamp) -> Result<Delivery, Error> {
    let removed = "its endpoint was removed".to_owned();
    let endpoint = endpoint.ok_or(Error::FailedPrecondition { detail: removed, status: None })?;
    delivery.replayed(endpoint, now).map_err(|_| disabled())
}

fn disabled() -> Error {
    let detail = "the endpoint is disabled: enable it first".to_owned();
    Error::FailedPrecondition { detail, status: Some("disabled") }
}
