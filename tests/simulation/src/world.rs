//! One world, from its first customer to its last silence.

mod audits;
mod decisions;
mod deeds;
mod ends;
mod reconciles;
mod shops;
mod verdicts;

use crate::books::{Books, Writer};
use crate::bus::Bus;
use crate::chance::Chance;
use crate::clients::{Asked, Clients, Kind};
use crate::clock::Clock;
use crate::control::{Control, TaskId};
use crate::engine::Engine;
use crate::functions::{Environment, Outside};
use crate::gateway::SimulatedGateway;
use crate::plan::Plan;
use crate::queue::Queue;
use crate::receivers::Receivers;
use crate::report::{Report, Trace};
use crate::task::{About, Task};
use fatura_domain::gateway::GatewayName;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// Environments of each function.
const ENVIRONMENTS: usize = 3;
const HOUR_MS: i64 = 60 * 60 * 1_000;
/// Twice that is less than the three days after which a server that could not be told is given up.
const LONGEST_WAIT_MS: i64 = 34 * HOUR_MS;
/// Steps after a death that was meant.
const AFTERMATH: u64 = 100;

pub struct World {
    plan: Plan,
    chance: Arc<Chance>,
    clock: Clock,
    outside: Outside,
    environments: Vec<Environment>,
    tasks: Vec<Task>,
    next_task: u64,
    clients: Clients,
    books: Books,
    /// The stream, and how far the relay has come in it.
    stream: Vec<Value>,
    relayed: usize,
    next_sweep_ms: i64,
    /// The world does no more harm.
    is_quiet: bool,
    /// Nobody wants anything any more.
    is_over: bool,
    trace: Trace,
    /// To whoever asked last.
    last_answer: String,
    /// Webhooks that were answered with a 2xx.
    taken_in: BTreeSet<(GatewayName, String)>,
    pub(crate) report: Report,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "World({})", self.plan.seed)
    }
}

/// Why a world is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub plan: Plan,
    pub wrong: Vec<String>,
    pub trace: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHORT: usize = 60;
        // Calls that went well tell little.
        let told: Vec<_> = self.trace.iter().filter(|line| !line.ends_with(" Done")).collect();
        for line in told.iter().skip(told.len().saturating_sub(SHORT)) {
            writeln!(f, "{line}")?;
        }
        writeln!(f, "{:?}", self.plan)?;
        self.wrong.iter().try_for_each(|wrong| writeln!(f, "WRONG: {wrong}"))?;
        let more = self.plan.arguments().join(" ");
        let more = if more.is_empty() { more } else { format!(" PLAN='{more}'") };
        write!(f, "again: make simulate SEED={}{more}", self.plan.seed)
    }
}

impl World {
    /// Lives through all of it.
    pub fn run(plan: &Plan) -> (Report, Result<(), Failure>) {
        let (report, result, _) = Self::run_traced(plan);
        (report, result)
    }

    /// With all that happened, whether it went well or not.
    pub fn run_traced(plan: &Plan) -> (Report, Result<(), Failure>, Vec<String>) {
        let mut world = Self::start(plan);
        let lived = world.live();
        world.sum_up();
        let trace = world.trace.take();
        let result = lived.map_err(|wrong| Failure { plan: plan.clone(), wrong, trace: trace.clone() });
        (world.report, result, trace)
    }

