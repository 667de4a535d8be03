use super::claims::{Header, encoded};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fmt;

/// What a key is called: the thumbprint of its public part (RFC 7638), so that nobody has to name keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyId(String);

impl KeyId {
    pub(super) const fn named(name: String) -> Self {
        Self(name)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One Ed25519 key.
pub struct TokenKey {
    id: KeyId,
    pair: Ed25519KeyPair,
}

impl TokenKey {
    /// The key that follows from a secret's text, which has 256 random bits in it or is no secret.
    pub fn of_secret(text: &str) -> Option<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(&Sha256::digest(text.as_bytes())).ok()?;
        let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        // In the order and the spelling that the RFC asks for.
        let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
        let id = KeyId(URL_SAFE_NO_PAD.encode(Sha256::digest(canonical)));
        Some(Self { id, pair })
    }

    pub const fn id(&self) -> &KeyId {
        &self.id
    }

    /// As others may know it.
    pub(super) fn public(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.pair.public_key().as_ref());
        json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": self.id.0, "alg": "EdDSA", "use": "sig"})
    }

    pub(super) fn signed(&self, claims: &impl Serialize) -> String {
        let message = format!("{}.{}", encoded(&Header::naming(&self.id)), encoded(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.pair.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }

    pub(super) fn has_signed(&self, message: &str, signature: &[u8]) -> bool {
        let public = UnparsedPublicKey::new(&ED25519, self.pair.public_key().as_ref());
        public.verify(message.as_bytes(), signature).is_ok()
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The key that signs, and the one that signed until it was rotated: what it has signed stays good until it ends.
#[derive(Debug)]
pub struct KeyRing {
    current: TokenKey,
    previous: Option<TokenKey>,
}

impl KeyRing {
    pub const fn new(current: TokenKey, previous: Option<TokenKey>) -> Self {
        Self { current, previous }
    }

    pub const fn current(&self) -> &TokenKey {
        &self.current
    }

    pub fn named(&self, id: &KeyId) -> Option<&TokenKey> {
        self.all().find(|key| key.id == *id)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &TokenKey> {
        std::iter::once(&self.current).chain(&self.previous)
    }
}
