use crate::access::{Caller, Operation, Scope};
use crate::app::{App, Committed, DECISIONS};
use crate::change_set::{Change, ChangeSet};
use crate::error::Error;
use crate::idempotency::{Answer, Once, Reply};
use crate::ports::{ChargeLookup, Gateway, ListError, Page, PageRequest, WebhookEvent};
use crate::process_webhook::NO_INVOICE;
use crate::reads::ListFailure;
use crate::wallet_notes::WalletNotes;
use fatura_domain::bug::Bug;
use fatura_domain::dispute::{ContestReason, Dispute, DisputeState};
use fatura_domain::gateway::{DisputeOutcome, DisputeStanding, GatewayName, GatewayReference};
use fatura_domain::id::{AttemptId, DisputeId, InvoiceId};
use fatura_domain::invoice::{ContestError, DisputeReduced, Invoice};
use fatura_domain::text::Text;
use std::cmp::Reverse;

const MOST_DISPUTES: usize = 100;
pub(crate) const OTHERS_DISPUTE: &str = "it tells of a dispute about another charge than the payment";

/// About which charge a gateway tells of a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    Payment,
    /// The attempt's own charge, of which we haven't heard.
    NotYetTold,
    /// An orphan, or what never was ours.
    Others,
}

pub(crate) fn whose(
    invoice: &Invoice,
    gateway: &GatewayName,
    attempt: AttemptId,
    reference: Option<&GatewayReference>,
) -> Whose {
    let paid = invoice.state.payment().and_then(|payment| payment.charge.as_ref());
    let is_payment = paid.is_some_and(|paid| {
        paid.gateway == *gateway
            && paid.attempt == attempt.number
            && reference.is_none_or(|reference| paid.reference == *reference)
    });
    let is_live = invoice.state.live_attempt().is_some_and(|live| live.number == attempt.number);
    let is_booked = reference.is_some_and(|reference| invoice.booked_of(gateway, reference).is_some());
    match (is_payment, is_live && !is_booked) {
        (true, _) => Whose::Payment,
        (false, true) => Whose::NotYetTold,
        (false, false) => Whose::Others,
    }
}

#[derive(Debug, Clone)]
pub struct Contest {
    pub invoice: InvoiceId,
    pub reason: ContestReason,
    pub note: Option<Text<500>>,
}

impl App {
    /// The customer says that a payment isn't right: the invoice is in protest until the gateway says how it ends.
    pub async fn contest_invoice(
        &self,
        caller: &Caller,
        command: Contest,
        once: &Once,
        render: &(dyn Fn(&Invoice) -> Answer + Sync),
    ) -> Result<Reply, Error> {
        caller.may_in(Scope::DisputesWrite, Operation::OwnedBy(command.invoice.owner()))?;
        for _ in 0..DECISIONS {
            let moment = self.moment();
            let (invoice, policy) = futures::try_join!(self.stored(command.invoice), self.policy())?;
            let contested = invoice.contested(command.reason, command.note.clone(), &policy, moment);
            let (protested, dispute) = match contested {
                Ok(contested) => contested,
                Err(refusal) => {
                    return once.replay_or(&*self.records.answers, refusal.into(), moment.now).await;
                }
            };
            let protested = protested.by(&caller.actor(), invoice.history.len());
            let answer = render(&protested);
            let changes = ChangeSet::moved(&invoice, protested)
                .and([Change::DisputeOpened(dispute), once.answered(answer.clone(), moment.now)]);
            match self.commit(changes, Some(once)).await? {
                Committed::Written => return Ok(Reply { answer, replayed: false }),
                Committed::Replayed(reply) => return Ok(reply),
                Committed::Stale => {}
            }
        }
        Err(Error::Busy)
    }

    pub async fn disputes(
        &self,
        caller: &Caller,
        invoice: InvoiceId,
        page: PageRequest,
    ) -> Result<Page<Dispute>, ListFailure> {
        let invoice = self.invoice(caller, invoice).await?;
        Ok(self.records.disputes.disputes_of(&invoice, page).await?)
    }

    /// Asks the gateway how a dispute stands.
    pub(crate) async fn review_dispute(&self, id: DisputeId, version: u64) -> Result<(), Error> {
        let Some(dispute) = self.records.disputes.dispute(id).await? else { return Ok(()) };
        if dispute.version != version || !matches!(dispute.state, DisputeState::Open { .. }) {
            tracing::debug!(dispute = %id, "message is void");
            return Ok(());
        }
        let invoice = self.stored(dispute.invoice).await?;
        let Some(charge) = invoice.state.payment().and_then(|payment| payment.charge.as_ref()) else {
            return Ok(());
        };
        let Some(gateway) = self.gateways.get(&charge.gateway) else { return Ok(()) };
        let attempt = invoice.attempt_id(charge.attempt);
        let lookup = ChargeLookup { attempt, reference: Some(charge.reference.clone()) };
        // Silence, or no case yet: the sweep asks again in a day.
        let DisputeOutcome::Told(told) = gateway.fetch_dispute(&lookup).await else { return Ok(()) };
        let missed = dispute.missed(&told, self.clock.now());
        self.observe_disputes(dispute.invoice, told, &[]).await?;
        if let Some(missed) = missed {
            // Whoever was faster has had word of it.
            self.commit(ChangeSet::dispute_moved(&dispute, missed), None).await?;
        }
        Ok(())
    }

