//! The event as others read it. `docs/events.md` describes it; what is there may gain members and never lose one
//! without another `schema_version`.

use fatura_domain::Timestamp;
use fatura_domain::event::Event;
use fatura_domain::money::Money;
use serde::Serialize;

const SCHEMA_VERSION: u8 = 1;

#[derive(Serialize)]
struct Detail<'a> {
    schema_version: u8,
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    occurred_at: String,
    data: Data,
}

#[derive(Serialize)]
struct Data {
    invoice_id: String,
    customer_id: String,
    status: &'static str,
    cause: &'static str,
    version: u64,
    total: Amount,
    amount_paid: Amount,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<FailureDetail>,
}

#[derive(Serialize)]
struct Amount {
    amount: String,
    currency: &'static str,
}

#[derive(Serialize)]
struct FailureDetail {
    class: &'static str,
    code: String,
    retry_at: Option<String>,
}

pub(crate) fn detail(event: &Event) -> String {
    use fatura_domain::invoice::State;
    let invoice = &event.invoice;
    let failure = match &invoice.state {
        State::ChargedWithError(failed) | State::Uncollectible(failed) => Some(FailureDetail {
            class: failed.failure.class.as_str(),
            code: failed.failure.code.clone(),
            retry_at: failed.retry_at.map(rfc3339),
        }),
        _ => None,
    };
    let detail = Detail {
        schema_version: SCHEMA_VERSION,
        id: &event.id,
        kind: event.kind.as_str(),
        occurred_at: rfc3339(event.step.at),
        data: Data {
            invoice_id: invoice.id.to_string(),
            customer_id: invoice.customer().to_string(),
            status: event.step.status.as_str(),
            cause: event.step.cause.as_str(),
            version: invoice.version,
            total: amount(invoice.total),
            amount_paid: amount(invoice.amount_paid()),
            failure,
        },
    };
    // Strings and numbers only: there is nothing in it that could fail.
    serde_json::to_string(&detail).unwrap_or_default()
}

fn amount(money: Money) -> Amount {
    Amount { amount: money.to_string(), currency: money.currency().code() }
}

fn rfc3339(at: Timestamp) -> String {
    at.to_string()
}
