//! What Fatura has written, read from the table's stream as it is written, and held against what must always be so.

mod bills;
mod cases;
mod items;
mod leases;
mod ledger;
mod refunds;
mod risk;
mod runs;
mod shop;
mod tellings;
mod totals;

pub(crate) use leases::Writer;
pub(crate) use shop::Placed;

use crate::functions::stream_event;
use crate::gateway::SimulatedGateway;
use aws_lambda_events::event::dynamodb::EventRecord;
use fatura_domain::attention::AttentionKind;
use fatura_domain::bill::Bill;
use fatura_domain::event::Written;
use fatura_domain::gateway::{GatewayName, GatewayReference};
use fatura_domain::id::{AttemptId, BillId, InvoiceId, PaymentMethodId, TransactionId};
use fatura_domain::invoice::{Cause, Invoice, State, Status};
use fatura_domain::ledger::{MovedBy, Transaction, TransactionKind};
use fatura_domain::money::Money;
use fatura_domain::text::Text;
use fatura_store::{bill_of_image, invoice_of_image, transaction_of_image};
use items::number;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// `PK` and `SK`.
type Key = (String, String);
/// A movement as its gateway calls it.
type Moved = (GatewayName, String);

const REFUND: &str = "RFD#";

/// What our books say of an invoice's charges then need not be what its gateway's do.
const DOUBTS: [AttentionKind; 3] =
    [AttentionKind::UnknownOutcome, AttentionKind::AmountMismatch, AttentionKind::WebhookMismatch];
/// What is charged only when a person has decided.
const UNDECIDED: [AttentionKind; 3] =
    [AttentionKind::UnknownOutcome, AttentionKind::AmountMismatch, AttentionKind::RiskReview];
/// What no bank ends.
const PROTESTED: [AttentionKind; 2] =
    [AttentionKind::ContestUnanswered, AttentionKind::DisputeOutcomeUnknown];

/// What a person has been told of an invoice, and nobody has closed.
#[derive(Debug, Clone)]
pub(crate) struct Matter {
    pub(crate) id: String,
    pub(crate) kind: AttentionKind,
    pub(crate) invoice: InvoiceId,
    pub(crate) gateway: Option<GatewayName>,
    pub(crate) reference: Option<GatewayReference>,
}

#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) invoices: BTreeMap<InvoiceId, Invoice>,
    pub(crate) bills: BTreeMap<BillId, Bill>,
    pub(crate) transactions: BTreeMap<TransactionId, Transaction>,
    /// When each entry of the index is due, in milliseconds.
    due: BTreeMap<Key, i64>,
    /// The raw items, by key.
    items: BTreeMap<Key, Value>,
    /// Those of bills that were written to.
    shards: BTreeSet<String>,
    /// What each name that a client gave stands for.
    named: BTreeMap<String, String>,
    /// Steps of invoices since somebody last asked.
    pub(crate) news: Vec<String>,
    /// How often each step was taken.
    pub(crate) edges: BTreeMap<(Status, Status), u64>,
    touched: BTreeSet<InvoiceId>,
    /// Charges that were contested since somebody last asked.
    pub(crate) contested: Vec<(GatewayName, AttemptId)>,
    moved: BTreeSet<Moved>,
    leases: leases::Leases,
    pub(crate) shop: shop::Shop,
    ledger: ledger::Ledger,
    risk: risk::Risk,
    sealed: totals::Sealed,
    runs: runs::Runs,
    tellings: tellings::Tellings,
}

impl Books {
    /// Reads on. What is wrong is said, not panicked about: the handlers would catch it.
    pub(crate) fn read(
        &mut self,
        records: &[Value],
        by: Writer,
        gateways: &[Arc<SimulatedGateway>],
        totals: &BTreeMap<String, BTreeSet<i64>>,
    ) -> Vec<String> {
        let mut wrong = Vec::new();
        for record in records {
            self.keep(record, totals, &mut wrong);
            let event = stream_event(std::slice::from_ref(record));
            event.records.into_iter().for_each(|record| self.take(record, by, &mut wrong));
        }
        for id in std::mem::take(&mut self.touched) {
            if let Some(invoice) = self.invoices.get(&id) {
                self.agrees(invoice, &mut wrong);
                let owed = invoice.content.description.as_ref().and_then(|name| totals.get(name.as_str()));
                if owed.is_some_and(|owed| !owed.contains(&invoice.total.minor())) {
                    wrong.push(format!("{id} asks for {} instead of {owed:?} cents", invoice.total));
                }
            }
        }
        self.count(&mut wrong);
        self.are_kept(gateways, &mut wrong);
        self.ledger_agrees(&mut wrong);
        self.orders_agree(&mut wrong);
        self.risk_agrees(gateways, &mut wrong);
        self.follow_chains(&mut wrong);
        self.count_runs(&mut wrong);
        for moved in std::mem::take(&mut self.moved) {
            self.is_real(&moved, gateways, &mut wrong);
        }
        wrong
    }

