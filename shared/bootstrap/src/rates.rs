//! The deployment's source of exchange rates, if it has one.

use crate::environment::StartError;
use fatura_application::RateDesk;
use fatura_application::ports::{Clock, RateSecrets, RateStore, Rates};
use fatura_domain::SignedDuration;
use fatura_domain::exchange::{AgeLimits, RateSource};
use fatura_gateways::{BaseUrl, EuropeanCentralBank, Http, OpenExchangeRates, Timeouts};
use std::sync::Arc;
use std::time::Duration;

/// `none`, or a source by its name.
const RATES_SOURCE: &str = "RATES_SOURCE";
/// Empty: the source's production.
const RATES_URL: &str = "RATES_URL";
/// How long nobody asks the source again.
const RATES_TTL_MINUTES: &str = "RATES_TTL_MINUTES";
/// How old rates may be that are still used while the source has no newer ones, or no answer.
const RATES_MAX_AGE_HOURS: &str = "RATES_MAX_AGE_HOURS";

/// One publication serves the whole deployment through the table, so that this is some 750 calls a month: Open Exchange
/// Rates gives 1,000 for nothing.
const TTL_MINUTES: u32 = 60;

/// Whoever asks for rates may be answering somebody: rather none than late ones.
const TIMEOUTS: Timeouts = Timeouts { connect: Duration::from_secs(1), total: Duration::from_millis(2_500) };

/// What the environment says of exchange rates.
#[derive(Debug, PartialEq, Eq)]
struct Settings {
    source: RateSource,
    url: BaseUrl,
    limits: AgeLimits,
}

impl Settings {
    /// None: this deployment does without.
    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, StartError> {
        let Some(source) = source(variable(RATES_SOURCE).as_deref())? else { return Ok(None) };
        let url = variable(RATES_URL);
        let url = url.as_deref().unwrap_or_else(|| production(source));
        let url = url.parse().map_err(|_| StartError::NotABaseUrl(RATES_URL))?;
        let ttl =
            whole(&variable, RATES_TTL_MINUTES, TTL_MINUTES, "a whole number of minutes, at least one")?;
        let max_age = whole(&variable, RATES_MAX_AGE_HOURS, max_age_hours(source), LONG_ENOUGH)?;
        let ttl = SignedDuration::from_mins(ttl.into());
        let limits = AgeLimits::try_new(ttl, SignedDuration::from_hours(max_age.into()))
            .map_err(|_| StartError::Unusable(RATES_MAX_AGE_HOURS, LONG_ENOUGH))?;
        Ok(Some(Self { source, url, limits }))
    }
}

const LONG_ENOUGH: &str = "a whole number of hours, no fewer than RATES_TTL_MINUTES has";

fn source(name: Option<&str>) -> Result<Option<RateSource>, StartError> {
    match name {
        None | Some("none") => Ok(None),
        Some(name) => match RateSource::ALL.into_iter().find(|source| source.as_str() == name) {
            Some(source) => Ok(Some(source)),
            None => {
                Err(StartError::Unusable(RATES_SOURCE, "none, open_exchange_rates or european_central_bank"))
            }
        },
    }
}

const fn production(source: RateSource) -> &'static str {
    match source {
        RateSource::OpenExchangeRates => OpenExchangeRates::BASE_URL,
        RateSource::EuropeanCentralBank => EuropeanCentralBank::BASE_URL,
    }
}

const fn max_age_hours(source: RateSource) -> u32 {
    match source {
        RateSource::OpenExchangeRates => 72,
        // It rests at weekends and on holidays: from the Thursday before Easter to the Tuesday after, at the longest.
        RateSource::EuropeanCentralBank => 168,
    }
}

fn whole(
    variable: impl Fn(&str) -> Option<String>,
    name: &'static str,
    default: u32,
    what: &'static str,
) -> Result<u32, StartError> {
    let number = variable(name).map_or(Ok(default), |text| text.parse());
    number.ok().filter(|number| *number > 0).ok_or(StartError::Unusable(name, what))
}

/// The desk that the environment asks for. What the source has to be told is a secret, which is looked for only if it
/// needs one.
pub(crate) fn configured(
    variable: impl Fn(&str) -> Option<String>,
    store: Arc<dyn RateStore>,
    clock: Arc<dyn Clock>,
    secrets: impl FnOnce() -> Result<Arc<dyn RateSecrets>, StartError>,
) -> Result<Option<Arc<RateDesk>>, StartError> {
    let Some(Settings { source, url, limits }) = Settings::read(variable)? else { return Ok(None) };
    let http = Http::try_new(TIMEOUTS)?;
    let source: Arc<dyn Rates> = match source {
        RateSource::OpenExchangeRates => Arc::new(OpenExchangeRates::new(http, url, secrets()?)),
        RateSource::EuropeanCentralBank => Arc::new(EuropeanCentralBank::new(http, url)),
    };
    Ok(Some(Arc::new(RateDesk::new(source, store, clock, limits))))
}

#[cfg(test)]
mod tests;
