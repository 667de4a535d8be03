use crate::access::{Caller, Operation};
use crate::app::{App, Committed, DECISIONS};
use crate::change_set::{Change, ChangeSet};
use crate::error::{Error, Fault};
use crate::idempotency::{Answer, Once, Reply};
use crate::ports::{Message, Payer};
use fatura_domain::customer::{Card, Customer, Detachment, Expiry, Instrument, PaymentMethod, Profile};
use fatura_domain::gateway::{GatewayName, PixKey, StoreOutcome, StoreRequest, Token};
use fatura_domain::id::{CustomerId, PaymentMethodId};
use fatura_domain::invoice::Invoice;
use fatura_domain::text::Text;
use std::collections::BTreeMap;

/// Invoices that one transaction takes beside the method: at most four writes each.
const AT_ONCE: usize = 20;
const MOST_TIMES: usize = 50;

#[derive(Debug, Clone)]
pub struct AddPaymentMethod {
    pub customer: CustomerId,
    pub instrument: NewInstrument,
    pub make_default: bool,
}

#[derive(Debug, Clone)]
pub enum NewInstrument {
    CreditCard {
        /// None: the one that cards go to by default.
        gateway: Option<GatewayName>,
        token: Token,
        brand: Option<Text<40>>,
        last4: Option<String>,
        expiry: Option<Expiry>,
    },
    Pix(PixKey),
}

impl App {
    /// `render` is told whether the method became the default.
    pub async fn add_payment_method(
        &self,
        caller: &Caller,
        command: AddPaymentMethod,
        once: &Once,
        render: &(dyn Fn(&PaymentMethod, bool) -> Answer + Sync),
    ) -> Result<Reply, Error> {
        caller.may(Operation::OwnedBy(command.customer))?;
        let moment = self.moment();
        let id = PaymentMethodId::new(command.customer, moment.now, moment.entropy);
        let instrument = match self.instrument(id, command.instrument).await {
            Ok(instrument) => instrument,
            // A token that is good for one use is refused when it comes again, and the first answer still stands.
            Err(refusal) => return once.replay_or(&*self.records.answers, refusal, moment.now).await,
        };
        let method = PaymentMethod { id, instrument, created_at: moment.now };
        for _ in 0..DECISIONS {
            let (before, waiting) = futures::try_join!(
                self.records.customers.customer(command.customer),
                self.records.invoices.awaiting_method(command.customer, AT_ONCE),
            )?;
            let before = before.ok_or(Error::NotFound)?;
            let after = before.with_added(id, command.make_default, moment.now);
            let answer = render(&method, after.default_payment_method == Some(id));
            let (charged, messages) = self.charged_by(caller, &method, waiting).await?;
            let changes = ChangeSet::of([
                Change::PaymentMethodAdded(method.clone()),
                Change::CustomerChanged { before, after },
                once.answered(answer.clone(), moment.now),
            ]);
            match self.commit(changes.and(charged), Some(once)).await? {
                Committed::Written => {
                    self.notify_all(&messages).await;
                    self.charge_more_by(caller, &method, messages.len()).await?;
                    return Ok(Reply { answer, replayed: false });
                }
                Committed::Replayed(reply) => {
                    // Whoever answered may have died before all was charged that waited.
                    let payer = self.payer(command.customer).await?;
                    if let Some(newest) = payer.methods.first() {
                        self.charge_more_by(caller, newest, AT_ONCE).await?;
                    }
                    return Ok(reply);
                }
                Committed::Stale => {}
            }
        }
        Err(Error::Busy)
    }

    /// What waited for another payment method, charged by this one: changes to be written with it, and their messages.
    async fn charged_by(
        &self,
        caller: &Caller,
        method: &PaymentMethod,
        waiting: Vec<Invoice>,
    ) -> Result<(ChangeSet, Vec<Message>), Error> {
        let (policy, now) = (self.policy().await?, self.clock.now());
        let mut changes = ChangeSet::default();
        let mut messages = Vec::new();
        for invoice in waiting {
            let source = match self.source_of(method, invoice.total).await {
                Ok(source) => source,
                // Nothing takes it in this currency: the invoice waits on.
                Err(Error::NoGateway) => continue,
                Err(error) => return Err(error),
            };
            let Some(charged) = invoice.charged_by_new_method(source, &policy, now) else { continue };
            let charged = charged.by(&caller.actor(), invoice.history.len());
            messages.push(Message::about(&charged));
            changes = changes.and(ChangeSet::moved(&invoice, charged));
        }
        Ok((changes, messages))
    }

