//! Our books against a gateway's: what it says it captured and refunded, and what we say it did.

use super::{Render, Step, position};
use crate::access::{Caller, Operation, Scope};
use crate::app::App;
use crate::attention::digest;
use crate::change_set::{Change, ChangeSet};
use crate::error::{Error, listed};
use crate::idempotency::{Once, Reply};
use crate::invoices::invalid;
use crate::ports::{ChargeLookup, Gateway, Page, PageRequest, Position};
use crate::reads::ListFailure;
use fatura_domain::actor::Actor;
use fatura_domain::attention::{Attention, AttentionId, AttentionKind};
use fatura_domain::charge::{Failure, FailureClass};
use fatura_domain::gateway::{
    ChargeOutcome, GatewayName, GatewayReference, Movement, MovementKind, RefundOutcome,
};
use fatura_domain::id::{AttemptId, InvoiceId, RefundId, RunId};
use fatura_domain::invoice::{Captured, Invoice, Status};
use fatura_domain::money::Money;
use fatura_domain::refund::{Refund, RefundState};
use fatura_domain::run::{Part, Reconciliation, Run, RunKind};
use fatura_domain::{SignedDuration, Timestamp};
use futures::stream::{self, StreamExt, TryStreamExt};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug, Clone)]
pub struct BeginReconciliation {
    pub gateway: GatewayName,
    pub from: Timestamp,
    /// Exclusive.
    pub to: Timestamp,
}

/// Something that the two books don't say alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub kind: DifferenceKind,
    pub movement: MovementKind,
    pub gateway: GatewayName,
    /// What the gateway calls it.
    pub reference: GatewayReference,
    /// What we call it: an attempt's or a refund's id.
    pub ours: String,
    pub amount_here: Option<Money>,
    pub amount_there: Option<Money>,
    pub invoice: Option<InvoiceId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    /// The gateway has it, and we don't.
    MissingHere,
    /// We have it, and the gateway doesn't.
    MissingThere,
    Amount,
    Currency,
}

impl DifferenceKind {
    pub const ALL: [Self; 4] = [Self::MissingHere, Self::MissingThere, Self::Amount, Self::Currency];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingHere => "missing_here",
            Self::MissingThere => "missing_there",
            Self::Amount => "amount",
            Self::Currency => "currency",
        }
    }
}

/// Where charges that were captured lie, whatever became of them later.
const CAPTURED: [Status; 4] = [Status::Paid, Status::Refunded, Status::InProtest, Status::Chargeback];
const CALLS_AT_ONCE: usize = 8;
/// What we ask a gateway for in one step has to be answered within the step.
const ASKED: usize = 25;
/// Differences that are counted at most: more than anybody reads.
const PAGE: usize = 100;
const MOST_PAGES: usize = 100;
/// One part reads the gateway's own list; the others read ours.
const THEIR_PARTS: u8 = 1;

impl App {
    pub async fn begin_reconciliation(
        &self,
        caller: &Caller,
        command: BeginReconciliation,
        once: &Once,
        render: Render<'_>,
    ) -> Result<Reply, Error> {
        caller.may_in(Scope::RunsWrite, Operation::Operate)?;
        let moment = self.moment();
        let refusal = match self.gateways.get(&command.gateway) {
            None => Some(invalid("gateway", "must be a gateway that is configured here")),
            Some(gateway) if !gateway.capabilities().keeps_books => {
                Some(invalid("gateway", "has no list of its movements to compare with"))
            }
            Some(_) if command.to > moment.now => Some(invalid("to", "must not be in the future")),
            Some(_) => None,
        };
        if let Some(refusal) = refusal {
            return once.replay_or(&*self.records.answers, refusal, moment.now).await;
        }
        let BeginReconciliation { gateway, from, to } = command;
        let id = RunId::new(moment.now, moment.entropy);
        let run = self.reconciliation(id, Reconciliation { gateway, from, to }, caller.actor(), moment.now);
        self.begin_run(run, once, render).await
    }

