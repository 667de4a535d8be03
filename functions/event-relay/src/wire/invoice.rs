use super::{Amount, amount};
use fatura_domain::Timestamp;
use fatura_domain::id::PaymentId;
use fatura_domain::invoice::{Invoice, State, Status, Transition};
use fatura_domain::money::Money;
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Data {
    invoice_id: String,
    customer_id: String,
    /// What it pays for are orders.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_id: Option<String>,
    status: &'static str,
    cause: &'static str,
    version: u64,
    total: Amount,
    amount_paid: Amount,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<FailureDetail>,
    /// What this step gave back.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount_returned: Option<Amount>,
}

#[derive(Serialize)]
struct FailureDetail {
    class: &'static str,
    code: String,
    retry_at: Option<String>,
    /// It is the last: whoever tells people tells them of the invoice's end instead.
    uncollectible: bool,
}

pub(super) fn data(invoice: &Invoice, step: &Transition, returned: Option<Money>) -> Data {
    let failure = match &invoice.state {
        State::ChargedWithError(failed) | State::Uncollectible(failed) => Some(FailureDetail {
            class: failed.failure.class.as_str(),
            code: failed.failure.code.clone(),
            retry_at: failed.retry_at.as_ref().map(Timestamp::to_string),
            uncollectible: invoice.status() == Status::Uncollectible,
        }),
        _ => None,
    };
    Data {
        invoice_id: invoice.id.to_string(),
        customer_id: invoice.customer().to_string(),
        payment_id: invoice.split.as_ref().map(|_| PaymentId::from(invoice.id).to_string()),
        status: step.status.as_str(),
        cause: step.cause.as_str(),
        version: invoice.version,
        total: amount(invoice.total),
        amount_paid: amount(invoice.amount_paid()),
        failure,
        amount_returned: returned.map(amount),
    }
}
