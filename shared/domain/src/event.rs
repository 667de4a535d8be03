//! What other systems are told: one event for each thing that happened to an invoice, derived from two versions of it.

use crate::invoice::{Invoice, Status, Transition};
use crate::money::Money;

/// A domain event, named in the past tense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The same change gives the same id, however often it is told.
    pub id: String,
    pub kind: EventKind,
    pub invoice: Box<Invoice>,
    pub step: Transition,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    InvoiceCreated,
    InvoiceCharging,
    InvoicePaid,
    InvoiceChargeFailed,
    InvoiceCanceled,
    InvoiceRefunded,
    InvoiceInProtest,
    InvoiceChargedBack,
    InvoiceUncollectible,
}

impl EventKind {
    pub const ALL: [Self; 9] = [
        Self::InvoiceCreated,
        Self::InvoiceCharging,
        Self::InvoicePaid,
        Self::InvoiceChargeFailed,
        Self::InvoiceCanceled,
        Self::InvoiceRefunded,
        Self::InvoiceInProtest,
        Self::InvoiceChargedBack,
        Self::InvoiceUncollectible,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvoiceCreated => "invoice.created",
            Self::InvoiceCharging => "invoice.charging",
            Self::InvoicePaid => "invoice.paid",
            Self::InvoiceChargeFailed => "invoice.charge_failed",
            Self::InvoiceCanceled => "invoice.canceled",
            Self::InvoiceRefunded => "invoice.refunded",
            Self::InvoiceInProtest => "invoice.in_protest",
            Self::InvoiceChargedBack => "invoice.charged_back",
            Self::InvoiceUncollectible => "invoice.uncollectible",
        }
    }

    const fn of(status: Status) -> Self {
        match status {
            Status::Draft => Self::InvoiceCreated,
            Status::Pending => Self::InvoiceCharging,
            Status::Paid => Self::InvoicePaid,
            Status::ChargedWithError => Self::InvoiceChargeFailed,
            Status::Canceled => Self::InvoiceCanceled,
            Status::Refunded => Self::InvoiceRefunded,
            Status::InProtest => Self::InvoiceInProtest,
            Status::Chargeback => Self::InvoiceChargedBack,
            Status::Uncollectible => Self::InvoiceUncollectible,
        }
    }
}

/// What happened between two versions of one invoice: its new history, and nothing where only bookkeeping changed.
pub fn events_between(before: Option<&Invoice>, after: &Invoice) -> Vec<Event> {
    let known = before.map_or(0, |before| before.history.len());
    let new = after.history.iter().enumerate().skip(known);
    new.map(|(index, step)| Event {
        id: format!("evt_{}{index:03}", after.id.code()),
        kind: EventKind::of(step.status),
        invoice: Box::new(after.clone()),
        step: step.clone(),
    })
    .collect()
}

impl Event {
    pub fn total(&self) -> Money {
        self.invoice.total
    }
}
