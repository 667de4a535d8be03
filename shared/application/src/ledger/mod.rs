//! Wallets and the ledger: every movement is a journal, and what follows from it is written with it.

mod books;
mod chain;
mod movements;
mod statement;
mod verify;

pub use books::{AccountBalance, TrialBalance};
pub use chain::{SealError, seal};
pub use statement::StatementPage;
pub use verify::{Finding, Verification, VerifiedPage};
