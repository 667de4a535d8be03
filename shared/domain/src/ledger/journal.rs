use super::account::Account;
use crate::id::CustomerId;
use crate::money::{Currency, Money, MoneyError};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Debit,
    Credit,
}

impl Direction {
    pub const ALL: [Self; 2] = [Self::Debit, Self::Credit];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debit => "debit",
            Self::Credit => "credit",
        }
    }

    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Debit => Self::Credit,
            Self::Credit => Self::Debit,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub account: Account,
    pub direction: Direction,
    pub amount: Money,
}

impl Entry {
    /// What it adds to its account's balance, in minor units: an account grows on its own side.
    pub fn signed_minor(&self) -> i128 {
        self.towards(self.account.normal_side())
    }

    /// The same where the side is named.
    fn towards(&self, side: Direction) -> i128 {
        let minor = i128::from(self.amount.minor());
        if self.direction == side { minor } else { -minor }
    }
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
        let mut balances: BTreeMap<Currency, i128> = BTreeMap::new();
        for entry in &entries {
            if !entry.amount.is_positive() {
                return Err(JournalError::NotPositive);
            }
            *balances.entry(entry.amount.currency()).or_default() += entry.towards(Direction::Debit);
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

    /// The same accounts the other way round: what undoes it.
    #[must_use]
    pub fn reversed(&self) -> Self {
        let other = |entry: &Entry| Entry { direction: entry.direction.other(), ..entry.clone() };
        Self(self.0.iter().map(other).collect())
    }

    /// The entries that balance by themselves and name a customer: all there is to tell that customer of a journal that
    /// is several put together. The whole, where nothing balances earlier.
    #[must_use]
    pub fn part_of(&self, customer: CustomerId) -> Self {
        let mut part = Vec::new();
        let (mut open, mut balances) = (Vec::new(), BTreeMap::<Currency, i128>::new());
        for entry in &self.0 {
            *balances.entry(entry.amount.currency()).or_default() += entry.towards(Direction::Debit);
            open.push(entry.clone());
            if balances.values().all(|balance| *balance == 0) {
                let closed = std::mem::take(&mut open);
                if closed.iter().any(|entry| entry.account.customer() == Some(customer)) {
                    part.extend(closed);
                }
            }
        }
        Self(part)
    }

    /// What moves of one currency.
    pub fn moved_in(&self, currency: Currency) -> Result<Money, MoneyError> {
        let debits = self.0.iter().filter(|entry| entry.direction == Direction::Debit);
        Money::sum(currency, debits.map(|entry| entry.amount).filter(|amount| amount.currency() == currency))
    }

    /// The same with what moves in these customers' wallets booked as owed instead.
    #[must_use]
    pub fn owed_beside(&self, wallets: &BTreeSet<CustomerId>) -> Self {
        let beside = |entry: &Entry| match entry.account {
            Account::Wallet(customer) if wallets.contains(&customer) => {
                Entry { account: Account::MerchantPayable(customer), ..entry.clone() }
            }
            _ => entry.clone(),
        };
        Self(self.0.iter().map(beside).collect())
    }

    /// The customers whose accounts it moves, the first one first.
    pub fn customers(&self) -> Vec<CustomerId> {
        let mut known = BTreeSet::new();
        let named = self.0.iter().filter_map(|entry| entry.account.customer());
        named.filter(|customer| known.insert(*customer)).collect()
    }

    /// How it moves wallets: more or less in each, never nothing.
    pub fn wallets(&self) -> Vec<(CustomerId, Currency, i128)> {
        let mut moved: BTreeMap<(CustomerId, Currency), i128> = BTreeMap::new();
        for entry in &self.0 {
            if let Account::Wallet(customer) = entry.account {
                *moved.entry((customer, entry.amount.currency())).or_default() += entry.signed_minor();
            }
        }
        let moved = moved.into_iter().filter(|(_, minor)| *minor != 0);
        moved.map(|((customer, currency), minor)| (customer, currency, minor)).collect()
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
        // The first of them by code, however often one asks.
        let unbalanced = [Currency::USD, Currency::JPY, Currency::KWD, Currency::EUR, Currency::BRL];
        let entries = unbalanced.map(|currency| entry(debit, money(5, currency)));
        assert_eq!(Journal::try_new(entries.to_vec()), Err(JournalError::Unbalanced(Currency::BRL)));
        assert_eq!(Journal::try_new(vec![]), Err(JournalError::Incomplete));
        let nothing = money(0, Currency::BRL);
        assert_eq!(
            Journal::try_new(vec![entry(debit, nothing), entry(credit, nothing)]),
            Err(JournalError::NotPositive)
        );
    }

    #[test]
    fn a_reversal_undoes_each_entry() {
        let (ana, bea) = (Account::Wallet(CustomerId::new(1)), Account::Wallet(CustomerId::new(2)));
        let journal = Journal::transfer(ana, bea, money(700, Currency::BRL)).unwrap();
        assert_eq!(
            journal.wallets(),
            [(CustomerId::new(1), Currency::BRL, -700), (CustomerId::new(2), Currency::BRL, 700)]
        );
        assert_eq!(
            journal.reversed().wallets(),
            [(CustomerId::new(1), Currency::BRL, 700), (CustomerId::new(2), Currency::BRL, -700)]
        );
        assert_eq!(journal.reversed().reversed(), journal);
        assert_eq!(journal.customers(), [CustomerId::new(1), CustomerId::new(2)]);
    }

    #[test]
    fn what_moves_is_told_for_each_currency() {
        let real = Journal::transfer(Account::Bank, Account::Revenue, money(700, Currency::BRL)).unwrap();
        let dollars = Journal::transfer(Account::Bank, Account::Fees, money(99, Currency::USD)).unwrap();
        let both = Journal::try_new([real.entries(), dollars.entries()].concat()).unwrap();
        assert_eq!(both.moved_in(Currency::BRL), Ok(money(700, Currency::BRL)));
        assert_eq!(both.moved_in(Currency::USD), Ok(money(99, Currency::USD)));
        assert_eq!(both.moved_in(Currency::EUR), Ok(money(0, Currency::EUR)));
    }

    #[test]
    fn a_journal_is_stored_as_its_entries_and_read_back_only_if_it_balances() {
        let journal = Journal::transfer(Account::Bank, Account::Revenue, money(700, Currency::BRL)).unwrap();
        let stored = serde_json::to_string(&journal).unwrap();
        assert_eq!(serde_json::from_str::<Journal>(&stored).unwrap(), journal);
        assert!(serde_json::from_str::<Journal>(&stored.replacen("700", "701", 1)).is_err());
    }

    #[test]
    fn a_wallet_that_gets_what_it_gives_does_not_move() {
        let wallet = Account::Wallet(CustomerId::new(1));
        let journal = Journal::transfer(wallet.clone(), wallet, money(5, Currency::BRL)).unwrap();
        assert_eq!(journal.wallets(), []);
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
