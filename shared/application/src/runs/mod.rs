//! Runs: begun once, worked at in parts, each part a step at a time by whoever has its message.

mod billing;
mod reconcile;
mod requeue;

pub use billing::BeginBilling;
pub use reconcile::{BeginReconciliation, Difference, DifferenceKind};

use crate::access::{Caller, Operation, Scope};
use crate::app::{App, Committed};
use crate::change_set::{Change, ChangeSet};
use crate::error::Error;
use crate::idempotency::{Answer, Once, Reply};
use crate::ports::{Message, Position, Progress};
use fatura_domain::gateway::GatewayName;
use fatura_domain::id::RunId;
use fatura_domain::invoice::{Invoice, State};
use fatura_domain::run::{Part, Run, RunKind};
use fatura_domain::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// Invoices that one step looks at.
const STEP: usize = 50;
/// Those of them that one transaction takes, each with a write or two of its own.
const AT_ONCE: usize = 20;
/// A part that nobody has taken a step of for this long has lost its message.
const LOST_AFTER: SignedDuration = SignedDuration::from_mins(2);
/// What a queue can hold a message back for.
const LONGEST_WAIT: Duration = Duration::from_mins(15);

/// What a step did.
struct Step {
    /// Where the next one begins; None: there is nothing after it.
    place: Option<String>,
    counted: BTreeMap<String, u64>,
    wait: Duration,
}

type Render<'a> = &'a (dyn Fn(&Progress) -> Answer + Sync);

impl App {
    /// Begins a run; one that is there already is answered as it stands.
    async fn begin_run(&self, run: Run, once: &Once, render: Render<'_>) -> Result<Reply, Error> {
        let now = self.clock.now();
        let parts = run.begun(self.part_due(now));
        let messages: Vec<Message> = parts.iter().map(Message::about_part).collect();
        let progress = Progress { run: run.clone(), parts: parts.clone(), outcomes: BTreeMap::new() };
        let answer = render(&progress);
        let begun = ChangeSet::of([Change::RunBegun(run.clone())])
            .and(parts.into_iter().map(Change::PartBegun))
            .and([once.answered(answer.clone(), now)]);
        match self.commit(begun, Some(once)).await? {
            Committed::Written => {
                self.notify_all(&messages).await;
                Ok(Reply { answer, replayed: false })
            }
            Committed::Replayed(reply) => Ok(reply),
            Committed::Stale => {
                let progress = self.records.runs.progress(&run.id).await?.ok_or(Error::Busy)?;
                let answer = render(&progress);
                match self.commit(ChangeSet::of([once.answered(answer.clone(), now)]), Some(once)).await? {
                    Committed::Replayed(reply) => Ok(reply),
                    Committed::Written => Ok(Reply { answer, replayed: false }),
                    Committed::Stale => Err(Error::Busy),
                }
            }
        }
    }

    /// Begins a run that a schedule asks for, unless it is there. Says whether it is new.
    async fn begin_scheduled_run(&self, run: Run) -> Result<bool, Error> {
        let parts = run.begun(self.part_due(self.clock.now()));
        let messages: Vec<Message> = parts.iter().map(Message::about_part).collect();
        let begun = ChangeSet::of([Change::RunBegun(run)]).and(parts.into_iter().map(Change::PartBegun));
        match self.commit(begun, None).await? {
            Committed::Written => {
                self.notify_all(&messages).await;
                Ok(true)
            }
            Committed::Stale | Committed::Replayed(_) => Ok(false),
        }
    }

    /// How far a run has come, and what became of its invoices until now.
    pub async fn run(&self, caller: &Caller, id: &RunId) -> Result<Progress, Error> {
        caller.may_in(Scope::RunsRead, Operation::Operate)?;
        self.records.runs.progress(id).await?.ok_or(Error::NotFound)
    }

