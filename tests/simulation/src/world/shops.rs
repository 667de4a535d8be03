//! Shops: opened before anything goes wrong, and closed when all is over.

use super::World;
use crate::clients::Kind;
use fatura_domain::id::OrderId;
use serde_json::json;

const MOST_MERCHANTS: u64 = 3;

impl World {
    /// Merchants, with what the platform keeps of their sales.
    pub(super) fn open_shops(&mut self) -> Result<(), Vec<String>> {
        for number in 0..1 + self.chance.below(MOST_MERCHANTS) {
            let body =
                json!({ "name": "Loja", "email": format!("m{number}@example.com"), "kind": "merchant" });
            let merchant = self.ask_and_wait(Kind::Customer, "/v1/customers".to_owned(), body)?;
            if self.chance.happens(500) {
                let fees = self.clients.fees(Some(&merchant), &self.chance);
                self.ask(fees);
                self.finish_all()?;
            }
            self.clients.merchants.push(merchant);
        }
        Ok(())
    }

    /// What nobody pays for any more may be canceled, whatever became of its payments; and nothing else may.
    pub(super) fn close_shops(&mut self) -> Result<(), Vec<String>> {
        let left = self.books.shop.orders.iter().filter(|(_, order)| !order.is_canceled);
        let left: Vec<(OrderId, bool)> = left.map(|(id, order)| (*id, self.books.is_open(order))).collect();
        for (order, is_open) in left {
            let asked = self.clients.cancel_this(order);
            self.ask(asked);
            self.finish_all()?;
            let is_canceled = self.books.shop.orders.get(&order).is_some_and(|order| order.is_canceled);
            if is_canceled != is_open {
                let locked =
                    format!("{order} is open: {is_open}; asked to be canceled: {}", self.report.last_answer);
                return Err(vec![locked]);
            }
        }
        self.go_quiet()
    }
}
