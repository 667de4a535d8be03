use crate::app::{App, Committed};
use crate::change_set::{Change, ChangeSet};
use crate::error::Error;
use crate::ports::Message;
use fatura_domain::dunning::Policy;
use fatura_domain::id::{BillId, DisputeId, InvoiceId, PaymentMethodId, RefundId, RunId};
use fatura_domain::invoice::{Invoice, Woken};
use fatura_domain::{SignedDuration, Timestamp};
use futures::stream::{self, StreamExt, TryStreamExt};
use std::collections::HashSet;
use std::hash::Hash;

/// What a sweep did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Swept {
    /// What was due and whose message was sent.
    pub sent: usize,
    /// Entries of the index that were no longer true.
    pub skipped: usize,
}

const PAGE: usize = 100;
/// Pages a run reads at most of each kind; what is left is first in line a minute later.
const MOST_PAGES: usize = 50;
const AT_ONCE: usize = 8;
/// How soon a retry that no gateway takes is looked at again.
const NO_GATEWAY_WAIT: SignedDuration = SignedDuration::from_hours(1);

impl App {
    /// Sends a message for everything that is due. Each thing is first moved to its next time, so that a second sweep, at
    /// the same time or a minute later, doesn't send it again, and a crash in between only delays it.
    pub async fn sweep_due(&self, has_time: impl Fn() -> bool) -> Result<Swept, Error> {
        let mut swept = Swept::default();
        let records = &self.records;
        let due = async |now| Ok(records.invoices.due(now, PAGE).await?);
        self.sweep(&mut swept, &has_time, due, async |id| self.wake_invoice(id).await).await?;
        let due = async |now| Ok(records.refunds.due_refunds(now, PAGE).await?);
        self.sweep(&mut swept, &has_time, due, async |id| self.wake_refund(id).await).await?;
        let due = async |now| Ok(records.disputes.due_disputes(now, PAGE).await?);
        self.sweep(&mut swept, &has_time, due, async |id| self.wake_dispute(id).await).await?;
        let due = async |now| Ok(records.runs.due_parts(now, PAGE).await?);
        self.sweep(&mut swept, &has_time, due, async |(run, part)| self.wake_part(&run, part).await).await?;
        let due = async |now| Ok(records.bills.due_bills(now, PAGE).await?);
        self.sweep(&mut swept, &has_time, due, async |id| self.wake_bill(id).await).await?;
        let due = async |now| Ok(records.customers.due_detachments(now, PAGE).await?);
        self.sweep(&mut swept, &has_time, due, async |id| self.wake_detachment(id).await).await?;
        // These go to another queue, and nothing is written for them.
        if has_time() {
            swept.sent += self.sweep_deliveries().await?;
        }
        Ok(swept)
    }

    async fn sweep<Id: Clone + Eq + Hash>(
        &self,
        swept: &mut Swept,
        has_time: impl Fn() -> bool,
        due: impl AsyncFn(Timestamp) -> Result<Vec<Id>, Error>,
        wake: impl AsyncFn(Id) -> Result<Option<Message>, Error>,
    ) -> Result<(), Error> {
        let mut seen: HashSet<Id> = HashSet::new();
        for _ in 0..MOST_PAGES {
            if !has_time() {
                break;
            }
            let page = due(self.clock.now()).await?;
            let is_last = page.len() < PAGE;
            // The index may still show what this run has seen to.
            let fresh: Vec<Id> = page.into_iter().filter(|id| seen.insert(id.clone())).collect();
            if fresh.is_empty() {
                break;
            }
            let count = fresh.len();
            let woken: Vec<Option<Message>> =
                stream::iter(fresh).map(|id| wake(id)).buffer_unordered(AT_ONCE).try_collect().await?;
            let messages: Vec<Message> = woken.into_iter().flatten().collect();
            // What can't be sent now is due again soon, by its own new time.
            self.charges.send(&messages).await.map_err(|error| Error::Unavailable(Box::new(error)))?;
            swept.sent += messages.len();
            swept.skipped += count - messages.len();
            if is_last {
                break;
            }
        }
        Ok(())
    }

    async fn wake_invoice(&self, id: InvoiceId) -> Result<Option<Message>, Error> {
        let Some(invoice) = self.records.invoices.invoice(id).await? else { return Ok(None) };
        let (policy, now) = (self.policy().await?, self.clock.now());
        let Some(woken) = invoice.woken(&policy, now) else { return Ok(None) };
        let (next, is_told) = match woken {
            Woken::PutOff(next) => self.rerouted(*next).await?,
            Woken::GaveUp(next) => (*next, false),
            Woken::Retry => match self.retry(&invoice, &policy, now).await? {
                Some(next) => next,
                None => return Ok(None),
            },
        };
        let message = Message::about(&next);
        let sent = self.wake(ChangeSet::moved(&invoice, next), message).await?;
        Ok(sent.filter(|_| is_told))
    }

