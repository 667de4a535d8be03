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
use fatura_domain::dispute::{Dispute, DisputeEnd};
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

    /// Takes a matter off the list. Closing twice is closing once: the first word stays. A dispute that no bank ends is ended
    /// by that, as `end` says, and nothing else has one.
    pub async fn close_attention(
        &self,
        caller: &Caller,
        id: &AttentionId,
        end: Option<DisputeEnd>,
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
        let refused = |detail| Err(Error::FailedPrecondition { detail, status: None });
        if let Some(ends_by) = ends_by {
            return refused(format!("it ends when {ends_by}"));
        }
        let end = match (matter.kind, end) {
            // That no bank has ever asked for it speaks for itself.
            (AttentionKind::ContestUnanswered, end) => Some(end.unwrap_or(DisputeEnd::Won)),
            (AttentionKind::DisputeOutcomeUnknown, None) => {
                return refused("its outcome has to be said: won, or lost".to_owned());
            }
            (AttentionKind::DisputeOutcomeUnknown, Some(end)) => Some(end),
            (_, None) => None,
            (_, Some(_)) => return refused("it has no outcome: only a dispute has".to_owned()),
        };
        let note = note.map(|note| note.as_str().to_owned());
        let closed = Closed { at: self.clock.now(), by: Some(caller.actor()), note };
        if let (Some(end), Some(invoice)) = (end, matter.invoice) {
            self.resolve_dispute(invoice, id, end, closed).await?;
        } else {
            let change = Change::AttentionClosed { id: id.clone(), closed };
            self.commit(ChangeSet::of([change]), None).await?;
        }
        // Somebody else's word may have been first.
        self.matter(id).await
    }

    /// What a person says of a dispute has its effect in the transaction that closes its matter.
    async fn resolve_dispute(
        &self,
        id: InvoiceId,
        matter: &AttentionId,
        end: DisputeEnd,
        closed: Closed,
    ) -> Result<(), Error> {
        let mut wallets = WalletNotes::default();
        for _ in 0..DECISIONS {
            let invoice = self.stored(id).await?;
            let known = self.known_disputes(&invoice).await?;
            let is_meant = |dispute: &&Dispute| dispute.matter().is_some_and(|open| open.id == *matter);
            let resolved = known.iter().find(is_meant).and_then(|dispute| {
                invoice
                    .dispute_resolved(&known, dispute, end, self.moment())
                    .map(|reduction| (dispute, reduction))
            });
            // The bank's word was first, and has closed it.
            let Some((dispute, reduction)) = resolved else { return Ok(()) };
            let after = match &closed.by {
                Some(by) => reduction.invoice.by(by, invoice.history.len()),
                None => reduction.invoice,
            };
            let change = Change::AttentionClosed { id: matter.clone(), closed: closed.clone() };
            let changes = ChangeSet::moved_and_settled(&invoice, after, reduction.transaction, &wallets)
                .and(ChangeSet::dispute_moved(dispute, reduction.dispute))
                .without_closing(matter)
                .and([change]);
            if let Committed::Written = self.commit_noting(changes, None, &mut wallets).await? {
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
