//! What came back when a message was sent, and what that means.

use crate::{SignedDuration, Timestamp, stored_instant};
use jiff::fmt::rfc2822;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    #[serde(rename = "at", with = "stored_instant")]
    pub at: Timestamp,
    #[serde(rename = "a")]
    pub answer: Answer,
    #[serde(rename = "t")]
    pub took: Took,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Status {
        #[serde(rename = "c")]
        code: u16,
        /// In how many seconds it would rather be asked again.
        #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<u32>,
    },
    Nothing(NoAnswer),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoAnswer {
    /// The name leads to an address that isn't public: nothing was sent.
    AddressRefused,
    /// The name leads nowhere.
    NameUnknown,
    /// There is nobody at the address, or nobody that can prove to be who is meant.
    Unreachable,
    TimedOut,
    /// The connection ended before the answer.
    Broken,
}

impl NoAnswer {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AddressRefused => "address_refused",
            Self::NameUnknown => "name_unknown",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Broken => "broken",
        }
    }
}

/// How long an answer took, as exactly as anybody needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Took {
    UnderASecond,
    UnderFiveSeconds,
    Longer,
}

impl Took {
    pub const fn of(duration: Duration) -> Self {
        match duration.as_secs() {
            0 => Self::UnderASecond,
            1..=4 => Self::UnderFiveSeconds,
            _ => Self::Longer,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Delivered,
    /// It wants no more of anything.
    Gone,
    Again {
        /// No earlier than this from now, says the receiver.
        after: Option<SignedDuration>,
    },
}

impl Answer {
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::Status { code: 200..=299, .. } => Verdict::Delivered,
            Self::Status { code: 410, .. } => Verdict::Gone,
            // Elsewhere the header means something else: of a redirect, when the new place will be there.
            Self::Status { code: 429 | 503, retry_after: Some(seconds) } => {
                Verdict::Again { after: Some(SignedDuration::from_secs(seconds as i64)) }
            }
            Self::Status { .. } | Self::Nothing(_) => Verdict::Again { after: None },
        }
    }
}

/// The header `Retry-After` (RFC 9110): seconds, or a date. What isn't either is no wish at all.
pub fn retry_after(value: &str, now: Timestamp) -> Option<u32> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More than can be said is as long as can be said.
        return Some(value.parse().unwrap_or(u32::MAX));
    }
    let at = rfc2822::parse(value).ok()?.timestamp();
    let seconds = at.duration_since(now).as_secs();
    Some(u32::try_from(seconds.max(0)).unwrap_or(u32::MAX))
}

/// The latest attempts: enough for all the tries of two rounds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttemptLog(VecDeque<Attempt>);

impl AttemptLog {
    pub const LONGEST: usize = 20;

    /// Oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Attempt> + ExactSizeIterator {
        self.0.iter()
    }

    #[must_use]
    pub(super) fn with(&self, attempt: Attempt) -> Self {
        let forgotten = (self.0.len() + 1).saturating_sub(Self::LONGEST);
        Self(self.0.iter().skip(forgotten).copied().chain([attempt]).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: u16, retry_after: Option<u32>) -> Answer {
        Answer::Status { code, retry_after }
    }

    #[test]
    fn an_answer_means_what_standard_webhooks_says() {
        for code in [200, 201, 202, 204, 299] {
            assert_eq!(status(code, Some(60)).verdict(), Verdict::Delivered, "{code}");
        }
        assert_eq!(status(410, Some(60)).verdict(), Verdict::Gone);
        for code in [100, 199, 300, 301, 302, 307, 308, 400, 401, 404, 408, 409, 411, 500, 502, 504, 599] {
            assert_eq!(status(code, Some(60)).verdict(), Verdict::Again { after: None }, "{code}");
        }
        for code in [429, 503] {
            let minute = Some(SignedDuration::from_secs(60));
            assert_eq!(status(code, Some(60)).verdict(), Verdict::Again { after: minute });
            assert_eq!(status(code, None).verdict(), Verdict::Again { after: None });
        }
        assert_eq!(Answer::Nothing(NoAnswer::TimedOut).verdict(), Verdict::Again { after: None });
    }

    #[test]
    fn a_wish_to_wait_is_seconds_or_a_date() {
        let now: Timestamp = "2015-10-21T07:27:00Z".parse().unwrap();
        for (value, seconds) in [
            ("0", Some(0)),
            (" 120 ", Some(120)),
            ("99999999999999999999", Some(u32::MAX)),
            ("Wed, 21 Oct 2015 07:28:00 GMT", Some(60)),
            ("Wed, 21 Oct 2015 07:26:00 GMT", Some(0)),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("2015-10-21T07:28:00Z", None),
        ] {
            assert_eq!(retry_after(value, now), seconds, "{value:?}");
        }
    }

    #[test]
    fn a_duration_has_a_class() {
        for (milliseconds, took) in [
            (0, Took::UnderASecond),
            (999, Took::UnderASecond),
            (1_000, Took::UnderFiveSeconds),
            (4_999, Took::UnderFiveSeconds),
            (5_000, Took::Longer),
        ] {
            assert_eq!(Took::of(Duration::from_millis(milliseconds)), took, "{milliseconds}");
        }
    }

    #[test]
    fn the_log_keeps_the_latest() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let attempt =
            |second| Attempt { at: at(second), answer: status(500, None), took: Took::UnderASecond };
        let log = (0..25).fold(AttemptLog::default(), |log, second| log.with(attempt(second)));
        let kept: Vec<_> = log.iter().map(|attempt| attempt.at).collect();
        assert_eq!(kept, (5..25).map(at).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_stored_is_read_back() {
        for answer in [status(503, Some(9)), status(200, None), Answer::Nothing(NoAnswer::AddressRefused)] {
            let attempt = Attempt { at: Timestamp::UNIX_EPOCH, answer, took: Took::Longer };
            let stored = serde_json::to_string(&attempt).unwrap();
            assert_eq!(serde_json::from_str::<Attempt>(&stored).unwrap(), attempt, "{stored}");
        }
    }
}
