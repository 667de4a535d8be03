//! Vindi's JSON: decimal reais, sent as numbers and read as numbers or texts. The bill's shape is that of its webhooks'
//! examples (D); transactions and their words from its plugins (T).

use crate::brazil::reais;
use fatura_domain::money::Money;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

#[derive(Serialize)]
pub(super) struct NewBill {
    pub(super) customer_id: u64,
    pub(super) code: String,
    pub(super) payment_method_code: &'static str,
    pub(super) bill_items: [BillItem; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) payment_profile: Option<Profile>,
}

#[derive(Serialize)]
pub(super) struct BillItem {
    pub(super) product_id: u64,
    pub(super) amount: Number,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Profile {
    pub(super) id: u64,
}

#[derive(Deserialize)]
pub(super) struct OneBill {
    pub(super) bill: Bill,
}

#[derive(Deserialize)]
pub(super) struct Bills {
    pub(super) bills: Vec<Bill>,
}

#[derive(Deserialize)]
pub(super) struct Bill {
    pub(super) id: u64,
    pub(super) code: Option<String>,
    pub(super) amount: Value,
    pub(super) status: BillStatus,
    #[serde(default)]
    pub(super) charges: Vec<Charge>,
}

impl Bill {
    pub(super) fn is_over(&self, amount: Money) -> bool {
        reais::money(&text(&self.amount), "BRL").is_ok_and(|told| told == amount)
    }
}

/// No case for others: a status that we don't know makes the answer unreadable, and so the charge unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum BillStatus {
    Review,
    Scheduled,
    Pending,
    Paid,
    Canceled,
}

#[derive(Deserialize)]
pub(super) struct Charge {
    pub(super) id: u64,
    pub(super) status: Option<String>,
    pub(super) amount: Option<Value>,
    pub(super) due_at: Option<String>,
    pub(super) paid_at: Option<String>,
    pub(super) last_transaction: Option<Transaction>,
}

impl Charge {
    /// A charge that was given back was paid before.
    pub(super) fn took_money(&self) -> bool {
        self.paid_at.is_some() || self.status.as_deref() == Some("paid")
    }
}

#[derive(Deserialize)]
pub(super) struct Transaction {
    pub(super) id: u64,
    #[serde(rename = "transaction_type")]
    pub(super) kind: Option<String>,
    pub(super) status: Option<String>,
    pub(super) amount: Option<Value>,
    pub(super) created_at: Option<String>,
    pub(super) gateway_response_code: Option<Value>,
    pub(super) gateway_message: Option<String>,
    pub(super) gateway_response_fields: Option<Fields>,
    pub(super) charge: Option<Profile>,
}

impl Transaction {
    /// Of a refund it would mean that the money stays.
    pub(super) fn was_rejected(&self) -> bool {
        self.status.as_deref() == Some("rejected") && self.kind.as_deref() != Some("refund")
    }
}

#[derive(Deserialize)]
pub(super) struct Fields {
    /// The code to scan, whatever it is called.
    pub(super) qrcode_original_path: Option<String>,
    /// A time, in spite of its name.
    pub(super) max_days_to_keep_waiting_payment: Option<Value>,
}

#[derive(Deserialize)]
pub(super) struct OneCharge {
    pub(super) charge: Charge,
}

#[derive(Deserialize)]
pub(super) struct Transactions {
    pub(super) transactions: Vec<Transaction>,
}

#[derive(Serialize)]
pub(super) struct RefundOrder {
    pub(super) amount: Number,
    pub(super) cancel_bill: bool,
    pub(super) comments: String,
}

#[derive(Deserialize)]
pub(super) struct Customers {
    pub(super) customers: Vec<Profile>,
}

#[derive(Deserialize)]
pub(super) struct OneCustomer {
    pub(super) customer: Profile,
}

#[derive(Deserialize)]
pub(super) struct OneProfile {
    pub(super) payment_profile: Profile,
}

#[derive(Deserialize)]
pub(super) struct Refusal {
    errors: Vec<Fault>,
}

#[derive(Deserialize)]
struct Fault {
    id: Option<String>,
    parameter: Option<String>,
}

impl Refusal {
    pub(super) fn is_about(&self, parameter: &str) -> bool {
        self.errors.iter().any(|fault| fault.parameter.as_deref() == Some(parameter))
    }

    pub(super) fn code(self) -> Option<String> {
        self.errors.into_iter().find_map(|fault| fault.parameter.or(fault.id))
    }
}

/// `"100.0"` and `100.0` alike.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
