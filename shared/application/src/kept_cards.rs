//! Cards as gateways keep them: kept by one more, and forgotten by all once they are detached.

use crate::access::Caller;
use crate::app::{App, Committed, DECISIONS};
use crate::change_set::{Change, ChangeSet};
use crate::error::{Error, Fault, listed};
use crate::ports::{InvoiceFilter, Message, PageRequest};
use fatura_domain::customer::{Customer, Detachment, PaymentMethod, Profile};
use fatura_domain::gateway::{GatewayName, Means, StoreKey, StoreOutcome, StoreRequest, Token};
use fatura_domain::id::PaymentMethodId;
use fatura_domain::invoice::Status;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Pages of what is being charged that are looked at before a card is forgotten.
const MOST_PAGES: usize = 50;

impl App {
    /// By what a gateway charges a card later, which its own form has given a token for.
    pub(crate) async fn kept_at(
        &self,
        name: &GatewayName,
        owner: &Customer,
        key: StoreKey,
        token: Token,
    ) -> Result<Token, Error> {
        let gateway = self.gateways.get(name).ok_or(Error::NotFound)?;
        let Profile { name: payer, email, .. } = &owner.profile;
        let (name, email) = (payer.as_str().to_owned(), email.as_str().to_owned());
        let request = StoreRequest { key, customer: owner.id, name, email, token };
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
        let key = key_of(&[&method.to_string(), gateway.as_str(), &token.0]);
        let token = self.kept_at(gateway, &owner, key, token).await?;
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
    pub(crate) async fn abandon(
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
        for _ in 0..MOST_PAGES {
            let page = PageRequest { limit: 100, after };
            let page = self.records.invoices.of_customer(method.owner(), &filter, page).await;
            let page = page.map_err(listed)?;
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

/// The same for the same parts, however often it is asked for.
pub(crate) fn key_of(parts: &[&str]) -> StoreKey {
    let mut hash = Sha256::new();
    for part in parts {
        // Length first: no two lists make the same text.
        hash.update(format!("{}:{part}", part.len()));
    }
    StoreKey(hex::encode(hash.finalize()).chars().take(32).collect())
}
