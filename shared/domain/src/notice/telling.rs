use super::Channel;
use crate::{SignedDuration, Timestamp, stored_instant};
use serde::{Deserialize, Serialize};

/// For how long whoever took it up has it to itself: longer than a call can take, shorter than the queue waits before it
/// delivers again.
const LEASE: SignedDuration = SignedDuration::from_mins(1);
/// For how long an event is known that was told: longer than it can come again.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// That somebody is told of an event by one channel: once, and who is at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telling {
    pub event: String,
    pub channel: Channel,
    pub version: u64,
    pub state: TellingState,
    pub updated_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TellingState {
    Sending {
        #[serde(rename = "l", with = "stored_instant")]
        lease_until: Timestamp,
    },
    /// Somebody has taken it who will bring it.
    Sent,
    /// Nobody ever will: the address is none, or wants nothing of us.
    Refused,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Write this, then send it.
    Send(Telling),
    /// Somebody is at it just now, or has died with it: come again.
    Busy,
    Done,
}

impl Telling {
    /// Whoever dies between sending and writing down that it was sent leaves it to be sent once more: neither mail nor SMS
    /// can be asked whether it went out, and twice is better than never.
    pub fn claimed(before: Option<&Self>, event: &str, channel: Channel, now: Timestamp) -> Claim {
        let lease_until = now.saturating_add(LEASE).unwrap_or(now);
        let version = match before {
            None => 1,
            Some(before) => match before.state {
                TellingState::Sent | TellingState::Refused => return Claim::Done,
                TellingState::Sending { lease_until } if lease_until > now => return Claim::Busy,
                TellingState::Sending { .. } => before.version + 1,
            },
        };
        let state = TellingState::Sending { lease_until };
        Claim::Send(Self { event: event.to_owned(), channel, version, state, updated_at: now })
    }

    /// None of it went out, surely: the next may begin at once.
    #[must_use]
    pub fn released(&self, now: Timestamp) -> Self {
        self.moved(TellingState::Sending { lease_until: now }, now)
    }

    #[must_use]
    pub fn ended(&self, state: TellingState, now: Timestamp) -> Self {
        self.moved(state, now)
    }

    pub fn expires_at(&self) -> Timestamp {
        self.updated_at.saturating_add(KEPT_FOR).unwrap_or(self.updated_at)
    }

    fn moved(&self, state: TellingState, now: Timestamp) -> Self {
        Self { version: self.version + 1, state, updated_at: now, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(before: Option<&Telling>, now: Timestamp) -> Claim {
        Telling::claimed(before, "evt_1", Channel::Email, now)
    }

    #[test]
    fn one_has_it_to_itself_until_its_lease_ends() {
        let now = Timestamp::UNIX_EPOCH;
        let Claim::Send(first) = claim(None, now) else { panic!("nobody is at it") };
        assert_eq!(claim(Some(&first), now), Claim::Busy);
        assert_eq!(claim(Some(&first), now + LEASE - SignedDuration::from_millis(1)), Claim::Busy);
        let Claim::Send(second) = claim(Some(&first), now + LEASE) else { panic!("the first has died") };
        assert_eq!((first.version, second.version), (1, 2));
        let later = now + SignedDuration::from_hours(1);
        let sent = second.ended(TellingState::Sent, later);
        assert_eq!(
            (sent.version, sent.updated_at, sent.expires_at()),
            (3, later, later + SignedDuration::from_hours(720))
        );
    }

    #[test]
    fn what_was_told_is_told_no_more() {
        let now = Timestamp::UNIX_EPOCH;
        let Claim::Send(first) = claim(None, now) else { panic!("nobody is at it") };
        for state in [TellingState::Sent, TellingState::Refused] {
            assert_eq!(claim(Some(&first.ended(state, now)), now + LEASE * 9), Claim::Done);
        }
        assert!(matches!(claim(Some(&first.released(now)), now), Claim::Send(again) if again.version == 3));
    }
}
