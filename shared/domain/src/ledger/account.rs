//! The chart of accounts: every account that there is, with its side and whose it is.

use super::journal::Direction;
use crate::gateway::GatewayName;
use crate::id::CustomerId;
use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

/// A ledger account. Who pays for an invoice is a customer, never an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Account {
    /// The platform's own money at its bank.
    Bank,
    /// Money that a gateway holds for us until it pays out.
    GatewayClearing(GatewayName),
    /// What a customer owes.
    Receivables(CustomerId),
    Revenue,
    /// What gateways and banks take for their work.
    Fees,
    /// What banks took back, until it is reinstated.
    Chargebacks,
    /// Money that arrived for nothing that was owed: it goes back.
    Unapplied,
    /// What we keep for a customer, to be spent or paid out.
    Wallet(CustomerId),
    /// What we owe a merchant.
    MerchantPayable(CustomerId),
}

/// Whose money an account counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    Platform,
    Customer(CustomerId),
}

impl Account {
    /// Debits make an asset or an expense larger; credits what is owed or earned.
    pub const fn normal_side(&self) -> Direction {
        match self {
            Self::Bank | Self::GatewayClearing(_) | Self::Receivables(_) | Self::Fees | Self::Chargebacks => {
                Direction::Debit
            }
            Self::Revenue | Self::Unapplied | Self::Wallet(_) | Self::MerchantPayable(_) => Direction::Credit,
        }
    }

    pub const fn owner(&self) -> Owner {
        match self {
            Self::Receivables(customer) | Self::Wallet(customer) | Self::MerchantPayable(customer) => {
                Owner::Customer(*customer)
            }
            Self::Bank
            | Self::GatewayClearing(_)
            | Self::Revenue
            | Self::Fees
            | Self::Chargebacks
            | Self::Unapplied => Owner::Platform,
        }
    }

    pub const fn customer(&self) -> Option<CustomerId> {
        match self.owner() {
            Owner::Customer(customer) => Some(customer),
            Owner::Platform => None,
        }
    }

    /// The account of the platform's books that this one is part of: all wallets are one there.
    pub fn general(&self) -> GeneralAccount {
        match self {
            Self::Bank => GeneralAccount::Bank,
            Self::GatewayClearing(gateway) => GeneralAccount::GatewayClearing(gateway.clone()),
            Self::Receivables(_) => GeneralAccount::Receivables,
            Self::Revenue => GeneralAccount::Revenue,
            Self::Fees => GeneralAccount::Fees,
            Self::Chargebacks => GeneralAccount::Chargebacks,
            Self::Unapplied => GeneralAccount::Unapplied,
            Self::Wallet(_) => GeneralAccount::Wallets,
            Self::MerchantPayable(_) => GeneralAccount::MerchantPayables,
        }
    }
}

/// An account of the platform's books, where those of all customers are summed up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum GeneralAccount {
    Bank,
    GatewayClearing(GatewayName),
    Receivables,
    Revenue,
    Fees,
    Chargebacks,
    Unapplied,
    Wallets,
    MerchantPayables,
}

impl GeneralAccount {
    pub const fn normal_side(&self) -> Direction {
        match self {
            Self::Bank | Self::GatewayClearing(_) | Self::Receivables | Self::Fees | Self::Chargebacks => {
                Direction::Debit
            }
            Self::Revenue | Self::Unapplied | Self::Wallets | Self::MerchantPayables => Direction::Credit,
        }
    }

    /// Those that there is one of.
    const NAMED: [(&str, Self); 8] = [
        ("bank", Self::Bank),
        ("receivables", Self::Receivables),
        ("revenue", Self::Revenue),
        ("fees", Self::Fees),
        ("chargebacks", Self::Chargebacks),
        ("unapplied", Self::Unapplied),
        ("wallet", Self::Wallets),
        ("merchant_payable", Self::MerchantPayables),
    ];

    fn name(&self) -> &'static str {
        let named = Self::NAMED.iter().find(|(_, account)| account == self);
        named.map_or(GATEWAY_CLEARING, |(name, _)| name)
    }
}

const GATEWAY_CLEARING: &str = "gateway_clearing";

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("must be a ledger account, such as bank, revenue, gateway_clearing:sandbox or wallet:cus_...")]
pub struct UnknownAccount;

/// A general account's name, and behind a colon whose it is, if there are several.
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.general().fmt(f)?;
        self.customer().map_or(Ok(()), |customer| write!(f, ":{customer}"))
    }
}

