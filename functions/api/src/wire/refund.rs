use super::common::{FailureBody, Instant, MoneyBody};
use super::fields::{Fields, Read};
use super::values::{money, text};
use crate::problem::Problem;
use fatura_application::{RefundAmount, RequestRefund};
use fatura_domain::gateway::GatewayName;
use fatura_domain::id::InvoiceId;
use fatura_domain::money::parse_decimal;
use fatura_domain::refund::{Refund, RefundState};
use fatura_domain::text::Text;
use serde::Serialize;
use serde_json::Value;

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
        Value::Object(_) => money(value).map(RefundAmount::Exactly),
        Value::String(text) => bare(text),
        Value::Number(number) => bare(number.as_str()),
        _ => Err("must be an amount, such as {\"amount\": \"12.50\", \"currency\": \"BRL\"}".to_owned()),
    }
}

fn bare(text: &str) -> Read<RefundAmount> {
    parse_decimal(text).map_err(|error| error.to_string())?;
    Ok(RefundAmount::InItsCurrency(text.to_owned()))
}

#[derive(Debug, Serialize)]
pub(crate) struct RefundBody<'a> {
    id: String,
    invoice_id: String,
    amount: MoneyBody,
    reason: Option<&'a str>,
    status: &'static str,
    gateway: Option<&'a str>,
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
            RefundState::Succeeded { reference, transaction } => {
                (reference.as_ref(), Some(transaction), None)
            }
            RefundState::Failed { failure } => (None, None, Some(failure)),
        };
        Self {
            id: refund.id.to_string(),
            invoice_id: refund.invoice.to_string(),
            amount: refund.amount.into(),
            reason: refund.reason.as_ref().map(Text::as_str),
            status: refund.state.as_str(),
            gateway: refund.gateway().map(GatewayName::as_str),
            gateway_reference: reference.map(|reference| reference.0.as_str()),
            transaction_id: transaction.map(ToString::to_string),
            failure: failure.map(FailureBody::from),
            created_at: Instant(refund.created_at),
            updated_at: Instant(refund.updated_at),
        }
    }
}