    fn keep(&mut self, record: &Value, totals: &BTreeMap<String, BTreeSet<i64>>, wrong: &mut Vec<String>) {
        let text = |path: &str| record.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
        let key = (text("/dynamodb/Keys/PK/S"), text("/dynamodb/Keys/SK/S"));
        let Some(image) = record.pointer("/dynamodb/NewImage") else {
            self.due.remove(&key);
            self.items.remove(&key);
            return;
        };
        let due = text("/dynamodb/NewImage/WS/S");
        let mut parts = due.split('#');
        match (parts.next(), parts.next().and_then(|ms| ms.parse().ok())) {
            (Some("0"), Some(ms)) => self.due.insert(key.clone(), ms),
            _ => self.due.remove(&key),
        };
        if key.1.starts_with(REFUND)
            && let Some(name) = image.pointer("/r/S").and_then(Value::as_str)
        {
            self.is_made_once(name, &key.1, wrong);
        }
        self.weigh(&key, image, wrong);
        self.place(&key, image, totals, wrong);
        self.remember(&key, image, wrong);
        self.advance(&key, image, wrong);
        self.tell(&key, image, wrong);
        self.seal(&key, image, self.items.contains_key(&key), wrong);
        self.items.insert(key, image.clone());
    }

    fn take(&mut self, record: EventRecord, by: Writer, wrong: &mut Vec<String>) {
        let (before, after) = (record.change.old_image, record.change.new_image);
        match transaction_of_image(after.clone()) {
            Ok(Some(transaction)) => return self.book(transaction, !before.is_empty(), wrong),
            Ok(None) => {}
            Err(error) => wrong.push(format!("a transaction cannot be read: {error}")),
        }
        match bill_of_image(after.clone()) {
            Ok(Some(after)) => {
                let before = bill_of_image(before).ok().flatten().map(Box::new);
                self.bill(&after, wrong);
                return self.tellings.expect(&Written::Bill { before, after: Box::new(after) });
            }
            Ok(None) => {}
            Err(error) => wrong.push(format!("a bill cannot be read: {error}")),
        }
        match invoice_of_image(after) {
            Ok(Some(after)) => {
                let before = invoice_of_image(before).ok().flatten();
                self.step(before.as_ref(), &after, wrong);
                self.leases.follow(before.as_ref(), &after, by);
                self.pay(before.as_ref(), &after, wrong);
                self.judge(before.as_ref(), &after);
                self.ledger.touch(&after);
                self.tally(&after, wrong);
                self.touched.insert(after.id);
                let written =
                    Written::Invoice { before: before.map(Box::new), after: Box::new(after.clone()) };
                self.tellings.expect(&written);
                self.invoices.insert(after.id, after);
            }
            Ok(None) => {}
            Err(error) => wrong.push(format!("an invoice cannot be read: {error}")),
        }
    }

    fn book(&mut self, transaction: Transaction, is_change: bool, wrong: &mut Vec<String>) {
        if is_change {
            wrong.push(format!("{} was written once and is changed", transaction.id));
        }
        let mut sums: BTreeMap<&str, i128> = BTreeMap::new();
        for entry in transaction.journal.entries() {
            let currency = entry.amount.currency().code();
            *sums.entry(currency).or_default() += ledger::debit(entry.direction, entry.amount);
        }
        if sums.values().any(|sum| *sum != 0) {
            wrong.push(format!("{} does not balance: {sums:?}", transaction.id));
        }
        let name = match &transaction.moved_by {
            MovedBy::Operator(posted) => Some(posted.description.as_str()),
            MovedBy::Wallet(moved) => moved.reference.as_ref().map(Text::as_str),
            MovedBy::Gateway(_) => None,
        };
        if let Some(name) = name.filter(|_| transaction.mirrors.is_none()) {
            self.is_made_once(name, &transaction.id, wrong);
        }
        if let Some(at) = transaction.moved_by.at_gateway() {
            self.touched.insert(at.invoice);
            self.moved.insert((at.gateway.clone(), at.reference.0.clone()));
        }
        self.ledger.post(&transaction, wrong);
        self.transactions.insert(transaction.id, transaction);
    }

