//! The European Central Bank's reference rates: some thirty currencies in euros, once on each of its working days.

use super::{not_a_publication, on_the_way, quote, refusal, unusable};
use crate::base_url::BaseUrl;
use crate::http::{Http, exchange};
use async_trait::async_trait;
use fatura_application::ports::{Rates, RatesError};
use fatura_domain::Timestamp;
use fatura_domain::exchange::{ExchangeRates, RateSource};
use fatura_domain::money::Currency;
use roxmltree::{Document, Node, ParsingOptions};

#[derive(Debug, Clone)]
pub struct EuropeanCentralBank {
    http: Http,
    base_url: BaseUrl,
}

impl EuropeanCentralBank {
    pub const BASE_URL: &str = "https://www.ecb.europa.eu";

    pub fn new(http: Http, base_url: BaseUrl) -> Self {
        Self { http, base_url }
    }
}

#[async_trait]
impl Rates for EuropeanCentralBank {
    fn source(&self) -> RateSource {
        RateSource::EuropeanCentralBank
    }

    async fn latest(&self) -> Result<ExchangeRates, RatesError> {
        let url = self.base_url.at(&["stats", "eurofxref", "eurofxref-daily.xml"]);
        let answer = exchange(self.http.get(url)).await.map_err(on_the_way)?;
        if !answer.status.is_success() {
            return Err(refusal(&answer, None));
        }
        read(std::str::from_utf8(answer.body()).map_err(|_| unusable("not UTF-8"))?)
    }
}

const VOCABULARY: &str = "http://www.ecb.int/vocabulary/2002-08-01/eurofxref";
/// Many times what a day's rates take. Also what bounds the file of all days since 1999, which is another.
const MOST_NODES: u32 = 2_000;

/// `Envelope/Cube/Cube[@time]/Cube[@currency][@rate]`, with exactly one day.
fn read(text: &str) -> Result<ExchangeRates, RatesError> {
    // No DTD: nothing is expanded and nothing is fetched.
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options)
        .map_err(|error| unusable(format!("not the XML that is expected, at {}", error.pos())))?;
    let mut days =
        document.root_element().children().filter(is_cube).flat_map(|cube| cube.children().filter(is_cube));
    let (Some(day), None) = (days.next(), days.next()) else {
        return Err(unusable("not the rates of one day"));
    };
    let published_at = day.attribute("time").and_then(began).ok_or_else(|| unusable("there is no date"))?;
    let mut quoted = Vec::new();
    for cube in day.children().filter(Node::is_element) {
        let (Some(code), Some(rate)) = (cube.attribute("currency"), cube.attribute("rate")) else {
            return Err(unusable("a rate without its currency, or a currency without its rate"));
        };
        quoted.extend(quote(code, rate)?);
    }
    let source = RateSource::EuropeanCentralBank;
    ExchangeRates::try_new(source, Currency::EUR, published_at, quoted).map_err(not_a_publication)
}

fn is_cube(node: &Node<'_, '_>) -> bool {
    node.has_tag_name((VOCABULARY, "Cube"))
}

/// When a day, `2026-11-20`, began in UTC: the file gives no time of day, and rates shouldn't seem younger than they are.
fn began(date: &str) -> Option<Timestamp> {
    let instant = format!("{date}T00:00:00Z");
    let at: Timestamp = instant.parse().ok()?;
    Some(at).filter(|at| at.to_string() == instant)
}
