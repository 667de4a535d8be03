use super::*;
use crate::system::SystemClock;
use async_trait::async_trait;
use fatura_application::ports::{AppId, KeptRates, SecretsError, StoreError};
use fatura_domain::exchange::Publication;
use rates_server::{Config, RatesServer};

const OPEN: (&str, &str) = (RATES_SOURCE, "open_exchange_rates");
const BANK: (&str, &str) = (RATES_SOURCE, "european_central_bank");

/// As the environment gives variables: what is empty is not set.
fn of(variables: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
    |name| {
        let found = variables.iter().find(|(set, _)| *set == name);
        found.map(|(_, value)| (*value).to_owned())
    }
}

fn read(variables: &[(&str, &str)]) -> Result<Option<Settings>, StartError> {
    Settings::read(of(variables))
}

fn settings(source: RateSource, url: &str, minutes: i64, hours: i64) -> Settings {
    let limits = AgeLimits::try_new(SignedDuration::from_mins(minutes), SignedDuration::from_hours(hours));
    Settings { source, url: url.parse().unwrap(), limits: limits.unwrap() }
}

#[test]
fn a_deployment_may_do_without() {
    for without in [&[][..], &[(RATES_SOURCE, "none")], &[(RATES_SOURCE, "none"), (RATES_URL, "nonsense")]] {
        assert_eq!(read(without).unwrap(), None, "{without:?}");
    }
}

#[test]
fn a_source_is_asked_at_its_production_and_kept_by_its_own_habits() {
    let open = settings(RateSource::OpenExchangeRates, "https://openexchangerates.org", 60, 72);
    assert_eq!(read(&[OPEN]).unwrap(), Some(open));
    let bank = settings(RateSource::EuropeanCentralBank, "https://www.ecb.europa.eu", 60, 168);
    assert_eq!(read(&[BANK]).unwrap(), Some(bank));
}

#[test]
fn what_the_environment_says_goes() {
    let said =
        [OPEN, (RATES_URL, "http://127.0.0.1:1"), (RATES_TTL_MINUTES, "120"), (RATES_MAX_AGE_HOURS, "2")];
    let wanted = settings(RateSource::OpenExchangeRates, "http://127.0.0.1:1", 120, 2);
    assert_eq!(read(&said).unwrap(), Some(wanted));
}

#[test]
fn what_cannot_be_used_is_named() {
    let refused = [
        (vec![(RATES_SOURCE, "oxr")], RATES_SOURCE),
        (vec![(RATES_SOURCE, "None")], RATES_SOURCE),
        (vec![BANK, (RATES_URL, "www.ecb.europa.eu")], RATES_URL),
        (vec![BANK, (RATES_URL, "https://user:word@example.com")], RATES_URL),
        (vec![BANK, (RATES_TTL_MINUTES, "0")], RATES_TTL_MINUTES),
        (vec![BANK, (RATES_TTL_MINUTES, "-1")], RATES_TTL_MINUTES),
        (vec![BANK, (RATES_TTL_MINUTES, "1.5")], RATES_TTL_MINUTES),
        (vec![BANK, (RATES_MAX_AGE_HOURS, "0")], RATES_MAX_AGE_HOURS),
        (vec![BANK, (RATES_MAX_AGE_HOURS, "a week")], RATES_MAX_AGE_HOURS),
        (vec![BANK, (RATES_MAX_AGE_HOURS, "4294967296")], RATES_MAX_AGE_HOURS),
        (vec![BANK, (RATES_TTL_MINUTES, "121"), (RATES_MAX_AGE_HOURS, "2")], RATES_MAX_AGE_HOURS),
    ];
    for (variables, name) in refused {
        let error = read(&variables).unwrap_err().to_string();
        assert!(error.starts_with(&format!("the environment variable {name} is not ")), "{error}");
    }
}

#[test]
fn the_longest_that_can_be_said_can_be_counted() {
    let longest = [BANK, (RATES_TTL_MINUTES, "4294967295"), (RATES_MAX_AGE_HOURS, "4294967295")];
    assert!(read(&longest).unwrap().is_some());
}

/// A table that keeps nothing, and an app id.
struct Beside;

#[async_trait]
impl RateStore for Beside {
    async fn rates(&self, _: RateSource) -> Result<Option<Publication>, StoreError> {
        Ok(None)
    }

    async fn keep_rates(&self, _: &Publication) -> Result<KeptRates, StoreError> {
        Ok(KeptRates::Kept)
    }
}

#[async_trait]
impl RateSecrets for Beside {
    async fn app_id(&self) -> Result<Option<AppId>, SecretsError> {
        Ok(Some(AppId("app_1".to_owned())))
    }
}

fn desk(
    variables: &[(&str, &str)],
    secrets: impl FnOnce() -> Result<Arc<dyn RateSecrets>, StartError>,
) -> Result<Option<Arc<RateDesk>>, StartError> {
    configured(of(variables), Arc::new(Beside), Arc::new(SystemClock), secrets)
}

#[tokio::test]
async fn the_source_is_the_one_that_is_named_and_is_asked_where_it_is_said_to_be() {
    let server = RatesServer::start(Config { app_id: "app_1".to_owned(), clock_file: None }).await.unwrap();
    for (source, named) in RateSource::ALL.into_iter().zip([OPEN, BANK]) {
        let desk = desk(&[named, (RATES_URL, server.url())], || Ok(Arc::new(Beside))).unwrap().unwrap();
        let rates = desk.current().await.unwrap();
        assert_eq!((rates.rates().source(), rates.is_stale), (source, false));
    }
}

#[test]
fn only_a_source_that_needs_a_secret_has_it_looked_for() {
    let missing = || Err(StartError::Missing("GATEWAY_SECRETS_ID"));
    assert!(desk(&[BANK], missing).unwrap().is_some());
    assert!(desk(&[], missing).unwrap().is_none());
    assert!(desk(&[OPEN], missing).is_err());
}
