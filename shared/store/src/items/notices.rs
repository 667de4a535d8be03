use super::{Item, from_item, to_item};
use crate::keys;
use fatura_application::ports::StoreError;
use fatura_domain::Timestamp;
use fatura_domain::id::CustomerId;
use fatura_domain::notice::{Channel, Preferences, Telling, TellingState, Wanted};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(crate) struct PreferencesItem {
    #[serde(rename = "v")]
    version: u64,
    #[serde(rename = "p")]
    wanted: Wanted,
    #[serde(rename = "u", with = "fatura_domain::stored_instant")]
    updated_at: Timestamp,
}

impl PreferencesItem {
    pub(crate) fn write(preferences: &Preferences) -> Result<Item, StoreError> {
        let Preferences { customer, version, wanted, updated_at } = preferences.clone();
        to_item(keys::preferences(customer), Self { version, wanted, updated_at })
    }

    pub(crate) fn read(customer: CustomerId, item: Item) -> Result<Preferences, StoreError> {
        let Self { version, wanted, updated_at } = from_item(item)?;
        Ok(Preferences { customer, version, wanted, updated_at })
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct TellingItem {
    #[serde(rename = "v")]
    version: u64,
    #[serde(rename = "st")]
    state: TellingState,
    #[serde(rename = "u", with = "fatura_domain::stored_instant")]
    updated_at: Timestamp,
    /// DynamoDB deletes by this, some time later: in seconds.
    #[serde(rename = "ttl")]
    delete_after: i64,
}

impl TellingItem {
    pub(crate) fn write(telling: &Telling) -> Result<Item, StoreError> {
        let delete_after = telling.expires_at().as_second();
        let Telling { event, channel, version, state, updated_at } = telling.clone();
        to_item(keys::telling(&event, channel), Self { version, state, updated_at, delete_after })
    }

    pub(crate) fn read(event: &str, channel: Channel, item: Item) -> Result<Telling, StoreError> {
        let Self { version, state, updated_at, .. } = from_item(item)?;
        Ok(Telling { event: event.to_owned(), channel, version, state, updated_at })
    }
}
