use super::TriesOf;
use fatura_domain::id::SessionId;
use fatura_domain::sign_in::{Credentials, Session, Tries};

/// What changes of how customers sign in. It lies apart from everything else, so that it is told apart here, too.
#[derive(Debug, Clone)]
pub enum AccessChange {
    /// Refused unless the stored ones have the version just before these.
    CredentialsSet(Credentials),
    SessionOpened(Session),
    /// Refused unless the stored session has the version just before this one's.
    SessionChanged(Session),
    SessionEnded(SessionId),
    /// Refused unless the stored ones have the version just before these.
    TriesChanged {
        of: TriesOf,
        tries: Tries,
    },
    TriesForgotten(TriesOf),
}
