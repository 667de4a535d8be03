//! What the gateway remembers.

use crate::app::new_id;
use crate::charge::Charge;
use crate::event::{Event, EventKind};
use crate::idempotency::Keys;
use crate::refunds::Refund;
use crate::table::Table;
use serde_json::json;
use std::collections::HashSet;

#[derive(Default)]
pub(crate) struct Journal {
    pub(crate) charges: Table<Charge>,
    pub(crate) refunds: Table<Refund>,
    pub(crate) events: Table<Event>,
    pub(crate) charge_keys: Keys,
    pub(crate) refund_keys: Keys,
    /// Invoices that `tok_declines_once` has declined.
    pub(crate) declined_once: HashSet<String>,
}

impl Journal {
    pub(crate) fn add_charge(&mut self, charge: Charge) {
        let id = charge.id.clone();
        let (reference, invoice_id) = (charge.reference.clone(), charge.invoice_id.clone());
        self.charges.insert(&id, &[&reference, &invoice_id], charge);
    }

    pub(crate) fn add_refund(&mut self, refund: Refund) {
        let id = refund.id.clone();
        let (reference, charge_id) = (refund.reference.clone(), refund.charge_id.clone());
        self.refunds.insert(&id, &[&reference, &charge_id], refund);
    }

    /// Writes an event down and gives its id. The body is made once: a redelivery is the same event, byte for byte.
    pub(crate) fn add_event(&mut self, kind: EventKind, charge_id: &str, now: i64) -> Option<String> {
        let charge = self.charges.get(charge_id)?;
        let id = new_id("evt");
        let mut data = json!({
            "charge_id": charge.id,
            "reference": charge.reference,
            "invoice_id": charge.invoice_id,
        });
        if let Some(fields) = data.as_object_mut() {
            fields.extend(kind.subject().into_iter().map(|(name, value)| (name.to_owned(), json!(value))));
        }
        let body = json!({ "id": id, "type": kind.name(), "created": now, "data": data }).to_string();
        let event = Event { id: id.clone(), kind, body, deliveries: Vec::new() };
        self.events.insert(&id, &[charge_id], event);
        Some(id)
    }
}
