//! Webhooks that go out: who is told of which events, where, signed with what, and how long we try.
//! (Those that come in, from gateways, are the application's `record_webhook`.)

mod address;
mod attempt;
mod delivery;
mod endpoint_url;
mod filter;
mod ids;
mod report;
mod schedule;
mod secret;

pub use address::is_public;
pub use attempt::{Answer, Attempt, AttemptLog, NoAnswer, Took, Verdict, retry_after};
pub use delivery::{Cancellation, Claim, Delivery, DeliveryState, Fact, GivenUp, KEPT_FOR, ReplayError};
pub use endpoint_url::{EndpointUrl, InvalidEndpointUrl, Loopback};
pub use filter::{EventFilter, FilterError};
pub use ids::{EndpointId, MessageId};
pub use report::{Reported, report};
pub use secret::{InvalidSecret, LONGEST_OVERLAP, Secret, Secrets};

use crate::actor::Actor;
use crate::attention::{Attention, AttentionId, AttentionKind};
use crate::event::EventKind;
use crate::id::CustomerId;
use crate::text::Text;
use crate::{SignedDuration, Timestamp, stored_instant};
use serde::{Deserialize, Serialize};

/// After this long without one success an endpoint is believed to be gone.
pub const FAILING_FOR: SignedDuration = SignedDuration::from_hours(5 * 24);

/// The most endpoints that a deployment has: every event is held against each of them.
pub const MOST_ENDPOINTS: usize = 100;

/// Somebody's server that wants to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub id: EndpointId,
    pub version: u64,
    pub owner: Owner,
    pub url: EndpointUrl,
    pub description: Option<Text<500>>,
    pub events: EventFilter,
    pub secrets: Secrets,
    pub state: EndpointState,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Whose events an endpoint is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// Everybody's.
    Operators,
    /// This customer's, and never another's.
    Customer(CustomerId),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndpointState {
    Enabled {
        /// Since when nothing has got through; None once something has.
        #[serde(
            rename = "f",
            default,
            with = "stored_instant::optional",
            skip_serializing_if = "Option::is_none"
        )]
        failing_since: Option<Timestamp>,
    },
    Disabled {
        #[serde(rename = "at", with = "stored_instant")]
        at: Timestamp,
        #[serde(rename = "by")]
        by: DisabledBy,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisabledBy {
    /// Nothing had got through for [`FAILING_FOR`].
    Failure,
    /// It answered 410: it says itself that it is gone for good.
    Gone,
    Somebody(Actor),
}

/// What its owner says of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointTerms {
    pub owner: Owner,
    pub url: EndpointUrl,
    pub description: Option<Text<500>>,
    pub events: EventFilter,
}

impl Endpoint {
    pub fn new(id: EndpointId, terms: EndpointTerms, secret: Secret, now: Timestamp) -> Self {
        let EndpointTerms { owner, url, description, events } = terms;
        Self {
            id,
            version: 1,
            owner,
            url,
            description,
            events,
            secrets: Secrets::new(secret),
            state: EndpointState::Enabled { failing_since: None },
            created_at: now,
            updated_at: now,
        }
    }

    /// What waits to be sent goes to where it is from then on. Whose it is stays as it was.
    #[must_use]
    pub fn amended(
        &self,
        url: EndpointUrl,
        description: Option<Text<500>>,
        events: EventFilter,
        now: Timestamp,
    ) -> Self {
        Self { version: self.version + 1, url, description, events, updated_at: now, ..self.clone() }
    }

    /// One that disabled itself needs somebody: it isn't told of anything, and nobody said that it shouldn't be.
    pub fn matter(&self) -> Option<Attention> {
        let EndpointState::Disabled { at, by } = &self.state else { return None };
        let why = match by {
            DisabledBy::Failure => "nothing had got through to it for five days",
            DisabledBy::Gone => "it answered 410, that it is gone",
            DisabledBy::Somebody(_) => return None,
        };
        Some(Attention {
            id: AttentionId::of_endpoint(self.id),
            kind: AttentionKind::WebhookEndpointDisabled,
            invoice: None,
            bill: None,
            amount: None,
            gateway: None,
            reference: None,
            detail: format!("webhook endpoint {} at {} was disabled: {why}", self.id, self.url.host()),
            raised_at: *at,
            closed: None,
        })
    }

    /// Whether it is told of what happened to something of this customer's.
    pub fn wants(&self, kind: EventKind, of: CustomerId) -> bool {
        let is_meant = match self.owner {
            Owner::Operators => true,
            Owner::Customer(owner) => owner == of,
        };
        is_meant && self.is_enabled() && self.events.accepts(kind)
    }

    pub const fn is_enabled(&self) -> bool {
        matches!(self.state, EndpointState::Enabled { .. })
    }

    /// Whether nothing has got through to it lately: it may take the time of each call.
    pub const fn is_failing(&self) -> bool {
        matches!(self.state, EndpointState::Enabled { failing_since: Some(_) })
    }

    /// None: it is so already.
    pub fn disabled(&self, by: DisabledBy, now: Timestamp) -> Option<Self> {
        self.is_enabled().then(|| self.moved(EndpointState::Disabled { at: now, by }, now))
    }

    /// Begins with a clean slate: what failed before says nothing about the server that somebody has mended. None: it is so
    /// already.
    pub fn enabled(&self, now: Timestamp) -> Option<Self> {
        (!self.is_enabled()).then(|| self.moved(EndpointState::Enabled { failing_since: None }, now))
    }

    /// What it signs with from now on; the secret before goes on signing beside it for the overlap.
    #[must_use]
    pub fn rotated(&self, secret: Secret, overlap: SignedDuration, now: Timestamp) -> Self {
        let secrets = self.secrets.rotated(secret, overlap, now);
        Self { version: self.version + 1, secrets, updated_at: now, ..self.clone() }
    }

    /// What one more attempt says about the server. None, mostly: an endpoint is written when its fortune turns and not with
    /// every message, as all its messages meet at this one item.
    fn after(&self, verdict: Verdict, is_given_up: bool, now: Timestamp) -> Option<Self> {
        let EndpointState::Enabled { failing_since } = self.state else { return None };
        match (verdict, failing_since) {
            (Verdict::Delivered, Some(_)) => {
                Some(self.moved(EndpointState::Enabled { failing_since: None }, now))
            }
            (Verdict::Gone, _) => self.disabled(DisabledBy::Gone, now),
            (Verdict::Again { .. }, None) => {
                Some(self.moved(EndpointState::Enabled { failing_since: Some(now) }, now))
            }
            // Only with a message that had all its tries: one bad minute long after a bad day is no reason.
            (Verdict::Again { .. }, Some(since))
                if is_given_up && now.duration_since(since) >= FAILING_FOR =>
            {
                self.disabled(DisabledBy::Failure, now)
            }
            _ => None,
        }
    }

    fn moved(&self, state: EndpointState, now: Timestamp) -> Self {
        Self { version: self.version + 1, state, updated_at: now, ..self.clone() }
    }
}

#[cfg(test)]
mod tests;
