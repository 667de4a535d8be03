use crate::id::SessionId;
use crate::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use std::fmt::{self, Write};
use std::str::FromStr;

/// The secret part of a refresh token: 256 random bits, or what follows from an earlier one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RefreshSecret([u8; 32]);

/// What a secret is recognised by. Secrets are random, so a fast hash gives nothing away.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SecretHash([u8; 32]);

/// Made anew for each rotation, so that the next secret can't be told from the last one alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salt([u8; 16]);

impl RefreshSecret {
    pub fn new(random: [u64; 4]) -> Self {
        let [a, b, c, d] = random.map(u64::to_be_bytes);
        let mut bytes = [0; 32];
        for (slot, byte) in bytes.iter_mut().zip([a, b, c, d].into_iter().flatten()) {
            *slot = byte;
        }
        Self(bytes)
    }

    pub fn hash(self) -> SecretHash {
        SecretHash(Sha256::digest(self.0).into())
    }

    /// The same for whoever has both: an answer that was lost can be given again, though only hashes are kept.
    #[must_use]
    pub fn next(self, salt: Salt) -> Self {
        Self(Sha256::new().chain_update(b"next").chain_update(self.0).chain_update(salt.0).finalize().into())
    }
}

impl Salt {
    pub fn new(random: [u64; 2]) -> Self {
        let [a, b] = random.map(u128::from);
        Self((a << 64 | b).to_be_bytes())
    }

    pub const fn of_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl SecretHash {
    pub const fn of_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// What a client keeps to stay signed in: `frt_`, its session's characters, and the secret as hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RefreshToken {
    pub session: SessionId,
    pub secret: RefreshSecret,
}

impl RefreshToken {
    const PREFIX: &str = "frt_";

    /// As its owner gets it; nowhere else.
    pub fn reveal(&self) -> String {
        let mut text = format!("{}{}_", Self::PREFIX, self.session.code());
        for byte in self.secret.0 {
            // Writing to a text does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotARefreshToken;

impl FromStr for RefreshToken {
    type Err = NotARefreshToken;

    fn from_str(text: &str) -> Result<Self, NotARefreshToken> {
        let (session, secret) =
            text.strip_prefix(Self::PREFIX).and_then(|rest| rest.split_once('_')).ok_or(NotARefreshToken)?;
        let session = format!("{}{session}", SessionId::PREFIX).parse().map_err(|_| NotARefreshToken)?;
        let plain = secret.len() == 64 && secret.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let mut bytes = [0; 32];
        for (index, slot) in bytes.iter_mut().enumerate() {
            let pair = secret.get(index * 2..index * 2 + 2).filter(|_| plain).ok_or(NotARefreshToken)?;
            *slot = u8::from_str_radix(pair, 16).map_err(|_| NotARefreshToken)?;
        }
        Ok(Self { session, secret: RefreshSecret(bytes) })
    }
}

/// One device that is signed in: a family of refresh tokens, of which only the latest is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub version: u64,
    /// Which of the customer's passwords it was opened with: a new one ends it.
    pub password: u64,
    pub current: SecretHash,
    pub before: Option<Predecessor>,
    pub opened_at: Timestamp,
    pub used_at: Timestamp,
}

/// The token before, for a client that never got the answer with its successor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Predecessor {
    pub hash: SecretHash,
    pub salt: Salt,
}

/// What a token turns out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented {
    Current,
    /// Just rotated: its successor is on its way, or was lost. This salt makes the very same one.
    Again(Salt),
    /// An older one: two have it, and it can't be told who is the thief.
    Reused,
    /// Nobody has come for too long, or the password is another one.
    Ended,
}

impl Session {
    /// How many a customer has at once; the one used longest ago makes room.
    pub const MOST: usize = 10;
    const IDLE: SignedDuration = SignedDuration::from_hours(24 * 30);
    const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 90);
    /// As long as a request and its repetitions may take.
    const GRACE: SignedDuration = SignedDuration::from_secs(30);

    pub fn opened(id: SessionId, password: u64, secret: RefreshSecret, now: Timestamp) -> Self {
        Self { id, version: 1, password, current: secret.hash(), before: None, opened_at: now, used_at: now }
    }

    pub fn expires_at(&self) -> Timestamp {
        let end = |from: Timestamp, after| from.checked_add(after).unwrap_or(from);
        end(self.used_at, Self::IDLE).min(end(self.opened_at, Self::LONGEST))
    }

    /// `password` is the version of the one that is in force.
    pub fn presented(&self, secret: RefreshSecret, password: u64, now: Timestamp) -> Presented {
        let hash = secret.hash();
        if now >= self.expires_at() || password != self.password {
            return Presented::Ended;
        }
        if hash == self.current {
            return Presented::Current;
        }
        match &self.before {
            Some(before) if hash == before.hash && now.duration_since(self.used_at).abs() < Self::GRACE => {
                Presented::Again(before.salt)
            }
            _ => Presented::Reused,
        }
    }

    /// The session after its current token was used, and the token that is current then.
    #[must_use]
    pub fn rotated(&self, secret: RefreshSecret, salt: Salt, now: Timestamp) -> (Self, RefreshSecret) {
        let next = secret.next(salt);
        let session = Self {
            version: self.version + 1,
            current: next.hash(),
            before: Some(Predecessor { hash: self.current, salt }),
            used_at: now,
            ..self.clone()
        };
        (session, next)
    }

