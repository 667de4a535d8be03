//! A bill's line items as a table (RFC 4180), for spreadsheets and for books.

use super::common::Instant;
use crate::problem::Problem;
use fatura_domain::bill::BillLine;
use serde::Serialize;
use std::borrow::Cow;

pub(crate) struct Table(csv::Writer<Vec<u8>>);

/// A row: its members are the columns, in this order.
#[derive(Debug, Serialize)]
struct Row<'a> {
    id: String,
    bill_id: String,
    kind: &'static str,
    description: Cow<'a, str>,
    quantity: String,
    unit_price: String,
    currency: &'static str,
    total: String,
    reference: Option<String>,
    carried_from: Option<String>,
    occurred_at: Instant,
    appended_at: Instant,
}

const COLUMNS: [&str; 12] = [
    "id",
    "bill_id",
    "kind",
    "description",
    "quantity",
    "unit_price",
    "currency",
    "total",
    "reference",
    "carried_from",
    "occurred_at",
    "appended_at",
];

impl Table {
    pub(crate) fn with_header() -> Result<Self, Problem> {
        let mut table = Self::continued();
        table.0.write_record(COLUMNS).map_err(|error| unwritten(&error))?;
        Ok(table)
    }

    /// What follows a table that had the header.
    pub(crate) fn continued() -> Self {
        let terminator = csv::Terminator::CRLF;
        Self(csv::WriterBuilder::new().has_headers(false).terminator(terminator).from_writer(Vec::new()))
    }

    pub(crate) fn push(&mut self, line: &BillLine) -> Result<(), Problem> {
        self.0.serialize(Row::from(line)).map_err(|error| unwritten(&error))
    }

    /// How much there is by now, in bytes.
    pub(crate) fn size(&mut self) -> Result<usize, Problem> {
        self.0.flush().map_err(|error| unwritten(&error))?;
        Ok(self.0.get_ref().len())
    }

    pub(crate) fn finish(self) -> Result<Vec<u8>, Problem> {
        self.0.into_inner().map_err(|error| unwritten(error.error()))
    }
}

fn unwritten(error: &impl std::fmt::Display) -> Problem {
    Problem::internal(&format!("a table was not written: {error}"))
}

impl<'a> From<&'a BillLine> for Row<'a> {
    fn from(line: &'a BillLine) -> Self {
        let content = &line.content;
        Self {
            id: line.id.to_string(),
            bill_id: line.bill.to_string(),
            kind: content.kind().as_str(),
            description: harmless(content.description().as_str().into()),
            quantity: content.quantity().to_string(),
            unit_price: content.unit_price().to_string(),
            currency: content.currency().code(),
            total: line.total().to_string(),
            reference: line.reference().map(|reference| harmless(reference.into()).into_owned()),
            carried_from: line.carried_from.map(|bill| bill.to_string()),
            occurred_at: Instant(line.occurred_at),
            appended_at: Instant(line.appended_at),
        }
    }
}

/// What a spreadsheet would run as a formula is marked as text (OWASP, CSV injection). Numbers are left alone: a negative
/// one is no formula.
fn harmless(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}").into() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_run_as_a_formula_is_text() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(harmless(formula.into()), format!("'{formula}"));
        }
        for text in ["", "1-1", "'=1", " =1", "a@b.c"] {
            assert_eq!(harmless(text.into()), text);
        }
    }
}
