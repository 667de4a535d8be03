//! Deaths on demand: of the function around its call to the gateway, and of its call to the store.

use async_trait::async_trait;
use fatura_application::ChangeSet;
use fatura_application::ports::{
    ChargeLookup, Claim, CommitError, Gateway, MalformedWebhook, Store, StoreError, Told, WebhookDelivery,
    WebhookHint, WebhookRefusal,
};
use fatura_domain::charge::{Failure, FailureClass, LiveAttempt};
use fatura_domain::gateway::{
    Capabilities, ChargeOutcome, ChargeRequest, DisputeOutcome, GatewayName, MovementPage, RefundOutcome,
    RefundRequest,
};
use fatura_domain::id::InvoiceId;
use fatura_domain::{SignedDuration, Timestamp};
use fatura_testkit::VirtualClock;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Death {
    BeforeTheCall,
    AfterTheAnswer,
}

/// A gateway whose caller dies once, when told to.
pub(crate) struct Frail {
    inner: fatura_gateways::Sandbox,
    death: Mutex<Option<Death>>,
    orders: AtomicUsize,
    /// Some: it can't be asked, and this is what its webhooks vouch for.
    words: Mutex<Option<Vec<Told>>>,
    /// Some: what it tells of any charge that it is asked about.
    tale: Mutex<Option<ChargeOutcome>>,
    refund_orders: AtomicUsize,
}

impl Frail {
    pub(crate) const fn around(inner: fatura_gateways::Sandbox) -> Self {
        let (orders, refund_orders) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self {
            inner,
            death: Mutex::new(None),
            orders,
            words: Mutex::new(None),
            tale: Mutex::new(None),
            refund_orders,
        }
    }

    /// From now on it tells this of any charge.
    pub(crate) fn tell(&self, tale: ChargeOutcome) {
        *self.tale.lock().unwrap() = Some(tale);
    }

    /// From now on it answers no question, and its next webhooks vouch for this.
    pub(crate) fn vouch(&self, words: Vec<Told>) {
        *self.words.lock().unwrap() = Some(words);
    }

    pub(crate) fn refund_orders(&self) -> usize {
        self.refund_orders.load(Ordering::SeqCst)
    }

    fn failure(&self) -> Option<Failure> {
        let is_mute = self.words.lock().unwrap().is_some();
        is_mute.then(|| Failure::new(FailureClass::Unknown, "cannot_be_asked", "answers no question"))
    }

    pub(crate) fn die(&self, death: Death) {
        *self.death.lock().unwrap() = Some(death);
    }

    /// How many orders to charge it was given.
    pub(crate) fn orders(&self) -> usize {
        self.orders.load(Ordering::SeqCst)
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
        self.orders.fetch_add(1, Ordering::SeqCst);
        let outcome = self.inner.charge(request).await;
        self.die_if(Death::AfterTheAnswer);
        outcome
    }

    async fn cancel(&self, lookup: &ChargeLookup) -> ChargeOutcome {
        match self.failure() {
            Some(failure) => ChargeOutcome::Unknown { failure },
            None => self.inner.cancel(lookup).await,
        }
    }

    async fn fetch_charge(&self, lookup: &ChargeLookup) -> ChargeOutcome {
        let tale = self.tale.lock().unwrap().clone();
        match (self.failure(), tale) {
            (Some(failure), _) => ChargeOutcome::Unknown { failure },
            (None, Some(tale)) => tale,
            (None, None) => self.inner.fetch_charge(lookup).await,
        }
    }

    async fn refund(&self, request: &RefundRequest) -> RefundOutcome {
        self.die_if(Death::BeforeTheCall);
        self.refund_orders.fetch_add(1, Ordering::SeqCst);
        let outcome = match (self.failure(), self.inner.refund(request).await) {
            (Some(_), RefundOutcome::Succeeded { reference, .. }) => RefundOutcome::Pending { reference },
            (_, outcome) => outcome,
        };
        self.die_if(Death::AfterTheAnswer);
        outcome
    }

    async fn fetch_refund(&self, request: &RefundRequest) -> Option<RefundOutcome> {
        match self.failure() {
            Some(failure) => Some(RefundOutcome::Unclear { failure }),
            None => self.inner.fetch_refund(request).await,
        }
    }

