//! What customers want to be told, and what they were.

use crate::DynamoStore;
use crate::items::{PreferencesItem, TellingItem};
use crate::keys;
use async_trait::async_trait;
use fatura_application::ports::{Notices, StoreError};
use fatura_domain::id::CustomerId;
use fatura_domain::notice::{Channel, Preferences, Telling};

#[async_trait]
impl Notices for DynamoStore {
    async fn preferences(&self, customer: CustomerId) -> Result<Preferences, StoreError> {
        let item = self.get(keys::preferences(customer)).await?;
        let said = item.map(|item| PreferencesItem::read(customer, item)).transpose()?;
        Ok(said.unwrap_or_else(|| Preferences::unsaid(customer)))
    }

    /// However old it is: as long as it is there, it was told.
    async fn telling(&self, event: &str, channel: Channel) -> Result<Option<Telling>, StoreError> {
        let item = self.get(keys::telling(event, channel)).await?;
        item.map(|item| TellingItem::read(event, channel, item)).transpose()
    }
}
