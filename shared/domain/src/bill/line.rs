use super::{Bill, BillFault};
use crate::Timestamp;
use crate::id::{BillId, LineItemId};
use crate::invoice::{FactorError, Quantity, factor, product};
use crate::money::{Currency, MAX_MINOR, Money};
use crate::stored_instant;
use crate::text::{Description, Text};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a client calls a line item: the same reference in one bill is the same line item. Short enough to be part of a key
/// however its characters are written.
pub type Reference = Text<200>;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    #[default]
    Fee,
    /// What is given back: the one kind whose price is negative.
    Credit,
}

impl LineKind {
    pub const ALL: [Self; 2] = [Self::Fee, Self::Credit];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fee => "fee",
            Self::Credit => "credit",
        }
    }
}

/// The price of one, in major units. Which sign it may have is its line's kind's to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Price(Decimal);

impl Price {
    pub fn parse(text: &str) -> Result<Self, FactorError> {
        let value = factor(text)?;
        // A carried balance may be as large as any amount.
        if value < -Decimal::from(MAX_MINOR) { Err(FactorError::TooLarge) } else { Ok(Self(value)) }
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<String> for Price {
    type Error = FactorError;

    fn try_from(text: String) -> Result<Self, FactorError> {
        Self::parse(&text)
    }
}

impl From<Price> for String {
    fn from(price: Price) -> Self {
        price.to_string()
    }
}

/// What a client says of a line item.
#[derive(Debug, Clone)]
pub struct LineDraft {
    pub kind: LineKind,
    pub description: Description,
    pub quantity: Quantity,
    pub unit_price: Price,
    pub currency: Currency,
    pub reference: Option<Reference>,
    pub occurred_at: Option<Timestamp>,
}

/// A line item as it was said and checked, before any bill has taken it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineContent {
    #[serde(rename = "k")]
    kind: LineKind,
    #[serde(rename = "d")]
    description: Description,
    #[serde(rename = "q")]
    quantity: Quantity,
    #[serde(rename = "p")]
    unit_price: Price,
    /// `quantity × unit_price`, rounded once, half to even.
    #[serde(rename = "t")]
    total: Money,
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    reference: Option<Reference>,
    /// None: nobody said, and it is when it was appended.
    #[serde(
        rename = "o",
        default,
        with = "stored_instant::optional",
        skip_serializing_if = "Option::is_none"
    )]
    occurred_at: Option<Timestamp>,
}

impl LineContent {
    pub const MAX_QUANTITY: i64 = 1_000_000;
    pub const MAX_PRICE: i64 = 1_000_000;

    /// Everything that is wrong with it at once, if anything is.
    pub fn try_new(draft: LineDraft) -> Result<Self, Vec<BillFault>> {
        let LineDraft { kind, description, quantity, unit_price, currency, reference, occurred_at } = draft;
        let (price, most) = (unit_price.0, Decimal::from(Self::MAX_PRICE));
        let mut faults = Vec::new();
        if quantity.value() > Decimal::from(Self::MAX_QUANTITY) {
            faults.push(BillFault::new("quantity", format!("must be at most {}", Self::MAX_QUANTITY)));
        }
        let reason = match kind {
            LineKind::Fee if price < Decimal::ZERO => {
                Some("must not be negative, unless the kind is credit".to_owned())
            }
            LineKind::Fee if price > most => Some(format!("must be at most {most}")),
            LineKind::Credit if price > Decimal::ZERO => {
                Some("must not be positive where the kind is credit".to_owned())
            }
            LineKind::Credit if price < -most => Some(format!("must be at least -{most}")),
            LineKind::Fee | LineKind::Credit => None,
        };
        faults.extend(reason.map(|reason| BillFault::new("unit_price", reason)));
        let total = product(quantity.value(), price, currency);
        match total {
            Ok(total) if faults.is_empty() => {
                let occurred_at = occurred_at.map(whole_milliseconds);
                Ok(Self { kind, description, quantity, unit_price, total, reference, occurred_at })
            }
            Ok(_) => Err(faults),
            Err(error) => {
                // Where a factor is too large already, the total says nothing new.
                if faults.is_empty() {
                    faults.push(BillFault::new("", format!("has a total that {error}")));
                }
                Err(faults)
            }
        }
    }

    pub const fn kind(&self) -> LineKind {
        self.kind
    }

