//! What the merchant orders.

use crate::answer::Answer;
use crate::app::new_id;
use crate::charge::{Charge, Means, State};
use crate::pix;
use crate::reading::{AMOUNTS, Reader};
use crate::tokens::{Behaviour, Manner, Verdict, behaviour};
use serde_json::Value;

const DEFAULT_EXPIRY_SECONDS: i64 = 3_600;
const LONGEST_EXPIRY_SECONDS: i64 = 1_209_600;

/// An order without faults.
pub(crate) struct Order {
    reference: String,
    pub(crate) invoice_id: String,
    amount_minor: i64,
    currency: String,
    method: Method,
}

enum Method {
    Card { token: String },
    Pix { expires_in_seconds: i64 },
}

impl Order {
    pub(crate) fn parse(body: &Value) -> Result<Self, Answer> {
        let mut reader = Reader::new(body);
        let reference = reader.text("reference");
        let invoice_id = reader.text("invoice_id");
        let amount_minor = reader.integer("amount_minor", AMOUNTS);
        let currency = reader.text("currency");
        if currency.len() != 3 || !currency.bytes().all(|letter| letter.is_ascii_uppercase()) {
            reader.fault("currency", "must be three capital letters");
        }
        let expiry = reader.optional_integer("expires_in_seconds", 1..=LONGEST_EXPIRY_SECONDS);
        let method = match reader.text("method.type").as_str() {
            "pix" => {
                reader.text("method.key");
                if currency != "BRL" {
                    reader.fault("currency", "pix takes BRL only");
                }
                Method::Pix { expires_in_seconds: expiry.unwrap_or(DEFAULT_EXPIRY_SECONDS) }
            }
            "card" => Method::Card { token: reader.text("method.token") },
            _ => {
                reader.fault("method.type", "must be card or pix");
                Method::Card { token: String::new() }
            }
        };
        reader.finish(Self { reference, invoice_id, amount_minor, currency, method })
    }

    pub(crate) fn behaviour(&self) -> Behaviour {
        match &self.method {
            Method::Card { token } => behaviour(token),
            // Pending until the payer's bank comes.
            Method::Pix { .. } => Behaviour { verdict: Verdict::Settle, manner: Manner::Plain },
        }
    }

    pub(crate) fn into_charge(self, key: &str, now: i64) -> Charge {
        let id = new_id("ch");
        let means = match self.method {
            Method::Card { .. } => Means::Card,
            Method::Pix { expires_in_seconds } => {
                Means::Pix { emv: pix::emv(&id, self.amount_minor), expires_at: now + expires_in_seconds }
            }
        };
        Charge {
            id,
            reference: self.reference,
            invoice_id: self.invoice_id,
            idempotency_key: key.to_owned(),
            amount_minor: self.amount_minor,
            currency: self.currency,
            means,
            state: State::Pending,
            payments: Vec::new(),
            refunded_minor: 0,
            dispute: None,
            created_at: now,
        }
    }
}
