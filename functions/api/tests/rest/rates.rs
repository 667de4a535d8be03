//! Somebody who publishes the exchange rates that a test wants.

use async_trait::async_trait;
use fatura_application::RateDesk;
use fatura_application::ports::{Clock, RateStore, Rates, RatesError};
use fatura_domain::SignedDuration;
use fatura_domain::exchange::{AgeLimits, ExchangeRates, Rate, RateSource};
use fatura_domain::money::Currency;
use fatura_testkit::VirtualClock;
use std::sync::{Arc, Mutex};

pub(crate) struct StubRates {
    clock: Arc<VirtualClock>,
    latest: Mutex<Option<ExchangeRates>>,
}

impl StubRates {
    /// For how long they are as good as new.
    const TIME_TO_LIVE: SignedDuration = SignedDuration::from_hours(1);
    /// For how long they serve at all.
    const MAX_AGE: SignedDuration = SignedDuration::from_hours(48);

    pub(crate) const fn new(clock: Arc<VirtualClock>) -> Self {
        Self { clock, latest: Mutex::new(None) }
    }

    /// What a function asks.
    pub(crate) fn desk(self: &Arc<Self>, store: Arc<dyn RateStore>) -> Arc<RateDesk> {
        let limits = AgeLimits::try_new(Self::TIME_TO_LIVE, Self::MAX_AGE).unwrap();
        Arc::new(RateDesk::new(self.clone(), store, self.clock.clone(), limits))
    }

    /// From now on one dollar is worth so much, by the rates of half an hour ago.
    pub(crate) fn dollar_is(&self, rates: &[(&str, &str)]) {
        let at = self.clock.now() - SignedDuration::from_mins(30);
        let rate = |(code, rate): &(&str, &str)| -> (Currency, Rate) {
            (code.parse().unwrap(), Rate::parse(rate).unwrap())
        };
        let source = RateSource::OpenExchangeRates;
        let rates = ExchangeRates::try_new(source, Currency::USD, at, rates.iter().map(rate)).unwrap();
        *self.latest.lock().unwrap() = Some(rates);
    }

    /// From now on it doesn't answer.
    pub(crate) fn falls_silent(&self) {
        *self.latest.lock().unwrap() = None;
    }
}

#[async_trait]
impl Rates for StubRates {
    fn source(&self) -> RateSource {
        RateSource::OpenExchangeRates
    }

    async fn latest(&self) -> Result<ExchangeRates, RatesError> {
        let latest = self.latest.lock().unwrap().clone();
        latest.ok_or_else(|| RatesError::Unavailable("no answer".to_owned()))
    }
}
