//! The same request twice is one effect and one answer.

use crate::change_set::Change;
use crate::error::Error;
use crate::ports::Answers;
use fatura_domain::{SignedDuration, Timestamp};

/// How long an answer is kept for whoever asks again.
pub const KEPT_FOR: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Whose key it is and where it was used: keys of different callers or routes never meet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AnswerScope {
    pub caller: String,
    /// Method and path, ids included: charging another invoice is another request.
    pub route: String,
    pub key: String,
}

/// A request that may come again, known by its key and by what it asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    pub scope: AnswerScope,
    /// SHA-256 of what is asked.
    pub fingerprint: [u8; 32],
}

/// An answer as the client got it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    pub once: Once,
    pub answer: Answer,
    pub expires_at: Timestamp,
    /// When it was written; an older record whose time has passed gives way to it.
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub answer: Answer,
    pub replayed: bool,
}

impl Once {
    /// The record that goes into the transaction of the effect.
    pub fn answered(&self, answer: Answer, now: Timestamp) -> Change {
        let expires_at = now.checked_add(KEPT_FOR).unwrap_or(now);
        Change::Answered(StoredAnswer { once: self.clone(), answer, expires_at, at: now })
    }

    /// What an earlier request with this key was answered.
    pub fn replay(&self, stored: StoredAnswer) -> Result<Reply, Error> {
        if stored.once.fingerprint == self.fingerprint {
            Ok(Reply { answer: stored.answer, replayed: true })
        } else {
            Err(Error::IdempotencyKeyReused)
        }
    }

    /// A request that the rules refuse may be one that they allowed before: then its first answer stands.
    pub async fn replay_or(
        &self,
        answers: &dyn Answers,
        refusal: Error,
        now: Timestamp,
    ) -> Result<Reply, Error> {
        match answers.answer(&self.scope, now).await? {
            Some(stored) => self.replay(stored),
            None => Err(refusal),
        }
    }
}
