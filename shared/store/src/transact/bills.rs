//! An append: a line item, and its shard's sum. Neither touches the bill, so that many may append to it at once.

use super::plan::action;
use super::{Action, Condition, IfRefused, Update, Write};
use crate::items::{Item, LineItem, SumItem, to_key};
use crate::keys;
use aws_sdk_dynamodb::types::AttributeValue;
use fatura_application::ports::{Refusal, StoreError};
use fatura_application::{Change, ChangeSet};
use fatura_domain::bill::{Bill, BillLine, ShardRefusal, Shards};
use fatura_domain::bug::Bug;
use fatura_domain::id::BillId;
use fatura_domain::money::{Currency, Money};
use std::collections::{BTreeMap, HashMap};

/// What one change set adds to one shard.
pub(crate) struct Counted {
    shard: u8,
    of: Shards,
    lines: u64,
    net: BTreeMap<Currency, i128>,
}

pub(super) fn line(line: &BillLine, shard: u8) -> Result<Action, StoreError> {
    let write = Write::Put(LineItem::write(line, shard)?);
    Ok(action(write, "attribute_not_exists(PK)", IfRefused::LineTaken))
}

/// One action for each shard: a transaction takes an item once.
pub(super) fn sums(changes: &ChangeSet) -> Vec<Action> {
    let mut shards: BTreeMap<(BillId, u8), Counted> = BTreeMap::new();
    for change in changes.changes() {
        let Change::LineAppended { line, shard, of } = change else { continue };
        let empty = Counted { shard: *shard, of: *of, lines: 0, net: BTreeMap::new() };
        let counted = shards.entry((line.bill, *shard)).or_insert(empty);
        counted.lines += 1;
        *counted.net.entry(line.total().currency()).or_default() += i128::from(line.total().minor());
    }
    shards.into_iter().map(|((bill, shard), counted)| sum(bill, shard, counted)).collect()
}

fn sum(bill: BillId, shard: u8, counted: Counted) -> Action {
    let (update, condition) = (counted.update(), counted.condition());
    let write = Write::Update(to_key(keys::shard_sum(bill, shard)), update);
    Action { write, condition: Some(condition), if_refused: IfRefused::Counted(counted) }
}

/// Each shard on condition that nothing was ever counted there.
pub(super) fn empty_shards_closed(bill: &Bill) -> impl Iterator<Item = Action> {
    bill.shards.numbers().map(|shard| {
        let closed = Update::set(SumItem::CLOSED, AttributeValue::Bool(true));
        let write = Write::Update(to_key(keys::shard_sum(bill.id, shard)), closed);
        action(write, "attribute_not_exists(n)", IfRefused::Stale)
    })
}

impl Counted {
    fn update(&self) -> Update {
        let mut terms = vec![format!("{} :lines", SumItem::COUNT)];
        let mut names = HashMap::new();
        let mut values = HashMap::from([(":lines".to_owned(), number(self.lines.into()))]);
        for (index, (currency, net)) in self.net.iter().enumerate() {
            terms.push(format!("#t{index} :t{index}"));
            names.insert(format!("#t{index}"), SumItem::total(*currency));
            values.insert(format!(":t{index}"), number(*net));
        }
        Update { expression: format!("ADD {}", terms.join(", ")), names, values }
    }

    /// What [`fatura_domain::bill::Shard::with`] says. A sum within the bounds can pass only the one that it moves to.
    fn condition(&self) -> Condition {
        let closed = if Bug::AppendWithoutGuard.is_planted() { "never" } else { SumItem::CLOSED };
        let mut terms = vec![format!("attribute_not_exists({closed})")];
        let mut values = HashMap::new();
        let limit = i128::from(self.of.limit());
        for (index, net) in self.net.values().enumerate().filter(|(_, net)| **net != 0) {
            let (within, bound) = if *net > 0 { ("<=", limit - net) } else { (">=", -limit - net) };
            let within = format!("#t{index} {within} :m{index}");
            let is_first = format!("attribute_not_exists(#t{index})");
            // More than a shard takes at all is not taken as its first either.
            terms.push(if net.abs() <= limit { format!("({is_first} OR {within})") } else { within });
            values.insert(format!(":m{index}"), number(bound));
        }
        Condition { expression: terms.join(" AND ").into(), values }
    }

    /// Which of the two it was, by the domain's own rule. Neither: the shard has changed since it was refused.
    pub(super) fn refusal(&self, found: Option<&Item>) -> Result<Refusal, StoreError> {
        let shard = SumItem::read(self.shard, found)?;
        for (currency, net) in &self.net {
            let amount = i64::try_from(*net).ok().and_then(|net| Money::try_new(net, *currency).ok());
            let counted = match amount {
                _ if shard.closed => Err(ShardRefusal::Closed),
                Some(amount) => shard.with(amount, self.of).map(|_| ()),
                None => Err(ShardRefusal::Full(*currency)),
            };
            if let Err(refusal) = counted {
                return Ok(Refusal::ShardRefused(refusal));
            }
        }
        Ok(Refusal::Stale)
    }
}

fn number(digits: i128) -> AttributeValue {
    AttributeValue::N(digits.to_string())
}
