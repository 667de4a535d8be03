use super::packed::{self, Packed};
use crate::Timestamp;
use crate::customer::{Instrument, PaymentMethod};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What a customer tried in the last day, folded forward by each attempt: the instants of the latest attempts, and when each
/// of the latest cards was last seen. Bounded, and each count is exact up to its bound, at which it stops: dropping
/// the oldest never hides one that is newer. At most 256 bytes, so that it lies on another item without costing a unit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Velocity {
    /// Oldest first.
    #[serde(rename = "a", default, with = "packed")]
    attempts: Vec<Second>,
    /// The one that was not seen for longest first; each card once.
    #[serde(rename = "c", default, with = "packed")]
    cards: Vec<Seen>,
}

/// Seconds since the epoch: four bytes reach until 2106.
type Second = u32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    at: Second,
    card: CardMark,
}

/// What tells a customer's cards apart: a piece of a digest of the card's token. A card that is registered again under another
/// token counts as another card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
        let Instrument::CreditCard(card) = &method.instrument else { return None };
        let digest =
            Sha256::new().chain_update(card.gateway.as_str()).chain_update([0]).chain_update(&card.token.0);
        digest.finalize().first_chunk().copied().map(u32::from_be_bytes).map(Self)
    }
}

impl Velocity {
    pub const MOST_ATTEMPTS: usize = 32;
    pub const MOST_CARDS: usize = 16;

    /// With one more attempt, and without what is older than a day. Attempts may come late and out of order.
    #[must_use]
    pub fn with(&self, card: Option<CardMark>, now: Timestamp) -> Self {
        let at = second(now);
        let mut attempts: Vec<Second> =
            self.attempts.iter().copied().filter(|then| is_within(DAY, *then, at)).collect();
        attempts.push(at);
        attempts.sort_unstable();
        let mut cards: Vec<Seen> =
            self.cards.iter().copied().filter(|seen| is_within(DAY, seen.at, at)).collect();
        if let Some(card) = card {
            let before = cards.iter().find(|seen| seen.card == card).map_or(at, |seen| seen.at);
            cards.retain(|seen| seen.card != card);
            cards.push(Seen { at: at.max(before), card });
        }
        cards.sort_by_key(|seen| seen.at);
        Self { attempts: latest(attempts, Self::MOST_ATTEMPTS), cards: latest(cards, Self::MOST_CARDS) }
    }

    pub fn counts(&self, now: Timestamp) -> Counts {
        let at = second(now);
        let attempts = |span| count(self.attempts.iter().filter(|then| is_within(span, **then, at)));
        let cards = |span| count(self.cards.iter().filter(|seen| is_within(span, seen.at, at)));
        Counts {
            attempts_hour: attempts(HOUR),
            attempts_day: attempts(DAY),
            cards_hour: cards(HOUR),
            cards_day: cards(DAY),
        }
    }
}

/// What another machine's clock puts a moment ahead of now is within any span.
const fn is_within(span: Second, then: Second, now: Second) -> bool {
    now.saturating_sub(then) < span
}

fn second(at: Timestamp) -> Second {
    Second::try_from(at.as_second().max(0)).unwrap_or(Second::MAX)
}

fn latest<T>(mut oldest_first: Vec<T>, most: usize) -> Vec<T> {
    let dropped = oldest_first.len().saturating_sub(most);
    oldest_first.split_off(dropped)
}

fn count<T>(found: impl Iterator<Item = T>) -> u32 {
    u32::try_from(found.count()).unwrap_or(u32::MAX)
}

impl Packed for Second {
    const MOST: usize = Velocity::MOST_ATTEMPTS;
    const WIDTH: usize = 4;

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.to_be_bytes());
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        bytes.first_chunk().copied().map(Self::from_be_bytes)
    }
}

impl Packed for Seen {
    const MOST: usize = Velocity::MOST_CARDS;
    const WIDTH: usize = 8;

    fn write(&self, bytes: &mut Vec<u8>) {
        self.at.write(bytes);
        self.card.0.write(bytes);
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (at, card) = bytes.split_first_chunk()?;
        let card = card.first_chunk().copied().map(u32::from_be_bytes).map(CardMark)?;
        Some(Self { at: Second::from_be_bytes(*at), card })
    }
}
