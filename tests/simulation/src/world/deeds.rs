//! One step of the world: somebody begins something, goes on with it, or time passes.

use super::World;
use crate::clients::Asked;
use crate::control::Verdict;
use crate::plan::LAST_DEADLY_CALL;
use crate::queue::Queue;
use crate::task::{About, Collected, Fate, Finished, Task};
use std::task::Poll;

#[derive(Debug, Clone, Copy)]
enum Deed {
    GoOn,
    Ask,
    Collect,
    Heed,
    Tell,
    TakeIn(usize),
    Sweep,
    Month,
    Relay,
    PassTime,
}

const MINUTE_MS: i64 = 60_000;
/// How late the schedule may be once the world is quiet: soon there is nothing left but what is asked each day, for months.
const LATE_MS: i64 = 60 * MINUTE_MS;
const LATEST_MS: i64 = 20 * 24 * 60 * MINUTE_MS;
const KEPT_MS: i64 = 29 * 24 * 60 * MINUTE_MS;
/// Lambda lets nobody live longer.
const LONGEST_LIFE_MS: i64 = 15 * MINUTE_MS;
const MOST_TASKS: usize = 6;
const BATCH: u64 = 10;

impl World {
    pub(super) fn step(&mut self) -> Result<(), Vec<String>> {
        for news in self.outside.gateways.iter().flat_map(|gateway| gateway.lives_on()).collect::<Vec<_>>() {
            self.trace.note(&self.clock, &news);
        }
        self.report.steps += 1;
        match self.deed() {
            Deed::GoOn => {
                let awake: Vec<(u64, usize)> =
                    self.awake().into_iter().map(|at| (self.pace(at), at)).collect();
                if awake.is_empty() {
                    self.pass_time();
                } else {
                    let place = self.chance.weighed(&awake);
                    self.advance(place)?;
                }
            }
            Deed::Ask => {
                let now = self.clock.ms();
                let asked = self.clients.wish(&self.books, &self.chance);
                // An answer is kept for thirty days, and whoever asks later asks anew.
                let asked = asked.filter(|asked| asked.since_ms.is_none_or(|since| now - since < KEPT_MS));
                if let Some(asked) = asked {
                    self.ask(asked);
                }
            }
            Deed::Collect => self.collect(),
            Deed::Heed => self.heed(),
            Deed::Tell => {
                let letters = self.received(&self.outside.notices.visible());
                self.begin(About::Notices(letters));
            }
            Deed::TakeIn(gateway) => {
                let delivery = self.outside.gateways.get(gateway).and_then(|gateway| gateway.take_delivery());
                if let Some(delivery) = delivery {
                    self.begin(About::Intake { gateway, delivery });
                }
            }
            Deed::Sweep => {
                // Now and then it fires twice.
                let is_twice = !self.is_quiet && self.chance.happens(100);
                self.next_sweep_ms = self.clock.ms() + if is_twice { 0 } else { MINUTE_MS };
                self.begin(About::Sweep);
            }
            Deed::Month => self.begin(About::Month),
            Deed::Relay => {
                let count = usize::try_from(1 + self.chance.below(20)).unwrap();
                // Some of it may be told again, as after a shard was split or its reader lost its place.
                let is_again = !self.is_quiet && self.chance.happens(150);
                let again = if is_again { usize::try_from(self.chance.below(20)).unwrap() } else { 0 };
                let from = self.relayed - again.min(self.relayed);
                let count = count.min(self.stream.len() - from);
                self.begin(About::Relay { from, count });
            }
            Deed::PassTime => self.pass_time(),
        }
        Ok(())
    }

