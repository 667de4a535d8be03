//! Customers and how they pay.

mod detachment;
mod payment_method;
mod payment_source;

pub use detachment::Detachment;
pub use payment_method::{Card, Expiry, HeldError, Instrument, PaymentMethod, PaymentMethodError};
pub use payment_source::{Alternative, KnownCard, PaymentSource};

use crate::Timestamp;
use crate::calendar::{AnchorDay, BillingPeriod};
use crate::id::{CustomerId, PaymentMethodId};
use crate::risk::Country;
use crate::text::{Email, ExternalId, Metadata, Name, TextError};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    pub id: CustomerId,
    pub version: u64,
    pub profile: Profile,
    /// The one default, by construction: a pointer, not a flag on each method.
    pub default_payment_method: Option<PaymentMethodId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What a client says about a customer, as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub name: Name,
    pub email: Email,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<ExternalId>,
    pub kind: CustomerKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<TimeZoneName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_anchor_day: Option<AnchorDay>,
    /// Where the customer lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomerKind {
    #[default]
    Buyer,
    Merchant,
}

impl CustomerKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Buyer => "buyer",
            Self::Merchant => "merchant",
        }
    }
}

/// The name of a time zone in the IANA database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TimeZoneName(String);

impl TimeZoneName {
    pub fn parse(name: &str) -> Result<Self, TextError> {
        TimeZone::get(name)
            .ok()
            .and_then(|zone| zone.iana_name().map(|canonical| Self(canonical.to_owned())))
            .ok_or(TextError::NotATimeZone)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn zone(&self) -> TimeZone {
        TimeZone::get(&self.0).unwrap_or(TimeZone::UTC)
    }
}

impl Profile {
    /// Whether the other says the same of what is the shop's to say, and not the customer's.
    pub fn has_terms_of(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.external_id == other.external_id
            && self.billing_anchor_day == other.billing_anchor_day
            // Risk rules ask for it.
            && self.country == other.country
    }

    /// When the customer is billed in a month, if on a day of its own.
    pub fn billed_at(&self, period: BillingPeriod) -> Option<Timestamp> {
        let zone = self.time_zone.as_ref().map_or(TimeZone::UTC, TimeZoneName::zone);
        self.billing_anchor_day.map(|anchor| period.billed_at(anchor, &zone))
    }
}

impl Customer {
    pub const fn new(id: CustomerId, profile: Profile, now: Timestamp) -> Self {
        Self { id, version: 1, profile, default_payment_method: None, created_at: now, updated_at: now }
    }

    #[must_use]
    pub fn with_profile(&self, profile: Profile, now: Timestamp) -> Self {
        Self { profile, ..self.touched(now) }
    }

    /// The first method becomes the default by itself; a later one only if asked.
    #[must_use]
    pub fn with_added(&self, method: PaymentMethodId, make_default: bool, now: Timestamp) -> Self {
        let keeps = self.default_payment_method.filter(|_| !make_default);
        Self { default_payment_method: Some(keeps.unwrap_or(method)), ..self.touched(now) }
    }

    #[must_use]
    pub fn with_default(&self, method: PaymentMethodId, now: Timestamp) -> Self {
        Self { default_payment_method: Some(method), ..self.touched(now) }
    }

    /// After a method is gone the default moves to the newest of the rest, if it was the default.
    #[must_use]
    pub fn with_detached(&self, gone: PaymentMethodId, rest: &[PaymentMethodId], now: Timestamp) -> Self {
        let keeps = self.default_payment_method.filter(|method| *method != gone);
        Self { default_payment_method: keeps.or_else(|| rest.iter().max().copied()), ..self.touched(now) }
    }

