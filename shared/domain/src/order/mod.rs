//! Orders: what a buyer wants from one merchant. One is open until it is canceled; that it is paid, and what became of
//! that, is told by the payment that it points to.

mod payment;

pub use payment::{PaymentRefusal, payment_of};

use crate::Timestamp;
use crate::id::{CustomerId, OrderId, PaymentId};
use crate::invoice::{Content, Invoice, Status};
use crate::money::{Money, MoneyError};
use crate::stored_instant;
use serde::{Deserialize, Serialize};
use thiserror::Error;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub id: OrderId,
    /// Counts every change; whoever writes says which one it has seen.
    pub version: u64,
    pub merchant: CustomerId,
    pub content: Content,
    /// The exact sum of the lines' totals.
    pub total: Money,
    pub state: OrderState,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    Open {
        /// The latest payment that was made for it.
        #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
        payment: Option<PaymentId>,
    },
    Canceled {
        #[serde(rename = "t", with = "stored_instant")]
        at: Timestamp,
    },
}

/// Where an order stands, for clients: its own state, and its payment's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderStatus {
    Open,
    PaymentPending,
    Paid,
    Refunded,
    InProtest,
    Chargeback,
    Canceled,
}

impl OrderStatus {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::PaymentPending => "payment_pending",
            Self::Paid => "paid",
            Self::Refunded => "refunded",
            Self::InProtest => "in_protest",
            Self::Chargeback => "chargeback",
            Self::Canceled => "canceled",
        }
    }

    /// Of an order that isn't canceled. A payment that was canceled leaves it as if there had been none; any other that
    /// isn't paid may still become so.
    const fn of_payment(status: Status) -> Self {
        match status {
            Status::Canceled => Self::Open,
            Status::Draft | Status::Pending | Status::ChargedWithError | Status::Uncollectible => {
                Self::PaymentPending
            }
            Status::Paid => Self::Paid,
            Status::Refunded => Self::Refunded,
            Status::InProtest => Self::InProtest,
            Status::Chargeback => Self::Chargeback,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OrderError {
    #[error("must not be the buyer")]
    OwnMerchant,
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// Only an order that is open, or whose payment has failed, may be paid or canceled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the order {order} is {}", .status.as_str())]
pub struct NotOpen {
    pub order: OrderId,
    pub status: OrderStatus,
}

impl Order {
    pub fn placed(
        id: OrderId,
        merchant: CustomerId,
        content: Content,
        now: Timestamp,
    ) -> Result<Self, OrderError> {
        if merchant == id.owner() {
            return Err(OrderError::OwnMerchant);
        }
        let total = content.total()?;
        let state = OrderState::Open { payment: None };
        Ok(Self { id, version: 1, merchant, content, total, state, created_at: now, updated_at: now })
    }

    pub fn buyer(&self) -> CustomerId {
        self.id.owner()
    }

    pub const fn payment(&self) -> Option<PaymentId> {
        match self.state {
            OrderState::Open { payment } => payment,
            OrderState::Canceled { .. } => None,
        }
    }

    /// `payment` is the invoice of the payment that it points to, if it points to one.
    pub fn status(&self, payment: Option<&Invoice>) -> OrderStatus {
        match self.state {
            OrderState::Canceled { .. } => OrderStatus::Canceled,
            OrderState::Open { .. } => {
                payment.map_or(OrderStatus::Open, |invoice| OrderStatus::of_payment(invoice.status()))
            }
        }
    }

    /// The next version, which points to a payment. What it pointed to before came to nothing, and for good: a canceled
    /// invoice stays canceled, and one that has failed is given up in the same transaction ([`Invoice::given_up`]).
    pub fn paid_by(
        &self,
        payment: PaymentId,
        earlier: Option<&Invoice>,
        now: Timestamp,
    ) -> Result<Self, NotOpen> {
        self.must_be_open(earlier)?;
        Ok(self.moved(OrderState::Open { payment: Some(payment) }, now))
    }

    pub fn canceled(&self, earlier: Option<&Invoice>, now: Timestamp) -> Result<Self, NotOpen> {
        self.must_be_open(earlier)?;
        Ok(self.moved(OrderState::Canceled { at: now }, now))
    }

    fn must_be_open(&self, earlier: Option<&Invoice>) -> Result<(), NotOpen> {
        match self.status(earlier) {
            OrderStatus::Open => Ok(()),
            OrderStatus::PaymentPending if earlier.is_some_and(Invoice::has_failed) => Ok(()),
            status => Err(NotOpen { order: self.id, status }),
        }
    }

    fn moved(&self, state: OrderState, now: Timestamp) -> Self {
        Self { state, version: self.version + 1, updated_at: now, ..self.clone() }
    }
}

#[cfg(test)]
mod tests;
