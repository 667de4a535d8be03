//! Recomputing what is kept from the entries, which are never changed.

use super::{SealError, seal};
use crate::access::{Caller, Operation, Scope};
use crate::app::App;
use crate::error::Error;
use crate::ports::{JournalRange, PageRequest, Position};
use crate::reads::ListFailure;
use fatura_domain::id::{CustomerId, TransactionId};
use fatura_domain::ledger::{
    Account, Balances, ChainFault, GeneralAccount, Link, Totals, Transaction, Turnover, check_chain,
};
use fatura_domain::money::Currency;
use std::collections::BTreeSet;

/// Something that isn't what its entries say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// What a wallet holds, and what was posted to it, in minor units.
    Wallet {
        currency: Currency,
        kept: i128,
        posted: i128,
    },
    Chain(ChainFault),
    /// What the platform's books say, and what was posted.
    Account {
        account: GeneralAccount,
        currency: Currency,
        kept: Turnover,
        posted: Turnover,
    },
}

/// What one customer's journals say.
#[derive(Debug)]
pub struct Verification {
    pub journals: usize,
    /// Those that the chain has a place for; the stream brings the others.
    pub sealed: usize,
    pub findings: Vec<Finding>,
}

/// A part of all journals, added to what the parts before it came to.
#[derive(Debug)]
pub struct VerifiedPage {
    pub journals: u64,
    pub posted: Totals,
    pub next: Option<Position>,
    /// Only of the last part, because only all of them together can be compared.
    pub findings: Vec<Finding>,
}

impl App {
    /// A customer's wallets and chain. What moves while it looks may be found; what is found twice is wrong. `sealing`
    /// does first what the stream should have had done: for journals that it told nobody of, or that are older than
    /// chains are.
    pub async fn verify_customer(
        &self,
        caller: &Caller,
        customer: CustomerId,
        sealing: bool,
    ) -> Result<Verification, Error> {
        caller.may_in(Scope::LedgerRead, Operation::Operate)?;
        let wallets = self.records.wallets.wallets(customer).await?;
        let mut journals: Vec<Transaction> = Vec::new();
        self.each_journal(customer, JournalRange::default(), |journal| journals.push(journal)).await?;
        if sealing {
            let sealed = seal(&*self.records.store, &*self.records.journals, &journals).await;
            sealed.map_err(|(_, error)| match error {
                SealError::Store(error) => error.into(),
                SealError::Busy => Error::Busy,
            })?;
        }
        let mut balances = Balances::default();
        for journal in &journals {
            balances.post_all(journal);
        }

        let own = Account::Wallet(customer);
        let mut currencies: BTreeSet<Currency> = balances.currencies_of(&own).collect();
        currencies.extend(wallets.iter().map(|wallet| wallet.balance.currency()));
        let mut findings = Vec::new();
        for currency in currencies {
            let wallet = wallets.iter().find(|wallet| wallet.balance.currency() == currency);
            let kept = wallet.map_or(0, |wallet| i128::from(wallet.balance.minor()));
            let posted = balances.of(&own, currency);
            if kept != posted {
                findings.push(Finding::Wallet { currency, kept, posted });
            }
        }
        let ids: Vec<TransactionId> = journals.iter().map(|journal| journal.id).collect();
        let links: Vec<Link> = self.records.journals.links(&ids).await?;
        let head = self.records.journals.chain(customer, &[]).await?.head;
        findings.extend(check_chain(&journals, &links, head).into_iter().map(Finding::Chain));
        Ok(Verification { journals: journals.len(), sealed: links.len(), findings })
    }

    /// A part of everybody's journals. The last part compares their sums with the platform's books.
    pub async fn verify_books(
        &self,
        caller: &Caller,
        before: (u64, Totals),
        page: PageRequest,
    ) -> Result<VerifiedPage, ListFailure> {
        caller.may_in(Scope::LedgerRead, Operation::Operate)?;
        let (mut journals, mut posted) = before;
        let page = self.records.journals.all_journals(page).await?;
        for journal in &page.data {
            journals += 1;
            posted.count(journal);
        }
        let mut findings = Vec::new();
        if page.next.is_none() {
            let kept = self.records.journals.totals().await.map_err(Error::from)?;
            findings = kept
                .differences(&posted)
                .into_iter()
                .map(|(account, currency, kept, posted)| Finding::Account { account, currency, kept, posted })
                .collect();
        }
        Ok(VerifiedPage { journals, posted, next: page.next, findings })
    }
}
