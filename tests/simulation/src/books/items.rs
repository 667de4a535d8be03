//! Bills and wallets, as their raw items: sums that nothing but a condition keeps.

use super::{Books, Key};
use serde_json::Value;
use std::collections::BTreeMap;

const LINE: &str = "L#";
const SUM: &str = "SUM";
const COUNT: &str = "n";
const TOTAL: &str = "t_";
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

    /// A shard counts each of its line items once, and what they come to in each currency.
    pub(super) fn count(&mut self, wrong: &mut Vec<String>) {
        for pk in std::mem::take(&mut self.shards) {
            let (mut gathered, mut counted) = (BTreeMap::new(), BTreeMap::new());
            for (_, line) in self.within(&pk).filter(|((_, sk), _)| sk.starts_with(LINE)) {
                let currency = line.pointer("/l/M/t/M/c/S").and_then(Value::as_str).unwrap_or_default();
                *gathered.entry(COUNT.to_owned()).or_default() += 1;
                *gathered.entry(format!("{TOTAL}{currency}")).or_default() += number(line, "/l/M/t/M/n/N");
            }
            let sum = self.items.get(&(pk.clone(), SUM.to_owned())).and_then(Value::as_object);
            for (name, value) in sum.into_iter().flatten() {
                if name == COUNT || name.starts_with(TOTAL) {
                    counted.insert(name.clone(), number(value, "/N"));
                }
            }
            if gathered != counted {
                wrong.push(format!("{pk} counts {counted:?}, and its line items come to {gathered:?}"));
            }
        }
    }
}

pub(super) fn number(item: &Value, path: &str) -> i64 {
    item.pointer(path).and_then(Value::as_str).and_then(|digits| digits.parse().ok()).unwrap_or_default()
}

/// Whether it is in that state, where a state is named by its variant.
pub(super) fn stands(item: &Value, state: &str) -> bool {
    item.pointer("/st/M").and_then(|states| states.get(state)).is_some()
}