    /// What the daily schedule asks for: yesterday, at every gateway that is in use and has books. Answers with how many
    /// runs it began.
    pub async fn begin_daily_reconciliation(&self) -> Result<usize, Error> {
        let now = self.clock.now();
        let day = SignedDuration::from_hours(24);
        let seconds = now.as_second() - now.as_second().rem_euclid(day.as_secs());
        let to = Timestamp::from_second(seconds).unwrap_or(now);
        let from = to.checked_sub(day).unwrap_or(to);
        let mut begun = 0;
        for gateway in self.compared_daily().await? {
            let date: String = from.to_string().chars().take(10).filter(char::is_ascii_digit).collect();
            let Ok(id) = RunId::named(&format!("{date}_{gateway}")) else { continue };
            let task = Reconciliation { gateway, from, to };
            let run = self.reconciliation(id, task, Actor::new("schedule"), now);
            begun += usize::from(self.begin_scheduled_run(run).await?);
        }
        Ok(begun)
    }

    async fn compared_daily(&self) -> Result<Vec<GatewayName>, Error> {
        let edition = self.plan_in_force().await?;
        let in_use = edition.plan.gateways.iter().filter(|settings| settings.enabled);
        let keeps_books = |name: &&GatewayName| {
            self.gateways.get(name).is_some_and(|gateway| gateway.capabilities().keeps_books)
        };
        Ok(in_use.map(|settings| &settings.name).filter(keeps_books).cloned().collect())
    }

    pub async fn differences(
        &self,
        caller: &Caller,
        run: &RunId,
        page: PageRequest,
    ) -> Result<Page<Difference>, ListFailure> {
        self.run(caller, run).await?;
        Ok(self.records.runs.differences(run, page).await?)
    }

