use super::common::{Instant, MoneyBody};
use super::fields::Fields;
use super::values::{id, instant, one_of, text};
use crate::problem::Problem;
use crate::wire::transaction::refuse_empty_period;
use fatura_application::ports::Progress;
use fatura_application::{BeginBilling, BeginReconciliation, Difference};
use fatura_domain::calendar::BillingPeriod;
use fatura_domain::charge::FailureClass;
use fatura_domain::gateway::{GatewayName, MovementKind};
use fatura_domain::id::CustomerId;
use fatura_domain::run::{Outcome, Part, Requeue, RunKind, Scope};
use serde::Serialize;
use std::collections::BTreeMap;

pub(crate) fn read_billing(mut fields: Fields) -> Result<BeginBilling, Problem> {
    let period = fields.optional("period", text(str::parse::<BillingPeriod>));
    let customer = fields.optional("customer_id", id::<CustomerId>);
    fields.finish(|| Some(BeginBilling { period, customer }))
}

pub(crate) fn read_requeue(mut fields: Fields) -> Result<Requeue, Problem> {
    let classes = FailureClass::ALL.into_iter().map(|class| (class.as_str(), class));
    let failure_class = fields.optional("failure_class", one_of(classes));
    let gateway = fields.optional("gateway", text(GatewayName::parse));
    let failed_from = fields.optional("failed_from", instant);
    let failed_to = fields.optional("failed_to", instant);
    refuse_empty_period(&mut fields, ("failed_from", failed_from), ("failed_to", failed_to));
    fields.finish(|| Some(Requeue { failure_class, gateway, failed_from, failed_to }))
}

pub(crate) fn read_reconciliation(mut fields: Fields) -> Result<BeginReconciliation, Problem> {
    let gateway = fields.required("gateway", text(GatewayName::parse));
    let from = fields.required("from", instant);
    let to = fields.required("to", instant);
    refuse_empty_period(&mut fields, ("from", from), ("to", to));
    fields.finish(|| Some(BeginReconciliation { gateway: gateway?, from: from?, to: to? }))
}

/// What all runs say of themselves.
#[derive(Debug, Serialize)]
struct RunHead<'a> {
    id: &'a str,
    status: &'static str,
    requested_by: &'a str,
    created_at: Instant,
}

/// Runs that charge: how far they have come, and what became of the invoices until now.
#[derive(Debug, Serialize)]
pub(crate) struct ChargingRunBody<'a> {
    #[serde(flatten)]
    head: RunHead<'a>,
    #[serde(flatten)]
    task: TaskBody<'a>,
    counts: CountsBody,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum TaskBody<'a> {
    Billing {
        period: String,
        customer_id: Option<String>,
    },
    Requeue {
        failure_class: Option<&'static str>,
        gateway: Option<&'a str>,
        failed_from: Option<Instant>,
        failed_to: Option<Instant>,
    },
    None {},
}

#[derive(Debug, Serialize)]
struct CountsBody {
    /// Found and meant.
    due: u64,
    enqueued: u64,
    /// To be charged on the customer's billing day.
    scheduled: u64,
    skipped: BTreeMap<String, u64>,
    pending: u64,
    paid: u64,
    failed: BTreeMap<String, u64>,
    unknown: u64,
    canceled: u64,
}

#[derive(Debug, Serialize)]
pub(crate) struct ReconciliationBody<'a> {
    #[serde(flatten)]
    head: RunHead<'a>,
    gateway: Option<&'a str>,
    from: Option<Instant>,
    to: Option<Instant>,
    compared: u64,
    differences: BTreeMap<&'static str, u64>,
}

impl<'a> RunHead<'a> {
    fn of(progress: &'a Progress, is_settled: bool) -> Self {
        let is_walked = progress.parts.iter().all(Part::is_done);
        let status = match (is_walked, is_settled) {
            (false, _) => "running",
            (true, false) => "collecting",
            (true, true) => "completed",
        };
        Self {
            id: progress.run.id.as_str(),
            status,
            requested_by: progress.run.by.as_str(),
            created_at: Instant(progress.run.created_at),
        }
    }
}

