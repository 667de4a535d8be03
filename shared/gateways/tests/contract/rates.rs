//! Those who publish exchange rates, over HTTP: what they say well, and everything else that may come.

mod log;
mod publications;
mod troubles;

use crate::scripted::{Act, Scripted, answer};
use async_trait::async_trait;
use fatura_application::ports::{AppId, RateSecrets, Rates, RatesError, SecretsError};
use fatura_domain::exchange::ExchangeRates;
use fatura_gateways::{EuropeanCentralBank, Http, OpenExchangeRates, Timeouts};
use std::sync::Arc;
use std::time::Duration;

const APP_ID: &str = "0123456789abcdef0123456789abcdef";

struct Told(Result<Option<AppId>, SecretsError>);

#[async_trait]
impl RateSecrets for Told {
    async fn app_id(&self) -> Result<Option<AppId>, SecretsError> {
        self.0.clone()
    }
}

fn told(app_id: &str) -> Told {
    Told(Ok(Some(AppId(app_id.to_owned()))))
}

/// For answers that never come.
fn http() -> Http {
    let timeouts = Timeouts { connect: Duration::from_millis(300), total: Duration::from_millis(900) };
    Http::try_new(timeouts).unwrap()
}

fn open_exchange_rates(url: &str) -> OpenExchangeRates {
    OpenExchangeRates::new(http(), url.parse().unwrap(), Arc::new(told(APP_ID)))
}

fn european_central_bank(url: &str) -> EuropeanCentralBank {
    EuropeanCentralBank::new(http(), url.parse().unwrap())
}

/// Both, asking the same server.
fn both(url: &str) -> [Arc<dyn Rates>; 2] {
    [Arc::new(open_exchange_rates(url)), Arc::new(european_central_bank(url))]
}

fn latest_json(base: &str, timestamp: &str, rates: &str) -> String {
    format!(
        r#"{{"disclaimer":"Usage subject to terms","license":"A licence",{timestamp}"base":"{base}","rates":{{{rates}}}}}"#
    )
}

fn daily_xml(day: &str, cubes: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <gesmes:Envelope xmlns:gesmes=\"http://www.gesmes.org/xml/2002-08-01\" \
         xmlns=\"http://www.ecb.int/vocabulary/2002-08-01/eurofxref\">\n\
         <gesmes:subject>Reference rates</gesmes:subject>\n\
         <gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>\n\
         <Cube>\n<Cube{day}>\n{cubes}</Cube>\n</Cube>\n</gesmes:Envelope>"
    )
}

fn cube(currency: &str, rate: &str) -> String {
    format!("<Cube currency='{currency}' rate='{rate}'/>\n")
}

fn sound_json() -> String {
    latest_json("USD", r#""timestamp":1795172400,"#, r#""BRL":5.3984,"GEL":2.73"#)
}

fn sound_xml() -> String {
    daily_xml(" time='2026-11-20'", &(cube("USD", "1.1594") + &cube("JPY", "175.50")))
}

async fn of_json(body: &str) -> Result<ExchangeRates, RatesError> {
    let server = Scripted::answering("200 OK", "content-type: application/json\r\n", body).await;
    open_exchange_rates(&server.url).latest().await
}

async fn of_xml(body: &str) -> Result<ExchangeRates, RatesError> {
    let server = Scripted::answering("200 OK", "content-type: text/xml\r\n", body).await;
    european_central_bank(&server.url).latest().await
}

fn said(status: &str, headers: &str, body: &str) -> Act {
    Act::Say(answer(status, headers, body))
}
