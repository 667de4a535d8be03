//! A shop, its table, the notifier and its queue.

use crate::post::PostOffice;
use async_trait::async_trait;
use aws_lambda_events::event::sqs::SqsEvent;
use fatura_application::access::{Caller, Role};
use fatura_application::idempotency::AnswerScope;
use fatura_application::ports::{
    Claim, Clock, CommitError, Deliver, Endpoints, Gateways, Message, Store, StoreError, WebhookSender,
};
use fatura_application::{AmendEndpoint, Answer, App, ChangeSet, Notifier, Once, Outgoing, Records};
use fatura_domain::charge::LiveAttempt;
use fatura_domain::customer::{Customer, CustomerKind, Profile};
use fatura_domain::id::{CustomerId, InvoiceId};
use fatura_domain::notice::{Language, Wanted};
use fatura_domain::text::{Email, Metadata, Name};
use fatura_domain::webhook_endpoint::{
    Delivery, Endpoint, EndpointId, EndpointTerms, EndpointUrl, EventFilter, Loopback, MessageId, Owner,
};
use fatura_domain::{SignedDuration, Timestamp};
use fatura_gateways::WebhookClient;
use fatura_store::DynamoStore;
use fatura_testkit::{RecordingQueue, SeededEntropy, TestTable, VirtualClock};
use notifier::{Teller, TellerParts};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) notifier: Notifier,
    pub(crate) teller: Teller,
    pub(crate) post: Arc<PostOffice>,
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) queue: Arc<RecordingQueue<Deliver>>,
    pub(crate) writes: Arc<Mortal>,
    requests: AtomicU64,
    pub(crate) table: TestTable,
}

/// A store whose caller dies at one of its next writes, once.
pub(crate) struct Mortal {
    inner: Arc<DynamoStore>,
    death: Mutex<Option<Death>>,
}

#[derive(Debug, Clone, Copy)]
struct Death {
    writes_left: usize,
    is_written: bool,
}

impl Mortal {
    /// At the write after so many others, before it is done or after.
    pub(crate) fn die_after(&self, writes: usize, is_written: bool) {
        *self.death.lock().unwrap() = Some(Death { writes_left: writes, is_written });
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.death.lock().unwrap().is_none()
    }

    fn meets_death(&self) -> Option<Death> {
        let mut death = self.death.lock().unwrap();
        let next = (*death)?;
        if next.writes_left == 0 {
            return death.take();
        }
        *death = Some(Death { writes_left: next.writes_left - 1, ..next });
        None
    }
}

