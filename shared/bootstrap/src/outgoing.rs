//! Webhooks that go out.

use crate::environment::{StartError, optional};
use fatura_domain::webhook_endpoint::Loopback;

/// The queue of the notifier.
pub(crate) const QUEUE_URL: &str = "NOTIFIER_QUEUE_URL";
/// `true` where everything runs on one machine, and nowhere else.
const ALLOW_LOOPBACK: &str = "WEBHOOKS_ALLOW_LOOPBACK";

pub(crate) fn loopback() -> Result<Loopback, StartError> {
    read(optional(ALLOW_LOOPBACK).as_deref())
}

/// A word that is neither is a mistake that would open a door, or close one, unseen.
fn read(value: Option<&str>) -> Result<Loopback, StartError> {
    match value {
        None | Some("false") => Ok(Loopback::Refused),
        Some("true") => Ok(Loopback::Allowed),
        Some(_) => Err(StartError::Unusable(ALLOW_LOOPBACK, "true or false")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_allowed_by_one_word_only() {
        assert_eq!(read(None).unwrap(), Loopback::Refused);
        assert_eq!(read(Some("false")).unwrap(), Loopback::Refused);
        assert_eq!(read(Some("true")).unwrap(), Loopback::Allowed);
        for word in ["1", "yes", "TRUE", " true"] {
            assert!(read(Some(word)).is_err(), "{word}");
        }
    }
}
