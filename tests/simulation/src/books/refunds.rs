//! Refunds: each has come to an end or is on the attention list, and an invoice counts them as they are.

use super::items::{number, stands};
use super::{Books, Key, REFUND};
use fatura_domain::attention::AttentionKind;
use fatura_domain::invoice::Invoice;
use serde_json::{Value, json};
use std::collections::BTreeMap;

impl Books {
    pub(crate) fn refunds_ended(&self, wrong: &mut Vec<String>) {
        let mut counted: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
        for ((pk, sk), item) in self.refunds() {
            let is_done = stands(item, "succeeded");
            if !is_done && !self.is_a_matter(sk) {
                wrong.push(format!("{pk} {sk} ends as {}, and nobody is told", item["st"]));
            }
            // The other is of what nobody owed.
            if item.get("of").is_some() {
                continue;
            }
            let invoice = item.pointer("/inv/S").and_then(Value::as_str).unwrap_or_default();
            let (refunded, refunding) = counted.entry(invoice).or_default();
            if is_done {
                *refunded += number(item, "/a/M/n/N");
            } else if stands(item, "pending") {
                *refunding += number(item, "/a/M/n/N");
            }
        }
        for invoice in self.invoices.values() {
            let ours = invoice.state.payment().map(|payment| (payment.refunded, payment.refunding));
            let theirs = counted.remove(invoice.id.to_string().as_str()).unwrap_or_default();
            if ours.unwrap_or_default() != theirs {
                wrong.push(format!(
                    "{} counts {ours:?} as given back, and its refunds {theirs:?}",
                    invoice.id
                ));
            }
        }
    }

    /// Minor units that were to go back and did not.
    pub(crate) fn not_given_back(&self, invoice: &Invoice) -> i64 {
        let id = json!(invoice.id.to_string());
        let of_it = self.refunds().filter(|(_, item)| item.pointer("/inv/S") == Some(&id));
        of_it.filter(|(_, item)| !stands(item, "succeeded")).map(|(_, item)| number(item, "/a/M/n/N")).sum()
    }

    fn refunds(&self) -> impl Iterator<Item = (&Key, &Value)> {
        self.items.iter().filter(|((_, sk), _)| sk.starts_with(REFUND))
    }

    fn is_a_matter(&self, sk: &str) -> bool {
        let code = sk.strip_prefix(REFUND).unwrap_or_default();
        let mut matter = self.starting_with("ATN#").filter(|((pk, _), _)| pk.ends_with(&format!("_{code}")));
        matter.any(|(_, item)| item.pointer("/k/S") == Some(&json!(AttentionKind::RefundFailed.as_str())))
    }
}
