use super::{Amount, amount};
use fatura_domain::bill::{Bill, BillStep, Outcome};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
pub(super) struct Data {
    bill_id: String,
    customer_id: String,
    status: &'static str,
    cause: &'static str,
    version: u64,
    period_start: String,
    period_end: String,
    /// Once it is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<Total>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settlement: Option<Settlement>,
}

#[derive(Serialize)]
struct Total {
    by_currency: BTreeMap<&'static str, String>,
    /// What it is asked for in, where that is one currency.
    converted: Option<Amount>,
}

#[derive(Serialize)]
struct Settlement {
    status: &'static str,
    invoice_ids: Vec<String>,
}

pub(super) fn data(bill: &Bill, step: &BillStep) -> Data {
    let closed = bill.state.closed();
    let period = bill.terms.period();
    Data {
        bill_id: bill.id.to_string(),
        customer_id: bill.customer().to_string(),
        status: step.status.as_str(),
        cause: step.cause.as_str(),
        version: bill.version,
        period_start: period.start().to_string(),
        period_end: period.end().to_string(),
        total: closed.map(|closed| Total {
            by_currency: closed
                .sums
                .totals
                .iter()
                .map(|amount| (amount.currency().code(), amount.to_string()))
                .collect(),
            converted: closed.settlement.conversion().map(|conversion| amount(conversion.total())),
        }),
        settlement: closed.map(|closed| Settlement {
            status: closed.settlement.as_str(),
            invoice_ids: closed.settlement.outcomes().into_iter().flatten().filter_map(invoice).collect(),
        }),
    }
}

fn invoice<Of>((_, outcome): (Of, &Outcome)) -> Option<String> {
    match outcome {
        Outcome::Invoiced(invoice) => Some(invoice.to_string()),
        Outcome::Nothing | Outcome::Carried(_) => None,
    }
}
