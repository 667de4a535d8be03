//! A gateway that declines, stalls, fails, charges without saying so, and tells of it early, late, twice or never.

mod book;
mod hints;
mod movements;
mod port;

use book::{Book, Case, Standing};
pub(crate) use book::{Charge, RefundStanding};
pub(crate) use hints::{Delivery, Hint};

use crate::chance::Chance;
use crate::clock::Clock;
use crate::control::Control;
use crate::plan::Plan;
use book::Mood;
use fatura_domain::charge::FailureClass;
use fatura_domain::gateway::{ChargeRequest, DisputeVerdict, GatewayName};
use fatura_domain::id::{AttemptId, InvoiceId};
use fatura_domain::money::Money;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// What happens at a gateway by itself, later.
#[derive(Debug, Clone)]
enum Later {
    /// An order that was given up by its sender.
    Arrives(ChargeRequest),
    Pays(String),
    Expires(String),
    ChangesItsMind(String),
    Refunds(String),
    Disputes(String),
    Decides(String, usize, DisputeVerdict),
}

#[derive(Debug)]
pub(crate) struct SimulatedGateway {
    name: GatewayName,
    control: Control,
    clock: Clock,
    chance: Arc<Chance>,
    plan: Plan,
    /// Whether it finds a charge by the name that we gave it.
    finds_by_ours: bool,
    pub(crate) book: Mutex<Book>,
    later: Mutex<Vec<(i64, Later)>>,
    deliveries: Mutex<Vec<Delivery>>,
    /// Events that were brought to us, whatever we answered.
    brought: Mutex<BTreeSet<String>>,
    /// Orders since somebody last asked.
    pub(crate) news: Mutex<Vec<String>>,
}

impl SimulatedGateway {
    pub(crate) fn new(name: &str, control: Control, clock: Clock, chance: Arc<Chance>, plan: Plan) -> Self {
        let finds_by_ours = name == "first" || chance.happens(700);
        let name = GatewayName::parse(name).unwrap();
        let (later, deliveries) = (Mutex::default(), Mutex::default());
        let (book, news, brought) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { name, control, clock, chance, plan, finds_by_ours, book, later, deliveries, brought, news }
    }

    pub(crate) fn called(&self) -> &GatewayName {
        &self.name
    }

    pub(crate) fn knows(&self, attempt: AttemptId) -> bool {
        self.book.lock().unwrap().charges.contains_key(&attempt.to_string())
    }

    /// The keys under which it captured something for an invoice, other than against its own word.
    pub(crate) fn captures_of(&self, invoice: InvoiceId) -> Vec<String> {
        let book = self.book.lock().unwrap();
        let of_it = book.charges.iter().filter(|(_, charge)| charge.attempt.invoice == invoice);
        let captured = of_it.filter(|(_, charge)| {
            matches!(charge.standing, Standing::Captured(_)) && !charge.is_contradicted
        });
        captured.map(|(key, _)| format!("{} under {key}", self.name)).collect()
    }

    fn mood(&self) -> Mood {
        let plan = &self.plan;
        self.chance.weighed(&[
            (60, Mood::Captures),
            (plan.declines, Mood::Declines(FailureClass::InsufficientFunds)),
            (plan.declines, Mood::Declines(FailureClass::DoNotHonor)),
            (plan.declines / 2, Mood::Declines(FailureClass::Hard)),
            (plan.declines, Mood::Waits),
            (plan.declines / 8, Mood::CapturesLess),
        ])
    }

    fn plan_for(&self, wait_ms: i64, what: Later) {
        self.later.lock().unwrap().push((self.clock.ms() + wait_ms, what));
    }

    /// An order comes in.
    fn order(&self, request: &ChargeRequest) -> Charge {
        let expires_at = fatura_application::ports::Clock::now(&self.clock)
            .checked_add(fatura_domain::SignedDuration::from_mins(60))
            .unwrap();
        let mut book = self.book.lock().unwrap();
        let is_new = !book.charges.contains_key(&request.attempt.to_string());
        let mood = self.mood();
        let charge = book.charge(request, mood, expires_at).clone();
        drop(book);
        let told = format!("{}: {} is {:?}", self.name, charge.attempt, charge.standing);
        self.news.lock().unwrap().push(told);
        if is_new {
            self.follow_up(&charge);
            self.tell(Hint::of_charge(&charge));
        }
        charge
    }

    /// What becomes of a charge by itself.
    fn follow_up(&self, charge: &Charge) {
        let key = charge.attempt.to_string();
        let chance = &self.chance;
        match &charge.standing {
            Standing::Captured(_) if chance.happens(self.plan.disputes) => {
                self.plan_for(chance.between(MINUTE, 3 * DAY), Later::Disputes(key));
            }
            Standing::Waiting(_) if chance.happens(600) => {
                self.plan_for(chance.between(SECOND, 2 * HOUR), Later::Pays(key));
            }
            Standing::Waiting(_) => self.plan_for(chance.between(HOUR, 3 * HOUR), Later::Expires(key)),
            Standing::Declined(_) if chance.happens(self.plan.contradictions) => {
                self.plan_for(chance.between(SECOND, 2 * DAY), Later::ChangesItsMind(key));
            }
            Standing::Captured(_) | Standing::Declined(_) | Standing::Voided => {}
        }
    }

