//! When all is over, operators compare the books with the gateways': what they find has to be true, and they have to find
//! whatever differs.

use super::World;
use crate::clients::{Asked, Kind};
use crate::gateway::SimulatedGateway;
use fatura_domain::gateway::MovementKind;
use fatura_domain::money::Money;
use fatura_domain::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A reference at the gateway, and in what way the books differ about it.
type Differences = BTreeSet<(String, &'static str)>;

/// How long the world is as hostile again as it was before.
const HOSTILE_STEPS: u64 = 150;
const BEFORE_ALL: &str = "2026-11-01T00:00:00Z";
/// Whose clock it is by may be late.
const LATEST: SignedDuration = SignedDuration::from_mins(10);

impl World {
    pub(super) fn reconcile(&mut self) -> Result<(), Vec<String>> {
        let to = Timestamp::from_millisecond(self.clock.ms()).unwrap().checked_sub(LATEST).unwrap();
        let mut runs = Vec::new();
        for gateway in self.outside.gateways.clone() {
            let asked = self.reconciliation(&gateway, to);
            let run = self.made(asked)?;
            runs.push((gateway, run));
        }
        self.is_quiet = false;
        self.is_over = true;
        // Another one is begun while everything goes wrong, whatever becomes of it.
        if let Some(gateway) = self.chance.pick(&self.outside.gateways).cloned() {
            let asked = self.reconciliation(&gateway, to);
            self.ask(asked);
        }
        for _ in 0..HOSTILE_STEPS {
            self.step()?;
        }
        self.go_quiet()?;
        for (gateway, run) in runs {
            let found = self.found(&run)?;
            let expected = self.differences(&gateway, to);
            self.trace.note(&self.clock, &format!("{} differs in {expected:?}", gateway.called()));
            if found != expected {
                let name = gateway.called();
                return Err(vec![format!("reconciling {name} finds {found:?} instead of {expected:?}")]);
            }
        }
        Ok(())
    }

    fn reconciliation(&mut self, gateway: &SimulatedGateway, to: Timestamp) -> Asked {
        let body = json!({ "gateway": gateway.called().as_str(), "from": BEFORE_ALL, "to": to.to_string() });
        self.clients.post(Kind::Reconcile, "/v1/reconciliations".to_owned(), body)
    }

    fn found(&mut self, run: &str) -> Result<Differences, Vec<String>> {
        let mut found = Differences::new();
        let mut more = String::new();
        loop {
            let path = format!("/v1/reconciliations/{run}/differences?limit=100{more}");
            let asked = self.clients.post(Kind::Reconcile, path, json!({}));
            let answer = self.answer_to(Asked { method: "GET", ..asked })?;
            for difference in answer["data"].as_array().into_iter().flatten() {
                let reference = difference["gateway_reference"].as_str().unwrap_or_default().to_owned();
                found.insert((reference, name(&difference["kind"])));
            }
            match answer["next_cursor"].as_str() {
                Some(cursor) => more = format!("&cursor={cursor}"),
                None => return Ok(found),
            }
        }
    }

    /// From what the gateway did, and from what is on our books of it.
    fn differences(&self, gateway: &Arc<SimulatedGateway>, to: Timestamp) -> Differences {
        let mut book = gateway.book.lock().unwrap();
        book.date(self.clock.ms());
        let mut differences = Differences::new();
        let mut compare = |reference: &str, here: i64, there: i64| {
            let kind = match (here, there) {
                _ if here == there => return,
                (0, _) => "missing_here",
                (_, 0) => "missing_there",
                _ => "amount",
            };
            differences.insert((reference.to_owned(), kind));
        };
        for movement in book.movements().into_iter().filter(|movement| movement.at < to) {
            let (came, went) = self.books.of(gateway.called(), &movement.reference.0);
            let here = if movement.kind == MovementKind::Capture { came } else { went };
            compare(&movement.reference.0, here, movement.amount.minor());
        }
        for invoice in self.books.invoices.values() {
            let Some(payment) = invoice.state.payment().filter(|payment| payment.at < to) else { continue };
            let Some(charge) = payment.charge.as_ref().filter(|charge| charge.gateway == *gateway.called())
            else {
                continue;
            };
            let (came, _) = self.books.of(gateway.called(), &charge.reference.0);
            let there = book.captured(&charge.reference).map_or(0, Money::minor);
            compare(&charge.reference.0, came, there);
        }
        differences
    }
}

fn name(kind: &Value) -> &'static str {
    const KINDS: [&str; 4] = ["missing_here", "missing_there", "amount", "currency"];
    KINDS.into_iter().find(|known| kind == known).unwrap_or("of no kind")
}