    /// Only legal steps, one at a time, and nothing of the past is rewritten.
    fn step(&mut self, before: Option<&Invoice>, after: &Invoice, wrong: &mut Vec<String>) {
        let mut say = |what: &str| wrong.push(format!("{}: {what}", after.id));
        let known = before.map_or(0, |before| before.history.len());
        if let Some(before) = before {
            if after.version != before.version + 1 {
                say(&format!("version {} follows version {}", after.version, before.version));
            }
            if after.history.get(..known) != Some(before.history.as_slice()) {
                say("its history was rewritten");
            }
            if after.attempts < before.attempts {
                say("attempts were forgotten");
            }
            let live = |invoice: &Invoice| invoice.state.live_attempt().map(|live| live.number);
            if let (Some(was), Some(is)) = (live(before), live(after))
                && was != is
                && after.history.len() == known
            {
                say("a second attempt begins while one is live");
            }
        }
        for pair in after.history.windows(2).skip(known.saturating_sub(1)) {
            let [from, to] = pair else { continue };
            *self.edges.entry((from.status, to.status)).or_default() += 1;
            if from.status != to.status && !from.status.may_become().contains(&to.status) {
                say(&format!("{} became {}", from.status.as_str(), to.status.as_str()));
            }
        }
        if after.history.get(known..).is_some_and(|new| new.iter().any(|step| step.cause == Cause::Contested))
            && let Some(charge) = after.state.payment().and_then(|payment| payment.charge.as_ref())
        {
            self.contested.push((charge.gateway.clone(), after.attempt_id(charge.attempt)));
        }
        for step in after.history.get(known..).into_iter().flatten() {
            self.news.push(format!("{} is {}: {}", after.id, step.status.as_str(), step.cause.as_str()));
        }
        if after.history.last().map(|step| step.status) != Some(after.status()) {
            say("its history ends in another status");
        }
        if let Some(live) = after.state.live_attempt()
            && live.number != after.attempts
        {
            say("the live attempt is not the last");
        }
        if let Some(name) = &after.content.description
            && name.as_str().starts_with("order ")
        {
            self.is_made_once(name.as_str(), &after.id, wrong);
        }
    }

    /// Whoever asks for something gives it a name of its own, whose only bearer it is, however often it was asked for.
    fn is_made_once(&mut self, name: &str, id: &impl fmt::Display, wrong: &mut Vec<String>) {
        let id = id.to_string();
        let first = self.named.entry(name.to_owned()).or_insert_with(|| id.clone());
        if *first != id {
            wrong.push(format!("{name:?} was asked for once, and made {first} and {id}"));
        }
    }

    /// An invoice's amounts are those of its transactions.
    fn agrees(&self, invoice: &Invoice, wrong: &mut Vec<String>) {
        let of = |kinds: &[TransactionKind], reference: Option<&GatewayReference>| -> i64 {
            let booked = self.transactions.values().filter(|transaction| transaction.mirrors.is_none());
            let mine = booked.filter(|transaction| {
                transaction.moved_by.at_gateway().is_some_and(|at| {
                    at.invoice == invoice.id && reference.is_none_or(|reference| at.reference == *reference)
                })
            });
            mine.filter(|transaction| kinds.contains(&transaction.kind)).map(|one| one.amount.minor()).sum()
        };
        let mut say = |what: String| wrong.push(format!("{}: {what}", invoice.id));
        let charged = of(&[TransactionKind::Charge], None);
        let paid = invoice.state.payment();
        let owed = paid.and_then(|payment| payment.charge.as_ref()).map_or(0, |charge| charge.amount.minor());
        if charged != owed {
            say(format!("its payment is {owed}, and the ledger has {charged}"));
        }
        let orphaned = of(&[TransactionKind::Orphan], None);
        let orphans: i64 = invoice.orphans.iter().map(|orphan| orphan.amount.minor()).sum();
        if orphaned != orphans {
            say(format!("its orphans are {orphans}, and the ledger has {orphaned}"));
        }
        if let Some(payment) = paid {
            let came = payment.amount().map_or(0, Money::minor);
            if payment.refunded + payment.refunding > came {
                say(format!("{} + {} of {came} go back", payment.refunded, payment.refunding));
            }
            if owed != 0 && owed != invoice.total.minor() {
                say(format!("it is paid with {owed} of {}", invoice.total));
            }
        }
    }

    /// What is on our books of a charge or a refund is on the gateway's books too.
    fn is_real(&self, moved: &Moved, gateways: &[Arc<SimulatedGateway>], wrong: &mut Vec<String>) {
        let (name, reference) = moved;
        let (came, went) = self.of(name, reference);
        let Some(gateway) = gateways.iter().find(|known| known.called() == name) else {
            return wrong.push(format!("money of {name}, which is no gateway"));
        };
        let book = gateway.book.lock().unwrap();
        let captured = book.captured(&GatewayReference(reference.clone())).map_or(0, Money::minor);
        if came > captured {
            wrong.push(format!("{reference} is booked with {came}, and {name} captured {captured}"));
        }
        let returned = book.returned(reference);
        if went > returned {
            wrong.push(format!("{reference} is booked with {went}, and {name} gave back {returned}"));
        }
    }

