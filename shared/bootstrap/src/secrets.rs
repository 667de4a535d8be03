use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use fatura_application::OperatorKey;
use fatura_application::access::KeyHash;
use fatura_application::ports::{GatewaySecrets, Secrets, SecretsError};
use fatura_domain::gateway::GatewayName;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How soon a rotated secret is used everywhere, without a deploy.
const FRESH_FOR: Duration = Duration::from_mins(1);

/// One secret of Secrets Manager, read when first needed and again when it is no longer fresh. While Secrets Manager
/// doesn't answer, the last value serves on.
pub(crate) struct CachedSecret<T> {
    client: Client,
    id: String,
    read: fn(&str) -> Result<T, SecretsError>,
    cached: Mutex<Option<(T, Instant)>>,
}

impl<T: Clone> CachedSecret<T> {
    pub(crate) fn new(client: Client, id: String, read: fn(&str) -> Result<T, SecretsError>) -> Self {
        Self { client, id, read, cached: Mutex::new(None) }
    }

    async fn get(&self) -> Result<T, SecretsError> {
        let mut cached = self.cached.lock().await;
        match &*cached {
            Some((value, at)) if at.elapsed() < FRESH_FOR => return Ok(value.clone()),
            _ => {}
        }
        match self.fetch().await {
            Ok(value) => {
                *cached = Some((value.clone(), Instant::now()));
                Ok(value)
            }
            Err(error) => match &*cached {
                Some((value, _)) => {
                    tracing::warn!(%error, "secrets could not be refreshed");
                    Ok(value.clone())
                }
                None => Err(error),
            },
        }
    }

    async fn fetch(&self) -> Result<T, SecretsError> {
        let answer = self.client.get_secret_value().secret_id(&self.id).send().await;
        let answer = answer.map_err(|error| SecretsError(error.into_service_error().to_string()))?;
        let text = answer.secret_string().ok_or_else(|| SecretsError("the secret is not text".to_owned()))?;
        (self.read)(text)
    }
}

/// What each gateway needs, as one JSON object by gateway name.
pub(crate) type AllGatewaySecrets = HashMap<String, StoredSecrets>;

#[derive(Clone, Deserialize)]
pub(crate) struct StoredSecrets {
    #[serde(default)]
    api_key: String,
    #[serde(default)]
    webhook_secrets: Vec<String>,
    #[serde(flatten)]
    more: BTreeMap<String, String>,
}

pub(crate) fn read_gateway_secrets(text: &str) -> Result<AllGatewaySecrets, SecretsError> {
    // The parser's own words could quote a secret.
    serde_json::from_str(text)
        .map_err(|_| SecretsError("the gateways' secret is not the JSON that is documented".to_owned()))
}

#[async_trait]
impl Secrets for CachedSecret<AllGatewaySecrets> {
    async fn gateway(&self, name: &GatewayName) -> Result<Option<GatewaySecrets>, SecretsError> {
        let all = self.get().await?;
        Ok(all.get(name.as_str()).map(|stored| GatewaySecrets {
            api_key: stored.api_key.clone(),
            webhook_secrets: stored.webhook_secrets.clone(),
            more: stored.more.clone(),
        }))
    }
}

/// The deployment makes the random part; the prefix makes it recognisable where it shouldn't be.
#[expect(clippy::unnecessary_wraps, reason = "the shape that every reader has")]
pub(crate) fn read_operator_key(text: &str) -> Result<KeyHash, SecretsError> {
    Ok(KeyHash::of(&format!("fat_{text}")))
}

#[async_trait]
impl OperatorKey for CachedSecret<KeyHash> {
    async fn hash(&self) -> Result<KeyHash, SecretsError> {
        self.get().await
    }
}
