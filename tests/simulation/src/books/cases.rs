//! Banks' cases: what a gateway tells of one is on our books in the end, and what it tells nothing of is for a person.
//! Whoever hears of a case hears of those before it.

use super::Books;
use crate::gateway::SimulatedGateway;
use fatura_domain::gateway::DisputeVerdict;
use fatura_domain::invoice::Status;
use serde_json::{Value, json};

impl Books {
    pub(crate) fn cases_agree(&self, gateway: &SimulatedGateway, wrong: &mut Vec<String>) {
        let name = gateway.called().as_str();
        let book = gateway.book.lock().unwrap();
        for (case, item) in self.cases(name) {
            let found = book.charges.values().find_map(|charge| {
                charge.disputes().find(|told| told.reference.0 == case).map(|told| (charge, told.status))
            });
            let Some((charge, verdict)) = found else {
                wrong.push(format!("{name} never had the case {case}"));
                continue;
            };
            let earlier = charge.disputes().map(|told| told.reference.0).take_while(|told| told != case);
            let is_unseen = |told: &String| self.cases(name).all(|(seen, _)| seen != told);
            for unseen in earlier.filter(|told| !charge.is_forgotten && is_unseen(told)) {
                wrong.push(format!("{name} told of {unseen} with {case}, and it is on no book"));
            }
            let is_for_a_person = charge.is_forgotten && is_missed(item);
            if !(is_for_a_person || is_followed(item, verdict)) {
                wrong.push(format!("{name} says that {case} is {verdict:?}, and we {}", item["st"]));
            }
        }
    }

    /// Nothing is paid while a bank has money of it or may come to have.
    pub(crate) fn disputes_count(&self, wrong: &mut Vec<String>) {
        for invoice in self.invoices.values() {
            let id = invoice.id.to_string();
            let stands = |state: &str| {
                let mut of_it = self.disputes().filter(|item| item.pointer("/inv/S") == Some(&json!(id)));
                of_it.any(|item| is(item, state))
            };
            let (is_open, is_lost) = (stands("open"), stands("lost"));
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
        DisputeVerdict::Open => is(dispute, "open"),
        DisputeVerdict::Lost => is(dispute, "lost"),
        // What was given back after all is told once, and asked about by nobody.
        DisputeVerdict::Won => is(dispute, "won") || is(dispute, "lost"),
    }
}

fn is(dispute: &Value, state: &str) -> bool {
    dispute.pointer("/st/M").and_then(|states| states.get(state)).is_some()
}

fn is_missed(dispute: &Value) -> bool {
    is(dispute, "open") && dispute.get("WS").is_none()
}
