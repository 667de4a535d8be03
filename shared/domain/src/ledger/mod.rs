//! Double entry: the chart of accounts, journals that balance by construction, the transactions that carry them, and what
//! follows from them: running balances, the platform's totals, the chain that seals them.

mod account;
mod chain;
mod journal;
mod posting;
mod statement;
mod transaction;

pub use account::{Account, GeneralAccount, Owner, UnknownAccount};
pub use chain::{ChainFault, Hash, Head, Link, canonical, check_chain};
pub use journal::{Direction, Entry, Journal, JournalError};
pub use posting::{MOST_CUSTOMERS, MOST_ENTRIES, Posting, PostingError, ReversalError};
pub use statement::{Balances, Statement, StatementLine, Totals, Turnover, amount};
pub use transaction::{
    AtGateway, ByWallet, MovedBy, MovementReference, Posted, Transaction, TransactionFilter, TransactionKind,
};
