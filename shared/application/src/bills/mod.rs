//! Bills: opened, looked at, closed and canceled. `append` has what they gather, `settle` what becomes of them.

mod append;
mod look;
mod settle;

pub use append::RenderAppended;
pub use look::{BillView, Converted, Indicative};

use crate::access::{Caller, Operation, Scope};
use crate::app::{App, Committed, DECISIONS};
use crate::change_set::{Change, ChangeSet};
use crate::error::{Error, listed};
use crate::idempotency::{Answer, Once, Reply};
use crate::ports::{BillFilter, Message, PageRequest};
use fatura_domain::bill::{
    Bill, BillStatus, BillTerms, Change as Next, CloseCause, CloseRefusal, FinishError, SettleError, Shards,
    Sums,
};
use fatura_domain::id::{BillId, CustomerId};

#[derive(Debug, Clone)]
pub struct CreateBill {
    pub customer: CustomerId,
    pub terms: BillTerms,
}

pub(crate) type Render<'a> = &'a (dyn Fn(&BillView) -> Answer + Sync);

/// How many bills with a balance a new bill is told of at once; more than one is rare.
const AWAITING: usize = 20;
/// Another bill may have the id that follows from this one's: thirty bits of a digest may meet.
const SALTS: u8 = 8;

impl App {
    pub async fn create_bill(
        &self,
        caller: &Caller,
        command: CreateBill,
        once: &Once,
        render: Render<'_>,
    ) -> Result<Reply, Error> {
        caller.may_in(Scope::BillsWrite, Operation::BillTo(command.customer))?;
        let moment = self.moment();
        let id = BillId::new(command.customer, moment.now, moment.entropy);
        let bill = Bill::open(id, command.terms, Shards::DEFAULT, moment.now).by(&caller.actor(), 0);
        let answer = render(&self.view(bill.clone(), Sums::default()).await);
        let changes = ChangeSet::of([Change::CustomerExists(command.customer), Change::BillOpened(bill)])
            .and([once.answered(answer.clone(), moment.now)]);
        match self.commit(changes, Some(once)).await? {
            Committed::Written => {
                self.tell_awaiting(command.customer).await;
                Ok(Reply { answer, replayed: false })
            }
            Committed::Replayed(reply) => Ok(reply),
            Committed::Stale => Err(Error::Busy),
        }
    }

    /// Closes it, whatever is in it, and settles what can be settled now: asked again, the answer is the same. If it is to be
    /// the last, no bill follows.
    pub async fn close_bill(
        &self,
        caller: &Caller,
        id: BillId,
        is_last: bool,
        once: &Once,
        render: Render<'_>,
    ) -> Result<Reply, Error> {
        caller.may_in(Scope::BillsWrite, Operation::BillTo(id.owner()))?;
        let cause = CloseCause::Requested { by: caller.actor(), is_last };
        let bill = match self.begin_closing(id, &cause).await {
            Ok(bill) => bill,
            Err(refusal @ Error::FailedPrecondition { .. }) => {
                return once.replay_or(&*self.records.answers, refusal, self.clock.now()).await;
            }
            Err(error) => return Err(error),
        };
        let bill = self.advanced(bill).await?;
        self.answered(bill, once, render).await
    }

    async fn begin_closing(&self, id: BillId, cause: &CloseCause) -> Result<Bill, Error> {
        for _ in 0..DECISIONS {
            let bill = self.stored_bill(id).await?;
            let closing = match bill.begin_closing(cause.clone(), self.clock.now())? {
                Next::Applied(closing) => closing,
                Next::AlreadyApplied => return Ok(bill),
            };
            let changes = ChangeSet::bill_moved(&bill, closing.clone());
            if let Committed::Written = self.commit(changes, None).await? {
                return Ok(closing);
            }
        }
        Err(Error::Busy)
    }

