//! Which items a change set touches, and on which conditions.

use super::{Action, Condition, IfRefused, Update, Write, bills, ledger, outgoing};
use crate::items::{
    AnswerItem, ApiKeyItem, AttemptItem, AttentionItem, BillItem, CredentialsItem, CustomerItem,
    DetachmentItem, DifferenceItem, DisputeItem, InvoiceItem, Item, OrderItem, OwnerItem, PartItem,
    PaymentMethodItem, PreferencesItem, RefundItem, RunItem, SessionItem, TellingItem, TransactionItem,
    TriesItem, WebhookItem, corrupt, to_key, write_fees, write_plan, write_risk_rules, write_rules,
};
use crate::keys::{self, Key};
use aws_sdk_dynamodb::types::AttributeValue;
use fatura_application::idempotency::StoredAnswer;
use fatura_application::notices::NoticeChange;
use fatura_application::ports::StoreError;
use fatura_application::sign_in::AccessChange;
use fatura_application::{Change, ChangeSet, Edition};
use fatura_domain::attention::Closed;
use fatura_domain::bug::Bug;
use fatura_domain::charge::Attempt;
use fatura_domain::customer::{Customer, Detachment};
use fatura_domain::gateway::GatewayName;
use fatura_domain::id::{CustomerId, TransactionId};
use fatura_domain::order::Order;
use std::collections::{BTreeMap, HashMap};

const IS_NEW: &str = "attribute_not_exists(PK)";
const EXISTS: &str = "attribute_exists(PK)";
const IS_VERSION: &str = "v = :v";
const IS_OURS: &str = "id = :owner";

