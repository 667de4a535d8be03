//! The world does no more harm, and everything has to come to an end.

use super::World;
use crate::gateway::{RefundStanding, SimulatedGateway};
use crate::queue::Queue;
use fatura_domain::id::InvoiceId;
use fatura_domain::invoice::Status;
use std::collections::BTreeMap;

/// What gateways did about one invoice.
#[derive(Debug, Default)]
struct Kept {
    /// How often it was captured, other than against a gateway's own word.
    captures: u32,
    /// What they captured and have not given back, and what it asks for.
    left_minor: i64,
    asked_minor: i64,
}

/// Far more than any world needs.
const MOST_STEPS: u64 = 60_000;

impl World {
    pub(super) fn go_quiet(&mut self) -> Result<(), Vec<String>> {
        self.is_quiet = true;
        // In some worlds those who are never there are given up: it takes three days of tries for each message.
        self.outside.receivers.bag.lock().unwrap().are_well |= !self.chance.happens(200);
        self.trace.note(&self.clock, "the world goes quiet");
        // What waits for a gateway would wait for ever.
        let asked = self.clients.put_gateway(true);
        self.ask(asked);
        for task in &mut self.tasks {
            task.fate = crate::task::Fate::Lives;
            task.faults = 0;
        }
        for _ in 0..MOST_STEPS {
            self.step()?;
            self.end_recurrence();
            if self.has_ended() {
                let again = self.outside.queues().map(Queue::redrive).into_iter().sum::<usize>();
                if again == 0 {
                    return Ok(());
                }
                self.trace.note(&self.clock, &format!("{again} dead letters are driven again"));
            }
        }
        let due: Vec<String> = self.books.due().map(|((pk, sk), at)| format!("{pk} {sk} at {at}")).collect();
        Err(vec![format!("the world never comes to rest; due: {due:?}")])
    }

    /// What would go on for ever is ended by whom it concerns.
    fn end_recurrence(&mut self) {
        if self.tasks.is_empty()
            && let Some(asked) = self.clients.end_recurrence(&self.books)
        {
            self.ask(asked);
        }
    }

    /// Some of what was given up is charged once more: few invoices are given up before all is quiet.
    pub(super) fn charge_what_was_given_up(&mut self) -> Result<(), Vec<String>> {
        let invoices = self.books.invoices.values();
        let given_up = invoices.filter(|invoice| invoice.status() == Status::Uncollectible);
        let given_up: Vec<InvoiceId> = given_up.map(|invoice| invoice.id).collect();
        for invoice in given_up {
            if self.chance.happens(200) {
                let asked = self.clients.requeue(invoice);
                self.ask(asked);
            }
        }
        self.finish_all()?;
        self.go_quiet()
    }

    fn has_ended(&self) -> bool {
        self.tasks.is_empty()
            && self.relayed == self.stream.len()
            && self.next_ms().is_none()
            && self.is_idle()
    }

    fn is_idle(&self) -> bool {
        let now = self.clock.ms();
        self.outside.queues().iter().all(|queue| queue.visible().is_empty())
            && self.outside.gateways.iter().all(|gateway| gateway.due_deliveries() == 0)
            && self.books.next_due_ms().is_none_or(|due| due > now)
    }

    /// Nothing is left over, and our books are the gateways'.
    pub(super) fn look_back(&self) -> Result<(), Vec<String>> {
        let mut wrong = Vec::new();
        for invoice in self.books.invoices.values() {
            if !self.books.is_settled(invoice) {
                wrong.push(format!("{} ends as {:?}", invoice.id, invoice.state));
            }
        }
        let mut kept = BTreeMap::new();
        for gateway in &self.outside.gateways {
            self.compare(gateway, &mut kept, &mut wrong);
            self.books.cases_agree(gateway, &mut wrong);
        }
        for (invoice, Kept { captures, left_minor, asked_minor }) in kept {
            if left_minor > asked_minor {
                wrong.push(format!("{invoice}: the gateways keep {left_minor} of {asked_minor}"));
            }
            if captures > 1 {
                wrong.push(format!("{invoice} was captured {captures} times"));
            }
        }
        self.books.disputes_count(&mut wrong);
        self.books.takings_agree(&mut wrong);
        self.books.refunds_ended(&mut wrong);
        for (gateway, event) in &self.taken_in {
            if !self.books.has_webhook(gateway, event) {
                wrong.push(format!("{gateway} was told that {event} is taken in, and it is nowhere"));
            }
        }
        wrong.extend(self.books.unheeded().map(|(pk, _)| format!("{pk} never had its effect")));
        self.books.refused_stay_unsent(&self.outside.gateways, &mut wrong);
        self.books.chains_agree(&mut wrong);
        self.books.runs_ended(&mut wrong);
        self.books.bills_settled(&mut wrong);
        let bag = self.outside.receivers.bag.lock().unwrap();
        self.books.are_claimed(&bag, &mut wrong);
        self.books.all_is_told(&self.outside.bus.taken.lock().unwrap(), &bag, &mut wrong);
        self.books.came_again(&self.clients.replayed, &mut wrong);
        drop(bag);
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    fn compare(
        &self,
        gateway: &SimulatedGateway,
        kept: &mut BTreeMap<String, Kept>,
        wrong: &mut Vec<String>,
    ) {
        let book = gateway.book.lock().unwrap();
        for (reference, captured, charge) in book.captures() {
            let invoice = charge.attempt.invoice;
            let Some(known) = self.books.invoices.get(&invoice) else {
                wrong.push(format!("{reference} is a charge of nothing: {invoice}"));
                continue;
            };
            if !charge.is_contradicted {
                kept.entry(invoice.to_string()).or_default().captures += 1;
            }
            if self.books.is_in_doubt(known) {
                continue;
            }
            let (came, _) = self.books.of(gateway.called(), &reference.0);
            if came != captured.minor() {
                wrong.push(format!("{reference} of {invoice}: captured {captured}, booked {came}"));
            }
            let of = kept.entry(invoice.to_string()).or_default();
            // But for what a gateway would not give back, of which a person has been told.
            of.asked_minor = known.total.minor() + self.books.not_given_back(known);
            of.left_minor += captured.minor() - book.done_back(&reference);
        }
        for refund in book.refunds.values().filter(|refund| refund.state == RefundStanding::Done) {
            let (_, went) = self.books.of(gateway.called(), &refund.reference.0);
            let amount = refund.request.amount;
            if went != amount.minor() {
                wrong.push(format!("{}: gave back {amount}, booked {went}", refund.request.refund));
            }
        }
    }
}
