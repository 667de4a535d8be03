//! What a payment gateway can be asked and what it can answer, whoever it is.

use crate::charge::Failure;
use crate::id::{AttemptId, CustomerId, InvoiceId, RefundId};
use crate::money::{Currency, Money};
use crate::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

/// A gateway's name in paths and configuration: `sandbox`, `stripe`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GatewayName(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be the name of a gateway, such as sandbox")]
pub struct InvalidGatewayName;

impl GatewayName {
    pub fn parse(text: &str) -> Result<Self, InvalidGatewayName> {
        let plain =
            text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if plain && (1..=32).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidGatewayName)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for GatewayName {
    type Error = InvalidGatewayName;

    fn try_from(text: String) -> Result<Self, InvalidGatewayName> {
        Self::parse(&text)
    }
}

impl From<GatewayName> for String {
    fn from(name: GatewayName) -> Self {
        name.0
    }
}

impl fmt::Display for GatewayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the gateway calls one of its charges or refunds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GatewayReference(pub String);

impl fmt::Display for GatewayReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A gateway's handle for a stored card. Worth money to whoever holds it, so it never shows in a `Debug`.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(pub String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// A key of Brazil's instant payments: personal data as often as not.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PixKey(pub String);

impl fmt::Debug for PixKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PixKey(..)")
    }
}

/// By what a charge is paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    CreditCard(Token),
    Pix(PixKey),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeansType {
    CreditCard,
    Pix,
}

impl Means {
    pub const fn kind(&self) -> MeansType {
        match self {
            Self::CreditCard(_) => MeansType::CreditCard,
            Self::Pix(_) => MeansType::Pix,
        }
    }
}

impl MeansType {
    pub const ALL: [Self; 2] = [Self::CreditCard, Self::Pix];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CreditCard => "credit_card",
            Self::Pix => "pix",
        }
    }
}

/// One order to collect. The attempt is the idempotency key, so the same order sent twice is one charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeRequest {
    pub attempt: AttemptId,
    /// When the attempt began: the time that an order may speak of, the same however often it goes out.
    pub begun_at: Timestamp,
    pub amount: Money,
    pub means: Means,
}

impl ChargeRequest {
    pub const fn invoice(&self) -> InvoiceId {
        self.attempt.invoice
    }
}

/// What the payer has yet to do, or what the gateway has yet to decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PendingAction {
    Pix {
        emv: String,
        #[serde(with = "crate::stored_instant")]
        expires_at: Timestamp,
    },
    RequiresAction {
        url: Option<String>,
    },
    Review,
}

/// The answer to a charge. That it may be unknown is a case, not an error: treating it as a failure is how customers
/// are charged twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChargeOutcome {
    Approved {
        reference: GatewayReference,
        captured: Money,
    },
    Pending {
        reference: GatewayReference,
        action: PendingAction,
    },
    Declined {
        reference: Option<GatewayReference>,
        failure: Failure,
    },
    /// Known not to have reached the gateway: nothing was charged.
    NotSent {
        failure: Failure,
    },
    /// It may have charged. Only the gateway can tell, when asked.
    Unknown {
        failure: Failure,
    },
    /// Ended at the gateway without money: voided by us, or expired unpaid.
    Voided {
        reference: GatewayReference,
    },
    /// The gateway was asked and knows of no such charge.
    Absent,
}

/// One order to give money back. The refund's id is the idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRequest {
    pub refund: RefundId,
    pub charge: GatewayReference,
    pub amount: Money,
}

/// The answer to a refund, or to the question how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundOutcome {
    Succeeded {
        reference: GatewayReference,
        amount: Money,
    },
    /// The gateway has it; the money is on its way.
    Pending {
        reference: GatewayReference,
    },
    /// Refused for good.
    Failed {
        failure: Failure,
    },
    /// It may or may not have reached the gateway. The same order goes out again, under the same key.
    Unclear {
        failure: Failure,
    },
}

/// How the cardholder's case about a charge stands, in the gateway's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisputeStanding {
    pub reference: GatewayReference,
    pub status: DisputeVerdict,
    /// None: the gateway doesn't say, and it is about all that is left of the charge.
    pub amount: Option<Money>,
}

impl DisputeStanding {
    /// The amount, if the gateway tells one that can be booked against a charge in this currency.
    pub(crate) fn amount_in(&self, currency: Currency) -> Option<Money> {
        self.amount.filter(|amount| amount.is_positive() && amount.currency() == currency)
    }
}

/// Seen from the merchant. Not final at every gateway: a case that was lost may be reinstated, and is then won. Of several
/// cases the greatest is the one that a contest with us is most likely about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeVerdict {
    Won,
    Lost,
    Open,
}

/// The answer to the question whether a charge is disputed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DisputeOutcome {
    /// Every case that the gateway has about the charge, in no order.
    Told(Vec<DisputeStanding>),
    /// The gateway knows of no such charge.
    Uncharged,
    /// It can't be asked just now, or its answer is not to be believed.
    Unclear { failure: Failure },
}

/// A movement of money as the gateway has it on its own books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    pub kind: MovementKind,
    /// The charge's or the refund's own reference at the gateway.
    pub reference: GatewayReference,
    /// The charge that it belongs to.
    pub charge: GatewayReference,
    /// What we called it: an attempt's or a refund's id, as the gateway was told. Not parsed, because an entry that none
    /// of ours explains is what reconciliation looks for.
    pub ours: String,
    pub amount: Money,
    pub at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MovementKind {
    Capture,
    Refund,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovementPage {
    pub data: Vec<Movement>,
    /// None: the last page.
    pub next: Option<String>,
}

/// The idempotency key of an order to keep a card: the same for the same order, however often it goes out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct StoreKey(pub String);

impl fmt::Display for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One order to keep a card for later charges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreRequest {
    pub key: StoreKey,
    pub customer: CustomerId,
    pub name: String,
    pub email: String,
    /// What the gateway's own form gave; good for one use at some gateways.
    pub token: Token,
}

/// The answer to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreOutcome {
    /// By what the card is charged from now on. Its form is the adapter's own.
    Stored(Token),
    /// Refused for good: the customer has to give another card.
    Declined { failure: Failure },
    /// Nothing is kept, or nobody knows. The same order may go out again, under the same key.
    Unclear { failure: Failure },
}

/// What a gateway can do, within its true limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    pub means: &'static [MeansType],
    /// Empty: most of them, and it says itself which it refuses.
    pub currencies: &'static [Currency],
    /// Whether part of a charge can be refunded, by what it was paid with.
    pub partial_refund: &'static [MeansType],
    /// How long the gateway recognises an idempotency key. Older attempts are looked up, never sent again.
    pub idempotency_key_lifetime: SignedDuration,
    pub looks_up_by_reference: bool,
    pub retries_by_itself: bool,
    /// Whether it lists what it captured and gave back, for reconciliation.
    pub keeps_books: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_references_are_shown_and_stored_as_they_are() {
        let name = GatewayName::parse("sandbox-2").unwrap();
        assert_eq!(serde_json::to_string(&name).unwrap(), r#""sandbox-2""#);
        assert_eq!(serde_json::from_str::<GatewayName>(r#""sandbox-2""#).unwrap(), name);
        assert_eq!(GatewayReference("ch_1".to_owned()).to_string(), "ch_1");
        assert_eq!(StoreKey("0f".to_owned()).to_string(), "0f");
    }
}
