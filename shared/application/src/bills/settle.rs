//! From closing to settled, a step at a time. Whoever does it may die anywhere: what was done is on the bill, written
//! together with the doing, and the sweep has somebody go on.

use super::SALTS;
use crate::app::{App, Committed};
use crate::change_set::{Change, ChangeSet};
use crate::error::Error;
use fatura_domain::actor::Actor;
use fatura_domain::bill::{Bill, BillState, Change as Next, InvoicePlan, SettleError, SettlementStep, Sums};
use fatura_domain::id::BillId;
use fatura_domain::invoice::Invoice;
use fatura_domain::money::{Currency, Money};

/// Steps that one call takes at most: more than there are currencies, and a closing before them.
const MOST_STEPS: usize = 400;

/// What came of a step.
enum Step {
    To(Box<Bill>),
    /// Nothing can be done now.
    Rest(Box<Bill>),
    /// Somebody else is at it.
    Overtaken,
}

/// A bill's invoice, as it is to be written.
struct Made {
    invoice: Invoice,
    /// False: no gateway takes what the customer pays with in this currency.
    is_chargeable: bool,
    /// What has to be as it was read.
    seen: Option<Change>,
}

impl App {
    /// Brings a bill that is no longer open as far as it goes now.
    pub(crate) async fn advance_bill(&self, id: BillId, version: u64) -> Result<(), Error> {
        let Some(bill) = self.records.bills.bill(id).await? else { return Ok(()) };
        if bill.version != version {
            tracing::debug!(bill = %id, "message is void");
            return Ok(());
        }
        self.advanced(bill).await.map(|_| ())
    }

    /// The same, and how it stands then. Where somebody else is at it, as they have it.
    pub(super) async fn advanced(&self, bill: Bill) -> Result<Bill, Error> {
        let mut bill = bill;
        for _ in 0..MOST_STEPS {
            let step = match &bill.state {
                BillState::Open | BillState::Canceled => return Ok(bill),
                BillState::Closing(_) => self.counted(&bill).await?,
                BillState::Closed(closed) if closed.settlement.awaiting_rates_since().is_some() => {
                    self.frozen(&bill).await?
                }
                BillState::Closed(_) => self.settled_a_step(&bill).await?,
            };
            bill = match step {
                Step::To(next) => *next,
                Step::Rest(bill) => return Ok(*bill),
                Step::Overtaken => self.stored_bill(bill.id).await?,
            };
        }
        Ok(bill)
    }

    /// From closing to closed: once every shard is closed, what they hold is what the bill comes to.
    async fn counted(&self, bill: &Bill) -> Result<Step, Error> {
        let shards = self.records.bills.close_shards(bill).await?;
        let so_far = Sums::so_far(&shards);
        let sums = so_far.map_err(|error| Error::Internal(Box::new(error)))?;
        let conversion = self.conversion_of(bill, &sums).await;
        let mut closure = match bill.finish_closing(&shards, conversion, self.clock.now())? {
            Next::Applied(closure) => closure,
            Next::AlreadyApplied => return Ok(Step::Overtaken),
        };
        for salt in 1..=SALTS {
            let opened = closure.next.clone().map(Change::BillOpened);
            let changes = ChangeSet::bill_moved(bill, closure.bill.clone()).and(opened);
            match self.commit(changes, None).await? {
                Committed::Written => {
                    if let Some(next) = &closure.next {
                        self.tell_awaiting(next.customer()).await;
                    }
                    return Ok(Step::To(Box::new(closure.bill)));
                }
                Committed::Stale | Committed::Replayed(_) => {}
            }
            // Somebody else has closed it, or another bill has the next one's id.
            if self.is_overtaken(bill).await? {
                return Ok(Step::Overtaken);
            }
            closure = closure.with_other_id(salt);
        }
        Err(Error::Busy)
    }

    /// The rates that it waited for, if there are some now.
    async fn frozen(&self, bill: &Bill) -> Result<Step, Error> {
        let Some(closed) = bill.state.closed() else { return Ok(Step::Overtaken) };
        let Some(conversion) = self.conversion_of(bill, &closed.sums).await else {
            return Ok(Step::Rest(Box::new(bill.clone())));
        };
        match bill.freeze_rates(conversion, self.clock.now())? {
            Next::Applied(settling) => self.moved_bill(bill, settling).await,
            Next::AlreadyApplied => Ok(Step::Overtaken),
        }
    }

