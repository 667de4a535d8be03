//! What a use case decided, as values. A store writes a change set as a whole or not at all.

use crate::access::ApiKey;
use crate::fees::FeesEdition;
use crate::gateways::PlanEdition;
use crate::idempotency::StoredAnswer;
use crate::notices::NoticeChange;
use crate::outgoing::OutgoingChange;
use crate::risk::RiskEdition;
use crate::rulebook::RulesEdition;
use crate::runs::Difference;
use crate::sign_in::AccessChange;
use crate::wallet_notes::WalletNotes;
use fatura_domain::Timestamp;
use fatura_domain::attention::{Attention, AttentionId, Closed};
use fatura_domain::bill::{Bill, BillLine, Shards};
use fatura_domain::bug::Bug;
use fatura_domain::charge::Attempt;
use fatura_domain::customer::{Customer, Detachment, PaymentMethod};
use fatura_domain::dispute::Dispute;
use fatura_domain::gateway::GatewayName;
use fatura_domain::id::{BillId, CustomerId, InvoiceId, PaymentMethodId, RunId, TransactionId};
use fatura_domain::invoice::{Invoice, Reduction};
use fatura_domain::ledger::{Head, Link, Totals, Transaction};
use fatura_domain::money::Currency;
use fatura_domain::order::Order;
use fatura_domain::refund::Refund;
use fatura_domain::run::{Outcome, Part, Run};
use fatura_domain::webhook_endpoint::Endpoint;
use std::collections::BTreeSet;

#[derive(Debug, Clone)]
pub enum Change {
    /// Nothing is written; the rest stands only if this customer exists.
    CustomerExists(CustomerId),
    /// Nothing is written; the rest stands only if the customer has this version still.
    CustomerUnchanged {
        id: CustomerId,
        version: u64,
    },
    /// Refused if the id, the e-mail address or the external id is taken.
    CustomerCreated(Customer),
    /// Refused unless the stored customer is `before`'s version. Addresses that changed move with it.
    CustomerChanged {
        before: Customer,
        after: Customer,
    },
    /// How a customer signs in.
    Access(AccessChange),
    /// Webhooks that go out.
    Outgoing(OutgoingChange),
    /// What customers are told.
    Notice(NoticeChange),
    PaymentMethodAdded(PaymentMethod),
    /// Refused unless there is one of this id.
    PaymentMethodReplaced(PaymentMethod),
    PaymentMethodDetached(PaymentMethodId),
    /// Refused unless the stored one is `before`'s version. None before: it begins; none after: it is done.
    DetachmentMoved {
        before: Option<Detachment>,
        after: Option<Detachment>,
    },
    InvoiceCreated(Invoice),
    /// Refused unless the stored invoice has the version just before this one's.
    InvoiceChanged(Invoice),
    OrderPlaced(Order),
    /// Refused unless the stored order has the version just before this one's.
    OrderChanged(Order),
    /// Written once, never changed.
    AttemptFinished(Attempt),
    /// Written once, never changed.
    TransactionBooked(Transaction),
    /// Adds to a wallet or takes from it. Refused if its balance would leave its bounds, or if there is no such wallet;
    /// one that `opens` is refused if there is.
    WalletMoved {
        customer: CustomerId,
        currency: Currency,
        minor: i128,
        opens: bool,
    },
    /// Refused if it was reversed before.
    JournalReversed(TransactionId),
    /// Journals' places in their customer's chain, and what they add to the platform's books. Refused if the chain has gone
    /// on since, or if one of them has a place.
    Sealed {
        before: Head,
        after: Head,
        links: Vec<Link>,
        counted: Totals,
    },
    RefundRequested(Refund),
    /// Refused unless the stored refund has the version just before this one's.
    RefundChanged(Refund),
    DisputeOpened(Dispute),
    /// Refused unless the stored dispute has the version just before this one's.
    DisputeChanged(Dispute),
    /// The invoice is charged at once when its customer brings another payment method.
    MethodAwaited(InvoiceId),
    MethodNoLongerAwaited(InvoiceId),
    AttentionRaised(Attention),
    /// Refused if the same was raised before, whatever became of it.
    AttentionRaisedOnce(Attention),
    AttentionClosed {
        id: AttentionId,
        closed: Closed,
    },
    /// Refused if there is a run of this id.
    RunBegun(Run),
    PartBegun(Part),
    /// Refused unless the stored part has the version just before this one's.
    PartChanged(Part),
    /// A run counts anew what became of one of its invoices.
    Tallied {
        run: RunId,
        invoice: InvoiceId,
        was: Option<Outcome>,
        is: Outcome,
    },
    DifferenceFound {
        run: RunId,
        difference: Difference,
    },
    BillOpened(Bill),
    /// Refused unless the stored bill has the version just before this one's.
    BillChanged(Bill),
    /// A line item, and its shard's new sum. Refused if there is a line item of its key, if the shard is closed, or if its
    /// sum would be too large. Several that share a shard are one change of it.
    LineAppended {
        line: BillLine,
        shard: u8,
        of: Shards,
    },
    /// Closes every shard of a bill. Refused if anything was ever appended to one.
    EmptyShardsClosed(Bill),
    /// The bill has a balance for which its customer has no open bill yet.
    BillAwaited(BillId),
    BillNoLongerAwaited(BillId),
    /// Refused unless it follows the edition that is in force. Every edition is kept.
    EditionPut(Edition),
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

/// What operators put in force, each with editions of its own.
#[derive(Debug, Clone)]
pub enum Edition {
    Dunning(RulesEdition),
    Gateways(PlanEdition),
    Fees(FeesEdition),
    Risk(RiskEdition),
}

/// Changes that happen together.
#[derive(Debug, Clone, Default)]
pub struct ChangeSet(Vec<Change>);

impl ChangeSet {
    pub fn of(changes: impl IntoIterator<Item = Change>) -> Self {
        Self(changes.into_iter().collect())
    }

