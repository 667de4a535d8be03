use crate::access::{Caller, Operation, Scope};
use crate::app::{App, Committed, DECISIONS};
use crate::change_set::{Change, ChangeSet};
use crate::customers::expect_version;
use crate::error::{Error, Fault};
use crate::idempotency::{Answer, Once, Reply};
use crate::payments::PayBy;
use crate::ports::{Message, Payer};
use fatura_domain::Timestamp;
use fatura_domain::customer::PaymentSource;
use fatura_domain::id::{CustomerId, InvoiceId, PaymentMethodId};
use fatura_domain::invoice::{AmendError, Cancellation, Content, Invoice, State, Status};
use fatura_domain::money::Money;

#[derive(Debug, Clone)]
pub struct CreateInvoice {
    pub customer: CustomerId,
    pub content: Content,
    pub payment_method: Option<PaymentMethodId>,
    pub charge_at: Option<Timestamp>,
    pub auto_charge: bool,
}

/// What a client changes of a draft. None leaves a thing as it is; `Some(None)` takes it away.
#[derive(Debug, Clone, Default)]
pub struct AmendInvoice {
    pub items: Option<Vec<fatura_domain::invoice::LineItem>>,
    pub description: Option<Option<fatura_domain::text::Description>>,
    pub metadata: Option<fatura_domain::text::Metadata>,
    pub payment_method: Option<Option<PaymentMethodId>>,
}

type Render<'a> = &'a (dyn Fn(&Invoice) -> Answer + Sync);

impl App {
    pub async fn create_invoice(
        &self,
        caller: &Caller,
        command: CreateInvoice,
        once: &Once,
        render: Render<'_>,
    ) -> Result<Reply, Error> {
        caller.may_in(Scope::InvoicesWrite, Operation::BillTo(command.customer))?;
        let moment = self.moment();
        if command.charge_at.is_some_and(|at| at <= moment.now) {
            let refusal = invalid("charge_at", "must be in the future");
            return once.replay_or(&*self.records.answers, refusal, moment.now).await;
        }
        let id = InvoiceId::new(command.customer, moment.now, moment.entropy);
        let draft = Invoice::draft(id, command.content, command.payment_method, moment.now)
            .map_err(|error| invalid("items", error.to_string()))?;

        let is_charged = command.auto_charge || command.charge_at.is_some();
        // Whoever has been read exists: customers are never deleted. Only a draft that names no method saves the read,
        // and has the transaction look instead.
        let (invoice, exists) = if is_charged || command.payment_method.is_some() {
            let (payer, policy) = futures::try_join!(self.payer(command.customer), self.policy())?;
            let charged = if is_charged {
                let source = self.source_if_owed(&payer, command.payment_method, None, draft.total).await;
                source.and_then(|source| Ok(draft.charged(source, command.charge_at, &policy, moment.now)?))
            } else {
                attached(&payer, command.payment_method).map(|()| draft)
            };
            let invoice = match charged {
                Ok(invoice) => invoice,
                Err(refusal) => return once.replay_or(&*self.records.answers, refusal, moment.now).await,
            };
            (Invoice { version: 1, ..invoice }, None)
        } else {
            (draft, Some(Change::CustomerExists(command.customer)))
        };

        let invoice = invoice.by(&caller.actor(), 0);
        let answer = render(&invoice);
        let changes = ChangeSet::of(exists)
            .and(ChangeSet::created(invoice.clone()))
            .and([once.answered(answer.clone(), moment.now)]);
        match self.commit(changes, Some(once)).await? {
            Committed::Written => {
                self.notify_if_due(&invoice).await;
                Ok(Reply { answer, replayed: false })
            }
            Committed::Replayed(reply) => Ok(reply),
            Committed::Stale => Err(Error::Busy),
        }
    }

