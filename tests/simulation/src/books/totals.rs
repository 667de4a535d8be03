//! What the relay keeps of journals: each customer's chain, link by link, and the sums of the platform's accounts. Reckoned
//! here from the entries alone.

use super::{Books, Key, number};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fatura_domain::id::{CustomerId, TransactionId};
use fatura_domain::ledger::{Direction, Hash, Head, Link, Transaction};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const LINK: &str = "LINK#";
const TOTALS: &str = "BOOKS";

#[derive(Debug, Default)]
pub(super) struct Sealed {
    chains: BTreeMap<CustomerId, Head>,
    journals: BTreeSet<TransactionId>,
    /// By side, currency and account, as the table names them: what the sealed journals come to.
    counted: BTreeMap<String, i128>,
    /// Links since somebody last looked.
    new: Vec<Link>,
    is_counted_anew: bool,
}

impl Books {
    /// A link or a sum that is about to be written.
    pub(super) fn seal(&mut self, (pk, sk): &Key, image: &Value, is_change: bool, wrong: &mut Vec<String>) {
        self.sealed.is_counted_anew |= pk == TOTALS;
        let Some(code) = sk.strip_prefix(LINK) else { return };
        if is_change {
            wrong.push(format!("{pk} {sk} was written once and is changed"));
        }
        match link(code, image) {
            Some(link) => self.sealed.new.push(link),
            None => wrong.push(format!("{pk} {sk} cannot be read")),
        }
    }

    /// Each new link follows the one before it, and the sums are those of the journals that are sealed.
    pub(super) fn follow_chains(&mut self, wrong: &mut Vec<String>) {
        let mut new = std::mem::take(&mut self.sealed.new);
        new.sort_by_key(|link| (link.transaction.owner(), link.number));
        for link in new {
            let id = link.transaction;
            let Some(journal) = self.transactions.get(&id) else {
                wrong.push(format!("{id} is sealed, and is nowhere"));
                continue;
            };
            let owner = id.owner();
            let before = self.sealed.chains.get(&owner).copied().unwrap_or(Head::start(owner));
            let (expected, after) = before.link(journal);
            if link != expected {
                wrong.push(format!("{id} is sealed as link {} behind link {}", link.number, before.length));
            }
            if !self.sealed.journals.insert(id) {
                wrong.push(format!("{id} is sealed twice"));
            }
            count(&mut self.sealed.counted, journal);
            self.sealed.chains.insert(owner, after);
            self.sealed.is_counted_anew = true;
        }
        if std::mem::take(&mut self.sealed.is_counted_anew) {
            let kept = self.kept();
            if kept != self.sealed.counted {
                wrong.push(format!(
                    "the platform's accounts have {kept:?} instead of {:?}",
                    self.sealed.counted
                ));
            }
        }
    }

    /// What the table says, over all of the items that it is spread over.
    fn kept(&self) -> BTreeMap<String, i128> {
        let mut kept = BTreeMap::new();
        for (_, item) in self.within(TOTALS) {
            for name in
                item.as_object().into_iter().flat_map(|item| item.keys()).filter(|name| name.contains(' '))
            {
                let sum = item.get(name).map_or(0, |value| number(value, "/N"));
                *kept.entry(name.clone()).or_default() += i128::from(sum);
            }
        }
        kept
    }

    /// In the end every journal has its place, and is counted.
    pub(crate) fn chains_agree(&self, wrong: &mut Vec<String>) {
        let mut posted = BTreeMap::new();
        for journal in self.transactions.values() {
            count(&mut posted, journal);
            if !self.sealed.journals.contains(&journal.id) {
                wrong.push(format!("{} was never sealed", journal.id));
            }
        }
        let kept = self.kept();
        if kept != posted {
            wrong.push(format!("the platform's accounts end with {kept:?} instead of {posted:?}"));
        }
    }

    /// Those who have journals, and how many.
    pub(crate) fn journals_by_owner(&self) -> BTreeMap<CustomerId, u64> {
        let mut owners = BTreeMap::new();
        for id in self.transactions.keys() {
            *owners.entry(id.owner()).or_default() += 1;
        }
        owners
    }
}

/// A copy for whoever else is concerned is the other's matter.
fn count(sums: &mut BTreeMap<String, i128>, journal: &Transaction) {
    if journal.mirrors.is_some() {
        return;
    }
    for entry in journal.journal.entries() {
        let side = if entry.direction == Direction::Debit { "d" } else { "c" };
        let name = format!("{side} {} {}", entry.amount.currency(), entry.account.general());
        *sums.entry(name).or_default() += i128::from(entry.amount.minor());
    }
}

fn link(code: &str, image: &Value) -> Option<Link> {
    let hash = |path: &str| -> Option<Hash> {
        let bytes = STANDARD.decode(image.pointer(path)?.as_str()?).ok()?;
        bytes.try_into().ok().map(Hash)
    };
    let transaction = format!("{}{code}", TransactionId::PREFIX).parse().ok()?;
    let number = u64::try_from(number(image, "/n/N")).ok()?;
    Some(Link { transaction, number, previous: hash("/p/B")?, hash: hash("/h/B")? })
}
