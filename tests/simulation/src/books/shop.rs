//! Orders, and the payments that they point to: an order is paid by one payment at most, and by all of it.

use super::{Books, Key};
use fatura_domain::id::{CustomerId, InvoiceId, OrderId, PaymentId};
use fatura_domain::invoice::{Invoice, Split, Status};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const ORDER: &str = "BUY#";

/// An order as its item shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placed {
    version: i64,
    pub(crate) merchant: CustomerId,
    pub(crate) total_minor: i64,
    pub(crate) is_canceled: bool,
    pub(crate) payment: Option<PaymentId>,
}

#[derive(Debug, Default)]
pub(crate) struct Shop {
    pub(crate) orders: BTreeMap<OrderId, Placed>,
    /// The payments that were ever made for an order.
    payments: BTreeMap<OrderId, BTreeSet<InvoiceId>>,
    touched: BTreeSet<OrderId>,
}

impl Placed {
    fn read(image: &Value) -> Option<Self> {
        let text = |path: &str| image.pointer(path).and_then(Value::as_str);
        Some(Self {
            version: text("/v/N")?.parse().ok()?,
            merchant: text("/me/S")?.parse().ok()?,
            total_minor: text("/t/N")?.parse().ok()?,
            is_canceled: image.pointer("/st/M/canceled").is_some(),
            payment: text("/st/M/open/M/p/S").and_then(|payment| payment.parse().ok()),
        })
    }
}

impl Books {
    pub(super) fn place(
        &mut self,
        (_, sk): &Key,
        image: &Value,
        totals: &BTreeMap<String, BTreeSet<i64>>,
        wrong: &mut Vec<String>,
    ) {
        let Some(code) = sk.strip_prefix(ORDER) else { return };
        let id = format!("{}{code}", OrderId::PREFIX).parse::<OrderId>().ok();
        let (Some(id), Some(order)) = (id, Placed::read(image)) else {
            return wrong.push(format!("{sk} cannot be read: {image}"));
        };
        let mut say = |what: String| wrong.push(format!("{id}: {what}"));
        let name = image.pointer("/d/S").and_then(Value::as_str).unwrap_or_default();
        if !totals.get(name).is_some_and(|totals| totals.contains(&order.total_minor)) {
            say(format!("comes to {} instead of {:?}", order.total_minor, totals.get(name)));
        }
        match self.shop.orders.get(&id) {
            None if order.version != 1 => say(format!("begins as version {}", order.version)),
            Some(before) if order.version != before.version + 1 => {
                say(format!("version {} follows version {}", order.version, before.version));
            }
            Some(before) if before.is_canceled => say("was canceled and is changed".to_owned()),
            Some(before) if (before.merchant, before.total_minor) != (order.merchant, order.total_minor) => {
                say("is another order now".to_owned());
            }
            _ => {}
        }
        self.is_made_once(name, &id, wrong);
        self.shop.orders.insert(id, order);
        self.shop.touched.insert(id);
    }

    /// An invoice that may be a payment.
    pub(super) fn pay(&mut self, before: Option<&Invoice>, after: &Invoice, wrong: &mut Vec<String>) {
        let Some(split) = &after.split else { return };
        if before.is_none() {
            for share in split.shares() {
                self.shop.payments.entry(share.order).or_default().insert(after.id);
            }
        }
        self.shop.touched.extend(split.shares().iter().map(|share| share.order));
        let whose = |split: &Split| -> Vec<(OrderId, CustomerId, i64, i64)> {
            split.shares().iter().map(|share| (share.order, share.merchant, share.gross, share.fee)).collect()
        };
        if before.and_then(|before| before.split.as_ref()).is_some_and(|was| whose(was) != whose(split)) {
            wrong.push(format!("{}: it is split in another way now", after.id));
        }
        let gross: i64 = split.shares().iter().map(|share| share.gross).sum();
        if gross != after.total.minor() {
            wrong.push(format!("{}: its parts are {gross} of {}", after.id, after.total));
        }
    }

    pub(super) fn orders_agree(&mut self, wrong: &mut Vec<String>) {
        for id in std::mem::take(&mut self.shop.touched) {
            let Some(order) = self.shop.orders.get(&id) else {
                wrong.push(format!("{id} is paid and was never placed"));
                continue;
            };
            let mut say = |what: String| wrong.push(format!("{id}: {what}"));
            let made = self.shop.payments.get(&id).into_iter().flatten();
            let made = made.filter_map(|payment| self.invoices.get(payment));
            let standing: Vec<&Invoice> =
                made.filter(|invoice| invoice.status() != Status::Canceled).collect();
            if standing.len() > 1 {
                let payments: Vec<String> = standing.iter().map(|invoice| invoice.id.to_string()).collect();
                say(format!("is paid by {}", payments.join(" and ")));
            }
            for payment in standing {
                if order.is_canceled {
                    say(format!("is canceled, and paid by {}", payment.id));
                } else if order.payment != Some(payment.id.into()) {
                    say(format!("is paid by {} and does not point to it", payment.id));
                }
            }
            if let Some(payment) = order.payment {
                let invoice = self.invoices.get(&payment.into());
                let shares = invoice.and_then(|invoice| invoice.split.as_ref()).map(Split::shares);
                let own = shares.and_then(|shares| shares.iter().find(|share| share.order == id));
                if own.map(|own| (own.merchant, own.gross)) != Some((order.merchant, order.total_minor)) {
                    say(format!("is no part of {payment}, which it points to"));
                }
            }
        }
    }

    /// Whether nothing is under way for it: it may be paid, or canceled.
    pub(crate) fn is_open(&self, order: &Placed) -> bool {
        let payment = order.payment.and_then(|payment| self.invoices.get(&payment.into()));
        !order.is_canceled
            && payment.is_none_or(|invoice| {
                let failed = [Status::Canceled, Status::ChargedWithError, Status::Uncollectible];
                failed.contains(&invoice.status())
            })
    }

    pub(crate) fn is_paid(&self, order: &Placed) -> bool {
        let payment = order.payment.and_then(|payment| self.invoices.get(&payment.into()));
        payment.is_some_and(|invoice| invoice.status() == Status::Paid)
    }
}
