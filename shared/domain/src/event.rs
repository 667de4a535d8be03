//! What other systems are told: one event for each thing that happened to an invoice or a bill, derived from two versions
//! of it.

use crate::Timestamp;
use crate::bill::{Bill, BillCause, BillStep};
use crate::invoice::{Cause, Invoice, Status, Transition};
use crate::money::Money;

/// A domain event, named in the past tense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The same change gives the same id, however often it is told.
    pub id: String,
    pub kind: EventKind,
    pub subject: Subject,
}

/// What it happened to, as it was after that, and the step that it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// `returned` is what went back with this step, if anything did.
    Invoice {
        invoice: Box<Invoice>,
        step: Transition,
        returned: Option<Money>,
    },
    Bill {
        bill: Box<Bill>,
        step: BillStep,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    InvoiceCreated,
    InvoiceCharging,
    InvoicePaid,
    InvoiceChargeFailed,
    InvoiceCanceled,
    InvoiceActionRequired,
    InvoiceRefunded,
    InvoicePartiallyRefunded,
    InvoiceInProtest,
    InvoiceChargedBack,
    InvoiceUncollectible,
    BillOpened,
    BillClosing,
    BillClosed,
    BillSettled,
    BillCanceled,
}

impl EventKind {
    pub const ALL: [Self; 16] = [
        Self::InvoiceCreated,
        Self::InvoiceCharging,
        Self::InvoicePaid,
        Self::InvoiceChargeFailed,
        Self::InvoiceCanceled,
        Self::InvoiceActionRequired,
        Self::InvoiceRefunded,
        Self::InvoicePartiallyRefunded,
        Self::InvoiceInProtest,
        Self::InvoiceChargedBack,
        Self::InvoiceUncollectible,
        Self::BillOpened,
        Self::BillClosing,
        Self::BillClosed,
        Self::BillSettled,
        Self::BillCanceled,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvoiceCreated => "invoice.created",
            Self::InvoiceCharging => "invoice.charging",
            Self::InvoicePaid => "invoice.paid",
            Self::InvoiceChargeFailed => "invoice.charge_failed",
            Self::InvoiceCanceled => "invoice.canceled",
            Self::InvoiceActionRequired => "invoice.action_required",
            Self::InvoiceRefunded => "invoice.refunded",
            Self::InvoicePartiallyRefunded => "invoice.partially_refunded",
            Self::InvoiceInProtest => "invoice.in_protest",
            Self::InvoiceChargedBack => "invoice.charged_back",
            Self::InvoiceUncollectible => "invoice.uncollectible",
            Self::BillOpened => "bill.opened",
            Self::BillClosing => "bill.closing",
            Self::BillClosed => "bill.closed",
            Self::BillSettled => "bill.settled",
            Self::BillCanceled => "bill.canceled",
        }
    }

    const fn of_invoice(status: Status) -> Self {
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

    /// None: a step towards its settlement, of which its end is told.
    const fn of_bill(cause: BillCause) -> Option<Self> {
        match cause {
            BillCause::Created | BillCause::Recurred => Some(Self::BillOpened),
            BillCause::CloseRequested | BillCause::PeriodEnded => Some(Self::BillClosing),
            BillCause::Counted => Some(Self::BillClosed),
            BillCause::Settled => Some(Self::BillSettled),
            BillCause::Canceled => Some(Self::BillCanceled),
            BillCause::RatesFrozen | BillCause::RatesForgone => None,
        }
    }
}

/// Something that was written: how it was before, if it was there, and how it is now.
#[derive(Debug, Clone)]
pub enum Written {
    Invoice { before: Option<Box<Invoice>>, after: Box<Invoice> },
    Bill { before: Option<Box<Bill>>, after: Box<Bill> },
}

impl Written {
    /// What happened between the two versions: the new part of its history, and nothing where only bookkeeping changed.
    pub fn events(&self) -> Vec<Event> {
        match self {
            Self::Invoice { before, after } => {
                let known = before.as_ref().map_or(0, |before| before.history.len());
                let new = after.history.iter().enumerate().skip(known);
                let returned = returned(before.as_deref(), after);
                let steps = new.map(|(index, step)| Event {
                    id: format!("evt_{}{index:03}", after.id.code()),
                    kind: EventKind::of_invoice(step.status),
                    subject: Subject::Invoice {
                        invoice: after.clone(),
                        step: step.clone(),
                        returned: returned.filter(|_| step.status == Status::Refunded),
                    },
                });
                steps.chain(within_status(before.as_deref(), after, returned)).collect()
            }
            Self::Bill { before, after } => {
                let known = before.as_ref().map_or(0, |before| before.history.len());
                let new = after.history.iter().enumerate().skip(known);
                new.filter_map(|(index, step)| {
                    Some(Event {
                        // An invoice's id may have the same characters.
                        id: format!("evt_bill_{}{index:03}", after.id.code()),
                        kind: EventKind::of_bill(step.cause)?,
                        subject: Subject::Bill { bill: after.clone(), step: step.clone() },
                    })
                })
                .collect()
            }
        }
    }
}

/// What went back between two versions.
fn returned(before: Option<&Invoice>, after: &Invoice) -> Option<Money> {
    let before = before?.amount_refunded().minor();
    let returned = after.amount_refunded().minor().checked_sub(before).filter(|minor| *minor > 0)?;
    Money::try_new(returned, after.total.currency()).ok()
}

/// What happened without a step of its own: part of the money went back, or the payer has something to do now. Called after
/// the version that it came with, which is as much the same however often it is told.
fn within_status(before: Option<&Invoice>, after: &Invoice, returned: Option<Money>) -> Option<Event> {
    let is_asked = after.awaited_of_payer().is_some()
        && before.and_then(Invoice::awaited_of_payer) != after.awaited_of_payer();
    let kind = match (after.status(), returned) {
        (Status::Pending, _) if is_asked => EventKind::InvoiceActionRequired,
        (status, Some(_)) if status != Status::Refunded => EventKind::InvoicePartiallyRefunded,
        _ => return None,
    };
    let last = after.history.last()?.clone();
    let cause = if kind == EventKind::InvoicePartiallyRefunded { Cause::Refunded } else { last.cause };
    let step = Transition { status: after.status(), at: after.updated_at, cause, by: None };
    Some(Event {
        id: format!("evt_{}v{}", after.id.code(), after.version),
        kind,
        subject: Subject::Invoice { invoice: Box::new(after.clone()), step, returned },
    })
}

impl Event {
    pub const fn occurred_at(&self) -> Timestamp {
        match &self.subject {
            Subject::Invoice { step, .. } => step.at,
            Subject::Bill { step, .. } => step.at,
        }
    }
}
