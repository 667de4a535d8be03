use super::common::{Instant, MoneyBody};
use super::fields::Fields;
use super::ledger::Viewer;
use super::values::{instant, numeral, one_of, text};
use crate::problem::Problem;
use fatura_domain::gateway::{GatewayName, MeansType};
use fatura_domain::id::AttemptId;
use fatura_domain::ledger::{Direction, MovedBy, Transaction, TransactionFilter, TransactionKind};
use fatura_domain::money::{Currency, Money, parse_decimal};
use fatura_domain::text::{Description, Text};
use rust_decimal::Decimal;
use serde::Serialize;

/// How a movement of money stands. On record are only those that happened: the others match nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TransactionStatus {
    Pending,
    Succeeded,
    Failed,
}

impl TransactionStatus {
    const ALL: [Self; 3] = [Self::Pending, Self::Succeeded, Self::Failed];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

pub(crate) fn read_filter(
    mut fields: Fields,
) -> Result<(TransactionFilter, Option<TransactionStatus>), Problem> {
    let currency = fields.optional("currency", text(str::parse::<Currency>));
    let filter = TransactionFilter {
        from: fields.optional("from", instant),
        to: fields.optional("to", instant),
        min_amount: fields.optional("min_amount", numeral(|text| amount(text, currency))),
        max_amount: fields.optional("max_amount", numeral(|text| amount(text, currency))),
        currency,
        kind: fields
            .optional("type", one_of(TransactionKind::ALL.into_iter().map(|kind| (kind.as_str(), kind)))),
        item: fields.optional("item", text(Description::parse)).map(String::from),
        gateway: fields.optional("gateway", text(GatewayName::parse)),
        means: fields.optional(
            "payment_method_type",
            one_of(MeansType::ALL.into_iter().map(|means| (means.as_str(), means))),
        ),
    };
    let statuses = TransactionStatus::ALL.into_iter().map(|status| (status.as_str(), status));
    let status = fields.optional("status", one_of(statuses));
    refuse_empty_period(&mut fields, ("from", filter.from), ("to", filter.to));
    if filter.min_amount.zip(filter.max_amount).is_some_and(|(min, max)| min > max) {
        fields.fault("max_amount", "must not be less than min_amount");
    }
    fields.finish(|| Some((filter, status)))
}

pub(crate) fn refuse_empty_period<T: PartialOrd>(
    fields: &mut Fields,
    (from_name, from): (&str, Option<T>),
    (to_name, to): (&str, Option<T>),
) {
    if from.zip(to).is_some_and(|(from, to)| from >= to) {
        fields.fault(to_name, format!("must be after {from_name}"));
    }
}

/// A bound in major units: of the currency that is asked for, or else of any.
fn amount(text: &str, currency: Option<Currency>) -> Result<Decimal, String> {
    let amount = match currency {
        Some(currency) => {
            Money::parse(text, currency).map(Money::major).map_err(|error| error.to_string())?
        }
        None => parse_decimal(text).map_err(|error| error.to_string())?,
    };
    if amount.is_sign_negative() && !amount.is_zero() {
        return Err("must not be negative".to_owned());
    }
    Ok(amount)
}

#[derive(Debug, Serialize)]
pub(crate) struct TransactionBody<'a> {
    id: String,
    r#type: &'static str,
    status: &'static str,
    amount: MoneyBody,
    /// Which way the customer's own wallet moved.
    direction: Option<&'static str>,
    invoice_id: Option<String>,
    attempt_id: Option<String>,
    gateway: Option<&'a str>,
    gateway_reference: Option<&'a str>,
    payment_method_id: Option<String>,
    payment_method_type: Option<&'static str>,
    reference: Option<&'a str>,
    description: Option<&'a str>,
    items: &'a [String],
    created_at: Instant,
}

impl<'a> TransactionBody<'a> {
    pub(crate) fn of(transaction: &'a Transaction, viewer: Viewer) -> Self {
        // Whose charge it is has the rest of it.
        let at = transaction.moved_by.at_gateway().filter(|_| transaction.mirrors.is_none());
        let attempt = at.map(|at| AttemptId { invoice: at.invoice, number: at.attempt });
        let (reference, description) = match &transaction.moved_by {
            MovedBy::Gateway(_) => (None, None),
            MovedBy::Wallet(by) => (by.reference.as_ref().map(Text::as_str), None),
            MovedBy::Operator(posted) => (None, Some(posted.description.as_str())),
        };
        Self {
            id: transaction.id.to_string(),
            r#type: transaction.kind.as_str(),
            status: TransactionStatus::Succeeded.as_str(),
            amount: transaction.amount.into(),
            direction: transaction.wallet_direction().map(Direction::as_str),
            invoice_id: transaction.moved_by.invoice().and_then(|id| viewer.invoice(id)),
            attempt_id: attempt.map(|attempt| attempt.to_string()),
            gateway: at.map(|at| at.gateway.as_str()),
            gateway_reference: at.map(|at| at.reference.0.as_str()),
            payment_method_id: at.map(|at| at.payment_method.to_string()),
            payment_method_type: at.map(|at| at.means.as_str()),
            reference,
            description,
            items: &transaction.lines,
            created_at: Instant(transaction.at),
        }
    }
}
