//! Payments: one for several orders of a buyer, all or none of them, by what an invoice is paid by, or from the wallet.

use crate::access::{Caller, Operation, Scope};
use crate::app::{App, CONTENDED_DECISIONS, Committed};
use crate::change_set::{Change, ChangeSet};
use crate::error::{Error, Fault};
use crate::idempotency::{Answer, Once, Reply};
use crate::invoices::invalid;
use crate::orders::giving_up;
use crate::ports::{InvoiceFilter, Page, PageRequest};
use crate::reads::ListFailure;
use crate::requeue::may_charge_again;
use crate::wallet_notes::WalletNotes;
use fatura_domain::charge::Attempt;
use fatura_domain::id::{CustomerId, InvoiceId, OrderId, PaymentId, PaymentMethodId};
use fatura_domain::invoice::{Invoice, WalletPayment};
use fatura_domain::ledger::Transaction;
use fatura_domain::order::{NotOpen, Order, PaymentRefusal, payment_of};
use fatura_domain::refund::Refund;
use fatura_domain::text::{Description, Metadata};
use fatura_domain::wallet::WalletRefusal;
use fatura_domain::{Moment, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone)]
pub struct MakePayment {
    pub orders: Vec<OrderId>,
    pub by: PayBy,
    pub description: Option<Description>,
    pub metadata: Metadata,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayBy {
    /// None: the customer's default.
    Method(Option<PaymentMethodId>),
    Wallet,
}

/// A payment with everything that happened to it.
#[derive(Debug)]
pub struct PaymentView {
    pub invoice: Invoice,
    pub finished: Vec<Attempt>,
    /// Newest first.
    pub refunds: Vec<Refund>,
}

const MOST_REFUNDS: usize = 100;
/// Each takes a few of the hundred writes of the transaction, most of which are for the merchants' wallets and journals.
const MOST_GIVEN_UP: usize = 8;

type Render<'a> = &'a (dyn Fn(&Invoice) -> Answer + Sync);

impl App {
    /// The orders point to the payment, the payment is charged or paid, and the answer is kept: together or not at all.
    pub async fn make_payment(
        &self,
        caller: &Caller,
        command: MakePayment,
        once: &Once,
        render: Render<'_>,
    ) -> Result<Reply, Error> {
        let buyer = buyer_of(caller, &command.orders)?;
        let mut wallets = WalletNotes::default();
        for _ in 0..CONTENDED_DECISIONS {
            let moment = self.moment();
            let decided = self.decided(caller, buyer, &command, moment).await;
            let Decided { orders, given_up, invoice, transaction } = match decided {
                Ok(decided) => decided,
                Err(refusal) => return once.replay_or(&*self.records.answers, refusal, moment.now).await,
            };
            let answer = render(&invoice);
            let booked = transaction.map(|transaction| ChangeSet::settled(&invoice, transaction, &wallets));
            let changes = ChangeSet::created(invoice.clone())
                .and(orders.into_iter().map(Change::OrderChanged))
                .and(given_up)
                .and(booked.into_iter().flatten())
                .and([once.answered(answer.clone(), moment.now)]);
            match self.commit_noting(changes, Some(once), &mut wallets).await? {
                Committed::Written => {
                    self.notify_if_due(&invoice).await;
                    return Ok(Reply { answer, replayed: false });
                }
                Committed::Replayed(reply) => return Ok(reply),
                Committed::Stale => {
                    if let Some(refusal) = wallets.refusal_of(buyer) {
                        return Err(uncovered(refusal));
                    }
                }
            }
        }
        Err(Error::Busy)
    }

    async fn decided(
        &self,
        caller: &Caller,
        buyer: CustomerId,
        command: &MakePayment,
        moment: Moment,
    ) -> Result<Decided, Error> {
        let orders = self.orders_to_pay(&command.orders).await?;
        let merchants: BTreeSet<CustomerId> = orders.iter().map(|order| order.merchant).collect();
        let (earlier, fees) =
            futures::try_join!(self.payments_of_orders(&orders), self.fees_in_force(&merchants))?;
        let id = PaymentId::new(buyer, moment.now, moment.entropy);
        let (description, metadata) = (command.description.clone(), command.metadata.clone());
        let draft = payment_of(id, &orders, &fees, description, metadata, moment.now)?;
        let orders = pointed(&orders, id, &earlier, moment)?;
        let given_up = given_up(&earlier, caller, moment.now)?;
        let (invoice, transaction) = match command.by {
            PayBy::Wallet => {
                let WalletPayment { invoice, transaction } =
                    draft.paid_from_wallet(&caller.actor(), moment)?;
                (invoice, transaction)
            }
            PayBy::Method(method) => {
                let (payer, policy) = futures::try_join!(self.payer(buyer), self.policy())?;
                let source =
                    self.source_if_owed(&payer, method, None, draft.total).await.map_err(in_source)?;
                (draft.charged(source, None, &policy, moment.now)?, None)
            }
        };
        let invoice = Invoice { version: 1, ..invoice }.by(&caller.actor(), 0);
        Ok(Decided { orders, given_up, invoice, transaction })
    }

    /// All of them, in the order in which they were named.
    async fn orders_to_pay(&self, ids: &[OrderId]) -> Result<Vec<Order>, Error> {
        let found = self.records.orders.orders(ids).await?;
        let found: BTreeMap<OrderId, Order> = found.into_iter().map(|order| (order.id, order)).collect();
        let (mut orders, mut faults) = (Vec::new(), Vec::new());
        for (place, id) in ids.iter().enumerate() {
            match found.get(id) {
                Some(order) => orders.push(order.clone()),
                None => faults.push(Fault::new(format!("order_ids[{place}]"), "is no order's")),
            }
        }
        if faults.is_empty() { Ok(orders) } else { Err(Error::Invalid(faults)) }
    }

