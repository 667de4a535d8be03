//! Banks' cases: what a gateway tells of one is on our books in the end, and what it tells nothing of is for a person.
//! Whoever hears of a case hears of those before it.

use super::Books;
use crate::gateway::SimulatedGateway;
use fatura_domain::gateway::DisputeVerdict;
use serde_json::Value;

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

    /// The cases at this gateway that we know of, and their disputes.
    fn cases(&self, gateway: &str) -> impl Iterator<Item = (&str, &Value)> {
        let disputes = self.items.iter().filter(|((_, sk), _)| sk.starts_with("DSP#"));
        disputes.filter_map(move |(_, item)| {
            let text = |path: &str| item.pointer(path).and_then(Value::as_str);
            text("/cs/S").filter(|_| text("/gw/S") == Some(gateway)).map(|case| (case, item))
        })
    }
}

fn is_followed(dispute: &Value, verdict: DisputeVerdict) -> bool {
    let is = |state: &str| dispute.pointer("/st/M").and_then(|states| states.get(state)).is_some();
    match verdict {
        DisputeVerdict::Open => is("open"),
        DisputeVerdict::Lost => is("lost"),
        // What was given back after all is told once, and asked about by nobody.
        DisputeVerdict::Won => is("won") || is("lost"),
    }
}

fn is_missed(dispute: &Value) -> bool {
    dispute.pointer("/st/M/open").is_some() && dispute.get("WS").is_none()
}