    pub(crate) fn next_ms(&self) -> Option<i64> {
        let later = self.later.lock().unwrap();
        let deliveries = self.deliveries.lock().unwrap();
        let times = later.iter().map(|(at, _)| *at).chain(deliveries.iter().map(|delivery| delivery.at_ms));
        times.min()
    }

    /// Lets happen what its time has come for; says what did, for the trace.
    pub(crate) fn lives_on(&self) -> Vec<String> {
        let now = self.clock.ms();
        self.book.lock().unwrap().date(now);
        let mut later = self.later.lock().unwrap();
        let (due, rest): (Vec<_>, Vec<_>) = later.drain(..).partition(|(at, _)| *at <= now);
        *later = rest;
        drop(later);
        due.into_iter().filter_map(|(_, what)| self.happens(what)).collect()
    }

    fn happens(&self, what: Later) -> Option<String> {
        match what {
            Later::Arrives(request) => {
                let charge = self.order(&request);
                Some(format!("{}: {} arrives late: {:?}", self.name, charge.attempt, charge.standing))
            }
            Later::Pays(key) => self.change(&key, |charge| {
                let Standing::Waiting(_) = charge.standing else { return false };
                charge.standing = Standing::Captured(charge.asked);
                true
            }),
            Later::Expires(key) => self.change(&key, |charge| {
                let Standing::Waiting(_) = charge.standing else { return false };
                charge.standing = Standing::Voided;
                true
            }),
            Later::ChangesItsMind(key) => self.change(&key, |charge| {
                let Standing::Declined(_) = charge.standing else { return false };
                charge.standing = Standing::Captured(charge.asked);
                charge.is_contradicted = true;
                true
            }),
            Later::Refunds(key) => self.refunds(&key),
            Later::Disputes(key) => self.opens_case(&key),
            Later::Decides(key, case, verdict) => self.decides(&key, case, verdict),
        }
    }

    fn change(&self, key: &str, alter: impl FnOnce(&mut Charge) -> bool) -> Option<String> {
        let mut book = self.book.lock().unwrap();
        let charge = book.charges.get_mut(key)?;
        if !alter(charge) {
            return None;
        }
        let (hint, standing) = (Hint::of_charge(charge), charge.standing.clone());
        let (is_surely_told, invoice) = (charge.is_contradicted, charge.attempt.invoice);
        if matches!(standing, Standing::Captured(_)) {
            book.captured_lately.push(invoice);
        }
        drop(book);
        // Nobody would ask again: where no webhook comes, only reconciliation finds it.
        if is_surely_told {
            self.tell_surely(&hint);
        }
        self.tell(hint);
        Some(format!("{}: {key} is now {standing:?}", self.name))
    }

    /// About all that is left to dispute, or a part of it, so that another may come before it is decided.
    fn opens_case(&self, key: &str) -> Option<String> {
        let chance = &self.chance;
        let verdict = if chance.happens(500) { DisputeVerdict::Won } else { DisputeVerdict::Lost };
        let mut book = self.book.lock().unwrap();
        let charge = book.charges.get_mut(key)?;
        let left = charge.undisputed()?;
        if charge.cases.is_empty() {
            charge.is_forgotten = chance.happens(150);
        }
        let part = Money::try_new((left.minor() + 1) / 2, left.currency()).unwrap();
        let amount = match chance.below(3) {
            0 if charge.standing == Standing::Captured(left) => None,
            1 => Some(left),
            _ => Some(part),
        };
        let case = charge.cases.len();
        charge.cases.push(Case { verdict: DisputeVerdict::Open, amount });
        let hint = Hint::of_dispute(charge);
        drop(book);
        self.tell(hint);
        self.plan_for(chance.between(HOUR, 3 * DAY), Later::Decides(key.to_owned(), case, verdict));
        if chance.happens(400) {
            self.plan_for(chance.between(HOUR, 5 * DAY), Later::Disputes(key.to_owned()));
        }
        Some(format!("{}: a case about {key}", self.name))
    }

    fn decides(&self, key: &str, case: usize, verdict: DisputeVerdict) -> Option<String> {
        let mut book = self.book.lock().unwrap();
        let charge = book.charges.get_mut(key)?;
        charge.cases.get_mut(case)?.verdict = verdict;
        let hint = Hint::of_dispute(charge);
        drop(book);
        self.tell(hint);
        // Now and then the money comes back after all.
        if verdict == DisputeVerdict::Lost && self.chance.happens(200) {
            let wait = self.chance.between(HOUR, 2 * DAY);
            self.plan_for(wait, Later::Decides(key.to_owned(), case, DisputeVerdict::Won));
        }
        Some(format!("{}: the case about {key} is {verdict:?}", self.name))
    }

    /// Its customer goes to the bank, too, or never does.
    pub(crate) fn contested(&self, attempt: AttemptId) {
        if self.chance.happens(150) {
            return;
        }
        self.plan_for(self.chance.between(MINUTE, 2 * DAY), Later::Disputes(attempt.to_string()));
    }

    fn refunds(&self, key: &str) -> Option<String> {
        let state = if self.chance.happens(900) { RefundStanding::Done } else { RefundStanding::Failed };
        let mut book = self.book.lock().unwrap();
        let refund = book.refunds.get_mut(key)?;
        refund.state = state;
        let hint = Hint::of_refund(refund);
        drop(book);
        self.tell(hint);
        Some(format!("{}: {key} is {state:?}", self.name))
    }
}
