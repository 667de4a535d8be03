use super::attempt::{Attempt, AttemptLog, Verdict};
use super::{Endpoint, EndpointId, MessageId, schedule};
use crate::event::EventKind;
use crate::{SignedDuration, Timestamp, stored_instant};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// For how long whoever took a message up has it to itself: longer than a call can take.
const LEASE: SignedDuration = SignedDuration::from_mins(1);

/// For how long a message can be looked at and sent again, counted from its last step.
pub const KEPT_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// One event on its way to one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub id: MessageId,
    pub version: u64,
    pub endpoint: EndpointId,
    pub fact: Fact,
    pub state: DeliveryState,
    pub log: AttemptLog,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// The event's id.
    #[serde(rename = "e")]
    pub event: String,
    /// The event's kind, as it was called when it was told.
    #[serde(rename = "k")]
    pub kind: String,
    /// Kept as it was rendered: each try sends the same bytes.
    #[serde(rename = "b")]
    pub body: String,
}

impl Fact {
    /// What a message is called that tells of nothing. No filter names it: it is sent when it is asked for.
    pub const TEST: &str = "webhook.test";
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    Pending {
        #[serde(rename = "due", with = "stored_instant")]
        due: Timestamp,
        /// When this round of tries began: the first, or a replay.
        #[serde(rename = "b", with = "stored_instant")]
        begun: Timestamp,
        /// How many tries of this round have begun, whatever became of them.
        #[serde(rename = "n")]
        tried: u8,
    },
    Delivered {
        #[serde(rename = "at", with = "stored_instant")]
        at: Timestamp,
    },
    Failed {
        #[serde(rename = "at", with = "stored_instant")]
        at: Timestamp,
        #[serde(rename = "why")]
        why: GivenUp,
    },
    Canceled {
        #[serde(rename = "at", with = "stored_instant")]
        at: Timestamp,
        #[serde(rename = "why")]
        why: Cancellation,
    },
}

impl DeliveryState {
    pub const NAMES: [&str; 4] = ["pending", "delivered", "failed", "canceled"];

    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Pending { .. } => "pending",
            Self::Delivered { .. } => "delivered",
            Self::Failed { .. } => "failed",
            Self::Canceled { .. } => "canceled",
        }
    }

    /// Whether it ended without having arrived.
    pub const fn is_missed(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::Canceled { .. })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GivenUp {
    /// Three days of tries.
    Exhausted,
    /// The receiver said that it is gone.
    Gone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cancellation {
    EndpointDisabled,
    EndpointRemoved,
}

/// What whoever is woken for a message has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Write this, then send it.
    Send(Delivery),
    /// Write this, and send nothing.
    Over(Delivery),
    /// Nothing: it is somebody else's, or over, or not yet time.
    NotDue,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("its endpoint is disabled")]
pub struct ReplayError;

impl Delivery {
    /// The same for the same event and endpoint: told twice, it is written once.
    pub fn new(event: &str, kind: EventKind, body: String, endpoint: EndpointId, now: Timestamp) -> Self {
        Self::of(Fact { event: event.to_owned(), kind: kind.as_str().to_owned(), body }, endpoint, now)
    }

    /// Something that did not happen, sent because somebody wants to see it arrive.
    pub fn of_test(event: &str, body: String, endpoint: EndpointId, now: Timestamp) -> Self {
        Self::of(Fact { event: event.to_owned(), kind: Fact::TEST.to_owned(), body }, endpoint, now)
    }

    fn of(fact: Fact, endpoint: EndpointId, now: Timestamp) -> Self {
        Self {
            id: MessageId::of(&fact.event, endpoint),
            version: 1,
            endpoint,
            fact,
            state: DeliveryState::Pending { due: now, begun: now, tried: 0 },
            log: AttemptLog::default(),
            created_at: now,
            updated_at: now,
        }
    }

