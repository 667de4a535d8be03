use super::common::{Instant, MoneyBody};
use super::fields::Fields;
use super::values::{money, numeral};
use crate::problem::Problem;
use fatura_application::FeesEdition;
use fatura_domain::actor::Actor;
use fatura_domain::fees::{Fees, Rate};
use fatura_domain::money::Money;
use serde::Serialize;
use serde_json::Value;

pub(crate) fn read_fees(mut fields: Fields) -> Result<Fees, Problem> {
    let rate = fields.required("rate", numeral(Rate::parse));
    let fixed = fields.optional("fixed", |value| Ok(value.clone()));
    let fixed = fixed.map_or(Some(Vec::new()), |fixed| read_fixed(&mut fields, &fixed));
    let fees = rate.zip(fixed).and_then(|(rate, fixed)| {
        Fees::try_new(rate, fixed).map_err(|error| fields.fault("fixed", error.to_string())).ok()
    });
    fields.finish(|| fees)
}

fn read_fixed(fields: &mut Fields, value: &Value) -> Option<Vec<Money>> {
    const NAME: &str = "fixed";
    let Value::Array(values) = value else {
        fields.fault(NAME, "must be a list");
        return None;
    };
    if values.len() > Fees::MOST_FIXED {
        fields.fault(NAME, format!("must have at most {} entries", Fees::MOST_FIXED));
        return None;
    }
    let mut fixed = Vec::new();
    for (place, value) in values.iter().enumerate() {
        match money(value) {
            Ok(part) => fixed.push(part),
            Err(reason) => fields.fault_at(format!("{NAME}[{place}]"), reason),
        }
    }
    (fixed.len() == values.len()).then_some(fixed)
}

#[derive(Debug, Serialize)]
pub(crate) struct FeesBody<'a> {
    /// None: the platform's, which are for whoever has none of their own.
    merchant_id: Option<String>,
    rate: String,
    fixed: Vec<MoneyBody>,
    updated_by: Option<&'a str>,
    updated_at: Option<Instant>,
    version: u64,
}

impl<'a> FeesBody<'a> {
    /// Who put them is no merchant's matter.
    pub(crate) fn of(edition: &'a FeesEdition, says_who: bool) -> Self {
        let put = edition.put.as_ref();
        Self {
            merchant_id: edition.merchant.map(|merchant| merchant.to_string()),
            rate: edition.fees.rate().to_string(),
            fixed: edition.fees.fixed().iter().copied().map(MoneyBody::from).collect(),
            updated_by: put.filter(|_| says_who).map(|(by, _)| Actor::as_str(by)),
            updated_at: put.map(|(_, at)| Instant(*at)),
            version: edition.version,
        }
    }
}
