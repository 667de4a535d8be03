//! What merchants are told about, and how often it was tried.

use serde_json::{Value, json};

pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) kind: EventKind,
    pub(crate) body: String,
    pub(crate) deliveries: Vec<Delivery>,
}

#[derive(Debug, Clone)]
pub(crate) enum EventKind {
    Captured,
    Pending,
    Declined,
    Voided,
    RefundSucceeded(RefundNames),
    RefundFailed(RefundNames),
    DisputeOpened(String),
    DisputeWon(String),
    DisputeLost(String),
    /// Won after it was lost.
    DisputeReinstated(String),
}

#[derive(Debug, Clone)]
pub(crate) struct RefundNames {
    pub(crate) id: String,
    /// What the merchant called it.
    pub(crate) reference: String,
}

/// One try: the target's status, or why there was none.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) at: i64,
    pub(crate) outcome: Result<u16, String>,
}

impl EventKind {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Captured => "charge.captured",
            Self::Pending => "charge.pending",
            Self::Declined => "charge.declined",
            Self::Voided => "charge.voided",
            Self::RefundSucceeded(_) => "refund.succeeded",
            Self::RefundFailed(_) => "refund.failed",
            Self::DisputeOpened(_) => "dispute.opened",
            Self::DisputeWon(_) => "dispute.won",
            Self::DisputeLost(_) => "dispute.lost",
            Self::DisputeReinstated(_) => "dispute.reinstated",
        }
    }

    /// What the event is about besides the charge.
    pub(crate) fn subject(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::Captured | Self::Pending | Self::Declined | Self::Voided => Vec::new(),
            Self::RefundSucceeded(refund) | Self::RefundFailed(refund) => {
                vec![("refund_id", &refund.id), ("refund_reference", &refund.reference)]
            }
            Self::DisputeOpened(id)
            | Self::DisputeWon(id)
            | Self::DisputeLost(id)
            | Self::DisputeReinstated(id) => vec![("dispute_id", id)],
        }
    }
}

impl Delivery {
    pub(crate) fn succeeded(&self) -> bool {
        matches!(self.outcome, Ok(200..=299))
    }

    pub(crate) fn body(&self) -> Value {
        let (status, error) = match &self.outcome {
            Ok(status) => (Some(status), None),
            Err(error) => (None, Some(error)),
        };
        json!({ "at": self.at, "status": status, "error": error })
    }
}

impl Event {
    pub(crate) fn report(&self) -> Value {
        json!({
            "id": self.id,
            "type": self.kind.name(),
            "body": self.body,
            "delivered": self.deliveries.iter().any(Delivery::succeeded),
            "deliveries": self.deliveries.iter().map(Delivery::body).collect::<Vec<_>>(),
        })
    }
}