    /// The rest of them, where there are more than one transaction holds.
    async fn charge_more_by(
        &self,
        caller: &Caller,
        method: &PaymentMethod,
        mut charged: usize,
    ) -> Result<(), Error> {
        for _ in 0..MOST_TIMES {
            if charged < AT_ONCE {
                break;
            }
            let waiting = self.records.invoices.awaiting_method(method.id.owner(), AT_ONCE).await?;
            let (changes, messages) = self.charged_by(caller, method, waiting).await?;
            charged = messages.len();
            if charged == 0 {
                break;
            }
            if let Committed::Written = self.commit(changes, None).await? {
                self.notify_all(&messages).await;
            }
        }
        Ok(())
    }

    async fn instrument(&self, id: PaymentMethodId, new: NewInstrument) -> Result<Instrument, Error> {
        match new {
            NewInstrument::Pix(key) => Ok(Instrument::Pix(key)),
            NewInstrument::CreditCard { gateway, token, brand, last4, expiry } => {
                let gateway = match gateway {
                    Some(named) => Some(named).filter(|name| self.gateways.get(name).is_some()),
                    None => self.gateway_for_new_card().await?,
                };
                let gateway = gateway.ok_or_else(|| {
                    Error::Invalid(vec![Fault::new("gateway", "must be a gateway that takes cards here")])
                })?;
                let owner = self.records.customers.customer(id.owner()).await?.ok_or(Error::NotFound)?;
                let token = self.kept_at(&gateway, &owner, id, token).await?;
                let others = BTreeMap::new();
                Ok(Instrument::CreditCard(Card { gateway, token, others, brand, last4, expiry }))
            }
        }
    }

    /// By what a gateway charges a card later, which its own form has given a token for.
    async fn kept_at(
        &self,
        name: &GatewayName,
        owner: &Customer,
        method: PaymentMethodId,
        token: Token,
    ) -> Result<Token, Error> {
        let gateway = self.gateways.get(name).ok_or(Error::NotFound)?;
        let Profile { name: payer, email, .. } = &owner.profile;
        let (name, email) = (payer.as_str().to_owned(), email.as_str().to_owned());
        let request = StoreRequest { method, customer: owner.id, name, email, token };
        match gateway.store_method(&request).await {
            StoreOutcome::Stored(token) => Ok(token),
            StoreOutcome::Declined { failure } => {
                let reason = format!("was refused by {}: {}", gateway.name(), failure.message);
                Err(Error::Invalid(vec![Fault::new("token", reason)]))
            }
            StoreOutcome::Unclear { failure } => {
                tracing::warn!(gateway = %gateway.name(), code = failure.code, "card not kept");
                Err(Error::Unavailable(format!("{}: {}", gateway.name(), failure.message).into()))
            }
        }
    }

    /// Lets one more gateway charge a card that another one holds.
    pub async fn hold_also(
        &self,
        caller: &Caller,
        method: PaymentMethodId,
        gateway: &GatewayName,
        token: Token,
    ) -> Result<(PaymentMethod, bool), Error> {
        let customer = method.owner();
        let (owner, known) = self.own_method(caller, method).await?;
        known.also_held_by(gateway, token.clone())?;
        let token = self.kept_at(gateway, &owner, method, token).await?;
        for _ in 0..DECISIONS {
            let (before, known) = self.own_method(caller, method).await?;
            let held = known.also_held_by(gateway, token.clone())?;
            let after = before.touched(self.clock.now());
            let is_default = after.default_payment_method == Some(method);
            let changes = ChangeSet::of([
                Change::PaymentMethodReplaced(held.clone()),
                Change::CustomerChanged { before, after },
            ]);
            if let Committed::Written = self.commit(changes, None).await? {
                return Ok((held, is_default));
            }
        }
        tracing::warn!(%customer, %method, "a token is kept at the gateway and not here");
        Err(Error::Busy)
    }

