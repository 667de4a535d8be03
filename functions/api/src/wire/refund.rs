use super::common::{FailureBody, Instant, MoneyBody};
use super::fields::{Fields, Read};
use super::values::text;
use crate::problem::Problem;
use fatura_application::{RefundAmount, RequestRefund};
use fatura_domain::id::InvoiceId;
use fatura_domain::money::{Currency, Money, parse_decimal};
use fatura_domain::refund::{Refund, RefundState};
use fatura_domain::text::Text;
use serde::Serialize;
use serde_json::{Map, Value};

pub(crate) fn read_refund(invoice: InvoiceId, mut fields: Fields) -> Result<RequestRefund, Problem> {
    let amount = fields.optional("amount", amount);
    let reason = fields.optional("reason", text(Text::parse));
    fields.finish(|| {
        Some(RequestRefund { invoice, amount: amount.unwrap_or(RefundAmount::AllThatIsLeft), reason })
    })
}

/// An amount with its currency, or a decimal of the invoice's.
fn amount(value: &Value) -> Read<RefundAmount> {
    match value {
        Value::Object(members) => money(members).map(RefundAmount::Exactly),
        Value::String(text) => bare(text),
        Value::Number(number) => bare(number.as_str()),
        _ => Err("must be an amount, such as {\"amount\": \"12.50\", \"currency\": \"BRL\"}".to_owned()),
    }
}

fn bare(text: &str) -> Read<RefundAmount> {
    parse_decimal(text).map_err(|error| error.to_string())?;
    Ok(RefundAmount::InItsCurrency(text.to_owned()))
}

fn money(members: &Map<String, Value>) -> Read<Money> {
    if members.keys().any(|name| name != "amount" && name != "currency") {
        return Err("must have amount and currency and nothing else".to_owned());
    }
    let currency = members.get("currency").and_then(Value::as_str).unwrap_or_default();
    let currency: Currency = currency.parse().map_err(|error| format!("currency {error}"))?;
    let amount = match members.get("amount") {
        Some(Value::String(text)) => text.as_str(),
        Some(Value::Number(number)) => number.as_str(),
        _ => return Err("amount must be a decimal number, such as \"12.50\"".to_owned()),
    };
    Money::parse(amount, currency).map_err(|error| error.to_string())
}

#[derive(Debug, Serialize)]
pub(crate) struct RefundBody<'a> {
    id: String,
    invoice_id: String,
    amount: MoneyBody,
    reason: Option<&'a str>,
    status: &'static str,
    gateway: &'a str,
    gateway_reference: Option<&'a str>,
    transaction_id: Option<String>,
    failure: Option<FailureBody<'a>>,
    created_at: Instant,
    updated_at: Instant,
}

impl<'a> From<&'a Refund> for RefundBody<'a> {
    fn from(refund: &'a Refund) -> Self {
        let (reference, transaction, failure) = match &refund.state {
            RefundState::Pending { .. } => (None, None, None),
            RefundState::Succeeded { reference, transaction } => (Some(reference), Some(transaction), None),
            RefundState::Failed { failure } => (None, None, Some(failure)),
        };
        Self {
            id: refund.id.to_string(),
            invoice_id: refund.invoice.to_string(),
            amount: refund.amount.into(),
            reason: refund.reason.as_ref().map(Text::as_str),
            status: refund.state.as_str(),
            gateway: refund.gateway.as_str(),
            gateway_reference: reference.map(|reference| reference.0.as_str()),
            transaction_id: transaction.map(ToString::to_string),
            failure: failure.map(FailureBody::from),
            created_at: Instant(refund.created_at),
            updated_at: Instant(refund.updated_at),
        }
    }
}
