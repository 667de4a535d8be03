//! What a use case decided, as values. A store writes a change set as a whole or not at all.

use crate::access::ApiKey;
use crate::idempotency::StoredAnswer;
use fatura_domain::charge::Attempt;
use fatura_domain::customer::{Customer, PaymentMethod};
use fatura_domain::gateway::GatewayName;
use fatura_domain::id::{CustomerId, PaymentMethodId};
use fatura_domain::invoice::{Invoice, Reduction};
use fatura_domain::ledger::Transaction;
use fatura_domain::refund::Refund;

#[derive(Debug, Clone)]
pub enum Change {
    /// Nothing is written; the rest stands only if this customer exists.
    CustomerExists(CustomerId),
    /// Refused if the id, the e-mail address or the external id is taken.
    CustomerCreated(Customer),
    /// Refused unless the stored customer is `before`'s version. Addresses that changed move with it.
    CustomerChanged {
        before: Customer,
        after: Customer,
    },
    PaymentMethodAdded(PaymentMethod),
    PaymentMethodDetached(PaymentMethodId),
    InvoiceCreated(Invoice),
    /// Refused unless the stored invoice has the version just before this one's.
    InvoiceChanged(Invoice),
    /// Written once, never changed.
    AttemptFinished(Attempt),
    /// Written once, never changed.
    TransactionBooked(Transaction),
    RefundRequested(Refund),
    /// Refused unless the stored refund has the version just before this one's.
    RefundChanged(Refund),
    /// Refused if the same key already has an answer.
    Answered(StoredAnswer),
    /// The webhook's effect is in this very change set.
    WebhookProcessed {
        gateway: GatewayName,
        event_id: String,
    },
    ApiKeyCreated(ApiKey),
    ApiKeyRevoked(ApiKey),
}

/// Changes that happen together.
#[derive(Debug, Clone, Default)]
pub struct ChangeSet(Vec<Change>);

impl ChangeSet {
    pub fn of(changes: impl IntoIterator<Item = Change>) -> Self {
        Self(changes.into_iter().collect())
    }

    /// An invoice's change with everything that the reducer wants written beside it.
    pub fn from_reduction(reduction: Reduction) -> Self {
        let attempt = reduction.attempt.map(Change::AttemptFinished);
        let transaction = reduction.transaction.map(Change::TransactionBooked);
        Self::of([Change::InvoiceChanged(reduction.invoice)].into_iter().chain(attempt).chain(transaction))
    }

    #[must_use]
    pub fn and(mut self, more: impl IntoIterator<Item = Change>) -> Self {
        self.0.extend(more);
        self
    }

    pub fn changes(&self) -> &[Change] {
        &self.0
    }
}

impl IntoIterator for ChangeSet {
    type Item = Change;
    type IntoIter = std::vec::IntoIter<Change>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
