//! A store in memory, for the API's own tests: it decides what the ports promise and nothing more.

use async_trait::async_trait;
use fatura_application::access::{ApiKey, KeyHash};
use fatura_application::idempotency::{AnswerScope, StoredAnswer};
use fatura_application::ports::*;
use fatura_application::{Change, ChangeSet};
use fatura_domain::Timestamp;
use fatura_domain::charge::{Attempt, LiveAttempt};
use fatura_domain::customer::{Customer, PaymentMethod};
use fatura_domain::gateway::GatewayName;
use fatura_domain::id::{CustomerId, InvoiceId, PaymentMethodId};
use fatura_domain::invoice::{Invoice, State, Status};
use fatura_domain::ledger::{Transaction, TransactionFilter};
use fatura_domain::text::ExternalId;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard};

#[derive(Default)]
pub(crate) struct MemoryStore {
    tables: Mutex<Tables>,
    is_down: std::sync::atomic::AtomicBool,
}

#[derive(Default)]
struct Tables {
    customers: BTreeMap<CustomerId, Customer>,
    methods: BTreeMap<PaymentMethodId, PaymentMethod>,
    invoices: BTreeMap<InvoiceId, Invoice>,
    attempts: Vec<Attempt>,
    transactions: Vec<Transaction>,
    answers: HashMap<AnswerScope, StoredAnswer>,
    keys: Vec<ApiKey>,
}

impl MemoryStore {
    pub(crate) fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, std::sync::atomic::Ordering::SeqCst);
    }

    fn tables(&self) -> Result<MutexGuard<'_, Tables>, StoreError> {
        if self.is_down.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(StoreError::Unavailable("arn:aws:dynamodb:secret-table".to_owned()));
        }
        Ok(self.tables.lock().unwrap())
    }
}

impl Tables {
    fn refusal(&self, change: &Change) -> Option<Refusal> {
        let taken = |id: Option<CustomerId>, customer: &Customer| {
            let others = || self.customers.values().filter(|c| Some(c.id) != id);
            if others().any(|c| c.profile.email == customer.profile.email) {
                return Some(Refusal::EmailTaken);
            }
            let external = customer.profile.external_id.as_ref()?;
            others()
                .any(|c| c.profile.external_id.as_ref() == Some(external))
                .then_some(Refusal::ExternalIdTaken)
        };
        match change {
            Change::CustomerExists(id) => (!self.customers.contains_key(id)).then_some(Refusal::NoCustomer),
            Change::CustomerCreated(customer) => taken(None, customer),
            Change::CustomerChanged { before, after } => match self.customers.get(&before.id) {
                Some(stored) if stored.version == before.version => taken(Some(before.id), after),
                _ => Some(Refusal::Stale),
            },
            Change::InvoiceCreated(invoice) => {
                self.invoices.contains_key(&invoice.id).then_some(Refusal::Stale)
            }
            Change::InvoiceChanged(invoice) => {
                let stored = self.invoices.get(&invoice.id).map(|stored| stored.version + 1);
                (stored != Some(invoice.version)).then_some(Refusal::Stale)
            }
            Change::Answered(answer) => self
                .answers
                .get(&answer.once.scope)
                .filter(|stored| stored.expires_at > answer.at)
                .map(|stored| Refusal::Answered(Box::new(stored.clone()))),
            _ => None,
        }
    }

    fn apply(&mut self, change: Change) {
        match change {
            Change::CustomerCreated(customer) | Change::CustomerChanged { after: customer, .. } => {
                self.customers.insert(customer.id, customer);
            }
            Change::PaymentMethodAdded(method) => drop(self.methods.insert(method.id, method)),
            Change::PaymentMethodDetached(id) => drop(self.methods.remove(&id)),
            Change::InvoiceCreated(invoice) | Change::InvoiceChanged(invoice) => {
                self.invoices.insert(invoice.id, invoice);
            }
            Change::AttemptFinished(attempt) => self.attempts.push(attempt),
            Change::TransactionBooked(transaction) => self.transactions.push(transaction),
            Change::Answered(answer) => drop(self.answers.insert(answer.once.scope.clone(), answer)),
            Change::ApiKeyCreated(key) => self.keys.push(key),
            Change::ApiKeyRevoked(key) => {
                self.keys.retain(|known| known.id != key.id);
                self.keys.push(key);
            }
            _ => {}
        }
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn commit(&self, changes: ChangeSet) -> Result<(), CommitError> {
        let mut tables = self.tables()?;
        let refusals: Vec<Refusal> = changes.changes().iter().filter_map(|c| tables.refusal(c)).collect();
        if !refusals.is_empty() {
            return Err(CommitError::Refused(refusals));
        }
        changes.into_iter().for_each(|change| tables.apply(change));
        Ok(())
    }

    async fn claim(
        &self,
        id: InvoiceId,
        version: u64,
        live: LiveAttempt,
        now: Timestamp,
    ) -> Result<Claim, StoreError> {
        let mut tables = self.tables()?;
        let Some(invoice) = tables.invoices.get_mut(&id) else { return Ok(Claim::Refused(None)) };
        let number = live.number;
        match &mut invoice.state {
            State::Pending(collection) if collection.live.is_none() && invoice.version == version => {
                collection.live = Some(live);
            }
            _ => return Ok(Claim::Refused(Some(Box::new(invoice.clone())))),
        }
        invoice.attempts = number;
        invoice.version += 1;
        invoice.updated_at = now;
        Ok(Claim::Claimed(Box::new(invoice.clone())))
    }
}

#[async_trait]
impl Customers for MemoryStore {
    async fn customer(&self, id: CustomerId) -> Result<Option<Customer>, StoreError> {
        Ok(self.tables()?.customers.get(&id).cloned())
    }

