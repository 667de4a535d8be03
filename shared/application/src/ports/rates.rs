//! Those who publish exchange rates, and where the last publication is kept.

use super::{SecretsError, StoreError};
use async_trait::async_trait;
use fatura_domain::exchange::{ExchangeRates, Publication, RateSource};
use std::fmt;
use thiserror::Error;

/// Why a source gave no rates, by when it is worth asking again. For the log: none of them holds a credential or a URL.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RatesError {
    #[error("the source of rates does not answer: {0}")]
    Unavailable(String),
    /// It won't have us: our set-up, our plan or our quota. Nothing changes until somebody or some time does.
    #[error("the source of rates refuses: {0}")]
    Refused(String),
    #[error("the source of rates answers with something else than rates: {0}")]
    Unusable(String),
}

/// Somebody who publishes exchange rates.
#[async_trait]
pub trait Rates: Send + Sync {
    fn source(&self) -> RateSource;
    /// What it published last, whole or not at all.
    async fn latest(&self) -> Result<ExchangeRates, RatesError>;
}

/// What came of keeping a publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptRates {
    Kept,
    /// A newer one is kept already.
    Superseded(Box<Publication>),
}

#[async_trait]
pub trait RateStore: Send + Sync {
    async fn rates(&self, source: RateSource) -> Result<Option<Publication>, StoreError>;
    /// In the place of the one before, unless that is newer: see [`Publication::supersedes`].
    async fn keep_rates(&self, publication: &Publication) -> Result<KeptRates, StoreError>;
}

/// What a source of rates knows us by: a secret, as it spends our quota.
#[derive(Clone, PartialEq, Eq)]
pub struct AppId(pub String);

impl fmt::Debug for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppId(..)")
    }
}

#[async_trait]
pub trait RateSecrets: Send + Sync {
    /// Cached by whoever implements it; None if nothing is configured.
    async fn app_id(&self) -> Result<Option<AppId>, SecretsError>;
}
