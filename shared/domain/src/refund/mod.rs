//! A refund: ours, part or all of a payment, on the gateway that charged.

use crate::Timestamp;
use crate::attention::{Attention, AttentionId, AttentionKind};
use crate::charge::Failure;
use crate::dunning::Policy;
use crate::gateway::{GatewayName, GatewayReference, RefundRequest};
use crate::id::{InvoiceId, RefundId, TransactionId};
use crate::money::Money;
use crate::text::Text;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    pub id: RefundId,
    pub version: u64,
    pub invoice: InvoiceId,
    pub of: RefundOf,
    pub amount: Money,
    pub reason: Option<Text<500>>,
    pub to: RefundTo,
    pub state: RefundState,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What is given back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundOf {
    /// What paid the invoice, or part of it.
    #[default]
    Payment,
    /// Money for which nothing was owed.
    Orphan,
}

/// Where it goes back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundTo {
    /// The gateway that charged, by what it calls the charge.
    Gateway(GatewayName, GatewayReference),
    /// The wallet that paid, without anybody having to be asked.
    Wallet,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    Pending {
        /// How often the order went out.
        #[serde(rename = "n")]
        sends: u8,
        /// When it is looked at next. None: a person has to.
        #[serde(
            rename = "due",
            default,
            with = "crate::stored_instant::optional",
            skip_serializing_if = "Option::is_none"
        )]
        due: Option<Timestamp>,
    },
    Succeeded {
        /// What the gateway calls it, if it went through one.
        #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
        reference: Option<GatewayReference>,
        #[serde(rename = "tx")]
        transaction: TransactionId,
    },
    Failed {
        #[serde(rename = "f")]
        failure: Failure,
    },
}

impl RefundState {
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Pending { .. } => "pending",
            Self::Succeeded { .. } => "succeeded",
            Self::Failed { .. } => "failed",
        }
    }
}

impl Refund {
    /// The order for the gateway. None: it goes through none.
    pub fn request(&self) -> Option<(&GatewayName, RefundRequest)> {
        let RefundTo::Gateway(gateway, charge) = &self.to else { return None };
        Some((gateway, RefundRequest { refund: self.id, charge: charge.clone(), amount: self.amount }))
    }

    pub const fn gateway(&self) -> Option<&GatewayName> {
        match &self.to {
            RefundTo::Gateway(gateway, _) => Some(gateway),
            RefundTo::Wallet => None,
        }
    }

    /// The charge that it gives back.
    pub const fn charge(&self) -> Option<&GatewayReference> {
        match &self.to {
            RefundTo::Gateway(_, charge) => Some(charge),
            RefundTo::Wallet => None,
        }
    }

    /// What a person has to look at because of the state that it is in.
    pub fn matter(&self) -> Option<Attention> {
        let detail = match &self.state {
            RefundState::Pending { due: None, .. } => {
                "the gateway has not said what became of the refund, or told of another amount".to_owned()
            }
            RefundState::Failed { failure } => format!("the gateway refused the refund: {}", failure.message),
            RefundState::Pending { .. } | RefundState::Succeeded { .. } => return None,
        };
        Some(Attention {
            id: AttentionId::of_refund(self.id),
            kind: AttentionKind::RefundFailed,
            invoice: Some(self.invoice),
            bill: None,
            amount: Some(self.amount),
            gateway: self.gateway().cloned(),
            reference: self.charge().cloned(),
            detail,
            raised_at: self.updated_at,
            closed: None,
        })
    }

    /// When the sweep has to look, if it has to.
    pub const fn due(&self) -> Option<Timestamp> {
        match &self.state {
            RefundState::Pending { due, .. } => *due,
            RefundState::Succeeded { .. } | RefundState::Failed { .. } => None,
        }
    }

    /// What the sweep writes before it sends a message about a due refund: the next look is put off. None: it isn't due.
    pub fn woken(&self, policy: &Policy, now: Timestamp) -> Option<Self> {
        let RefundState::Pending { sends, due: Some(due) } = self.state else { return None };
        if due > now {
            return None;
        }
        // The send itself will put it off further, as the policy says.
        let due = now.checked_add(policy.awaiting_poll).ok();
        Some(self.moved(RefundState::Pending { sends, due }, now))
    }

    pub(crate) fn moved(&self, state: RefundState, now: Timestamp) -> Self {
        Self { version: self.version + 1, state, updated_at: now, ..self.clone() }
    }
}