    /// Something of it has changed that lies beside it.
    #[must_use]
    pub fn touched(&self, now: Timestamp) -> Self {
        Self { version: self.version + 1, updated_at: now, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn customer() -> Customer {
        let profile = Profile {
            name: Name::parse("Ana").unwrap(),
            email: Email::parse("ana@example.com").unwrap(),
            external_id: None,
            kind: CustomerKind::Buyer,
            time_zone: None,
            billing_anchor_day: None,
            country: None,
            metadata: Metadata::default(),
        };
        Customer::new(CustomerId::new(1), profile, Timestamp::UNIX_EPOCH)
    }

    fn method(at: i64) -> PaymentMethodId {
        PaymentMethodId::new(CustomerId::new(1), Timestamp::from_millisecond(at).unwrap(), 0)
    }

    #[test]
    fn time_zones_are_those_of_the_database() {
        let zone = TimeZoneName::parse("America/Sao_Paulo").unwrap();
        assert_eq!(zone.as_str(), "America/Sao_Paulo");
        assert!(TimeZoneName::parse("America/Atlantis").is_err());
        assert!(TimeZoneName::parse("").is_err());
    }

    #[test]
    fn only_what_is_the_shops_to_say_is_its_terms() {
        let ours = Profile {
            external_id: Some(ExternalId::parse("crm-1").unwrap()),
            billing_anchor_day: AnchorDay::try_from(5).ok(),
            country: "BR".parse().ok(),
            ..customer().profile
        };
        let hers = Profile {
            name: Name::parse("Ana Souza").unwrap(),
            email: Email::parse("souza@example.com").unwrap(),
            time_zone: TimeZoneName::parse("America/Sao_Paulo").ok(),
            ..ours.clone()
        };
        assert!(ours.has_terms_of(&hers), "what is the customer's own to change");
        for other in [
            Profile { kind: CustomerKind::Merchant, ..ours.clone() },
            Profile { external_id: None, ..ours.clone() },
            Profile { billing_anchor_day: AnchorDay::try_from(6).ok(), ..ours.clone() },
            Profile { country: "PT".parse().ok(), ..ours.clone() },
        ] {
            assert!(!ours.has_terms_of(&other), "{other:?}");
        }
    }

    #[test]
    fn a_changed_customer_is_the_next_version_with_another_profile() {
        let profile = Profile { name: Name::parse("Bia").unwrap(), ..customer().profile };
        let now = Timestamp::from_second(60).unwrap();
        let changed = customer().with_profile(profile.clone(), now);
        assert_eq!((changed.version, changed.updated_at, changed.profile), (2, now, profile));
        assert_eq!(customer().touched(now).touched(now).version, 3);
    }

    #[test]
    fn a_later_method_is_the_default_only_if_asked() {
        let now = Timestamp::UNIX_EPOCH;
        let default = |customer: &Customer| customer.default_payment_method;
        let one = customer().with_added(method(1), false, now);
        assert_eq!(default(&one), Some(method(1)));
        assert_eq!(default(&one.with_added(method(2), false, now)), Some(method(1)));
        let two = one.with_added(method(2), true, now);
        assert_eq!(default(&two), Some(method(2)));
        assert_eq!(default(&two.with_default(method(1), now)), Some(method(1)));
        assert_eq!(default(&two.with_detached(method(1), &[method(2)], now)), Some(method(2)));
        let rest = [method(1), method(4), method(3)];
        assert_eq!(default(&two.with_detached(method(2), &rest, now)), Some(method(4)), "the newest");
    }

    proptest! {
        /// Invariant: never more than one default (it is a pointer), and never none while a method is attached.
        #[test]
        fn there_is_a_default_while_there_is_a_method(steps in prop::collection::vec((0_i64..6, 0_u8..4), 0..40)) {
            let mut customer = customer();
            let mut attached: Vec<PaymentMethodId> = Vec::new();
            for (which, action) in steps {
                let id = method(which);
                let known = attached.contains(&id);
                match action {
                    0 | 1 if !known => {
                        attached.push(id);
                        customer = customer.with_added(id, action == 1, Timestamp::UNIX_EPOCH);
                    }
                    2 if known => {
                        attached.retain(|other| *other != id);
                        customer = customer.with_detached(id, &attached, Timestamp::UNIX_EPOCH);
                    }
                    3 if known => customer = customer.with_default(id, Timestamp::UNIX_EPOCH),
                    _ => {}
                }
                match customer.default_payment_method {
                    Some(default) => prop_assert!(attached.contains(&default)),
                    None => prop_assert!(attached.is_empty()),
                }
            }
        }
    }
}
