use crate::access::{Caller, Operation, Role, Scope};
use crate::app::{App, Committed, DECISIONS};
use crate::change_set::{Change, ChangeSet};
use crate::error::{Error, Fault};
use crate::idempotency::{Answer, AnswerScope, Once, Reply};
use crate::kept_cards::key_of;
use crate::ports::{Message, Payer};
use fatura_domain::customer::{Card, Customer, Detachment, Expiry, Instrument, PaymentMethod};
use fatura_domain::gateway::{GatewayName, PixKey, Token};
use fatura_domain::id::{CustomerId, PaymentMethodId};
use fatura_domain::invoice::Invoice;
use fatura_domain::risk::Country;
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
        /// Where it was issued.
        country: Option<Country>,
    },
    Pix(PixKey),
}

impl NewInstrument {
    const fn says_country(&self) -> bool {
        matches!(self, Self::CreditCard { country: Some(_), .. })
    }
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
        caller.may_in(Scope::PaymentMethodsWrite, Operation::OwnedBy(command.customer))?;
        // Risk rules trust it: whom they judge doesn't say it.
        if matches!(caller.role, Role::Customer(_)) && command.instrument.says_country() {
            return Err(Error::Forbidden);
        }
        let moment = self.moment();
        let AddPaymentMethod { customer, instrument, make_default } = command;
        if matches!(instrument, NewInstrument::CreditCard { .. })
            && let Some(stored) = self.records.answers.answer(&once.scope, moment.now).await?
        {
            // A token that is good for one use isn't used again for an answer that is known.
            return self.added_before(caller, customer, once.replay(stored)?).await;
        }
        let id = PaymentMethodId::new(customer, moment.now, moment.entropy);
        let instrument = self.instrument(caller, customer, once, instrument).await?;
        let method = PaymentMethod { id, instrument, created_at: moment.now };
        let added = self.add_kept(caller, &method, make_default, once, render).await;
        if let (Err(Error::NotFound | Error::Busy), Instrument::CreditCard(card)) =
            (&added, &method.instrument)
        {
            self.abandon(id, &card.gateway, &card.token).await?;
        }
        added
    }

    /// Writes down what the gateway keeps.
    async fn add_kept(
        &self,
        caller: &Caller,
        method: &PaymentMethod,
        make_default: bool,
        once: &Once,
        render: &(dyn Fn(&PaymentMethod, bool) -> Answer + Sync),
    ) -> Result<Reply, Error> {
        let (customer, now) = (method.id.owner(), method.created_at);
        for _ in 0..DECISIONS {
            let (before, waiting) = futures::try_join!(
                self.records.customers.customer(customer),
                self.records.invoices.awaiting_method(customer, AT_ONCE),
            )?;
            let before = before.ok_or(Error::NotFound)?;
            let after = before.with_added(method.id, make_default, now);
            let answer = render(method, after.default_payment_method == Some(method.id));
            let (charged, messages) = self.charged_by(caller, method, waiting).await?;
            let changes = ChangeSet::of([
                Change::PaymentMethodAdded(method.clone()),
                Change::CustomerChanged { before, after },
                once.answered(answer.clone(), now),
            ]);
            match self.commit(changes.and(charged), Some(once)).await? {
                Committed::Written => {
                    self.notify_all(&messages).await;
                    self.charge_more_by(caller, method).await?;
                    return Ok(Reply { answer, replayed: false });
                }
                Committed::Replayed(reply) => return self.added_before(caller, customer, reply).await,
                Committed::Stale => {}
            }
        }
        Err(Error::Busy)
    }

    /// Whoever answered may have died before all was charged that waited.
    async fn added_before(
        &self,
        caller: &Caller,
        customer: CustomerId,
        reply: Reply,
    ) -> Result<Reply, Error> {
        let payer = self.payer(customer).await?;
        if let Some(newest) = payer.methods.first() {
            self.charge_more_by(caller, newest).await?;
        }
        Ok(reply)
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

    /// The rest of them, where there are more than one transaction holds, and what has begun to wait since it was looked for.
    async fn charge_more_by(&self, caller: &Caller, method: &PaymentMethod) -> Result<(), Error> {
        for _ in 0..MOST_TIMES {
            let waiting = self.records.invoices.awaiting_method(method.id.owner(), AT_ONCE).await?;
            let (changes, messages) = self.charged_by(caller, method, waiting).await?;
            if messages.is_empty() {
                break;
            }
            if let Committed::Written = self.commit(changes, None).await? {
                self.notify_all(&messages).await;
            }
        }
        Ok(())
    }

    async fn instrument(
        &self,
        caller: &Caller,
        customer: CustomerId,
        once: &Once,
        new: NewInstrument,
    ) -> Result<Instrument, Error> {
        match new {
            NewInstrument::Pix(key) => Ok(Instrument::Pix(key)),
            NewInstrument::CreditCard { gateway, token, brand, last4, expiry, country } => {
                let gateway = self.gateway_for_new_card(customer, gateway).await?.ok_or_else(|| {
                    Error::Invalid(vec![Fault::new("gateway", "must be a gateway that takes cards here")])
                })?;
                let owner = self.records.customers.customer(customer).await?.ok_or(Error::NotFound)?;
                let AnswerScope { caller: asker, route, key } = &once.scope;
                let store_key = key_of(&[asker, route, key, gateway.as_str(), &token.0]);
                let token = self.kept_at(&gateway, &owner, store_key, token).await?;
                // It comes from the gateway's form, by way of the payer's browser.
                let is_brand_claimed = matches!(caller.role, Role::Customer(_)) && brand.is_some();
                Ok(Instrument::CreditCard(Card {
                    gateway,
                    token,
                    others: BTreeMap::new(),
                    brand,
                    is_brand_claimed,
                    last4,
                    expiry,
                    country,
                }))
            }
        }
    }

    pub(crate) async fn own_method(
        &self,
        caller: &Caller,
        method: PaymentMethodId,
    ) -> Result<(Customer, PaymentMethod), Error> {
        let payer = self.own_payer(caller, method.owner()).await?;
        let found = payer.methods.into_iter().find(|known| known.id == method).ok_or(Error::NotFound)?;
        Ok((payer.customer, found))
    }

    /// For whoever is about to change one of its methods.
    async fn own_payer(&self, caller: &Caller, customer: CustomerId) -> Result<Payer, Error> {
        caller.may_in(Scope::PaymentMethodsWrite, Operation::OwnedBy(customer))?;
        self.records.customers.payer(customer).await?.ok_or(Error::NotFound)
    }

    /// The customer with all attached methods, newest first.
    pub async fn payment_methods(&self, caller: &Caller, customer: CustomerId) -> Result<Payer, Error> {
        caller.may_in(Scope::PaymentMethodsRead, Operation::OwnedBy(customer))?;
        self.records.customers.payer(customer).await?.ok_or(Error::NotFound)
    }

    pub async fn set_default_payment_method(
        &self,
        caller: &Caller,
        customer: CustomerId,
        method: PaymentMethodId,
    ) -> Result<PaymentMethod, Error> {
        for _ in 0..DECISIONS {
            if method.owner() != customer {
                return Err(Error::NotFound);
            }
            let (before, found) = self.own_method(caller, method).await?;
            if before.default_payment_method == Some(method) {
                // Whoever made it so may have died before all was charged that waited.
                self.charge_more_by(caller, &found).await?;
                return Ok(found);
            }
            let after = before.with_default(method, self.clock.now());
            let waiting = self.records.invoices.awaiting_method(before.id, AT_ONCE).await?;
            let (charged, messages) = self.charged_by(caller, &found, waiting).await?;
            let changes = ChangeSet::of([Change::CustomerChanged { before, after }]);
            if let Committed::Written = self.commit(changes.and(charged), None).await? {
                self.notify_all(&messages).await;
                self.charge_more_by(caller, &found).await?;
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
            let payer = self.own_payer(caller, customer).await?;
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
}
