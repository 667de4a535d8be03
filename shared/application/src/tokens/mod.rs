//! Access tokens: JWTs for one customer and a quarter of an hour, checked without asking anybody.

mod claims;
mod key;

pub use key::{KeyId, KeyRing, TokenKey};

use crate::error::Error;
use crate::ports::TokenKeys;
use claims::{Claims, Header, decoded};
use fatura_domain::id::{CustomerId, SessionId};
use fatura_domain::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;

/// How long a token is good. A session that ends leaves its last token good for so long.
pub const GOOD_FOR: SignedDuration = SignedDuration::from_mins(15);

/// Issues the deployment's tokens and recognises them.
pub struct Tokens {
    keys: Arc<dyn TokenKeys>,
    /// Who issues them and whom they are for: tokens of another deployment are none of ours.
    issuer: String,
    audience: String,
}

impl Tokens {
    /// `issuer` is where the API is.
    pub fn new(keys: Arc<dyn TokenKeys>, issuer: impl Into<String>) -> Self {
        let issuer = issuer.into();
        Self { keys, audience: format!("{issuer}/v1"), issuer }
    }

    /// `unique` is random: no two tokens are the same.
    pub async fn issue(
        &self,
        customer: CustomerId,
        session: SessionId,
        unique: u64,
        now: Timestamp,
    ) -> Result<String, Error> {
        let keys = self.keys.keys(None).await.map_err(unavailable)?;
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: customer.to_string(),
            iat: now.as_second(),
            exp: now.as_second() + GOOD_FOR.as_secs(),
            jti: format!("{unique:016x}"),
            sid: session.to_string(),
        };
        Ok(keys.current().signed(&claims))
    }

    /// Whom a token speaks for. None: it isn't one of ours, or no longer good.
    pub async fn bearer(&self, token: &str, now: Timestamp) -> Result<Option<CustomerId>, Error> {
        let Some(token) = Signed::of(token) else { return Ok(None) };
        let keys = self.keys.keys(Some(&token.key)).await.map_err(unavailable)?;
        let is_signed =
            keys.named(&token.key).is_some_and(|key| key.has_signed(token.message, &token.signature));
        if !is_signed {
            return Ok(None);
        }
        // Only now is it read what the token says.
        let claims = decoded::<Claims>(token.claims);
        Ok(claims.filter(|claims| claims.hold(&self.issuer, &self.audience, now)).and_then(Claims::customer))
    }

    /// The public keys, for whoever wants to check tokens too (RFC 7517).
    pub async fn key_set(&self) -> Result<Value, Error> {
        let keys = self.keys.keys(None).await.map_err(unavailable)?;
        Ok(json!({ "keys": keys.all().map(TokenKey::public).collect::<Vec<_>>() }))
    }
}

fn unavailable(error: crate::ports::SecretsError) -> Error {
    Error::Unavailable(Box::new(error))
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// A token in its three parts, whose header is exactly one that we write.
struct Signed<'a> {
    key: KeyId,
    message: &'a str,
    claims: &'a str,
    signature: Vec<u8>,
}

impl<'a> Signed<'a> {
    fn of(token: &'a str) -> Option<Self> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let key = decoded::<Header>(header)?.key()?;
        Some(Self { key, message, claims, signature: claims::bytes(signature)? })
    }
}

#[cfg(test)]
mod tests;
