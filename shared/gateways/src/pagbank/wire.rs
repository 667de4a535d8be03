//! PagBank's JSON: the order object and the charge object of its API reference (D), but for the parts marked.

use serde::{Deserialize, Serialize};

#[derive(Serialize)]
pub(super) struct NewOrder<'a> {
    pub(super) reference_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) customer: Option<Customer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) charges: Option<[NewCharge<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) qr_codes: Option<[NewQrCode; 1]>,
}

#[derive(Serialize)]
pub(super) struct Customer {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) tax_id: String,
}

#[derive(Serialize)]
pub(super) struct NewCharge<'a> {
    reference_id: String,
    description: String,
    amount: Amount,
    payment_method: NewMethod<'a>,
}

#[derive(Serialize)]
struct NewMethod<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    installments: u8,
    capture: bool,
    card: CardId<'a>,
}

#[derive(Serialize)]
struct CardId<'a> {
    id: &'a str,
}

impl<'a> NewCharge<'a> {
    pub(super) fn by_card(reference_id: String, description: String, amount: Amount, card: &'a str) -> Self {
        let card = CardId { id: card };
        let payment_method = NewMethod { kind: "CREDIT_CARD", installments: 1, capture: true, card };
        Self { reference_id, description, amount, payment_method }
    }
}

#[derive(Serialize)]
pub(super) struct NewQrCode {
    pub(super) amount: CancelAmount,
    pub(super) expiration_date: String,
}

#[derive(Serialize)]
pub(super) struct Cancel {
    pub(super) amount: CancelAmount,
}

#[derive(Serialize)]
pub(super) struct CancelAmount {
    pub(super) value: i64,
}

#[derive(Deserialize)]
pub(super) struct Order {
    pub(super) id: String,
    pub(super) reference_id: Option<String>,
    #[serde(default)]
    pub(super) charges: Vec<Charge>,
    #[serde(default)]
    pub(super) qr_codes: Vec<QrCode>,
}

#[derive(Deserialize)]
pub(super) struct Charge {
    pub(super) id: String,
    pub(super) reference_id: Option<String>,
    pub(super) status: Status,
    pub(super) amount: Amount,
    pub(super) payment_response: Option<PaymentResponse>,
}

impl Charge {
    pub(super) const fn still_waits(&self) -> bool {
        matches!(self.status, Status::Authorized | Status::InAnalysis | Status::Waiting)
    }

    /// All that went back until now.
    pub(super) fn returned(&self) -> i64 {
        self.amount.summary.as_ref().map_or(0, |summary| summary.refunded)
    }
}

/// No case for others: a status that we don't know makes the answer unreadable, and so the charge unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Status {
    Authorized,
    Paid,
    InAnalysis,
    Declined,
    Canceled,
    Waiting,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Amount {
    pub(super) value: i64,
    pub(super) currency: String,
    #[serde(skip_serializing)]
    pub(super) summary: Option<Summary>,
}

#[derive(Deserialize)]
pub(super) struct Summary {
    pub(super) paid: i64,
    pub(super) refunded: i64,
}

#[derive(Deserialize)]
pub(super) struct PaymentResponse {
    pub(super) code: Option<serde_json::Value>,
    pub(super) message: Option<String>,
}

/// T.
#[derive(Deserialize)]
pub(super) struct QrCode {
    pub(super) text: String,
    pub(super) expiration_date: String,
}

#[derive(Deserialize)]
pub(super) struct Card {
    pub(super) id: String,
}

/// T.
#[derive(Deserialize)]
pub(super) struct Refusal {
    error_messages: Vec<ErrorMessage>,
}

#[derive(Deserialize)]
struct ErrorMessage {
    code: Option<String>,
}

impl Refusal {
    pub(super) fn code(self) -> Option<String> {
        self.error_messages.into_iter().find_map(|message| message.code)
    }
}
