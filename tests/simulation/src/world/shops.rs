//! Shops: opened before anything goes wrong, and closed when all is over.

use super::World;
use crate::books::Placed;
use crate::clients::{Asked, Clients};
use fatura_domain::id::OrderId;

const MOST_MERCHANTS: u64 = 3;

impl World {
    /// Merchants, with what the platform keeps of their sales.
    pub(super) fn open_shops(&mut self) -> Result<(), Vec<String>> {
        for _ in 0..=self.chance.below(MOST_MERCHANTS) {
            let asked = self.clients.merchant(&self.chance);
            let merchant = self.made(asked)?;
            if self.chance.happens(500) {
                let fees = self.clients.fees(Some(&merchant), &self.chance);
                self.ask(fees);
                self.finish_all()?;
            }
        }
        Ok(())
    }

    /// What nobody pays for any more may be paid or canceled, whatever became of its payments; and nothing else may.
    pub(super) fn close_shops(&mut self) -> Result<(), Vec<String>> {
        let left = self.books.shop.orders.iter().filter(|(_, order)| !order.is_canceled);
        let left: Vec<(OrderId, Placed)> = left.map(|(id, order)| (*id, order.clone())).collect();
        for (order, placed) in left {
            let is_open = self.books.is_open(&placed);
            let is_sold = self.chance.happens(500);
            if is_sold {
                self.sell(order, &placed)?;
            } else {
                self.ask_and_finish(Clients::cancel_this, order)?;
            }
            let after = self.books.shop.orders.get(&order).filter(|after| **after != placed);
            let is_done = after
                .is_some_and(|after| if is_sold { self.books.is_paid(after) } else { after.is_canceled });
            if is_done != is_open {
                let answer = &self.last_answer;
                return Err(vec![format!(
                    "{order} is open: {is_open}; bought or canceled: {is_done}: {answer}"
                )]);
            }
        }
        self.go_quiet()
    }

    /// To its buyer, who has enough.
    fn sell(&mut self, order: OrderId, placed: &Placed) -> Result<(), Vec<String>> {
        let filled = self.clients.fill(&order.owner().to_string(), placed.total_minor);
        self.ask(filled);
        self.finish_all()?;
        self.ask_and_finish(|clients, order| clients.pay_for(&[order], true), order)
    }

    fn ask_and_finish(
        &mut self,
        wish: impl FnOnce(&mut Clients, OrderId) -> Asked,
        order: OrderId,
    ) -> Result<(), Vec<String>> {
        let asked = wish(&mut self.clients, order);
        self.ask(asked);
        self.finish_all()
    }
}
