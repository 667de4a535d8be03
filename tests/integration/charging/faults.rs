//! Deaths on demand: of the function around its call to the gateway, and of its call to the store.

use async_trait::async_trait;
use fatura_application::ChangeSet;
use fatura_application::ports::{
    ChargeLookup, Claim, CommitError, Gateway, MalformedWebhook, Store, StoreError, WebhookDelivery,
    WebhookHint, WebhookRefusal,
};
use fatura_domain::Timestamp;
use fatura_domain::charge::{Failure, LiveAttempt};
use fatura_domain::gateway::{
    Capabilities, ChargeOutcome, ChargeRequest, DisputeOutcome, GatewayName, MovementPage, RefundOutcome,
    RefundRequest,
};
use fatura_domain::id::InvoiceId;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Death {
    BeforeTheCall,
    AfterTheAnswer,
}

/// A gateway whose caller dies once, when told to.
pub(crate) struct Frail {
    inner: fatura_gateways::Sandbox,
    death: Mutex<Option<Death>>,
}

impl Frail {
    pub(crate) const fn around(inner: fatura_gateways::Sandbox) -> Self {
        Self { inner, death: Mutex::new(None) }
    }

    pub(crate) fn die(&self, death: Death) {
        *self.death.lock().unwrap() = Some(death);
    }

    fn die_if(&self, point: Death) {
        let mut death = self.death.lock().unwrap();
        if *death == Some(point) {
            *death = None;
            drop(death);
            panic!("died {point:?}");
        }
    }
}

#[async_trait]
impl Gateway for Frail {
    fn name(&self) -> &GatewayName {
        self.inner.name()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn charge(&self, request: &ChargeRequest) -> ChargeOutcome {
        self.die_if(Death::BeforeTheCall);
        let outcome = self.inner.charge(request).await;
        self.die_if(Death::AfterTheAnswer);
        outcome
    }

    async fn cancel(&self, lookup: &ChargeLookup) -> ChargeOutcome {
        self.inner.cancel(lookup).await
    }

    async fn fetch_charge(&self, lookup: &ChargeLookup) -> ChargeOutcome {
        self.inner.fetch_charge(lookup).await
    }

    async fn refund(&self, request: &RefundRequest) -> RefundOutcome {
        self.die_if(Death::BeforeTheCall);
        let outcome = self.inner.refund(request).await;
        self.die_if(Death::AfterTheAnswer);
        outcome
    }

    async fn fetch_refund(&self, request: &RefundRequest) -> Option<RefundOutcome> {
        self.inner.fetch_refund(request).await
    }

    async fn fetch_dispute(&self, lookup: &ChargeLookup) -> DisputeOutcome {
        self.inner.fetch_dispute(lookup).await
    }

    async fn movements(
        &self,
        from: Timestamp,
        to: Timestamp,
        after: Option<&str>,
    ) -> Result<MovementPage, Failure> {
        self.inner.movements(from, to, after).await
    }

    async fn verify_webhook(&self, delivery: &WebhookDelivery, now: Timestamp) -> Result<(), WebhookRefusal> {
        self.inner.verify_webhook(delivery, now).await
    }

    fn parse_webhook(&self, body: &[u8]) -> Result<WebhookHint, MalformedWebhook> {
        self.inner.parse_webhook(body)
    }
}

/// A store whose next commit fails when told to: before it is written, so that nothing is.
pub(crate) struct FrailStore {
    inner: Arc<dyn Store>,
    fails: AtomicBool,
}

impl FrailStore {
    pub(crate) fn around(inner: Arc<dyn Store>) -> Self {
        Self { inner, fails: AtomicBool::new(false) }
    }

    pub(crate) fn fail_next_commit(&self) {
        self.fails.store(true, Ordering::SeqCst);
    }
}

#[async_trait]
impl Store for FrailStore {
    async fn commit(&self, changes: ChangeSet) -> Result<(), CommitError> {
        if self.fails.swap(false, Ordering::SeqCst) {
            return Err(StoreError::Unavailable("told to fail".to_owned()).into());
        }
        self.inner.commit(changes).await
    }

    async fn claim(
        &self,
        invoice: InvoiceId,
        version: u64,
        live: LiveAttempt,
        now: Timestamp,
    ) -> Result<Claim, StoreError> {
        self.inner.claim(invoice, version, live, now).await
    }
}
