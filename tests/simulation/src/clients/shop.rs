//! What buyers, merchants and operators want of a shop: merchants and their fees, orders, payments and refunds.

use super::money::decimal;
use super::{Asked, Clients, Kind};
use crate::books::{Books, Placed};
use crate::chance::Chance;
use fatura_domain::id::{OrderId, PaymentId};
use fatura_domain::invoice::{Invoice, Status};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What the platform keeps: nothing, a rate and something for each order, more than some orders come to.
const FEES: [(&str, &str); 3] = [("0", "0.00"), ("0.029", "0.30"), ("0.1", "5.00")];
const MOST_ORDERS: usize = 4;

impl Clients {
    pub(super) fn of_shops(&mut self, books: &Books, chance: &Chance) -> Option<Asked> {
        match chance.below(22) {
            0..6 => self.order(chance),
            6..11 => self.pay(books, chance),
            11 => self.cancel_order(books, chance),
            12 => self.pay_invoice_from_wallet(books, chance),
            13..15 => self.refund_payment(books, chance),
            15..17 => self.fill_wallet(chance),
            17..19 => self.pay_out(chance),
            19..21 => self.post_journal(books, chance),
            _ if chance.happens(150) => Some(self.merchant(chance)),
            _ => {
                let merchant = chance.happens(500).then(|| chance.pick(&self.merchants).cloned()).flatten();
                Some(self.fees(merchant.as_deref(), chance))
            }
        }
    }

    pub(crate) fn merchant(&mut self, chance: &Chance) -> Asked {
        let email = format!("m{}@example.com", chance.bits());
        let body = json!({ "name": "Loja", "email": email, "kind": "merchant" });
        self.post(Kind::Merchant, "/v1/customers".to_owned(), body)
    }

    pub(crate) fn fees(&mut self, merchant: Option<&str>, chance: &Chance) -> Asked {
        let path =
            merchant.map_or("/v1/fees".to_owned(), |merchant| format!("/v1/customers/{merchant}/fees"));
        let (rate, fixed) = chance.pick(&FEES).copied().unwrap_or_default();
        let fixed = if fixed == "0.00" { json!([]) } else { json!([{ "amount": fixed, "currency": "BRL" }]) };
        let asked = self.post(Kind::Fees, path, json!({ "rate": rate, "fixed": fixed }));
        Asked { method: "PUT", ..asked }
    }

    /// Two lines that end in half a cent, and one that is odd, so that no part of it is even.
    fn order(&mut self, chance: &Chance) -> Option<Asked> {
        let buyer = chance.pick(&self.customers)?.clone();
        let merchant = chance.pick(&self.merchants)?.clone();
        let cents = chance.between(1, 30_000);
        let name = self.name("cart");
        self.totals.insert(name.clone(), BTreeSet::from([cents + 2_200 + 38]));
        let body = json!({
            "buyer_id": buyer,
            "merchant_id": merchant,
            "currency": "BRL",
            "description": name,
            "items": [
                { "description": "Cup", "quantity": 1, "unit_price": decimal(cents) },
                { "description": "Saucer", "quantity": "3", "unit_price": "7.335" },
                { "description": "Spoon", "quantity": "3", "unit_price": "0.125" },
            ],
        });
        Some(self.post(Kind::Order, "/v1/orders".to_owned(), body))
    }

    /// One order as a rule, or several of its buyer at whatever merchants; now and then one that was paid.
    fn pay(&mut self, books: &Books, chance: &Chance) -> Option<Asked> {
        let first = any_order(books, chance)?;
        let mut orders = vec![first];
        let others = books
            .shop
            .orders
            .iter()
            .filter(|(id, order)| **id != first && id.owner() == first.owner() && books.is_open(order));
        let others: Vec<OrderId> = others.map(|(id, _)| *id).collect();
        let most = if chance.happens(400) { chance.place(MOST_ORDERS) } else { 0 };
        for _ in 0..most {
            let other = chance.pick(&others).copied();
            orders.extend(other.filter(|other| !orders.contains(other)));
        }
        Some(self.pay_for(&orders, chance.happens(400)))
    }

    pub(crate) fn pay_for(&mut self, orders: &[OrderId], is_from_wallet: bool) -> Asked {
        let orders: Vec<String> = orders.iter().map(OrderId::to_string).collect();
        let body = json!({ "order_ids": orders, "source": { "wallet": is_from_wallet } });
        self.post(Kind::Pay, "/v1/payments".to_owned(), body)
    }

    fn cancel_order(&mut self, books: &Books, chance: &Chance) -> Option<Asked> {
        let order = any_order(books, chance)?;
        Some(self.cancel_this(order))
    }

    pub(crate) fn cancel_this(&mut self, order: OrderId) -> Asked {
        let asked = self.post(Kind::CancelOrder, format!("/v1/orders/{order}"), Value::Null);
        Asked { method: "DELETE", ..asked }
    }

    fn pay_invoice_from_wallet(&mut self, books: &Books, chance: &Chance) -> Option<Asked> {
        let drafts: Vec<&Invoice> =
            books.invoices.values().filter(|invoice| invoice.status() == Status::Draft).collect();
        let invoice = chance.pick(&drafts)?;
        let path = format!("/v1/invoices/{}/charge", invoice.id);
        Some(self.post(Kind::PayFromWallet, path, json!({ "wallet": true })))
    }

    fn refund_payment(&mut self, books: &Books, chance: &Chance) -> Option<Asked> {
        let payments = books.invoices.values().filter(|invoice| invoice.split.is_some());
        let paid = payments.filter(|invoice| invoice.status() == Status::Paid || chance.happens(50));
        let paid: Vec<&Invoice> = paid.collect();
        let payment = chance.pick(&paid)?;
        let body = self.all_or_part(payment, chance);
        Some(self.post(Kind::RefundPayment, format!("/v1/refunds/{}", PaymentId::from(payment.id)), body))
    }
}

/// One that may be paid, as a rule.
fn any_order(books: &Books, chance: &Chance) -> Option<OrderId> {
    let is_any = chance.happens(150);
    let such = |(_, order): &(&OrderId, &Placed)| is_any || books.is_open(order);
    let orders: Vec<OrderId> = books.shop.orders.iter().filter(such).map(|(id, _)| *id).collect();
    chance.pick(&orders).copied()
}
