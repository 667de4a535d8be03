use super::totals::Sums;
use crate::actor::Actor;
use crate::exchange::Conversion;
use crate::id::{BillId, InvoiceId};
use crate::money::Currency;
use crate::stored_instant;
use crate::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a bill is, each case with exactly the data that the case has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BillState {
    Open,
    /// Its shards are being closed, one after the other.
    Closing(Closing),
    Closed(Box<Closed>),
    /// Closed while there was nothing in it. It is settled with nothing, and no bill follows.
    Canceled,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    #[serde(rename = "t", with = "stored_instant")]
    pub since: Timestamp,
    /// Who asked for it. None: its period was over.
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Actor>,
    /// No bill follows, whatever its terms say.
    #[serde(rename = "l", default, skip_serializing_if = "std::ops::Not::not")]
    pub is_last: bool,
    #[serde(rename = "r")]
    pub retry: Retry,
}

/// What was billed, which never changes again, and how far it has become invoices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    #[serde(rename = "t", with = "stored_instant")]
    pub at: Timestamp,
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Actor>,
    #[serde(rename = "u")]
    pub sums: Sums,
    #[serde(rename = "s")]
    pub settlement: Settlement,
    /// The bill of the period that follows.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub next: Option<BillId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settlement {
    /// Everything is asked for in one currency, and what the others are worth isn't known yet.
    AwaitingRates {
        #[serde(rename = "t", with = "stored_instant")]
        since: Timestamp,
        #[serde(rename = "r")]
        retry: Retry,
    },
    /// What is owed becomes invoices, one after the other.
    Settling {
        /// Since when it is known what is owed.
        #[serde(rename = "t", with = "stored_instant")]
        since: Timestamp,
        #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
        conversion: Option<Conversion>,
        #[serde(rename = "o")]
        outcomes: BTreeMap<Currency, Outcome>,
        /// What is left is a balance, for which the customer has no open bill.
        #[serde(rename = "w", default, skip_serializing_if = "std::ops::Not::not")]
        awaits_bill: bool,
        #[serde(rename = "r")]
        retry: Retry,
    },
    Settled {
        #[serde(rename = "t", with = "stored_instant")]
        at: Timestamp,
        #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
        conversion: Option<Conversion>,
        #[serde(rename = "o")]
        outcomes: BTreeMap<Currency, Outcome>,
    },
}

/// What became of what was owed in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Invoiced(InvoiceId),
    /// It was zero.
    Nothing,
    /// It was negative, and is a credit of that bill's now.
    Carried(BillId),
}

/// When the sweep looks again at what should have been done by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    #[serde(rename = "due", with = "stored_instant")]
    pub due: Timestamp,
    #[serde(rename = "n")]
    pub tries: u8,
}

impl Retry {
    const FIRST: SignedDuration = SignedDuration::from_mins(1);
    const LONGEST: SignedDuration = SignedDuration::from_hours(1);
    /// What it waits for makes itself known: this is for the case that nobody heard it.
    const RARE: SignedDuration = SignedDuration::from_hours(24);

    /// Somebody is at it just now, and if not, the sweep takes it up.
    pub(super) fn first(now: Timestamp) -> Self {
        Self { due: now, tries: 0 }.again(now)
    }

    /// Each wait is twice as long as the one before, up to an hour.
    pub(super) fn again(self, now: Timestamp) -> Self {
        let doublings = 1_i32.checked_shl(u32::from(self.tries)).unwrap_or(i32::MAX);
        let wait = Self::FIRST.checked_mul(doublings).unwrap_or(Self::LONGEST).min(Self::LONGEST);
        // A shift by 31 turns the sign.
        let wait = if wait.is_positive() { wait } else { Self::LONGEST };
        Self { due: now.checked_add(wait).unwrap_or(now), tries: self.tries.saturating_add(1) }
    }

    pub(super) fn rare(now: Timestamp) -> Self {
        Self { due: now.checked_add(Self::RARE).unwrap_or(now), tries: 0 }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BillStatus {
    Open,
    Closing,
    Closed,
    Canceled,
}

impl BillStatus {
    pub const ALL: [Self; 4] = [Self::Open, Self::Closing, Self::Closed, Self::Canceled];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closing => "closing",
            Self::Closed => "closed",
            Self::Canceled => "canceled",
        }
    }

    /// The table of legal steps. A closed bill takes further steps as one: it is settled.
    pub const fn may_become(self) -> &'static [Self] {
        match self {
            Self::Open => &[Self::Closing, Self::Canceled],
            Self::Closing | Self::Closed => &[Self::Closed],
            Self::Canceled => &[],
        }
    }
}

impl BillState {
    pub const fn status(&self) -> BillStatus {
        match self {
            Self::Open => BillStatus::Open,
            Self::Closing(_) => BillStatus::Closing,
            Self::Closed(_) => BillStatus::Closed,
            Self::Canceled => BillStatus::Canceled,
        }
    }

    pub const fn closed(&self) -> Option<&Closed> {
        match self {
            Self::Closed(closed) => Some(closed),
            _ => None,
        }
    }
}

impl Settlement {
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::AwaitingRates { .. } => "awaiting_rates",
            Self::Settling { .. } => "settling",
            Self::Settled { .. } => "settled",
        }
    }

    /// Frozen: it is the conversion that the bill was settled by.
    pub const fn conversion(&self) -> Option<&Conversion> {
        match self {
            Self::AwaitingRates { .. } => None,
            Self::Settling { conversion, .. } | Self::Settled { conversion, .. } => conversion.as_ref(),
        }
    }

    pub const fn outcomes(&self) -> Option<&BTreeMap<Currency, Outcome>> {
        match self {
            Self::AwaitingRates { .. } => None,
            Self::Settling { outcomes, .. } | Self::Settled { outcomes, .. } => Some(outcomes),
        }
    }

    pub const fn awaiting_rates_since(&self) -> Option<Timestamp> {
        match self {
            Self::AwaitingRates { since, .. } => Some(*since),
            Self::Settling { .. } | Self::Settled { .. } => None,
        }
    }
}