    /// How many of each kind there are. Both sides may meet the same one: on record it is one.
    pub async fn difference_counts(
        &self,
        caller: &Caller,
        run: &RunId,
    ) -> Result<BTreeMap<&'static str, u64>, ListFailure> {
        let mut counts = BTreeMap::new();
        let mut after = None;
        for _ in 0..MOST_PAGES {
            let page = self.differences(caller, run, PageRequest { limit: PAGE, after }).await?;
            for difference in page.data {
                *counts.entry(difference.kind.as_str()).or_default() += 1;
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        Ok(counts)
    }

    fn reconciliation(&self, id: RunId, task: Reconciliation, by: Actor, now: Timestamp) -> Run {
        let shards = self.records.invoices.shards();
        // A list of each status, and one of refunds.
        let parts = THEIR_PARTS + shards.saturating_mul(5);
        Run { id, kind: RunKind::Reconciliation(task), by, created_at: now, parts }
    }

    pub(super) async fn reconciliation_step(
        &self,
        run: &Run,
        task: &Reconciliation,
        part: &Part,
    ) -> Result<Step, Error> {
        let Some(gateway) = self.gateways.get(&task.gateway).cloned() else {
            return Err(Error::Unavailable("the gateway is not configured".into()));
        };
        let shards = self.records.invoices.shards().max(1);
        let (looked_at, found, place) = match part.number.checked_sub(THEIR_PARTS) {
            None => self.read_theirs(&gateway, task, part).await?,
            Some(number) => match CAPTURED.get(usize::from(number / shards)) {
                Some(status) => {
                    self.read_our_charges(&gateway, task, (*status, number % shards), part).await?
                }
                None => self.read_our_refunds(&gateway, task, number % shards, part).await?,
            },
        };
        let counted = BTreeMap::from([("compared".to_owned(), looked_at)]);
        for difference in found {
            let raised = Change::AttentionRaisedOnce(difference.attention(self.clock.now()));
            let noted = Change::DifferenceFound { run: run.id.clone(), difference };
            self.commit(ChangeSet::of([noted]), None).await?;
            // Found before, it is on the list, or somebody has closed it with a word that stays.
            self.commit(ChangeSet::of([raised]), None).await?;
        }
        Ok(Step { place, counted, wait: Duration::ZERO })
    }

    /// Everything that the gateway lists has to be on our books.
    async fn read_theirs(
        &self,
        gateway: &Arc<dyn Gateway>,
        task: &Reconciliation,
        part: &Part,
    ) -> Result<Looked, Error> {
        let page = gateway.movements(task.from, task.to, part.place.as_deref()).await;
        let page = match page {
            Ok(page) => page,
            // Asking again would change nothing before a person has mended it.
            Err(failure) if failure.class == FailureClass::Configuration => {
                self.books_are_closed(task, &failure).await?;
                return Ok((0, Vec::new(), None));
            }
            Err(failure) => return Err(Error::Unavailable(failure.message.into())),
        };
        let looked_at = u64::try_from(page.data.len()).unwrap_or(u64::MAX);
        let found: Vec<Option<Difference>> = stream::iter(page.data)
            .map(|movement| self.compare_theirs(&task.gateway, movement))
            .buffered(CALLS_AT_ONCE)
            .try_collect()
            .await?;
        Ok((looked_at, found.into_iter().flatten().collect(), page.next))
    }

    async fn books_are_closed(&self, task: &Reconciliation, failure: &Failure) -> Result<(), Error> {
        let matter = Attention {
            id: AttentionId::of_difference(&digest(&format!(
                "books of {} {} {}",
                task.gateway, task.from, task.to
            ))),
            kind: AttentionKind::ReconciliationDifference,
            invoice: None,
            bill: None,
            amount: None,
            gateway: Some(task.gateway.clone()),
            reference: None,
            detail: format!(
                "its books from {} to {} cannot be read: {}",
                task.from, task.to, failure.message
            ),
            raised_at: self.clock.now(),
            closed: None,
        };
        self.commit(ChangeSet::of([Change::AttentionRaisedOnce(matter)]), None).await?;
        Ok(())
    }

    async fn compare_theirs(
        &self,
        gateway: &GatewayName,
        movement: Movement,
    ) -> Result<Option<Difference>, Error> {
        let (invoice, here) = match movement.kind {
            MovementKind::Capture => {
                let Ok(attempt) = movement.ours.parse::<AttemptId>() else {
                    return Ok(Some(Difference::of(gateway, movement, None, None)));
                };
                let invoice = self.records.invoices.invoice(attempt.invoice).await?;
                let here =
                    invoice.as_ref().and_then(|invoice| invoice.booked_of(gateway, &movement.reference));
                (invoice.map(|invoice| invoice.id), here)
            }
            MovementKind::Refund => {
                let Ok(id) = movement.ours.parse::<RefundId>() else {
                    return Ok(Some(Difference::of(gateway, movement, None, None)));
                };
                let refund = self.records.refunds.refund(id).await?;
                let here =
                    refund.as_ref().filter(|refund| matches!(refund.state, RefundState::Succeeded { .. }));
                (refund.as_ref().map(|refund| refund.invoice), here.map(|refund| refund.amount))
            }
        };
        let agrees = here == Some(movement.amount);
        Ok((!agrees).then(|| Difference::of(gateway, movement, invoice, here)))
    }

    /// Every charge that we say was captured there has to be there.
    async fn read_our_charges(
        &self,
        gateway: &Arc<dyn Gateway>,
        task: &Reconciliation,
        (status, shard): (Status, u8),
        part: &Part,
    ) -> Result<Looked, Error> {
        let page = PageRequest { limit: ASKED, after: position(part) };
        // Whatever was captured in the period has come to its present status since the period began.
        let page =
            self.records.invoices.in_shard_since(status, shard, task.from, page).await.map_err(listed)?;
        let ours: Vec<(Invoice, Captured)> = page
            .data
            .into_iter()
            .filter_map(|invoice| {
                let payment = invoice.state.payment()?;
                let charge = payment.charge.clone().filter(|charge| charge.gateway == task.gateway)?;
                (payment.at >= task.from && payment.at < task.to).then_some((invoice, charge))
            })
            .collect();
        let looked_at = u64::try_from(ours.len()).unwrap_or(u64::MAX);
        let found: Vec<Option<Difference>> = stream::iter(ours)
            .map(|(invoice, charge)| compare_charge(gateway.as_ref(), invoice, charge))
            .buffered(CALLS_AT_ONCE)
            .try_collect()
            .await?;
        Ok((looked_at, found.into_iter().flatten().collect(), page.next.map(|Position(place)| place)))
    }

    /// Every refund that we say went through has to be there.
    async fn read_our_refunds(
        &self,
        gateway: &Arc<dyn Gateway>,
        task: &Reconciliation,
        shard: u8,
        part: &Part,
    ) -> Result<Looked, Error> {
        let page = PageRequest { limit: ASKED, after: position(part) };
        let returned = self.records.refunds.returned_in_shard(shard, task.from, task.to, page).await;
        let page = returned.map_err(listed)?;
        let ours: Vec<Refund> =
            page.data.into_iter().filter(|refund| refund.gateway() == Some(&task.gateway)).collect();
        let looked_at = u64::try_from(ours.len()).unwrap_or(u64::MAX);
        let found: Vec<Option<Difference>> = stream::iter(ours)
            .map(|refund| compare_refund(gateway.as_ref(), refund))
            .buffered(CALLS_AT_ONCE)
            .try_collect()
            .await?;
        Ok((looked_at, found.into_iter().flatten().collect(), page.next.map(|Position(place)| place)))
    }
}

/// How many entries were compared, what was found, and where to go on.
type Looked = (u64, Vec<Difference>, Option<String>);

async fn compare_charge(
    gateway: &dyn Gateway,
    invoice: Invoice,
    charge: Captured,
) -> Result<Option<Difference>, Error> {
    let attempt = invoice.attempt_id(charge.attempt);
    let lookup = ChargeLookup { attempt, reference: Some(charge.reference.clone()) };
    let there = match gateway.fetch_charge(&lookup).await {
        ChargeOutcome::Approved { captured, .. } => Some(captured),
        ChargeOutcome::Unknown { failure } | ChargeOutcome::NotSent { failure } => {
            return Err(Error::Unavailable(failure.message.into()));
        }
        _ => None,
    };
    // A QR code that was paid twice is one charge there, and a payment and an orphan here.
    let here = invoice.booked_of(&charge.gateway, &charge.reference);
    Ok((there != here).then(|| Difference {
        kind: kind(here, there),
        movement: MovementKind::Capture,
        gateway: charge.gateway,
        reference: charge.reference,
        ours: attempt.to_string(),
        amount_here: here,
        amount_there: there,
        invoice: Some(invoice.id),
    }))
}

async fn compare_refund(gateway: &dyn Gateway, refund: Refund) -> Result<Option<Difference>, Error> {
    let Some((name, request)) = refund.request() else { return Ok(None) };
    let there = match gateway.fetch_refund(&request).await {
        Some(RefundOutcome::Succeeded { amount, .. }) => Some(amount),
        Some(RefundOutcome::Unclear { failure }) => return Err(Error::Unavailable(failure.message.into())),
        Some(RefundOutcome::Pending { .. } | RefundOutcome::Failed { .. }) | None => None,
    };
    let RefundState::Succeeded { reference: Some(reference), .. } = &refund.state else { return Ok(None) };
    Ok((there != Some(refund.amount)).then(|| Difference {
        kind: kind(Some(refund.amount), there),
        movement: MovementKind::Refund,
        gateway: name.clone(),
        reference: reference.clone(),
        ours: refund.id.to_string(),
        amount_here: Some(refund.amount),
        amount_there: there,
        invoice: Some(refund.invoice),
    }))
}

fn kind(here: Option<Money>, there: Option<Money>) -> DifferenceKind {
    match (here, there) {
        (None, _) => DifferenceKind::MissingHere,
        (_, None) => DifferenceKind::MissingThere,
        (Some(here), Some(there)) if here.currency() != there.currency() => DifferenceKind::Currency,
        _ => DifferenceKind::Amount,
    }
}

impl Difference {
    fn of(
        gateway: &GatewayName,
        movement: Movement,
        invoice: Option<InvoiceId>,
        here: Option<Money>,
    ) -> Self {
        Self {
            kind: kind(here, Some(movement.amount)),
            movement: movement.kind,
            gateway: gateway.clone(),
            reference: movement.reference,
            ours: movement.ours,
            amount_here: here,
            amount_there: Some(movement.amount),
            invoice,
        }
    }

    /// The same matter in every run that finds it.
    pub fn digest(&self) -> String {
        digest(&format!("{}|{}|{}", self.gateway, self.reference, self.kind.as_str()))
    }

    fn attention(&self, now: Timestamp) -> Attention {
        let shown = |amount: Option<Money>| {
            amount.map_or("nothing".to_owned(), |amount| format!("{amount} {}", amount.currency().code()))
        };
        Attention {
            id: AttentionId::of_difference(&self.digest()),
            kind: AttentionKind::ReconciliationDifference,
            invoice: self.invoice,
            bill: None,
            amount: self.amount_there.or(self.amount_here),
            gateway: Some(self.gateway.clone()),
            reference: Some(self.reference.clone()),
            detail: format!(
                "{}: our books have {}, the gateway has {}",
                self.kind.as_str(),
                shown(self.amount_here),
                shown(self.amount_there)
            ),
            raised_at: now,
            closed: None,
        }
    }
}
