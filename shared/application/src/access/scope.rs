//! What a key is limited to, where its maker wanted less for it than its role may.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

macro_rules! scopes {
    ($($scope:ident = $name:literal;)*) => {
        /// One thing that a key may be for. Reading and writing are apart, and neither gives the other.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Scope { $($scope),* }

        impl Scope {
            pub const ALL: &'static [Self] = &[$(Self::$scope),*];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$scope => $name),* }
            }
        }
    };
}

scopes! {
    CustomersRead = "customers:read";
    CustomersWrite = "customers:write";
    PaymentMethodsRead = "payment_methods:read";
    PaymentMethodsWrite = "payment_methods:write";
    InvoicesRead = "invoices:read";
    InvoicesWrite = "invoices:write";
    ChargesWrite = "charges:write";
    RefundsWrite = "refunds:write";
    DisputesWrite = "disputes:write";
    BillsRead = "bills:read";
    BillsWrite = "bills:write";
    LineItemsWrite = "line_items:write";
    OrdersRead = "orders:read";
    OrdersWrite = "orders:write";
    RiskAssess = "risk:assess";
    WalletsRead = "wallets:read";
    WalletsWrite = "wallets:write";
    LedgerRead = "ledger:read";
    LedgerWrite = "ledger:write";
    AttentionRead = "attention:read";
    AttentionWrite = "attention:write";
    RunsRead = "runs:read";
    RunsWrite = "runs:write";
    SettingsRead = "settings:read";
    SettingsWrite = "settings:write";
    ServicesRead = "services:read";
    WebhooksManage = "webhooks:manage";
}

impl Scope {
    /// A service may nothing of it, so that a service's key with this scope would be one that opens nothing.
    pub const fn is_for_operators(self) -> bool {
        match self {
            Self::LedgerWrite
            | Self::AttentionRead
            | Self::AttentionWrite
            | Self::RunsRead
            | Self::RunsWrite
            | Self::SettingsRead
            | Self::SettingsWrite
            | Self::ServicesRead => true,
            Self::CustomersRead
            | Self::OrdersRead
            | Self::RiskAssess
            | Self::OrdersWrite
            | Self::WebhooksManage
            | Self::CustomersWrite
            | Self::PaymentMethodsRead
            | Self::PaymentMethodsWrite
            | Self::InvoicesRead
            | Self::InvoicesWrite
            | Self::ChargesWrite
            | Self::RefundsWrite
            | Self::DisputesWrite
            | Self::BillsRead
            | Self::BillsWrite
            | Self::LineItemsWrite
            | Self::WalletsRead
            | Self::WalletsWrite
            | Self::LedgerRead => false,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Not one of our scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoSuchScope;

impl FromStr for Scope {
    type Err = NoSuchScope;

    fn from_str(text: &str) -> Result<Self, NoSuchScope> {
        Self::ALL.iter().copied().find(|scope| scope.as_str() == text).ok_or(NoSuchScope)
    }
}

/// What limits a key. Scopes only ever take away: what the role may not, no scope gives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Scopes {
    /// Nothing: everything that the role may, also what is added later.
    #[default]
    Unlimited,
    Only(BTreeSet<Scope>),
}

impl Scopes {
    pub fn allow(&self, scope: Scope) -> bool {
        match self {
            Self::Unlimited => true,
            Self::Only(scopes) => scopes.contains(&scope),
        }
    }

    /// By name, in one order; None: unlimited.
    pub fn names(&self) -> Option<Vec<&'static str>> {
        match self {
            Self::Unlimited => None,
            Self::Only(scopes) => Some(scopes.iter().map(|scope| scope.as_str()).collect()),
        }
    }

    /// From the names that are on record. A name that this build doesn't know gives nothing: a key may become weaker by
    /// a rollback, never stronger.
    pub fn of_names<'a>(names: Option<impl IntoIterator<Item = &'a str>>) -> Self {
        let known =
            |names: &mut dyn Iterator<Item = &'a str>| names.filter_map(|name| name.parse().ok()).collect();
        names.map_or(Self::Unlimited, |names| Self::Only(known(&mut names.into_iter())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_scopes_and_unknown_ones_give_nothing() {
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(*scope));
        }
        let read = Scopes::of_names(Some(["invoices:read", "moon:read"]));
        assert_eq!(read, Scopes::Only(BTreeSet::from([Scope::InvoicesRead])));
        assert_eq!(read.names().unwrap(), ["invoices:read"]);
        assert_eq!(Scopes::of_names(Some(["moon:read"])), Scopes::Only(BTreeSet::new()));
        assert_eq!(Scopes::of_names(None::<[&str; 0]>), Scopes::Unlimited);
    }
}
