use crate::Timestamp;
use crate::customer::PaymentMethod;
use crate::customer::{Card, Instrument};
use crate::id::AttemptId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// What a customer tried lately, of each hour of the clock as much as one item holds. Each count is exact up to its bound, at
/// which it stops.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Velocity {
    tries: BTreeSet<Try>,
    /// Hours of which no more could be kept.
    full: BTreeSet<Hour>,
}

/// One attempt as velocity remembers it. To remember the same twice is to remember it once: an attempt is known by its mark,
/// so that nothing that happens again counts again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Try {
    at: Second,
    attempt: u32,
    card: Option<CardMark>,
}

/// An hour of the clock, counted from the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(pub u32);

/// Seconds since the epoch: four bytes reach until 2106.
type Second = u32;

/// What tells a customer's cards apart: a piece of a digest of the card's token. A card that is registered again under another
/// token counts as another card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CardMark(u32);

/// How often, lately. [`Velocity::MOST_ATTEMPTS`] and [`Velocity::MOST_CARDS`] mean that many or more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub attempts_hour: u32,
    pub attempts_day: u32,
    pub cards_hour: u32,
    pub cards_day: u32,
}

const HOUR: Second = 60 * 60;
const DAY: Second = 24 * HOUR;

impl CardMark {
    /// None: it isn't a card.
    pub fn of(method: &PaymentMethod) -> Option<Self> {
        match &method.instrument {
            Instrument::CreditCard(card) => Some(Self::of_card(card)),
            Instrument::Pix(_) => None,
        }
    }

    pub(crate) fn of_card(card: &Card) -> Self {
        let digest =
            Sha256::new().chain_update(card.gateway.as_str()).chain_update([0]).chain_update(&card.token.0);
        Self(beginning(digest))
    }
}

impl Try {
    pub fn new(attempt: AttemptId, card: Option<CardMark>, now: Timestamp) -> Self {
        let digest = Sha256::new().chain_update(attempt.to_string());
        Self { at: second(now), attempt: beginning(digest), card }
    }

    pub const fn hour(&self) -> Hour {
        Hour(self.at / HOUR)
    }

    /// Eight bytes, or twelve with a card.
    pub fn to_bytes(self) -> Vec<u8> {
        let numbers = [self.at, self.attempt].into_iter().chain(self.card.map(|card| card.0));
        numbers.flat_map(u32::to_be_bytes).collect()
    }

    /// None: these are no such bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (at, rest) = number(bytes)?;
        let (attempt, rest) = number(rest)?;
        let card = match number(rest) {
            Some((card, [])) => Some(CardMark(card)),
            None if rest.is_empty() => None,
            _ => return None,
        };
        Some(Self { at, attempt, card })
    }
}

impl Hour {
    pub fn of(now: Timestamp) -> Self {
        Self(second(now) / HOUR)
    }

    /// The hours of which anything may lie within the last day: this one and those before it.
    pub fn of_last_day(now: Timestamp) -> (Self, Self) {
        let Self(last) = Self::of(now);
        (Self(last.saturating_sub(DAY / HOUR)), Self(last))
    }
}

impl Velocity {
    pub const MOST_ATTEMPTS: usize = 32;
    pub const MOST_CARDS: usize = 16;
    /// Tries that are kept of one hour. With their cards they stay below a kilobyte, which is what one write unit pays for.
    pub const MOST_IN_AN_HOUR: usize = 64;

    /// With what was kept of an hour.
    #[must_use]
    pub fn with_hour(mut self, hour: Hour, tries: impl IntoIterator<Item = Try>) -> Self {
        let before = self.tries.len();
        self.tries.extend(tries);
        if self.tries.len() - before >= Self::MOST_IN_AN_HOUR {
            self.full.insert(hour);
        }
        self
    }

    /// With one more attempt, as if it were tried.
    #[must_use]
    pub fn with(mut self, one: Try) -> Self {
        self.tries.insert(one);
        self
    }

    pub fn counts(&self, now: Timestamp) -> Counts {
        let (attempts_hour, cards_hour) = self.within(HOUR, second(now));
        let (attempts_day, cards_day) = self.within(DAY, second(now));
        Counts { attempts_hour, attempts_day, cards_hour, cards_day }
    }

    /// Attempts and cards. What more was tried in an hour that was full nobody knows: any number may be hidden there, and the
    /// counts that include it say so by standing at their bounds.
    fn within(&self, span: Second, now: Second) -> (u32, u32) {
        let hides = |Hour(hour): &Hour| is_within(span, hour.saturating_add(1).saturating_mul(HOUR), now);
        if self.full.iter().any(hides) {
            return (bounded(usize::MAX, Self::MOST_ATTEMPTS), bounded(usize::MAX, Self::MOST_CARDS));
        }
        // Oldest first: an attempt that was remembered again counts from when it was first.
        let mut attempts: BTreeMap<u32, &Try> = BTreeMap::new();
        for one in &self.tries {
            attempts.entry(one.attempt).or_insert(one);
        }
        attempts.retain(|_, one| is_within(span, one.at, now));
        let cards: BTreeSet<CardMark> = attempts.values().filter_map(|one| one.card).collect();
        (bounded(attempts.len(), Self::MOST_ATTEMPTS), bounded(cards.len(), Self::MOST_CARDS))
    }
}

/// What another machine's clock puts a moment ahead of now is within any span.
const fn is_within(span: Second, then: Second, now: Second) -> bool {
    now.saturating_sub(then) < span
}

fn second(at: Timestamp) -> Second {
    Second::try_from(at.as_second().max(0)).unwrap_or(Second::MAX)
}

fn bounded(count: usize, most: usize) -> u32 {
    u32::try_from(count.min(most)).unwrap_or(u32::MAX)
}

fn beginning(digest: Sha256) -> u32 {
    digest.finalize().first_chunk().copied().map_or(0, u32::from_be_bytes)
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u32::from_be_bytes(*number), rest))
}