    /// Of the sessions of one customer those that end when another begins.
    pub fn making_room(mut sessions: Vec<Self>) -> Vec<Self> {
        sessions.sort_by_key(|session| std::cmp::Reverse((session.used_at, session.id)));
        sessions.split_off(sessions.len().min(Self::MOST - 1))
    }
}

macro_rules! shown_as_nothing {
    ($($secret:ident)*) => { $(
        impl fmt::Debug for $secret {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($secret), "(..)"))
            }
        }
    )* };
}

shown_as_nothing!(RefreshSecret SecretHash Salt RefreshToken);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::CustomerId;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millisecond(1_793_620_800_000 + second * 1_000).unwrap()
    }

    fn session(number: u64) -> (Session, RefreshSecret) {
        let id = SessionId::new(CustomerId::new(1), at(0), number);
        let secret = RefreshSecret::new([number, 2, 3, 4]);
        (Session::opened(id, 1, secret, at(0)), secret)
    }

    #[test]
    fn a_token_is_read_back_and_nothing_else_is_one() {
        let (session, secret) = session(7);
        let token = RefreshToken { session: session.id, secret };
        let text = token.reveal();
        assert_eq!(text.len(), 4 + 28 + 1 + 64);
        assert_eq!(text.parse(), Ok(token));
        for other in [
            String::new(),
            text.replace("frt_", "fat_"),
            text.to_uppercase(),
            format!("{text}0"),
            text.replace('3', "+"),
            text.chars().take(96).collect(),
            text.replace("0000000000000003", "é00000000000003"),
        ] {
            assert_eq!(other.parse::<RefreshToken>(), Err(NotARefreshToken), "{other}");
        }
        assert!(!format!("{token:?} {session:?}").contains("0000000000000003"));
    }

    #[test]
    fn a_token_that_was_just_rotated_has_the_same_successor_for_half_a_minute() {
        let (first, secret) = session(1);
        let salt = Salt::new([8, 9]);
        let (second, next) = first.rotated(secret, salt, at(100));
        assert_eq!((second.version, second.used_at, second.opened_at), (2, at(100), at(0)));
        assert_eq!(
            (*salt.as_bytes(), *second.current.as_bytes()),
            ([0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 9], *next.hash().as_bytes())
        );
        assert_eq!(second.presented(next, 1, at(100)), Presented::Current);
        let Presented::Again(kept) = second.presented(secret, 1, at(129)) else { panic!("within the grace") };
        assert_eq!(secret.next(kept), next);
        assert_eq!(second.presented(secret, 1, at(130)), Presented::Reused);
        assert_ne!(secret.next(Salt::new([8, 10])), next);
        assert_ne!(second.current.as_bytes(), first.current.as_bytes());
        let (third, _) = second.rotated(next, Salt::new([1, 1]), at(101));
        assert_eq!(third.version, 3);
        assert_eq!(third.presented(secret, 1, at(101)), Presented::Reused, "its successor was used");
    }

    #[test]
    fn a_session_ends_when_nobody_comes_and_at_last_in_any_case() {
        const DAY: i64 = 86_400;
        let (mut session, mut secret) = session(1);
        assert_eq!(session.presented(secret, 1, at(30 * DAY - 1)), Presented::Current);
        assert_eq!(session.presented(secret, 1, at(30 * DAY)), Presented::Ended);
        assert_eq!(session.presented(secret, 2, at(0)), Presented::Ended, "another password");
        for day in [25, 50, 75] {
            (session, secret) = session.rotated(secret, Salt::new([1, 2]), at(day * DAY));
        }
        assert_eq!(session.presented(secret, 1, at(90 * DAY - 1)), Presented::Current);
        assert_eq!(session.presented(secret, 1, at(90 * DAY)), Presented::Ended);
    }

    #[test]
    fn the_tenth_device_makes_the_one_used_longest_ago_go() {
        let sessions: Vec<Session> = (0..12)
            .map(|number| {
                let (session, _) = session(number);
                Session { used_at: at(i64::try_from(number * 7 % 12).unwrap()), ..session }
            })
            .collect();
        let gone = Session::making_room(sessions.clone());
        assert_eq!(gone.iter().map(|session| session.used_at).collect::<Vec<_>>(), [at(2), at(1), at(0)]);
        assert_eq!(Session::making_room(sessions[..9].to_vec()), []);
    }

    proptest! {
        /// Invariant: at any time two tokens at most are good, the latest and the one just before it, and every other of the
        /// family gives the theft away.
        #[test]
        fn only_the_latest_two_are_ever_good(steps in prop::collection::vec((0_i64..60, 0_usize..4, any::<u64>()), 1..40)) {
            let (mut session, secret) = session(1);
            let (mut issued, mut now) = (vec![secret], 0);
            for (pause, back, random) in steps {
                now += pause;
                let place = issued.len().saturating_sub(1 + back);
                let presented = issued[place];
                match session.presented(presented, 1, at(now)) {
                    Presented::Current => {
                        prop_assert_eq!(place, issued.len() - 1);
                        let (next, secret) = session.rotated(presented, Salt::new([random, 1]), at(now));
                        session = next;
                        issued.push(secret);
                    }
                    Presented::Again(salt) => {
                        prop_assert_eq!(place + 2, issued.len());
                        prop_assert_eq!(presented.next(salt), issued[place + 1]);
                    }
                    Presented::Reused => prop_assert!(place + 1 < issued.len()),
                    Presented::Ended => prop_assert!(false, "within the hour"),
                }
            }
        }
    }
}