    async fn own_method(
        &self,
        caller: &Caller,
        method: PaymentMethodId,
    ) -> Result<(Customer, PaymentMethod), Error> {
        let payer = self.payment_methods(caller, method.owner()).await?;
        let found = payer.methods.into_iter().find(|known| known.id == method).ok_or(Error::NotFound)?;
        Ok((payer.customer, found))
    }

    /// The customer with all attached methods, newest first.
    pub async fn payment_methods(&self, caller: &Caller, customer: CustomerId) -> Result<Payer, Error> {
        caller.may(Operation::OwnedBy(customer))?;
        self.records.customers.payer(customer).await?.ok_or(Error::NotFound)
    }

    pub async fn set_default_payment_method(
        &self,
        caller: &Caller,
        customer: CustomerId,
        method: PaymentMethodId,
    ) -> Result<PaymentMethod, Error> {
        for _ in 0..DECISIONS {
            let payer = self.payment_methods(caller, customer).await?;
            let found =
                payer.methods.into_iter().find(|candidate| candidate.id == method).ok_or(Error::NotFound)?;
            if payer.customer.default_payment_method == Some(method) {
                // Whoever made it so may have died before all was charged that waited.
                self.charge_more_by(caller, &found, AT_ONCE).await?;
                return Ok(found);
            }
            let after = payer.customer.with_default(method, self.clock.now());
            let waiting = self.records.invoices.awaiting_method(customer, AT_ONCE).await?;
            let (charged, messages) = self.charged_by(caller, &found, waiting).await?;
            let changes = ChangeSet::of([Change::CustomerChanged { before: payer.customer, after }]);
            if let Committed::Written = self.commit(changes.and(charged), None).await? {
                self.notify_all(&messages).await;
                self.charge_more_by(caller, &found, messages.len()).await?;
                return Ok(found);
            }
        }
        Err(Error::Busy)
    }

    /// Charges under way keep what they took from the method; nothing new is charged to it, and the gateways forget it.
    pub async fn detach_payment_method(
        &self,
        caller: &Caller,
        customer: CustomerId,
        method: PaymentMethodId,
    ) -> Result<(), Error> {
        let policy = self.policy().await?;
        for _ in 0..DECISIONS {
            let payer = self.payment_methods(caller, customer).await?;
            let (gone, rest): (Vec<_>, Vec<_>) =
                payer.methods.into_iter().partition(|known| known.id == method);
            let gone = gone.first().ok_or(Error::NotFound)?;
            let rest: Vec<_> = rest.iter().map(|method| method.id).collect();
            let now = self.clock.now();
            let after = payer.customer.with_detached(method, &rest, now);
            let detachment = Detachment::of(gone, &policy, now);
            let changes = ChangeSet::of([
                Change::PaymentMethodDetached(method),
                Change::CustomerChanged { before: payer.customer, after },
            ]);
            let begun = Change::DetachmentMoved { before: None, after: detachment.clone() };
            let changes = changes.and([begun]);
            if let Committed::Written = self.commit(changes, None).await? {
                if let Some(detachment) = detachment {
                    self.notify(Message::about_detachment(&detachment)).await;
                }
                return Ok(());
            }
        }
        Err(Error::Busy)
    }

    /// Tells every gateway that still holds it.
    pub(crate) async fn forget_method(&self, method: PaymentMethodId, version: u64) -> Result<(), Error> {
        let Some(detachment) = self.records.customers.detachment(method).await? else { return Ok(()) };
        if detachment.version != version {
            tracing::debug!(%method, "message is void");
            return Ok(());
        }
        let mut silent = BTreeMap::new();
        for (name, token) in &detachment.tokens {
            // One that is no gateway of ours any more can't be told.
            let Some(gateway) = self.gateways.get(name) else { continue };
            if let Err(failure) = gateway.detach_method(token).await {
                tracing::warn!(%method, gateway = %name, code = failure.code, "card not forgotten yet");
                silent.insert(name.clone(), token.clone());
            }
        }
        let policy = self.policy().await?;
        let after = detachment.told(silent, &policy, self.clock.now());
        let change = Change::DetachmentMoved { before: Some(detachment), after };
        // Whoever else is at it tells the same.
        self.commit(ChangeSet::of([change]), None).await.map(|_| ())
    }
}
