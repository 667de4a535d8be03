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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::Actor;
    use crate::id::CustomerId;
    use crate::ledger::{Journal, Posting};
    use crate::money::MAX_MINOR;
    use crate::text::Description;
    use crate::{Moment, Timestamp};

    fn wallet() -> Account {
        Account::Wallet(CustomerId::new(1))
    }

    fn money(minor: i64, currency: Currency) -> Money {
        Money::try_new(minor, currency).unwrap()
    }

    fn moved(debit: Account, credit: Account, amount: Money) -> Transaction {
        let entries = Journal::transfer(debit, credit, amount).unwrap().into();
        let posting = Posting::try_new(Description::parse("moved").unwrap(), entries).unwrap();
        let now = Timestamp::from_millisecond(1_793_620_800_000).unwrap();
        posting.booked(Actor::new("key_1"), Moment { now, entropy: 7 }).unwrap()
    }

    /// 7.00 in, 2.50 of it for something of ours, and 1.00 in dollars.
    fn movements() -> Vec<Transaction> {
        vec![
            moved(Account::Bank, wallet(), money(700, Currency::BRL)),
            moved(wallet(), Account::Revenue, money(250, Currency::BRL)),
            moved(Account::Bank, wallet(), money(100, Currency::USD)),
        ]
    }

    fn totals() -> Totals {
        let mut totals = Totals::default();
        for movement in movements() {
            totals.count(&movement);
        }
        totals
    }

    fn turnover(debits: i128, credits: i128) -> Turnover {
        Turnover { debits, credits }
    }

    #[test]
    fn each_entry_has_what_its_account_had_then() {
        let mut opening = Balances::default();
        opening.post_all(&moved(Account::Bank, wallet(), money(500, Currency::BRL)));
        let statement = Statement::of(opening.clone(), movements()).unwrap();
        let after: Vec<Vec<i64>> = statement
            .movements
            .iter()
            .map(|line| line.balances.iter().map(|balance| balance.minor()).collect())
            .collect();
        assert_eq!(after, [[1_200, 1_200], [950, 250], [100, 100]]);
        assert_eq!(statement.opening, opening);
        assert_eq!(statement.opening.of(&wallet(), Currency::BRL), 500);
        assert_eq!(statement.closing.of(&wallet(), Currency::BRL), 950);
        assert_eq!(statement.closing.of(&wallet(), Currency::EUR), 0, "nothing was ever posted to it");
        assert!(statement.closing.currencies_of(&wallet()).eq([Currency::BRL, Currency::USD]));
        assert!(statement.closing.currencies_of(&Account::Revenue).eq([Currency::BRL]));
        let all = statement.closing.each().unwrap();
        let all: Vec<(String, i64)> =
            all.iter().map(|(account, has)| (account.to_string(), has.minor())).collect();
        let of_hers = wallet().to_string();
        let expected = [("bank", 1_200), ("bank", 100), ("revenue", 250), (&of_hers, 950), (&of_hers, 100)];
        assert_eq!(all, expected.map(|(name, has)| (name.to_owned(), has)));
    }

    #[test]
    fn the_platforms_accounts_count_both_sides() {
        let each: Vec<_> =
            totals().each().map(|(of, currency, sides)| (of.clone(), currency, sides)).collect();
        assert_eq!(
            each,
            [
                (GeneralAccount::Bank, Currency::BRL, turnover(700, 0)),
                (GeneralAccount::Bank, Currency::USD, turnover(100, 0)),
                (GeneralAccount::Revenue, Currency::BRL, turnover(0, 250)),
                (GeneralAccount::Wallets, Currency::BRL, turnover(250, 700)),
                (GeneralAccount::Wallets, Currency::USD, turnover(0, 100)),
            ]
        );
        assert_eq!(turnover(250, 700).balance(Direction::Credit), 450);
        assert_eq!(turnover(250, 700).balance(Direction::Debit), -450);
    }

    #[test]
    fn what_only_mirrors_another_counts_for_nothing() {
        let [movement, ..] = &movements()[..] else { unreachable!("there are three") };
        let mut totals = totals();
        totals.count(&Transaction { mirrors: Some(movement.id), ..movement.clone() });
        assert_eq!(totals, self::totals());
    }

    #[test]
    fn totals_of_parts_add_up() {
        let mut twice = totals();
        twice.merge(&totals());
        let bank = twice.each().next().map(|(_, _, sides)| sides);
        let wallets = twice.each().nth(3).map(|(_, _, sides)| sides);
        assert_eq!((bank, wallets), (Some(turnover(1_400, 0)), Some(turnover(500, 1_400))));
    }

    #[test]
    fn the_trial_balance_shows_what_has_no_other_side() {
        let mut totals = totals();
        let even = [(Currency::BRL, 0), (Currency::USD, 0)];
        assert_eq!(totals.trial_balance(), BTreeMap::from(even));
        totals.add(GeneralAccount::Fees, Currency::BRL, turnover(30, 5));
        totals.add(GeneralAccount::Unapplied, Currency::USD, turnover(0, 8));
        assert_eq!(totals.trial_balance(), BTreeMap::from([(Currency::BRL, 25), (Currency::USD, -8)]));
    }

    #[test]
    fn totals_that_differ_are_shown_beside_each_other() {
        let (one, mut another) = (totals(), totals());
        assert_eq!(one.differences(&another), []);
        another.add(GeneralAccount::Fees, Currency::BRL, turnover(30, 0));
        another.add(GeneralAccount::Bank, Currency::USD, turnover(0, 1));
        assert_eq!(
            one.differences(&another),
            [
                (GeneralAccount::Bank, Currency::USD, turnover(100, 0), turnover(100, 1)),
                (GeneralAccount::Fees, Currency::BRL, turnover(0, 0), turnover(30, 0)),
            ]
        );
    }

    #[test]
    fn a_balance_beyond_any_amount_is_no_statement() {
        let most = moved(Account::Bank, wallet(), money(MAX_MINOR, Currency::BRL));
        let twice = Statement::of(Balances::default(), vec![most.clone(), most]);
        assert_eq!(twice, Err(MoneyError::TooLarge));
        assert_eq!(amount(i128::MAX, Currency::BRL), Err(MoneyError::TooLarge));
    }
}
