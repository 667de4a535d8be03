use super::OutgoingChange;
use crate::access::{Caller, Operation, Scope};
use crate::app::{App, Committed, DECISIONS};
use crate::change_set::{Change, ChangeSet};
use crate::customers::expect_version;
use crate::error::Error;
use crate::idempotency::{Answer, Once, Reply};
use fatura_domain::SignedDuration;
use fatura_domain::text::Text;
use fatura_domain::webhook_endpoint::{
    DisabledBy, Endpoint, EndpointId, EndpointTerms, EndpointUrl, EventFilter, MOST_ENDPOINTS, Owner, Secret,
};

/// What is to change of an endpoint; None leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct AmendEndpoint {
    pub url: Option<EndpointUrl>,
    /// None within takes it away.
    pub description: Option<Option<Text<500>>>,
    pub events: Option<EventFilter>,
    pub is_enabled: Option<bool>,
}

/// Shows an endpoint, with its secret or without.
type Shown<'a> = &'a (dyn Fn(&Endpoint) -> Answer + Sync);

impl App {
    /// `stored` is what a replay answers: the same without the secret, which isn't kept with answers.
    pub async fn create_webhook_endpoint(
        &self,
        caller: &Caller,
        terms: EndpointTerms,
        once: &Once,
        shown: Shown<'_>,
        stored: Shown<'_>,
    ) -> Result<Reply, Error> {
        may_manage(caller, terms.owner)?;
        let moment = self.moment();
        // Two at once may both be the last: a bound of what is read with each event, not a promise.
        if self.records.endpoints.endpoints().await?.len() >= MOST_ENDPOINTS {
            let detail = format!("there are {MOST_ENDPOINTS} webhook endpoints already");
            let refusal = Error::FailedPrecondition { detail, status: None };
            return once.replay_or(&*self.records.answers, refusal, moment.now).await;
        }
        let owner = match terms.owner {
            Owner::Customer(customer) => Some(Change::CustomerExists(customer)),
            Owner::Operators => None,
        };
        let id = EndpointId::new(moment.now, moment.entropy);
        let endpoint = Endpoint::new(id, terms, self.new_secret(), moment.now);
        let changes = ChangeSet::of(owner).and([
            Change::Outgoing(OutgoingChange::EndpointAdded(endpoint.clone())),
            once.answered(stored(&endpoint), moment.now),
        ]);
        match self.commit(changes, Some(once)).await? {
            Committed::Written => Ok(Reply { answer: shown(&endpoint), replayed: false }),
            Committed::Replayed(reply) => Ok(reply),
            // A random number that is taken: the next request has another.
            Committed::Stale => Err(Error::Busy),
        }
    }

    /// Those that the caller may manage.
    pub async fn webhook_endpoints(&self, caller: &Caller) -> Result<Vec<Endpoint>, Error> {
        caller.may_in(Scope::WebhooksManage, Operation::ManageWebhooks)?;
        let mut endpoints = self.records.endpoints.endpoints().await?;
        endpoints.retain(|endpoint| may_manage(caller, endpoint.owner).is_ok());
        Ok(endpoints)
    }

    pub async fn webhook_endpoint(&self, caller: &Caller, id: EndpointId) -> Result<Endpoint, Error> {
        caller.may_in(Scope::WebhooksManage, Operation::ManageWebhooks)?;
        let endpoint = self.records.endpoints.endpoint(id).await?.ok_or(Error::NotFound)?;
        may_manage(caller, endpoint.owner).map_err(|_| Error::NotFound)?;
        Ok(endpoint)
    }

    pub async fn amend_webhook_endpoint(
        &self,
        caller: &Caller,
        id: EndpointId,
        command: AmendEndpoint,
        if_version: Option<u64>,
    ) -> Result<Endpoint, Error> {
        for _ in 0..DECISIONS {
            let before = self.webhook_endpoint(caller, id).await?;
            expect_version(if_version, before.version)?;
            let Some(after) = self.amended(caller, &before, command.clone()) else { return Ok(before) };
            let changes = ChangeSet::endpoint_moved(&before, after.clone());
            if let Committed::Written = self.commit(changes, None).await? {
                return Ok(after);
            }
        }
        Err(Error::Busy)
    }

    /// One version further, however much changes. None: nothing does.
    fn amended(&self, caller: &Caller, before: &Endpoint, command: AmendEndpoint) -> Option<Endpoint> {
        let now = self.clock.now();
        let switched = match command.is_enabled {
            Some(true) => before.enabled(now),
            Some(false) => before.disabled(DisabledBy::Somebody(caller.actor()), now),
            None => None,
        };
        let after = before.amended(
            command.url.unwrap_or_else(|| before.url.clone()),
            command.description.unwrap_or_else(|| before.description.clone()),
            command.events.unwrap_or_else(|| before.events.clone()),
            now,
        );
        let state = switched.map_or_else(|| before.state.clone(), |switched| switched.state);
        let after = Endpoint { state, ..after };
        let same = Endpoint { version: before.version, updated_at: before.updated_at, ..after.clone() };
        (same != *before).then_some(after)
    }

    /// What is on its way to it is canceled when it is due next.
    pub async fn remove_webhook_endpoint(&self, caller: &Caller, id: EndpointId) -> Result<(), Error> {
        for _ in 0..DECISIONS {
            let endpoint = self.webhook_endpoint(caller, id).await?;
            let changes = ChangeSet::endpoint_removed(&endpoint, self.clock.now());
            if let Committed::Written = self.commit(changes, None).await? {
                return Ok(());
            }
        }
        Err(Error::Busy)
    }

    /// The secret before goes on signing for the overlap.
    pub async fn rotate_webhook_secret(
        &self,
        caller: &Caller,
        id: EndpointId,
        overlap: SignedDuration,
        once: &Once,
        shown: Shown<'_>,
        stored: Shown<'_>,
    ) -> Result<Reply, Error> {
        for _ in 0..DECISIONS {
            let now = self.clock.now();
            let before = match self.webhook_endpoint(caller, id).await {
                Ok(before) => before,
                Err(refusal) => return once.replay_or(&*self.records.answers, refusal, now).await,
            };
            let after = before.rotated(self.new_secret(), overlap, now);
            let changes =
                ChangeSet::endpoint_moved(&before, after.clone()).and([once.answered(stored(&after), now)]);
            match self.commit(changes, Some(once)).await? {
                Committed::Written => return Ok(Reply { answer: shown(&after), replayed: false }),
                Committed::Replayed(reply) => return Ok(reply),
                Committed::Stale => {}
            }
        }
        Err(Error::Busy)
    }

    fn new_secret(&self) -> Secret {
        let mut random = [0; 32];
        for chunk in random.chunks_exact_mut(8) {
            chunk.copy_from_slice(&self.entropy.bits().to_be_bytes());
        }
        Secret::new(random)
    }
}

/// An endpoint that is told of everybody is for whoever may see everybody: what it gets sent, its owner reads.
pub(super) fn may_manage(caller: &Caller, owner: Owner) -> Result<(), Error> {
    let operation = match owner {
        Owner::Operators => Operation::ListOverAll,
        Owner::Customer(_) => Operation::ManageWebhooks,
    };
    caller.may_in(Scope::WebhooksManage, operation)
}
