//! Running balances: what an account has after each entry.

use super::account::{Account, GeneralAccount};
use super::journal::{Direction, Entry};
use super::transaction::Transaction;
use crate::money::{Currency, Money, MoneyError};
use std::collections::{BTreeMap, BTreeSet};

/// What accounts have, by currency. An account that nothing was ever posted to isn't there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Balances(BTreeMap<(Account, Currency), i128>);

impl Balances {
    /// What the entry's account has after it.
    pub fn post(&mut self, entry: &Entry) -> i128 {
        let balance = self.0.entry((entry.account.clone(), entry.amount.currency())).or_default();
        *balance += entry.signed_minor();
        *balance
    }

    pub fn post_all(&mut self, transaction: &Transaction) {
        for entry in transaction.journal.entries() {
            self.post(entry);
        }
    }

    pub fn of(&self, account: &Account, currency: Currency) -> i128 {
        self.0.get(&(account.clone(), currency)).copied().unwrap_or_default()
    }

    /// The currencies that were ever posted to an account.
    pub fn currencies_of(&self, account: &Account) -> impl Iterator<Item = Currency> {
        self.0.keys().filter(move |(known, _)| known == account).map(|(_, currency)| *currency)
    }

    /// Each account's, by its name and currency.
    pub fn each(&self) -> Result<Vec<(&Account, Money)>, MoneyError> {
        let each = self.0.iter();
        each.map(|((account, currency), minor)| Ok((account, amount(*minor, *currency)?))).collect()
    }
}

/// Movements in order, each entry with what its account had then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// What accounts had before the first of them.
    pub opening: Balances,
    pub closing: Balances,
    pub movements: Vec<StatementLine>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementLine {
    pub transaction: Transaction,
    /// After each entry of its journal.
    pub balances: Vec<Money>,
}

impl Statement {
    pub fn of(opening: Balances, transactions: Vec<Transaction>) -> Result<Self, MoneyError> {
        let mut closing = opening.clone();
        let mut movements = Vec::with_capacity(transactions.len());
        for transaction in transactions {
            let entries = transaction.journal.entries().iter();
            let balances = entries.map(|entry| amount(closing.post(entry), entry.amount.currency()));
            let balances = balances.collect::<Result<_, _>>()?;
            movements.push(StatementLine { transaction, balances });
        }
        Ok(Self { opening, closing, movements })
    }
}

/// What was ever posted to the platform's accounts: all debits and all credits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals(BTreeMap<(GeneralAccount, Currency), Turnover>);

/// The two sides of an account, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Turnover {
    pub debits: i128,
    pub credits: i128,
}

impl Turnover {
    /// What the account has, on its own side.
    pub const fn balance(self, side: Direction) -> i128 {
        match side {
            Direction::Debit => self.debits - self.credits,
            Direction::Credit => self.credits - self.debits,
        }
    }
}

impl Totals {
    /// One that only mirrors another is that other one's matter.
    pub fn count(&mut self, transaction: &Transaction) {
        if transaction.mirrors.is_some() {
            return;
        }
        for entry in transaction.journal.entries() {
            let minor = i128::from(entry.amount.minor());
            let (debits, credits) = match entry.direction {
                Direction::Debit => (minor, 0),
                Direction::Credit => (0, minor),
            };
            self.add(entry.account.general(), entry.amount.currency(), Turnover { debits, credits });
        }
    }

    pub fn add(&mut self, account: GeneralAccount, currency: Currency, more: Turnover) {
        let turnover = self.0.entry((account, currency)).or_default();
        turnover.debits += more.debits;
        turnover.credits += more.credits;
    }

    pub fn merge(&mut self, other: &Self) {
        for ((account, currency), turnover) in &other.0 {
            self.add(account.clone(), *currency, *turnover);
        }
    }

    pub fn each(&self) -> impl Iterator<Item = (&GeneralAccount, Currency, Turnover)> {
        self.0.iter().map(|((account, currency), turnover)| (account, *currency, *turnover))
    }

    /// Debits less credits by currency: nothing in each, or the books are wrong.
    pub fn trial_balance(&self) -> BTreeMap<Currency, i128> {
        let mut left = BTreeMap::new();
        for (_, currency, turnover) in self.each() {
            *left.entry(currency).or_default() += turnover.debits - turnover.credits;
        }
        left
    }

    /// What these have and the others haven't, by account: nothing where both say the same.
    pub fn differences(&self, other: &Self) -> Vec<(GeneralAccount, Currency, Turnover, Turnover)> {
        let keys: BTreeSet<_> = self.0.keys().chain(other.0.keys()).collect();
        let of = |totals: &Self, key| totals.0.get(key).copied().unwrap_or_default();
        let both = keys.into_iter().map(|key| (key.0.clone(), key.1, of(self, key), of(other, key)));
        both.filter(|(_, _, one, another)| one != another).collect()
    }
}

pub fn amount(minor: i128, currency: Currency) -> Result<Money, MoneyError> {
    Money::try_new(i64::try_from(minor).map_err(|_| MoneyError::TooLarge)?, currency)
}