    fn deed(&self) -> Deed {
        let mut deeds = Vec::new();
        let has_room = self.tasks.len() < MOST_TASKS;
        if !self.awake().is_empty() {
            deeds.push((if has_room { 60 } else { 600 }, Deed::GoOn));
        }
        if has_room {
            if !self.is_quiet && !self.is_over {
                deeds.push((if self.clients.is_in_a_hurry() { 100 } else { 10 }, Deed::Ask));
            }
            if !self.outside.charges.visible().is_empty() {
                deeds.push((12, Deed::Collect));
            }
            if !self.outside.webhooks.visible().is_empty() {
                deeds.push((8, Deed::Heed));
            }
            if !self.outside.notices.visible().is_empty() {
                deeds.push((6, Deed::Tell));
            }
            for (place, gateway) in self.outside.gateways.iter().enumerate() {
                if gateway.due_deliveries() > 0 {
                    deeds.push((8, Deed::TakeIn(place)));
                }
            }
            let is_due = self.books.next_due_ms().is_some_and(|due| due <= self.clock.ms());
            // A schedule may fire with nothing to do.
            let is_early = !self.is_quiet && self.chance.happens(100);
            let weight = if is_due { 5 } else { u64::from(is_early) };
            if self.next_sweep_ms <= self.clock.ms() && weight > 0 {
                deeds.push((weight, Deed::Sweep));
            }
            if !self.is_quiet && !self.is_over && self.chance.happens(15) {
                deeds.push((10, Deed::Month));
            }
            // Whoever stands still is given up, and may go on all the same.
            let now = self.clock.ms();
            let is_at_it =
                |task: &Task| matches!(task.about, About::Relay { .. }) && task.asleep_until_ms <= now;
            let is_relaying = self.tasks.iter().any(is_at_it);
            if self.relayed < self.stream.len() && !is_relaying {
                deeds.push((4, Deed::Relay));
            }
        }
        if deeds.is_empty() || !self.is_quiet {
            deeds.push((if deeds.is_empty() { 1 } else { 6 }, Deed::PassTime));
        }
        self.chance.weighed(&deeds)
    }

    /// Those who don't stand still.
    pub(super) fn awake(&self) -> Vec<usize> {
        let now = self.clock.ms();
        let is_awake = |(place, task): (usize, &Task)| (task.asleep_until_ms <= now).then_some(place);
        self.tasks.iter().enumerate().filter_map(is_awake).collect()
    }

    /// Or hurries: some are overtaken by all others, between any two of their calls.
    fn dawdle(&mut self, place: usize) {
        let often = self.chance.weighed(&[(1, 1), (2, 6), (2, 30)]);
        if let Some(task) = self.tasks.get_mut(place) {
            task.pace = often;
        }
    }

    fn pace(&self, place: usize) -> u64 {
        self.tasks.get(place).map_or(1, |task| task.pace)
    }

    /// A little, or until something is to happen, which nobody who is at something lives to see if it is far.
    fn pass_time(&mut self) {
        let now = self.clock.ms();
        let little = self.chance.between(1, 2_000);
        let is_idle = self.awake().is_empty();
        let is_soon = |next: i64| self.chance.happens(100) && next - now <= LONGEST_LIFE_MS;
        let next = self.next_ms().filter(|next| is_idle || is_soon(*next));
        // The schedule may be late.
        let latest = if self.chance.happens(300) { LATE_MS } else { LATEST_MS };
        let late = if self.is_quiet && is_idle { self.chance.between(0, latest) } else { 0 };
        let wait = next.map_or(little, |next| (next - now).max(1) + late);
        self.clock.pass(wait);
    }

    /// When something is to happen next.
    pub(super) fn next_ms(&self) -> Option<i64> {
        let now = self.clock.ms();
        let due = self.books.next_due_ms().map(|due| due.max(self.next_sweep_ms));
        let asleep = self.tasks.iter().map(|task| task.asleep_until_ms);
        let gateways = self.outside.gateways.iter().filter_map(|gateway| gateway.next_ms());
        let queues = self.outside.queues().into_iter().filter_map(Queue::next_visible_ms);
        due.into_iter().chain(asleep).chain(gateways).chain(queues).filter(|at| *at > now).min()
    }

    fn received(&self, visible: &[u64]) -> Vec<u64> {
        let most = if self.chance.happens(300) { 1 } else { 1 + self.chance.below(BATCH) };
        let mut left = visible.to_vec();
        let mut some = Vec::new();
        while !left.is_empty() && u64::try_from(some.len()).unwrap() < most {
            some.push(left.remove(self.chance.place(left.len())));
        }
        some
    }

