use super::bill_line::BillLineBody;
use super::common::{Instant, MoneyBody};
use super::fields::Fields;
use super::values::{id, instant, one_of, text};
use crate::problem::Problem;
use fatura_application::{BillView, Converted, CreateBill};
use fatura_domain::actor::Actor;
use fatura_domain::bill::{Bill, BillTerms, Closed, Outcome, Recurs, Settlement, TermsDraft, Totals};
use fatura_domain::customer::TimeZoneName;
use fatura_domain::exchange::RateSource;
use fatura_domain::id::CustomerId;
use fatura_domain::money::Currency;
use serde::Serialize;
use std::collections::BTreeMap;

pub(crate) fn read_bill(mut fields: Fields) -> Result<CreateBill, Problem> {
    let customer = fields.required("customer_id", id::<CustomerId>);
    let terms = read_terms(&mut fields);
    fields.finish(|| Some(CreateBill { customer: customer?, terms: terms? }))
}

/// The period is judged whatever is wrong beside it.
fn read_terms(fields: &mut Fields) -> Option<BillTerms> {
    let period_start = fields.required("period_start", instant);
    let period_end = fields.required("period_end", instant);
    let time_zone = fields.optional("time_zone", text(TimeZoneName::parse));
    let settlement_currency = fields.optional("settlement_currency", text(str::parse::<Currency>));
    let recurrences = Recurs::ALL.into_iter().map(|recurs| (recurs.as_str(), recurs));
    let recurs = fields.optional("recurrence", one_of(recurrences)).unwrap_or_default();
    let (period_start, period_end) = (period_start?, period_end?);
    let draft = TermsDraft { period_start, period_end, time_zone, settlement_currency, recurs };
    BillTerms::try_new(draft).map_err(|faults| fields.refused(faults)).ok()
}

/// Whether the recurrence ends with it.
pub(crate) fn read_close(mut fields: Fields) -> Result<bool, Problem> {
    let none = [(Recurs::Never.as_str(), true)].into_iter();
    let is_last = fields.optional("recurrence", one_of(none)).unwrap_or_default();
    fields.finish(|| Some(is_last))
}

#[derive(Debug, Serialize)]
pub(crate) struct BillBody<'a> {
    id: String,
    customer_id: String,
    status: &'static str,
    period_start: Instant,
    period_end: Instant,
    time_zone: &'a str,
    settlement_currency: Option<&'static str>,
    recurrence: &'static str,
    line_item_count: u64,
    total: TotalBody,
    settlement: Option<SettlementBody>,
    previous_bill_id: Option<String>,
    next_bill_id: Option<String>,
    history: Vec<StepBody<'a>>,
    closed_at: Option<Instant>,
    created_at: Instant,
    updated_at: Instant,
    version: u64,
}

/// A bill that has just taken a line item.
#[derive(Debug, Serialize)]
pub(crate) struct WithLine<'a> {
    #[serde(flatten)]
    pub(crate) bill: BillBody<'a>,
    pub(crate) line_item: Option<BillLineBody<'a>>,
}

/// A bill that has just taken line items.
#[derive(Debug, Serialize)]
pub(crate) struct WithLines<'a> {
    #[serde(flatten)]
    pub(crate) bill: BillBody<'a>,
    pub(crate) line_items: Vec<BillLineBody<'a>>,
}

#[derive(Debug, Serialize)]
struct TotalBody {
    by_currency: BTreeMap<&'static str, String>,
    converted: Option<ConvertedBody>,
}

#[derive(Debug, Serialize)]
struct ConvertedBody {
    currency: &'static str,
    amount: String,
    rates: BTreeMap<&'static str, String>,
    rate_source: Option<&'static str>,
    rates_at: Option<Instant>,
    indicative: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    rates_age_seconds: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stale: Option<bool>,
}

#[derive(Debug, Serialize)]
struct SettlementBody {
    status: &'static str,
    invoices: Vec<InvoicedBody>,
    carried: Vec<CarriedBody>,
    awaits_bill: bool,
    settled_at: Option<Instant>,
}

#[derive(Debug, Serialize)]
struct InvoicedBody {
    #[serde(flatten)]
    total: MoneyBody,
    invoice_id: String,
}

