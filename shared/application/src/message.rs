use fatura_domain::id::{AttemptNumber, InvoiceId, RefundId};
use fatura_domain::invoice::Invoice;
use fatura_domain::refund::Refund;
use serde::{Deserialize, Serialize};

/// There is something to do for an invoice or a refund. It is about one version: once that has moved on, the message is
/// void, however often it is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
pub enum Message {
    /// `attempt` is the number of the attempt to begin, if one has to begin.
    Collect {
        invoice: InvoiceId,
        attempt: AttemptNumber,
        version: u64,
    },
    GiveBack {
        refund: RefundId,
        version: u64,
    },
}

impl Message {
    pub const fn about(invoice: &Invoice) -> Self {
        Self::Collect { invoice: invoice.id, attempt: invoice.attempts.next(), version: invoice.version }
    }

    pub const fn about_refund(refund: &Refund) -> Self {
        Self::GiveBack { refund: refund.id, version: refund.version }
    }
}

/// As it stands in the queue. What it is about is told by what it names.
#[derive(Serialize, Deserialize)]
struct Wire {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    invoice_id: Option<InvoiceId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attempt: Option<AttemptNumber>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refund_id: Option<RefundId>,
    version: u64,
}

impl From<Message> for Wire {
    fn from(message: Message) -> Self {
        match message {
            Message::Collect { invoice, attempt, version } => {
                Self { invoice_id: Some(invoice), attempt: Some(attempt), refund_id: None, version }
            }
            Message::GiveBack { refund, version } => {
                Self { invoice_id: None, attempt: None, refund_id: Some(refund), version }
            }
        }
    }
}

impl TryFrom<Wire> for Message {
    type Error = &'static str;

    fn try_from(wire: Wire) -> Result<Self, &'static str> {
        match (wire.invoice_id, wire.attempt, wire.refund_id) {
            (Some(invoice), Some(attempt), None) => {
                Ok(Self::Collect { invoice, attempt, version: wire.version })
            }
            (None, None, Some(refund)) => Ok(Self::GiveBack { refund, version: wire.version }),
            _ => Err("is about neither an invoice nor a refund"),
        }
    }
}
