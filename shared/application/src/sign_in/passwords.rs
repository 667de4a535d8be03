//! Passwords and their hashes: argon2id with the least that OWASP asks for, 19 MiB, two passes and one lane.

use crate::error::Error;
use argon2::password_hash::PasswordHasher;
use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::{Algorithm, Argon2, Params, PasswordVerifier, Version};
use fatura_domain::sign_in::{Password, PasswordHash, Salt};

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A hash of a password that nobody has: what is compared with where there is nothing to compare with, so that it takes
/// as long. A test says that its parameters are those above.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

pub(crate) fn hash(password: &Password, salt: Salt) -> Result<PasswordHash, Error> {
    let failed = |error: &dyn std::fmt::Display| Error::Internal(format!("hashing: {error}").into());
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| failed(&error))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon2.hash_password_with_salt(password.as_bytes(), salt.as_bytes());
    hash.map(|hash| PasswordHash::of_phc(hash.to_string())).map_err(|error| failed(&error))
}

/// Whether what was typed is the password. There is one way through here, so that it costs the same whether or not there is
/// anything to compare with.
pub(crate) fn is_right(kept: Option<&PasswordHash>, typed: &str) -> bool {
    let typed = Password::parse(typed).ok();
    let comparison = Comparison::of(kept, typed.as_ref());
    let is_equal = Phc::new(comparison.hash)
        .is_ok_and(|phc| Argon2::default().verify_password(comparison.bytes, &phc).is_ok());
    is_equal && comparison.counts
}

/// What is compared with what, and whether it may turn out to be right.
struct Comparison<'a> {
    hash: &'a str,
    bytes: &'a [u8],
    counts: bool,
}

impl<'a> Comparison<'a> {
    fn of(kept: Option<&'a PasswordHash>, typed: Option<&'a Password>) -> Self {
        match (kept, typed) {
            (Some(kept), Some(typed)) => Self { hash: kept.as_str(), bytes: typed.as_bytes(), counts: true },
            // What is no password can be nobody's: something else is as good to spend the time on.
            (_, typed) => {
                let bytes = typed.map_or(b"nobody's".as_slice(), Password::as_bytes);
                Self { hash: NOBODYS, bytes, counts: false }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::parse(text).unwrap()
    }

    #[test]
    fn the_right_password_is_right_and_no_other() {
        let kept = hash(&password("correct horse"), Salt::new([1, 2])).unwrap();
        assert!(kept.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", kept.as_str());
        assert!(is_right(Some(&kept), "correct horse"));
        for typed in ["correct horsE", "", "correct horse ", &"x".repeat(5_000)] {
            assert!(!is_right(Some(&kept), typed), "{typed}");
        }
        assert!(!is_right(None, "correct horse"));
        let salted = hash(&password("correct horse"), Salt::new([1, 3])).unwrap();
        assert_ne!(kept, salted);
    }

    /// Not by the clock: what takes the time are the parameters, and those are the same.
    #[test]
    fn nobodys_hash_takes_as_long_as_any() {
        let kept = hash(&password("correct horse"), Salt::new([1, 2])).unwrap();
        let cost = |text: &str| {
            let phc = Phc::new(text).unwrap();
            let lengths = (phc.salt.unwrap().len(), phc.hash.unwrap().len());
            (phc.algorithm.to_string(), phc.version, phc.params.to_string(), lengths)
        };
        assert_eq!(cost(NOBODYS), cost(kept.as_str()));
        let typed = password("correct horse");
        for (kept, typed) in [(None, Some(&typed)), (None, None), (Some(&kept), None)] {
            let comparison = Comparison::of(kept, typed);
            assert_eq!((comparison.hash, comparison.counts), (NOBODYS, false));
        }
        let comparison = Comparison::of(Some(&kept), Some(&typed));
        assert_eq!((comparison.hash, comparison.counts), (kept.as_str(), true));
    }
}