pub(super) fn actions(changes: ChangeSet) -> Result<Vec<Action>, StoreError> {
    // A succeeded attempt lies inside its transaction's item: one item less to pay for.
    let enclosed: Vec<(TransactionId, Attempt)> =
        changes.changes().iter().filter_map(|change| enclosed(change, changes.changes())).collect();
    let mut actions = tallies(&changes);
    let sums = bills::sums(&changes);
    for change in changes {
        match change {
            Change::CustomerExists(id) => {
                actions.push(action(Write::Check(to_key(keys::customer(id))), EXISTS, IfRefused::NoCustomer));
            }
            Change::CustomerUnchanged { id, version } => {
                actions.push(at_version(Write::Check(to_key(keys::customer(id))), version));
            }
            Change::CustomerCreated(customer) => {
                actions.push(new(CustomerItem::write(&customer)?));
                actions.extend(taken(&customer, customer.id)?);
            }
            Change::CustomerChanged { before, after } => {
                actions.push(at_version(Write::Put(CustomerItem::write(&after)?), before.version));
                actions.extend(moved_addresses(&before, &after)?);
            }
            Change::Access(change) => actions.push(access(change)?),
            Change::Notice(change) => actions.push(notice(change)?),
            Change::Outgoing(change) => actions.extend(outgoing::actions(change)?),
            Change::PaymentMethodAdded(method) => actions.push(new(PaymentMethodItem::write(&method)?)),
            Change::PaymentMethodReplaced(method) => {
                let write = Write::Put(PaymentMethodItem::write(&method)?);
                actions.push(action(write, EXISTS, IfRefused::Stale));
            }
            Change::PaymentMethodDetached(id) => {
                actions.push(removed(keys::payment_method(id)));
            }
            Change::DetachmentMoved { before, after } => {
                actions.extend(detachment(before.as_ref(), after.as_ref())?);
            }
            Change::InvoiceCreated(invoice) => actions.push(new(InvoiceItem::write(&invoice)?)),
            Change::InvoiceChanged(invoice) if Bug::SettleWithoutVersion.is_planted() => {
                actions.push(unconditional(Write::Put(InvoiceItem::write(&invoice)?)));
            }
            Change::InvoiceChanged(invoice) => {
                actions.push(changed(InvoiceItem::write(&invoice)?, invoice.version));
            }
            Change::OrderPlaced(order) => actions.push(new(OrderItem::write(&order)?)),
            Change::OrderChanged(order) => actions.push(order_changed(&order)?),
            Change::AttemptFinished(attempt) if enclosed.iter().any(|(_, inner)| *inner == attempt) => {}
            Change::AttemptFinished(attempt) => actions.push(new(AttemptItem::write(&attempt)?)),
            Change::TransactionBooked(transaction) => {
                let of_it = enclosed.iter().find(|(id, _)| *id == transaction.id);
                let item = TransactionItem::write(&transaction, of_it.map(|(_, attempt)| attempt))?;
                actions.push(new(item));
            }
            Change::WalletMoved { customer, currency, minor, opens } => {
                actions.push(ledger::wallet(customer, currency, minor, opens));
            }
            Change::JournalReversed(id) => actions.push(ledger::reversed(id)),
            Change::Sealed { before, after, links, counted } => {
                actions.extend(ledger::sealed(&before, &after, &links, &counted)?);
            }
            Change::RefundRequested(refund) => actions.push(new(RefundItem::write(&refund)?)),
            Change::RefundChanged(refund) => {
                actions.push(changed(RefundItem::write(&refund)?, refund.version));
            }
            Change::DisputeOpened(dispute) => actions.push(new(DisputeItem::write(&dispute)?)),
            Change::DisputeChanged(dispute) => {
                actions.push(changed(DisputeItem::write(&dispute)?, dispute.version));
            }
            Change::MethodAwaited(invoice) => actions.push(marked(keys::waiting(invoice))),
            Change::MethodNoLongerAwaited(invoice) => actions.push(unmarked(keys::waiting(invoice))),
            Change::AttentionRaised(matter) => {
                actions.push(unconditional(Write::Put(AttentionItem::write(&matter)?)));
            }
            Change::AttentionRaisedOnce(matter) => actions.push(new(AttentionItem::write(&matter)?)),
            Change::AttentionClosed { id, closed } => {
                let write = Write::Update(to_key(keys::attention(&id)), Update::closing(&closed)?);
                actions.push(action(write, EXISTS, IfRefused::Stale));
            }
            Change::RunBegun(run) => actions.push(new(RunItem::write(&run)?)),
            Change::PartBegun(part) => actions.push(new(PartItem::write(&part)?)),
            Change::PartChanged(part) => actions.push(changed(PartItem::write(&part)?, part.version)),
            Change::DifferenceFound { run, difference } => {
                actions.push(unconditional(Write::Put(DifferenceItem::write(&run, &difference)?)));
            }
            // Counted above, all of them together.
            Change::Tallied { .. } => {}
            Change::BillOpened(bill) => actions.push(new(BillItem::write(&bill)?)),
            Change::BillChanged(bill) => actions.push(changed(BillItem::write(&bill)?, bill.version)),
            // What several add to one shard is counted above.
            Change::LineAppended { line, shard, .. } => actions.push(bills::line(&line, shard)?),
            Change::EmptyShardsClosed(bill) => actions.extend(bills::empty_shards_closed(&bill)),
            Change::BillAwaited(bill) => actions.push(marked(keys::awaiting_bill(bill))),
            Change::BillNoLongerAwaited(bill) => actions.push(unmarked(keys::awaiting_bill(bill))),
            Change::EditionPut(edition) => actions.extend(put(&edition)?),
            Change::Answered(stored) => actions.push(answered(stored)?),
            Change::WebhookProcessed { gateway, event_id } => actions.push(processed(&gateway, &event_id)),
            Change::ApiKeyCreated(key) => actions.push(new(ApiKeyItem::write(&key)?)),
            Change::ApiKeyRevoked(key) => {
                actions.push(action(Write::Put(ApiKeyItem::write(&key)?), EXISTS, IfRefused::Stale));
            }
        }
    }
    actions.extend(sums);
    Ok(actions)
}

fn access(change: AccessChange) -> Result<Action, StoreError> {
    Ok(match change {
        AccessChange::CredentialsSet(credentials) => {
            next(CredentialsItem::write(&credentials)?, credentials.version)
        }
        AccessChange::SessionOpened(session) => new(SessionItem::write(&session)?),
        AccessChange::SessionChanged(session) => changed(SessionItem::write(&session)?, session.version),
        AccessChange::SessionEnded(id) => unmarked(keys::session(id)),
        AccessChange::TriesChanged { of, tries } => next(TriesItem::write(&of, &tries)?, tries.version),
        AccessChange::TriesForgotten(of) => unmarked(keys::tries(&of)),
    })
}