    pub async fn amend_invoice(
        &self,
        caller: &Caller,
        id: InvoiceId,
        amendment: AmendInvoice,
        if_version: Option<u64>,
    ) -> Result<Invoice, Error> {
        caller.may_in(Scope::InvoicesWrite, Operation::BillTo(id.owner()))?;
        if let Some(Some(method)) = amendment.payment_method {
            attached(&self.payer(id.owner()).await?, Some(method))?;
        }
        for _ in 0..DECISIONS {
            let invoice = self.stored(id).await?;
            expect_version(if_version, invoice.version)?;
            let now = self.clock.now();
            let content = Content {
                currency: invoice.content.currency,
                items: amendment.items.clone().unwrap_or_else(|| invoice.content.items.clone()),
                description: amendment
                    .description
                    .clone()
                    .unwrap_or_else(|| invoice.content.description.clone()),
                metadata: amendment.metadata.clone().unwrap_or_else(|| invoice.content.metadata.clone()),
            };
            let method = amendment.payment_method.unwrap_or_else(|| invoice.payment_method());
            let amended = invoice.amended(content, method, now).map_err(|error| match error {
                AmendError::NotADraft(status) => {
                    Error::FailedPrecondition { detail: error.to_string(), status: Some(status.as_str()) }
                }
                AmendError::Money(error) => invalid("items", error.to_string()),
            })?;
            if let Committed::Written = self.commit(ChangeSet::moved(&invoice, amended.clone()), None).await?
            {
                return Ok(amended);
            }
        }
        Err(Error::Busy)
    }

    pub async fn charge_invoice(
        &self,
        caller: &Caller,
        id: InvoiceId,
        by: PayBy,
        once: &Once,
        render: Render<'_>,
    ) -> Result<Reply, Error> {
        caller.may_in(Scope::ChargesWrite, Operation::OwnedBy(id.owner()))?;
        let method = match by {
            PayBy::Method(method) => method,
            PayBy::Wallet => return self.pay_from_wallet(caller, id, once, render).await,
        };
        for _ in 0..DECISIONS {
            let now = self.clock.now();
            let (invoice, payer, policy) =
                futures::try_join!(self.stored(id), self.payer(id.owner()), self.policy())?;
            if invoice.status() != Status::Draft {
                let refusal = Error::FailedPrecondition {
                    detail: format!("an invoice that is {} cannot be charged", invoice.status().as_str()),
                    status: Some(invoice.status().as_str()),
                };
                return once.replay_or(&*self.records.answers, refusal, now).await;
            }
            let source = self.source_if_owed(&payer, method, invoice.payment_method(), invoice.total).await;
            let charged = match source.and_then(|source| Ok(invoice.charged(source, None, &policy, now)?)) {
                Ok(charged) => charged,
                Err(refusal) => return once.replay_or(&*self.records.answers, refusal, now).await,
            };
            let charged = charged.by(&caller.actor(), invoice.history.len());
            let answer = render(&charged);
            let changes =
                ChangeSet::moved(&invoice, charged.clone()).and([once.answered(answer.clone(), now)]);
            match self.commit(changes, Some(once)).await? {
                Committed::Written => {
                    self.notify_if_due(&charged).await;
                    return Ok(Reply { answer, replayed: false });
                }
                Committed::Replayed(reply) => return Ok(reply),
                Committed::Stale => {}
            }
        }
        Err(Error::Busy)
    }

