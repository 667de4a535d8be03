#[cfg(feature = "rates")]
use crate::environment::optional;
use crate::environment::{StartError, required};
use crate::gateways::configured;
#[cfg(feature = "secrets")]
use crate::secrets::Vault;
use crate::system::{SystemClock, SystemEntropy};
use crate::watched::Watched;
use async_trait::async_trait;
#[cfg(any(
    feature = "delivery-queue",
    feature = "notices",
    feature = "discovery",
    feature = "webhook-queue",
    feature = "secrets"
))]
use aws_config::SdkConfig;
use fatura_application::Reporter;
use fatura_application::ports::{Clock, Entropy, GatewaySecrets, Gateways, Secrets, SecretsError};
use fatura_domain::gateway::GatewayName;
use fatura_domain::service::ServiceName;
use fatura_store::DynamoStore;
use std::fmt;
use std::sync::Arc;
#[cfg(feature = "secrets")]
use std::sync::OnceLock;

/// The parts that a function's `main` puts together.
pub struct Bootstrap {
    // Who needs the table alone builds no other client.
    #[cfg(any(
        feature = "delivery-queue",
        feature = "notices",
        feature = "discovery",
        feature = "webhook-queue",
        feature = "secrets"
    ))]
    config: SdkConfig,
    pub store: Arc<DynamoStore>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    #[cfg(feature = "secrets")]
    vault: OnceLock<Arc<Vault>>,
}