    /// Kept as long as its last try can lie ahead, and then for the looking.
    pub fn expires_at(&self) -> Timestamp {
        self.updated_at.saturating_add(KEPT_FOR).unwrap_or(self.updated_at)
    }

    /// When the sweep has to look, if it has to.
    pub const fn due(&self) -> Option<Timestamp> {
        match self.state {
            DeliveryState::Pending { due, .. } => Some(due),
            DeliveryState::Delivered { .. }
            | DeliveryState::Failed { .. }
            | DeliveryState::Canceled { .. } => None,
        }
    }

    /// Before it is sent. `endpoint` None: it has been removed. Whoever claims it and dies leaves it due again, at the time
    /// of its next try; as nobody knows whether it had gone out, it may come twice, and receivers know it by its id.
    pub fn claimed(&self, endpoint: Option<&Endpoint>, now: Timestamp) -> Claim {
        let DeliveryState::Pending { due, begun, tried } = self.state else { return Claim::NotDue };
        if due > now {
            return Claim::NotDue;
        }
        let over = |why| Claim::Over(self.moved(DeliveryState::Canceled { at: now, why }, now));
        match endpoint {
            None => over(Cancellation::EndpointRemoved),
            Some(endpoint) if !endpoint.is_enabled() => over(Cancellation::EndpointDisabled),
            Some(_) if tried >= schedule::MOST_TRIES => {
                Claim::Over(self.moved(DeliveryState::Failed { at: now, why: GivenUp::Exhausted }, now))
            }
            Some(_) => {
                let tried = tried + 1;
                let lease = now.saturating_add(LEASE).unwrap_or(now);
                let due =
                    schedule::next(self.id, begun, tried, None, now).map_or(lease, |due| due.max(lease));
                Claim::Send(self.moved(DeliveryState::Pending { due, begun, tried }, now))
            }
        }
    }

    /// Somebody wants it sent (again): now, and with all tries before it. One on its way is sent now and goes on from there.
    pub fn replayed(&self, endpoint: &Endpoint, now: Timestamp) -> Result<Self, ReplayError> {
        if !endpoint.is_enabled() {
            return Err(ReplayError);
        }
        let state = match self.state {
            DeliveryState::Pending { due, begun, tried } => {
                DeliveryState::Pending { due: due.min(now), begun, tried }
            }
            _ => DeliveryState::Pending { due: now, begun: now, tried: 0 },
        };
        Ok(self.moved(state, now))
    }

    /// After one more attempt, whenever it is told of.
    pub(super) fn after(&self, attempt: Attempt, now: Timestamp) -> Self {
        let state = self.state_after(attempt.answer.verdict(), now);
        Self { log: self.log.with(attempt), ..self.moved(state, now) }
    }

    fn state_after(&self, verdict: Verdict, now: Timestamp) -> DeliveryState {
        match (&self.state, verdict) {
            // The second is a late word of the round before.
            (DeliveryState::Delivered { .. }, _)
            | (DeliveryState::Pending { tried: 0, .. }, Verdict::Again { .. }) => self.state.clone(),
            // Even after it was canceled, or given up: it has arrived.
            (_, Verdict::Delivered) => DeliveryState::Delivered { at: now },
            (DeliveryState::Pending { .. }, Verdict::Gone) => {
                DeliveryState::Failed { at: now, why: GivenUp::Gone }
            }
            (DeliveryState::Pending { begun, tried, .. }, Verdict::Again { after }) => {
                match schedule::next(self.id, *begun, *tried, after, now) {
                    Some(due) => DeliveryState::Pending { due, begun: *begun, tried: *tried },
                    None => DeliveryState::Failed { at: now, why: GivenUp::Exhausted },
                }
            }
            (DeliveryState::Failed { .. } | DeliveryState::Canceled { .. }, _) => self.state.clone(),
        }
    }

    fn moved(&self, state: DeliveryState, now: Timestamp) -> Self {
        Self { version: self.version + 1, state, updated_at: now, ..self.clone() }
    }
}
