use super::{Item, corrupt, from_item, sort_key, to_item};
use crate::keys;
use crate::keys::Key;
use fatura_application::access::{ApiKey, KeyHash, KeyRole, Scopes};
use fatura_application::ports::StoreError;
use fatura_domain::Timestamp;
use fatura_domain::customer::{Customer, Instrument, PaymentMethod, Profile};
use fatura_domain::id::{CustomerId, PaymentMethodId};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(crate) struct CustomerItem {
    #[serde(rename = "id")]
    id: CustomerId,
    #[serde(rename = "v")]
    version: u64,
    #[serde(rename = "p")]
    profile: Profile,
    #[serde(rename = "pm", default, skip_serializing_if = "Option::is_none")]
    default_payment_method: Option<PaymentMethodId>,
    #[serde(rename = "ca", with = "fatura_domain::stored_instant")]
    created_at: Timestamp,
    #[serde(rename = "u", with = "fatura_domain::stored_instant")]
    updated_at: Timestamp,
}

impl CustomerItem {
    pub(crate) fn write(customer: &Customer) -> Result<Item, StoreError> {
        let customer = customer.clone();
        let attributes = Self {
            id: customer.id,
            version: customer.version,
            profile: customer.profile,
            default_payment_method: customer.default_payment_method,
            created_at: customer.created_at,
            updated_at: customer.updated_at,
        };
        to_item(keys::customer(customer.id), attributes)
    }

    pub(crate) fn read(item: Item) -> Result<Customer, StoreError> {
        let read: Self = from_item(item)?;
        Ok(Customer {
            id: read.id,
            version: read.version,
            profile: read.profile,
            default_payment_method: read.default_payment_method,
            created_at: read.created_at,
            updated_at: read.updated_at,
        })
    }
}

/// Says whose an email address or an external id is.
#[derive(Serialize, Deserialize)]
pub(crate) struct OwnerItem {
    #[serde(rename = "id")]
    pub(crate) customer: CustomerId,
}

impl OwnerItem {
    pub(crate) fn write(key: Key, customer: CustomerId) -> Result<Item, StoreError> {
        to_item(key, Self { customer })
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct PaymentMethodItem {
    #[serde(rename = "in")]
    instrument: Instrument,
    #[serde(rename = "ca", with = "fatura_domain::stored_instant")]
    created_at: Timestamp,
}

impl PaymentMethodItem {
    pub(crate) fn write(method: &PaymentMethod) -> Result<Item, StoreError> {
        let attributes = Self { instrument: method.instrument.clone(), created_at: method.created_at };
        to_item(keys::payment_method(method.id), attributes)
    }

    pub(crate) fn read(item: Item) -> Result<PaymentMethod, StoreError> {
        let id =
            keys::payment_method_id(sort_key(&item)).ok_or_else(|| corrupt("not a payment method's key"))?;
        let read: Self = from_item(item)?;
        Ok(PaymentMethod { id, instrument: read.instrument, created_at: read.created_at })
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct ApiKeyItem {
    #[serde(rename = "id")]
    id: String,
    #[serde(rename = "r")]
    role: KeyRole,
    /// None: unlimited.
    #[serde(rename = "sc", default, skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<String>>,
    #[serde(rename = "px", default, skip_serializing_if = "Option::is_none")]
    prefix: Option<String>,
    #[serde(rename = "nm", default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(rename = "ca", with = "fatura_domain::stored_instant")]
    created_at: Timestamp,
    #[serde(
        rename = "ra",
        default,
        with = "fatura_domain::stored_instant::optional",
        skip_serializing_if = "Option::is_none"
    )]
    revoked_at: Option<Timestamp>,
}

impl ApiKeyItem {
    pub(crate) fn write(key: &ApiKey) -> Result<Item, StoreError> {
        let attributes = Self {
            id: key.id.clone(),
            role: key.role,
            scopes: key.scopes.names().map(|names| names.into_iter().map(str::to_owned).collect()),
            prefix: key.prefix.clone(),
            name: key.name.clone(),
            created_at: key.created_at,
            revoked_at: key.revoked_at,
        };
        to_item(keys::api_key(&key.hash.to_hex()), attributes)
    }

    pub(crate) fn read(item: Item) -> Result<ApiKey, StoreError> {
        let hash = KeyHash::from_hex(sort_key(&item)).ok_or_else(|| corrupt("not an API key's key"))?;
        let read: Self = from_item(item)?;
        Ok(ApiKey {
            id: read.id,
            hash,
            role: read.role,
            scopes: Scopes::of_names(read.scopes.as_ref().map(|names| names.iter().map(String::as_str))),
            prefix: read.prefix,
            name: read.name,
            created_at: read.created_at,
            revoked_at: read.revoked_at,
        })
    }
}
