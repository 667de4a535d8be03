//! Who is asking, and what they may do: the one place that decides.

mod scope;

pub use scope::{NoSuchScope, Scope, Scopes};

use crate::error::Error;
use fatura_domain::Timestamp;
use fatura_domain::actor::Actor;
use fatura_domain::id::CustomerId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What an API key may do: operators everything, services what a shop's own backend needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyRole {
    Operator,
    Service,
}

impl KeyRole {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Service => "service",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Operator,
    Service,
    Customer(CustomerId),
}

/// Somebody whose credentials were checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Names the credentials, never holds them: `key_…` or a customer's id.
    pub id: String,
    pub role: Role,
    /// What the key is limited to. People aren't: their role says all.
    pub scopes: Scopes,
}

/// What is asked for, where not everybody may ask it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Everything of one customer, by anybody who may act for that customer.
    OwnedBy(CustomerId),
    /// What a customer is asked for or given back, which isn't the customer's own to say.
    BillTo(CustomerId),
    /// The customer says it, or an operator for one who has forgotten it.
    SetPassword(CustomerId),
    CreateCustomers,
    /// Which servers are told of what happens.
    ManageWebhooks,
    /// What there is of all customers together.
    ListOverAll,
    ManageApiKeys,
    /// What keeps the whole going: rules, runs, decisions that no rule can make.
    Operate,
}

impl Caller {
    /// One whom nothing limits but the role.
    pub fn new(id: impl Into<String>, role: Role) -> Self {
        Self { id: id.into(), role, scopes: Scopes::Unlimited }
    }

    /// Its name in what is written down.
    pub fn actor(&self) -> Actor {
        Actor::new(&self.id)
    }

    /// Whether it may do what lies in a scope: its role must, and where the key has scopes, one of them must be this.
    pub fn may_in(&self, scope: Scope, operation: Operation) -> Result<(), Error> {
        self.role_may(operation)?;
        if self.scopes.allow(scope) { Ok(()) } else { Err(Error::OutOfScope(scope)) }
    }

    /// Whether it may do what lies in no scope, such as making keys: never with a key that has scopes, so that none can
    /// get at more than it was given.
    pub fn may(&self, operation: Operation) -> Result<(), Error> {
        self.role_may(operation)?;
        if self.scopes == Scopes::Unlimited { Ok(()) } else { Err(Error::BeyondScopes) }
    }

    /// Forbidden says that this role may never do that. Somebody else's object isn't forbidden but not found, so that
    /// nobody learns what exists.
    fn role_may(&self, operation: Operation) -> Result<(), Error> {
        match (self.role, operation) {
            (Role::Operator, _) => Ok(()),
            // The platform's own journals are no customer's.
            (_, Operation::OwnedBy(CustomerId::PLATFORM)) => Err(Error::NotFound),
            (
                Role::Service,
                Operation::OwnedBy(_)
                | Operation::BillTo(_)
                | Operation::CreateCustomers
                | Operation::ManageWebhooks,
            ) => Ok(()),
            (Role::Customer(own), Operation::OwnedBy(owner) | Operation::SetPassword(owner))
                if own == owner =>
            {
                Ok(())
            }
            (Role::Customer(own), Operation::BillTo(owner)) if own == owner => Err(Error::Forbidden),
            (Role::Customer(_), Operation::OwnedBy(_) | Operation::BillTo(_) | Operation::SetPassword(_)) => {
                Err(Error::NotFound)
            }
            (Role::Service | Role::Customer(_), _) => Err(Error::Forbidden),
        }
    }
}

/// An API key as it is kept: what it may do and how to recognise it, never the key itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    pub id: String,
    pub hash: KeyHash,
    pub role: KeyRole,
    pub scopes: Scopes,
    /// How the key begins: enough to recognise it. None: it was made before that was kept.
    pub prefix: Option<String>,
    pub name: Option<String>,
    pub created_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
}

/// SHA-256 of a key. Keys are random, so a fast hash gives nothing away.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key.as_bytes()).into())
    }

    pub fn from_hex(text: &str) -> Option<Self> {
        let mut hash = [0; 32];
        hex::decode_to_slice(text, &mut hash).ok().map(|()| Self(hash))
    }

    pub fn to_hex(self) -> String {
        hex::encode(self.0)
    }
}

impl std::fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyHash(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(role: Role) -> Caller {
        Caller::new("key_1", role)
    }

    #[test]
    fn the_platforms_own_journals_are_for_operators() {
        let own = Operation::OwnedBy(CustomerId::PLATFORM);
        assert!(caller(Role::Operator).may(own).is_ok());
        for role in [Role::Service, Role::Customer(CustomerId::new(1)), Role::Customer(CustomerId::PLATFORM)]
        {
            assert!(matches!(caller(role).may(own), Err(Error::NotFound)), "{role:?}");
        }
    }

    #[test]
    fn a_scope_takes_away_and_never_gives() {
        let limited = |role| Caller {
            scopes: Scopes::Only([Scope::InvoicesRead, Scope::RunsWrite].into()),
            ..caller(role)
        };
        let owned = Operation::OwnedBy(CustomerId::new(1));
        for role in [Role::Operator, Role::Service] {
            assert!(limited(role).may_in(Scope::InvoicesRead, owned).is_ok());
            let other = limited(role).may_in(Scope::InvoicesWrite, owned);
            assert!(matches!(other, Err(Error::OutOfScope(Scope::InvoicesWrite))), "{role:?}");
            assert!(matches!(limited(role).may(owned), Err(Error::BeyondScopes)), "{role:?}");
        }
        let run = |role| limited(role).may_in(Scope::RunsWrite, Operation::Operate);
        assert!(run(Role::Operator).is_ok());
        assert!(matches!(run(Role::Service), Err(Error::Forbidden)));
        assert!(caller(Role::Service).may_in(Scope::InvoicesWrite, owned).is_ok());
    }

    #[test]
    fn one_table_decides() {
        let (own, other) = (CustomerId::new(1), CustomerId::new(2));
        let operations = [
            Operation::OwnedBy(own),
            Operation::OwnedBy(other),
            Operation::BillTo(own),
            Operation::BillTo(other),
            Operation::SetPassword(own),
            Operation::SetPassword(other),
            Operation::CreateCustomers,
            Operation::ManageWebhooks,
            Operation::ListOverAll,
            Operation::ManageApiKeys,
            Operation::Operate,
        ];
        let answers = |role| {
            operations.map(|operation| match caller(role).may(operation) {
                Ok(()) => "yes",
                Err(Error::NotFound) => "not found",
                Err(_) => "forbidden",
            })
        };
        assert_eq!(answers(Role::Operator), ["yes"; 11]);
        assert_eq!(
            answers(Role::Service),
            [
                "yes",
                "yes",
                "yes",
                "yes",
                "forbidden",
                "forbidden",
                "yes",
                "yes",
                "forbidden",
                "forbidden",
                "forbidden"
            ]
        );
        assert_eq!(
            answers(Role::Customer(own)),
            [
                "yes",
                "not found",
                "forbidden",
                "not found",
                "yes",
                "not found",
                "forbidden",
                "forbidden",
                "forbidden",
                "forbidden",
                "forbidden"
            ]
        );
    }
}
