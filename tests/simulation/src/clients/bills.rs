//! What clients want of bills: to open them, to fill them in any currency, one by one and many at once, and to close them.

use super::money::decimal;
use super::{Asked, Clients, Kind};
use crate::books::Books;
use crate::chance::Chance;
use crate::rates::CURRENCIES;
use fatura_domain::bill::{Bill, BillStatus, Recurs};
use fatura_domain::id::BillId;
use serde_json::{Value, json};

const MOST_AT_ONCE: u64 = 12;

impl Clients {
    pub(super) fn of_bills(&mut self, books: &Books, chance: &Chance) -> Option<Asked> {
        let all: Vec<&Bill> = books.bills.values().collect();
        let open: Vec<&Bill> = all.iter().copied().filter(|bill| bill.status() == BillStatus::Open).collect();
        let bill = chance.pick(if chance.happens(800) { &open } else { &all });
        match (chance.below(12), bill) {
            (0, _) | (_, None) => self.open_bill(chance),
            (1..3, Some(bill)) => {
                // Others have something for it at the last moment.
                let close = self.close_bill(bill.id, chance.happens(300));
                let [first, also, last] = [(); 3].map(|()| self.append(bill, chance));
                self.meanwhile.extend([last, close, also]);
                Some(first)
            }
            (3, Some(bill)) if chance.happens(300) => {
                Some(self.post(Kind::CancelBill, format!("/v1/bills/{}/cancel", bill.id), json!({})))
            }
            (3..5, Some(bill)) => {
                let lines: Vec<Value> = (0..=chance.below(MOST_AT_ONCE)).map(|_| line(chance)).collect();
                let path = format!("/v1/bills/{}/line-items:batch", bill.id);
                Some(self.post(Kind::AppendMany, path, json!({ "line_items": lines })))
            }
            (_, Some(bill)) => Some(self.append(bill, chance)),
        }
    }

    fn append(&mut self, bill: &Bill, chance: &Chance) -> Asked {
        self.post(Kind::Append, format!("/v1/bills/{}/line-items", bill.id), line(chance))
    }

    /// In one currency or in each, once or every month, until the month is over or only for an hour.
    fn open_bill(&mut self, chance: &Chance) -> Option<Asked> {
        let ends = ["2026-12-01T00:00:00Z", "2026-11-02T12:10:00Z", "2026-11-02T13:00:00Z"];
        let mut body = json!({
            "customer_id": chance.pick(&self.customers)?,
            "period_start": "2026-11-01T00:00:00Z",
            "period_end": chance.pick(&ends)?,
        });
        if chance.happens(600) {
            body["settlement_currency"] = json!(chance.pick(&CURRENCIES)?);
        }
        if chance.happens(200) {
            body["recurrence"] = json!("monthly");
        }
        Some(self.post(Kind::OpenBill, "/v1/bills".to_owned(), body))
    }

    /// With its recurrence, or without.
    fn close_bill(&mut self, bill: BillId, is_last: bool) -> Asked {
        let body = if is_last { json!({ "recurrence": "none" }) } else { json!({}) };
        self.post(Kind::CloseBill, format!("/v1/bills/{bill}/close"), body)
    }

    /// Whoever is billed every month would be for ever: somebody ends it, once it has come back a few times.
    pub(crate) fn end_recurrence(&mut self, books: &Books) -> Option<Asked> {
        const OFTEN: usize = 2;
        let recurs = |bill: &&Bill| {
            bill.status() == BillStatus::Open && bill.terms.recurrence().recurs() == Recurs::Monthly
        };
        let bill = books.bills.values().filter(recurs).find(|bill| books.bills_before(bill) >= OFTEN)?.id;
        Some(self.close_bill(bill, true))
    }
}

/// The same reference is the same line item, if it says the same.
fn line(chance: &Chance) -> Value {
    let which = chance.below(200);
    let is_credit = which.is_multiple_of(5);
    // What a reference stands for follows from it, but for those who use one twice.
    let cents =
        i64::try_from(which * 37 % 9_900).unwrap_or_default() + if chance.happens(50) { 2 } else { 1 };
    let currency = usize::try_from(which % 7).ok().and_then(|place| CURRENCIES.get(place)).unwrap_or(&"BRL");
    let price = if *currency == "JPY" { cents.to_string() } else { decimal(cents) };
    json!({
        "description": "Fee",
        "quantity": 1,
        "unit_price": if is_credit { format!("-{price}") } else { price },
        "currency": currency,
        "kind": if is_credit { "credit" } else { "fee" },
        "reference": format!("fee {which}"),
    })
}
