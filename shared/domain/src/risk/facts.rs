use super::country::Country;
use super::velocity::Counts;
use crate::customer::{Customer, PaymentMethod, PaymentSource};
use crate::gateway::MeansType;
use crate::id::{CustomerId, PaymentMethodId};
use crate::money::Money;
use crate::text::Email;
use crate::{SignedDuration, Timestamp};

/// Everything that a rule may ask about a charge. What each is called in an expression stands in [`FACTS`](super::FACTS).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    pub amount: Money,
    pub customer: Buyer,
    /// None: somebody asks before the customer has said how to pay.
    pub method: Option<Method>,
    pub velocity: Counts,
}

/// Who pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buyer {
    pub id: CustomerId,
    /// None: no rule asks for it, and it wasn't looked up.
    pub person: Option<Person>,
    pub record: Record,
}

/// What the customer's own item says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub email: Email,
    /// Since the customer was created.
    pub age: SignedDuration,
    pub country: Option<Country>,
}

/// How it went with this customer before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Record {
    /// Charges that succeeded.
    pub payments: u32,
    /// Disputes of whatever outcome.
    pub disputes: u32,
}

impl Record {
    /// The latest movements of a customer's money among which payments are counted: what is known by then doesn't change.
    pub const MOST_MOVEMENTS: u16 = 64;
    pub const MOST_DISPUTES: u16 = 16;
}

/// What is paid with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    pub id: PaymentMethodId,
    pub means: MeansType,
    /// The card's network in lower case, where the shop told it.
    pub brand: Option<String>,
    /// Where the card was issued, where the shop told it.
    pub country: Option<Country>,
}

impl Person {
    pub fn of(customer: &Customer, now: Timestamp) -> Self {
        Self {
            email: customer.profile.email.clone(),
            // Clocks differ: nobody is younger than new.
            age: now.duration_since(customer.created_at).max(SignedDuration::ZERO),
            country: customer.profile.country,
        }
    }
}

impl Method {
    pub fn of(source: &PaymentSource) -> Self {
        let card = source.card.as_ref();
        Self {
            id: source.method,
            means: source.means.kind(),
            brand: card.and_then(|card| card.brand.as_ref()).map(|brand| brand.as_str().to_lowercase()),
            country: card.and_then(|card| card.country),
        }
    }
}

impl From<&PaymentMethod> for Method {
    fn from(method: &PaymentMethod) -> Self {
        let brand = method.brand().map(str::to_lowercase);
        Self { id: method.id, means: method.means(), brand, country: method.country() }
    }
}