    fn collect(&mut self) {
        let letters = self.received(&self.outside.charges.visible());
        let of = Collected::charges(&self.outside.charges.bodies(&letters));
        self.begin(About::Charges(letters, of));
    }

    fn heed(&mut self) {
        let letters = self.received(&self.outside.webhooks.visible());
        let of = Collected::webhooks(&self.outside.webhooks.bodies(&letters));
        self.begin(About::Webhooks(letters, of));
    }

    /// A client asks, for the first time or again.
    pub(super) fn ask(&mut self, mut asked: Asked) {
        asked.since_ms.get_or_insert(self.clock.ms());
        self.begin(About::Request(asked));
    }

    /// One runs one invocation at a time. Where none is free, Lambda starts another.
    fn free_environment(&mut self) -> usize {
        let is_free = |place: &usize| self.tasks.iter().all(|task| task.environment != *place);
        let free: Vec<usize> = (0..self.environments.len()).filter(is_free).collect();
        self.chance.pick(&free).copied().unwrap_or_else(|| {
            let environment = self.environment();
            self.environments.push(environment);
            self.environments.len() - 1
        })
    }

    /// An invocation begins, in an environment that happens to be free.
    pub(super) fn begin(&mut self, about: About) {
        let place = self.free_environment();
        let Some(environment) = self.environments.get(place) else { return };
        let id = self.next_task;
        self.next_task += 1;
        self.outside.control.runs(id);
        let running = match &about {
            About::Request(asked) => environment.request(asked),
            About::Charges(ids, _) => {
                let letters = self.outside.charges.receive(ids);
                self.perhaps_twice(&about);
                environment.charges(&letters)
            }
            About::Webhooks(ids, _) => {
                let letters = self.outside.webhooks.receive(ids);
                self.perhaps_twice(&about);
                environment.webhooks(&letters)
            }
            About::Notices(ids) => {
                let letters = self.outside.notices.receive(ids);
                self.perhaps_twice(&about);
                environment.notices(&letters)
            }
            About::Intake { gateway, delivery } => {
                let Some(gateway) = self.outside.gateways.get(*gateway) else { return };
                environment.intake(gateway.called().as_str(), delivery)
            }
            About::Sweep => environment.sweep(retry_sweep::Task::Sweep),
            About::Month => environment.sweep(retry_sweep::Task::MonthlyBilling),
            About::Relay { from, count } => {
                environment.relay(self.stream.get(*from..from + count).unwrap_or_default())
            }
        };
        let (fate, faults) = (self.fate(), self.calm());
        self.trace.note(&self.clock, &format!("#{id} {} begins: {fate:?}", about.operation()));
        self.tasks.push(Task::new(id, about, place, fate, faults, running));
        self.dawdle(self.tasks.len() - 1);
    }

    fn perhaps_twice(&self, about: &About) {
        let Some((queue, ids)) = self.letters(about) else { return };
        for id in ids {
            if !self.is_quiet && self.chance.happens(50) {
                queue.show_again(*id);
            }
        }
    }

