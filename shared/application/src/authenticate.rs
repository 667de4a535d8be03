use crate::access::{Caller, KeyHash, KeyRole, Role};
use crate::error::Error;
use crate::ports::{ApiKeys, Clock, SecretsError};
use crate::tokens::Tokens;
use async_trait::async_trait;
use fatura_domain::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// The key that the deployment itself made: the first operator's.
#[async_trait]
pub trait OperatorKey: Send + Sync {
    /// Its hash, cached by whoever implements it.
    async fn hash(&self) -> Result<KeyHash, SecretsError>;
}

/// Finds out who holds a bearer token. Keys that were good a moment ago are remembered for [`REMEMBERED`], so that a
/// warm request reads nothing for them; a revoked key is refused everywhere after that time.
pub struct Authenticator {
    operator_key: Arc<dyn OperatorKey>,
    api_keys: Arc<dyn ApiKeys>,
    tokens: Arc<Tokens>,
    clock: Arc<dyn Clock>,
    known: Mutex<HashMap<KeyHash, (Caller, Timestamp)>>,
}

const REMEMBERED: SignedDuration = SignedDuration::from_secs(30);
const MOST_REMEMBERED: usize = 1_000;

impl Authenticator {
    pub fn new(
        operator_key: Arc<dyn OperatorKey>,
        api_keys: Arc<dyn ApiKeys>,
        tokens: Arc<Tokens>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { operator_key, api_keys, tokens, clock, known: Mutex::default() }
    }

    /// None: nobody we know.
    pub async fn caller(&self, token: &str) -> Result<Option<Caller>, Error> {
        let now = self.clock.now();
        // No key of ours has a dot in it. A token is checked each time: it costs less than to remember when it ends.
        if token.contains('.') {
            let customer = self.tokens.bearer(token, now).await?;
            return Ok(customer.map(|id| Caller::new(id.to_string(), Role::Customer(id))));
        }
        let hash = KeyHash::of(token);
        if let Some(caller) = self.remembered(hash, now) {
            return Ok(Some(caller));
        }
        let operator = self.operator_key.hash().await.map_err(|error| Error::Unavailable(Box::new(error)))?;
        // Hashes of random keys: comparing them tells an attacker nothing that helps to find a key.
        let caller = if hash == operator {
            Some(Caller::new("key_deployment", Role::Operator))
        } else {
            self.api_keys.api_key(hash).await?.filter(|key| key.revoked_at.is_none()).map(|key| Caller {
                id: key.id,
                role: match key.role {
                    KeyRole::Operator => Role::Operator,
                    KeyRole::Service => Role::Service,
                },
                scopes: key.scopes,
            })
        };
        if let Some(caller) = &caller {
            self.remember(hash, caller.clone(), now);
        }
        Ok(caller)
    }

    fn remembered(&self, hash: KeyHash, now: Timestamp) -> Option<Caller> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (caller, at) = known.get(&hash)?;
        (now.duration_since(*at) < REMEMBERED).then(|| caller.clone())
    }

    fn remember(&self, hash: KeyHash, caller: Caller, now: Timestamp) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_REMEMBERED {
            known.clear();
        }
        known.insert(hash, (caller, now));
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authenticator(..)")
    }
}
