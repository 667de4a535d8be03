use crate::access::{Caller, Operation};
use crate::app::{App, Committed, DECISIONS};
use crate::change_set::{Change, ChangeSet};
use crate::error::{Error, Fault};
use crate::idempotency::{Answer, AnswerScope, Once, Reply};
use crate::ports::{InvoiceFilter, Message, PageRequest, Payer};
use fatura_domain::Timestamp;
use fatura_domain::customer::{Card, Customer, Detachment, Expiry, Instrument, PaymentMethod, Profile};
use fatura_domain::gateway::{GatewayName, Means, PixKey, StoreOutcome, StoreRequest, Token};
use fatura_domain::id::{CustomerId, PaymentMethodId};
use fatura_domain::invoice::{Invoice, Status};
use fatura_domain::text::Text;
use sha2::{Digest, Sha256};
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
        let AddPaymentMethod { customer, instrument, make_default } = command;
        if matches!(instrument, NewInstrument::CreditCard { .. })
            && let Some(stored) = self.records.answers.answer(&once.scope, moment.now).await?
        {
            // A token that is good for one use isn't used again for an answer that is known.
            return self.added_before(caller, customer, once.replay(stored)?).await;
        }
        let id = PaymentMethodId::new(customer, moment.now, moment.entropy);
        let instrument = self.instrument(customer, once, instrument).await?;
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
                    self.charge_more_by(caller, method, messages.len()).await?;
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
            self.charge_more_by(caller, newest, AT_ONCE).await?;
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

    async fn instrument(
        &self,
        customer: CustomerId,
        once: &Once,
        new: NewInstrument,
    ) -> Result<Instrument, Error> {
        match new {
            NewInstrument::Pix(key) => Ok(Instrument::Pix(key)),
            NewInstrument::CreditCard { gateway, token, brand, last4, expiry } => {
                let gateway = self.gateway_for_new_card(customer, gateway).await?.ok_or_else(|| {
                    Error::Invalid(vec![Fault::new("gateway", "must be a gateway that takes cards here")])
                })?;
                let owner = self.records.customers.customer(customer).await?.ok_or(Error::NotFound)?;
                let AnswerScope { caller, route, key } = &once.scope;
                let order = order_of(customer, &[caller, route, key, gateway.as_str(), &token.0]);
                let token = self.kept_at(&gateway, &owner, order, token).await?;
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
        order: PaymentMethodId,
        token: Token,
    ) -> Result<Token, Error> {
        let gateway = self.gateways.get(name).ok_or(Error::NotFound)?;
        let Profile { name: payer, email, .. } = &owner.profile;
        let (name, email) = (payer.as_str().to_owned(), email.as_str().to_owned());
        let request = StoreRequest { order, customer: owner.id, name, email, token };
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
        let (owner, known) = self.own_method(caller, method).await?;
        known.also_held_by(gateway, token.clone())?;
        let order = order_of(owner.id, &[&method.to_string(), gateway.as_str(), &token.0]);
        let token = self.kept_at(gateway, &owner, order, token).await?;
        let held = self.hold_kept(caller, method, gateway, &token).await;
        if let Err(Error::NotFound | Error::Busy | Error::FailedPrecondition { .. }) = held {
            self.abandon(method, gateway, &token).await?;
        }
        held
    }

    /// Writes down what the gateway keeps.
    async fn hold_kept(
        &self,
        caller: &Caller,
        method: PaymentMethodId,
        gateway: &GatewayName,
        token: &Token,
    ) -> Result<(PaymentMethod, bool), Error> {
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
        Err(Error::Busy)
    }

    /// A gateway keeps a card that nothing of ours names: it is to forget it.
    async fn abandon(
        &self,
        method: PaymentMethodId,
        gateway: &GatewayName,
        token: &Token,
    ) -> Result<(), Error> {
        let policy = self.policy().await?;
        for _ in 0..DECISIONS {
            let before = self.records.customers.detachment(method).await?;
            let (now, gateway, token) = (self.clock.now(), gateway.clone(), token.clone());
            let after = match &before {
                Some(before) => before.and(gateway, token, &policy, now),
                None => Detachment::of_token(method, gateway, token, &policy, now),
            };
            let message = Message::about_detachment(&after);
            let change = Change::DetachmentMoved { before, after: Some(after) };
            if let Committed::Written = self.commit(ChangeSet::of([change]), None).await? {
                self.notify(message).await;
                break;
            }
        }
        Ok(())
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

    /// Tells every gateway that still holds it, once nothing is to be charged to it any more.
    pub(crate) async fn forget_method(&self, method: PaymentMethodId, version: u64) -> Result<(), Error> {
        let Some(detachment) = self.records.customers.detachment(method).await? else { return Ok(()) };
        if detachment.version != version {
            tracing::debug!(%method, "message is void");
            return Ok(());
        }
        let silent = if self.is_being_charged(method).await? {
            detachment.tokens.clone()
        } else {
            self.tell_to_forget(&detachment).await?
        };
        let policy = self.policy().await?;
        let after = detachment.told(silent, &policy, self.clock.now());
        let change = Change::DetachmentMoved { before: Some(detachment), after };
        // Whoever else is at it tells the same.
        self.commit(ChangeSet::of([change]), None).await.map(|_| ())
    }

    /// Answers with those that don't say that they have forgotten it. A card that was attached once more is kept by the same
    /// token at some gateways, and stays.
    async fn tell_to_forget(&self, detachment: &Detachment) -> Result<BTreeMap<GatewayName, Token>, Error> {
        let payer = self.payer(detachment.method.owner()).await?;
        let is_attached = |name: &GatewayName, token: &Token| {
            let means = Means::CreditCard(token.clone());
            payer.methods.iter().any(|method| method.means_at(name).as_ref() == Some(&means))
        };
        let told = detachment.tokens.iter().filter(|(name, token)| !is_attached(name, token));
        let told = told.map(async |(name, token)| {
            // One that isn't configured just now may be again.
            let forgotten = match self.gateways.get(name) {
                Some(gateway) => gateway.detach_method(token).await.is_ok(),
                None => false,
            };
            if !forgotten {
                tracing::warn!(method = %detachment.method, gateway = %name, "card not forgotten yet");
            }
            (!forgotten).then(|| (name.clone(), token.clone()))
        });
        Ok(futures::future::join_all(told).await.into_iter().flatten().collect())
    }

    /// What is under way, or planned, was promised with this method.
    async fn is_being_charged(&self, method: PaymentMethodId) -> Result<bool, Error> {
        let filter = InvoiceFilter { status: Some(Status::Pending), ..InvoiceFilter::default() };
        let mut after = None;
        for _ in 0..MOST_TIMES {
            let page = PageRequest { limit: 100, after };
            let page = self.records.invoices.of_customer(method.owner(), &filter, page).await;
            let page = page.map_err(|error| Error::Unavailable(Box::new(error)))?;
            if page.data.iter().any(|invoice| invoice.payment_method() == Some(method)) {
                return Ok(true);
            }
            after = page.next;
            if after.is_none() {
                return Ok(false);
            }
        }
        // More than are looked at in one go: it waits, as long as it must.
        Ok(true)
    }
}

/// One order to keep a card, however often it is sent: an idempotency key in the form of an id.
fn order_of(customer: CustomerId, parts: &[&str]) -> PaymentMethodId {
    let mut hash = Sha256::new();
    for part in parts {
        // Length first: no two lists make the same text.
        hash.update(format!("{}:{part}", part.len()));
    }
    let digest: [u8; 32] = hash.finalize().into();
    let (time, entropy) = digest.split_at(16);
    let number = |bytes: &[u8]| {
        bytes.iter().fold(0_u64, |number, byte| number.wrapping_mul(257).wrapping_add(u64::from(*byte)))
    };
    let at = Timestamp::from_millisecond(i64::try_from(number(time) % (1 << 44)).unwrap_or_default());
    PaymentMethodId::new(customer, at.unwrap_or(Timestamp::UNIX_EPOCH), number(entropy))
}