    /// A new invoice, with what follows from it.
    pub fn created(invoice: Invoice) -> Self {
        let tallied = tallied(None, &invoice);
        let awaited = invoice.awaits_method().then_some(Change::MethodAwaited(invoice.id));
        Self::of([Change::InvoiceCreated(invoice)]).and(tallied).and(awaited)
    }

    /// An invoice's next version, with what begins and what ends by it for others.
    pub fn moved(before: &Invoice, after: Invoice) -> Self {
        let now = after.updated_at;
        let follow_ups = Self::of(tallied(Some(before), &after))
            .and(matters(before.matter(), after.matter(), now))
            .and(orphans(before, &after))
            .and(awaited(before, &after));
        Self::of([Change::InvoiceChanged(after)]).and(follow_ups)
    }

    /// A refund's next version, with what begins by it for others.
    pub fn refund_moved(before: &Refund, after: Refund) -> Self {
        let matters = matters(before.matter(), after.matter(), after.updated_at);
        Self::of([Change::RefundChanged(after)]).and(matters)
    }

    /// A dispute's next version, with what begins and what ends by it for others.
    pub fn dispute_moved(before: &Dispute, after: Dispute) -> Self {
        let matters = matters(before.matter(), after.matter(), after.updated_at);
        Self::of([Change::DisputeChanged(after)]).and(matters)
    }

    /// A bill's next version, with what begins and what ends by it for others.
    pub fn bill_moved(before: &Bill, after: Bill) -> Self {
        let awaited = match (before.awaits_bill(), after.awaits_bill()) {
            (false, true) => Some(Change::BillAwaited(after.id)),
            (true, false) => Some(Change::BillNoLongerAwaited(after.id)),
            _ => None,
        };
        let matters = matters(before.matter(), after.matter(), after.updated_at);
        Self::of([Change::BillChanged(after)]).and(matters).and(awaited)
    }

    /// A webhook endpoint's next version, with what begins and what ends by it for others.
    pub fn endpoint_moved(before: &Endpoint, after: Endpoint) -> Self {
        let matters = matters(before.matter(), after.matter(), after.updated_at);
        Self::of([Change::Outgoing(OutgoingChange::EndpointChanged(after))]).and(matters)
    }

    /// An endpoint that is gone needs nobody.
    pub fn endpoint_removed(endpoint: &Endpoint, now: Timestamp) -> Self {
        let removed = OutgoingChange::EndpointRemoved { id: endpoint.id, version: endpoint.version };
        Self::of([Change::Outgoing(removed)]).and(matters(endpoint.matter(), None, now))
    }

    /// A journal with all that follows from it: each customer whom it concerns is shown it, and the wallets that it
    /// names are moved. Those that are `opened` aren't there yet.
    pub fn booked(transaction: Transaction, opened: &BTreeSet<(CustomerId, Currency)>) -> Self {
        let shown = transaction.mirrored().collect();
        Self::booked_and_shown(transaction, shown, opened)
    }

    /// The same for what was paid for an invoice, or goes back of it. What a merchant's wallet doesn't take is owed
    /// beside it, and a person is told; each merchant is shown what it has sold.
    pub fn settled(invoice: &Invoice, transaction: Transaction, wallets: &WalletNotes) -> Self {
        let transaction = transaction.owed_beside(&wallets.beside(invoice.customer()));
        let matter = invoice.unsettled(&transaction).map(Change::AttentionRaised);
        let of_its_own = |shown: Transaction| {
            let lines = invoice.lines_sold_by(shown.id.owner());
            Transaction { lines, ..shown }
        };
        let shown = transaction.mirrored().map(of_its_own).collect();
        Self::booked_and_shown(transaction, shown, wallets.opened()).and(matter)
    }