    async fn fetch_dispute(&self, lookup: &ChargeLookup) -> DisputeOutcome {
        match self.failure() {
            Some(failure) => DisputeOutcome::Unclear { failure },
            None => self.inner.fetch_dispute(lookup).await,
        }
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

    fn can_be_asked(&self) -> bool {
        self.words.lock().unwrap().is_none()
    }

    fn told(&self, _: &[u8]) -> Vec<Told> {
        self.words.lock().unwrap().clone().unwrap_or_default()
    }
}

/// What becomes of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// Nothing is written.
    Fails,
    /// Nothing is written: others write the same items all the time.
    Contended,
    /// It is written, and nobody is told.
    AnswerLost,
    /// Nothing is written, and nothing else either until [`FrailStore::revive`]: the whole process is gone.
    Dies,
}

/// A store whose n-th commit from now meets a mishap when told to.
pub(crate) struct FrailStore {
    inner: Arc<dyn Store>,
    /// How many commits go well until the next mishap.
    next: Mutex<Option<(usize, Mishap)>>,
    is_dead: AtomicBool,
    commits: AtomicUsize,
    /// How long a claim takes, by this clock.
    slowness: Mutex<Option<(Arc<VirtualClock>, SignedDuration)>>,
}

impl FrailStore {
    pub(crate) fn around(inner: Arc<dyn Store>) -> Self {
        let (next, slowness) = (Mutex::default(), Mutex::default());
        Self { inner, next, is_dead: AtomicBool::new(false), commits: AtomicUsize::new(0), slowness }
    }

    /// The next claim takes so long.
    pub(crate) fn be_slow(&self, clock: Arc<VirtualClock>, by: SignedDuration) {
        *self.slowness.lock().unwrap() = Some((clock, by));
    }

    pub(crate) fn fail_next_commit(&self) {
        self.at_commit(1, Mishap::Fails);
    }

    /// The next commit is the first.
    pub(crate) fn at_commit(&self, nth: usize, mishap: Mishap) {
        *self.next.lock().unwrap() = Some((nth - 1, mishap));
    }

    pub(crate) fn revive(&self) {
        self.is_dead.store(false, Ordering::SeqCst);
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.is_dead.load(Ordering::SeqCst)
    }

    /// How many commits it was asked for.
    pub(crate) fn commits(&self) -> usize {
        self.commits.load(Ordering::SeqCst)
    }

    fn mishap(&self) -> Option<Mishap> {
        let mut next = self.next.lock().unwrap();
        let (left, mishap) = (*next)?;
        *next = left.checked_sub(1).map(|left| (left, mishap));
        next.is_none().then_some(mishap)
    }

    /// No panic for each of those who are still at it: nobody hears them.
    fn stay_dead(&self) -> Result<(), StoreError> {
        if self.is_dead() { Err(StoreError::Unavailable("the process is dead".to_owned())) } else { Ok(()) }
    }
}

#[async_trait]
impl Store for FrailStore {
    async fn commit(&self, changes: ChangeSet) -> Result<(), CommitError> {
        self.stay_dead()?;
        self.commits.fetch_add(1, Ordering::SeqCst);
        match self.mishap() {
            None => self.inner.commit(changes).await,
            Some(Mishap::Contended) => Err(StoreError::Contended("told that others write".to_owned()).into()),
            Some(Mishap::Fails) => Err(StoreError::Unavailable("told to fail".to_owned()).into()),
            Some(Mishap::AnswerLost) => {
                self.inner.commit(changes).await?;
                Err(StoreError::Unavailable("told to lose its answer".to_owned()).into())
            }
            Some(Mishap::Dies) => {
                self.is_dead.store(true, Ordering::SeqCst);
                panic!("the process dies");
            }
        }
    }

    async fn claim(
        &self,
        invoice: InvoiceId,
        version: u64,
        live: LiveAttempt,
        now: Timestamp,
    ) -> Result<Claim, StoreError> {
        self.stay_dead()?;
        if let Some((clock, by)) = self.slowness.lock().unwrap().take() {
            clock.advance(by);
        }
        self.inner.claim(invoice, version, live, now).await
    }
}
