//! Orders: placed, looked at, canceled while nobody has paid.

use crate::access::{Caller, Operation, Scope};
use crate::app::{App, Committed, DECISIONS};
use crate::change_set::{Change, ChangeSet};
use crate::error::Error;
use crate::idempotency::{Answer, Once, Reply};
use crate::invoices::invalid;
use crate::ports::{Page, PageRequest};
use crate::reads::ListFailure;
use fatura_domain::Timestamp;
use fatura_domain::bug::Bug;
use fatura_domain::customer::CustomerKind;
use fatura_domain::id::{CustomerId, InvoiceId, OrderId, PaymentId};
use fatura_domain::invoice::{Content, Invoice};
use fatura_domain::order::{NotOpen, Order, OrderError, OrderStatus};
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
pub struct PlaceOrder {
    pub buyer: CustomerId,
    pub merchant: CustomerId,
    pub content: Content,
}

/// An order, and where it stands by its payment.
#[derive(Debug, Clone)]
pub struct OrderView {
    pub order: Order,
    pub status: OrderStatus,
}

impl App {
    /// What a merchant asks for is not the buyer's own to say: no more than what an invoice asks for.
    pub async fn place_order(
        &self,
        caller: &Caller,
        command: PlaceOrder,
        once: &Once,
        render: &(dyn Fn(&OrderView) -> Answer + Sync),
    ) -> Result<Reply, Error> {
        caller.may_in(Scope::OrdersWrite, Operation::BillTo(command.buyer))?;
        let merchant = self.records.customers.customer(command.merchant).await?;
        if !merchant.is_some_and(|merchant| merchant.profile.kind == CustomerKind::Merchant) {
            let refusal = invalid("merchant_id", "is no merchant's");
            return once.replay_or(&*self.records.answers, refusal, self.clock.now()).await;
        }
        let moment = self.moment();
        let id = OrderId::new(command.buyer, moment.now, moment.entropy);
        let order = Order::placed(id, command.merchant, command.content, moment.now)?;
        let answer = render(&OrderView { order: order.clone(), status: OrderStatus::Open });
        let changes = ChangeSet::of([
            Change::CustomerExists(command.buyer),
            Change::OrderPlaced(order),
            once.answered(answer.clone(), moment.now),
        ]);
        match self.commit(changes, Some(once)).await? {
            Committed::Written => Ok(Reply { answer, replayed: false }),
            Committed::Replayed(reply) => Ok(reply),
            Committed::Stale => Err(Error::Busy),
        }
    }

    pub async fn order(&self, caller: &Caller, id: OrderId) -> Result<OrderView, Error> {
        caller.may_in(Scope::OrdersRead, Operation::OwnedBy(id.owner()))?;
        let (order, payment) = self.stored_order(id).await?;
        let status = order.status(payment.as_ref());
        Ok(OrderView { order, status })
    }

    pub async fn orders_of(
        &self,
        caller: &Caller,
        buyer: CustomerId,
        page: PageRequest,
    ) -> Result<Page<OrderView>, ListFailure> {
        caller.may_in(Scope::OrdersRead, Operation::OwnedBy(buyer))?;
        let Page { data, next } = self.records.orders.orders_of(buyer, page).await?;
        let payments = self.payments_of_orders(&data).await?;
        let view = |order: Order| {
            let payment = order.payment().and_then(|payment| payments.get(&payment));
            OrderView { status: order.status(payment), order }
        };
        Ok(Page { data: data.into_iter().map(view).collect(), next })
    }

    /// Canceled twice is canceled once.
    pub async fn cancel_order(&self, caller: &Caller, id: OrderId) -> Result<OrderView, Error> {
        caller.may_in(Scope::OrdersWrite, Operation::OwnedBy(id.owner()))?;
        for _ in 0..DECISIONS {
            let (order, payment) = self.stored_order(id).await?;
            let status = order.status(payment.as_ref());
            if status == OrderStatus::Canceled {
                return Ok(OrderView { order, status });
            }
            let now = self.clock.now();
            let canceled = order.canceled(payment.as_ref(), now)?;
            let changes =
                ChangeSet::of([Change::OrderChanged(canceled.clone())]).and(giving_up(&payment, caller, now));
            if let Committed::Written = self.commit(changes, None).await? {
                return Ok(OrderView { order: canceled, status: OrderStatus::Canceled });
            }
        }
        Err(Error::Busy)
    }

    async fn stored_order(&self, id: OrderId) -> Result<(Order, Option<Invoice>), Error> {
        let orders = self.records.orders.orders(std::slice::from_ref(&id)).await?;
        let order = orders.into_iter().next().ok_or(Error::NotFound)?;
        let payment = match order.payment() {
            Some(payment) => self.records.invoices.invoice(payment.into()).await?,
            None => None,
        };
        Ok((order, payment))
    }

    /// The payments that these orders point to.
    pub(crate) async fn payments_of_orders(
        &self,
        orders: &[Order],
    ) -> Result<BTreeMap<PaymentId, Invoice>, Error> {
        let ids: Vec<InvoiceId> = orders.iter().filter_map(Order::payment).map(InvoiceId::from).collect();
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let invoices = self.records.orders.invoices(&ids).await?;
        Ok(invoices.into_iter().map(|invoice| (invoice.id.into(), invoice)).collect())
    }
}

/// Payments that have failed are canceled together with what becomes of their orders instead.
pub(crate) fn giving_up<'a>(
    earlier: impl IntoIterator<Item = &'a Invoice>,
    caller: &Caller,
    now: Timestamp,
) -> ChangeSet {
    let kept = Bug::EarlierPaymentKept.is_planted();
    let each = earlier.into_iter().filter(|_| !kept).filter_map(|invoice| {
        let given_up = invoice.given_up(now)?.by(&caller.actor(), invoice.history.len());
        Some(ChangeSet::moved(invoice, given_up))
    });
    ChangeSet::of(each.flatten())
}

impl From<OrderError> for Error {
    fn from(error: OrderError) -> Self {
        match error {
            OrderError::OwnMerchant => invalid("merchant_id", error.to_string()),
            OrderError::Money(error) => invalid("items", error.to_string()),
        }
    }
}

impl From<NotOpen> for Error {
    fn from(refusal: NotOpen) -> Self {
        Self::FailedPrecondition { detail: refusal.to_string(), status: Some(refusal.status.as_str()) }
    }
}
