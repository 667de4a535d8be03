//! PayPal's ids, and our references that are made of them.

use crate::trouble::Trouble;
use fatura_domain::gateway::GatewayReference;
use serde::Deserialize;

/// Twice what any id of PayPal's has.
const MAX_ID: usize = 64;
/// Before the id of an order that has no capture. Orders' and captures' ids look alike, and are asked for in different
/// places.
const ORDER: &str = "order/";

/// Plain characters only, so that it can be a part of a path.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Id(String);

impl Id {
    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::try_from(text.to_owned()).ok()
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn to_reference(&self) -> GatewayReference {
        GatewayReference(self.0.clone())
    }
}

impl TryFrom<String> for Id {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        if is_plain(&text) { Ok(Self(text)) } else { Err("is not an id of this gateway") }
    }
}

pub(super) fn is_plain(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=MAX_ID).contains(&id.len()) && id.bytes().all(plain)
}

/// What our references of charges name.
pub(super) enum Named {
    Capture(Id),
    Order(Id),
}

impl Named {
    pub(super) fn of(reference: &GatewayReference) -> Option<Self> {
        match reference.0.strip_prefix(ORDER) {
            Some(order) => Id::parse(order).map(Self::Order),
            None => Id::parse(&reference.0).map(Self::Capture),
        }
    }

    /// Only what was captured can be given back or disputed.
    pub(super) fn capture(reference: &GatewayReference) -> Result<Id, Trouble> {
        match Self::of(reference) {
            Some(Self::Capture(id)) => Ok(id),
            _ => Err(Trouble::unknown("no_such_id", "is not a capture of this gateway")),
        }
    }
}

pub(super) fn order_reference(order: &Id) -> GatewayReference {
    GatewayReference(format!("{ORDER}{}", order.as_str()))
}