fn notice(change: NoticeChange) -> Result<Action, StoreError> {
    Ok(match change {
        NoticeChange::PreferencesPut(put) => next(PreferencesItem::write(&put)?, put.version),
        NoticeChange::Telling(telling) => next(TellingItem::write(&telling)?, telling.version),
    })
}

fn order_changed(order: &Order) -> Result<Action, StoreError> {
    let item = OrderItem::write(order)?;
    if Bug::OrderWithoutVersion.is_planted() {
        return Ok(unconditional(Write::Put(item)));
    }
    Ok(changed(item, order.version))
}

/// The transaction that can hold a finished attempt without losing anything of it.
fn enclosed(change: &Change, changes: &[Change]) -> Option<(TransactionId, Attempt)> {
    let Change::AttemptFinished(attempt) = change else { return None };
    changes.iter().find_map(|change| match change {
        Change::TransactionBooked(transaction) if TransactionItem::tells(transaction, attempt) => {
            Some((transaction.id, attempt.clone()))
        }
        _ => None,
    })
}

fn processed(gateway: &GatewayName, event_id: &str) -> Action {
    let key = to_key(keys::webhook(gateway, event_id));
    let write = Write::Update(key, Update::set(WebhookItem::PROCESSED, AttributeValue::Bool(true)));
    action(write, EXISTS, IfRefused::Stale)
}

fn answered(stored: StoredAnswer) -> Result<Action, StoreError> {
    let condition = Condition {
        expression: "attribute_not_exists(PK) OR ex < :now".into(),
        values: HashMap::from([(
            ":now".to_owned(),
            AttributeValue::N(stored.at.as_millisecond().to_string()),
        )]),
    };
    let write = Write::Put(AnswerItem::write(&stored)?);
    Ok(Action { write, condition: Some(condition), if_refused: IfRefused::Answered(stored.once.scope) })
}

fn detachment(before: Option<&Detachment>, after: Option<&Detachment>) -> Result<Option<Action>, StoreError> {
    Ok(match (before, after) {
        (None, Some(after)) => Some(new(DetachmentItem::write(after)?)),
        (Some(before), Some(after)) => {
            Some(at_version(Write::Put(DetachmentItem::write(after)?), before.version))
        }
        (Some(before), None) => {
            let key = to_key(keys::detachment(before.method));
            Some(at_version(Write::Delete(key), before.version))
        }
        (None, None) => None,
    })
}

pub(super) fn action(write: Write, condition: &'static str, if_refused: IfRefused) -> Action {
    let condition = Condition { expression: condition.into(), values: HashMap::new() };
    Action { write, condition: Some(condition), if_refused }
}

/// What isn't there yet.
pub(super) fn new(item: Item) -> Action {
    action(Write::Put(item), IS_NEW, IfRefused::Stale)
}

/// What is there, and then isn't.
fn removed(key: Key) -> Action {
    action(Write::Delete(to_key(key)), EXISTS, IfRefused::Stale)
}

/// The next version of what is there.
pub(super) fn changed(item: Item, version: u64) -> Action {
    at_version(Write::Put(item), version.saturating_sub(1))
}

/// The first version of what isn't there yet, or the next of what is.
fn next(item: Item, version: u64) -> Action {
    if version == 1 { new(item) } else { changed(item, version) }
}

/// The edition in force, and the one that stays.
fn put(edition: &Edition) -> Result<[Action; 2], StoreError> {
    let ([current, kept], version) = match edition {
        Edition::Dunning(rules) => (write_rules(rules)?, rules.version),
        Edition::Gateways(plan) => (write_plan(plan)?, plan.version),
        Edition::Fees(fees) => (write_fees(fees)?, fees.version),
        Edition::Risk(rules) => (write_risk_rules(rules)?, rules.version),
    };
    Ok([next(current, version), new(kept)])
}

pub(super) fn unconditional(write: Write) -> Action {
    Action { write, condition: None, if_refused: IfRefused::Stale }
}

/// An item that says all it has to by being there.
fn marked(key: Key) -> Action {
    unconditional(Write::Put(to_key(key)))
}

fn unmarked(key: Key) -> Action {
    unconditional(Write::Delete(to_key(key)))
}

