//! Banks' cases: what a gateway tells of one is on our books in the end, to the cent, and what it tells nothing of is for a
//! person. Whoever hears of a case hears of all that there are.

use super::Books;
use super::items::{number, stands};
use crate::gateway::{Charge, SimulatedGateway};
use fatura_domain::gateway::{DisputeVerdict, GatewayName};
use fatura_domain::invoice::Status;
use fatura_domain::ledger::TransactionKind;
use serde_json::{Value, json};
use std::collections::BTreeMap;

impl Books {
    pub(crate) fn cases_agree(&self, gateway: &SimulatedGateway, wrong: &mut Vec<String>) {
        let name = gateway.called();
        let book = gateway.book.lock().unwrap();
        let mut known: BTreeMap<&str, &Value> = self.cases(name.as_str()).collect();
        for charge in book.charges.values() {
            let heard = if self.is_payment(name, charge) { charge.cases_heard } else { 0 };
            for (told, case) in charge.disputes().zip(1..) {
                let called = told.reference.0;
                let Some(item) = known.remove(called.as_str()) else {
                    if case <= heard && !charge.is_forgotten {
                        wrong.push(format!("{name} was asked about {called}, and it is on no book"));
                    }
                    continue;
                };
                let is_for_a_person = charge.is_forgotten && is_missed(item);
                if !(is_for_a_person || is_followed(item, told.status)) {
                    let ours = &item["st"];
                    wrong.push(format!("{name} says that {called} is {:?}, and we {ours}", told.status));
                }
                let ours = number(item, "/a/M/n/N");
                let is_right = match told.amount {
                    Some(amount) => ours == amount.minor(),
                    // We may have given some of it back before.
                    None => (1..=charge.asked.minor()).contains(&ours),
                };
                if !is_right {
                    wrong.push(format!("{called} is about {:?}, and on our books {ours}", told.amount));
                }
            }
        }
        wrong.extend(known.keys().map(|case| format!("{name} never had the case {case}")));
    }

    /// What a bank tells of any other charge is for a person.
    fn is_payment(&self, gateway: &GatewayName, charge: &Charge) -> bool {
        let invoice = self.invoices.get(&charge.attempt.invoice).filter(|invoice| !self.is_in_doubt(invoice));
        let payment = invoice.and_then(|invoice| invoice.state.payment());
        let paid = payment.and_then(|payment| payment.charge.as_ref());
        paid.is_some_and(|paid| paid.gateway == *gateway && paid.reference == charge.reference)
    }

    /// What banks have taken and not given again is what was lost, case by case.
    pub(crate) fn takings_agree(&self, wrong: &mut Vec<String>) {
        let mut taken: BTreeMap<(String, String), i64> = BTreeMap::new();
        for transaction in self.transactions.values().filter(|one| one.mirrors.is_none()) {
            let minor = match transaction.kind {
                TransactionKind::Chargeback => transaction.amount.minor(),
                TransactionKind::Reinstatement => -transaction.amount.minor(),
                _ => continue,
            };
            let Some(at) = transaction.moved_by.at_gateway() else {
                wrong.push(format!("{} is a bank's, and of no gateway", transaction.id));
                continue;
            };
            *taken.entry((at.gateway.to_string(), at.reference.0.clone())).or_default() += minor;
        }
        taken.retain(|_, minor| *minor != 0);
        let mut lost = BTreeMap::new();
        for dispute in self.disputes().filter(|item| stands(item, "lost")) {
            let text = |path: &str| dispute.pointer(path).and_then(Value::as_str).map(str::to_owned);
            let called = text("/gw/S").zip(text("/cs/S").or_else(|| text("/ch/S")));
            *lost.entry(called.unwrap_or_default()).or_default() += number(dispute, "/a/M/n/N");
        }
        if taken != lost {
            wrong.push(format!("banks have taken {taken:?}, and lost is {lost:?}"));
        }
    }

    /// Nothing is paid while a bank has money of it or may come to have.
    pub(crate) fn disputes_count(&self, wrong: &mut Vec<String>) {
        for invoice in self.invoices.values() {
            let id = invoice.id.to_string();
            let has_one = |state: &str| {
                let mut of_it = self.disputes().filter(|item| item.pointer("/inv/S") == Some(&json!(id)));
                of_it.any(|item| stands(item, state))
            };
            let (is_open, is_lost) = (has_one("open"), has_one("lost"));
            let agrees = match invoice.status() {
                Status::Paid => !is_open && !is_lost,
                Status::InProtest => is_open && !is_lost,
                Status::Chargeback => is_lost,
                _ => true,
            };
            if !agrees {
                let status = invoice.status().as_str();
                wrong.push(format!("{id} is {status}, and of its disputes open: {is_open}, lost: {is_lost}"));
            }
        }
    }

    fn disputes(&self) -> impl Iterator<Item = &Value> {
        self.items.iter().filter(|((_, sk), _)| sk.starts_with("DSP#")).map(|(_, item)| item)
    }

    /// The cases at this gateway that we know of, and their disputes.
    fn cases(&self, gateway: &str) -> impl Iterator<Item = (&str, &Value)> {
        self.disputes().filter_map(move |item| {
            let text = |path: &str| item.pointer(path).and_then(Value::as_str);
            text("/cs/S").filter(|_| text("/gw/S") == Some(gateway)).map(|case| (case, item))
        })
    }
}

fn is_followed(dispute: &Value, verdict: DisputeVerdict) -> bool {
    match verdict {
        DisputeVerdict::Open => stands(dispute, "open"),
        DisputeVerdict::Lost => stands(dispute, "lost"),
        // What was given back after all is told once, and asked about by nobody.
        DisputeVerdict::Won => stands(dispute, "won") || stands(dispute, "lost"),
    }
}

fn is_missed(dispute: &Value) -> bool {
    stands(dispute, "open") && dispute.get("WS").is_none()
}
