use super::common::{FailureBody, Instant, MoneyBody, metadata_body};
use super::fields::Fields;
use super::payment::read_source;
use super::risk::{JudgementBody, may_see};
use super::values::{flag, id, instant, numeral, text};
use crate::problem::Problem;
use fatura_application::access::Caller;
use fatura_application::{AmendInvoice, CreateInvoice, PayBy};
use fatura_domain::Timestamp;
use fatura_domain::actor::Actor;
use fatura_domain::charge::{Failure, FailureClass, Phase};
use fatura_domain::gateway::PendingAction;
use fatura_domain::id::{CustomerId, PaymentId, PaymentMethodId};
use fatura_domain::invoice::{Content, Invoice, LineItem, Quantity, State, UnitPrice};
use fatura_domain::money::{Currency, Money};
use fatura_domain::text::Description;
use serde::Serialize;
use std::collections::BTreeMap;

pub(crate) fn read_invoice(mut fields: Fields) -> Result<CreateInvoice, Problem> {
    let customer = fields.required("customer_id", id::<CustomerId>);
    let currency = fields.required("currency", text(str::parse::<Currency>));
    if !fields.has("items") {
        fields.fault("items", "is required");
    }
    let items = read_items(&mut fields, currency);
    let description = fields.optional("description", text(Description::parse));
    let metadata = fields.metadata().unwrap_or_default();
    let payment_method = fields.optional("payment_method_id", id::<PaymentMethodId>);
    let charge_at = fields.optional("charge_at", instant);
    let auto_charge = fields.optional("auto_charge", flag).unwrap_or_default();
    fields.finish(|| {
        let content = Content { currency: currency?, items: items?, description, metadata };
        Some(CreateInvoice { customer: customer?, content, payment_method, charge_at, auto_charge })
    })
}

pub(crate) fn read_amendment(mut fields: Fields) -> Result<AmendInvoice, Problem> {
    let items = read_items(&mut fields, None);
    let description = fields.change("description", text(Description::parse));
    let metadata = fields.metadata();
    let payment_method = fields.change("payment_method_id", id::<PaymentMethodId>);
    fields.finish(|| Some(AmendInvoice { items, description, metadata, payment_method }))
}

pub(crate) fn read_charge(mut fields: Fields) -> Result<PayBy, Problem> {
    let by = read_source(&mut fields);
    fields.finish(|| by)
}

pub(super) fn read_items(fields: &mut Fields, currency: Option<Currency>) -> Option<Vec<LineItem>> {
    fields.objects("items", Content::MAX_ITEMS, |item| {
        let description = item.required("description", text(Description::parse));
        let quantity = item.required("quantity", numeral(Quantity::parse));
        let unit_price = item.required("unit_price", numeral(UnitPrice::parse));
        let line = LineItem { description: description?, quantity: quantity?, unit_price: unit_price? };
        if let Some(Err(error)) = currency.map(|currency| line.total(currency)) {
            item.fault("", format!("has a total that {error}"));
        }
        Some(line)
    })
}

#[derive(Debug, Serialize)]
pub(crate) struct InvoiceBody<'a> {
    id: String,
    customer_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_id: Option<String>,
    status: &'static str,
    currency: &'static str,
    description: Option<&'a str>,
    items: Vec<ItemBody<'a>>,
    total: MoneyBody,
    amount_paid: MoneyBody,
    amount_refunded: MoneyBody,
    payment_method_id: Option<String>,
    gateway: Option<&'a str>,
    gateway_reference: Option<&'a str>,
    next_attempt_at: Option<Instant>,
    next_action: Option<NextActionBody>,
    attempt_count: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pix: Option<PixBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<FailureBody<'a>>,
    /// What the charge under way was judged to be, only for those who may see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    risk: Option<JudgementBody<'a>>,
    metadata: BTreeMap<&'a str, &'a str>,
    history: Vec<StepBody<'a>>,
    created_at: Instant,
    updated_at: Instant,
    version: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct ItemBody<'a> {
    id: String,
    description: &'a str,
    quantity: String,
    unit_price: String,
    total: MoneyBody,
}

#[derive(Debug, Serialize)]
struct PixBody<'a> {
    emv: &'a str,
    expires_at: Instant,
}

#[derive(Debug, Serialize)]
struct StepBody<'a> {
    status: &'static str,
    at: Instant,
    cause: &'static str,
    by: Option<&'a str>,
}

/// What happens next by itself, or who has to do something, and why.
#[derive(Debug, Serialize)]
pub(super) struct NextActionBody {
    action: &'static str,
    at: Option<Instant>,
    because: Option<&'static str>,
}

