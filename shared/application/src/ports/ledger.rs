use super::{ListError, Page, PageRequest, StoreError};
use async_trait::async_trait;
use fatura_domain::Timestamp;
use fatura_domain::id::{CustomerId, TransactionId};
use fatura_domain::ledger::{Head, Link, Totals, Transaction};
use fatura_domain::wallet::Wallet;
use std::collections::BTreeSet;

/// Which of a customer's journals.
#[derive(Debug, Clone, Copy, Default)]
pub struct JournalRange {
    pub from: Option<Timestamp>,
    /// Exclusive.
    pub to: Option<Timestamp>,
    /// Exclusive.
    pub before: Option<TransactionId>,
}

/// What there is of a customer's chain already.
#[derive(Debug, Clone)]
pub struct Sealed {
    pub head: Head,
    /// Those of the journals in question that have a place in it.
    pub known: BTreeSet<TransactionId>,
}

#[async_trait]
pub trait Journals: Send + Sync {
    async fn transaction(&self, id: TransactionId) -> Result<Option<Transaction>, StoreError>;

    /// Oldest first. A page is full unless it is the last.
    async fn journals(
        &self,
        customer: CustomerId,
        range: JournalRange,
        page: PageRequest,
    ) -> Result<Page<Transaction>, ListError>;

    /// Everybody's, in no order that means anything: a part of the whole table, however few of them are in it.
    async fn all_journals(&self, page: PageRequest) -> Result<Page<Transaction>, ListError>;

    /// The places of journals in their customer's chain, by the journals that are asked for; those that have none are
    /// left out.
    async fn links(&self, journals: &[TransactionId]) -> Result<Vec<Link>, StoreError>;

    async fn chain(&self, customer: CustomerId, journals: &[TransactionId]) -> Result<Sealed, StoreError>;

    /// What was ever posted to the platform's accounts, as far as it is counted.
    async fn totals(&self) -> Result<Totals, StoreError>;
}

#[async_trait]
pub trait Wallets: Send + Sync {
    /// One a currency, by currency.
    async fn wallets(&self, customer: CustomerId) -> Result<Vec<Wallet>, StoreError>;
}
