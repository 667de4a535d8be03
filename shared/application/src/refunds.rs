use crate::access::{Caller, Operation, Scope};
use crate::app::{App, CONTENDED_DECISIONS, Committed};
use crate::change_set::{Change, ChangeSet};
use crate::error::{Error, Fault};
use crate::idempotency::{Answer, Once, Reply};
use crate::ports::{Gateway, Message, Page, PageRequest};
use crate::reads::ListFailure;
use crate::wallet_notes::WalletNotes;
use fatura_domain::Timestamp;
use fatura_domain::bug::Bug;
use fatura_domain::charge::{Failure, FailureClass};
use fatura_domain::gateway::{RefundOutcome, RefundRequest};
use fatura_domain::id::{InvoiceId, RefundId};
use fatura_domain::invoice::{Invoice, RefundError, RefundReduced};
use fatura_domain::money::Money;
use fatura_domain::refund::{Refund, RefundState};
use fatura_domain::text::Text;

#[derive(Debug, Clone)]
pub struct RequestRefund {
    pub invoice: InvoiceId,
    pub amount: RefundAmount,
    pub reason: Option<Text<500>>,
}

#[derive(Debug, Clone)]
pub enum RefundAmount {
    AllThatIsLeft,
    Exactly(Money),
    /// A decimal of the invoice's currency, whichever that is.
    InItsCurrency(String),
}

impl RefundAmount {
    fn of(&self, invoice: &Invoice) -> Result<Option<Money>, Error> {
        match self {
            Self::AllThatIsLeft => Ok(None),
            Self::Exactly(money) => Ok(Some(*money)),
            Self::InItsCurrency(decimal) => Money::parse(decimal, invoice.content.currency)
                .map(Some)
                .map_err(|error| Error::Invalid(vec![Fault::new("amount", error.to_string())])),
        }
    }
}

impl App {
    /// Reserves the amount on the invoice and makes the order, together; the consumer sends it.
    pub async fn request_refund(
        &self,
        caller: &Caller,
        command: RequestRefund,
        once: &Once,
        render: &(dyn Fn(&Refund) -> Answer + Sync),
    ) -> Result<Reply, Error> {
        self.refund(caller, command, |_| true, once, render).await
    }

    /// The same of a payment, which is an invoice; of one that isn't, there is no payment.
    pub async fn refund_payment(
        &self,
        caller: &Caller,
        command: RequestRefund,
        once: &Once,
        render: &(dyn Fn(&Refund) -> Answer + Sync),
    ) -> Result<Reply, Error> {
        self.refund(caller, command, |invoice| invoice.split.is_some(), once, render).await
    }

    async fn refund(
        &self,
        caller: &Caller,
        command: RequestRefund,
        is_meant: fn(&Invoice) -> bool,
        once: &Once,
        render: &(dyn Fn(&Refund) -> Answer + Sync),
    ) -> Result<Reply, Error> {
        caller.may_in(Scope::RefundsWrite, Operation::BillTo(command.invoice.owner()))?;
        let mut wallets = WalletNotes::default();
        for _ in 0..CONTENDED_DECISIONS {
            let moment = self.moment();
            let (invoice, policy) = futures::try_join!(self.stored(command.invoice), self.policy())?;
            if !is_meant(&invoice) {
                return Err(Error::NotFound);
            }
            let id = RefundId::new(command.invoice.owner(), moment.now, moment.entropy);
            let amount = command.amount.of(&invoice)?;
            let (by, reason) = (caller.actor(), command.reason.clone());
            let asked = if invoice.is_paid_from_wallet() {
                let back = invoice.refunded_to_wallet(id, amount, reason, &by, &policy, moment);
                back.map(|(after, refund, transaction)| (after, refund, Some(transaction)))
            } else {
                let ordered = invoice.refunding(id, amount, reason, &policy, moment.now);
                ordered.map(|(after, refund)| (after, refund, None))
            };
            let (after, refund, transaction) = match asked {
                Ok(ordered) => ordered,
                Err(refusal) => {
                    return once.replay_or(&*self.records.answers, refusal.into(), moment.now).await;
                }
            };
            let answer = render(&refund);
            let after = after.by(&by, invoice.history.len());
            let booked = transaction.map(|transaction| ChangeSet::settled(&after, transaction, &wallets));
            let reservation = if Bug::RefundBoundOnlyRead.is_planted() {
                ChangeSet::default()
            } else {
                ChangeSet::moved(&invoice, after)
            };
            let changes = reservation
                .and(booked.into_iter().flatten())
                .and([Change::RefundRequested(refund.clone()), once.answered(answer.clone(), moment.now)]);
            match self.commit_noting(changes, Some(once), &mut wallets).await? {
                Committed::Written => {
                    if matches!(refund.state, RefundState::Pending { .. }) {
                        self.notify(Message::about_refund(&refund)).await;
                    }
                    return Ok(Reply { answer, replayed: false });
                }
                Committed::Replayed(reply) => return Ok(reply),
                Committed::Stale => {
                    if let Some(refusal) = wallets.refusal_of(invoice.customer()) {
                        return Err(refusal.clone().into());
                    }
                }
            }
        }
        Err(Error::Busy)
    }

