//! A charge and what may happen to it.

use crate::app::new_id;
use crate::tokens::Decline;
use serde_json::{Value, json};

pub(crate) struct Charge {
    pub(crate) id: String,
    pub(crate) reference: String,
    pub(crate) invoice_id: String,
    pub(crate) idempotency_key: String,
    pub(crate) amount_minor: i64,
    pub(crate) currency: String,
    pub(crate) means: Means,
    pub(crate) state: State,
    /// What really came: one for a card, any number for a pix.
    pub(crate) payments: Vec<Payment>,
    /// Refunds that succeeded or still may.
    pub(crate) refunded_minor: i64,
    pub(crate) dispute: Option<Dispute>,
    pub(crate) created_at: i64,
}

pub(crate) enum Means {
    Card,
    Pix { emv: String, expires_at: i64 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Pending,
    Captured,
    Declined(Decline),
    Voided(VoidReason),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VoidReason {
    Requested,
    Expired,
}

pub(crate) struct Payment {
    id: String,
    amount_minor: i64,
    paid_at: i64,
    late: bool,
}

pub(crate) struct Dispute {
    pub(crate) id: String,
    pub(crate) status: DisputeStatus,
    pub(crate) amount_minor: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DisputeStatus {
    Open,
    Won,
    Lost,
}

impl Charge {
    /// Takes money: the whole of a card's charge, or whatever the payer of a pix sends. Late is still money: a bank's
    /// transfer can't be refused once it is under way, and the merchant has to cope.
    pub(crate) fn take(&mut self, amount_minor: i64, now: i64) {
        let late = !matches!(self.state_at(now), State::Pending | State::Captured) || self.is_expired(now);
        self.payments.push(Payment { id: new_id("pay"), amount_minor, paid_at: now, late });
        self.state = State::Captured;
        assert!(self.captured_minor() > 0, "a captured charge has money");
    }

    pub(crate) fn captured_minor(&self) -> i64 {
        self.payments.iter().fold(0, |sum, payment| sum.saturating_add(payment.amount_minor))
    }

    /// How much may still be given back.
    pub(crate) fn refundable_minor(&self) -> i64 {
        let left = self.captured_minor() - self.refunded_minor;
        assert!(left >= 0, "refunds stay below what was captured");
        left
    }

    /// What a dispute is about unless it says so: all that is left. If nothing is, the whole charge: banks do that too.
    pub(crate) fn disputable_minor(&self) -> i64 {
        match self.refundable_minor() {
            0 => self.captured_minor(),
            left => left,
        }
    }

    /// When the first money came.
    pub(crate) fn captured_at(&self) -> Option<i64> {
        self.payments.first().map(|payment| payment.paid_at)
    }

    /// An unpaid pix past its time counts as voided from that second on, whether or not its timer has fired.
    pub(crate) fn state_at(&self, now: i64) -> State {
        match self.state {
            State::Pending if self.is_expired(now) => State::Voided(VoidReason::Expired),
            state => state,
        }
    }

    fn is_expired(&self, now: i64) -> bool {
        matches!(self.means, Means::Pix { expires_at, .. } if now >= expires_at)
    }

    pub(crate) fn body(&self, now: i64) -> Value {
        let state = self.state_at(now);
        json!({
            "id": self.id,
            "reference": self.reference,
            "invoice_id": self.invoice_id,
            "idempotency_key": self.idempotency_key,
            "amount_minor": self.amount_minor,
            "captured_minor": self.captured_minor(),
            "currency": self.currency,
            "method": match self.means { Means::Card => "card", Means::Pix { .. } => "pix" },
            "status": state.name(),
            "reason": match state {
                State::Voided(VoidReason::Requested) => Some("requested"),
                State::Voided(VoidReason::Expired) => Some("expired"),
                _ => None,
            },
            "decline": match state {
                State::Declined(decline) => json!({ "code": decline.code, "message": decline.message }),
                _ => Value::Null,
            },
            "pix": match &self.means {
                Means::Pix { emv, expires_at } => json!({ "emv": emv, "expires_at": expires_at }),
                Means::Card => Value::Null,
            },
            "payments": self.payments.iter().map(Payment::body).collect::<Vec<_>>(),
            "refunded_minor": self.refunded_minor,
            "disputed": self.dispute.is_some(),
            "dispute": self.dispute.as_ref().map(Dispute::body),
            "created_at": self.created_at,
        })
    }
}

impl State {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Captured => "captured",
            Self::Declined(_) => "declined",
            Self::Voided(_) => "voided",
        }
    }
}

impl DisputeStatus {
    const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }
}

impl Dispute {
    fn body(&self) -> Value {
        json!({ "id": self.id, "status": self.status.name(), "amount_minor": self.amount_minor })
    }
}

impl Payment {
    fn body(&self) -> Value {
        json!({ "id": self.id, "amount_minor": self.amount_minor, "paid_at": self.paid_at, "late": self.late })
    }
}
