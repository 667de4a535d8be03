use super::{Item, corrupt, from_item, sort_key, to_item};
use crate::keys;
use fatura_application::ports::StoreError;
use fatura_domain::Timestamp;
use fatura_domain::customer::Detachment;
use fatura_domain::gateway::{GatewayName, Token};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Serialize, Deserialize)]
pub(crate) struct DetachmentItem {
    #[serde(rename = "WP", default)]
    work: String,
    #[serde(rename = "WS", default)]
    position: String,
    #[serde(rename = "v")]
    version: u64,
    #[serde(rename = "t")]
    tokens: BTreeMap<GatewayName, Token>,
    #[serde(rename = "n")]
    tries: u8,
    #[serde(rename = "due", with = "fatura_domain::stored_instant")]
    due: Timestamp,
}

impl DetachmentItem {
    pub(crate) fn write(detachment: &Detachment) -> Result<Item, StoreError> {
        let (work, position) = keys::detachment_work(detachment);
        let Detachment { method, version, tokens, tries, due } = detachment.clone();
        to_item(keys::detachment(method), Self { work, position, version, tokens, tries, due })
    }

    pub(crate) fn read(item: Item) -> Result<Detachment, StoreError> {
        let method = keys::detachment_id(sort_key(&item)).ok_or_else(|| corrupt("not a detachment's key"))?;
        let Self { version, tokens, tries, due, .. } = from_item(item)?;
        Ok(Detachment { method, version, tokens, tries, due })
    }
}
