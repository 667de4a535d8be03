//! Moving money in the ledger: wallets, and journals posted by hand. One transaction each, without reading first.

use crate::access::{Caller, Operation, Scope};
use crate::app::{App, CONTENDED_DECISIONS};
use crate::change_set::{Change, ChangeSet};
use crate::error::{Error, Fault};
use crate::idempotency::{Answer, Once, Reply};
use crate::ports::{CommitError, Refusal};
use fatura_domain::id::{CustomerId, TransactionId};
use fatura_domain::ledger::{Posting, PostingError, ReversalError, Transaction};
use fatura_domain::money::Currency;
use fatura_domain::text::Description;
use fatura_domain::wallet::{Movement, Route, SameWallet, Wallet, WalletRefusal};
use std::collections::BTreeSet;

type Render<'a> = &'a (dyn Fn(&Transaction) -> Answer + Sync);

/// What came of writing a journal.
enum Booked {
    Written,
    Replayed(Reply),
    /// Each wallet that would not be moved, with what it holds.
    Refused(Vec<(CustomerId, Currency, Option<WalletRefusal>)>),
    NoCustomer,
    Reversed,
    Stale,
}

impl App {
    pub async fn wallets(&self, caller: &Caller, customer: CustomerId) -> Result<Vec<Wallet>, Error> {
        caller.may_in(Scope::WalletsRead, Operation::OwnedBy(customer))?;
        let (wallets, known) = futures::try_join!(
            self.records.wallets.wallets(customer),
            self.records.customers.customer(customer)
        )?;
        if known.is_none() {
            return Err(Error::NotFound);
        }
        Ok(wallets)
    }

    /// Moves money in or out of a wallet. What comes in and goes out through the bank is not the customer's own to say;
    /// what goes to another customer is.
    pub async fn move_in_wallet(
        &self,
        caller: &Caller,
        movement: Movement,
        once: &Once,
        render: Render<'_>,
    ) -> Result<Reply, Error> {
        let operation = match movement.route {
            Route::Credit | Route::Debit => Operation::BillTo(movement.customer),
            Route::Transfer { .. } | Route::Payment { .. } => Operation::OwnedBy(movement.customer),
        };
        caller.may_in(Scope::WalletsWrite, operation)?;
        // Whoever has a wallet is there; a merchant may have none.
        let merchant = match movement.route {
            Route::Payment { merchant } => merchant,
            Route::Credit | Route::Debit | Route::Transfer { .. } => None,
        };
        let booked = |moment| Ok(movement.booked(caller.actor(), moment)?);
        let written = self.book(&booked, merchant.as_slice(), once, render).await;
        match (written, movement.route) {
            (Err(Error::NotFound), Route::Transfer { to }) => {
                Err(self.unknown_party(movement.customer, to).await?)
            }
            (written, _) => written,
        }
    }

    /// Which of the two there isn't.
    async fn unknown_party(&self, from: CustomerId, to: CustomerId) -> Result<Error, Error> {
        let customers = &self.records.customers;
        if customers.customer(from).await?.is_some() && customers.customer(to).await?.is_none() {
            let reason = "is no customer's";
            return Ok(Error::Invalid(vec![Fault::new("to_customer_id", reason)]));
        }
        Ok(Error::NotFound)
    }

    /// Posts a journal by hand, for operators.
    pub async fn post_journal(
        &self,
        caller: &Caller,
        posting: Posting,
        once: &Once,
        render: Render<'_>,
    ) -> Result<Reply, Error> {
        caller.may_in(Scope::LedgerWrite, Operation::Operate)?;
        self.post(caller, &posting, once, render).await
    }

    /// Posts what undoes a journal, once.
    pub async fn reverse_journal(
        &self,
        caller: &Caller,
        reversed: TransactionId,
        description: Description,
        once: &Once,
        render: Render<'_>,
    ) -> Result<Reply, Error> {
        caller.may_in(Scope::LedgerWrite, Operation::Operate)?;
        let no_such = || Error::Invalid(vec![Fault::new("reverses", "is no journal's")]);
        let shown = self.records.journals.transaction(reversed).await?.ok_or_else(no_such)?;
        // What only shows a journal to somebody else is reversed as that journal.
        let home = match shown.mirrors {
            Some(home) => self.records.journals.transaction(home).await?.ok_or_else(no_such)?,
            None => shown,
        };
        let posting = Posting::reversal_of(&home, description)?;
        self.post(caller, &posting, once, render).await
    }