    /// Puts the gateway's word about a webhook's charge on the books. False: it could not say. `done` is written with the
    /// effect, or alone if there is none.
    pub(crate) async fn ask_about_dispute(
        &self,
        event: &WebhookEvent,
        gateway: &dyn Gateway,
        lookup: &ChargeLookup,
        done: Change,
    ) -> Result<bool, Error> {
        let ChargeLookup { attempt, reference } = lookup;
        let outcome = gateway.fetch_dispute(lookup).await;
        let invoice = self.records.invoices.invoice(attempt.invoice).await?;
        let whose = invoice.map(|invoice| whose(&invoice, &event.gateway, *attempt, reference.as_ref()));
        let (told, detail) = match (outcome, whose) {
            // Asked again, it may know its own charge.
            (DisputeOutcome::Unclear { .. }, _) | (DisputeOutcome::Uncharged, Some(Whose::Payment)) => {
                return Ok(false);
            }
            (DisputeOutcome::Uncharged, _) => (Vec::new(), OTHERS_DISPUTE),
            (DisputeOutcome::Told(told), Some(Whose::NotYetTold)) if !told.is_empty() => return Ok(false),
            (DisputeOutcome::Told(told), Some(Whose::Payment)) => {
                self.observe_disputes(attempt.invoice, told, &[done]).await?;
                return Ok(true);
            }
            (DisputeOutcome::Told(told), Some(_)) => (told, OTHERS_DISPUTE),
            (DisputeOutcome::Told(told), None) => (told, NO_INVOICE),
        };
        if let Some(standing) = told.first() {
            let invoice = whose.map(|_| attempt.invoice);
            self.doubted(event, invoice, standing.amount, detail).await?;
        }
        self.commit(ChangeSet::of([done]), None).await?;
        Ok(true)
    }

    /// One after the other, first the one that a contest with us is most likely about, and `beside` with the last.
    async fn observe_disputes(
        &self,
        id: InvoiceId,
        mut told: Vec<DisputeStanding>,
        beside: &[Change],
    ) -> Result<(), Error> {
        told.sort_by_key(|standing| Reverse(standing.status));
        if Bug::CaseUnseen.is_planted() {
            told.truncate(1);
        }
        let Some((last, others)) = told.split_last() else {
            return self.commit(ChangeSet::of(beside.iter().cloned()), None).await.map(drop);
        };
        for standing in others {
            self.observe_dispute(id, standing, &[]).await?;
        }
        self.observe_dispute(id, last, beside).await
    }

    /// An invoice's disputes, newest first: one as a rule, and never many.
    pub(crate) async fn known_disputes(&self, invoice: &Invoice) -> Result<Vec<Dispute>, Error> {
        if invoice.dispute.is_none() {
            return Ok(Vec::new());
        }
        let page = PageRequest { limit: MOST_DISPUTES, after: None };
        match self.records.disputes.disputes_of(invoice, page).await {
            Ok(page) => Ok(page.data),
            Err(ListError::Store(error)) => Err(error.into()),
            Err(ListError::BadPosition) => Ok(Vec::new()),
        }
    }

    pub(crate) async fn observe_dispute(
        &self,
        id: InvoiceId,
        standing: &DisputeStanding,
        beside: &[Change],
    ) -> Result<(), Error> {
        let policy = self.policy().await?;
        let mut wallets = WalletNotes::default();
        for _ in 0..DECISIONS {
            let changes = match self.records.invoices.invoice(id).await? {
                None => ChangeSet::default(),
                Some(invoice) => {
                    let known = self.known_disputes(&invoice).await?;
                    match invoice.observe_dispute(&known, standing, &policy, self.moment()) {
                        DisputeReduced::AlreadyApplied => ChangeSet::default(),
                        DisputeReduced::Applied(reduction) => {
                            let dispute = reduction.dispute;
                            let before = known.iter().find(|before| before.id == dispute.id);
                            let dispute = match before {
                                Some(before) => ChangeSet::dispute_moved(before, dispute),
                                None => ChangeSet::of([Change::DisputeOpened(dispute)]),
                            };
                            let (after, transaction) = (reduction.invoice, reduction.transaction);
                            ChangeSet::moved_and_settled(&invoice, after, transaction, &wallets)
                                .and(dispute)
                                .and(reduction.matter.map(Change::AttentionRaised))
                        }
                    }
                }
            };
            let changes = changes.and(beside.iter().cloned());
            if let Committed::Written = self.commit_noting(changes, None, &mut wallets).await? {
                return Ok(());
            }
        }
        Err(Error::Busy)
    }
}

impl From<ContestError> for Error {
    fn from(error: ContestError) -> Self {
        match error {
            ContestError::Illegal(illegal) => illegal.into(),
            ContestError::NothingCharged => {
                Self::FailedPrecondition { detail: error.to_string(), status: None }
            }
        }
    }
}