impl Bootstrap {
    pub fn from_environment() -> Result<Self, StartError> {
        let config = crate::aws::config();
        let store = DynamoStore::connect(&config, required("TABLE_NAME")?);
        Ok(Self {
            store: Arc::new(store),
            #[cfg(any(
                feature = "delivery-queue",
                feature = "notices",
                feature = "discovery",
                feature = "webhook-queue",
                feature = "secrets"
            ))]
            config,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            #[cfg(feature = "secrets")]
            vault: OnceLock::new(),
        })
    }

    #[cfg(feature = "webhook-queue")]
    pub fn webhook_queue(&self) -> Result<Arc<dyn fatura_application::ports::WebhookQueue>, StartError> {
        let client = aws_sdk_sqs::Client::new(&self.config);
        Ok(Arc::new(crate::queues::SqsQueue::new(client, required("WEBHOOK_QUEUE_URL")?)))
    }

    #[cfg(feature = "charge-queue")]
    pub fn app(&self, gateways: Gateways) -> Result<fatura_application::App, StartError> {
        let client = aws_sdk_sqs::Client::new(&self.config);
        let app = fatura_application::App::new(
            fatura_application::Records::of(self.store.clone()),
            Arc::new(crate::queues::SqsQueue::new(client, required("CHARGE_QUEUE_URL")?)),
            gateways,
            self.clock.clone(),
            self.entropy.clone(),
        )
        .with_outgoing(self.outgoing()?);
        #[cfg(feature = "rates")]
        let app = match self.rates()? {
            Some(rates) => app.with_rates(rates),
            None => app,
        };
        #[cfg(feature = "discovery")]
        let app = app.with_directory(self.directory()?);
        // Made here, it is asked for nothing until a charge comes: an expression is understood when there is one.
        #[cfg(feature = "risk")]
        let app = app.with_risk(Arc::new(fatura_rules::RuleEngine::new()));
        Ok(app)
    }

    /// A function that has no business with webhooks isn't told where they are queued.
    #[cfg(feature = "charge-queue")]
    fn outgoing(&self) -> Result<fatura_application::Outgoing, StartError> {
        let queue =
            crate::environment::optional(crate::outgoing::QUEUE_URL).map(|url| self.delivery_queue(url));
        Ok(fatura_application::Outgoing { queue, loopback: crate::outgoing::loopback()? })
    }

    #[cfg(feature = "delivery-queue")]
    fn delivery_queue(&self, url: String) -> Arc<dyn fatura_application::ports::DeliveryQueue> {
        Arc::new(crate::queues::SqsQueue::new(aws_sdk_sqs::Client::new(&self.config), url))
    }

    #[cfg(feature = "delivery-queue")]
    pub fn notifier(&self) -> Result<fatura_application::Notifier, StartError> {
        let sender = fatura_gateways::WebhookClient::try_new(crate::outgoing::loopback()?)?;
        let queue = self.delivery_queue(required(crate::outgoing::QUEUE_URL)?);
        Ok(fatura_application::Notifier::new(self.store.clone(), Arc::new(sender), queue, self.clock.clone()))
    }

    #[cfg(feature = "notices")]
    pub fn telling(&self) -> Result<crate::notices::Telling, StartError> {
        crate::notices::configured(&self.config)
    }

    #[cfg(feature = "discovery")]
    fn directory(&self) -> Result<Arc<dyn fatura_application::ports::Directory>, StartError> {
        let prefix = required("DISCOVERY_PREFIX")?;
        Ok(Arc::new(crate::discovery::Parameters::new(self.config.clone(), prefix)))
    }

    /// How this function says how it fares, by its name in the template.
    pub fn watched(&self, service: &'static str, version: &'static str) -> Result<Watched, StartError> {
        let service = ServiceName::parse(service).map_err(|_| StartError::NoSuchService(service))?;
        let (vitals, clock) = (self.store.clone(), self.clock.clone());
        Ok(Watched::new(Reporter::new(vitals, clock, service, version)))
    }

    #[cfg(feature = "rates")]
    fn rates(&self) -> Result<Option<Arc<fatura_application::RateDesk>>, StartError> {
        crate::rates::configured(optional, self.store.clone(), self.clock.clone(), || Ok(self.vault()?))
    }

    /// The deployment's gateways, with their secrets at hand.
    #[cfg(feature = "secrets")]
    pub fn gateways(&self) -> Result<Gateways, StartError> {
        let vault: Arc<dyn Secrets> = self.vault()?;
        configured(&vault)
    }

    /// One for all who ask it, so that what it has read is read once.
    #[cfg(feature = "secrets")]
    fn vault(&self) -> Result<Arc<Vault>, StartError> {
        if let Some(vault) = self.vault.get() {
            return Ok(vault.clone());
        }
        let client = aws_sdk_secretsmanager::Client::new(&self.config);
        let shared = required("GATEWAY_SECRETS_ID")?;
        let vault = Vault::new(client, shared, self.store.clone(), self.clock.clone());
        Ok(self.vault.get_or_init(|| Arc::new(vault)).clone())
    }

    /// The deployment's gateways by name and capability, for a function that never calls one.
    pub fn gateway_names() -> Result<Gateways, StartError> {
        let none: Arc<dyn Secrets> = Arc::new(NoSecrets);
        configured(&none)
    }

    #[cfg(feature = "secrets")]
    pub fn authenticator(&self) -> Result<Arc<fatura_application::Authenticator>, StartError> {
        use crate::secrets::{CachedSecret, read_operator_key};
        let client = aws_sdk_secretsmanager::Client::new(&self.config);
        let operator_key = CachedSecret::new(client, required("OPERATOR_KEY_SECRET_ID")?, read_operator_key);
        Ok(Arc::new(fatura_application::Authenticator::new(
            Arc::new(operator_key),
            self.store.clone(),
            Arc::new(self.tokens()?),
            self.clock.clone(),
        )))
    }

    #[cfg(feature = "secrets")]
    pub fn sign_in(&self) -> Result<fatura_application::SignIn, StartError> {
        Ok(fatura_application::SignIn {
            store: self.store.clone(),
            people: self.store.clone(),
            tokens: Arc::new(self.tokens()?),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
        })
    }

    #[cfg(feature = "secrets")]
    fn tokens(&self) -> Result<fatura_application::Tokens, StartError> {
        use crate::token_keys::SecretTokenKeys;
        let client = aws_sdk_secretsmanager::Client::new(&self.config);
        let keys = SecretTokenKeys::new(client, required("TOKEN_KEY_SECRET_ID")?);
        Ok(fatura_application::Tokens::new(Arc::new(keys), required("TOKEN_ISSUER")?))
    }
}

pub(crate) struct NoSecrets;

#[async_trait]
impl Secrets for NoSecrets {
    async fn gateway(&self, _: &GatewayName) -> Result<Option<GatewaySecrets>, SecretsError> {
        Ok(None)
    }
}

impl fmt::Debug for Bootstrap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bootstrap(..)")
    }
}