    /// Where such charges go by now, if it was planned ahead. It was promised with this method, so that one that is gone
    /// in the meantime is charged all the same. False: no gateway takes it, and it waits until one does.
    async fn rerouted(&self, invoice: Invoice) -> Result<(Invoice, bool), Error> {
        let Some(method) = invoice.planned_with() else { return Ok((invoice, true)) };
        let payer = self.records.customers.payer(invoice.customer()).await?;
        let mut methods = payer.into_iter().flat_map(|payer| payer.methods);
        let Some(method) = methods.find(|known| known.id == method) else { return Ok((invoice, true)) };
        match self.source_of(&method, invoice.total).await {
            Ok(source) => Ok((invoice.rerouted(source), true)),
            Err(Error::NoGateway) => Ok((invoice, false)),
            Err(error) => Err(error),
        }
    }

    /// By what the customer pays with now: nothing new is charged to a method that is gone.
    async fn retry(
        &self,
        invoice: &Invoice,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<Option<(Invoice, bool)>, Error> {
        let payer = self.payer(invoice.customer()).await?;
        let source = match self.source_again(&payer, invoice).await {
            // Until somebody puts a gateway in use that takes it.
            Err(Error::NoGateway) => {
                let later = now.checked_add(NO_GATEWAY_WAIT).unwrap_or(now);
                return Ok(invoice.postponed(later, now).map(|next| (next, false)));
            }
            source => source?,
        };
        Ok(match source {
            Some(source) => match invoice.barred_until(&source, payer.brand(source.method), policy, now) {
                Some(until) => invoice.postponed(until, now).map(|next| (next, false)),
                None => invoice.retried(source, policy, now).ok().map(|next| (next, true)),
            },
            None => invoice.without_method(now).map(|next| (next, false)),
        })
    }

    async fn wake_refund(&self, id: RefundId) -> Result<Option<Message>, Error> {
        let Some(refund) = self.records.refunds.refund(id).await? else { return Ok(None) };
        let policy = self.policy().await?;
        let Some(woken) = refund.woken(&policy, self.clock.now()) else { return Ok(None) };
        let message = Message::about_refund(&woken);
        self.wake(ChangeSet::refund_moved(&refund, woken), message).await
    }

    async fn wake_dispute(&self, id: DisputeId) -> Result<Option<Message>, Error> {
        let Some(dispute) = self.records.disputes.dispute(id).await? else { return Ok(None) };
        let policy = self.policy().await?;
        let Some(woken) = dispute.woken(&policy, self.clock.now()) else { return Ok(None) };
        let message = Message::about_dispute(&woken);
        self.wake(ChangeSet::dispute_moved(&dispute, woken), message).await
    }

    async fn wake_detachment(&self, method: PaymentMethodId) -> Result<Option<Message>, Error> {
        let Some(detachment) = self.records.customers.detachment(method).await? else { return Ok(None) };
        let policy = self.policy().await?;
        let Some(woken) = detachment.woken(&policy, self.clock.now()) else { return Ok(None) };
        let message = Message::about_detachment(&woken);
        let change = Change::DetachmentMoved { before: Some(detachment), after: Some(woken) };
        self.wake(ChangeSet::of([change]), message).await
    }

    async fn wake_bill(&self, id: BillId) -> Result<Option<Message>, Error> {
        let Some(bill) = self.records.bills.bill(id).await? else { return Ok(None) };
        let Some(woken) = bill.woken(self.clock.now()) else { return Ok(None) };
        let message = Message::about_bill(&woken);
        self.wake(ChangeSet::bill_moved(&bill, woken), message).await
    }

    async fn wake_part(&self, run: &RunId, number: u8) -> Result<Option<Message>, Error> {
        let Some(part) = self.records.runs.part(run, number).await? else { return Ok(None) };
        let now = self.clock.now();
        let Some(woken) = part.woken(self.part_due(now), now) else { return Ok(None) };
        let message = Message::about_part(&woken);
        self.wake(ChangeSet::of([Change::PartChanged(woken)]), message).await
    }

    async fn wake(&self, changes: ChangeSet, message: Message) -> Result<Option<Message>, Error> {
        match self.commit(changes, None).await? {
            Committed::Written => Ok(Some(message)),
            // Somebody is at it just now.
            Committed::Stale | Committed::Replayed(_) => Ok(None),
        }
    }
}