    fn start(plan: &Plan) -> Self {
        let chance = Arc::new(Chance::of(plan.seed));
        let clock = Clock::start();
        let control = Control::default();
        let gateways = ["first", "second"].map(|name| {
            let (control, clock, chance) = (control.clone(), clock.clone(), chance.clone());
            Arc::new(SimulatedGateway::new(name, control, clock, chance, plan.clone()))
        });
        let notices = Queue::new(control.clone(), clock.clone());
        let outside = Outside {
            engine: Arc::new(Engine::start()),
            charges: Queue::new(control.clone(), clock.clone()),
            webhooks: Queue::new(control.clone(), clock.clone()),
            bus: Bus {
                control: control.clone(),
                notices: notices.clone(),
                chance: chance.clone(),
                taken: Arc::default(),
            },
            notices,
            receivers: Receivers {
                control: control.clone(),
                clock: clock.clone(),
                chance: chance.clone(),
                bag: Arc::default(),
            },
            control,
            clock: clock.clone(),
            gateways: gateways.to_vec(),
        };
        let mut world = Self {
            plan: plan.clone(),
            next_sweep_ms: clock.ms(),
            chance,
            clock,
            outside,
            environments: Vec::new(),
            tasks: Vec::new(),
            next_task: 0,
            clients: Clients::of(plan),
            books: Books::default(),
            stream: Vec::new(),
            relayed: 0,
            is_quiet: true,
            is_over: false,
            trace: Trace::default(),
            last_answer: String::new(),
            taken_in: BTreeSet::new(),
            report: Report::default(),
        };
        for _ in 0..ENVIRONMENTS {
            let environment = world.environment();
            world.environments.push(environment);
        }
        world
    }

    /// With nothing remembered, and a clock that is wrong in its own way.
    fn environment(&self) -> Environment {
        let most = i64::try_from(self.plan.skew_ms).unwrap();
        let skew = self.chance.between(-most, most);
        Environment::start(&self.outside, &self.clock.ahead_by(skew), self.chance.bits())
    }

    fn live(&mut self) -> Result<(), Vec<String>> {
        self.set_up()?;
        self.is_quiet = false;
        let is_aimed = self.plan.crash.is_some();
        let mut left = self.plan.steps;
        // What is due in days comes while everything still goes wrong.
        let days_pass = self.chance.happens(400);
        while left > 0 {
            if days_pass && left < self.plan.steps && left.is_multiple_of(self.plan.steps / 3 + 1) {
                self.days_pass()?;
            }
            self.step()?;
            left -= 1;
            // What the one death that was meant brings about shows soon.
            if is_aimed && self.plan.crash.is_none() {
                left = left.min(AFTERMATH);
            }
        }
        self.go_quiet()?;
        self.charge_what_was_given_up()?;
        self.close_shops()?;
        self.look_back()?;
        if self.chance.happens(500) {
            self.decide()?;
            self.look_back()?;
        }
        self.audit()?;
        // It is many calls: some worlds are enough.
        if self.chance.happens(150) {
            self.reconcile()?;
            self.look_back()?;
        }
        Ok(())
    }

    /// Customers and cards, before anything goes wrong.
    fn set_up(&mut self) -> Result<(), Vec<String>> {
        let told = self.clients.first_endpoint();
        self.ask(told);
        self.finish_all()?;
        for number in 0..self.plan.clients {
            let mut body = json!({ "name": "Ana Souza", "email": format!("c{number}@example.com") });
            if self.chance.happens(400) {
                body["billing_anchor_day"] = json!(self.chance.between(1, 28));
            }
            let customer = self.ask_and_wait(Kind::Customer, "/v1/customers".to_owned(), body)?;
            let path = format!("/v1/customers/{customer}/payment-methods");
            let method = if self.chance.happens(700) {
                json!({ "type": "credit_card", "token": format!("tok_{number}") })
            } else {
                json!({ "type": "pix", "key": "ana@example.com" })
            };
            let is_card = method["type"] == "credit_card";
            let method = self.ask_and_wait(Kind::Card, path.clone(), method)?;
            if is_card && self.chance.happens(600) {
                let also = self.clients.post(
                    Kind::Token,
                    format!("{path}/{method}/tokens/second"),
                    json!({ "token": format!("tok_{number}_also") }),
                );
                let also = Asked { method: "PUT", ..also };
                self.ask(also);
                self.finish_all()?;
            }
        }
        self.open_shops()
    }

    fn ask_and_wait(&mut self, kind: Kind, path: String, body: Value) -> Result<String, Vec<String>> {
        let asked = self.clients.post(kind, path, body);
        self.made(asked)
    }