    pub const fn description(&self) -> &Description {
        &self.description
    }

    pub const fn quantity(&self) -> Quantity {
        self.quantity
    }

    pub const fn unit_price(&self) -> Price {
        self.unit_price
    }

    pub const fn total(&self) -> Money {
        self.total
    }

    pub const fn currency(&self) -> Currency {
        self.total.currency()
    }

    pub const fn reference(&self) -> Option<&Reference> {
        self.reference.as_ref()
    }

    /// As it was said, not as it was taken.
    pub const fn said_occurred_at(&self) -> Option<Timestamp> {
        self.occurred_at
    }

    /// Whether two sends say the same. `1` and `1.0` do.
    pub fn says_the_same(&self, other: &Self) -> bool {
        let Self { kind, description, quantity, unit_price, total, reference, occurred_at } = self;
        (kind, description, total, reference, occurred_at)
            == (&other.kind, &other.description, &other.total, &other.reference, &other.occurred_at)
            && quantity.value() == other.quantity.value()
            && unit_price.0 == other.unit_price.0
    }
}

/// A line item of a bill: written once, and never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillLine {
    pub id: LineItemId,
    pub bill: BillId,
    #[serde(rename = "l")]
    pub content: LineContent,
    /// Within the bill's period.
    #[serde(rename = "at", with = "stored_instant")]
    pub occurred_at: Timestamp,
    #[serde(rename = "c", with = "stored_instant")]
    pub appended_at: Timestamp,
    /// The closed bill whose balance this is.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub carried_from: Option<BillId>,
}

/// What a line item is known by in its bill: two appends with one key are one line item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LineKey {
    Reference(Reference),
    /// Of what nobody gave a reference.
    Id(LineItemId),
    /// A balance is carried once, whatever clients call their line items.
    Carried {
        from: BillId,
        currency: Currency,
    },
}

impl LineKey {
    pub fn of(content: &LineContent, id: LineItemId) -> Self {
        content.reference.clone().map_or(Self::Id(id), Self::Reference)
    }
}

/// Each kind of key begins with its own letter, so that none can be another's.
impl fmt::Display for LineKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reference(reference) => write!(f, "R#{reference}"),
            Self::Id(id) => write!(f, "I#{id}"),
            Self::Carried { from, currency } => write!(f, "C#{from}#{currency}"),
        }
    }
}

impl BillLine {
    pub fn key(&self) -> LineKey {
        match self.carried_from {
            Some(from) => LineKey::Carried { from, currency: self.content.currency() },
            None => LineKey::of(&self.content, self.id),
        }
    }

    /// What it is called outside: a client's reference, or what a carried balance comes from.
    pub fn reference(&self) -> Option<String> {
        match (&self.content.reference, self.carried_from) {
            (Some(reference), _) => Some(reference.to_string()),
            (None, Some(from)) => Some(format!("carried:{from}:{}", self.content.currency())),
            (None, None) => None,
        }
    }

    pub const fn total(&self) -> Money {
        self.content.total
    }

    /// Whether an append with the same key asks for what is here already.
    pub fn is_what(&self, content: &LineContent) -> bool {
        self.content.says_the_same(content)
    }

    /// The negative balance of a closed bill, as a credit in another one. The bounds of what clients may say don't hold
    /// for it: it is as large as it is.
    pub(super) fn carried(
        from: &Bill,
        to: &Bill,
        balance: Money,
        now: Timestamp,
    ) -> Result<Self, FactorError> {
        let (first, last) = from.terms.days();
        let description = format!("Balance of the bill from {first} to {last}");
        let content = LineContent {
            kind: LineKind::Credit,
            description: Description::parse(&description).map_err(|_| FactorError::TooLarge)?,
            quantity: Quantity::parse("1")?,
            unit_price: Price(balance.major()),
            total: balance,
            reference: None,
            occurred_at: None,
        };
        let key = LineKey::Carried { from: from.id, currency: balance.currency() };
        Ok(Self {
            id: LineItemId::derived(from.customer(), super::digest(&[&to.id.to_string(), &key.to_string()])),
            bill: to.id,
            content,
            occurred_at: to.in_period(now),
            appended_at: whole_milliseconds(now),
            carried_from: Some(from.id),
        })
    }
}

pub(super) fn whole_milliseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}