    pub async fn payment(&self, caller: &Caller, id: PaymentId) -> Result<PaymentView, Error> {
        let invoice = self.invoice(caller, id.into()).await?;
        if invoice.split.is_none() {
            return Err(Error::NotFound);
        }
        let page = PageRequest { limit: MOST_REFUNDS, after: None };
        let refunds = async {
            if invoice.state.payment().is_none() {
                return Ok(Vec::new());
            }
            let page = self.records.refunds.of_invoice(&invoice, page).await;
            page.map(|page| page.data).map_err(crate::error::listed)
        };
        let attempts = async { Ok(self.records.invoices.attempts(&invoice).await?) };
        let (refunds, finished) = futures::try_join!(refunds, attempts)?;
        Ok(PaymentView { invoice, finished, refunds })
    }

    pub async fn payments_of(
        &self,
        caller: &Caller,
        buyer: CustomerId,
        page: PageRequest,
    ) -> Result<Page<Invoice>, ListFailure> {
        let filter = InvoiceFilter { only_payments: true, ..InvoiceFilter::default() };
        self.invoices_of(caller, buyer, &filter, page).await
    }

    /// Pays an invoice from its customer's wallet.
    pub(crate) async fn pay_from_wallet(
        &self,
        caller: &Caller,
        id: InvoiceId,
        once: &Once,
        render: Render<'_>,
    ) -> Result<Reply, Error> {
        let mut wallets = WalletNotes::default();
        for _ in 0..CONTENDED_DECISIONS {
            let moment = self.moment();
            let invoice = self.stored(id).await?;
            let WalletPayment { invoice: paid, transaction } =
                match invoice.paid_from_wallet(&caller.actor(), moment) {
                    Ok(paid) => paid,
                    Err(refusal) => {
                        return once.replay_or(&*self.records.answers, refusal.into(), moment.now).await;
                    }
                };
            let paid = paid.by(&caller.actor(), invoice.history.len());
            let answer = render(&paid);
            let booked = transaction.map(|transaction| ChangeSet::settled(&paid, transaction, &wallets));
            let changes = ChangeSet::moved(&invoice, paid)
                .and(booked.into_iter().flatten())
                .and([once.answered(answer.clone(), moment.now)]);
            match self.commit_noting(changes, Some(once), &mut wallets).await? {
                Committed::Written => return Ok(Reply { answer, replayed: false }),
                Committed::Replayed(reply) => return Ok(reply),
                Committed::Stale => {
                    if let Some(refusal) = wallets.refusal_of(id.owner()) {
                        return Err(uncovered(refusal));
                    }
                }
            }
        }
        Err(Error::Busy)
    }
}

/// What a payment would write.
struct Decided {
    orders: Vec<Order>,
    given_up: ChangeSet,
    invoice: Invoice,
    transaction: Option<Transaction>,
}

/// Whose orders they are: nobody pays another's, nor two buyers' at once.
fn buyer_of(caller: &Caller, orders: &[OrderId]) -> Result<CustomerId, Error> {
    for order in orders {
        caller.may_in(Scope::ChargesWrite, Operation::OwnedBy(order.owner()))?;
    }
    let first = orders.first().ok_or_else(|| invalid("order_ids", "must name at least one order"))?;
    Ok(first.owner())
}

fn pointed(
    orders: &[Order],
    payment: PaymentId,
    earlier: &BTreeMap<PaymentId, Invoice>,
    moment: Moment,
) -> Result<Vec<Order>, NotOpen> {
    let each = orders.iter().map(|order| {
        let before = order.payment().and_then(|payment| earlier.get(&payment));
        order.paid_by(payment, before, moment.now)
    });
    each.collect()
}

/// What has failed of these orders ends with the payment that takes its place. What was declined for its risk isn't paid in
/// another way by whom it was declined to, not even after it was canceled.
fn given_up(
    earlier: &BTreeMap<PaymentId, Invoice>,
    caller: &Caller,
    now: Timestamp,
) -> Result<ChangeSet, Error> {
    earlier.values().try_for_each(|invoice| may_charge_again(caller, invoice))?;
    let failed: Vec<&Invoice> = earlier.values().filter(|invoice| invoice.has_failed()).collect();
    if failed.len() > MOST_GIVEN_UP {
        let reason = format!("must not take the place of more than {MOST_GIVEN_UP} payments that failed");
        return Err(invalid("order_ids", reason));
    }
    Ok(giving_up(failed, caller, now))
}

/// Where a payment names its method.
fn in_source(error: Error) -> Error {
    match error {
        Error::Invalid(faults) => {
            let within = |fault: Fault| Fault::new(format!("source.{}", fault.field), fault.reason);
            Error::Invalid(faults.into_iter().map(within).collect())
        }
        error => error,
    }
}

fn uncovered(refusal: &WalletRefusal) -> Error {
    match refusal {
        WalletRefusal::NotEnough(_) => Error::InsufficientFunds(refusal.clone()),
        WalletRefusal::TooMuch(_) => refusal.clone().into(),
    }
}

impl From<PaymentRefusal> for Error {
    fn from(refusal: PaymentRefusal) -> Self {
        invalid("order_ids", refusal.to_string())
    }
}
