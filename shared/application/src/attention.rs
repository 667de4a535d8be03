//! What operators decide: attempts that nobody knows the outcome of, and everything else on their list.

use crate::access::{Caller, Operation, Scope};
use crate::app::{App, Committed, DECISIONS};
use crate::change_set::{Change, ChangeSet};
use crate::error::Error;
use crate::idempotency::{Answer, Once, Reply};
use crate::ports::{Message, Page, PageRequest};
use crate::reads::ListFailure;
use crate::wallet_notes::WalletNotes;
use fatura_domain::attention::{Attention, AttentionId, AttentionKind, Closed};
use fatura_domain::id::{AttemptId, InvoiceId};
use fatura_domain::invoice::{Invoice, Resolution, ResolveError};
use fatura_domain::text::Text;
use sha2::{Digest, Sha256};

#[derive(Debug, Clone)]
pub struct ResolveAttempt {
    pub attempt: AttemptId,
    pub resolution: Resolution,
    pub note: Option<Text<500>>,
}

impl App {
    /// What is open, oldest first.
    pub async fn attention(
        &self,
        caller: &Caller,
        kind: Option<AttentionKind>,
        page: PageRequest,
    ) -> Result<Page<Attention>, ListFailure> {
        caller.may_in(Scope::AttentionRead, Operation::Operate)?;
        Ok(self.records.attentions.open_attention(kind, page).await?)
    }

    pub async fn attention_of(&self, caller: &Caller, id: &AttentionId) -> Result<Attention, Error> {
        caller.may_in(Scope::AttentionRead, Operation::Operate)?;
        self.matter(id).await
    }

    async fn matter(&self, id: &AttentionId) -> Result<Attention, Error> {
        self.records.attentions.attention(id).await?.ok_or(Error::NotFound)
    }

    /// Takes a matter off the list. Closing twice is closing once: the first word stays. A contest that no bank has taken up
    /// is over by that.
    pub async fn close_attention(
        &self,
        caller: &Caller,
        id: &AttentionId,
        note: Option<Text<500>>,
    ) -> Result<Attention, Error> {
        caller.may_in(Scope::AttentionWrite, Operation::Operate)?;
        let matter = self.matter(id).await?;
        if matter.closed.is_some() {
            return Ok(matter);
        }
        // Off the list, nobody would look at the attempt again, and its invoice would wait for ever.
        let ends_by = match matter.kind {
            AttentionKind::UnknownOutcome | AttentionKind::AmountMismatch => Some("its attempt is resolved"),
            AttentionKind::RiskReview => Some("its invoice is reviewed"),
            _ => None,
        };
        if let Some(ends_by) = ends_by {
            let detail = format!("it ends when {ends_by}");
            return Err(Error::FailedPrecondition { detail, status: None });
        }
        let note = note.map(|note| note.as_str().to_owned());
        let closed = Closed { at: self.clock.now(), by: Some(caller.actor()), note };
        if let (AttentionKind::ContestUnanswered, Some(invoice)) = (matter.kind, matter.invoice) {
            self.drop_contest(invoice, id, closed).await?;
        } else {
            let change = Change::AttentionClosed { id: id.clone(), closed };
            self.commit(ChangeSet::of([change]), None).await?;
        }
        // Somebody else's word may have been first.
        self.matter(id).await
    }

    /// What was contested in vain is paid again, in the transaction that closes its matter.
    async fn drop_contest(&self, id: InvoiceId, matter: &AttentionId, closed: Closed) -> Result<(), Error> {
        for _ in 0..DECISIONS {
            let invoice = self.stored(id).await?;
            let known = self.known_disputes(&invoice).await?;
            let contest = known.iter().find(|dispute| AttentionId::of_dispute(dispute.id) == *matter);
            let dropped = contest.and_then(|contest| {
                invoice.contest_dropped(contest, closed.at).map(|dropped| (contest, dropped))
            });
            // The bank's word was first, and has closed it.
            let Some((contest, (after, won))) = dropped else { return Ok(()) };
            let after = match &closed.by {
                Some(by) => after.by(by, invoice.history.len()),
                None => after,
            };
            let change = Change::AttentionClosed { id: matter.clone(), closed: closed.clone() };
            let changes = ChangeSet::moved(&invoice, after)
                .and(ChangeSet::dispute_moved(contest, won))
                .without_closing(matter)
                .and([change]);
            if let Committed::Written = self.commit(changes, None).await? {
                return Ok(());
            }
        }
        Err(Error::Busy)
    }

    /// Ends an attempt whose outcome is unknown, by the word of an operator, which is written down with its effect.
    pub async fn resolve_attempt(
        &self,
        caller: &Caller,
        command: ResolveAttempt,
        once: &Once,
        render: &(dyn Fn(&Invoice) -> Answer + Sync),
    ) -> Result<Reply, Error> {
        caller.may_in(Scope::AttentionWrite, Operation::Operate)?;
        let ResolveAttempt { attempt, resolution, note } = command;
        let mut wallets = WalletNotes::default();
        for _ in 0..DECISIONS {
            let moment = self.moment();
            let (invoice, policy) = futures::try_join!(self.stored(attempt.invoice), self.policy())?;
            let resolved = invoice.resolved(attempt.number, &resolution, &policy, moment);
            let mut reduction = match resolved {
                Ok(reduction) => reduction,
                Err(refusal) => {
                    return once.replay_or(&*self.records.answers, refusal.into(), moment.now).await;
                }
            };
            reduction.invoice = reduction.invoice.by(&caller.actor(), invoice.history.len());
            let answer = render(&reduction.invoice);
            let refund = reduction.refund.as_ref().map(Message::about_refund);
            let id = AttentionId::of_attempt(attempt);
            let closed = Closed {
                at: moment.now,
                by: Some(caller.actor()),
                note: note.as_ref().map(|note| note.as_str().to_owned()),
            };
            // Whoever decided is the one who closed it; one that was never raised is resolved all the same.
            let was_raised = invoice.matter().is_some_and(|matter| matter.id == id);
            let changes = ChangeSet::reduced(&invoice, reduction, &wallets)
                .without_closing(&id)
                .and(was_raised.then_some(Change::AttentionClosed { id, closed }))
                .and([once.answered(answer.clone(), moment.now)]);
            match self.commit_noting(changes, Some(once), &mut wallets).await? {
                Committed::Written => {
                    self.notify_all(refund.as_slice()).await;
                    return Ok(Reply { answer, replayed: false });
                }
                Committed::Replayed(reply) => return Ok(reply),
                Committed::Stale => {}
            }
        }
        Err(Error::Busy)
    }
}

impl From<ResolveError> for Error {
    fn from(error: ResolveError) -> Self {
        let detail = error.to_string();
        match error {
            ResolveError::NotUnknown(status) => {
                Self::FailedPrecondition { detail, status: Some(status.as_str()) }
            }
            ResolveError::OtherAmount => Self::FailedPrecondition { detail, status: None },
        }
    }
}

/// Tells one cause of a matter from another, in an id of bounded length.
pub(crate) fn digest(cause: &str) -> String {
    hex::encode(Sha256::digest(cause)).chars().take(32).collect()
}