    async fn payer(&self, id: CustomerId) -> Result<Option<Payer>, StoreError> {
        let tables = self.tables()?;
        let methods =
            tables.methods.values().rev().filter(|method| method.id.owner() == id).cloned().collect();
        Ok(tables.customers.get(&id).cloned().map(|customer| Payer { customer, methods }))
    }

    async fn by_external_id(&self, external_id: &ExternalId) -> Result<Option<CustomerId>, StoreError> {
        let tables = self.tables()?;
        let found = tables.customers.values().find(|c| c.profile.external_id.as_ref() == Some(external_id));
        Ok(found.map(|customer| customer.id))
    }
}

/// The position is the last id that was shown.
fn page<T: Clone>(all: Vec<T>, id: impl Fn(&T) -> String, page: &PageRequest) -> Result<Page<T>, ListError> {
    let start = match &page.after {
        Some(position) => {
            all.iter().position(|thing| id(thing) == position.0).ok_or(ListError::BadPosition)? + 1
        }
        None => 0,
    };
    let data: Vec<T> = all.iter().skip(start).take(page.limit).cloned().collect();
    let has_more = all.len() > start + data.len();
    let next = data.last().filter(|_| has_more).map(|thing| Position(id(thing)));
    Ok(Page { data, next })
}

fn passes(invoice: &Invoice, filter: &InvoiceFilter) -> bool {
    filter.status.is_none_or(|status| invoice.status() == status)
        && filter.created_from.is_none_or(|from| invoice.created_at >= from)
        && filter.created_to.is_none_or(|to| invoice.created_at < to)
}

#[async_trait]
impl Invoices for MemoryStore {
    async fn invoice(&self, id: InvoiceId) -> Result<Option<Invoice>, StoreError> {
        Ok(self.tables()?.invoices.get(&id).cloned())
    }

    async fn of_customer(
        &self,
        customer: CustomerId,
        filter: &InvoiceFilter,
        request: PageRequest,
    ) -> Result<Page<Invoice>, ListError> {
        let tables = self.tables()?;
        let all = tables.invoices.values().rev().filter(|i| i.customer() == customer && passes(i, filter));
        page(all.cloned().collect(), |invoice| invoice.id.to_string(), &request)
    }

    async fn in_status(
        &self,
        status: Status,
        filter: &InvoiceFilter,
        request: PageRequest,
    ) -> Result<Page<Invoice>, ListError> {
        let tables = self.tables()?;
        let mut all: Vec<Invoice> =
            tables.invoices.values().filter(|i| i.status() == status && passes(i, filter)).cloned().collect();
        all.sort_by_key(|invoice| (invoice.state.due().unwrap_or(invoice.created_at), invoice.id));
        page(all, |invoice| invoice.id.to_string(), &request)
    }

    async fn attempts(&self, invoice: &Invoice) -> Result<Vec<Attempt>, StoreError> {
        let tables = self.tables()?;
        Ok(tables.attempts.iter().rev().filter(|attempt| attempt.id.invoice == invoice.id).cloned().collect())
    }

    async fn due(&self, _: Timestamp, _: usize) -> Result<Vec<InvoiceId>, StoreError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl Transactions for MemoryStore {
    async fn transactions(
        &self,
        customer: CustomerId,
        filter: &TransactionFilter,
        request: PageRequest,
    ) -> Result<Page<Transaction>, ListError> {
        let tables = self.tables()?;
        let all = tables.transactions.iter().rev();
        let all = all.filter(|t| t.id.owner() == customer && filter.matches(t)).cloned().collect();
        page(all, |transaction: &Transaction| transaction.id.to_string(), &request)
    }
}

#[async_trait]
impl Answers for MemoryStore {
    async fn answer(&self, scope: &AnswerScope, now: Timestamp) -> Result<Option<StoredAnswer>, StoreError> {
        Ok(self.tables()?.answers.get(scope).filter(|stored| stored.expires_at > now).cloned())
    }
}

#[async_trait]
impl ApiKeys for MemoryStore {
    async fn api_key(&self, hash: KeyHash) -> Result<Option<ApiKey>, StoreError> {
        Ok(self.tables()?.keys.iter().find(|key| key.hash == hash).cloned())
    }

    async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        Ok(self.tables()?.keys.clone())
    }
}

#[async_trait]
impl Webhooks for MemoryStore {
    async fn record(&self, _: &WebhookEvent) -> Result<Recorded, StoreError> {
        Ok(Recorded::New)
    }

    async fn webhook(&self, _: &GatewayName, _: &str) -> Result<Option<WebhookEvent>, StoreError> {
        Ok(None)
    }
}