impl<'a> From<&'a Progress> for ChargingRunBody<'a> {
    fn from(progress: &'a Progress) -> Self {
        let counts = CountsBody::from(progress);
        let task = match &progress.run.kind {
            RunKind::Billing(billing) => TaskBody::Billing {
                period: billing.period.to_string(),
                customer_id: match billing.scope {
                    Scope::Customer(customer) => Some(customer.to_string()),
                    Scope::Everybody | Scope::Anchored => None,
                },
            },
            RunKind::Requeue(requeue) => TaskBody::Requeue {
                failure_class: requeue.failure_class.map(FailureClass::as_str),
                gateway: requeue.gateway.as_ref().map(GatewayName::as_str),
                failed_from: requeue.failed_from.map(Instant),
                failed_to: requeue.failed_to.map(Instant),
            },
            RunKind::Reconciliation(_) => TaskBody::None {},
        };
        Self { head: RunHead::of(progress, counts.pending + counts.unknown == 0), task, counts }
    }
}

impl From<&Progress> for CountsBody {
    fn from(progress: &Progress) -> Self {
        let walked = walked(&progress.parts);
        let of = |counts: &BTreeMap<String, u64>, name: &str| counts.get(name).copied().unwrap_or_default();
        let outcome = |outcome: Outcome| of(&progress.outcomes, &outcome.name());
        // Outcomes are written with their invoices, steps after them: a step that died in between counts nothing, and what
        // it had charged is not found again.
        let charged: u64 = progress.outcomes.values().sum();
        let scheduled = of(&walked, "scheduled").min(charged);
        let skipped = named(&walked, "skipped_");
        Self {
            due: charged + skipped.values().sum::<u64>(),
            enqueued: charged - scheduled,
            scheduled,
            skipped,
            pending: outcome(Outcome::Pending),
            paid: outcome(Outcome::Paid),
            failed: named(&progress.outcomes, Outcome::FAILED),
            unknown: outcome(Outcome::Unknown),
            canceled: outcome(Outcome::Canceled),
        }
    }
}

impl<'a> ReconciliationBody<'a> {
    pub(crate) fn of(progress: &'a Progress, differences: BTreeMap<&'static str, u64>) -> Self {
        let compared = walked(&progress.parts).remove("compared").unwrap_or_default();
        let task = match &progress.run.kind {
            RunKind::Reconciliation(task) => Some(task),
            RunKind::Billing(_) | RunKind::Requeue(_) => None,
        };
        Self {
            head: RunHead::of(progress, true),
            gateway: task.map(|task| task.gateway.as_str()),
            from: task.map(|task| Instant(task.from)),
            to: task.map(|task| Instant(task.to)),
            compared,
            differences,
        }
    }
}

fn walked(parts: &[Part]) -> BTreeMap<String, u64> {
    let mut sum: BTreeMap<String, u64> = BTreeMap::new();
    for (name, count) in parts.iter().flat_map(|part| &part.counts) {
        *sum.entry(name.clone()).or_default() += count;
    }
    sum
}

/// Those whose names begin so, without that beginning.
fn named(counts: &BTreeMap<String, u64>, prefix: &str) -> BTreeMap<String, u64> {
    let of = |(name, count): (&String, &u64)| Some((name.strip_prefix(prefix)?.to_owned(), *count));
    counts.iter().filter_map(of).collect()
}

#[derive(Debug, Serialize)]
pub(crate) struct DifferenceBody<'a> {
    kind: &'static str,
    movement: MovementKind,
    gateway: &'a str,
    gateway_reference: &'a str,
    reference: &'a str,
    invoice_id: Option<String>,
    amount_here: Option<MoneyBody>,
    amount_there: Option<MoneyBody>,
}

impl<'a> From<&'a Difference> for DifferenceBody<'a> {
    fn from(difference: &'a Difference) -> Self {
        Self {
            kind: difference.kind.as_str(),
            movement: difference.movement,
            gateway: difference.gateway.as_str(),
            gateway_reference: &difference.reference.0,
            reference: &difference.ours,
            invoice_id: difference.invoice.map(|id| id.to_string()),
            amount_here: difference.amount_here.map(MoneyBody::from),
            amount_there: difference.amount_there.map(MoneyBody::from),
        }
    }
}
