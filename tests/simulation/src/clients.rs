//! Those who ask: at random, more than once, and again whatever they were not answered.

use crate::books::Books;
use crate::chance::Chance;
use fatura_domain::invoice::{Invoice, Status};
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Customer,
    Card,
    Token,
    Create,
    Charge,
    Cancel,
    Requeue,
    Refund,
    Contest,
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Customer => "create-customer",
            Self::Card => "add-card",
            Self::Token => "hold-card-also",
            Self::Create => "create-invoice",
            Self::Charge => "charge-invoice",
            Self::Cancel => "cancel-invoice",
            Self::Requeue => "requeue-invoice",
            Self::Refund => "refund",
            Self::Contest => "contest",
        }
    }
}

/// One request, the same however often it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) kind: Kind,
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) key: String,
    pub(crate) body: Value,
    pub(crate) tries: u32,
}

#[derive(Debug, Default)]
pub(crate) struct Clients {
    next_key: u64,
    pub(crate) customers: Vec<String>,
    /// Unanswered, or not as one would wish.
    pub(crate) again: Vec<Asked>,
    /// The first good answer to each key.
    answers: BTreeMap<String, String>,
    pub(crate) replays: u64,
}

impl Clients {
    const MOST_TRIES: u32 = 8;

    pub(crate) fn post(&mut self, kind: Kind, path: String, body: Value) -> Asked {
        self.next_key += 1;
        Asked { kind, method: "POST", path, key: format!("key-{}", self.next_key), body, tries: 0 }
    }

    /// What somebody wants next.
    pub(crate) fn wish(&mut self, books: &Books, chance: &Chance) -> Option<Asked> {
        if chance.happens(300) && !self.again.is_empty() {
            let place = chance.place(self.again.len());
            return Some(self.again.remove(place));
        }
        let invoices: Vec<&Invoice> = books.invoices.values().collect();
        let any = chance.pick(&invoices);
        match (chance.below(10), any) {
            (0..4, _) | (_, None) => self.create(chance),
            (4..6, Some(invoice)) => Some(self.about(invoice, "charge", Kind::Charge, json!({}))),
            (6, Some(invoice)) => Some(self.about(invoice, "cancel", Kind::Cancel, json!({}))),
            (7, Some(invoice)) => Some(self.about(invoice, "requeue", Kind::Requeue, json!({}))),
            (8, Some(invoice)) => {
                let paid: Vec<&Invoice> =
                    invoices.iter().copied().filter(|invoice| invoice.status() == Status::Paid).collect();
                let invoice = chance.pick(&paid).copied().unwrap_or(invoice);
                let body =
                    if chance.happens(400) { json!({}) } else { json!({ "amount": part(invoice, chance) }) };
                Some(self.about(invoice, "refunds", Kind::Refund, body))
            }
            (_, Some(invoice)) => {
                Some(self.about(invoice, "contest", Kind::Contest, json!({ "reason": "not_received" })))
            }
        }
    }

    fn about(&mut self, invoice: &Invoice, verb: &str, kind: Kind, body: Value) -> Asked {
        self.post(kind, format!("/v1/invoices/{}/{verb}", invoice.id), body)
    }

    fn create(&mut self, chance: &Chance) -> Option<Asked> {
        let customer = chance.pick(&self.customers)?.clone();
        let cents = chance.between(100, 99_999);
        let name = format!("order {}", self.next_key + 1);
        let body = json!({
            "customer_id": customer,
            "currency": "BRL",
            "description": name,
            "auto_charge": chance.happens(600),
            "items": [
                { "description": "Plan", "quantity": 1, "unit_price": decimal(cents) },
                { "description": "Seats", "quantity": "3", "unit_price": "7.335" },
            ],
        });
        Some(self.post(Kind::Create, "/v1/invoices".to_owned(), body))
    }

    /// An answer came, or none. Says what is wrong with it.
    pub(crate) fn hear(
        &mut self,
        asked: Asked,
        answer: Option<(u16, &str)>,
        chance: &Chance,
    ) -> Option<String> {
        let next = Asked { tries: asked.tries + 1, ..asked };
        match answer {
            Some((status @ 200..300, body)) => {
                let known = self.answers.get(&next.key).cloned();
                let is_other = known.as_ref().is_some_and(|known| known != body);
                if known.is_none() {
                    self.answers.insert(next.key.clone(), body.to_owned());
                } else {
                    self.replays += 1;
                }
                let wrong =
                    is_other.then(|| format!("{} {} is answered {status} in two ways", next.path, next.key));
                if next.tries < Self::MOST_TRIES && chance.happens(150) {
                    self.again.push(next);
                }
                wrong
            }
            Some((400..500, _)) => {
                let known = self.answers.contains_key(&next.key);
                known.then(|| {
                    format!("{} {} was granted, and is refused when asked again", next.path, next.key)
                })
            }
            Some((500, body)) => Some(format!("{} {} is answered 500: {body}", next.path, next.key)),
            _ => {
                if next.tries < Self::MOST_TRIES {
                    self.again.push(next);
                }
                None
            }
        }
    }
}

fn part(invoice: &Invoice, chance: &Chance) -> String {
    let total = invoice.total.minor().max(2);
    decimal(chance.between(1, total))
}

fn decimal(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}
