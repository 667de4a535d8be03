use super::{Item, from_item, to_item};
use crate::keys;
use aws_sdk_dynamodb::types::AttributeValue;
use fatura_application::ports::StoreError;
use fatura_domain::Timestamp;
use fatura_domain::exchange::{ExchangeRates, Publication};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// What one source published last: some three kilobytes with every currency there is.
#[derive(Serialize, Deserialize)]
pub(crate) struct RatesItem {
    #[serde(rename = "p")]
    rates: ExchangeRates,
    #[serde(rename = "ca", with = "fatura_domain::stored_instant")]
    confirmed_at: Timestamp,
}

impl RatesItem {
    /// What [`Publication::supersedes`] says, of the item that is there.
    pub(crate) const SUPERSEDED: &str =
        "attribute_not_exists(PK) OR #p.#at < :at OR (#p.#at = :at AND #ca <= :ca)";

    pub(crate) fn names() -> HashMap<String, String> {
        [("#p", "p"), ("#at", "at"), ("#ca", "ca")]
            .map(|(name, path)| (name.to_owned(), path.to_owned()))
            .into()
    }

    pub(crate) fn values(publication: &Publication) -> HashMap<String, AttributeValue> {
        let number = |at: Timestamp| AttributeValue::N(at.as_millisecond().to_string());
        let published_at = number(publication.rates.published_at());
        [(":at".to_owned(), published_at), (":ca".to_owned(), number(publication.confirmed_at))].into()
    }

    pub(crate) fn write(publication: &Publication) -> Result<Item, StoreError> {
        let Publication { rates, confirmed_at } = publication.clone();
        to_item(keys::rates(rates.source()), Self { rates, confirmed_at })
    }

    pub(crate) fn read(item: Item) -> Result<Publication, StoreError> {
        let Self { rates, confirmed_at } = from_item(item)?;
        Ok(Publication { rates, confirmed_at })
    }
}
