use crate::Timestamp;
use crate::id::CustomerId;
use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

/// A password as it was typed: 8 to 128 characters, any of them. It is taken byte by byte, so that two spellings of one
/// letter are two passwords; normalising them would make every function carry Unicode's tables.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PasswordError {
    #[error("must have at least {} characters", Password::MIN)]
    TooShort,
    #[error("must have at most {} characters", Password::MAX)]
    TooLong,
}

impl Password {
    pub const MIN: usize = 8;
    pub const MAX: usize = 128;

    /// Bounded before anything is hashed: what is longer could not be anybody's.
    pub fn parse(text: &str) -> Result<Self, PasswordError> {
        match text.chars().take(Self::MAX + 1).count() {
            ..Self::MIN => Err(PasswordError::TooShort),
            Self::MIN..=Self::MAX => Ok(Self(text.to_owned())),
            _ => Err(PasswordError::TooLong),
        }
    }

    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// A password's hash with its salt and parameters, as a PHC string.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(String);

impl PasswordHash {
    pub const fn of_phc(text: String) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Good enough to guess at: it stays out of logs.
impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// What a customer's password is compared with. Apart from the customer, so that nothing that shows one can show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    pub customer: CustomerId,
    pub version: u64,
    pub hash: PasswordHash,
    pub changed_at: Timestamp,
}

impl Credentials {
    pub const fn new(customer: CustomerId, hash: PasswordHash, now: Timestamp) -> Self {
        Self { customer, version: 1, hash, changed_at: now }
    }

    #[must_use]
    pub fn changed(&self, hash: PasswordHash, now: Timestamp) -> Self {
        Self { version: self.version + 1, hash, changed_at: now, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_bounded_in_characters_and_is_kept_as_typed() {
        for (text, error) in [
            ("", Some(PasswordError::TooShort)),
            ("1234567", Some(PasswordError::TooShort)),
            ("ççççççç", Some(PasswordError::TooShort)),
            ("12345678", None),
            ("çççççççç", None),
            ("        ", None),
        ] {
            assert_eq!(Password::parse(text).err(), error, "{text}");
        }
        assert!(Password::parse(&"😀".repeat(128)).is_ok());
        assert_eq!(Password::parse(&"a".repeat(129)), Err(PasswordError::TooLong));
        assert_eq!(Password::parse(" pass word ").unwrap().as_bytes(), b" pass word ");
    }

    #[test]
    fn another_password_is_the_next_version() {
        let hash = |text: &str| PasswordHash::of_phc(text.to_owned());
        let first = Credentials::new(CustomerId::new(1), hash("$argon2id$one"), Timestamp::UNIX_EPOCH);
        let now = Timestamp::UNIX_EPOCH + crate::SignedDuration::from_secs(60);
        let second = first.changed(hash("$argon2id$two"), now);
        assert_eq!((second.customer, second.version, second.changed_at), (first.customer, 2, now));
        assert_eq!((first.hash.as_str(), second.hash.as_str()), ("$argon2id$one", "$argon2id$two"));
    }

    #[test]
    fn nothing_secret_is_shown() {
        let hash = PasswordHash::of_phc("$argon2id$secret".to_owned());
        let credentials = Credentials::new(CustomerId::new(1), hash, Timestamp::UNIX_EPOCH);
        let shown = format!("{:?} {credentials:?}", Password::parse("opensesame").unwrap());
        assert!(!shown.contains("opensesame") && !shown.contains("argon2id"), "{shown}");
    }
}
