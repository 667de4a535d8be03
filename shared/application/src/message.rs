use fatura_domain::bill::Bill;
use fatura_domain::customer::Detachment;
use fatura_domain::dispute::Dispute;
use fatura_domain::id::{AttemptNumber, BillId, DisputeId, InvoiceId, PaymentMethodId, RefundId, RunId};
use fatura_domain::invoice::{Begins, Invoice};
use fatura_domain::refund::Refund;
use fatura_domain::run::Part;
use serde::{Deserialize, Serialize};

/// There is something to do for an invoice, a refund, a dispute, a part of a run, a card that is to be forgotten or a bill.
/// It is about one version: once that has moved on, the message is void, however often it is delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
pub enum Message {
    /// `attempt` is the number of the attempt to begin, if one has to begin.
    Collect {
        invoice: InvoiceId,
        attempt: AttemptNumber,
        version: u64,
        /// What the attempt will be paid with, where one begins that the risk rules may ask about: so that what they need is
        /// looked up while the attempt is being claimed.
        begins: Option<Begins>,
    },
    GiveBack {
        refund: RefundId,
        version: u64,
    },
    AskAboutDispute {
        dispute: DisputeId,
        version: u64,
    },
    Advance {
        run: RunId,
        part: u8,
        version: u64,
    },
    Forget {
        method: PaymentMethodId,
        version: u64,
    },
    /// Close it, or settle it.
    Settle {
        bill: BillId,
        version: u64,
    },
}

impl Message {
    pub fn about(invoice: &Invoice) -> Self {
        Self::Collect {
            invoice: invoice.id,
            attempt: invoice.attempts.next(),
            version: invoice.version,
            begins: invoice.begins(),
        }
    }

    pub const fn about_refund(refund: &Refund) -> Self {
        Self::GiveBack { refund: refund.id, version: refund.version }
    }

    pub const fn about_dispute(dispute: &Dispute) -> Self {
        Self::AskAboutDispute { dispute: dispute.id, version: dispute.version }
    }

    pub const fn about_detachment(detachment: &Detachment) -> Self {
        Self::Forget { method: detachment.method, version: detachment.version }
    }

    pub const fn about_bill(bill: &Bill) -> Self {
        Self::Settle { bill: bill.id, version: bill.version }
    }

    pub fn about_part(part: &Part) -> Self {
        Self::Advance { run: part.run.clone(), part: part.number, version: part.version }
    }
}

/// As it stands in the queue. What it is about is told by what it names.
#[derive(Default, Serialize, Deserialize)]
struct Wire {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    invoice_id: Option<InvoiceId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attempt: Option<AttemptNumber>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    begins: Option<Begins>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refund_id: Option<RefundId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dispute_id: Option<DisputeId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run_id: Option<RunId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    part: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detached_id: Option<PaymentMethodId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bill_id: Option<BillId>,
    version: u64,
}

impl From<Message> for Wire {
    fn from(message: Message) -> Self {
        match message {
            Message::Collect { invoice, attempt, version, begins } => {
                Self { invoice_id: Some(invoice), attempt: Some(attempt), begins, version, ..Self::default() }
            }
            Message::GiveBack { refund, version } => {
                Self { refund_id: Some(refund), version, ..Self::default() }
            }
            Message::AskAboutDispute { dispute, version } => {
                Self { dispute_id: Some(dispute), version, ..Self::default() }
            }
            Message::Advance { run, part, version } => {
                Self { run_id: Some(run), part: Some(part), version, ..Self::default() }
            }
            Message::Forget { method, version } => {
                Self { detached_id: Some(method), version, ..Self::default() }
            }
            Message::Settle { bill, version } => Self { bill_id: Some(bill), version, ..Self::default() },
        }
    }
}

impl TryFrom<Wire> for Message {
    type Error = &'static str;

    fn try_from(wire: Wire) -> Result<Self, &'static str> {
        let version = wire.version;
        let mut meanings = [
            wire.invoice_id.zip(wire.attempt).map(|(invoice, attempt)| Self::Collect {
                invoice,
                attempt,
                version,
                begins: wire.begins,
            }),
            wire.refund_id.map(|refund| Self::GiveBack { refund, version }),
            wire.dispute_id.map(|dispute| Self::AskAboutDispute { dispute, version }),
            wire.run_id.zip(wire.part).map(|(run, part)| Self::Advance { run, part, version }),
            wire.detached_id.map(|method| Self::Forget { method, version }),
            wire.bill_id.map(|bill| Self::Settle { bill, version }),
        ]
        .into_iter()
        .flatten();
        match (meanings.next(), meanings.next()) {
            (Some(message), None) => Ok(message),
            _ => Err("is about nothing of ours, or about two things"),
        }
    }
}
