//! What is wanted now and then: another customer, a card at another gateway, other patience with those who don't pay.

use super::{Asked, Clients, Kind};
use crate::chance::Chance;
use serde_json::{Value, json};

impl Clients {
    pub(super) fn of_settings(&mut self, chance: &Chance) -> Option<Asked> {
        match chance.below(8) {
            0 => {
                let email = format!("c{}@example.com", chance.bits());
                let body = json!({ "name": "Rui Lima", "email": email });
                Some(self.post(Kind::Customer, "/v1/customers".to_owned(), body))
            }
            1 => {
                let path = format!("{}/tokens/second", chance.pick(&self.methods)?);
                let body = json!({ "token": format!("tok_{}", chance.bits()) });
                let asked = self.post(Kind::Token, path, body);
                Some(Asked { method: "PUT", ..asked })
            }
            2 => {
                let method = chance.pick(&self.methods)?.clone();
                Some(self.post(Kind::MakeDefault, format!("{method}/default"), json!({})))
            }
            3 => {
                let method = chance.pick(&self.methods)?.clone();
                let asked = self.post(Kind::RemoveCard, method, Value::Null);
                Some(Asked { method: "DELETE", ..asked })
            }
            4 => {
                let customer = chance.pick(&self.customers)?.clone();
                let email = format!("c{}@example.com", chance.bits());
                let body = json!({ "name": "Rui Melo", "email": email });
                let asked = self.post(Kind::PutCustomer, format!("/v1/customers/{customer}"), body);
                Some(Asked { method: "PUT", ..asked })
            }
            // So few declines that an invoice is given up while there is much to do still.
            _ => {
                let body = json!({ "caps": { "declines": chance.between(1, 4) } });
                let asked = self.post(Kind::Dun, "/v1/dunning-policy".to_owned(), body);
                Some(Asked { method: "PUT", ..asked })
            }
        }
    }

    /// Whom and what there is from now on.
    pub(super) fn remember(&mut self, asked: &Asked, body: &str) {
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        let Some(id) = body.get("id").and_then(Value::as_str) else { return };
        match asked.kind {
            Kind::Customer => self.customers.push(id.to_owned()),
            Kind::Merchant => self.merchants.push(id.to_owned()),
            Kind::Card => self.methods.push(format!("{}/{id}", asked.path)),
            _ => {}
        }
    }
}