    /// Takes a bill away in which there is nothing.
    pub async fn cancel_bill(
        &self,
        caller: &Caller,
        id: BillId,
        once: &Once,
        render: Render<'_>,
    ) -> Result<Reply, Error> {
        caller.may_in(Scope::BillsWrite, Operation::BillTo(id.owner()))?;
        for _ in 0..DECISIONS {
            let now = self.clock.now();
            let (bill, shards) = self.records.bills.bill_with_shards(id).await?.ok_or(Error::NotFound)?;
            let sums = Sums::so_far(&shards).map_err(|error| Error::Internal(error.into()))?;
            let canceled = match bill.cancel(&sums, &caller.actor(), now) {
                Ok(Next::Applied(canceled)) => canceled,
                Ok(Next::AlreadyApplied) => return self.answered(bill, once, render).await,
                Err(refusal) => {
                    let refusal = refused(&refusal, bill.status());
                    return once.replay_or(&*self.records.answers, refusal, now).await;
                }
            };
            let answer = render(&self.view(canceled.clone(), Sums::default()).await);
            let changes = ChangeSet::bill_moved(&bill, canceled)
                .and([Change::EmptyShardsClosed(bill), once.answered(answer.clone(), now)]);
            match self.commit(changes, Some(once)).await? {
                Committed::Written => return Ok(Reply { answer, replayed: false }),
                Committed::Replayed(reply) => return Ok(reply),
                Committed::Stale => {}
            }
        }
        Err(Error::Busy)
    }

    /// Ends a closed bill's wait for rates: each currency is asked for as it is.
    pub async fn forgo_rates(
        &self,
        caller: &Caller,
        id: BillId,
        once: &Once,
        render: Render<'_>,
    ) -> Result<Reply, Error> {
        caller.may_in(Scope::BillsWrite, Operation::Operate)?;
        for _ in 0..DECISIONS {
            let (bill, now) = (self.stored_bill(id).await?, self.clock.now());
            let settling = match bill.forgo_rates(&caller.actor(), now) {
                Ok(Next::Applied(settling)) => settling,
                Ok(Next::AlreadyApplied) => return self.answered(bill, once, render).await,
                Err(refusal) => {
                    let refusal = refused(&refusal, bill.status());
                    return once.replay_or(&*self.records.answers, refusal, now).await;
                }
            };
            let changes = ChangeSet::bill_moved(&bill, settling.clone());
            if let Committed::Written = self.commit(changes, None).await? {
                let bill = self.advanced(settling).await?;
                return self.answered(bill, once, render).await;
            }
        }
        Err(Error::Busy)
    }

    /// The answer about a bill that has been brought as far as it goes, kept for whoever asks again with the same key.
    async fn answered(&self, bill: Bill, once: &Once, render: Render<'_>) -> Result<Reply, Error> {
        let answer = render(&self.seen(bill).await?);
        let answered = once.answered(answer.clone(), self.clock.now());
        match self.commit(ChangeSet::of([answered]), Some(once)).await? {
            Committed::Written => Ok(Reply { answer, replayed: false }),
            Committed::Replayed(reply) => Ok(reply),
            Committed::Stale => Err(Error::Busy),
        }
    }

    pub(crate) async fn stored_bill(&self, id: BillId) -> Result<Bill, Error> {
        self.records.bills.bill(id).await?.ok_or(Error::NotFound)
    }

    /// Says to those with a balance that there may be a bill for it now. Best effort: they look by themselves, too.
    async fn tell_awaiting(&self, customer: CustomerId) {
        let waiting = match self.records.bills.awaiting_bill(customer, AWAITING).await {
            Ok(waiting) => waiting,
            Err(error) => return tracing::warn!(%customer, %error, "balances wait a day longer"),
        };
        let mut messages = Vec::new();
        for id in waiting {
            match self.records.bills.bill(id).await {
                Ok(bill) => messages.extend(bill.as_ref().map(Message::about_bill)),
                Err(error) => tracing::warn!(bill = %id, %error, "its balance waits a day longer"),
            }
        }
        self.notify_all(&messages).await;
    }

    /// Open bills of a customer, the newest first: those that could take a balance.
    async fn open_bills(&self, customer: CustomerId) -> Result<Vec<Bill>, Error> {
        let filter = BillFilter { status: Some(BillStatus::Open) };
        let page = PageRequest { limit: AWAITING, after: None };
        Ok(self.records.bills.bills_of(customer, filter, page).await.map_err(listed)?.data)
    }
}

fn refused(refusal: &impl ToString, status: BillStatus) -> Error {
    Error::FailedPrecondition { detail: refusal.to_string(), status: Some(status.as_str()) }
}

impl From<CloseRefusal> for Error {
    fn from(refusal: CloseRefusal) -> Self {
        let status = match refusal {
            CloseRefusal::Canceled => BillStatus::Canceled,
            CloseRefusal::NotDue(_) => BillStatus::Open,
        };
        refused(&refusal, status)
    }
}

impl From<FinishError> for Error {
    fn from(error: FinishError) -> Self {
        Self::Internal(Box::new(error))
    }
}

impl From<SettleError> for Error {
    fn from(error: SettleError) -> Self {
        Self::Internal(Box::new(error))
    }
}
