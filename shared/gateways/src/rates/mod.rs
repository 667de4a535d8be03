//! Those who publish exchange rates. A publication is believed as a whole or not at all: one rate that can't be says that
//! something is wrong with the others.

mod european_central_bank;
mod open_exchange_rates;

pub use european_central_bank::EuropeanCentralBank;
pub use open_exchange_rates::OpenExchangeRates;

use crate::http::Answer;
use crate::trouble::Trouble;
use fatura_application::ports::RatesError;
use fatura_domain::exchange::{PublicationError, Rate};
use fatura_domain::money::Currency;

/// What kept a proper answer from coming.
fn on_the_way(trouble: Trouble) -> RatesError {
    let failure = trouble.into_failure();
    let reason = format!("{}: {}", failure.code, failure.message);
    match failure.code.as_str() {
        // Our quota, or what our plan doesn't include.
        "rate_limited" | "request_not_built" => RatesError::Refused(reason),
        "unexpected_status" => RatesError::Unusable(reason),
        _ => RatesError::Unavailable(reason),
    }
}

fn unusable(reason: impl Into<String>) -> RatesError {
    RatesError::Unusable(reason.into())
}

fn not_a_publication(error: PublicationError) -> RatesError {
    unusable(error.to_string())
}

/// The refusal of what was asked, in our own words: a source's might repeat what it was asked with.
fn refusal(answer: &Answer, known: Option<&'static str>) -> RatesError {
    match known {
        Some(known) => RatesError::Refused(format!("answered {}, {known}", answer.status)),
        None => RatesError::Refused(format!("answered {}", answer.status)),
    }
}

/// Sources know more currencies than there is money here: metals, coins, what was money once. None: it is one of those.
fn quote(code: &str, rate: &str) -> Result<Option<(Currency, Rate)>, RatesError> {
    let Ok(currency) = code.parse::<Currency>() else { return Ok(None) };
    let rate = Rate::parse(rate).map_err(|error| unusable(format!("the rate of {currency} {error}")))?;
    Ok(Some((currency, rate)))
}
