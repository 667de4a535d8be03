//! Wallets, which nothing but a condition keeps from going below zero, and the chain with the platform's sums.

use super::plan::{action, new};
use super::{Action, Condition, IfRefused, Update, Write};
use crate::items::{HeadItem, Item, LinkItem, TotalsItem, WalletItem, to_key};
use crate::keys;
use aws_sdk_dynamodb::types::AttributeValue;
use fatura_application::ports::{Refusal, StoreError};
use fatura_domain::bug::Bug;
use fatura_domain::id::{CustomerId, TransactionId};
use fatura_domain::ledger::{Head, Link, Totals};
use fatura_domain::money::Currency;
use fatura_domain::wallet::Wallet;
use std::collections::HashMap;

/// What one change set does to one wallet.
pub(crate) struct Moved {
    customer: CustomerId,
    currency: Currency,
    minor: i128,
}

pub(super) fn wallet(customer: CustomerId, currency: Currency, minor: i128, opens: bool) -> Action {
    let names = HashMap::from([("#b".to_owned(), WalletItem::BALANCE.to_owned())]);
    let values = HashMap::from([(":by".to_owned(), number(minor))]);
    let update = Update { expression: "ADD #b :by".to_owned(), names, values };
    let (least, most) = Wallet::bounds_before(minor);
    let least = if Bug::WalletUnbounded.is_planted() { -most } else { least };
    let condition = if opens {
        Condition { expression: "attribute_not_exists(PK)".into(), values: HashMap::new() }
    } else {
        let bounds = [(":least".to_owned(), number(least)), (":most".to_owned(), number(most))];
        Condition { expression: "#b >= :least AND #b <= :most".into(), values: bounds.into() }
    };
    Action {
        write: Write::Update(to_key(keys::wallet(customer, currency)), update),
        condition: Some(condition),
        if_refused: IfRefused::Moved(Moved { customer, currency, minor }),
    }
}

impl Moved {
    /// Why, by the domain's own rule. Nothing there, or something where it was to be opened: no rule was broken.
    pub(super) fn refusal(&self, found: Option<Item>) -> Result<Refusal, StoreError> {
        let Self { customer, currency, minor } = *self;
        let found = found.filter(|item| !item.is_empty());
        let wallet = found.map(|item| WalletItem::read(customer, item)).transpose()?;
        let why = wallet.and_then(|wallet| wallet.moved(minor).err());
        Ok(Refusal::WalletRefused { customer, currency, why })
    }
}

pub(super) fn reversed(id: TransactionId) -> Action {
    action(Write::Put(to_key(keys::reversal(id))), "attribute_not_exists(PK)", IfRefused::Reversed)
}

pub(super) fn sealed(
    before: &Head,
    after: &Head,
    links: &[Link],
    counted: &Totals,
) -> Result<Vec<Action>, StoreError> {
    let mut actions =
        links.iter().map(|link| LinkItem::write(link).map(new)).collect::<Result<Vec<_>, _>>()?;
    actions.push(head(before, after)?);
    actions.extend(totals(before.customer, counted));
    Ok(actions)
}

fn head(before: &Head, after: &Head) -> Result<Action, StoreError> {
    let item = HeadItem::write(after)?;
    if before.length == 0 {
        return Ok(new(item));
    }
    let expression = format!("{} = :length", HeadItem::LENGTH);
    let values = HashMap::from([(":length".to_owned(), number(before.length.into()))]);
    let condition = Condition { expression: expression.into(), values };
    Ok(Action { write: Write::Put(item), condition: Some(condition), if_refused: IfRefused::Stale })
}

/// None if nothing is counted: what only mirrors another journal.
fn totals(customer: CustomerId, counted: &Totals) -> Option<Action> {
    let additions = TotalsItem::additions(counted);
    let (mut names, mut values, mut terms) = (HashMap::new(), HashMap::new(), Vec::new());
    for (index, (name, minor)) in additions.into_iter().enumerate() {
        terms.push(format!("#t{index} :t{index}"));
        names.insert(format!("#t{index}"), name);
        values.insert(format!(":t{index}"), number(minor));
    }
    let update = Update { expression: format!("ADD {}", terms.join(", ")), names, values };
    let write = Write::Update(to_key(keys::totals_of(customer)), update);
    (!terms.is_empty()).then_some(Action { write, condition: None, if_refused: IfRefused::Stale })
}

fn number(digits: i128) -> AttributeValue {
    AttributeValue::N(digits.to_string())
}