    /// Those that it was handed, and the queue that they are from.
    fn letters<'a>(&'a self, about: &'a About) -> Option<(&'a Queue, &'a [u64])> {
        match about {
            About::Charges(ids, _) => Some((&self.outside.charges, ids)),
            About::Webhooks(ids, _) => Some((&self.outside.webhooks, ids)),
            About::Notices(ids) => Some((&self.outside.notices, ids)),
            _ => None,
        }
    }

    /// One call further.
    pub(super) fn advance(&mut self, place: usize) -> Result<(), Vec<String>> {
        let Some(task) = self.tasks.get_mut(place) else { return Ok(()) };
        let id = task.id;
        self.outside.control.runs(id);
        let mut polled = task.run();
        if polled.is_pending() {
            let Some((gate, call)) = self.outside.control.next_of(id) else {
                return Err(vec![format!("#{id} waits for nothing that is of this world")]);
            };
            if self.falls_asleep(place) {
                return Ok(());
            }
            let verdict = self.verdict(place, call);
            self.outside.control.decide(gate, verdict);
            if self.chance.happens(300) {
                self.dawdle(place);
            }
            let Some(task) = self.tasks.get_mut(place) else { return Ok(()) };
            task.is_disturbed |= verdict != Verdict::Done;
            polled = task.run();
            if matches!(verdict, Verdict::DiesBefore | Verdict::DiesAfter) {
                self.die(place);
                return self.check(id);
            }
        }
        if let Poll::Ready(finished) = polled {
            let task = self.tasks.remove(place);
            self.ended(task, finished)?;
        }
        self.check(id)
    }

    /// Lambda starts another environment in its place, which remembers nothing.
    fn die(&mut self, place: usize) {
        let task = self.tasks.remove(place);
        self.trace.note(&self.clock, &format!("#{} {} dies", task.id, task.about.operation()));
        let environment = self.environment();
        if let Some(slot) = self.environments.get_mut(task.environment) {
            *slot = environment;
        }
        match task.about {
            About::Request(asked) => {
                self.clients.hear(asked, None, true, &self.chance);
            }
            About::Intake { gateway, delivery } => {
                if let Some(gateway) = self.outside.gateways.get(gateway) {
                    gateway.deliver_again(delivery);
                }
            }
            About::Charges(..)
            | About::Webhooks(..)
            | About::Notices(_)
            | About::Sweep
            | About::Month
            | About::Relay { .. } => {}
        }
    }

    fn ended(&mut self, task: Task, finished: Finished) -> Result<(), Vec<String>> {
        let told = match &finished {
            Finished::Answered { status, .. } => status.to_string(),
            other => format!("{other:?}"),
        };
        self.trace.note(&self.clock, &format!("#{} {} ends: {told}", task.id, task.about.operation()));
        match (task.about, finished) {
            (About::Request(asked), Finished::Answered { status, body }) => {
                return self.answered(asked, task.is_disturbed, status, body);
            }
            (about, Finished::Batch(failed)) => {
                if let Some((queue, ids)) = self.letters(&about) {
                    let done = ids.iter().filter(|id| !failed.contains(&id.to_string()));
                    done.for_each(|id| queue.delete(*id));
                }
            }
            (About::Intake { gateway, delivery }, Finished::Answered { status, .. }) => {
                if delivery.is_forged && status < 300 {
                    return Err(vec![format!("a forged webhook was taken in: {}", delivery.body)]);
                }
                let Some(gateway) = self.outside.gateways.get(gateway) else { return Ok(()) };
                if status < 300 {
                    self.taken_in.insert((gateway.called().clone(), gateway.heard(&delivery)));
                } else {
                    gateway.deliver_again(delivery);
                }
            }
            (About::Relay { from, count }, Finished::Relayed(first)) => {
                self.relayed = self.relayed.max(from + first.unwrap_or(count));
            }
            _ => {}
        }
        Ok(())
    }

    fn answered(
        &mut self,
        asked: Asked,
        is_disturbed: bool,
        status: u16,
        body: String,
    ) -> Result<(), Vec<String>> {
        self.trace.note(&self.clock, &format!("{} {} -> {status}", asked.path, asked.key));
        let wrong = self.clients.hear(asked, Some((status, &body)), is_disturbed, &self.chance);
        self.last_answer = body;
        match wrong {
            Some(wrong) => Err(vec![wrong]),
            None => Ok(()),
        }
    }

    pub(super) fn fate(&self) -> Fate {
        let (plan, chance) = (&self.plan, &self.chance);
        if self.is_quiet {
            return Fate::Lives;
        }
        let at = u32::try_from(1 + chance.below(LAST_DEADLY_CALL.into())).unwrap();
        if chance.happens(plan.deaths) {
            return Fate::Dies { at, after: chance.happens(500) };
        }
        if chance.happens(plan.zombies) {
            return Fate::Sleeps { at, ms: chance.between(1_000, 10 * MINUTE_MS) };
        }
        Fate::Lives
    }
}
