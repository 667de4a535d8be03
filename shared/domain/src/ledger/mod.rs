//! Double entry: journals that balance by construction, and the transactions that carry them.

mod journal;
mod transaction;

pub use journal::{Account, Direction, Entry, Journal, JournalError};
pub use transaction::{Transaction, TransactionFilter, TransactionKind};
