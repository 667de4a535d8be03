//! Bills: fees gathered through a period, in whatever currencies they arise, and settled into invoices when it is over.
//!
//! `terms` has what a bill is for, `line` what it gathers, `totals` what that comes to, `state` what each status knows,
//! `append` and `close` what may happen until the total is known, `settle` how it becomes invoices, `conversion` how many
//! currencies become one, and `follow_up` when a bill is looked at again.

mod append;
mod close;
mod conversion;
mod follow_up;
mod line;
mod plan;
mod settle;
mod state;
mod terms;
mod totals;

pub use append::{Append, AppendRefusal};
pub use close::{CancelRefusal, CloseCause, CloseRefusal, Closure, FinishError};
pub use conversion::Mismatch;
pub use line::{BillLine, LineContent, LineDraft, LineKey, LineKind, Price, Reference};
pub use plan::{InvoicePlan, PlanError, SettlementStep};
pub use settle::{Carried, SettleError};
pub use state::{BillState, BillStatus, Closed, Closing, Outcome, Retry, Settlement};
pub use terms::{BillTerms, EmptyPeriod, Period, Recurrence, Recurs, TermsDraft};
pub use totals::{NotShards, Shard, ShardRefusal, Shards, SumError, Sums, Totals};

use crate::Timestamp;
use crate::actor::Actor;
use crate::id::{BillId, CustomerId};
use crate::stored_instant;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A bill without its line items, which lie beside it: it doesn't grow with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    pub id: BillId,
    /// Counts every change; whoever writes says which one it has seen. An append changes nothing here.
    pub version: u64,
    pub terms: BillTerms,
    pub shards: Shards,
    /// The bill of the period before, which opened this one.
    pub opened_by: Option<BillId>,
    pub state: BillState,
    pub history: Vec<BillStep>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// One step that a bill took, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillStep {
    #[serde(rename = "s")]
    pub status: BillStatus,
    #[serde(rename = "t", with = "stored_instant")]
    pub at: Timestamp,
    #[serde(rename = "c")]
    pub cause: BillCause,
    /// Who asked for it. None: nobody did, the cause says it all.
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Actor>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BillCause {
    Created,
    /// The bill of the period before was closed.
    Recurred,
    CloseRequested,
    PeriodEnded,
    /// Every line item is counted.
    Counted,
    Canceled,
    RatesFrozen,
    /// Somebody would rather have an invoice for each currency than wait for rates.
    RatesForgone,
    Settled,
}

impl BillCause {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Recurred => "recurred",
            Self::CloseRequested => "close_requested",
            Self::PeriodEnded => "period_ended",
            Self::Counted => "counted",
            Self::Canceled => "canceled",
            Self::RatesFrozen => "rates_frozen",
            Self::RatesForgone => "rates_forgone",
            Self::Settled => "settled",
        }
    }
}

/// One thing that is wrong with what a client said, by its member; none is the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillFault {
    pub field: &'static str,
    pub reason: String,
}

impl BillFault {
    fn new(field: &'static str, reason: impl Into<String>) -> Self {
        Self { field, reason: reason.into() }
    }
}

/// What came of asking for a change: a repeat is an answer, not a mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<T> {
    Applied(T),
    AlreadyApplied,
}

impl Bill {
    pub fn open(id: BillId, terms: BillTerms, shards: Shards, now: Timestamp) -> Self {
        Self::opened(id, terms, shards, None, now)
    }

    fn opened(
        id: BillId,
        terms: BillTerms,
        shards: Shards,
        opened_by: Option<BillId>,
        now: Timestamp,
    ) -> Self {
        let cause = if opened_by.is_some() { BillCause::Recurred } else { BillCause::Created };
        Self {
            id,
            version: 1,
            terms,
            shards,
            opened_by,
            state: BillState::Open,
            history: vec![BillStep { status: BillStatus::Open, at: now, cause, by: None }],
            created_at: now,
            updated_at: now,
        }
    }

    pub fn customer(&self) -> CustomerId {
        self.id.owner()
    }

    pub const fn status(&self) -> BillStatus {
        self.state.status()
    }

    /// Says who asked for the steps that it has taken since it had `known` of them.
    #[must_use]
    pub fn by(mut self, actor: &Actor, known: usize) -> Self {
        for step in self.history.iter_mut().skip(known) {
            step.by = Some(actor.clone());
        }
        self
    }

    /// Since when it has been in its status.
    pub fn since(&self) -> Timestamp {
        let status = self.status();
        let of_now = self.history.iter().rev().take_while(|step| step.status == status);
        of_now.last().map_or(self.created_at, |step| step.at)
    }

    /// The next version in the same status, nothing of which is a step.
    fn touched(&self, state: BillState, now: Timestamp) -> Self {
        Self { version: self.version + 1, state, updated_at: now, ..self.clone() }
    }

    /// A further step within the same change: the version counts changes, not steps.
    fn step(mut self, cause: BillCause, by: Option<&Actor>, now: Timestamp) -> Self {
        self.history.push(BillStep { status: self.status(), at: now, cause, by: by.cloned() });
        self
    }
}

/// The first half of SHA-256 over parts none of which can be taken for another.
fn digest(parts: &[&str]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let all: [u8; 32] = hash.finalize().into();
    std::array::from_fn(|index| all.get(index).copied().unwrap_or_default())
}

/// A number that follows from these parts and nothing else, in place of a random one.
fn entropy_of(parts: &[&str]) -> u64 {
    digest(parts).first_chunk().copied().map(u64::from_be_bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests;
