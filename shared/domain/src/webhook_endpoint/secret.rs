//! What a webhook is signed with, as Standard Webhooks has it: `whsec_` and the base64 of 24 to 64 random bytes.

use crate::{SignedDuration, Timestamp, stored_instant};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

/// The longest that two secrets sign side by side: whoever hasn't changed over by then has forgotten it.
pub const LONGEST_OVERLAP: SignedDuration = SignedDuration::from_hours(7 * 24);

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Secret(Vec<u8>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be whsec_ and the base64 of 24 to 64 bytes")]
pub struct InvalidSecret;

impl Secret {
    pub const PREFIX: &str = "whsec_";

    pub fn new(random: [u8; 32]) -> Self {
        Self(random.to_vec())
    }

    pub fn parse(text: &str) -> Result<Self, InvalidSecret> {
        let base64 = text.strip_prefix(Self::PREFIX).ok_or(InvalidSecret)?;
        let bytes = STANDARD.decode(base64).map_err(|_| InvalidSecret)?;
        if (24..=64).contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(InvalidSecret) }
    }

    /// The key itself, for whoever signs.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// As its receiver is given it: for the answer that tells it, and for nothing else.
    pub fn exposed(&self) -> String {
        format!("{}{}", Self::PREFIX, STANDARD.encode(&self.0))
    }
}

impl TryFrom<String> for Secret {
    type Error = InvalidSecret;

    fn try_from(text: String) -> Result<Self, InvalidSecret> {
        Self::parse(&text)
    }
}

impl From<Secret> for String {
    fn from(secret: Secret) -> Self {
        secret.exposed()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// One that signs, and after a rotation the one before it, for a while: messages carry both signatures, so that a receiver
/// changes over when it suits it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secrets {
    #[serde(rename = "c")]
    current: Secret,
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    previous: Option<Previous>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Previous {
    #[serde(rename = "s")]
    secret: Secret,
    /// Exclusive.
    #[serde(rename = "u", with = "stored_instant")]
    until: Timestamp,
}

impl Secrets {
    pub const fn new(current: Secret) -> Self {
        Self { current, previous: None }
    }

    pub const fn current(&self) -> &Secret {
        &self.current
    }

    /// Until when the secret before the present one signs, too.
    pub fn overlaps_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.previous.as_ref().map(|previous| previous.until).filter(|until| now < *until)
    }

    /// All that a message is signed with, the newest first.
    pub fn in_force(&self, now: Timestamp) -> Vec<&Secret> {
        let previous = self.previous.as_ref().filter(|previous| now < previous.until);
        std::iter::once(&self.current).chain(previous.map(|previous| &previous.secret)).collect()
    }

    /// No overlap is for a secret that others have seen. Rotated again within an overlap, the oldest stops at once.
    #[must_use]
    pub fn rotated(&self, secret: Secret, overlap: SignedDuration, now: Timestamp) -> Self {
        let overlap = overlap.clamp(SignedDuration::ZERO, LONGEST_OVERLAP);
        let until = now.saturating_add(overlap).unwrap_or(now);
        let previous = Previous { secret: self.current.clone(), until };
        Self { current: secret, previous: (until > now).then_some(previous) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(byte: u8) -> Secret {
        Secret::new([byte; 32])
    }

    #[test]
    fn a_secret_has_24_to_64_bytes_in_base64() {
        for length in [24, 25, 32, 64] {
            let text = format!("whsec_{}", STANDARD.encode(vec![7; length]));
            assert_eq!(Secret::parse(&text).unwrap().exposed(), text);
        }
        let short = format!("whsec_{}", STANDARD.encode([7; 23]));
        let long = format!("whsec_{}", STANDARD.encode([7; 65]));
        let bare = STANDARD.encode([7; 32]);
        let unpadded = format!("whsec_{}", bare.trim_end_matches('='));
        for text in ["", "whsec_", "whsec_?", &short, &long, &bare, &unpadded] {
            assert_eq!(Secret::parse(text), Err(InvalidSecret), "{text}");
        }
    }

    #[test]
    fn a_secret_is_not_shown() {
        let secrets = Secrets::new(secret(65)).rotated(
            secret(66),
            SignedDuration::from_hours(1),
            Timestamp::UNIX_EPOCH,
        );
        let shown = format!("{secrets:?}");
        assert!(shown.contains("Secret(..)"), "{shown}");
        for hidden in ["65", "66", "AAAA", "QUFB", "QkJC", "whsec"] {
            assert!(!shown.contains(hidden), "{shown}");
        }
    }

    #[test]
    fn a_rotation_overlaps_for_as_long_as_was_asked_for_and_no_longer() {
        let (now, hour) = (Timestamp::UNIX_EPOCH, SignedDuration::from_hours(1));
        let rotated = Secrets::new(secret(1)).rotated(secret(2), hour, now);
        assert_eq!(rotated.current(), &secret(2));
        assert_eq!(rotated.in_force(now), [&secret(2), &secret(1)]);
        let end = now + hour;
        assert_eq!(rotated.overlaps_until(now), Some(end));
        assert_eq!(rotated.in_force(end - SignedDuration::from_millis(1)).len(), 2);
        assert_eq!((rotated.in_force(end), rotated.overlaps_until(end)), (vec![&secret(2)], None));

        let again = rotated.rotated(secret(3), hour, now);
        assert_eq!(again.in_force(now), [&secret(3), &secret(2)]);
        let at_once = rotated.rotated(secret(3), SignedDuration::ZERO, now);
        assert_eq!(at_once, Secrets::new(secret(3)), "and not kept, either");
        let endless = rotated.rotated(secret(3), SignedDuration::from_hours(10_000), now);
        assert_eq!(endless.in_force(now + LONGEST_OVERLAP), [&secret(3)]);
    }

    #[test]
    fn what_is_stored_is_read_back() {
        let secrets =
            Secrets::new(secret(1)).rotated(secret(2), SignedDuration::from_hours(1), Timestamp::UNIX_EPOCH);
        let stored = serde_json::to_string(&secrets).unwrap();
        assert_eq!(serde_json::from_str::<Secrets>(&stored).unwrap(), secrets);
        let old = format!("{{\"c\":\"{}\"}}", secret(1).exposed());
        assert_eq!(serde_json::from_str::<Secrets>(&old).unwrap(), Secrets::new(secret(1)));
    }
}
