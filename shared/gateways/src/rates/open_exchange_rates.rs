//! Open Exchange Rates: every currency there is, in dollars, each hour or oftener by plan.

use super::{not_a_publication, on_the_way, quote, refusal, unusable};
use crate::base_url::BaseUrl;
use crate::http::{Answer, Http, exchange};
use async_trait::async_trait;
use fatura_application::ports::{RateSecrets, Rates, RatesError};
use fatura_domain::Timestamp;
use fatura_domain::exchange::{ExchangeRates, RateSource};
use fatura_domain::money::Currency;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::Number;
use std::fmt;
use std::sync::Arc;

/// What it calls the reasons for which it refuses.
const REFUSALS: [&str; 6] =
    ["missing_app_id", "invalid_app_id", "not_allowed", "access_restricted", "invalid_base", "not_found"];

#[derive(Clone)]
pub struct OpenExchangeRates {
    http: Http,
    base_url: BaseUrl,
    secrets: Arc<dyn RateSecrets>,
}

impl OpenExchangeRates {
    pub const BASE_URL: &str = "https://openexchangerates.org";
    const BASE: Currency = Currency::USD;

    pub fn new(http: Http, base_url: BaseUrl, secrets: Arc<dyn RateSecrets>) -> Self {
        Self { http, base_url, secrets }
    }

    async fn app_id(&self) -> Result<String, RatesError> {
        let told = self.secrets.app_id().await;
        let told = told.map_err(|error| RatesError::Unavailable(error.to_string()))?;
        let app_id = told.map(|app_id| app_id.0).filter(|app_id| !app_id.is_empty());
        app_id.ok_or_else(|| RatesError::Refused("no app id is configured".to_owned()))
    }
}

#[async_trait]
impl Rates for OpenExchangeRates {
    fn source(&self) -> RateSource {
        RateSource::OpenExchangeRates
    }

    async fn latest(&self) -> Result<ExchangeRates, RatesError> {
        let app_id = self.app_id().await?;
        let mut url = self.base_url.at(&["api", "latest.json"]);
        // From here on the URL is a secret.
        url.query_pairs_mut().append_pair("app_id", &app_id);
        let answer = exchange(self.http.get(url)).await.map_err(on_the_way)?;
        if !answer.status.is_success() {
            return Err(refusal(&answer, known_refusal(&answer)));
        }
        answer.json::<Latest>().map_err(|trouble| unusable(trouble.into_failure().message))?.publication()
    }
}

impl fmt::Debug for OpenExchangeRates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenExchangeRates").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Latest {
    /// Seconds.
    timestamp: i64,
    base: String,
    rates: Quotes,
}

impl Latest {
    fn publication(&self) -> Result<ExchangeRates, RatesError> {
        if self.base != OpenExchangeRates::BASE.code() {
            return Err(unusable(format!("the base is not {}", OpenExchangeRates::BASE)));
        }
        let published_at =
            Timestamp::from_second(self.timestamp).ok().filter(|at| *at > Timestamp::UNIX_EPOCH);
        let published_at = published_at.ok_or_else(|| unusable("the timestamp is none"))?;
        let mut quoted = Vec::new();
        for (code, rate) in &self.rates.0 {
            quoted.extend(quote(code, &rate.to_string())?);
        }
        let source = RateSource::OpenExchangeRates;
        ExchangeRates::try_new(source, OpenExchangeRates::BASE, published_at, quoted)
            .map_err(not_a_publication)
    }
}

/// As they stand in the document: a map would keep one of two rates for a currency, and say nothing of it. The numbers are
/// kept digit by digit.
struct Quotes(Vec<(String, Number)>);

impl<'de> Deserialize<'de> for Quotes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AsTheyStand;

        impl<'de> Visitor<'de> for AsTheyStand {
            type Value = Quotes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("rates by currency")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Quotes, A::Error> {
                let mut quotes = Vec::new();
                while let Some(quote) = map.next_entry()? {
                    if quotes.len() == MOST_QUOTES {
                        return Err(de::Error::custom("too many rates"));
                    }
                    quotes.push(quote);
                }
                Ok(Quotes(quotes))
            }
        }

        deserializer.deserialize_map(AsTheyStand)
    }
}

/// Several times as many as there are, coins included.
const MOST_QUOTES: usize = 2_000;

fn known_refusal(answer: &Answer) -> Option<&'static str> {
    #[derive(Deserialize)]
    struct Refusal {
        message: String,
    }
    let refusal: Refusal = answer.json().ok()?;
    REFUSALS.into_iter().find(|known| *known == refusal.message)
}
