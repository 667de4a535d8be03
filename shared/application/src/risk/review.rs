use crate::access::{Caller, Operation, Scope};
use crate::app::{App, Committed, DECISIONS};
use crate::change_set::{Change, ChangeSet};
use crate::error::Error;
use crate::idempotency::{Answer, Once, Reply};
use crate::ports::Message;
use fatura_domain::attention::Closed;
use fatura_domain::id::InvoiceId;
use fatura_domain::invoice::{Invoice, NotHeld};
use fatura_domain::risk::Verdict;
use fatura_domain::text::Text;

/// What a person says of a charge that is held.
#[derive(Debug, Clone)]
pub struct ReviewInvoice {
    pub invoice: InvoiceId,
    pub verdict: Verdict,
    pub note: Option<Text<500>>,
}

impl App {
    /// Releases a charge that the rules hold, or ends it as declined.
    pub async fn review_invoice(
        &self,
        caller: &Caller,
        command: ReviewInvoice,
        once: &Once,
        render: &(dyn Fn(&Invoice) -> Answer + Sync),
    ) -> Result<Reply, Error> {
        caller.may_in(Scope::AttentionWrite, Operation::Operate)?;
        let ReviewInvoice { invoice: id, verdict, note } = command;
        for _ in 0..DECISIONS {
            let moment = self.moment();
            let (invoice, policy) = futures::try_join!(self.stored(id), self.policy())?;
            let reviewed = invoice.reviewed(verdict, caller.actor(), &policy, moment);
            let mut reduction = match reviewed {
                Ok(reduction) => reduction,
                Err(refusal) => {
                    return once.replay_or(&*self.records.answers, refusal.into(), moment.now).await;
                }
            };
            reduction.invoice = reduction.invoice.by(&caller.actor(), invoice.history.len());
            let answer = render(&reduction.invoice);
            let wake = reduction.wake.then(|| Message::about(&reduction.invoice));
            let closed = Closed {
                at: moment.now,
                by: Some(caller.actor()),
                note: note.as_ref().map(|note| note.as_str().to_owned()),
            };
            let mut changes = ChangeSet::from_reduction(&invoice, reduction);
            if let Some(matter) = invoice.matter() {
                // Whoever decided is the one who closed it.
                let id = matter.id;
                changes = changes.without_closing(&id).and([Change::AttentionClosed { id, closed }]);
            }
            match self.commit(changes.and([once.answered(answer.clone(), moment.now)]), Some(once)).await? {
                Committed::Written => {
                    self.notify_all(wake.as_slice()).await;
                    return Ok(Reply { answer, replayed: false });
                }
                Committed::Replayed(reply) => return Ok(reply),
                Committed::Stale => {}
            }
        }
        Err(Error::Busy)
    }
}

impl From<NotHeld> for Error {
    fn from(error: NotHeld) -> Self {
        Self::FailedPrecondition { detail: error.to_string(), status: Some(error.0.as_str()) }
    }
}