    async fn post(
        &self,
        caller: &Caller,
        posting: &Posting,
        once: &Once,
        render: Render<'_>,
    ) -> Result<Reply, Error> {
        let booked = |moment| Ok(posting.booked(caller.actor(), moment)?);
        let written = self.book(&booked, &posting.customers(), once, render).await;
        match written {
            Err(Error::NotFound) => {
                Err(Error::Invalid(vec![Fault::new("entries", "names a customer that there isn't")]))
            }
            written => written,
        }
    }

    /// Writes a journal with its answer. A wallet that isn't there yet is opened, if its customer is there.
    async fn book(
        &self,
        booked: &(dyn Fn(fatura_domain::Moment) -> Result<Transaction, Error> + Sync),
        must_exist: &[CustomerId],
        once: &Once,
        render: Render<'_>,
    ) -> Result<Reply, Error> {
        let mut opened = BTreeSet::new();
        for _ in 0..CONTENDED_DECISIONS {
            let moment = self.moment();
            let transaction = booked(moment)?;
            let reversed = transaction.reverses().map(Change::JournalReversed);
            let answer = render(&transaction);
            let wallets = transaction.journal.wallets();
            let checked: BTreeSet<CustomerId> =
                must_exist.iter().copied().chain(opened.iter().map(|(customer, _)| *customer)).collect();
            let changes = ChangeSet::booked(transaction, &opened)
                .and(checked.into_iter().map(Change::CustomerExists))
                .and(reversed)
                .and([once.answered(answer.clone(), moment.now)]);
            match self.write_booked(changes, once).await? {
                Booked::Written => return Ok(Reply { answer, replayed: false }),
                Booked::Replayed(reply) => return Ok(reply),
                Booked::NoCustomer => return Err(Error::NotFound),
                Booked::Reversed => {
                    let detail = "the journal was reversed already".to_owned();
                    return Err(Error::FailedPrecondition { detail, status: None });
                }
                Booked::Stale => {}
                Booked::Refused(refused) => {
                    for (customer, currency, why) in refused {
                        let key = (customer, currency);
                        if let Some(why) = why {
                            return Err(why.into());
                        }
                        let gives =
                            wallets.iter().any(|(whose, which, minor)| (*whose, *which) == key && *minor < 0);
                        if gives {
                            return Err(self.nothing_there(customer, currency).await?);
                        }
                        // Somebody else may have opened it in the meantime.
                        if !opened.remove(&key) {
                            opened.insert(key);
                        }
                    }
                }
            }
        }
        Err(Error::Busy)
    }

    async fn write_booked(&self, changes: ChangeSet, once: &Once) -> Result<Booked, Error> {
        let refusals = match self.records.store.commit(changes).await {
            Ok(()) => return Ok(Booked::Written),
            Err(CommitError::Refused(refusals)) => refusals,
            Err(CommitError::Store(error)) => return Err(error.into()),
        };
        let mut refused = Vec::new();
        let (mut no_customer, mut reversed) = (false, false);
        for refusal in refusals {
            match refusal {
                // An answer on record explains every other refusal: the same request was here before.
                Refusal::Answered(stored) => return once.replay(*stored).map(Booked::Replayed),
                Refusal::WalletRefused { customer, currency, why } => refused.push((customer, currency, why)),
                Refusal::NoCustomer => no_customer = true,
                Refusal::Reversed => reversed = true,
                _ => {}
            }
        }
        Ok(match (no_customer, reversed, refused.is_empty()) {
            (true, _, _) => Booked::NoCustomer,
            (_, true, _) => Booked::Reversed,
            (_, _, false) => Booked::Refused(refused),
            (_, _, true) => Booked::Stale,
        })
    }

    /// There is no wallet to take from: nothing in it, or nobody whose it could be.
    async fn nothing_there(&self, customer: CustomerId, currency: Currency) -> Result<Error, Error> {
        Ok(match self.records.customers.customer(customer).await? {
            Some(_) => WalletRefusal::NotEnough(Wallet::empty(customer, currency).balance).into(),
            None => Error::NotFound,
        })
    }
}

impl From<WalletRefusal> for Error {
    fn from(refusal: WalletRefusal) -> Self {
        Self::FailedPrecondition { detail: refusal.to_string(), status: None }
    }
}

impl From<SameWallet> for Error {
    fn from(error: SameWallet) -> Self {
        Self::Invalid(vec![Fault::new("to_customer_id", error.to_string())])
    }
}

impl From<PostingError> for Error {
    fn from(error: PostingError) -> Self {
        Self::Invalid(vec![Fault::new("entries", error.to_string())])
    }
}

impl From<ReversalError> for Error {
    fn from(error: ReversalError) -> Self {
        Self::FailedPrecondition { detail: error.to_string(), status: None }
    }
}
