use crate::access::{Caller, Operation, Scope};
use crate::app::{App, Committed, DECISIONS};
use crate::change_set::ChangeSet;
use crate::error::Error;
use crate::idempotency::{Answer, Once, Reply};
use fatura_domain::id::InvoiceId;
use fatura_domain::invoice::{Invoice, RequeueError, Status};

impl App {
    /// Charges an invoice again that has failed, now and as patiently as the first time.
    pub async fn requeue_invoice(
        &self,
        caller: &Caller,
        id: InvoiceId,
        once: &Once,
        render: &(dyn Fn(&Invoice) -> Answer + Sync),
    ) -> Result<Reply, Error> {
        caller.may_in(Scope::ChargesWrite, Operation::OwnedBy(id.owner()))?;
        for _ in 0..DECISIONS {
            let now = self.clock.now();
            let (invoice, payer, policy) =
                futures::try_join!(self.stored(id), self.payer(id.owner()), self.policy())?;
            if !matches!(invoice.status(), Status::ChargedWithError | Status::Uncollectible) {
                let refusal = Error::FailedPrecondition {
                    detail: format!("an invoice that is {} cannot be requeued", invoice.status().as_str()),
                    status: Some(invoice.status().as_str()),
                };
                return once.replay_or(&*self.records.answers, refusal, now).await;
            }
            if let Err(refusal) = may_charge_again(caller, &invoice) {
                return once.replay_or(&*self.records.answers, refusal, now).await;
            }
            let requeued = match self.source_again(&payer, &invoice).await {
                Ok(Some(source)) => {
                    match invoice.barred_until(&source, payer.brand(source.method), &policy, now) {
                        Some(until) => Err(RequeueError::Barred(until).into()),
                        None => invoice.requeued(source, &policy, now).map_err(Error::from),
                    }
                }
                Ok(None) => Err(Error::NoPaymentMethod),
                Err(refusal) => Err(refusal),
            };
            let requeued = match requeued {
                Ok(requeued) => requeued.by(&caller.actor(), invoice.history.len()),
                Err(refusal) => return once.replay_or(&*self.records.answers, refusal, now).await,
            };
            let answer = render(&requeued);
            let changes =
                ChangeSet::moved(&invoice, requeued.clone()).and([once.answered(answer.clone(), now)]);
            match self.commit(changes, Some(once)).await? {
                Committed::Written => {
                    self.notify_if_due(&requeued).await;
                    return Ok(Reply { answer, replayed: false });
                }
                Committed::Replayed(reply) => return Ok(reply),
                Committed::Stale => {}
            }
        }
        Err(Error::Busy)
    }
}

/// What was declined for its risk was so by the shop's own will: only an operator says otherwise.
pub(crate) fn may_charge_again(caller: &Caller, earlier: &Invoice) -> Result<(), Error> {
    if earlier.was_refused_for_risk() {
        return caller.may_in(Scope::ChargesWrite, Operation::Operate);
    }
    Ok(())
}

impl From<RequeueError> for Error {
    fn from(error: RequeueError) -> Self {
        match error {
            RequeueError::Illegal(illegal) => illegal.into(),
            RequeueError::TooManyAttempts | RequeueError::Barred(_) => {
                Self::FailedPrecondition { detail: error.to_string(), status: None }
            }
        }
    }
}
