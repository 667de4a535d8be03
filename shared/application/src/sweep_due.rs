use crate::app::{App, Committed};
use crate::change_set::{Change, ChangeSet};
use crate::error::Error;
use crate::ports::ChargeMessage;
use fatura_domain::id::InvoiceId;
use futures::stream::{self, StreamExt, TryStreamExt};
use std::collections::HashSet;

/// What a sweep did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Swept {
    /// Invoices that were due and whose message was sent.
    pub sent: usize,
    /// Entries of the index that were no longer true.
    pub skipped: usize,
}

const PAGE: usize = 100;
/// Pages a run reads at most; what is left is first in line a minute later.
const MOST_PAGES: usize = 50;
const AT_ONCE: usize = 8;

impl App {
    /// Sends a message for everything that is due. Each invoice is first moved to its next time, so that a second sweep,
    /// at the same time or a minute later, doesn't send it again, and a crash in between only delays it.
    pub async fn sweep_due(&self, has_time: impl Fn() -> bool) -> Result<Swept, Error> {
        let mut swept = Swept::default();
        let mut seen: HashSet<InvoiceId> = HashSet::new();
        for _ in 0..MOST_PAGES {
            if !has_time() {
                break;
            }
            let page = self.records.invoices.due(self.clock.now(), PAGE).await?;
            let is_last = page.len() < PAGE;
            // The index may still show what this run has seen to.
            let fresh: Vec<InvoiceId> = page.into_iter().filter(|id| seen.insert(*id)).collect();
            if fresh.is_empty() {
                break;
            }
            let count = fresh.len();
            let woken: Vec<Option<ChargeMessage>> =
                stream::iter(fresh).map(|id| self.wake(id)).buffer_unordered(AT_ONCE).try_collect().await?;
            let messages: Vec<ChargeMessage> = woken.into_iter().flatten().collect();
            if let Err(error) = self.charges.send(&messages).await {
                // They are due again soon, by their own new time.
                return Err(Error::Unavailable(Box::new(error)));
            }
            swept.sent += messages.len();
            swept.skipped += count - messages.len();
            if is_last {
                break;
            }
        }
        Ok(swept)
    }

    async fn wake(&self, id: InvoiceId) -> Result<Option<ChargeMessage>, Error> {
        let Some(invoice) = self.records.invoices.invoice(id).await? else { return Ok(None) };
        let Some(woken) = invoice.woken(&self.policy, self.clock.now()) else { return Ok(None) };
        let message = ChargeMessage::about(&woken);
        match self.commit(ChangeSet::of([Change::InvoiceChanged(woken)]), None).await? {
            Committed::Written => Ok(Some(message)),
            // Somebody is at it just now.
            Committed::Stale | Committed::Replayed(_) => Ok(None),
        }
    }
}
