//! What operators say about risk: the rules, and what becomes of a charge that they hold.

use super::{Asked, Clients, Kind};
use crate::books::Books;
use crate::chance::Chance;
use fatura_domain::charge::Phase;
use fatura_domain::invoice::Invoice;
use serde_json::{Value, json};

#[derive(Debug, Clone, Copy)]
enum Rules {
    None,
    Reviewing,
    Declining,
    Velocity,
}

impl Rules {
    fn body(self) -> Value {
        let rules = match self {
            Self::None => json!([]),
            Self::Reviewing => json!([
                { "name": "large", "expression": "amount.currency == \"BRL\" && amount.minor > 20000", "decision": "review" },
                { "name": "new", "expression": "customer.payments == 0", "score": 20 },
            ]),
            Self::Declining => json!([
                { "name": "odd", "expression": "amount.minor % 5 == 0", "decision": "decline" },
            ]),
            Self::Velocity => json!([
                { "name": "many_tries", "expression": "velocity.attempts_hour >= 4", "score": 60 },
                { "name": "many_cards", "expression": "velocity.cards_day >= 3", "score": 50 },
            ]),
        };
        json!({ "rules": rules })
    }
}

impl Clients {
    pub(super) fn of_risk(&mut self, books: &Books, chance: &Chance) -> Asked {
        let held = books.invoices.values().filter(|invoice| is_held(invoice));
        let held: Vec<&Invoice> = held.collect();
        match chance.pick(&held) {
            Some(invoice) if chance.happens(700) => self.review(invoice.id, chance.happens(500)),
            _ => {
                let rules = chance.weighed(&[
                    (2, Rules::None),
                    (1, Rules::Reviewing),
                    (1, Rules::Declining),
                    (2, Rules::Velocity),
                ]);
                let asked = self.post(Kind::RiskRules, "/v1/risk-rules".to_owned(), rules.body());
                Asked { method: "PUT", ..asked }
            }
        }
    }
}

fn is_held(invoice: &Invoice) -> bool {
    invoice.state.live_attempt().is_some_and(|live| live.phase == Phase::Held)
}