    /// The id of what came of it.
    fn made(&mut self, asked: Asked) -> Result<String, Vec<String>> {
        self.ask(asked);
        self.finish_all()?;
        let answer: Value = serde_json::from_str(&self.last_answer).unwrap_or_default();
        match answer.get("id").and_then(Value::as_str) {
            Some(id) => Ok(id.to_owned()),
            None => Err(vec![format!("could not be set up: {}", self.last_answer)]),
        }
    }

    fn finish_all(&mut self) -> Result<(), Vec<String>> {
        while let Some(place) = (!self.tasks.is_empty()).then(|| self.chance.place(self.tasks.len())) {
            self.advance(place)?;
        }
        Ok(())
    }

    /// Nobody who is at something lives so long. What is due by then has been found when others go on.
    fn days_pass(&mut self) -> Result<(), Vec<String>> {
        self.finish_all()?;
        let wait_ms = self.chance.between(HOUR_MS, LONGEST_WAIT_MS);
        self.clock.pass(wait_ms);
        self.begin(About::Sweep);
        self.finish_all()
    }

    /// What a task has written is read, and held against what must be so.
    fn check(&mut self, task: TaskId) -> Result<(), Vec<String>> {
        let written = self.outside.engine.written();
        let skew_ms = i64::try_from(self.plan.skew_ms).unwrap();
        let by = Writer { task, at_ms: self.clock.ms(), skew_ms };
        let mut wrong = self.books.read(&written, by, &self.outside.gateways, &self.clients.totals);
        for record in &written {
            self.trace.wrote(record);
        }
        self.stream.extend(written);
        let mut news = std::mem::take(&mut self.books.news);
        for gateway in &self.outside.gateways {
            news.append(&mut gateway.news.lock().unwrap());
        }
        for what in news {
            self.trace.note(&self.clock, &what);
        }
        for (name, attempt) in std::mem::take(&mut self.books.contested) {
            let gateway = self.outside.gateways.iter().find(|gateway| *gateway.called() == name);
            if let Some(gateway) = gateway {
                gateway.contested(attempt);
            }
        }
        let mut bag = self.outside.receivers.bag.lock().unwrap();
        wrong.append(&mut bag.violations);
        drop(bag);
        for gateway in &self.outside.gateways {
            wrong.append(&mut gateway.book.lock().unwrap().violations);
        }
        self.has_one_key(&mut wrong);
        self.is_captured_once(&mut wrong);
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    /// An attempt is one order, and its id is the order's key. Under any other, the order would be another one.
    fn has_one_key(&self, wrong: &mut Vec<String>) {
        let lately =
            |one: &Arc<SimulatedGateway>| std::mem::take(&mut one.book.lock().unwrap().ordered_lately);
        for key in self.outside.gateways.iter().flat_map(lately) {
            let begun = self.books.invoices.get(&key.invoice).map_or(0, |invoice| invoice.attempts.0);
            if key.number.0 > begun {
                wrong.push(format!("{key} is ordered, which is no key of its invoice's {begun} attempts"));
            }
        }
    }

    /// By whichever gateways, and other than against a gateway's own word.
    fn is_captured_once(&self, wrong: &mut Vec<String>) {
        let gateways = &self.outside.gateways;
        let lately =
            |one: &Arc<SimulatedGateway>| std::mem::take(&mut one.book.lock().unwrap().captured_lately);
        for invoice in gateways.iter().flat_map(lately).collect::<BTreeSet<_>>() {
            let captures: Vec<String> = gateways.iter().flat_map(|one| one.captures_of(invoice)).collect();
            if captures.len() > 1 {
                wrong.push(format!(
                    "{invoice} is captured {} times: {}",
                    captures.len(),
                    captures.join(", ")
                ));
            }
        }
    }

    fn sum_up(&mut self) {
        self.report.fingerprint = self.trace.fingerprint();
        self.report.edges = self.books.edges.clone();
        self.report.duplicates += self.clients.replays;
        for gateway in &self.outside.gateways {
            let book = gateway.book.lock().unwrap();
            self.report.charges += u64::try_from(book.charges.len()).unwrap();
            self.report.refunds += u64::try_from(book.refunds.len()).unwrap();
            self.report.duplicates += book.repeated;
        }
    }
}
