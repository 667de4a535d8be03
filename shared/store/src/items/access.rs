use super::{Item, corrupt, from_item, sort_key, to_item};
use crate::keys;
use fatura_application::ports::StoreError;
use fatura_application::sign_in::TriesOf;
use fatura_domain::Timestamp;
use fatura_domain::id::CustomerId;
use fatura_domain::sign_in::{Credentials, PasswordHash, Predecessor, Salt, SecretHash, Session, Tries};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(crate) struct CredentialsItem {
    #[serde(rename = "v")]
    version: u64,
    #[serde(rename = "h")]
    hash: PasswordHash,
    #[serde(rename = "u", with = "fatura_domain::stored_instant")]
    changed_at: Timestamp,
}

impl CredentialsItem {
    pub(crate) fn write(credentials: &Credentials) -> Result<Item, StoreError> {
        let Credentials { customer, version, hash, changed_at } = credentials.clone();
        to_item(keys::credentials(customer), Self { version, hash, changed_at })
    }

    pub(crate) fn read(customer: CustomerId, item: Item) -> Result<Credentials, StoreError> {
        let Self { version, hash, changed_at } = from_item(item)?;
        Ok(Credentials { customer, version, hash, changed_at })
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct SessionItem {
    #[serde(rename = "v")]
    version: u64,
    #[serde(rename = "pv")]
    password: u64,
    #[serde(rename = "h", with = "serde_bytes")]
    current: [u8; 32],
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    before: Option<PredecessorItem>,
    #[serde(rename = "ca", with = "fatura_domain::stored_instant")]
    opened_at: Timestamp,
    #[serde(rename = "u", with = "fatura_domain::stored_instant")]
    used_at: Timestamp,
    /// DynamoDB deletes by this, some time later: in seconds.
    #[serde(rename = "ttl")]
    delete_after: i64,
}

#[derive(Serialize, Deserialize)]
struct PredecessorItem {
    #[serde(rename = "h", with = "serde_bytes")]
    hash: [u8; 32],
    #[serde(rename = "s", with = "serde_bytes")]
    salt: [u8; 16],
}

impl SessionItem {
    pub(crate) fn write(session: &Session) -> Result<Item, StoreError> {
        let before = session
            .before
            .as_ref()
            .map(|before| PredecessorItem { hash: *before.hash.as_bytes(), salt: *before.salt.as_bytes() });
        let attributes = Self {
            version: session.version,
            password: session.password,
            current: *session.current.as_bytes(),
            before,
            opened_at: session.opened_at,
            used_at: session.used_at,
            delete_after: session.expires_at().as_second(),
        };
        to_item(keys::session(session.id), attributes)
    }

    pub(crate) fn read(item: Item) -> Result<Session, StoreError> {
        let id = keys::session_id(sort_key(&item)).ok_or_else(|| corrupt("not a session's key"))?;
        let read: Self = from_item(item)?;
        let before = read.before.map(|before| Predecessor {
            hash: SecretHash::of_bytes(before.hash),
            salt: Salt::of_bytes(before.salt),
        });
        Ok(Session {
            id,
            version: read.version,
            password: read.password,
            current: SecretHash::of_bytes(read.current),
            before,
            opened_at: read.opened_at,
            used_at: read.used_at,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct TriesItem {
    #[serde(rename = "v")]
    version: u64,
    #[serde(rename = "n")]
    failures: u32,
    #[serde(rename = "u", with = "fatura_domain::stored_instant")]
    last_at: Timestamp,
    #[serde(rename = "ttl")]
    delete_after: i64,
}

impl TriesItem {
    pub(crate) fn write(of: &TriesOf, tries: &Tries) -> Result<Item, StoreError> {
        let Tries { failures, last_at, version } = *tries;
        let delete_after = tries.forgotten_at(of.against).as_second();
        to_item(keys::tries(of), Self { version, failures, last_at, delete_after })
    }

    pub(crate) fn read(item: Item) -> Result<Tries, StoreError> {
        let Self { version, failures, last_at, .. } = from_item(item)?;
        Ok(Tries { failures, last_at, version })
    }
}
