//! A customer's journals in order, with what each account had after each of them.

use crate::access::{Caller, Operation, Scope};
use crate::app::App;
use crate::error::{Error, listed};
use crate::ports::{JournalRange, Page, PageRequest, Position};
use crate::reads::ListFailure;
use fatura_domain::Timestamp;
use fatura_domain::id::{CustomerId, TransactionId};
use fatura_domain::ledger::{Balances, Link, Statement, Transaction};

#[derive(Debug)]
pub struct StatementPage {
    pub statement: Statement,
    /// The journals' places in the chain, as far as they are sealed.
    pub links: Vec<Link>,
    pub next: Option<Position>,
}

/// What is read at once where all of it is needed.
const STRIDE: usize = 1_000;
/// What may lie before a period: more would outlast the function.
const MOST_STRIDES: usize = 50;

impl App {
    /// The journals of a period, oldest first. A page opens with what each account had just before its first journal.
    pub async fn statement(
        &self,
        caller: &Caller,
        customer: CustomerId,
        start: Option<Timestamp>,
        end: Option<Timestamp>,
        page: PageRequest,
    ) -> Result<StatementPage, ListFailure> {
        caller.may_in(Scope::LedgerRead, Operation::OwnedBy(customer))?;
        let range = JournalRange { from: start, to: end, before: None };
        let Page { data, next } = self.records.journals.journals(customer, range, page).await?;
        let earlier = match data.first() {
            Some(first) => JournalRange { before: Some(first.id), ..JournalRange::default() },
            // Nothing happened: it closes as it opens.
            None => JournalRange { to: start.or(end), ..JournalRange::default() },
        };
        let mut opening = Balances::default();
        self.each_journal(customer, earlier, |journal| opening.post_all(&journal)).await?;
        let ids: Vec<TransactionId> = data.iter().map(|journal| journal.id).collect();
        let links = self.records.journals.links(&ids).await.map_err(Error::from)?;
        let statement = Statement::of(opening, data).map_err(|error| Error::Internal(Box::new(error)))?;
        Ok(StatementPage { statement, links, next })
    }

    /// Every journal of a range, oldest first.
    pub(super) async fn each_journal(
        &self,
        customer: CustomerId,
        range: JournalRange,
        mut visit: impl FnMut(Transaction) + Send,
    ) -> Result<(), Error> {
        let mut after = None;
        for _ in 0..MOST_STRIDES {
            let page = PageRequest { limit: STRIDE, after };
            let page = self.records.journals.journals(customer, range, page).await;
            let page = page.map_err(listed)?;
            page.data.into_iter().for_each(&mut visit);
            let Some(next) = page.next else { return Ok(()) };
            after = Some(next);
        }
        let detail = format!("more than {} journals are to be added up", STRIDE * MOST_STRIDES);
        Err(Error::FailedPrecondition { detail, status: None })
    }
}
