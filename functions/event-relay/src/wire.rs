//! The event as others read it. `docs/events.md` describes it; what is there may gain members and never lose one
//! without another `schema_version`.

mod bill;
mod invoice;

use fatura_domain::event::{Event, Subject};
use fatura_domain::money::Money;
use serde::Serialize;

const SCHEMA_VERSION: u8 = 1;

#[derive(Serialize)]
struct Detail<'a, Data> {
    schema_version: u8,
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    occurred_at: String,
    data: Data,
}

#[derive(Serialize)]
struct Amount {
    amount: String,
    currency: &'static str,
}

/// What the bus is given of an event.
pub fn detail(event: &Event) -> String {
    match &event.subject {
        Subject::Invoice { invoice, step, returned } => told(event, invoice::data(invoice, step, *returned)),
        Subject::Bill { bill, step } => told(event, bill::data(bill, step)),
    }
}

fn told(event: &Event, data: impl Serialize) -> String {
    let detail = Detail {
        schema_version: SCHEMA_VERSION,
        id: &event.id,
        kind: event.kind.as_str(),
        occurred_at: event.occurred_at().to_string(),
        data,
    };
    // Strings and numbers only: there is nothing in it that could fail.
    serde_json::to_string(&detail).unwrap_or_default()
}

fn amount(money: Money) -> Amount {
    Amount { amount: money.to_string(), currency: money.currency().code() }
}
