//! What can be looked at.

use crate::access::{Caller, Operation, Scope};
use crate::app::App;
use crate::error::Error;
use crate::ports::{InvoiceFilter, ListError, Page, PageRequest};
use fatura_domain::charge::Attempt;
use fatura_domain::id::{CustomerId, InvoiceId};
use fatura_domain::invoice::{Invoice, Status};
use fatura_domain::ledger::{Transaction, TransactionFilter};

/// The attempts of an invoice: those that are over, newest first, and in the invoice the live one.
#[derive(Debug)]
pub struct Attempts {
    pub invoice: Invoice,
    pub finished: Vec<Attempt>,
}

impl App {
    pub async fn invoice(&self, caller: &Caller, id: InvoiceId) -> Result<Invoice, Error> {
        caller.may_in(Scope::InvoicesRead, Operation::OwnedBy(id.owner()))?;
        self.records.invoices.invoice(id).await?.ok_or(Error::NotFound)
    }

    pub async fn invoices_of(
        &self,
        caller: &Caller,
        customer: CustomerId,
        filter: &InvoiceFilter,
        page: PageRequest,
    ) -> Result<Page<Invoice>, ListFailure> {
        caller.may_in(Scope::InvoicesRead, Operation::OwnedBy(customer))?;
        Ok(self.records.invoices.of_customer(customer, filter, page).await?)
    }

    pub async fn invoices_in(
        &self,
        caller: &Caller,
        status: Status,
        filter: &InvoiceFilter,
        page: PageRequest,
    ) -> Result<Page<Invoice>, ListFailure> {
        caller.may_in(Scope::InvoicesRead, Operation::ListOverAll)?;
        Ok(self.records.invoices.in_status(status, filter, page).await?)
    }

    pub async fn attempts(&self, caller: &Caller, id: InvoiceId) -> Result<Attempts, Error> {
        let invoice = self.invoice(caller, id).await?;
        let finished = self.records.invoices.attempts(&invoice).await?;
        Ok(Attempts { invoice, finished })
    }

    pub async fn transactions(
        &self,
        caller: &Caller,
        customer: CustomerId,
        filter: &TransactionFilter,
        page: PageRequest,
    ) -> Result<Page<Transaction>, ListFailure> {
        caller.may_in(Scope::LedgerRead, Operation::OwnedBy(customer))?;
        Ok(self.records.transactions.transactions(customer, filter, page).await?)
    }
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum ListFailure {
    #[error("the cursor is not one of this list")]
    BadPosition,
    #[error(transparent)]
    Refused(#[from] Error),
}

impl From<ListError> for ListFailure {
    fn from(error: ListError) -> Self {
        match error {
            ListError::BadPosition => Self::BadPosition,
            ListError::Store(error) => Self::Refused(error.into()),
        }
    }
}
