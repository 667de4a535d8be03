//! What a bill takes, and until when.

use super::line::{BillLine, LineContent, LineKey};
use super::state::BillStatus;
use super::totals::ShardRefusal;
use super::{Bill, BillFault};
use crate::Timestamp;
use crate::id::LineItemId;
use crate::money::{Currency, Money};
use thiserror::Error;

/// What came of an append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Append {
    /// To be written if its key isn't taken, together with its shard's new sum.
    New { line: Box<BillLine>, shard: u8 },
    /// The bill has it already.
    Known(Box<BillLine>),
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AppendRefusal {
    #[error("a bill that is {} takes no line items", .0.as_str())]
    NotOpen(BillStatus),
    #[error("the bill's period is over")]
    PeriodOver(Timestamp),
    #[error("the reference is that of another line item of this bill")]
    ReferenceTaken,
    #[error("{} {}", .0.field, .0.reason)]
    Fault(BillFault),
    #[error("the bill's total would be too large in {0}")]
    Full(Currency),
}

impl From<ShardRefusal> for AppendRefusal {
    fn from(refusal: ShardRefusal) -> Self {
        match refusal {
            ShardRefusal::Closed => Self::NotOpen(BillStatus::Closing),
            ShardRefusal::Full(currency) => Self::Full(currency),
        }
    }
}

impl Bill {
    /// Takes a line item. `known` is the one that has the same key, if somebody has looked: what the bill has, it has,
    /// whatever has become of it since, so that a sender who missed the answer learns it.
    ///
    /// The bill may be as old as it likes. Its terms never change, and where it isn't open any more, the shard says so.
    pub fn append(
        &self,
        content: LineContent,
        id: LineItemId,
        known: Option<&BillLine>,
        now: Timestamp,
    ) -> Result<Append, AppendRefusal> {
        if let Some(line) = known {
            return Self::again(line, &content);
        }
        let appended_at = super::line::whole_milliseconds(now);
        self.takes(content.total(), appended_at)?;
        let occurred_at = content.said_occurred_at().unwrap_or_else(|| self.in_period(appended_at));
        if !self.terms.period().contains(occurred_at) {
            let reason = "must be within the bill's period";
            return Err(AppendRefusal::Fault(BillFault::new("occurred_at", reason)));
        }
        let shard = self.shards.of(&LineKey::of(&content, id));
        let line = BillLine { id, bill: self.id, content, occurred_at, appended_at, carried_from: None };
        Ok(Append::New { line: Box::new(line), shard })
    }

    /// What an append is whose key turned out to be taken.
    pub fn again(known: &BillLine, content: &LineContent) -> Result<Append, AppendRefusal> {
        if known.is_what(content) {
            Ok(Append::Known(Box::new(known.clone())))
        } else {
            Err(AppendRefusal::ReferenceTaken)
        }
    }

    /// Whether anything of this amount may be appended now.
    pub(super) fn takes(&self, amount: Money, now: Timestamp) -> Result<(), AppendRefusal> {
        let end = self.terms.period().end();
        if self.status() != BillStatus::Open {
            Err(AppendRefusal::NotOpen(self.status()))
        } else if now >= end {
            Err(AppendRefusal::PeriodOver(end))
        } else if amount.minor().abs() > self.shards.limit() {
            Err(AppendRefusal::Full(amount.currency()))
        } else {
            Ok(())
        }
    }

    /// What comes before the period begins belongs to its beginning, so that there is a place for it when the bill before
    /// was closed early.
    pub(super) fn in_period(&self, now: Timestamp) -> Timestamp {
        now.max(self.terms.period().start())
    }
}
