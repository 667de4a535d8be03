use super::{Item, from_item};
use aws_sdk_dynamodb::types::AttributeValue;
use fatura_application::ports::StoreError;
use fatura_domain::Timestamp;
use fatura_domain::service::{Symptom, Trouble, TroubleClass, Vitals};
use fatura_domain::text::Text;
use serde::{Deserialize, Serialize};

/// What a function has said of itself. A start and a trouble are written apart, by different instances.
#[derive(Deserialize)]
pub(crate) struct ServiceItem {
    #[serde(rename = "v")]
    version: String,
    #[serde(rename = "sa", with = "fatura_domain::stored_instant")]
    started_at: Timestamp,
    #[serde(rename = "t", default)]
    trouble: Option<StoredTrouble>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct StoredTrouble {
    #[serde(rename = "c")]
    class: TroubleClass,
    #[serde(rename = "m")]
    message: Text<200>,
    #[serde(rename = "s", with = "fatura_domain::stored_instant")]
    since: Timestamp,
    #[serde(rename = "a", with = "fatura_domain::stored_instant")]
    at: Timestamp,
}

impl ServiceItem {
    pub(crate) const START: &str = "SET v = :v, sa = :at";
    /// Whoever is in trouble has started, even if that was never written down.
    pub(crate) const TROUBLE: &str = "SET v = :v, t = :t, sa = if_not_exists(sa, :at)";

    pub(crate) fn trouble(trouble: &Trouble) -> Result<AttributeValue, StoreError> {
        let Trouble { symptom: Symptom { class, message }, since, at } = trouble.clone();
        serde_dynamo::to_attribute_value(StoredTrouble { class, message, since, at }).map_err(super::corrupt)
    }

    pub(crate) fn read(item: Item) -> Result<Vitals, StoreError> {
        let Self { version, started_at, trouble } = from_item(item)?;
        let trouble = trouble.map(|StoredTrouble { class, message, since, at }| Trouble {
            symptom: Symptom { class, message },
            since,
            at,
        });
        Ok(Vitals { version, started_at, trouble })
    }
}
