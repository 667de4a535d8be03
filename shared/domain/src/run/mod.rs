//! Runs: work that goes over many invoices, in parts that are taken up again wherever they were left.

use crate::Timestamp;
use crate::actor::Actor;
use crate::calendar::BillingPeriod;
use crate::charge::FailureClass;
use crate::customer::Customer;
use crate::gateway::GatewayName;
use crate::id::{CustomerId, RunId};
use crate::invoice::{Invoice, State, Status};
use crate::stored_instant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub id: RunId,
    pub kind: RunKind,
    pub by: Actor,
    pub created_at: Timestamp,
    /// How many parts it has, which may be worked at side by side.
    pub parts: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    Billing(Billing),
    Requeue(Requeue),
    Reconciliation(Reconciliation),
}

/// Charges the drafts of a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Billing {
    #[serde(rename = "p")]
    pub period: BillingPeriod,
    #[serde(rename = "s")]
    pub scope: Scope,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    Everybody,
    /// Those who have a billing day: what the schedule bills without being asked.
    Anchored,
    Customer(CustomerId),
}

/// Charges again what failed, as far as it is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requeue {
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub failure_class: Option<FailureClass>,
    #[serde(rename = "g", default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<GatewayName>,
    #[serde(
        rename = "f",
        default,
        with = "stored_instant::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub failed_from: Option<Timestamp>,
    #[serde(
        rename = "t",
        default,
        with = "stored_instant::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub failed_to: Option<Timestamp>,
}

/// Compares our books with a gateway's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconciliation {
    #[serde(rename = "g")]
    pub gateway: GatewayName,
    #[serde(rename = "f", with = "stored_instant")]
    pub from: Timestamp,
    /// Exclusive.
    #[serde(rename = "t", with = "stored_instant")]
    pub to: Timestamp,
}

/// How far one part of a run has come. Each step is written with the place that it led to, so that a step is counted
/// once, whatever dies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub run: RunId,
    pub number: u8,
    pub version: u64,
    /// Where the next step begins; None at the beginning.
    pub place: Option<String>,
    pub counts: BTreeMap<String, u64>,
    /// When the sweep takes it up if nobody is at it. None: it is done.
    pub due: Option<Timestamp>,
    pub updated_at: Timestamp,
}

/// What became of an invoice that a run had charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    Pending,
    Unknown,
    Paid,
    Canceled,
    Failed(FailureClass),
}

impl Outcome {
    pub fn name(self) -> String {
        match self {
            Self::Pending => "pending".to_owned(),
            Self::Unknown => "unknown".to_owned(),
            Self::Paid => "paid".to_owned(),
            Self::Canceled => "canceled".to_owned(),
            Self::Failed(class) => format!("{}{}", Self::FAILED, class.as_str()),
        }
    }

    pub const FAILED: &str = "failed_";
}

/// What a billing run does with a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    Now,
    /// The customer's billing day in this period is yet to come.
    At(Timestamp),
    /// Made after the run began, or for another month.
    NotYet,
    /// The run isn't for this customer.
    NotMeant,
}

impl Billing {
    /// One run for a period and scope, however often it is asked for.
    pub fn id(&self) -> Option<RunId> {
        let period = self.period.to_string().replace('-', "");
        let name = match self.scope {
            Scope::Everybody => period,
            Scope::Anchored => format!("{period}_anchored"),
            Scope::Customer(customer) => format!("{period}_{}", customer.code()),
        };
        RunId::named(&name).ok()
    }

    /// A draft is due if it was there before the run, and before the month's end where the run is late.
    pub fn due(&self, invoice: &Invoice, customer: &Customer, run_began: Timestamp, now: Timestamp) -> Due {
        let is_before =
            invoice.created_at <= run_began && invoice.created_at < self.period.next().begins_at();
        if !is_before || invoice.status() != Status::Draft {
            return Due::NotYet;
        }
        match (customer.profile.billed_at(self.period), self.scope) {
            (None, Scope::Anchored) => Due::NotMeant,
            (Some(at), _) if at > now => Due::At(at),
            _ => Due::Now,
        }
    }
}

impl Requeue {
    /// Whether an invoice is meant. What has failed since the run began was charged again by it already; what was declined
    /// for its risk has to be named.
    pub fn means(&self, invoice: &Invoice, run_began: Timestamp) -> bool {
        let (State::ChargedWithError(failed) | State::Uncollectible(failed)) = &invoice.state else {
            return false;
        };
        let failed_at = invoice.since();
        failed_at <= run_began
            && match self.failure_class {
                Some(class) => failed.failure.class == class,
                None => failed.failure.class != FailureClass::RiskDeclined,
            }
            && self.gateway.as_ref().is_none_or(|gateway| failed.source.gateway == *gateway)
            && self.failed_from.is_none_or(|from| failed_at >= from)
            && self.failed_to.is_none_or(|to| failed_at < to)
    }
}

impl Run {
    /// Its parts, before anybody has begun.
    pub fn begun(&self, due: Timestamp) -> Vec<Part> {
        (0..self.parts)
            .map(|number| Part {
                run: self.id.clone(),
                number,
                version: 1,
                place: None,
                counts: BTreeMap::new(),
                due: Some(due),
                updated_at: self.created_at,
            })
            .collect()
    }
}

impl Part {
    pub const fn is_done(&self) -> bool {
        self.due.is_none()
    }

    /// After one step. No place: there is nothing after it.
    #[must_use]
    pub fn stepped(
        &self,
        place: Option<String>,
        counted: &BTreeMap<String, u64>,
        due: Timestamp,
        now: Timestamp,
    ) -> Self {
        let mut counts = self.counts.clone();
        for (name, number) in counted {
            *counts.entry(name.clone()).or_default() += number;
        }
        let due = place.is_some().then_some(due);
        Self { version: self.version + 1, place, counts, due, updated_at: now, ..self.clone() }
    }

    /// What the sweep writes before it sends its message again. None: it isn't due.
    pub fn woken(&self, next: Timestamp, now: Timestamp) -> Option<Self> {
        self.due.filter(|due| *due <= now)?;
        Some(Self { version: self.version + 1, due: Some(next), updated_at: now, ..self.clone() })
    }
}

#[cfg(test)]
mod tests;
