//! The keys of access tokens, from one secret: what is current signs, what was current before is still recognised. Putting
//! another value is all that a rotation takes.

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use fatura_application::ports::{SecretsError, TokenKeys};
use fatura_application::tokens::{KeyId, KeyRing, TokenKey};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How soon a rotated key signs everywhere.
const FRESH_FOR: Duration = Duration::from_mins(1);
/// How often tokens that name keys that aren't there may make us look again.
const ASKED_AGAIN_AFTER: Duration = Duration::from_secs(5);

pub(crate) struct SecretTokenKeys {
    client: Client,
    id: String,
    cached: Mutex<Option<Cached>>,
}

struct Cached {
    keys: Arc<KeyRing>,
    at: Instant,
}

impl Cached {
    /// Whether nothing better is to be had by asking now.
    fn serves(&self, wanted: Option<&KeyId>) -> bool {
        let is_there = wanted.is_none_or(|id| self.keys.named(id).is_some());
        self.at.elapsed() < if is_there { FRESH_FOR } else { ASKED_AGAIN_AFTER }
    }
}

impl SecretTokenKeys {
    pub(crate) fn new(client: Client, id: String) -> Self {
        Self { client, id, cached: Mutex::new(None) }
    }

    async fn fetch(&self) -> Result<KeyRing, SecretsError> {
        let (current, previous) = tokio::join!(self.key("AWSCURRENT"), self.key("AWSPREVIOUS"));
        let current = current?.ok_or_else(|| SecretsError("there is no secret for tokens".to_owned()))?;
        Ok(KeyRing::new(current, previous?))
    }

    /// None: the secret has no such version, as one that was never rotated has no previous one.
    async fn key(&self, stage: &str) -> Result<Option<TokenKey>, SecretsError> {
        let asked = self.client.get_secret_value().secret_id(&self.id).version_stage(stage).send().await;
        let answer = match asked.map_err(aws_sdk_secretsmanager::error::SdkError::into_service_error) {
            Ok(answer) => answer,
            Err(GetSecretValueError::ResourceNotFoundException(_)) => return Ok(None),
            Err(error) => return Err(SecretsError(error.to_string())),
        };
        let text = answer.secret_string().ok_or_else(|| SecretsError("the secret is not text".to_owned()))?;
        let unusable = || SecretsError("the secret makes no key".to_owned());
        TokenKey::of_secret(text).map(Some).ok_or_else(unusable)
    }
}

#[async_trait]
impl TokenKeys for SecretTokenKeys {
    async fn keys(&self, wanted: Option<&KeyId>) -> Result<Arc<KeyRing>, SecretsError> {
        let mut cached = self.cached.lock().await;
        if let Some(known) = cached.as_ref().filter(|known| known.serves(wanted)) {
            return Ok(known.keys.clone());
        }
        match self.fetch().await {
            Ok(keys) => {
                let keys = Arc::new(keys);
                *cached = Some(Cached { keys: keys.clone(), at: Instant::now() });
                Ok(keys)
            }
            Err(error) => {
                let Some(known) = cached.as_mut() else { return Err(error) };
                tracing::warn!(%error, "the keys of tokens could not be refreshed");
                // Whoever comes next need not wait for the same silence.
                known.at = Instant::now();
                Ok(known.keys.clone())
            }
        }
    }
}