#[async_trait]
impl Store for Mortal {
    async fn commit(&self, changes: ChangeSet) -> Result<(), CommitError> {
        let Some(death) = self.meets_death() else { return self.inner.commit(changes).await };
        if death.is_written {
            self.inner.commit(changes).await?;
        }
        panic!("died at a write")
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

impl World {
    pub(crate) async fn start() -> Self {
        Self::sending(Arc::new(WebhookClient::try_new(Loopback::Allowed).unwrap())).await
    }

    pub(crate) async fn sending(sender: Arc<dyn WebhookSender>) -> Self {
        let table = TestTable::start().await;
        let clock = Arc::new(VirtualClock::default());
        let queue = Arc::new(RecordingQueue::default());
        let charges: Arc<RecordingQueue<Message>> = Arc::new(RecordingQueue::default());
        let app = App::new(
            Records::of(table.store.clone()),
            charges,
            Gateways::of([]),
            clock.clone(),
            Arc::new(SeededEntropy::new(7)),
        );
        let app = app.with_outgoing(Outgoing { queue: Some(queue.clone()), loopback: Loopback::Allowed });
        let writes = Arc::new(Mortal { inner: table.store.clone(), death: Mutex::new(None) });
        let notifier = Notifier::new(table.store.clone(), sender, queue.clone(), clock.clone());
        let notifier = notifier.with_store(writes.clone());
        let post = Arc::new(PostOffice::default());
        let teller = Teller::try_new(TellerParts {
            store: writes.clone(),
            notices: table.store.clone(),
            customers: table.store.clone(),
            invoices: table.store.clone(),
            mailer: Some(post.clone()),
            texter: post.clone(),
            clock: clock.clone(),
            issuer: Name::parse("Padaria Central").unwrap(),
            language: Language::English,
        });
        let teller = teller.unwrap();
        Self { app, notifier, teller, post, clock, queue, writes, requests: AtomicU64::new(0), table }
    }

    pub(crate) fn operator() -> Caller {
        Caller::new("key_test", Role::Operator)
    }

    fn once(&self) -> Once {
        let key = self.requests.fetch_add(1, Ordering::SeqCst).to_string();
        let scope = AnswerScope { caller: "key_test".to_owned(), route: "test".to_owned(), key };
        Once { scope, fingerprint: [0; 32] }
    }

    pub(crate) async fn customer(&self, name: &str, email: &str) -> CustomerId {
        let profile = Profile {
            name: Name::parse(name).unwrap(),
            email: Email::parse(email).unwrap(),
            external_id: None,
            kind: CustomerKind::Buyer,
            time_zone: None,
            billing_anchor_day: None,
            country: None,
            metadata: Metadata::default(),
        };
        let id_only = |customer: &Customer| Answer { status: 201, body: customer.id.to_string() };
        let made = self.app.create_customer(&Self::operator(), profile, None, &self.once(), &id_only).await;
        made.unwrap().answer.body.parse().unwrap()
    }

    pub(crate) async fn wants(&self, customer: CustomerId, wanted: Wanted) {
        self.app.put_notice_preferences(&Self::operator(), customer, wanted, None).await.unwrap();
    }

    pub(crate) async fn endpoint(&self, url: &str, events: &[&str]) -> Endpoint {
        self.endpoint_of(Owner::Operators, url, events).await
    }

    pub(crate) async fn endpoint_of(&self, owner: Owner, url: &str, events: &[&str]) -> Endpoint {
        let terms = EndpointTerms {
            owner,
            url: EndpointUrl::parse(url, Loopback::Allowed).unwrap(),
            description: None,
            events: EventFilter::parse(events).unwrap(),
        };
        let id_only = |endpoint: &Endpoint| Answer { status: 201, body: endpoint.id.to_string() };
        let (caller, once) = (Self::operator(), self.once());
        let made = self.app.create_webhook_endpoint(&caller, terms, &once, &id_only, &id_only).await.unwrap();
        let id: EndpointId = made.answer.body.parse().unwrap();
        self.stored(id).await
    }

    pub(crate) async fn stored(&self, id: EndpointId) -> Endpoint {
        self.table.store.endpoint(id).await.unwrap().unwrap()
    }

    pub(crate) async fn switch(&self, id: EndpointId, is_enabled: bool) {
        let command = AmendEndpoint { is_enabled: Some(is_enabled), ..AmendEndpoint::default() };
        self.app.amend_webhook_endpoint(&Self::operator(), id, command, None).await.unwrap();
    }

    pub(crate) async fn rotate(&self, id: EndpointId) {
        let shown = |_: &Endpoint| Answer { status: 200, body: String::new() };
        let (caller, once, day) = (Self::operator(), self.once(), SignedDuration::from_hours(24));
        self.app.rotate_webhook_secret(&caller, id, day, &once, &shown, &shown).await.unwrap();
    }

    pub(crate) async fn replay(&self, id: MessageId) {
        let shown = |_: &Delivery| Answer { status: 202, body: String::new() };
        self.app.replay_webhook(&Self::operator(), id, &self.once(), &shown).await.unwrap();
    }

    pub(crate) async fn delivery(&self, event: &str, endpoint: EndpointId) -> Option<Delivery> {
        self.table.store.delivery(MessageId::of(event, endpoint), self.clock.now()).await.unwrap()
    }

    /// One batch; the records that have to come again, by their place.
    pub(crate) async fn wake(&self, bodies: impl IntoIterator<Item = String>) -> Vec<usize> {
        self.wake_with(bodies, Duration::from_secs(30)).await
    }

    pub(crate) async fn wake_with(
        &self,
        bodies: impl IntoIterator<Item = String>,
        time_left: Duration,
    ) -> Vec<usize> {
        let record = |(place, body): (usize, String)| json!({ "messageId": place.to_string(), "body": body });
        let records: Vec<Value> = bodies.into_iter().enumerate().map(record).collect();
        let event: SqsEvent = serde_json::from_value(json!({ "Records": records })).unwrap();
        let response = notifier::handle(&self.notifier, &self.teller, event, || time_left).await;
        let failures = response.batch_item_failures.into_iter();
        failures.map(|failure| failure.item_identifier.parse().unwrap()).collect()
    }

    /// Everything that waits in the queue, until nobody sends anything any more that is due.
    pub(crate) async fn deliver(&self) {
        let messages = self.queue.take();
        let bodies = messages.iter().map(|message| serde_json::to_string(message).unwrap());
        let failed = self.wake(bodies.collect::<Vec<_>>()).await;
        assert!(failed.is_empty(), "{failed:?}");
    }

    /// Every try that there is, each when it is due.
    pub(crate) async fn exhaust(&self, event: &str, endpoint: EndpointId) {
        const MOST_TRIES: usize = 20;
        for _ in 0..MOST_TRIES {
            let delivery = self.delivery(event, endpoint).await.unwrap();
            let Some(due) = delivery.due() else { return };
            self.clock.set(due);
            let message = serde_json::to_string(&Deliver { delivery_id: delivery.id }).unwrap();
            assert!(self.wake([message]).await.is_empty());
        }
        panic!("it never ends");
    }

    /// Time goes by, and what is due by then is sent.
    pub(crate) async fn pass(&self, by: SignedDuration) {
        self.clock.advance(by);
        self.app.sweep_due(|| true).await.unwrap();
        self.deliver().await;
    }
}

pub(crate) const ANA: u64 = 1;

pub(crate) fn event(id: &str, kind: &str) -> String {
    event_of(id, kind, CustomerId::new(ANA))
}

pub(crate) fn event_of(id: &str, kind: &str, customer: CustomerId) -> String {
    // Spaces and the order of members as nobody of us writes them.
    format!(
        r#"{{"type": "{kind}", "id": "{id}", "schema_version": 1, "occurred_at": "2026-11-02T12:00:00Z", "data": {{"customer_id": "{customer}", "status": "paid", "invoice_id": "inv_{}01JD4Z9W2E7XQ4BT", "cause": "charge_succeeded", "total": {{"amount": "1.00", "currency": "BRL"}}, "amount_paid": {{"amount": "1.00", "currency": "BRL"}}, "bill_id": null}}}}"#,
        customer.code()
    )
}