    pub async fn refunds(
        &self,
        caller: &Caller,
        invoice: InvoiceId,
        page: PageRequest,
    ) -> Result<Page<Refund>, ListFailure> {
        let invoice = self.invoice(caller, invoice).await?;
        Ok(self.records.refunds.of_invoice(&invoice, page).await?)
    }

    /// Sends the order for a refund, again if need be: one key, one refund.
    pub(crate) async fn send_refund(&self, id: RefundId, version: u64) -> Result<(), Error> {
        let Some(refund) = self.records.refunds.refund(id).await? else { return Ok(()) };
        if refund.version != version || !matches!(refund.state, RefundState::Pending { .. }) {
            tracing::debug!(refund = %id, "message is void");
            return Ok(());
        }
        let Some((name, request)) = refund.request() else { return Ok(()) };
        let outcome = match self.gateways.get(name) {
            Some(gateway) => order_once(gateway.as_ref(), &refund, request, self.clock.now()).await,
            None => RefundOutcome::Unclear {
                failure: Failure::new(
                    FailureClass::Configuration,
                    "no_such_gateway",
                    "the gateway is not configured",
                ),
            },
        };
        self.observe_refund(refund, &outcome, &[]).await
    }

    /// The gateway's word about a refund that a webhook told of.
    pub(crate) async fn ask_about_refund(
        &self,
        gateway: &dyn Gateway,
        id: RefundId,
        beside: &[Change],
    ) -> Result<bool, Error> {
        let refund = self.records.refunds.refund(id).await?;
        let asked = refund.and_then(|refund| refund.request().map(|(_, request)| (refund.clone(), request)));
        let Some((refund, request)) = asked else {
            self.commit(ChangeSet::of(beside.iter().cloned()), None).await?;
            return Ok(true);
        };
        match gateway.fetch_refund(&request).await {
            Some(RefundOutcome::Unclear { .. }) => Ok(false),
            Some(outcome) => self.observe_refund(refund, &outcome, beside).await.map(|()| true),
            None => {
                self.commit(ChangeSet::of(beside.iter().cloned()), None).await?;
                Ok(true)
            }
        }
    }

    /// `beside` is written with the effect, or alone if there is none.
    pub(crate) async fn observe_refund(
        &self,
        mut refund: Refund,
        outcome: &RefundOutcome,
        beside: &[Change],
    ) -> Result<(), Error> {
        let policy = self.policy().await?;
        let mut wallets = WalletNotes::default();
        for _ in 0..CONTENDED_DECISIONS {
            let before = self.stored(refund.invoice).await?;
            let changes = match before.observe_refund(&refund, outcome, &policy, self.moment()) {
                RefundReduced::AlreadyApplied if beside.is_empty() => return Ok(()),
                RefundReduced::AlreadyApplied => ChangeSet::default(),
                RefundReduced::Applied { refund: next, invoice, transaction } => {
                    let transaction = transaction.map(|transaction| *transaction);
                    let moved = invoice
                        .map(|after| ChangeSet::moved_and_settled(&before, *after, transaction, &wallets));
                    ChangeSet::refund_moved(&refund, *next).and(moved.into_iter().flatten())
                }
            };
            let changes = changes.and(beside.iter().cloned());
            if let Committed::Written = self.commit_noting(changes, None, &mut wallets).await? {
                return Ok(());
            }
            refund = self.records.refunds.refund(refund.id).await?.ok_or(Error::NotFound)?;
        }
        Err(Error::Busy)
    }
}

/// What went out before may have arrived: then it is asked about, and sent again only if it is surely not there, or if the
/// key still makes both orders one and nobody can be asked.
async fn order_once(
    gateway: &dyn Gateway,
    refund: &Refund,
    mut request: RefundRequest,
    now: Timestamp,
) -> RefundOutcome {
    if Bug::RefundUnderFreshKey.is_planted()
        && let RefundState::Pending { sends, .. } = refund.state
    {
        request.refund = RefundId::new(refund.id.owner(), now, sends.into());
    }
    let has_gone_out = matches!(refund.state, RefundState::Pending { sends: 1.., .. });
    let is_recognised =
        || now.duration_since(refund.created_at) < gateway.capabilities().idempotency_key_lifetime;
    if has_gone_out
        && (gateway.can_be_asked() || !is_recognised())
        && let Some(outcome) = gateway.fetch_refund(&request).await
    {
        return outcome;
    }
    gateway.refund(&request).await
}

impl From<RefundError> for Error {
    fn from(error: RefundError) -> Self {
        let detail = error.to_string();
        match error {
            RefundError::NotPaid(status) => {
                Self::FailedPrecondition { detail, status: Some(status.as_str()) }
            }
            RefundError::NothingCharged | RefundError::TooLate(_) => {
                Self::FailedPrecondition { detail, status: None }
            }
            RefundError::TooMuch(_) | RefundError::NotPositive | RefundError::OtherCurrency => {
                Self::Invalid(vec![Fault::new("amount", detail)])
            }
        }
    }
}
