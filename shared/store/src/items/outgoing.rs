use super::{Item, corrupt, from_item, partition_key, sort_key, to_item};
use crate::keys;
use fatura_application::ports::StoreError;
use fatura_domain::Timestamp;
use fatura_domain::text::Text;
use fatura_domain::webhook_endpoint::{
    AttemptLog, Delivery, DeliveryState, Endpoint, EndpointId, EndpointState, EndpointUrl, EventFilter, Fact,
    Owner, Secrets,
};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(crate) struct EndpointItem {
    #[serde(rename = "v")]
    version: u64,
    #[serde(rename = "o")]
    owner: Owner,
    #[serde(rename = "url")]
    url: EndpointUrl,
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    description: Option<Text<500>>,
    #[serde(rename = "e")]
    events: EventFilter,
    #[serde(rename = "s")]
    secrets: Secrets,
    #[serde(rename = "st")]
    state: EndpointState,
    #[serde(rename = "ca", with = "fatura_domain::stored_instant")]
    created_at: Timestamp,
    #[serde(rename = "u", with = "fatura_domain::stored_instant")]
    updated_at: Timestamp,
}

impl EndpointItem {
    pub(crate) fn write(endpoint: &Endpoint) -> Result<Item, StoreError> {
        let Endpoint { id, version, owner, url, description, events, secrets, state, created_at, updated_at } =
            endpoint.clone();
        let attributes =
            Self { version, owner, url, description, events, secrets, state, created_at, updated_at };
        to_item(keys::endpoint(id), attributes)
    }

    pub(crate) fn read(item: Item) -> Result<Endpoint, StoreError> {
        let id: EndpointId = sort_key(&item).parse().map_err(|_| corrupt("not an endpoint's key"))?;
        let Self { version, owner, url, description, events, secrets, state, created_at, updated_at } =
            from_item(item)?;
        Ok(Endpoint { id, version, owner, url, description, events, secrets, state, created_at, updated_at })
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct DeliveryItem {
    #[serde(rename = "WP", default, skip_serializing_if = "Option::is_none")]
    work: Option<String>,
    #[serde(rename = "WS", default, skip_serializing_if = "Option::is_none")]
    position: Option<String>,
    #[serde(rename = "v")]
    version: u64,
    #[serde(rename = "to")]
    endpoint: EndpointId,
    #[serde(rename = "f")]
    fact: Fact,
    #[serde(rename = "st")]
    state: DeliveryState,
    #[serde(rename = "l", default)]
    log: AttemptLog,
    #[serde(rename = "ca", with = "fatura_domain::stored_instant")]
    created_at: Timestamp,
    #[serde(rename = "u", with = "fatura_domain::stored_instant")]
    updated_at: Timestamp,
    /// DynamoDB deletes by this, some time later: in seconds.
    #[serde(rename = "ttl")]
    delete_after: i64,
}

impl DeliveryItem {
    pub(crate) fn write(delivery: &Delivery) -> Result<Item, StoreError> {
        let (work, position) = keys::delivery_work(delivery).unzip();
        let delete_after = delivery.expires_at().as_second();
        let Delivery { id, version, endpoint, fact, state, log, created_at, updated_at } = delivery.clone();
        let attributes = Self {
            work,
            position,
            version,
            endpoint,
            fact,
            state,
            log,
            created_at,
            updated_at,
            delete_after,
        };
        to_item(keys::delivery(id), attributes)
    }

    pub(crate) fn read(item: Item) -> Result<Delivery, StoreError> {
        let id = keys::delivery_id(partition_key(&item)).ok_or_else(|| corrupt("not a message's key"))?;
        let Self { version, endpoint, fact, state, log, created_at, updated_at, .. } = from_item(item)?;
        Ok(Delivery { id, version, endpoint, fact, state, log, created_at, updated_at })
    }
}

/// In the list of an endpoint: all that it says is in its key.
#[derive(Serialize, Deserialize)]
pub(crate) struct DeliveryPlaceItem {
    #[serde(rename = "ttl")]
    delete_after: i64,
}

impl DeliveryPlaceItem {
    pub(crate) fn write(delivery: &Delivery) -> Result<Item, StoreError> {
        to_item(keys::delivery_place(delivery), Self { delete_after: delivery.expires_at().as_second() })
    }
}