    /// Takes one step of one part, and sends the message for the next.
    pub(crate) async fn advance(&self, run: &RunId, number: u8, version: u64) -> Result<(), Error> {
        let runs = &self.records.runs;
        let (run, part) = futures::try_join!(runs.run(run), runs.part(run, number))?;
        let (Some(run), Some(part)) = (run, part) else { return Ok(()) };
        if part.version != version || part.is_done() {
            tracing::debug!(run = %run.id, part = number, "message is void");
            return Ok(());
        }
        let step = match &run.kind {
            RunKind::Billing(billing) => self.billing_step(&run, billing, &part).await?,
            RunKind::Requeue(requeue) => self.requeue_step(&run, requeue, &part).await?,
            RunKind::Reconciliation(task) => self.reconciliation_step(&run, task, &part).await?,
        };
        let now = self.clock.now();
        let wait = step.wait.min(LONGEST_WAIT);
        let due = self.part_due(now).checked_add(wait).unwrap_or(now);
        let next = part.stepped(step.place, &step.counted, due, now);
        let message = Message::about_part(&next);
        let is_done = next.is_done();
        if let Committed::Written = self.commit(ChangeSet::of([Change::PartChanged(next)]), None).await?
            && !is_done
        {
            let sent = if wait.is_zero() {
                self.charges.send(&[message]).await
            } else {
                self.charges.send_later(&message, wait).await
            };
            if let Err(error) = sent {
                tracing::warn!(run = %run.id, part = number, %error, "left to the sweep");
            }
        }
        Ok(())
    }

    /// When the sweep takes up a part that was left.
    #[expect(clippy::unused_self, reason = "the clock's time is the caller's")]
    pub(crate) fn part_due(&self, now: Timestamp) -> Timestamp {
        now.checked_add(LOST_AFTER).unwrap_or(now)
    }

    /// Writes invoices that a run has charged, many at once; one that somebody else is at is left out. Messages go out for
    /// those that are due now. Answers with how many were written for each gateway.
    async fn charge_all(&self, charged: Vec<(Invoice, Invoice)>) -> Result<HashMap<GatewayName, u32>, Error> {
        let mut sent: HashMap<GatewayName, u32> = HashMap::new();
        for few in charged.chunks(AT_ONCE) {
            let mut written: Vec<&Invoice> = Vec::new();
            let together = few.iter().flat_map(|(before, after)| ChangeSet::moved(before, after.clone()));
            if let Committed::Written = self.commit(ChangeSet::of(together), None).await? {
                written.extend(few.iter().map(|(_, after)| after));
            } else {
                for (before, after) in few {
                    let alone = self.commit(ChangeSet::moved(before, after.clone()), None).await?;
                    written.extend(matches!(alone, Committed::Written).then_some(after));
                }
            }
            let due = written.into_iter().filter_map(|invoice| match &invoice.state {
                State::Pending(collection) if collection.scheduled_for.is_none() => {
                    Some((invoice, collection))
                }
                _ => None,
            });
            let mut messages = Vec::new();
            for (invoice, collection) in due {
                *sent.entry(collection.source.gateway.clone()).or_default() += 1;
                messages.push(Message::about(invoice));
            }
            self.notify_all(&messages).await;
        }
        Ok(sent)
    }

    /// How long a part rests after a step, so that all parts together stay within the gateways' budget.
    fn rest(sent: &HashMap<GatewayName, u32>, parts: u8, budget_per_minute: u32) -> Duration {
        let most = u64::from(sent.values().copied().max().unwrap_or_default());
        let milliseconds = most * 60_000 * u64::from(parts) / u64::from(budget_per_minute.max(1));
        Duration::from_secs(milliseconds / 1_000)
    }
}

/// Empty is the beginning, for a part that has waited there.
fn position(part: &Part) -> Option<Position> {
    part.place.clone().filter(|place| !place.is_empty()).map(Position)
}

fn count(counted: &mut BTreeMap<String, u64>, name: &str) {
    *counted.entry(name.to_owned()).or_default() += 1;
}