    /// Cancels at once where nothing is live at the gateway; else the gateway is asked to void it first.
    pub async fn cancel_invoice(
        &self,
        caller: &Caller,
        id: InvoiceId,
        once: Option<&Once>,
        render: Render<'_>,
    ) -> Result<Reply, Error> {
        caller.may_in(Scope::InvoicesWrite, Operation::BillTo(id.owner()))?;
        for _ in 0..DECISIONS {
            let now = self.clock.now();
            let invoice = self.stored(id).await?;
            let (changes, after) = match invoice.canceled(now) {
                Ok(Cancellation::Done(mut reduction)) => {
                    let after = reduction.invoice.by(&caller.actor(), invoice.history.len());
                    reduction.invoice = after.clone();
                    (ChangeSet::from_reduction(&invoice, *reduction), after)
                }
                Ok(Cancellation::Requested(after)) => (ChangeSet::moved(&invoice, (*after).clone()), *after),
                // Nothing to change, and this request's answer to keep: asked again it is the same one.
                Ok(Cancellation::AlreadyRequested) => (ChangeSet::default(), invoice.clone()),
                Err(illegal) => {
                    return match once {
                        Some(once) => once.replay_or(&*self.records.answers, illegal.into(), now).await,
                        None => Err(illegal.into()),
                    };
                }
            };
            let answer = render(&after);
            let answered = once.map(|once| once.answered(answer.clone(), now));
            match self.commit(changes.and(answered), once).await? {
                Committed::Written => {
                    self.notify_if_due(&after).await;
                    return Ok(Reply { answer, replayed: false });
                }
                Committed::Replayed(reply) => return Ok(reply),
                Committed::Stale => {}
            }
        }
        Err(Error::Busy)
    }

    pub(crate) async fn stored(&self, id: InvoiceId) -> Result<Invoice, Error> {
        self.records.invoices.invoice(id).await?.ok_or(Error::NotFound)
    }

    pub(crate) async fn payer(&self, id: CustomerId) -> Result<Payer, Error> {
        self.records.customers.payer(id).await?.ok_or(Error::NotFound)
    }

    /// What to charge again: the method that failed, as it is now, else the customer's default.
    pub(crate) async fn source_again(
        &self,
        payer: &Payer,
        invoice: &Invoice,
    ) -> Result<Option<PaymentSource>, Error> {
        let same = invoice.method_to_retry();
        let is_attached = |id: &PaymentMethodId| payer.methods.iter().any(|method| method.id == *id);
        self.source(payer, same.filter(is_attached), None, invoice.total).await
    }

    /// The same, where no gateway has to be asked for nothing.
    pub(crate) async fn source_if_owed(
        &self,
        payer: &Payer,
        requested: Option<PaymentMethodId>,
        of_invoice: Option<PaymentMethodId>,
        amount: Money,
    ) -> Result<Option<PaymentSource>, Error> {
        match self.source(payer, requested, of_invoice, amount).await {
            Err(Error::NoGateway) if amount.is_zero() => Ok(None),
            source => source,
        }
    }

    /// What to charge: the method that the request names, else the invoice's, else the customer's default. One that was
    /// named and is gone isn't replaced by another behind the client's back.
    pub(crate) async fn source(
        &self,
        payer: &Payer,
        requested: Option<PaymentMethodId>,
        of_invoice: Option<PaymentMethodId>,
        amount: Money,
    ) -> Result<Option<PaymentSource>, Error> {
        let find = |id| payer.methods.iter().find(|method| method.id == id);
        let method =
            match (requested, of_invoice, payer.customer.default_payment_method) {
                (Some(id), _, _) => Some(find(id).ok_or_else(|| {
                    invalid("payment_method_id", "is not a payment method of this customer")
                })?),
                (None, Some(id), _) => Some(find(id).ok_or(Error::NoPaymentMethod)?),
                (None, None, Some(id)) => find(id),
                (None, None, None) => None,
            };
        match method {
            Some(method) => self.source_of(method, amount).await.map(Some),
            None => Ok(None),
        }
    }

    pub(crate) async fn notify_if_due(&self, invoice: &Invoice) {
        if let State::Pending(collection) = &invoice.state
            && collection.scheduled_for.is_none()
        {
            self.notify(Message::about(invoice)).await;
        }
    }
}

pub(crate) fn invalid(field: &str, reason: impl Into<String>) -> Error {
    Error::Invalid(vec![Fault::new(field, reason)])
}

fn attached(payer: &Payer, method: Option<PaymentMethodId>) -> Result<(), Error> {
    let is_attached = |id: PaymentMethodId| payer.methods.iter().any(|attached| attached.id == id);
    if method.is_none_or(is_attached) {
        Ok(())
    } else {
        Err(invalid("payment_method_id", "is not a payment method of this customer"))
    }
}
