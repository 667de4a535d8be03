use super::Publication;
use crate::Timestamp;
use jiff::SignedDuration;
use thiserror::Error;

/// How long rates may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgeLimits {
    time_to_live: SignedDuration,
    max_age: SignedDuration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the time to live must be longer than nothing, and the maximum age no shorter than it")]
pub struct InvalidAgeLimits;

/// Whether rates may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// The source has said lately that these are its latest.
    Fresh,
    /// The source is to be asked again; while it doesn't answer they serve on.
    Stale,
    /// Too old, or from the future: no rates at all.
    NoRate,
}

/// How far the source's clock may be ahead of ours. Rates from further on are a mistake, and one that would outlast all
/// later ones if it were believed.
const AHEAD: SignedDuration = SignedDuration::from_hours(1);

impl AgeLimits {
    /// `time_to_live` is counted from when the source was asked, `max_age` from when it says that its rates were so. A source
    /// that rests at weekends needs a maximum that outlasts its longest holiday.
    pub fn try_new(time_to_live: SignedDuration, max_age: SignedDuration) -> Result<Self, InvalidAgeLimits> {
        if time_to_live.is_positive() && max_age >= time_to_live {
            Ok(Self { time_to_live, max_age })
        } else {
            Err(InvalidAgeLimits)
        }
    }

    /// Fresh for less than the time to live; usable up to the maximum age and at it.
    pub fn freshness(self, publication: &Publication, now: Timestamp) -> Freshness {
        let age = now.duration_since(publication.rates.published_at());
        if age > self.max_age || age < -AHEAD {
            return Freshness::NoRate;
        }
        // Either way: a clock that was put back must not keep them fresh until it has caught up.
        if now.duration_since(publication.confirmed_at).abs() < self.time_to_live {
            Freshness::Fresh
        } else {
            Freshness::Stale
        }
    }
}
