//! What clients want, by chance and by what there is.

use super::money::decimal;
use super::{Asked, Clients, Kind};
use crate::books::Books;
use crate::chance::Chance;
use fatura_domain::id::InvoiceId;
use fatura_domain::invoice::{Invoice, Status};
use serde_json::{Value, json};

/// Ten minutes after a world begins.
const SOON: &str = "2026-11-02T12:10:00Z";

impl Clients {
    /// What somebody wants next.
    pub(crate) fn wish(&mut self, books: &Books, chance: &Chance) -> Option<Asked> {
        if let Some(asked) = self.meanwhile.pop() {
            return Some(asked);
        }
        if chance.happens(300) && !self.again.is_empty() {
            return Some(self.again.remove(chance.place(self.again.len())));
        }
        if chance.happens(400)
            && let Some(asked) = self.of_theme(books, chance)
        {
            return Some(asked);
        }
        if chance.happens(self.shops) {
            let is_of_risk = chance.happens(self.risks);
            return if is_of_risk { Some(self.of_risk(books, chance)) } else { self.of_shops(books, chance) };
        }
        if chance.happens(120) {
            return self.of_the_house(books, chance);
        }
        match chance.below(16) {
            0 if chance.happens(300) => {
                // Others have it charged at the same time.
                let draft = any(books, Status::Draft, chance)?;
                let charge = self.about(draft, "charge", Kind::Charge, json!({}));
                self.meanwhile.extend(charge);
                self.amend(draft, chance)
            }
            0..5 => self.create(chance),
            5..7 => self.about(any(books, Status::Draft, chance)?, "charge", Kind::Charge, json!({})),
            7 => {
                // What is given up, and often what is being charged.
                let such = chance.weighed(&[
                    (3, Some(Status::Uncollectible)),
                    (4, Some(Status::Pending)),
                    (3, None),
                ]);
                let invoice =
                    such.map_or_else(|| any_of_all(books, chance), |such| any(books, such, chance))?;
                self.about(invoice, "cancel", Kind::Cancel, json!({}))
            }
            8 => {
                let failed = [Status::ChargedWithError, Status::Uncollectible];
                Some(self.requeue(any(books, *chance.pick(&failed)?, chance)?.id))
            }
            9..11 => self.refund(books, chance),
            11 => self.contest(books, chance),
            12..14 => self.of_bills(books, chance),
            14 => self.of_wallets(chance),
            _ if chance.happens(500) => self.of_settings(chance),
            _ => self.of_gateways_and_cards(chance),
        }
    }

    /// What is rare elsewhere is common in some worlds, and all that comes of it.
    fn of_theme(&mut self, books: &Books, chance: &Chance) -> Option<Asked> {
        match self.theme {
            0 if chance.happens(500) => self.contest(books, chance),
            0 => self.refund(books, chance),
            1 => self.of_bills(books, chance),
            2 => self.of_tellings(books, chance),
            3 if chance.happens(500) => self.of_settings(chance),
            3 => self.of_gateways_and_cards(chance),
            _ => None,
        }
    }

    fn refund(&mut self, books: &Books, chance: &Chance) -> Option<Asked> {
        let invoice = any(books, Status::Paid, chance)?;
        self.about(invoice, "refunds", Kind::Refund, self.all_or_part(invoice, chance))
    }

    fn contest(&mut self, books: &Books, chance: &Chance) -> Option<Asked> {
        let body = json!({ "reason": "not_received" });
        self.about(any(books, Status::Paid, chance)?, "contest", Kind::Contest, body)
    }

    pub(crate) fn requeue(&mut self, invoice: InvoiceId) -> Asked {
        self.post(Kind::Requeue, format!("/v1/invoices/{invoice}/requeue"), json!({}))
    }

    #[expect(clippy::unnecessary_wraps, reason = "as all wishes")]
    fn about(&mut self, invoice: &Invoice, verb: &str, kind: Kind, body: Value) -> Option<Asked> {
        Some(self.post(kind, format!("/v1/invoices/{}/{verb}", invoice.id), body))
    }

    /// It comes to something else from then on, unless it is being charged already.
    fn amend(&mut self, draft: &Invoice, chance: &Chance) -> Option<Asked> {
        // Not those that bills have made.
        let totals = self.totals.get_mut(draft.content.description.as_ref()?.as_str())?;
        let cents = chance.between(100, 99_999);
        totals.insert(total(cents));
        let asked =
            self.post(Kind::Amend, format!("/v1/invoices/{}", draft.id), json!({ "items": items(cents) }));
        Some(Asked { method: "PATCH", ..asked })
    }

    fn create(&mut self, chance: &Chance) -> Option<Asked> {
        let customer = chance.pick(&self.customers)?.clone();
        let cents = chance.between(100, 99_999);
        let name = self.name("order");
        self.totals.entry(name.clone()).or_default().insert(total(cents));
        let mut body = json!({
            "customer_id": customer,
            "currency": "BRL",
            "description": name,
            "auto_charge": chance.happens(600),
            "items": items(cents),
        });
        if chance.happens(100) {
            body["charge_at"] = json!(SOON);
        }
        Some(self.post(Kind::Create, "/v1/invoices".to_owned(), body))
    }

    fn of_gateways_and_cards(&mut self, chance: &Chance) -> Option<Asked> {
        if chance.happens(500) {
            let order = if chance.happens(500) { ["first", "second"] } else { ["second", "first"] };
            let body = json!({ "rules": [], "default": order });
            let asked = self.post(Kind::Route, "/v1/gateway-routing".to_owned(), body);
            return Some(Asked { method: "PUT", ..asked });
        }
        let customer = chance.pick(&self.customers)?.clone();
        let body =
            json!({ "type": "credit_card", "token": format!("tok_{}", chance.bits()), "default": true });
        Some(self.post(Kind::Card, format!("/v1/customers/{customer}/payment-methods"), body))
    }
}

/// Two of them end in half a cent, which each line rounds for itself.
fn items(cents: i64) -> Value {
    json!([
        { "description": "Plan", "quantity": 1, "unit_price": decimal(cents) },
        { "description": "Seats", "quantity": "3", "unit_price": "7.335" },
        { "description": "Calls", "quantity": "3", "unit_price": "0.125" },
        { "description": "More calls", "quantity": "1", "unit_price": "0.375" },
    ])
}

/// 22.005 is 22.00, and 0.375 is 0.38: half to even, and not 22.38.
const fn total(cents: i64) -> i64 {
    cents + 2_200 + 38 + 38
}

/// One of this status, as a rule.
fn any<'a>(books: &'a Books, status: Status, chance: &Chance) -> Option<&'a Invoice> {
    let such: Vec<&Invoice> = books.invoices.values().filter(|invoice| invoice.status() == status).collect();
    if such.is_empty() || chance.happens(150) {
        return any_of_all(books, chance);
    }
    chance.pick(&such).copied()
}

fn any_of_all<'a>(books: &'a Books, chance: &Chance) -> Option<&'a Invoice> {
    let all: Vec<&Invoice> = books.invoices.values().collect();
    chance.pick(&all).copied()
}
