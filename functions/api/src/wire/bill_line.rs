use super::common::{Instant, MoneyBody};
use super::fields::Fields;
use super::values::{instant, numeral, one_of, text};
use crate::problem::Problem;
use fatura_domain::bill::{BillLine, LineContent, LineDraft, LineKind, Price, Reference};
use fatura_domain::invoice::Quantity;
use fatura_domain::money::Currency;
use fatura_domain::text::Description;
use serde::Serialize;

/// As many as one request may append.
pub(crate) const MOST_AT_ONCE: usize = 100;

pub(crate) fn read_line(mut fields: Fields) -> Result<LineContent, Problem> {
    let content = read_content(&mut fields);
    fields.finish(|| content)
}

/// Each has a reference: it is what makes a batch that is sent again the same batch.
pub(crate) fn read_lines(mut fields: Fields) -> Result<Vec<LineContent>, Problem> {
    const NAME: &str = "line_items";
    if !fields.has(NAME) {
        fields.fault(NAME, "is required");
    }
    let contents = fields.objects(NAME, MOST_AT_ONCE, |line| {
        if !line.says("reference") {
            line.fault("reference", "is required in a batch");
        }
        read_content(line)
    });
    fields.finish(|| contents)
}

fn read_content(fields: &mut Fields) -> Option<LineContent> {
    let kinds = LineKind::ALL.into_iter().map(|kind| (kind.as_str(), kind));
    let kind = fields.optional("kind", one_of(kinds)).unwrap_or_default();
    let description = fields.required("description", text(Description::parse));
    let quantity = fields.required("quantity", numeral(Quantity::parse));
    let unit_price = fields.required("unit_price", numeral(Price::parse));
    let currency = fields.required("currency", text(str::parse::<Currency>));
    let reference = fields.optional("reference", text(Reference::parse));
    let occurred_at = fields.optional("occurred_at", instant);
    let is_whole = [description.is_some(), quantity.is_some(), unit_price.is_some(), currency.is_some()];
    // In place of what can't be read stands something harmless, so that the rest is judged all the same.
    let draft = LineDraft {
        kind,
        description: description.or_else(|| Description::parse("-").ok())?,
        quantity: quantity.or_else(|| Quantity::parse("1").ok())?,
        unit_price: unit_price.or_else(|| Price::parse("0").ok())?,
        currency: currency.unwrap_or(Currency::USD),
        reference,
        occurred_at,
    };
    let content = LineContent::try_new(draft).map_err(|faults| fields.refused(faults)).ok();
    content.filter(|_| !is_whole.contains(&false))
}

#[derive(Debug, Serialize)]
pub(crate) struct BillLineBody<'a> {
    id: String,
    bill_id: String,
    kind: &'static str,
    description: &'a str,
    quantity: String,
    unit_price: String,
    currency: &'static str,
    total: MoneyBody,
    reference: Option<String>,
    carried_from: Option<String>,
    occurred_at: Instant,
    appended_at: Instant,
}

impl<'a> From<&'a BillLine> for BillLineBody<'a> {
    fn from(line: &'a BillLine) -> Self {
        let content = &line.content;
        Self {
            id: line.id.to_string(),
            bill_id: line.bill.to_string(),
            kind: content.kind().as_str(),
            description: content.description().as_str(),
            quantity: content.quantity().to_string(),
            unit_price: content.unit_price().to_string(),
            currency: content.currency().code(),
            total: line.total().into(),
            reference: line.reference(),
            carried_from: line.carried_from.map(|bill| bill.to_string()),
            occurred_at: Instant(line.occurred_at),
            appended_at: Instant(line.appended_at),
        }
    }
}