impl<'a> From<&'a Invoice> for InvoiceBody<'a> {
    fn from(invoice: &'a Invoice) -> Self {
        let (gateway, reference) = at_gateway(&invoice.state);
        Self {
            id: invoice.id.to_string(),
            customer_id: invoice.customer().to_string(),
            payment_id: invoice.split.as_ref().map(|_| PaymentId::from(invoice.id).to_string()),
            status: invoice.status().as_str(),
            currency: invoice.content.currency.code(),
            description: invoice.content.description.as_ref().map(Description::as_str),
            items: items_body(invoice.id.code(), &invoice.content),
            total: invoice.total.into(),
            amount_paid: invoice.amount_paid().into(),
            amount_refunded: invoice.amount_refunded().into(),
            payment_method_id: invoice.payment_method().map(|id| id.to_string()),
            gateway,
            gateway_reference: reference,
            next_attempt_at: next_attempt_at(&invoice.state).map(Instant),
            next_action: next_action(invoice),
            attempt_count: invoice.attempts.0,
            pix: pix(&invoice.state),
            failure: failure(&invoice.state).map(FailureBody::from),
            risk: None,
            metadata: metadata_body(&invoice.content.metadata),
            history: invoice
                .history
                .iter()
                .map(|step| StepBody {
                    status: step.status.as_str(),
                    at: Instant(step.at),
                    cause: step.cause.as_str(),
                    by: step.by.as_ref().map(Actor::as_str),
                })
                .collect(),
            created_at: Instant(invoice.created_at),
            updated_at: Instant(invoice.updated_at),
            version: invoice.version,
        }
    }
}

impl<'a> InvoiceBody<'a> {
    /// With what this caller may see beyond what the customer may.
    #[must_use]
    pub(crate) fn for_caller(self, caller: &Caller, invoice: &'a Invoice) -> Self {
        let risk = invoice.judgement().filter(|_| may_see(caller)).map(JudgementBody::from);
        Self { risk, ..self }
    }
}

/// Lines have no ids on record: theirs follow from what they are of and their place.
pub(super) fn items_body<'a>(code: &str, content: &'a Content) -> Vec<ItemBody<'a>> {
    let currency = content.currency;
    let lines = content.items.iter().zip(1..);
    lines
        .map(|(line, place): (_, u32)| ItemBody {
            id: format!("li_{code}{place:03}"),
            description: line.description.as_str(),
            quantity: line.quantity.to_string(),
            unit_price: line.unit_price.to_string(),
            // The whole total is the sum of these, so each of them was computed before.
            total: line.total(currency).unwrap_or(Money::zero(currency)).into(),
        })
        .collect()
}

/// Where the money came from, or where it is being asked for just now.
fn at_gateway(state: &State) -> (Option<&str>, Option<&str>) {
    if let Some(charge) = state.payment().and_then(|payment| payment.charge.as_ref()) {
        return (Some(charge.gateway.as_str()), Some(charge.reference.0.as_str()));
    }
    match state {
        State::Pending(collection) => match &collection.live {
            Some(live) => (
                Some(collection.source.gateway.as_str()),
                live.reference().map(|reference| reference.0.as_str()),
            ),
            None => (None, None),
        },
        _ => (None, None),
    }
}

/// When the payer is asked for money next without anybody doing anything. A look-up isn't an attempt.
fn next_attempt_at(state: &State) -> Option<Timestamp> {
    match state {
        State::ChargedWithError(failed) => failed.retry_at,
        State::Pending(collection) => match &collection.live {
            None => collection.scheduled_for,
            Some(live) if matches!(live.phase, Phase::NotSent { .. }) => collection.due,
            Some(_) => None,
        },
        _ => None,
    }
}

pub(super) fn next_action(invoice: &Invoice) -> Option<NextActionBody> {
    let (action, at) = invoice.next_action()?;
    let because = invoice.failure_class().map(FailureClass::as_str);
    Some(NextActionBody { action: action.as_str(), at: at.map(Instant), because })
}

fn pix(state: &State) -> Option<PixBody<'_>> {
    match &state.live_attempt()?.phase {
        Phase::Awaiting { action: PendingAction::Pix { emv, expires_at }, .. } => {
            Some(PixBody { emv, expires_at: Instant(*expires_at) })
        }
        _ => None,
    }
}

pub(super) fn failure(state: &State) -> Option<&Failure> {
    match state {
        State::ChargedWithError(failed) | State::Uncollectible(failed) => Some(&failed.failure),
        _ => state.live_attempt()?.failure(),
    }
}
