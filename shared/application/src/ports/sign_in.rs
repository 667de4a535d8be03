use super::{SecretsError, StoreError};
use crate::sign_in::TriesOf;
use crate::tokens::{KeyId, KeyRing};
use async_trait::async_trait;
use fatura_domain::id::CustomerId;
use fatura_domain::sign_in::{Credentials, Session, Tries};
use fatura_domain::text::Email;
use std::sync::Arc;

/// How a customer signs in, and where the customer is signed in.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// None: there is no password, or no such customer.
    pub credentials: Option<Credentials>,
    /// Those that have ended may be among them.
    pub sessions: Vec<Session>,
}

#[async_trait]
pub trait SignIns: Send + Sync {
    async fn by_email(&self, email: &Email) -> Result<Option<CustomerId>, StoreError>;
    /// In one round trip, which takes as long for a customer that there isn't.
    async fn access(&self, customer: CustomerId) -> Result<Access, StoreError>;
    async fn tries(&self, of: &TriesOf) -> Result<Tries, StoreError>;
}

/// The keys that sign access tokens, cached by whoever implements it.
#[async_trait]
pub trait TokenKeys: Send + Sync {
    /// If `wanted` isn't among those that are cached they are read anew, though not again and again: a token may name a
    /// key that is younger than what is remembered, or one that never was.
    async fn keys(&self, wanted: Option<&KeyId>) -> Result<Arc<KeyRing>, SecretsError>;
}
