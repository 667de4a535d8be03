//! What operators want of the house around the charges.

use super::money::decimal;
use super::{Asked, Clients, Kind};
use crate::books::Books;
use crate::chance::Chance;
use serde_json::{Value, json};

impl Clients {
    pub(super) fn of_the_house(&mut self, books: &Books, chance: &Chance) -> Option<Asked> {
        match chance.below(15) {
            14 => Some(self.put_gateway(chance.happens(500))),
            10.. => self.of_tellings(books, chance),
            0..5 => self.give_or_pay_out(chance),
            5 => self.reverse_journal(books, chance),
            6..8 => self.begin_run(books, chance),
            _ => self.seal(chance),
        }
    }

    /// A gift, a payout, or both for several.
    fn give_or_pay_out(&mut self, chance: &Chance) -> Option<Asked> {
        let mut entries = Vec::new();
        for _ in 0..=chance.below(2) {
            let customer = chance.pick(&self.customers)?;
            let amount = json!({ "amount": decimal(chance.between(1, 5_000)), "currency": currency(chance) });
            let sides = if chance.happens(700) { ["debit", "credit"] } else { ["credit", "debit"] };
            let accounts = ["bank".to_owned(), format!("wallet:{customer}")];
            let both = accounts.into_iter().zip(sides);
            entries.extend(both.map(|(account, direction)| {
                json!({ "account": account, "direction": direction, "amount": amount })
            }));
        }
        Some(self.journal(&entries))
    }

    /// A month for everybody is one run, however often it is asked for. Each run is a hundred calls: a few are enough.
    fn begin_run(&mut self, books: &Books, chance: &Chance) -> Option<Asked> {
        const MOST_RUNS: usize = 4;
        let is_enough = books.runs_begun() >= MOST_RUNS;
        let (kind, path, body) = match chance.below(4) {
            0 | 1 => (Kind::BeginBilling, "/v1/billing-runs", json!({ "period": "2026-11" })),
            2 if !is_enough => (Kind::BeginRequeue, "/v1/requeues", json!({})),
            _ => {
                let body = json!({ "customer_id": chance.pick(&self.customers)? });
                (Kind::BeginBilling, "/v1/billing-runs", body)
            }
        };
        Some(self.post(kind, path.to_owned(), body))
    }

    /// The second gateway is taken out of use, or into it again, whatever is on its way there.
    pub(crate) fn put_gateway(&mut self, is_enabled: bool) -> Asked {
        let body = json!({
            "enabled": is_enabled,
            "priority": 2,
            "payment_method_types": ["credit_card", "pix"],
        });
        let asked = self.post(Kind::PutGateway, "/v1/gateways/second".to_owned(), body);
        Asked { method: "PUT", ..asked }
    }

    /// Beside the relay, who may be at the same journals.
    fn seal(&mut self, chance: &Chance) -> Option<Asked> {
        let body = json!({ "customer_id": chance.pick(&self.customers)?, "seal": true });
        Some(self.verify(body))
    }

    pub(crate) fn verify(&mut self, body: Value) -> Asked {
        self.post(Kind::Verify, "/v1/ledger/verify".to_owned(), body)
    }
}

/// As a rule the one that everything else is in.
fn currency(chance: &Chance) -> &'static str {
    if chance.happens(700) { "BRL" } else { "USD" }
}
