use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use fatura_application::access::KeyHash;
#[cfg(feature = "rates")]
use fatura_application::ports::{AppId, RateSecrets};
use fatura_application::ports::{Clock, GatewaySecrets, Plans, Secrets, SecretsError};
use fatura_application::{Fresh, OperatorKey};
#[cfg(feature = "rates")]
use fatura_domain::exchange::RateSource;
use fatura_domain::gateway::GatewayName;
use fatura_domain::routing::SecretRef;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
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
/// Each is read when it is asked for: a mistake in one gateway's keeps no other from its own.
type AllGatewaySecrets = HashMap<String, Value>;

#[derive(Clone, Deserialize)]
struct StoredSecrets {
    #[serde(default)]
    api_key: String,
    #[serde(default)]
    webhook_secrets: Vec<String>,
    #[serde(flatten)]
    more: BTreeMap<String, Value>,
}

fn read_gateway_secrets(text: &str) -> Result<AllGatewaySecrets, SecretsError> {
    read_json(text)
}

fn read_own_secrets(text: &str) -> Result<StoredSecrets, SecretsError> {
    read_json(text)
}

fn read_stored(value: Value) -> Result<StoredSecrets, SecretsError> {
    serde_json::from_value(value).map_err(|_| undocumented())
}

fn read_json<T: DeserializeOwned>(text: &str) -> Result<T, SecretsError> {
    serde_json::from_str(text).map_err(|_| undocumented())
}

/// Not the parser's own words, which could quote a secret.
fn undocumented() -> SecretsError {
    SecretsError("the gateways' secret is not the JSON that is documented".to_owned())
}

/// A number or a truth is as good as its name.
fn in_words(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The gateways' secrets: in one secret of the deployment's, or where the gateway's settings refer to.
pub(crate) struct Vault {
    client: Client,
    shared: CachedSecret<AllGatewaySecrets>,
    plans: Arc<dyn Plans>,
    clock: Arc<dyn Clock>,
    references: Fresh<HashMap<GatewayName, SecretRef>>,
    own: Mutex<HashMap<SecretRef, Arc<CachedSecret<StoredSecrets>>>>,
}

impl Vault {
    pub(crate) fn new(client: Client, shared: String, plans: Arc<dyn Plans>, clock: Arc<dyn Clock>) -> Self {
        let shared = CachedSecret::new(client.clone(), shared, read_gateway_secrets);
        Self { client, shared, plans, clock, references: Fresh::nothing(), own: Mutex::default() }
    }

    async fn reference(&self, name: &GatewayName) -> Result<Option<SecretRef>, SecretsError> {
        let read = async {
            let settings = self.plans.plan().await?.into_iter().flat_map(|edition| edition.plan.gateways);
            Ok(settings.filter_map(|settings| Some((settings.name, settings.secret?))).collect())
        };
        let references = self.references.get(self.clock.now(), read).await;
        references
            .map(|references| references.get(name).cloned())
            .map_err(|error| SecretsError(error.to_string()))
    }

    async fn own(&self, reference: SecretRef) -> Result<StoredSecrets, SecretsError> {
        let secret = {
            let mut own = self.own.lock().await;
            let id = reference.as_str().to_owned();
            let made = || Arc::new(CachedSecret::new(self.client.clone(), id, read_own_secrets));
            own.entry(reference).or_insert_with(made).clone()
        };
        secret.get().await
    }
}

#[async_trait]
impl Secrets for Vault {
    async fn gateway(&self, name: &GatewayName) -> Result<Option<GatewaySecrets>, SecretsError> {
        let stored = if let Some(reference) = self.reference(name).await? {
            Some(self.own(reference).await?)
        } else {
            let stored = self.shared.get().await?.get(name.as_str()).cloned();
            stored.map(read_stored).transpose()?
        };
        Ok(stored.map(|StoredSecrets { api_key, webhook_secrets, more }| {
            let more = more.into_iter().map(|(name, value)| (name, in_words(&value))).collect();
            GatewaySecrets { api_key, webhook_secrets, more }
        }))
    }
}

/// Beside the gateways', so that it costs no secret of its own. No gateway can have that name: theirs have hyphens.
#[cfg(feature = "rates")]
fn rates_app_id(all: &AllGatewaySecrets) -> Result<Option<AppId>, SecretsError> {
    let stored = all.get(RateSource::OpenExchangeRates.as_str()).cloned().map(read_stored).transpose()?;
    Ok(stored.map(|stored| AppId(stored.api_key)).filter(|app_id| !app_id.0.is_empty()))
}

#[cfg(feature = "rates")]
#[async_trait]
impl RateSecrets for Vault {
    async fn app_id(&self) -> Result<Option<AppId>, SecretsError> {
        rates_app_id(&self.shared.get().await?)
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

#[cfg(all(test, feature = "rates"))]
mod tests {
    use super::*;

    fn app_id(text: &str) -> Result<Option<AppId>, SecretsError> {
        rates_app_id(&read_gateway_secrets(text)?)
    }

    #[test]
    fn the_app_id_of_the_rates_lies_beside_the_gateways_secrets() {
        let both = r#"{"stripe": {"api_key": "sk_1"}, "open_exchange_rates": {"api_key": "app_1"}}"#;
        assert!(app_id(both).unwrap() == Some(AppId("app_1".to_owned())));
        for none in
            ["{}", r#"{"stripe": {"api_key": "sk_1"}}"#, r#"{"open_exchange_rates": {"api_key": ""}}"#]
        {
            assert!(app_id(none).unwrap().is_none(), "{none}");
        }
    }

    #[test]
    fn an_app_id_that_cannot_be_read_is_not_quoted_and_keeps_no_gateway_from_its_own() {
        let all = read_gateway_secrets(r#"{"stripe": {"api_key": "sk_1"}, "open_exchange_rates": "app_1"}"#);
        let all = all.unwrap();
        let error = rates_app_id(&all).unwrap_err().to_string();
        assert!(!error.contains("app_1"), "{error}");
        assert_eq!(read_stored(all["stripe"].clone()).unwrap().api_key, "sk_1");
    }
}
