use super::blocklists::Blocklists;
use super::country::Country;
use super::facts::{Facts, Method, Person};
use FactKind::{Integer, Text, Truth};

/// One thing that an expression may ask for: its name, what kind of value it is, and where it is found.
#[derive(Debug, Clone, Copy)]
pub struct Fact {
    /// `group.member`, as expressions write it.
    pub name: &'static str,
    pub kind: FactKind,
    /// It isn't always known: an expression has to ask `has(…)` first.
    pub may_be_absent: bool,
    pub meaning: &'static str,
    read: Read,
}

type Read = fn(&Facts, &Blocklists) -> Option<FactValue>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactKind {
    Integer,
    Text,
    Truth,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactValue {
    Integer(i64),
    Text(String),
    Truth(bool),
}

impl FactKind {
    /// What the language calls it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Integer => "int",
            Self::Text => "string",
            Self::Truth => "bool",
        }
    }
}

impl Fact {
    pub fn named(name: &str) -> Option<&'static Self> {
        FACTS.iter().find(|fact| fact.name == name)
    }

    /// The two halves of its name.
    pub fn path(&self) -> (&'static str, &'static str) {
        self.name.split_once('.').unwrap_or((self.name, ""))
    }

    pub fn read(&self, facts: &Facts, blocklists: &Blocklists) -> Option<FactValue> {
        (self.read)(facts, blocklists)
    }

    const fn known(name: &'static str, kind: FactKind, meaning: &'static str, read: Read) -> Self {
        Self { name, kind, may_be_absent: false, meaning, read }
    }

    const fn perhaps(name: &'static str, kind: FactKind, meaning: &'static str, read: Read) -> Self {
        Self { name, kind, may_be_absent: true, meaning, read }
    }
}

/// The one table of facts: what the checker, the evaluator and the documentation know.
pub const FACTS: [Fact; 20] = [
    Fact::known(
        "amount.minor",
        Integer,
        "in the currency's minor unit: R$ 10.00 is 1000, ¥10 is 10",
        |facts, _| Some(facts.amount.minor().into()),
    ),
    Fact::known("amount.currency", Text, "its code in ISO 4217, such as `BRL`", |facts, _| {
        Some(facts.amount.currency().code().into())
    }),
    Fact::known("customer.id", Text, "who pays", |facts, _| {
        Some(facts.customer.id.to_string().as_str().into())
    }),
    Fact::known("customer.email", Text, "the address, in lower case", |facts, _| {
        Some(person(facts)?.email.as_str().into())
    }),
    Fact::known("customer.age_hours", Integer, "whole hours since the customer was created", |facts, _| {
        Some(person(facts)?.age.as_hours().into())
    }),
    Fact::known("customer.age_days", Integer, "whole days since the customer was created", |facts, _| {
        Some((person(facts)?.age.as_hours() / 24).into())
    }),
    Fact::perhaps("customer.country", Text, "where the customer lives: two letters", |facts, _| {
        person(facts)?.country.map(Into::into)
    }),
    Fact::known(
        "customer.payments",
        Integer,
        "charges that succeeded, among the last 64 movements of the customer's money",
        |facts, _| Some(facts.customer.record.payments.into()),
    ),
    Fact::known(
        "customer.disputes",
        Integer,
        "disputes before, however they ended; 16 is 16 or more",
        |facts, _| Some(facts.customer.record.disputes.into()),
    ),
    Fact::perhaps("payment_method.type", Text, "`credit_card` or `pix`", |facts, _| {
        method(facts).map(|method| method.means.as_str().into())
    }),
    Fact::perhaps(
        "payment_method.brand",
        Text,
        "the card's network in lower case, such as `visa`",
        |facts, _| method(facts)?.brand.as_deref().map(Into::into),
    ),
    Fact::perhaps("payment_method.country", Text, "where the card was issued: two letters", |facts, _| {
        method(facts)?.country.map(Into::into)
    }),
    Fact::known(
        "velocity.attempts_hour",
        Integer,
        "charges tried in the last hour; 32 is 32 or more",
        |facts, _| Some(facts.velocity.attempts_hour.into()),
    ),
    Fact::known(
        "velocity.attempts_day",
        Integer,
        "charges tried in the last 24 hours; 32 is 32 or more",
        |facts, _| Some(facts.velocity.attempts_day.into()),
    ),
    Fact::known(
        "velocity.cards_hour",
        Integer,
        "different cards tried in the last hour; 16 is 16 or more",
        |facts, _| Some(facts.velocity.cards_hour.into()),
    ),
    Fact::known(
        "velocity.cards_day",
        Integer,
        "different cards tried in the last 24 hours; 16 is 16 or more",
        |facts, _| Some(facts.velocity.cards_day.into()),
    ),
    Fact::known("blocked.customer", Truth, "the customer is on the blocklist", |facts, lists| {
        Some(lists.block_customer(facts).into())
    }),
    Fact::known("blocked.payment_method", Truth, "the payment method is on the blocklist", |facts, lists| {
        Some(lists.block_payment_method(facts).into())
    }),
    Fact::known("blocked.email", Truth, "the address is on the blocklist, or its domain", |facts, lists| {
        lists.block_email(facts).map(Into::into)
    }),
    Fact::known(
        "blocked.country",
        Truth,
        "the customer's country is on the blocklist, or the card's",
        |facts, lists| lists.block_country(facts).map(Into::into),
    ),
];

const fn person(facts: &Facts) -> Option<&Person> {
    facts.customer.person.as_ref()
}

const fn method(facts: &Facts) -> Option<&Method> {
    facts.method.as_ref()
}

impl FactValue {
    pub const fn kind(&self) -> FactKind {
        match self {
            Self::Integer(_) => Integer,
            Self::Text(_) => Text,
            Self::Truth(_) => Truth,
        }
    }
}

impl From<i64> for FactValue {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<u32> for FactValue {
    fn from(value: u32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<&str> for FactValue {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<Country> for FactValue {
    fn from(value: Country) -> Self {
        Self::Text(value.into())
    }
}

impl From<bool> for FactValue {
    fn from(value: bool) -> Self {
        Self::Truth(value)
    }
}
