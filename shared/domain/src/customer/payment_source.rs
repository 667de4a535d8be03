use super::payment_method::{Instrument, PaymentMethod};
use crate::gateway::{GatewayName, Means};
use crate::id::PaymentMethodId;
use crate::risk::{CardMark, Country};
use crate::routing::{Why, WhyThere};
use crate::text::Text;
use serde::{Deserialize, Serialize};

/// What a charge takes from a payment method at the moment it is asked for: enough to collect without another read,
/// and unmoved by what the customer changes later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentSource {
    #[serde(rename = "pm")]
    pub method: PaymentMethodId,
    #[serde(rename = "gw")]
    pub gateway: GatewayName,
    #[serde(rename = "by")]
    pub means: Means,
    /// None: an older release chose.
    #[serde(rename = "why", default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
    /// Where it may go instead, in this order.
    #[serde(rename = "or", default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Alternative>,
    /// None: it isn't a card, or an older release didn't say.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub card: Option<KnownCard>,
}

/// What is known of a card, whichever gateway charges it: what the risk of a charge is judged by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownCard {
    #[serde(rename = "m")]
    pub mark: CardMark,
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<Text<40>>,
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
}

/// Another gateway that can charge the same method.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alternative {
    #[serde(rename = "gw")]
    pub gateway: GatewayName,
    #[serde(rename = "by")]
    pub means: Means,
}

impl KnownCard {
    /// None: it isn't a card.
    pub fn of(method: &PaymentMethod) -> Option<Self> {
        let Instrument::CreditCard(card) = &method.instrument else { return None };
        Some(Self {
            mark: CardMark::of_card(card),
            brand: card.known_brand().cloned(),
            country: card.country,
        })
    }
}

impl PaymentSource {
    /// At this gateway and no other.
    pub const fn at(method: PaymentMethodId, gateway: GatewayName, means: Means) -> Self {
        Self { method, gateway, means, why: None, others: Vec::new(), card: None }
    }

    /// The same method at the next gateway. None: there is no other.
    pub fn elsewhere(&self) -> Option<Self> {
        let (next, others) = self.others.split_first()?;
        let Alternative { gateway, means } = next.clone();
        let edition = self.why.map_or(0, |why| why.edition);
        let why = Some(Why { edition, there: WhyThere::Failover });
        let (others, card) = (others.to_vec(), self.card.clone());
        Some(Self { method: self.method, gateway, means, why, others, card })
    }

    /// Whether another gateway has been tried before this one.
    pub fn is_failover(&self) -> bool {
        self.why.is_some_and(|why| why.there == WhyThere::Failover)
    }
}