    /// What came by a charge of this reference, or went back by a refund of it.
    pub(crate) fn of(&self, gateway: &GatewayName, reference: &str) -> (i64, i64) {
        let (mut came, mut went) = (0, 0);
        for transaction in self.transactions.values().filter(|one| one.mirrors.is_none()) {
            let Some(at) = transaction.moved_by.at_gateway() else { continue };
            if at.gateway != *gateway || at.reference.0 != reference {
                continue;
            }
            match transaction.kind {
                TransactionKind::Charge | TransactionKind::Orphan => came += transaction.amount.minor(),
                TransactionKind::Refund => went += transaction.amount.minor(),
                _ => {}
            }
        }
        (came, went)
    }

    pub(crate) fn next_due_ms(&self) -> Option<i64> {
        let waits = |key: &Key| self.is_balance_in_vain(key) || self.is_card_of_undecided(key);
        self.due.iter().filter(|(key, _)| !waits(key)).map(|(_, at)| *at).min()
    }

    /// A card that is to be forgotten once it is known what was charged to it, which a person has to find out.
    fn is_card_of_undecided(&self, (_, sk): &Key) -> bool {
        let Some(code) = sk.strip_prefix("GONE#") else { return false };
        let method = format!("{}{code}", PaymentMethodId::PREFIX).parse().ok();
        self.invoices.values().any(|invoice| {
            let is_pending = matches!(invoice.state, State::Pending(_));
            is_pending && invoice.payment_method() == method && self.is_told_of(invoice, &UNDECIDED)
        })
    }

    pub(crate) fn due(&self) -> impl Iterator<Item = (&(String, String), &i64)> {
        self.due.iter()
    }

    /// The items of one partition.
    fn within<'a>(&'a self, pk: &str) -> impl Iterator<Item = (&'a Key, &'a Value)> + use<'a> {
        let (from, to) = ((pk.to_owned(), String::new()), (pk.to_owned(), "~".to_owned()));
        self.items.range(from..to)
    }

    /// Those of all partitions that are called so.
    fn starting_with<'a>(&'a self, prefix: &str) -> impl Iterator<Item = (&'a Key, &'a Value)> + use<'a> {
        let (from, to) = ((prefix.to_owned(), String::new()), (format!("{prefix}~"), String::new()));
        self.items.range(from..to)
    }

    /// What is on the attention list of invoices.
    pub(crate) fn matters(&self) -> Vec<Matter> {
        let open = self.starting_with("ATN#").filter(|(_, item)| item.get("cl").is_none());
        let all = open.filter_map(|((pk, _), item)| {
            let text = |path| item.pointer(path).and_then(Value::as_str);
            Some(Matter {
                id: pk.strip_prefix("ATN#")?.to_owned(),
                kind: AttentionKind::ALL.into_iter().find(|kind| text("/k/S") == Some(kind.as_str()))?,
                invoice: text("/inv/S")?.parse().ok()?,
                gateway: text("/gw/S").and_then(|name| GatewayName::parse(name).ok()),
                reference: text("/ref/S").map(|reference| GatewayReference(reference.to_owned())),
            })
        });
        all.collect()
    }

    /// Whether a person has been told such a thing of it.
    fn is_told_of(&self, invoice: &Invoice, kinds: &[AttentionKind]) -> bool {
        self.matters().iter().any(|matter| matter.invoice == invoice.id && kinds.contains(&matter.kind))
    }

    /// Whether a person has to find out what is right, so that the books may stand as they are.
    pub(crate) fn is_in_doubt(&self, invoice: &Invoice) -> bool {
        self.is_told_of(invoice, &DOUBTS)
    }

    /// Webhooks that were taken in and never had their effect.
    pub(crate) fn unheeded(&self) -> impl Iterator<Item = &Key> {
        let webhooks = self.starting_with("WH#");
        webhooks.filter(|(_, item)| item.pointer("/ok/BOOL") != Some(&Value::Bool(true))).map(|(key, _)| key)
    }

    /// Whether what was answered with a 2xx is on record.
    pub(crate) fn has_webhook(&self, gateway: &GatewayName, event: &str) -> bool {
        self.within(&format!("WH#{gateway}#{event}")).next().is_some()
    }

    pub(crate) fn is_settled(&self, invoice: &Invoice) -> bool {
        match &invoice.state {
            State::Pending(_) => self.is_told_of(invoice, &UNDECIDED),
            State::InProtest(_) => self.is_told_of(invoice, &PROTESTED),
            State::ChargedWithError(failed) => failed.retry_at.is_none(),
            _ => true,
        }
    }
}
