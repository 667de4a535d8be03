use crate::gateway::GatewayName;
use crate::money::{Currency, Money};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use thiserror::Error;

/// A ledger account. Who pays is a customer, never an account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Account {
    /// Money that a gateway holds for us until it pays out.
    GatewayClearing(GatewayName),
    Revenue,
    /// Money that arrived for nothing that was owed: it goes back.
    Unapplied,
    Chargebacks,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Debit,
    Credit,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub account: Account,
    pub direction: Direction,
    pub amount: Money,
}

/// A balanced set of entries: in each currency debits equal credits, and no entry is zero or negative.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Entry>", into = "Vec<Entry>")]
pub struct Journal(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JournalError {
    #[error("a journal has at least two entries")]
    Incomplete,
    #[error("an entry's amount must be greater than zero")]
    NotPositive,
    #[error("debits and credits differ in {0}")]
    Unbalanced(Currency),
}

impl Journal {
    pub fn try_new(entries: Vec<Entry>) -> Result<Self, JournalError> {
        if entries.len() < 2 {
            return Err(JournalError::Incomplete);
        }
        let mut balances: HashMap<Currency, i128> = HashMap::new();
        for entry in &entries {
            if !entry.amount.is_positive() {
                return Err(JournalError::NotPositive);
            }
            let signed = i128::from(entry.amount.minor());
            *balances.entry(entry.amount.currency()).or_default() += match entry.direction {
                Direction::Debit => signed,
                Direction::Credit => -signed,
            };
        }
        match balances.into_iter().find(|(_, balance)| *balance != 0) {
            Some((currency, _)) => Err(JournalError::Unbalanced(currency)),
            None => Ok(Self(entries)),
        }
    }

    /// The same amount from one account to another; balanced whatever it is, as long as it is something.
    pub fn transfer(debit: Account, credit: Account, amount: Money) -> Result<Self, JournalError> {
        let entry = |account, direction| Entry { account, direction, amount };
        Self::try_new(vec![entry(debit, Direction::Debit), entry(credit, Direction::Credit)])
    }

    pub fn entries(&self) -> &[Entry] {
        &self.0
    }
}

impl TryFrom<Vec<Entry>> for Journal {
    type Error = JournalError;

    fn try_from(entries: Vec<Entry>) -> Result<Self, JournalError> {
        Self::try_new(entries)
    }
}

impl From<Journal> for Vec<Entry> {
    fn from(journal: Journal) -> Self {
        journal.0
    }
}

const GATEWAY_CLEARING: &str = "gateway_clearing:";

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GatewayClearing(gateway) => write!(f, "{GATEWAY_CLEARING}{gateway}"),
            Self::Revenue => f.write_str("revenue"),
            Self::Unapplied => f.write_str("unapplied"),
            Self::Chargebacks => f.write_str("chargebacks"),
        }
    }
}

impl From<Account> for String {
    fn from(account: Account) -> Self {
        account.to_string()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no such ledger account: {0}")]
pub struct UnknownAccount(String);

impl TryFrom<String> for Account {
    type Error = UnknownAccount;

    fn try_from(name: String) -> Result<Self, UnknownAccount> {
        let gateway =
            name.strip_prefix(GATEWAY_CLEARING).and_then(|gateway| GatewayName::parse(gateway).ok());
        match (gateway, name.as_str()) {
            (Some(gateway), _) => Ok(Self::GatewayClearing(gateway)),
            (None, "revenue") => Ok(Self::Revenue),
            (None, "unapplied") => Ok(Self::Unapplied),
            (None, "chargebacks") => Ok(Self::Chargebacks),
            (None, _) => Err(UnknownAccount(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn money(minor: i64, currency: Currency) -> Money {
        Money::try_new(minor, currency).unwrap()
    }

    #[test]
    fn each_currency_balances_by_itself() {
        let entry = |direction, amount| Entry { account: Account::Revenue, direction, amount };
        let (debit, credit) = (Direction::Debit, Direction::Credit);
        assert!(
            Journal::try_new(vec![
                entry(debit, money(5, Currency::BRL)),
                entry(credit, money(5, Currency::BRL))
            ])
            .is_ok()
        );
        assert!(
            Journal::try_new(vec![
                entry(debit, money(5, Currency::BRL)),
                entry(credit, money(5, Currency::USD))
            ])
            .is_err()
        );
        assert_eq!(Journal::try_new(vec![]), Err(JournalError::Incomplete));
        let nothing = money(0, Currency::BRL);
        assert_eq!(
            Journal::try_new(vec![entry(debit, nothing), entry(credit, nothing)]),
            Err(JournalError::NotPositive)
        );
    }

    #[test]
    fn accounts_are_read_back() {
        for account in [
            Account::GatewayClearing(GatewayName::parse("sandbox").unwrap()),
            Account::Revenue,
            Account::Unapplied,
            Account::Chargebacks,
        ] {
            assert_eq!(Account::try_from(account.to_string()), Ok(account));
        }
        assert!(Account::try_from("gateway_clearing:".to_owned()).is_err());
    }

    proptest! {
        #[test]
        fn a_journal_exists_only_if_it_balances(minors in prop::collection::vec(1_i64..1_000, 2..8), debits: [bool; 8]) {
            let entries: Vec<Entry> = minors.iter().zip(debits).map(|(&minor, debit)| Entry {
                account: Account::Revenue,
                direction: if debit { Direction::Debit } else { Direction::Credit },
                amount: money(minor, Currency::BRL),
            }).collect();
            let sum: i64 = minors.iter().zip(debits).map(|(minor, debit)| if debit { *minor } else { -minor }).sum();
            prop_assert_eq!(Journal::try_new(entries).is_ok(), sum == 0);
        }
    }
}
