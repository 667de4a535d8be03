//! How the functions of a deployment fare, from the little that each says of itself: that it has started, and that
//! something went wrong.

use crate::text::Text;
use crate::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

/// A function's name in the deployment: `api`, `charge-consumer`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceName(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be the name of a function, such as charge-consumer")]
pub struct InvalidServiceName;

impl ServiceName {
    pub fn parse(text: &str) -> Result<Self, InvalidServiceName> {
        let is_plain =
            text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if is_plain && (1..=40).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidServiceName)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What kind of thing went wrong. What exactly is in the log, which may say more than the table should keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TroubleClass {
    /// A whole invocation failed.
    InvocationFailed,
    /// Some records of a batch failed, and come again.
    RecordsFailed,
    /// A request was answered with a fault of ours.
    ServerError,
}

impl TroubleClass {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvocationFailed => "invocation_failed",
            Self::RecordsFailed => "records_failed",
            Self::ServerError => "server_error",
        }
    }
}

/// Something that went wrong, in our own words: nothing that a customer, a gateway or a secret has said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symptom {
    pub class: TroubleClass,
    pub message: Text<200>,
}

impl Symptom {
    /// Of a request's status.
    pub fn of_answer(status: u16) -> Option<Self> {
        if status < 500 {
            return None;
        }
        Self::of(TroubleClass::ServerError, &format!("a request was answered {status}"))
    }

    pub fn of_batch(failed: usize) -> Option<Self> {
        if failed == 0 {
            return None;
        }
        Self::of(TroubleClass::RecordsFailed, &format!("{failed} of the records of a batch failed"))
    }

    pub fn of_invocation<T, E>(outcome: &Result<T, E>) -> Option<Self> {
        outcome.as_ref().err().and_then(|_| Self::of(TroubleClass::InvocationFailed, "an invocation failed"))
    }

    fn of(class: TroubleClass, message: &str) -> Option<Self> {
        Text::parse(message).ok().map(|message| Self { class, message })
    }
}

/// What went wrong last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    pub symptom: Symptom,
    /// When it began to go wrong without ever being quiet for [`OVER_AFTER`].
    pub since: Timestamp,
    pub at: Timestamp,
}

/// A function that is in trouble says so once a minute: after five minutes of silence it no longer is.
pub const OVER_AFTER: SignedDuration = SignedDuration::from_mins(5);
/// Instances are replaced every few hours, and say so. Longer silence means that nobody needs the function, or that it
/// cannot even start: it isn't known which.
pub const HEARD_WITHIN: SignedDuration = SignedDuration::from_hours(24);

impl Trouble {
    /// The next one, after what is on record.
    #[must_use]
    pub fn after(known: Option<&Self>, symptom: Symptom, now: Timestamp) -> Self {
        let going_on = known.filter(|known| known.is_on(now));
        Self { symptom, since: going_on.map_or(now, |known| known.since), at: now }
    }

    fn is_on(&self, now: Timestamp) -> bool {
        now.duration_since(self.at) < OVER_AFTER
    }
}

/// What a function has said of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vitals {
    /// Of the build that started last.
    pub version: String,
    pub started_at: Timestamp,
    pub trouble: Option<Trouble>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    Healthy,
    Failing {
        since: Timestamp,
    },
    /// It has said nothing, or nothing lately.
    Unknown,
}

impl Health {
    pub fn of(vitals: Option<&Vitals>, now: Timestamp) -> Self {
        let Some(vitals) = vitals else { return Self::Unknown };
        match &vitals.trouble {
            Some(trouble) if trouble.is_on(now) => Self::Failing { since: trouble.since },
            _ if now.duration_since(vitals.heard_at()) < HEARD_WITHIN => Self::Healthy,
            _ => Self::Unknown,
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Failing { .. } => "failing",
            Self::Unknown => "unknown",
        }
    }
}

impl Vitals {
    fn heard_at(&self) -> Timestamp {
        self.trouble.as_ref().map_or(self.started_at, |trouble| trouble.at.max(self.started_at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_793_620_800 + 60 * minute).unwrap()
    }

    fn symptom() -> Symptom {
        let message = Text::parse("answered 503").unwrap();
        Symptom { class: TroubleClass::ServerError, message }
    }

    fn vitals(trouble: Option<Trouble>) -> Vitals {
        Vitals { version: "1.2.3".to_owned(), started_at: at(0), trouble }
    }

    fn health(vitals: &Vitals, minute: i64) -> Health {
        Health::of(Some(vitals), at(minute))
    }

    #[test]
    fn what_has_started_is_healthy_until_nothing_is_heard_of_it_for_a_day() {
        assert_eq!(Health::of(None, at(0)), Health::Unknown);
        let quiet = vitals(None);
        assert_eq!((health(&quiet, 0), health(&quiet, 24 * 60 - 1)), (Health::Healthy, Health::Healthy));
        assert_eq!(health(&quiet, 24 * 60), Health::Unknown);
        let late = vitals(Some(Trouble::after(None, symptom(), at(100))));
        assert_eq!(health(&late, 24 * 60 + 99), Health::Healthy, "it was heard later than it started");
        assert_eq!(health(&late, 24 * 60 + 100), Health::Unknown);
    }

    #[test]
    fn what_goes_wrong_again_within_five_minutes_has_not_stopped_to() {
        let first = Trouble::after(None, symptom(), at(10));
        let second = Trouble::after(Some(&first), symptom(), at(14));
        assert_eq!((second.since, second.at), (at(10), at(14)));
        let failing = vitals(Some(second.clone()));
        assert_eq!(health(&failing, 18), Health::Failing { since: at(10) });
        assert_eq!(health(&failing, 19), Health::Healthy);
        let third = Trouble::after(Some(&second), symptom(), at(19));
        assert_eq!(third.since, at(19));
    }

    /// Clocks of two instances differ.
    #[test]
    fn a_clock_that_is_behind_changes_nothing() {
        let known = Trouble::after(None, symptom(), at(10));
        assert_eq!(Trouble::after(Some(&known), symptom(), at(9)).since, at(10));
        assert_eq!(health(&vitals(Some(known)), 9), Health::Failing { since: at(10) });
    }

    #[test]
    fn only_what_is_our_own_fault_is_a_symptom() {
        let said = |symptom: Option<Symptom>| symptom.map(|symptom| symptom.message.as_str().to_owned());
        assert_eq!([200, 404, 429, 499].map(Symptom::of_answer), [const { None }; 4]);
        assert_eq!(said(Symptom::of_answer(500)).unwrap(), "a request was answered 500");
        assert_eq!(Symptom::of_batch(0), None);
        assert_eq!(said(Symptom::of_batch(3)).unwrap(), "3 of the records of a batch failed");
        assert_eq!(Symptom::of_invocation::<(), ()>(&Ok(())), None);
        let failed = Symptom::of_invocation::<(), _>(&Err("secret")).unwrap();
        assert_eq!(
            (failed.class, failed.message.as_str()),
            (TroubleClass::InvocationFailed, "an invocation failed")
        );
    }

    #[test]
    fn a_name_is_that_of_a_function() {
        for (text, is_one) in
            [("api", true), ("charge-consumer", true), ("", false), ("Api", false), ("a/b", false)]
        {
            assert_eq!(ServiceName::parse(text).is_ok(), is_one, "{text}");
        }
        assert!(ServiceName::parse(&"a".repeat(41)).is_err());
        let name = ServiceName::parse("event-relay").unwrap();
        assert_eq!((name.as_str(), name.to_string().as_str()), ("event-relay", "event-relay"));
    }
}
