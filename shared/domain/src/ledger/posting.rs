//! Journals that somebody posts by hand: corrections, payouts, whatever no feature books.

use super::journal::{Entry, Journal, JournalError};
use super::transaction::{MovedBy, Posted, Transaction, TransactionKind};
use crate::Moment;
use crate::actor::Actor;
use crate::id::{CustomerId, TransactionId};
use crate::money::{Money, MoneyError};
use crate::text::Description;
use thiserror::Error;

/// What one of them may have: they are written as one, with each wallet that they move.
pub const MOST_ENTRIES: usize = 20;
pub const MOST_CUSTOMERS: usize = 10;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PostingError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("a journal has at most {MOST_ENTRIES} entries")]
    TooManyEntries,
    #[error("a journal concerns at most {MOST_CUSTOMERS} customers")]
    TooManyCustomers,
    #[error("its debits are together more than an amount can be")]
    TooLarge,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReversalError {
    #[error(
        "what was paid for an invoice is corrected by a refund or a dispute, so that the invoice tells the same"
    )]
    MovedForInvoice,
    #[error(transparent)]
    Posting(#[from] PostingError),
}

/// A journal to be posted, with what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    journal: Journal,
    description: Description,
    reverses: Option<TransactionId>,
}

impl Posting {
    pub fn try_new(description: Description, entries: Vec<Entry>) -> Result<Self, PostingError> {
        if entries.len() > MOST_ENTRIES {
            return Err(PostingError::TooManyEntries);
        }
        Self::of(description, Journal::try_new(entries)?, None)
    }

    /// What undoes a journal that was posted, or a movement of a wallet.
    pub fn reversal_of(transaction: &Transaction, description: Description) -> Result<Self, ReversalError> {
        if transaction.moved_by.invoice().is_some() {
            return Err(ReversalError::MovedForInvoice);
        }
        Ok(Self::of(description, transaction.journal.reversed(), Some(transaction.id))?)
    }

    fn of(
        description: Description,
        journal: Journal,
        reverses: Option<TransactionId>,
    ) -> Result<Self, PostingError> {
        if journal.customers().len() > MOST_CUSTOMERS {
            return Err(PostingError::TooManyCustomers);
        }
        debits(&journal).map_err(|_| PostingError::TooLarge)?;
        Ok(Self { journal, description, reverses })
    }

    pub const fn reverses(&self) -> Option<TransactionId> {
        self.reverses
    }

    pub fn customers(&self) -> Vec<CustomerId> {
        self.journal.customers()
    }

    /// It is the first customer's whom it concerns, or the platform's own.
    pub fn booked(&self, by: Actor, moment: Moment) -> Result<Transaction, PostingError> {
        let owner = self.journal.customers().first().copied().unwrap_or(CustomerId::PLATFORM);
        Ok(Transaction {
            id: TransactionId::new(owner, moment.now, moment.entropy),
            kind: TransactionKind::Journal,
            amount: debits(&self.journal).map_err(|_| PostingError::TooLarge)?,
            moved_by: MovedBy::Operator(Posted {
                by,
                description: self.description.clone(),
                reverses: self.reverses,
            }),
            lines: Vec::new(),
            at: moment.now,
            journal: self.journal.clone(),
            mirrors: None,
        })
    }
}

/// What moves, in the currency of the first entry: the figure that a list shows.
fn debits(journal: &Journal) -> Result<Money, MoneyError> {
    let Some(first) = journal.entries().first() else { return Err(MoneyError::TooLarge) };
    journal.moved_in(first.amount.currency())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;
    use crate::ledger::{Account, Direction};
    use crate::money::{Currency, MAX_MINOR};

    fn entry(account: Account, direction: Direction, minor: i64) -> Entry {
        Entry { account, direction, amount: Money::try_new(minor, Currency::BRL).unwrap() }
    }

    fn why() -> Description {
        Description::parse("payout of November").unwrap()
    }

    fn pairs(of: impl Iterator<Item = Account>) -> Vec<Entry> {
        of.flat_map(|account| {
            [entry(account, Direction::Credit, 1), entry(Account::Bank, Direction::Debit, 1)]
        })
        .collect()
    }

    fn moment() -> Moment {
        Moment { now: Timestamp::from_millisecond(1_793_620_800_000).unwrap(), entropy: 7 }
    }

    #[test]
    fn it_is_bounded() {
        let twenty = pairs((0..10).map(|n| Account::Wallet(CustomerId::new(n))));
        assert!(Posting::try_new(why(), twenty.clone()).is_ok());
        let more = [twenty, pairs([Account::Revenue].into_iter())].concat();
        assert_eq!(Posting::try_new(why(), more), Err(PostingError::TooManyEntries));
        let eleven = (0..11).map(|n| entry(Account::Wallet(CustomerId::new(n)), Direction::Credit, 1));
        let eleven = eleven.chain([entry(Account::Bank, Direction::Debit, 11)]).collect();
        assert_eq!(Posting::try_new(why(), eleven), Err(PostingError::TooManyCustomers));
        let large = vec![
            entry(Account::Bank, Direction::Debit, MAX_MINOR),
            entry(Account::Fees, Direction::Debit, MAX_MINOR),
            entry(Account::Revenue, Direction::Credit, MAX_MINOR),
            entry(Account::Revenue, Direction::Credit, MAX_MINOR),
        ];
        assert_eq!(Posting::try_new(why(), large), Err(PostingError::TooLarge));
    }

    #[test]
    fn what_concerns_nobody_is_the_platforms() {
        let own = Posting::try_new(why(), pairs([Account::Revenue].into_iter())).unwrap();
        let booked = own.booked(Actor::new("key_1"), moment()).unwrap();
        assert_eq!((booked.id.owner(), booked.amount.minor()), (CustomerId::PLATFORM, 1));
        assert_eq!(booked.mirrored().count(), 0);

        let ana = Account::MerchantPayable(CustomerId::new(1));
        let hers = Posting::try_new(why(), pairs([ana].into_iter())).unwrap();
        assert_eq!(hers.customers(), [CustomerId::new(1)]);
        assert_eq!(hers.booked(Actor::new("key_1"), moment()).unwrap().id.owner(), CustomerId::new(1));
    }

    #[test]
    fn a_reversal_names_what_it_undoes() {
        let posting = Posting::try_new(why(), pairs([Account::Revenue].into_iter())).unwrap();
        let booked = posting.booked(Actor::new("key_1"), moment()).unwrap();
        let reversal = Posting::reversal_of(&booked, why()).unwrap();
        assert_eq!(reversal.reverses(), Some(booked.id));
        let undone = reversal.booked(Actor::new("key_2"), moment()).unwrap();
        assert_eq!(undone.journal, booked.journal.reversed());
    }
}
