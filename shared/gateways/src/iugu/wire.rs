//! Iugu's JSON: cents everywhere. The order's side from its reference (D), the invoice's fields K but for `id`, `status`,
//! `items` and `order_id`; the answer to a declined charge is written down nowhere (U), so little of it is needed.

use crate::brazil::is_plain;
use crate::trouble::Trouble;
use fatura_domain::gateway::GatewayReference;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Serialize)]
pub(super) struct NewCharge<'a> {
    pub(super) customer_id: &'a str,
    pub(super) customer_payment_method_id: &'a str,
    pub(super) order_id: String,
    pub(super) items: [Item; 1],
}

#[derive(Serialize)]
pub(super) struct NewInvoice {
    pub(super) order_id: String,
    pub(super) email: String,
    pub(super) due_date: String,
    pub(super) items: [Item; 1],
    pub(super) payable_with: [&'static str; 1],
    pub(super) payer: Payer,
}

#[derive(Serialize)]
pub(super) struct Item {
    pub(super) description: String,
    pub(super) quantity: u8,
    pub(super) price_cents: i64,
}

#[derive(Serialize)]
pub(super) struct Payer {
    pub(super) name: String,
    pub(super) cpf_cnpj: String,
}

#[derive(Deserialize)]
pub(super) struct Charged {
    pub(super) success: bool,
    #[serde(alias = "lr")]
    #[serde(rename = "LR")]
    pub(super) lr: Option<Value>,
    pub(super) message: Option<String>,
    pub(super) invoice_id: Option<String>,
}

impl Charged {
    pub(super) fn reference(&self) -> Result<GatewayReference, Trouble> {
        let id = self.invoice_id.clone().filter(|id| is_plain(id)).map(GatewayReference);
        id.ok_or_else(|| Trouble::unknown("unreadable_answer", "charged, but the invoice has no id"))
    }
}

#[derive(Deserialize)]
pub(super) struct Invoice {
    pub(super) id: String,
    pub(super) status: Status,
    pub(super) order_id: Option<String>,
    pub(super) currency: Option<String>,
    pub(super) total_cents: Option<i64>,
    pub(super) total_paid_cents: Option<i64>,
    pub(super) refunded_cents: Option<i64>,
    pub(super) due_date: Option<String>,
    pub(super) paid_at: Option<String>,
    pub(super) payment_method: Option<String>,
    pub(super) pix: Option<PixCode>,
}

/// D. No case for others: a status that we don't know makes the answer unreadable, and so the charge unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    Draft,
    Pending,
    Authorized,
    InAnalysis,
    Paid,
    PartiallyPaid,
    ExternallyPaid,
    Canceled,
    Expired,
    Refunded,
    InProtest,
    Chargeback,
}

impl Invoice {
    pub(super) fn took_money(&self) -> bool {
        use Status::{Chargeback, InProtest, Paid, PartiallyPaid, Refunded};
        matches!(self.status, Paid | PartiallyPaid | Refunded | InProtest | Chargeback)
    }

    pub(super) fn paid_cents(&self) -> Option<i64> {
        let paid = self.total_paid_cents.filter(|paid| *paid > 0);
        // Of a part, the total says nothing.
        if self.status == Status::PartiallyPaid { paid } else { paid.or(self.total_cents) }
    }
}

#[derive(Deserialize)]
pub(super) struct PixCode {
    pub(super) qrcode_text: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Invoices {
    pub(super) items: Vec<Invoice>,
}

#[derive(Serialize)]
pub(super) struct PartialRefund {
    pub(super) partial_value_refund_cents: i64,
}

#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) id: String,
}

/// A text, or a list for each field that is wrong. Only the fields' names are kept: the rest may quote the payer.
#[derive(Deserialize)]
pub(super) struct Refusal {
    errors: Value,
}

impl Refusal {
    pub(super) fn code(self) -> Option<String> {
        let fields = self.errors.as_object()?.keys().cloned().collect::<Vec<_>>();
        Some(fields.join(","))
    }
}