    /// The next version of an invoice whose merchants may have to give, with what is booked for it: what they owe is written
    /// on both.
    pub(crate) fn moved_and_settled(
        before: &Invoice,
        after: Invoice,
        transaction: Option<Transaction>,
        wallets: &WalletNotes,
    ) -> Self {
        let Some(transaction) = transaction else { return Self::moved(before, after) };
        let transaction = transaction.owed_beside(&wallets.beside(before.customer()));
        let after = after.owing(&transaction);
        let booked = Self::settled(&after, transaction, wallets);
        Self::moved(before, after).and(booked)
    }

    fn booked_and_shown(
        transaction: Transaction,
        shown: Vec<Transaction>,
        opened: &BTreeSet<(CustomerId, Currency)>,
    ) -> Self {
        let wallets = transaction.journal.wallets().into_iter().map(|(customer, currency, minor)| {
            let opens = opened.contains(&(customer, currency));
            Change::WalletMoved { customer, currency, minor, opens }
        });
        let shown = shown.into_iter().map(Change::TransactionBooked);
        Self::of(wallets).and([Change::TransactionBooked(transaction)]).and(shown)
    }

    /// What the reducer wants written together.
    pub fn from_reduction(before: &Invoice, reduction: Reduction) -> Self {
        Self::reduced(before, reduction, &WalletNotes::default())
    }

    /// The same, with what is known of the wallets that move by it.
    pub(crate) fn reduced(before: &Invoice, reduction: Reduction, wallets: &WalletNotes) -> Self {
        let booked =
            reduction.transaction.map(|transaction| Self::settled(&reduction.invoice, transaction, wallets));
        Self::moved(before, reduction.invoice)
            .and(reduction.attempt.map(Change::AttemptFinished))
            .and(booked.into_iter().flatten())
            .and(reduction.refund.filter(|_| !Bug::OrphanKept.is_planted()).map(Change::RefundRequested))
    }

    #[must_use]
    pub fn and(mut self, more: impl IntoIterator<Item = Change>) -> Self {
        self.0.extend(more);
        self
    }

    /// For whoever closes a matter with a word of their own.
    pub(crate) fn without_closing(mut self, matter: &AttentionId) -> Self {
        self.0.retain(|change| !matches!(change, Change::AttentionClosed { id, .. } if id == matter));
        self
    }

    /// Whole, unless a bug tears it.
    pub(crate) fn torn_if_planted(self) -> (Self, Option<Self>) {
        let is_torn = |change: &Change| match change {
            Change::Answered(_) => Bug::AnswerAfterEffect.is_planted() || Bug::KeyForgotten.is_planted(),
            Change::TransactionBooked(_) => Bug::TornSettlement.is_planted(),
            Change::WalletMoved { .. } => Bug::WalletMovedApart.is_planted(),
            Change::Tallied { .. } => Bug::TalliedApart.is_planted(),
            _ => false,
        };
        let (later, now): (Vec<_>, Vec<_>) = self.0.into_iter().partition(is_torn);
        (Self(now), (!later.is_empty()).then_some(Self(later)))
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

fn tallied(before: Option<&Invoice>, after: &Invoice) -> Option<Change> {
    let (run, is) = after.outcome_for_run()?;
    // What an earlier run counted stays counted there.
    let was = before.and_then(Invoice::outcome_for_run).filter(|(earlier, _)| *earlier == run);
    let was = was.map(|(_, outcome)| outcome);
    (was != Some(is)).then_some(Change::Tallied { run, invoice: after.id, was, is })
}

fn matters(before: Option<Attention>, after: Option<Attention>, now: Timestamp) -> Vec<Change> {
    let same = before.as_ref().zip(after.as_ref()).is_some_and(|(one, other)| one.id == other.id);
    if same {
        return Vec::new();
    }
    let closed = before.map(|matter| Change::AttentionClosed {
        id: matter.id,
        closed: Closed { at: now, by: None, note: None },
    });
    closed.into_iter().chain(after.map(Change::AttentionRaised)).collect()
}

fn orphans(before: &Invoice, after: &Invoice) -> Vec<Change> {
    let known = before.orphans.len();
    // One that has no refund yet is part of the matter that its attempt is.
    let new = after.orphans.iter().enumerate().skip(known).filter(|(_, orphan)| orphan.refund.is_some());
    new.map(|(place, orphan)| Change::AttentionRaised(after.orphan_matter(place, orphan))).collect()
}

fn awaited(before: &Invoice, after: &Invoice) -> Option<Change> {
    match (before.awaits_method(), after.awaits_method()) {
        (false, true) => Some(Change::MethodAwaited(after.id)),
        (true, false) => Some(Change::MethodNoLongerAwaited(after.id)),
        _ => None,
    }
}
