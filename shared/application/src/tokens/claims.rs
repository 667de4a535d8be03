//! What a token says. Both parts are read as strictly as they are written: a member that isn't known, such as `crit` or a
//! key that the token brings along, makes it none of ours.

use super::GOOD_FOR;
use super::key::KeyId;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fatura_domain::id::{CustomerId, SessionId};
use fatura_domain::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The one algorithm there is: a token has no say in how it is checked.
const ALGORITHM: &str = "EdDSA";
/// An access token (RFC 9068), so that no other kind of JWT is taken for one.
const TYPE: &str = "at+jwt";
/// How far the clocks of two functions may be apart.
const SKEW: SignedDuration = SignedDuration::from_secs(60);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    alg: String,
    typ: String,
    kid: String,
}

impl Header {
    pub(super) fn naming(key: &KeyId) -> Self {
        Self { alg: ALGORITHM.to_owned(), typ: TYPE.to_owned(), kid: key.as_str().to_owned() }
    }

    pub(super) fn key(self) -> Option<KeyId> {
        (self.alg == ALGORITHM && self.typ == TYPE).then(|| KeyId::named(self.kid))
    }
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Claims {
    pub(super) iss: String,
    pub(super) aud: String,
    pub(super) sub: String,
    pub(super) iat: i64,
    pub(super) exp: i64,
    pub(super) jti: String,
    pub(super) sid: String,
}

impl Claims {
    /// `exp` is meant to the second: whoever issues tokens and whoever reads them have one clock, Amazon's. Only one that
    /// was issued a moment ahead of it is forgiven, and none that is good for longer than we ever issue.
    pub(super) fn hold(&self, issuer: &str, audience: &str, now: Timestamp) -> bool {
        let now = now.as_second();
        self.iss == issuer
            && self.aud == audience
            && now < self.exp
            && self.iat <= now.saturating_add(SKEW.as_secs())
            && self.exp.saturating_sub(self.iat) <= GOOD_FOR.as_secs()
    }

    pub(super) fn customer(self) -> Option<CustomerId> {
        let customer = self.sub.parse().ok()?;
        self.sid.parse::<SessionId>().ok().filter(|session| session.owner() == customer).map(|_| customer)
    }
}

pub(super) fn encoded(part: &impl Serialize) -> String {
    // Our own types have string keys and no failing parts.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(part).unwrap_or_default())
}

pub(super) fn bytes(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part).ok()
}

pub(super) fn decoded<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&bytes(part)?).ok()
}
