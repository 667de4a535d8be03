//! Somebody who publishes exchange rates each hour, other ones each time, and who does not always answer.

use crate::clock::Clock;
use crate::control::{Control, Verdict, Whom};
use async_trait::async_trait;
use fatura_application::ports::{Rates, RatesError};
use fatura_domain::Timestamp;
use fatura_domain::exchange::{ExchangeRates, Rate, RateSource};
use fatura_domain::money::Currency;

const HOUR_MS: i64 = 60 * 60 * 1_000;

/// How many of each a dollar is worth at that time, in ten-thousandths.
pub(crate) fn per_dollar(currency: Currency, at: Timestamp) -> i128 {
    let hour = i128::from(at.as_millisecond() / HOUR_MS);
    match currency.code() {
        "USD" => 10_000,
        "BRL" => 51_237 + hour * 7 % 1_000,
        "EUR" => 9_173 + hour * 11 % 100,
        "JPY" => 1_547_301 + hour * 13 % 10_000,
        _ => 0,
    }
}

pub(crate) const CURRENCIES: [&str; 4] = ["BRL", "USD", "EUR", "JPY"];

/// In the world's own time, whatever a function's clock shows.
#[derive(Debug, Clone)]
pub(crate) struct SimulatedRates {
    pub(crate) control: Control,
    pub(crate) clock: Clock,
}

#[async_trait]
impl Rates for SimulatedRates {
    fn source(&self) -> RateSource {
        RateSource::OpenExchangeRates
    }

    async fn latest(&self) -> Result<ExchangeRates, RatesError> {
        match self.control.call(Whom::Rates, "latest rates").await {
            Verdict::Done => Ok(self.published()),
            Verdict::DiesBefore | Verdict::DiesAfter => futures::future::pending().await,
            Verdict::Refused | Verdict::Throttled => Err(RatesError::Refused("over its quota".to_owned())),
            _ => Err(RatesError::Unavailable("no answer in time".to_owned())),
        }
    }
}

impl SimulatedRates {
    fn published(&self) -> ExchangeRates {
        let at = Timestamp::from_millisecond(self.clock.ms() / HOUR_MS * HOUR_MS).unwrap();
        let quoted = CURRENCIES.map(|code| {
            let currency: Currency = code.parse().unwrap();
            let rate = per_dollar(currency, at);
            (currency, Rate::parse(&format!("{}.{:04}", rate / 10_000, rate % 10_000)).unwrap())
        });
        ExchangeRates::try_new(self.source(), "USD".parse().unwrap(), at, quoted).unwrap()
    }
}
