//! Mercado Pago's JSON. Shapes from its API reference and SDKs (D); what is not from there is marked.

use crate::brazil::is_plain;
use fatura_domain::gateway::GatewayReference;
use serde::{Deserialize, Serialize};
use serde_json::Number;

/// What is sent for a payment. The card token is for one use, so a repeat differs in that alone; the key is what makes
/// it one payment.
#[derive(Serialize)]
pub(super) struct Order {
    pub(super) transaction_amount: Number,
    pub(super) description: String,
    pub(super) external_reference: String,
    pub(super) payment_method_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) installments: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) date_of_expiration: Option<String>,
    pub(super) payer: OrderPayer,
}

#[derive(Default, Serialize)]
pub(super) struct OrderPayer {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) identification: Option<Identification>,
}

#[derive(Serialize)]
pub(super) struct Identification {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) number: String,
}

#[derive(Deserialize)]
pub(super) struct Payment {
    pub(super) id: Id,
    pub(super) status: Status,
    pub(super) status_detail: Option<String>,
    pub(super) transaction_amount: Number,
    pub(super) currency_id: String,
    pub(super) external_reference: Option<String>,
    #[serde(rename = "payment_method_id")]
    pub(super) method: Option<String>,
    pub(super) date_of_expiration: Option<String>,
    pub(super) date_approved: Option<String>,
    pub(super) point_of_interaction: Option<PointOfInteraction>,
    #[serde(default)]
    pub(super) refunds: Vec<Refund>,
}

/// No case for others: a status that we don't know makes the answer unreadable, and so the charge unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    Pending,
    Approved,
    Authorized,
    InProcess,
    InMediation,
    Rejected,
    Cancelled,
    Refunded,
    ChargedBack,
}

#[derive(Deserialize)]
pub(super) struct PointOfInteraction {
    pub(super) transaction_data: Option<TransactionData>,
}

#[derive(Deserialize)]
pub(super) struct TransactionData {
    pub(super) qr_code: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Found<T> {
    pub(super) paging: Paging,
    pub(super) results: Vec<T>,
}

#[derive(Deserialize)]
pub(super) struct Paging {
    pub(super) total: usize,
}

#[derive(Serialize)]
pub(super) struct RefundOrder {
    pub(super) amount: Number,
}

#[derive(Deserialize)]
pub(super) struct Refund {
    pub(super) id: Id,
    pub(super) payment_id: Option<Id>,
    pub(super) amount: Number,
    pub(super) status: Option<String>,
    pub(super) date_created: Option<String>,
}

/// K but for the path: the verdict is read from whether Mercado Pago covers the seller.
#[derive(Deserialize)]
pub(super) struct Chargeback {
    pub(super) id: Id,
    pub(super) amount: Option<Number>,
    pub(super) currency: Option<String>,
    pub(super) coverage_applied: Option<bool>,
    #[serde(default)]
    pub(super) payments: Vec<Id>,
}

#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) id: Id,
}

#[derive(Deserialize)]
pub(super) struct Card {
    pub(super) id: Id,
    pub(super) payment_method: Named,
}

#[derive(Deserialize)]
pub(super) struct Refusal {
    #[serde(default)]
    cause: Vec<Cause>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Cause {
    code: Option<Id>,
}

impl Refusal {
    pub(super) fn code(self) -> Option<String> {
        self.cause.into_iter().find_map(|cause| cause.code).map(|code| code.0).or(self.error)
    }
}

/// A number here and a text there; plain either way.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "serde_json::Value")]
pub(super) struct Id(pub(super) String);

impl TryFrom<serde_json::Value> for Id {
    type Error = &'static str;

    fn try_from(value: serde_json::Value) -> Result<Self, &'static str> {
        let text = match value {
            serde_json::Value::String(text) => text,
            serde_json::Value::Number(number) => number.to_string(),
            _ => return Err("is not an id"),
        };
        if is_plain(&text) { Ok(Self(text)) } else { Err("is not an id of this gateway") }
    }
}

impl Id {
    /// A payment's own ids are digits: anything else would be another address.
    pub(super) fn of(reference: &GatewayReference) -> Option<&str> {
        let id = reference.0.as_str();
        (is_plain(id) && id.bytes().all(|byte| byte.is_ascii_digit())).then_some(id)
    }

    pub(super) fn into_reference(self) -> GatewayReference {
        GatewayReference(self.0)
    }
}