#[derive(Debug, Serialize)]
struct CarriedBody {
    #[serde(flatten)]
    balance: MoneyBody,
    bill_id: String,
}

#[derive(Debug, Serialize)]
struct StepBody<'a> {
    status: &'static str,
    at: Instant,
    cause: &'static str,
    by: Option<&'a str>,
}

impl<'a> From<&'a BillView> for BillBody<'a> {
    fn from(view: &'a BillView) -> Self {
        let BillView { bill, sums, converted } = view;
        let (terms, closed) = (&bill.terms, bill.state.closed());
        Self {
            id: bill.id.to_string(),
            customer_id: bill.customer().to_string(),
            status: bill.status().as_str(),
            period_start: Instant(terms.period().start()),
            period_end: Instant(terms.period().end()),
            time_zone: terms.time_zone().map_or("UTC", TimeZoneName::as_str),
            settlement_currency: terms.settlement_currency().map(Currency::code),
            recurrence: terms.recurrence().recurs().as_str(),
            line_item_count: sums.count,
            total: TotalBody {
                by_currency: by_currency(&sums.totals),
                converted: converted.as_ref().map(ConvertedBody::from),
            },
            settlement: closed.map(|closed| settlement(bill, closed)),
            previous_bill_id: bill.opened_by.map(|id| id.to_string()),
            next_bill_id: closed.and_then(|closed| closed.next).map(|id| id.to_string()),
            history: history(bill),
            closed_at: closed.map(|closed| Instant(closed.at)),
            created_at: Instant(bill.created_at),
            updated_at: Instant(bill.updated_at),
            version: bill.version,
        }
    }
}

fn by_currency(totals: &Totals) -> BTreeMap<&'static str, String> {
    totals.iter().map(|total| (total.currency().code(), total.to_string())).collect()
}

fn history(bill: &Bill) -> Vec<StepBody<'_>> {
    let steps = bill.history.iter().map(|step| StepBody {
        status: step.status.as_str(),
        at: Instant(step.at),
        cause: step.cause.as_str(),
        by: step.by.as_ref().map(Actor::as_str),
    });
    steps.collect()
}

impl From<&Converted> for ConvertedBody {
    fn from(converted: &Converted) -> Self {
        let Converted { conversion, indicative } = converted;
        let quote = conversion.quote();
        let rates = quote.into_iter().flat_map(|quote| &quote.rates);
        Self {
            currency: conversion.currency().code(),
            amount: conversion.total().to_string(),
            rates: rates.map(|(currency, rate)| (currency.code(), rate.to_string())).collect(),
            rate_source: quote.map(|quote| quote.source).map(RateSource::as_str),
            rates_at: quote.map(|quote| Instant(quote.published_at)),
            indicative: indicative.is_some(),
            rates_age_seconds: indicative.as_ref().map(|indicative| indicative.age.as_secs().max(0)),
            stale: indicative.as_ref().map(|indicative| indicative.is_stale),
        }
    }
}

/// What became of each currency; nothing has to become of what is zero.
fn settlement(bill: &Bill, closed: &Closed) -> SettlementBody {
    let owed = closed.owed().unwrap_or_default();
    let (mut invoices, mut carried) = (Vec::new(), Vec::new());
    for (currency, outcome) in closed.settlement.outcomes().into_iter().flatten() {
        let amount = owed.get(*currency).into();
        match outcome {
            Outcome::Invoiced(invoice) => {
                invoices.push(InvoicedBody { total: amount, invoice_id: invoice.to_string() });
            }
            Outcome::Carried(to) => carried.push(CarriedBody { balance: amount, bill_id: to.to_string() }),
            Outcome::Nothing => {}
        }
    }
    let settled_at = match &closed.settlement {
        Settlement::Settled { at, .. } => Some(Instant(*at)),
        Settlement::AwaitingRates { .. } | Settlement::Settling { .. } => None,
    };
    let (status, awaits_bill) = (closed.settlement.as_str(), bill.awaits_bill());
    SettlementBody { status, invoices, carried, awaits_bill, settled_at }
}