    async fn settled_a_step(&self, bill: &Bill) -> Result<Step, Error> {
        let steps = bill.settlement_steps().map_err(|error| Error::Internal(Box::new(error)))?;
        // Invoices first: a balance may have to wait.
        if let Some(plan) = steps.iter().find_map(SettlementStep::invoice) {
            return self.invoiced(bill, plan).await;
        }
        let balances: Vec<Money> = steps.iter().filter_map(SettlementStep::balance).collect();
        if balances.is_empty() {
            return Ok(Step::Rest(Box::new(bill.clone())));
        }
        for balance in &balances {
            if let Some(step) = self.carried(bill, *balance).await? {
                return Ok(step);
            }
        }
        match bill.await_bill(self.clock.now())? {
            // And looks once more: whoever opened a bill meanwhile didn't see this one wait.
            Next::Applied(waiting) => {
                if balances.iter().any(|balance| balance.minor().abs() > bill.shards.limit()) {
                    let raised = Change::AttentionRaisedOnce(bill.uncarried());
                    self.commit(ChangeSet::of([raised]), None).await?;
                }
                self.moved_bill(bill, waiting).await
            }
            Next::AlreadyApplied => Ok(Step::Rest(Box::new(bill.clone()))),
        }
    }

    /// What is owed becomes an invoice, which is charged like any other: at once, or when there is something to charge.
    async fn invoiced(&self, bill: &Bill, plan: &InvoicePlan) -> Result<Step, Error> {
        let currency = plan.total.currency();
        let mut plan = plan.clone();
        for salt in 1..=SALTS {
            let Made { invoice, is_chargeable, seen } = self.invoice_for(bill, plan.clone()).await?;
            let next = match bill.invoiced(currency, invoice.id, self.clock.now())? {
                Next::Applied(next) => next,
                Next::AlreadyApplied => return Ok(Step::Overtaken),
            };
            let matter = (!is_chargeable).then(|| Change::AttentionRaisedOnce(bill.uncharged(&invoice)));
            let changes = ChangeSet::bill_moved(bill, next.clone())
                .and(ChangeSet::created(invoice.clone()))
                .and(seen)
                .and(matter);
            if let Committed::Written = self.commit(changes, None).await? {
                self.notify_if_due(&invoice).await;
                return Ok(Step::To(Box::new(next)));
            }
            if self.is_overtaken(bill).await? {
                return Ok(Step::Overtaken);
            }
            // Another invoice has this one's id, or the customer has just brought something to be charged.
            plan = plan.with_other_id(salt);
        }
        Err(Error::Busy)
    }

    async fn invoice_for(&self, bill: &Bill, plan: InvoicePlan) -> Result<Made, Error> {
        let (payer, policy) = futures::try_join!(self.payer(bill.customer()), self.policy())?;
        let seen = Change::CustomerUnchanged { id: payer.customer.id, version: payer.customer.version };
        let draft = Invoice::draft(plan.id, plan.content, None, plan.at)
            .map_err(|error| Error::Internal(Box::new(error)))?;
        let (invoice, is_chargeable, seen) = match self.source(&payer, None, None, draft.total).await {
            // Whoever brings a card meanwhile doesn't see this one wait.
            Ok(None) => (draft.awaiting_method(), true, Some(seen)),
            Ok(source) => (draft.charged(source, None, &policy, self.clock.now())?, true, None),
            Err(Error::NoGateway) => (draft.awaiting_method(), false, Some(seen)),
            Err(error) => return Err(error),
        };
        let invoice = Invoice { version: 1, ..invoice }.by(&Actor::new(bill.id.to_string()), 0);
        Ok(Made { invoice, is_chargeable, seen })
    }

    /// A balance becomes a credit of a bill that is open. None: there is no bill that takes it.
    async fn carried(&self, bill: &Bill, balance: Money) -> Result<Option<Step>, Error> {
        for to in self.open_bills(bill.customer()).await? {
            let Some((next, changes)) = self.carry(bill, &to, balance.currency())? else { continue };
            match self.commit(changes, None).await? {
                Committed::Written => return Ok(Some(Step::To(Box::new(next)))),
                Committed::Stale | Committed::Replayed(_) => {}
            }
            if self.is_overtaken(bill).await? {
                return Ok(Some(Step::Overtaken));
            }
            // That bill was closed meanwhile.
        }
        Ok(None)
    }

    fn carry(&self, bill: &Bill, to: &Bill, currency: Currency) -> Result<Option<(Bill, ChangeSet)>, Error> {
        let carried = match bill.carry(currency, to, self.clock.now()) {
            Ok(Next::Applied(carried)) => carried,
            Ok(Next::AlreadyApplied) | Err(SettleError::NoBillForIt | SettleError::Refused(_)) => {
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let appended = Change::LineAppended { line: carried.line, shard: carried.shard, of: to.shards };
        let changes = ChangeSet::bill_moved(bill, carried.bill.clone()).and([appended]);
        Ok(Some((carried.bill, changes)))
    }

    async fn moved_bill(&self, bill: &Bill, next: Bill) -> Result<Step, Error> {
        match self.commit(ChangeSet::bill_moved(bill, next.clone()), None).await? {
            Committed::Written => Ok(Step::To(Box::new(next))),
            Committed::Stale | Committed::Replayed(_) => Ok(Step::Overtaken),
        }
    }

    async fn is_overtaken(&self, bill: &Bill) -> Result<bool, Error> {
        Ok(self.stored_bill(bill.id).await?.version != bill.version)
    }
}
