use super::StoreError;
use async_trait::async_trait;
use fatura_domain::Timestamp;
use fatura_domain::service::{ServiceName, Trouble, Vitals};
use std::collections::BTreeMap;
use thiserror::Error;

/// What functions say of themselves, a row each.
#[async_trait]
pub trait ServiceVitals: Send + Sync {
    async fn vitals(&self, service: &ServiceName) -> Result<Option<Vitals>, StoreError>;
    /// Of those that have said anything.
    async fn all_vitals(&self, services: &[ServiceName])
    -> Result<BTreeMap<ServiceName, Vitals>, StoreError>;
    async fn keep_start(&self, service: &ServiceName, version: &str, at: Timestamp)
    -> Result<(), StoreError>;
    async fn keep_trouble(
        &self,
        service: &ServiceName,
        version: &str,
        trouble: &Trouble,
    ) -> Result<(), StoreError>;
}

/// What a deployment publishes of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deployment {
    /// What other systems connect to, by name: URLs, a queue, a bus.
    pub endpoints: BTreeMap<String, String>,
    /// The functions, and what Lambda calls them.
    pub functions: BTreeMap<ServiceName, String>,
}

#[derive(Debug, Error)]
#[error("the deployment's parameters cannot be read: {0}")]
pub struct DirectoryError(pub String);

#[async_trait]
pub trait Directory: Send + Sync {
    async fn deployment(&self) -> Result<Deployment, DirectoryError>;
}
