//! A dispute: the cardholder's case against a charge, brought to us, or by the bank to the gateway.

use crate::Timestamp;
use crate::attention::{Attention, AttentionId, AttentionKind};
use crate::dunning::Policy;
use crate::gateway::{DisputeStanding, GatewayName, GatewayReference};
use crate::id::{DisputeId, InvoiceId, TransactionId};
use crate::money::Money;
use crate::stored_instant;
use crate::text::Text;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispute {
    pub id: DisputeId,
    pub version: u64,
    pub invoice: InvoiceId,
    pub gateway: GatewayName,
    /// The charge that it is about.
    pub charge: GatewayReference,
    /// What the gateway calls it, once there is a case there.
    pub case: Option<GatewayReference>,
    pub amount: Money,
    pub origin: Origin,
    pub state: DisputeState,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Where we heard of it first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Somebody contested the invoice with us.
    Contest {
        #[serde(rename = "r")]
        reason: ContestReason,
        #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
        note: Option<Text<500>>,
    },
    Gateway,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContestReason {
    Fraud,
    NotReceived,
    Duplicate,
    Other,
}

impl ContestReason {
    pub const ALL: [Self; 4] = [Self::Fraud, Self::NotReceived, Self::Duplicate, Self::Other];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fraud => "fraud",
            Self::NotReceived => "not_received",
            Self::Duplicate => "duplicate",
            Self::Other => "other",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeState {
    Open {
        /// When the gateway is asked next how it stands. None: no bank has taken it up, and a person decides.
        #[serde(
            rename = "due",
            default,
            with = "stored_instant::optional",
            skip_serializing_if = "Option::is_none"
        )]
        due: Option<Timestamp>,
    },
    /// The money stays with us, or came back.
    Won {
        /// What was booked when a chargeback was taken back.
        #[serde(rename = "tx", default, skip_serializing_if = "Option::is_none")]
        reinstatement: Option<TransactionId>,
        /// By a person's word for want of the bank's, which still counts.
        #[serde(rename = "pr", default, skip_serializing_if = "std::ops::Not::not")]
        presumed: bool,
    },
    /// The money was taken back.
    Lost {
        #[serde(rename = "tx")]
        chargeback: TransactionId,
    },
}

/// How it ended, by the word of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisputeEnd {
    /// The money stayed with us.
    Won,
    /// The bank took it.
    Lost,
}

impl DisputeState {
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Open { .. } => "open",
            Self::Won { .. } => "won",
            Self::Lost { .. } => "lost",
        }
    }
}

impl Dispute {
    /// When the sweep has to look, if it has to.
    pub const fn due(&self) -> Option<Timestamp> {
        match self.state {
            DisputeState::Open { due } => due,
            DisputeState::Won { .. } | DisputeState::Lost { .. } => None,
        }
    }

    /// What the sweep writes before it sends a message about it: the next look is put off, or this is the last one. None: it
    /// isn't due.
    pub fn woken(&self, policy: &Policy, now: Timestamp) -> Option<Self> {
        self.due().filter(|due| *due <= now)?;
        let patience = if self.case.is_some() { policy.case_patience } else { policy.contest_patience };
        let is_in_vain = now.duration_since(self.created_at) >= patience;
        let due = policy.poll_dispute_at(now).filter(|_| !is_in_vain);
        Some(self.moved(DisputeState::Open { due }, now))
    }

    /// What is written once the gateway has told all its cases about the charge, and this isn't among them any more: nobody
    /// asks on. None: it is, or there is nothing that could be missed.
    pub fn missed(&self, told: &[DisputeStanding], now: Timestamp) -> Option<Self> {
        let case = self.case.as_ref().filter(|_| self.due().is_some())?;
        let is_told = told.iter().any(|standing| standing.reference == *case);
        (!is_told).then(|| self.moved(DisputeState::Open { due: None }, now))
    }

    /// What a person has to decide: a contest that no bank has ever taken up, or a case that the gateway tells no end of.
    pub fn matter(&self) -> Option<Attention> {
        let DisputeState::Open { due: None } = self.state else { return None };
        let (id, kind, detail) = if self.case.is_none() {
            let detail = "contested by the customer, and no bank has opened a case";
            (AttentionId::of_dispute(self.id), AttentionKind::ContestUnanswered, detail)
        } else {
            let detail = "the gateway has not told how this case ended, and isn't asked any more";
            (AttentionId::of_missed(self.id), AttentionKind::DisputeOutcomeUnknown, detail)
        };
        Some(Attention {
            id,
            kind,
            invoice: Some(self.invoice),
            bill: None,
            amount: Some(self.amount),
            gateway: Some(self.gateway.clone()),
            reference: Some(self.case.as_ref().unwrap_or(&self.charge).clone()),
            detail: detail.to_owned(),
            raised_at: self.updated_at,
            closed: None,
        })
    }

    /// Whether it is nothing new that the case is open: somebody asks about it, or has asked for so long that nobody does any
    /// more.
    pub(crate) fn is_followed(&self, policy: &Policy, now: Timestamp) -> bool {
        let DisputeState::Open { due } = self.state else { return false };
        let is_in_vain = now.duration_since(self.created_at) >= policy.case_patience;
        self.case.is_some() && (due.is_some() || is_in_vain)
    }

    /// Whether the bank's word is still to come: as long as no more than a person has said how it ended.
    pub(crate) const fn is_undecided(&self) -> bool {
        matches!(self.state, DisputeState::Open { .. } | DisputeState::Won { presumed: true, .. })
    }

    /// Which of an invoice's disputes the gateway means: the one of that case, or the contest that has none yet.
    pub fn meant<'a>(known: &'a [Self], standing: &DisputeStanding) -> Option<&'a Self> {
        let named = known.iter().find(|dispute| dispute.case.as_ref() == Some(&standing.reference));
        named.or_else(|| known.iter().find(|dispute| dispute.is_nameless()))
    }

    /// Whether it waits for its case: a contest that is open, or that a person has called lost.
    const fn is_nameless(&self) -> bool {
        let may_come = matches!(self.state, DisputeState::Open { .. } | DisputeState::Lost { .. });
        self.case.is_none() && may_come
    }

    /// As the gateway tells of it: how much it is about is the bank's to say, until it is decided.
    pub(crate) fn told(&self, standing: &DisputeStanding) -> Self {
        let told = standing.amount_in(self.amount.currency());
        let amount = told.filter(|_| self.is_undecided()).unwrap_or(self.amount);
        Self { amount, case: Some(standing.reference.clone()), ..self.clone() }
    }

    pub(crate) fn moved(&self, state: DisputeState, now: Timestamp) -> Self {
        Self { version: self.version + 1, state, updated_at: now, ..self.clone() }
    }
}
