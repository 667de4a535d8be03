use crate::app::{App, Committed};
use crate::change_set::{Change, ChangeSet};
use crate::error::Error;
use crate::ports::Message;
use fatura_domain::Timestamp;
use fatura_domain::id::{InvoiceId, RefundId};
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

impl App {
    /// Sends a message for everything that is due. Each thing is first moved to its next time, so that a second sweep, at
    /// the same time or a minute later, doesn't send it again, and a crash in between only delays it.
    pub async fn sweep_due(&self, has_time: impl Fn() -> bool) -> Result<Swept, Error> {
        let mut swept = Swept::default();
        let due = async |now| Ok(self.records.invoices.due(now, PAGE).await?);
        self.sweep(&mut swept, &has_time, due, async |id| self.wake_invoice(id).await).await?;
        let due = async |now| Ok(self.records.refunds.due_refunds(now, PAGE).await?);
        self.sweep(&mut swept, &has_time, due, async |id| self.wake_refund(id).await).await?;
        Ok(swept)
    }

    async fn sweep<Id: Copy + Eq + Hash>(
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
            let fresh: Vec<Id> = page.into_iter().filter(|id| seen.insert(*id)).collect();
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
        let Some(woken) = invoice.woken(&self.policy, self.clock.now()) else { return Ok(None) };
        let message = Message::about(&woken);
        self.wake(Change::InvoiceChanged(woken), message).await
    }

    async fn wake_refund(&self, id: RefundId) -> Result<Option<Message>, Error> {
        let Some(refund) = self.records.refunds.refund(id).await? else { return Ok(None) };
        let Some(woken) = refund.woken(&self.policy, self.clock.now()) else { return Ok(None) };
        let message = Message::about_refund(&woken);
        self.wake(Change::RefundChanged(woken), message).await
    }

    async fn wake(&self, change: Change, message: Message) -> Result<Option<Message>, Error> {
        match self.commit(ChangeSet::of([change]), None).await? {
            Committed::Written => Ok(Some(message)),
            // Somebody is at it just now.
            Committed::Stale | Committed::Replayed(_) => Ok(None),
        }
    }
}
