//! Everything that there is in the model at one moment. The invoice is a real one, and only the domain's own functions
//! change it; queue, gateway and whoever works are as little as can be.

use fatura_domain::Timestamp;
use fatura_domain::charge::{Failure, FailureClass};
use fatura_domain::customer::PaymentSource;
use fatura_domain::dunning::Policy;
use fatura_domain::gateway::{ChargeOutcome, GatewayName, GatewayReference, Means, Token};
use fatura_domain::id::{AttemptNumber, CustomerId, InvoiceId, PaymentMethodId};
use fatura_domain::invoice::{Content, Invoice, LineItem, Observation, Quantity, UnitPrice};
use fatura_domain::money::Currency;
use fatura_domain::text::{Description, Metadata};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// A version of the invoice, hashed once: the checker compares millions of them.
#[derive(Debug, Clone)]
pub(crate) struct Kept(Arc<(Invoice, u64)>);

impl Kept {
    pub(crate) fn new(invoice: Invoice) -> Self {
        let mut hasher = DefaultHasher::new();
        format!("{invoice:?}").hash(&mut hasher);
        Self(Arc::new((invoice, hasher.finish())))
    }
}

impl Deref for Kept {
    type Target = Invoice;

    fn deref(&self) -> &Invoice {
        &self.0.0
    }
}

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        self.0.1 == other.0.1 && self.0.0 == other.0.0
    }
}

impl Eq for Kept {}

impl Hash for Kept {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.1.hash(state);
    }
}

/// `{attempt, version}`: what the queue carries.
pub(crate) type Message = (u8, u64);

/// What the gateway has decided about an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Verdict {
    Captured,
    Declined,
}

/// What whoever called it has heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Heard {
    Verdict(Verdict),
    Silence,
    NotSent,
    Absent,
}

/// How far somebody has come. Whatever isn't one atomic write or one call is a step of its own, so that anybody else may
/// come in between.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Worker {
    Idle,
    /// Has seen an invoice whose next step is to send, and is about to write that.
    Taking(Kept),
    /// Owns the live attempt, and is about to call.
    Calling(Kept),
    /// Is about to ask what became of the live attempt.
    Asking(Kept),
    /// Has the gateway's word, and has yet to read the invoice: a webhook's way.
    Told(u8, Heard),
    /// Has the gateway's word and the invoice as it was.
    Settling(Kept, u8, Heard),
    /// Has seen an invoice whose time has come, and is about to write what follows.
    Sweeping {
        seen: Kept,
        next: Kept,
    },
}

/// A gateway that keeps its promise: an idempotency key is one order, however often it comes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Gateway {
    pub(crate) decided: BTreeMap<u8, Verdict>,
    /// Orders that nobody has heard of yet, but that are on their way.
    pub(crate) on_the_way: BTreeSet<u8>,
    /// How often an order came under a key, to three.
    pub(crate) came: BTreeMap<u8, u8>,
}

impl Gateway {
    /// An order arrives. The first one under a key decides.
    pub(crate) fn take(&mut self, attempt: u8, verdict: Verdict) -> Verdict {
        let came = self.came.entry(attempt).or_default();
        *came = (*came + 1).min(3);
        *self.decided.entry(attempt).or_insert(verdict)
    }

    pub(crate) fn captured(&self) -> usize {
        self.decided.values().filter(|verdict| **verdict == Verdict::Captured).count()
    }

    pub(crate) fn knows(&self, attempt: u8) -> Heard {
        self.decided.get(&attempt).map_or(Heard::Absent, |verdict| Heard::Verdict(*verdict))
    }
}

/// How much of it may still happen: without bounds there would be no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Left {
    pub(crate) ticks: u8,
    pub(crate) crashes: u8,
    /// Answers that are lost, orders that don't arrive or arrive late, questions without an answer.
    pub(crate) faults: u8,
    pub(crate) declines: u8,
    pub(crate) webhooks: u8,
}

pub(crate) const CONSUMERS: [usize; 2] = [0, 1];
pub(crate) const WEBHOOK: usize = 2;
pub(crate) const SWEEP: usize = 3;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) kept: Kept,
    /// Delivered any number of times, in any order, or never.
    pub(crate) messages: BTreeSet<Message>,
    pub(crate) workers: [Worker; 4],
    pub(crate) gateway: Gateway,
    /// Transactions that were written with the invoice.
    pub(crate) booked: u8,
    pub(crate) left: Left,
}

impl World {
    /// An invoice that was just asked to be charged, and its message.
    pub(crate) fn begun(left: Left) -> Self {
        let now = Timestamp::UNIX_EPOCH;
        let customer = CustomerId::new(7);
        let id = InvoiceId::new(customer, now, 1);
        let draft = Invoice::draft(id, content(), None, now).unwrap();
        let means = Means::CreditCard(Token("tok".to_owned()));
        let source = PaymentSource::at(PaymentMethodId::new(customer, now, 2), gateway(), means);
        let invoice = draft.charged(Some(source), None, &Policy::default(), now).unwrap();
        let mut world = Self {
            now,
            messages: BTreeSet::from([about(&invoice)]),
            kept: Kept::new(invoice),
            workers: [const { Worker::Idle }; 4],
            gateway: Gateway::default(),
            booked: 0,
            left,
        };
        world.forget_the_void();
        world
    }

    /// Only if nobody was faster; says whether it was written.
    pub(crate) fn write(&mut self, seen: &Invoice, next: Invoice) -> bool {
        if self.kept.version != seen.version {
            return false;
        }
        assert_eq!(next.version, seen.version + 1, "a change is one version");
        self.kept = Kept::new(next);
        self.forget_the_void();
        true
    }

    /// A message about a version that is gone never does anything again: versions only grow.
    fn forget_the_void(&mut self) {
        let version = self.kept.version;
        self.messages.retain(|message| message.1 >= version);
    }
}

pub(crate) fn about(invoice: &Invoice) -> Message {
    (invoice.attempts.next().0, invoice.version)
}

pub(crate) fn gateway() -> GatewayName {
    GatewayName::parse("sandbox").unwrap()
}

pub(crate) fn observation(invoice: &Invoice, attempt: u8, heard: Heard) -> Observation {
    let reference = GatewayReference(format!("ch_{attempt}"));
    let failure = |class| Failure::new(class, "code", "message");
    let outcome = match heard {
        Heard::Verdict(Verdict::Captured) => ChargeOutcome::Approved { reference, captured: invoice.total },
        Heard::Verdict(Verdict::Declined) => ChargeOutcome::Declined {
            reference: Some(reference),
            failure: failure(FailureClass::InsufficientFunds),
        },
        Heard::Silence => ChargeOutcome::Unknown { failure: failure(FailureClass::Unknown) },
        Heard::NotSent => ChargeOutcome::NotSent { failure: failure(FailureClass::NotSent) },
        Heard::Absent => ChargeOutcome::Absent,
    };
    Observation { gateway: gateway(), attempt: AttemptNumber(attempt), outcome }
}

fn content() -> Content {
    let line = LineItem {
        description: Description::parse("Plan").unwrap(),
        quantity: Quantity::parse("1").unwrap(),
        unit_price: UnitPrice::parse("100.00").unwrap(),
    };
    Content { currency: Currency::BRL, items: vec![line], description: None, metadata: Metadata::default() }
}
