use super::failure::Failure;
use crate::Timestamp;
use crate::dunning::Policy;
use crate::gateway::{GatewayName, GatewayReference, PendingAction};
use crate::id::{AttemptId, AttemptNumber, PaymentMethodId};
use crate::risk::Judgement;
use crate::routing::Why;
use serde::{Deserialize, Serialize};

/// The one attempt that may move money for an invoice just now. Its presence is the lock: while it is there, no other
/// attempt begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveAttempt {
    #[serde(rename = "n")]
    pub number: AttemptNumber,
    #[serde(rename = "at", with = "crate::stored_instant")]
    pub started_at: Timestamp,
    #[serde(rename = "ph")]
    pub phase: Phase,
    /// How often the same order was sent without reaching the gateway.
    #[serde(rename = "u", default, skip_serializing_if = "is_zero")]
    pub unsent: u8,
}

/// How far the live attempt has come. Names are short because they are stored with every invoice in flight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Somebody is calling the gateway. Past the lease that somebody is dead, and the call may have gone out.
    #[serde(rename = "s")]
    Sending {
        #[serde(rename = "l", with = "crate::stored_instant")]
        lease_until: Timestamp,
    },
    /// The rules want a person to look at it first: nothing was sent.
    #[serde(rename = "h")]
    Held,
    /// A person has looked, and it may be sent.
    #[serde(rename = "c")]
    Cleared,
    /// The order didn't reach the gateway and goes out again, under the same key.
    #[serde(rename = "n")]
    NotSent { failure: Failure },
    /// The gateway has it and money is yet to come.
    #[serde(rename = "w")]
    Awaiting { reference: GatewayReference, action: PendingAction },
    /// Nobody knows. The gateway is asked, `polls` times so far.
    #[serde(rename = "u")]
    Unknown { failure: Failure, polls: u8 },
    /// It took another amount than it was asked for: a person decides.
    #[serde(rename = "m")]
    Mismatched { reference: GatewayReference, failure: Failure },
}

impl LiveAttempt {
    /// An attempt that whoever holds it is about to send.
    pub fn begun(number: AttemptNumber, now: Timestamp) -> Self {
        Self { number, started_at: now, phase: Phase::sending(now), unsent: 0 }
    }

    pub const fn failure(&self) -> Option<&Failure> {
        match &self.phase {
            Phase::NotSent { failure }
            | Phase::Unknown { failure, .. }
            | Phase::Mismatched { failure, .. } => Some(failure),
            Phase::Sending { .. } | Phase::Held | Phase::Cleared | Phase::Awaiting { .. } => None,
        }
    }

    pub const fn reference(&self) -> Option<&GatewayReference> {
        match &self.phase {
            Phase::Awaiting { reference, .. } | Phase::Mismatched { reference, .. } => Some(reference),
            Phase::Sending { .. }
            | Phase::Held
            | Phase::Cleared
            | Phase::NotSent { .. }
            | Phase::Unknown { .. } => None,
        }
    }
}

/// An attempt that is over. Written once, with the invoice that it moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub id: AttemptId,
    pub gateway: GatewayName,
    pub payment_method: PaymentMethodId,
    /// Why at this gateway.
    pub why: Option<Why>,
    /// None: no rules were in force, or nobody lived to write down what they said.
    pub risk: Option<Judgement>,
    pub outcome: AttemptOutcome,
    pub reference: Option<GatewayReference>,
    pub started_at: Timestamp,
    pub finished_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptOutcome {
    Succeeded,
    Declined(Failure),
    NotSent(Failure),
    /// Voided on request: neither paid nor refused.
    Voided,
}

impl Phase {
    pub fn sending(now: Timestamp) -> Self {
        Self::Sending { lease_until: now.checked_add(Policy::LEASE).unwrap_or(now) }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's skip_serializing_if hands over a reference")]
const fn is_zero(number: &u8) -> bool {
    *number == 0
}