impl Update {
    pub(super) fn set(attribute: &str, value: AttributeValue) -> Self {
        Self {
            expression: "SET #a = :a".to_owned(),
            names: HashMap::from([("#a".to_owned(), attribute.to_owned())]),
            values: HashMap::from([(":a".to_owned(), value)]),
        }
    }

    /// The first word stays.
    fn closing(closed: &Closed) -> Result<Self, StoreError> {
        let closed: AttributeValue = serde_dynamo::to_attribute_value(closed).map_err(corrupt)?;
        Ok(Self {
            expression: "SET cl = if_not_exists(cl, :closed) REMOVE WP, WS".to_owned(),
            names: HashMap::new(),
            values: HashMap::from([(":closed".to_owned(), closed)]),
        })
    }

    /// Adds to counters, named by outcome.
    fn add(counts: &BTreeMap<String, i64>) -> Self {
        let mut update = Self { expression: String::new(), names: HashMap::new(), values: HashMap::new() };
        let mut terms = Vec::new();
        for (index, (outcome, count)) in counts.iter().enumerate() {
            terms.push(format!("#o{index} :n{index}"));
            update.names.insert(format!("#o{index}"), outcome.clone());
            update.values.insert(format!(":n{index}"), AttributeValue::N(count.to_string()));
        }
        update.expression = format!("ADD {}", terms.join(", "));
        update
    }
}

/// One action for each counter: a transaction takes an item once.
fn tallies(changes: &ChangeSet) -> Vec<Action> {
    let mut counters: BTreeMap<Key, BTreeMap<String, i64>> = BTreeMap::new();
    for change in changes.changes() {
        let Change::Tallied { run, invoice, was, is } = change else { continue };
        let counts = counters.entry(keys::tally(run, *invoice)).or_default();
        *counts.entry(is.name()).or_default() += 1;
        if let Some(was) = was {
            *counts.entry(was.name()).or_default() -= 1;
        }
    }
    let update = |(key, counts): (Key, BTreeMap<String, i64>)| {
        unconditional(Write::Update(to_key(key), Update::add(&counts)))
    };
    counters.into_iter().map(update).collect()
}

pub(super) fn at_version(write: Write, version: u64) -> Action {
    let condition = Condition { expression: IS_VERSION.into(), values: HashMap::new() };
    let condition = condition.with(":v", AttributeValue::N(version.to_string()));
    Action { write, condition: Some(condition), if_refused: IfRefused::Stale }
}

impl Condition {
    fn with(mut self, name: &str, value: AttributeValue) -> Self {
        self.values.insert(name.to_owned(), value);
        self
    }
}

/// Addresses that no two customers share, each with what its refusal means.
fn addresses(customer: &Customer) -> Vec<(Key, IfRefused)> {
    let email = Some((keys::email(customer.profile.email.as_str()), IfRefused::EmailTaken));
    let external_id = customer.profile.external_id.as_ref();
    let external_id = external_id.map(|id| (keys::external_id(id.as_str()), IfRefused::ExternalIdTaken));
    email.into_iter().chain(external_id).collect()
}

fn taken(customer: &Customer, id: CustomerId) -> Result<Vec<Action>, StoreError> {
    let take = |(key, if_refused)| Ok(action(Write::Put(OwnerItem::write(key, id)?), IS_NEW, if_refused));
    addresses(customer).into_iter().map(take).collect()
}

fn moved_addresses(before: &Customer, after: &Customer) -> Result<Vec<Action>, StoreError> {
    let (old, new) = (addresses(before), addresses(after));
    let has = |list: &[(Key, IfRefused)], key: &Key| list.iter().any(|(other, _)| other == key);
    let mut actions = Vec::new();
    for (key, _) in old.iter().filter(|(key, _)| !has(&new, key)) {
        let mut action = action(Write::Delete(to_key(key.clone())), IS_OURS, IfRefused::Stale);
        let owner = AttributeValue::S(before.id.to_string());
        action.condition = action.condition.map(|condition| condition.with(":owner", owner));
        actions.push(action);
    }
    for (key, if_refused) in new.into_iter().filter(|(key, _)| !has(&old, key)) {
        actions.push(action(Write::Put(OwnerItem::write(key, after.id)?), IS_NEW, if_refused));
    }
    Ok(actions)
}
