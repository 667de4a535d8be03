//! Bills and wallets, as their raw items: sums that nothing but a condition keeps.

use super::{Books, Key};
use serde_json::Value;

const LINE: &str = "L#";
const SUM: &str = "SUM";
const WALLET: &str = "WALLET#";

impl Books {
    /// An item as it is about to be, with the others as they are.
    pub(super) fn weigh(&mut self, key: &Key, image: &Value, wrong: &mut Vec<String>) {
        let (pk, sk) = key;
        if pk.starts_with("BL#") {
            self.shards.insert(pk.clone());
            let is_new = !self.items.contains_key(key);
            let sum = self.items.get(&(pk.clone(), SUM.to_owned()));
            let is_closed = sum.is_some_and(|sum| sum.pointer("/cl/BOOL") == Some(&Value::Bool(true)));
            if sk.starts_with(LINE) && is_new && is_closed {
                wrong.push(format!("{pk} {sk} comes after its shard was closed"));
            }
        }
        if sk.starts_with(WALLET) && number(image, "/b/N") < 0 {
            wrong.push(format!("{pk} {sk} is below zero: {}", number(image, "/b/N")));
        }
    }

    /// A shard counts each of its line items once.
    pub(super) fn count(&mut self, wrong: &mut Vec<String>) {
        for pk in std::mem::take(&mut self.shards) {
            let lines = self.within(&pk).filter(|((_, sk), _)| sk.starts_with(LINE)).count();
            let sum = self.items.get(&(pk.clone(), SUM.to_owned()));
            let counted = sum.map_or(0, |sum| number(sum, "/n/N"));
            if i64::try_from(lines).ok() != Some(counted) {
                wrong.push(format!("{pk} has {lines} line items and counts {counted}"));
            }
        }
    }
}

pub(super) fn number(item: &Value, path: &str) -> i64 {
    item.pointer(path).and_then(Value::as_str).and_then(|digits| digits.parse().ok()).unwrap_or_default()
}
