//! Amounts, as requests have them.

use super::Clients;
use crate::chance::Chance;
use fatura_domain::invoice::Invoice;
use serde_json::{Value, json};

pub(super) fn decimal(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

pub(super) fn reais(cents: i64) -> Value {
    json!({ "amount": decimal(cents), "currency": "BRL" })
}

impl Clients {
    /// What a refund asks for: all that is left, or some of it.
    pub(super) fn all_or_part(&self, invoice: &Invoice, chance: &Chance) -> Value {
        let mut body = json!({ "reason": self.name("refund") });
        let part = chance.between(1, invoice.total.minor().max(2));
        if !chance.happens(300) {
            body["amount"] = json!(decimal(part));
        }
        body
    }
}