impl fmt::Display for GeneralAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::GatewayClearing(gateway) => write!(f, ":{gateway}"),
            _ => Ok(()),
        }
    }
}

impl Account {
    pub fn parse(name: &str) -> Result<Self, UnknownAccount> {
        let (general, customer) = match name.split_once(':') {
            Some((general, whose)) if general != GATEWAY_CLEARING => {
                (general, Some(whose.parse::<CustomerId>().map_err(|_| UnknownAccount)?))
            }
            _ => (name, None),
        };
        match (GeneralAccount::parse(general)?, customer) {
            (GeneralAccount::Receivables, Some(customer)) => Ok(Self::Receivables(customer)),
            (GeneralAccount::Wallets, Some(customer)) => Ok(Self::Wallet(customer)),
            (GeneralAccount::MerchantPayables, Some(customer)) => Ok(Self::MerchantPayable(customer)),
            (GeneralAccount::Bank, None) => Ok(Self::Bank),
            (GeneralAccount::GatewayClearing(gateway), None) => Ok(Self::GatewayClearing(gateway)),
            (GeneralAccount::Revenue, None) => Ok(Self::Revenue),
            (GeneralAccount::Fees, None) => Ok(Self::Fees),
            (GeneralAccount::Chargebacks, None) => Ok(Self::Chargebacks),
            (GeneralAccount::Unapplied, None) => Ok(Self::Unapplied),
            _ => Err(UnknownAccount),
        }
    }
}

impl GeneralAccount {
    pub fn parse(name: &str) -> Result<Self, UnknownAccount> {
        if let Some((_, account)) = Self::NAMED.into_iter().find(|(known, _)| *known == name) {
            return Ok(account);
        }
        let gateway = name.strip_prefix(GATEWAY_CLEARING).and_then(|rest| rest.strip_prefix(':'));
        let gateway = gateway.and_then(|gateway| GatewayName::parse(gateway).ok());
        gateway.map(Self::GatewayClearing).ok_or(UnknownAccount)
    }
}

macro_rules! stored_by_name {
    ($($account:ident)*) => { $(
        impl TryFrom<String> for $account {
            type Error = UnknownAccount;

            fn try_from(name: String) -> Result<Self, UnknownAccount> {
                Self::parse(&name)
            }
        }

        impl From<$account> for String {
            fn from(account: $account) -> Self {
                account.to_string()
            }
        }
    )* };
}

stored_by_name!(Account GeneralAccount);

#[cfg(test)]
mod tests {
    use super::*;

    fn chart() -> [Account; 9] {
        let customer = CustomerId::new(42);
        [
            Account::Bank,
            Account::GatewayClearing(GatewayName::parse("sandbox").unwrap()),
            Account::Receivables(customer),
            Account::Revenue,
            Account::Fees,
            Account::Chargebacks,
            Account::Unapplied,
            Account::Wallet(customer),
            Account::MerchantPayable(customer),
        ]
    }

    #[test]
    fn accounts_are_read_back() {
        for account in chart() {
            assert_eq!(Account::parse(&account.to_string()), Ok(account.clone()));
            let general = account.general();
            assert_eq!(GeneralAccount::parse(&general.to_string()), Ok(general.clone()));
            assert_eq!(general.normal_side(), account.normal_side(), "{account}");
        }
    }

    #[test]
    fn their_names_are_what_is_stored() {
        let names = chart().map(|account| account.to_string());
        assert_eq!(
            names,
            [
                "bank",
                "gateway_clearing:sandbox",
                "receivables:cus_00000000001A",
                "revenue",
                "fees",
                "chargebacks",
                "unapplied",
                "wallet:cus_00000000001A",
                "merchant_payable:cus_00000000001A",
            ]
        );
    }

    #[test]
    fn what_is_no_account_is_refused() {
        for name in [
            "",
            "gateway_clearing",
            "gateway_clearing:",
            "gateway_clearing:Sandbox",
            "wallet",
            "wallet:",
            "wallet:cus_1",
            "revenue:cus_00000000001A",
            "bank:",
            "cash",
        ] {
            assert_eq!(Account::parse(name), Err(UnknownAccount), "{name}");
        }
        assert_eq!(GeneralAccount::parse("wallet"), Ok(GeneralAccount::Wallets));
        assert_eq!(GeneralAccount::parse("wallet:cus_00000000001A"), Err(UnknownAccount));
    }
}
