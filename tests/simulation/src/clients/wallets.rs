//! Money in wallets: into one, out of it, and from one into another.

use super::money::reais;
use super::{Asked, Clients, Kind};
use crate::chance::Chance;
use serde_json::{Value, json};

impl Clients {
    pub(super) fn of_wallets(&mut self, chance: &Chance) -> Option<Asked> {
        let customer = chance.pick(&self.customers)?.clone();
        let cents = chance.between(1, 5_000);
        match chance.below(4) {
            0 => Some(self.fill(&customer, cents)),
            1..3 => Some(self.take_out(&customer, cents)),
            _ => self.hand_over(&customer, cents, chance),
        }
    }

    /// Enough to pay for something.
    pub(super) fn fill_wallet(&mut self, chance: &Chance) -> Option<Asked> {
        let customer = chance.pick(&self.customers)?.clone();
        Some(self.fill(&customer, chance.between(10_000, 200_000)))
    }

    /// Merchants take what they have earned, so that what goes back may find nothing.
    pub(super) fn pay_out(&mut self, chance: &Chance) -> Option<Asked> {
        let merchant = chance.pick(&self.merchants)?.clone();
        let cents = chance.between(1, 30_000);
        if chance.happens(700) {
            Some(self.take_out(&merchant, cents))
        } else {
            self.hand_over(&merchant, cents, chance)
        }
    }

    pub(crate) fn fill(&mut self, customer: &str, cents: i64) -> Asked {
        self.move_in_wallet(customer, "credit", json!({ "amount": reais(cents) }))
    }

    fn take_out(&mut self, customer: &str, cents: i64) -> Asked {
        self.move_in_wallet(customer, "debit", json!({ "amount": reais(cents) }))
    }

    fn hand_over(&mut self, customer: &str, cents: i64, chance: &Chance) -> Option<Asked> {
        let body = json!({ "amount": reais(cents), "to_customer_id": chance.pick(&self.customers)? });
        Some(self.move_in_wallet(customer, "transfer", body))
    }

    fn move_in_wallet(&mut self, customer: &str, verb: &str, mut body: Value) -> Asked {
        body["reference"] = json!(self.name("movement"));
        self.post(Kind::Move, format!("/v1/wallet/{customer}/{verb}"), body)
    }
}
