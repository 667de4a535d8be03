use super::country::Country;
use super::velocity::Counts;
use crate::customer::{Customer, PaymentMethod};
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
    pub email: Email,
    /// Since the customer was created.
    pub age: SignedDuration,
    pub country: Option<Country>,
    pub record: Record,
}

/// How it went with this customer before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Record {
    /// Charges that succeeded.
    pub payments: u32,
    /// Disputes of whatever outcome.
    pub disputes: u32,
}

/// What is paid with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    pub id: PaymentMethodId,
    pub means: MeansType,
    /// The card's network in lower case, where the gateway told it.
    pub brand: Option<String>,
    /// Where the card was issued, where the gateway told it.
    pub country: Option<Country>,
}

impl Buyer {
    pub fn of(customer: &Customer, country: Option<Country>, record: Record, now: Timestamp) -> Self {
        Self {
            id: customer.id,
            email: customer.profile.email.clone(),
            // Clocks differ: nobody is younger than new.
            age: now.duration_since(customer.created_at).max(SignedDuration::ZERO),
            country,
            record,
        }
    }
}

impl Method {
    pub fn of(method: &PaymentMethod, country: Option<Country>) -> Self {
        Self { id: method.id, means: method.means(), brand: method.brand().map(str::to_lowercase), country }
    }
}
