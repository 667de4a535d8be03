//! What may happen next. Each step is one of the use cases' own (`collect_charge`, `process_webhook`, `sweep_due`), cut
//! where another could come in between.

use crate::world::{
    CONSUMERS, Heard, Kept, Message, SWEEP, Verdict, WEBHOOK, Worker, World, about, observation,
};
use fatura_domain::charge::{LiveAttempt, Phase};
use fatura_domain::dunning::Policy;
use fatura_domain::id::AttemptNumber;
use fatura_domain::invoice::{Invoice, NextStep, Reduced, State, Woken};
use fatura_domain::{Moment, SignedDuration, Timestamp};

/// What becomes of an order that is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Answered(Verdict),
    AnswerLost(Verdict),
    NotSent,
    /// It arrives when nobody waits for it any more.
    Late,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Deliver(usize, Message),
    Take(usize),
    Call(usize, Fate),
    /// None: the gateway is silent.
    Ask(usize, Option<()>),
    Settle(usize),
    /// The gateway tells of an order by itself.
    Tell(u8),
    Look,
    Sweep,
    Arrive(u8, Verdict),
    Crash(usize),
    /// Until something is due, or a lease is over.
    Tick,
}

impl World {
    pub(crate) fn possible(&self) -> Vec<Action> {
        let mut actions = Vec::new();
        // The consumers are alike: which of them is idle makes no difference.
        if let Some(idle) = CONSUMERS.into_iter().find(|place| self.workers[*place] == Worker::Idle) {
            actions.extend(self.messages.iter().map(|message| Action::Deliver(idle, *message)));
        }
        for (place, worker) in self.workers.iter().enumerate() {
            self.next_of(place, worker, &mut actions);
        }
        if self.workers[WEBHOOK] == Worker::Idle && self.left.webhooks > 0 {
            actions.extend(self.gateway.decided.keys().map(|attempt| Action::Tell(*attempt)));
        }
        if self.workers[SWEEP] == Worker::Idle && self.woken().is_some() {
            actions.push(Action::Look);
        }
        for attempt in &self.gateway.on_the_way {
            actions
                .extend(self.verdicts(*attempt).into_iter().map(|verdict| Action::Arrive(*attempt, verdict)));
        }
        if self.left.ticks > 0 && self.next_instant().is_some() {
            actions.push(Action::Tick);
        }
        actions
    }

    fn next_of(&self, place: usize, worker: &Worker, actions: &mut Vec<Action>) {
        match worker {
            Worker::Idle => return,
            Worker::Taking(_) => actions.push(Action::Take(place)),
            Worker::Calling(seen) => {
                let verdicts = self.verdicts(seen.attempts.0);
                actions.extend(verdicts.iter().map(|verdict| Action::Call(place, Fate::Answered(*verdict))));
                if self.left.faults > 0 {
                    actions.extend(
                        verdicts.iter().map(|verdict| Action::Call(place, Fate::AnswerLost(*verdict))),
                    );
                    actions.extend([Action::Call(place, Fate::NotSent), Action::Call(place, Fate::Late)]);
                }
            }
            Worker::Asking(_) => {
                actions.push(Action::Ask(place, Some(())));
                if self.left.faults > 0 {
                    actions.push(Action::Ask(place, None));
                }
            }
            Worker::Told(..) | Worker::Settling(..) => actions.push(Action::Settle(place)),
            Worker::Sweeping { .. } => actions.push(Action::Sweep),
        }
        if self.left.crashes > 0 {
            actions.push(Action::Crash(place));
        }
    }

    /// What the gateway may say to an order: what it said before, if it did.
    fn verdicts(&self, attempt: u8) -> Vec<Verdict> {
        match self.gateway.decided.get(&attempt) {
            Some(verdict) => vec![*verdict],
            None if self.left.declines > 0 => vec![Verdict::Captured, Verdict::Declined],
            None => vec![Verdict::Captured],
        }
    }

    pub(crate) fn after(&self, action: Action) -> Self {
        let mut next = self.clone();
        match action {
            Action::Deliver(place, message) => next.deliver(place, message),
            Action::Take(place) => next.take(place),
            Action::Call(place, fate) => next.call(place, fate),
            Action::Ask(place, answer) => next.ask(place, answer.is_some()),
            Action::Settle(place) => next.settle(place),
            Action::Tell(attempt) => {
                next.left.webhooks -= 1;
                // Asked, the gateway says how it stands.
                next.workers[WEBHOOK] = Worker::Told(attempt, next.gateway.knows(attempt));
            }
            Action::Look => {
                if let Some(woken) = next.woken() {
                    next.workers[SWEEP] =
                        Worker::Sweeping { seen: next.kept.clone(), next: Kept::new(woken) };
                }
            }
            Action::Sweep => next.sweep(),
            Action::Arrive(attempt, verdict) => {
                next.gateway.on_the_way.remove(&attempt);
                next.arrive(attempt, verdict);
            }
            Action::Crash(place) => {
                next.left.crashes -= 1;
                next.workers[place] = Worker::Idle;
            }
            Action::Tick => {
                next.left.ticks -= 1;
                next.now = next.next_instant().unwrap_or(next.now);
            }
        }
        next
    }

    /// Claim, or, where that is refused, the step that the invoice itself names.
    fn deliver(&mut self, place: usize, (attempt, version): Message) {
        let live = LiveAttempt::begun(AttemptNumber(attempt), self.now);
        if let Some(claimed) = self.kept.claimed(version, live, self.now) {
            let seen = self.kept.clone();
            assert!(self.write(&seen, claimed), "a claim is one write");
            self.workers[place] = Worker::Calling(self.kept.clone());
        } else if self.kept.version == version {
            self.workers[place] = match self.kept.next_step(self.now) {
                NextStep::Rest => Worker::Idle,
                NextStep::Send(_) => Worker::Taking(self.kept.clone()),
                NextStep::Ask(_) | NextStep::Void(..) => Worker::Asking(self.kept.clone()),
            };
        }
    }

    fn take(&mut self, place: usize) {
        let Worker::Taking(seen) = std::mem::replace(&mut self.workers[place], Worker::Idle) else { return };
        if let NextStep::Send(next) = seen.next_step(self.now)
            && self.write(&seen, *next)
        {
            self.workers[place] = Worker::Calling(self.kept.clone());
        }
    }

    fn call(&mut self, place: usize, fate: Fate) {
        let Worker::Calling(seen) = self.workers[place].clone() else { return };
        // The key of the order is the attempt, as the code says it is.
        let Some((_, request)) = seen.charge_request() else { return };
        let attempt = request.attempt.number.0;
        let heard = match fate {
            Fate::Answered(verdict) => Heard::Verdict(self.arrive(attempt, verdict)),
            Fate::AnswerLost(verdict) => {
                self.arrive(attempt, verdict);
                Heard::Silence
            }
            Fate::NotSent => Heard::NotSent,
            Fate::Late => {
                self.gateway.on_the_way.insert(attempt);
                Heard::Silence
            }
        };
        self.left.faults -= u8::from(!matches!(fate, Fate::Answered(_)));
        self.workers[place] = Worker::Settling(seen, attempt, heard);
    }

    fn arrive(&mut self, attempt: u8, verdict: Verdict) -> Verdict {
        let is_new = !self.gateway.decided.contains_key(&attempt);
        self.left.declines -= u8::from(is_new && verdict == Verdict::Declined);
        self.gateway.take(attempt, verdict)
    }

    fn ask(&mut self, place: usize, is_answered: bool) {
        let Worker::Asking(seen) = self.workers[place].clone() else { return };
        let attempt = seen.attempts.0;
        self.left.faults -= u8::from(!is_answered);
        let heard = if is_answered { self.gateway.knows(attempt) } else { Heard::Silence };
        self.workers[place] = Worker::Settling(seen, attempt, heard);
    }

    /// One try: whoever was too late reads again, which is a step of its own.
    fn settle(&mut self, place: usize) {
        let (seen, attempt, heard) = match std::mem::replace(&mut self.workers[place], Worker::Idle) {
            Worker::Settling(seen, attempt, heard) => (seen, attempt, heard),
            Worker::Told(attempt, heard) => {
                self.workers[place] = Worker::Settling(self.kept.clone(), attempt, heard);
                return;
            }
            _ => return,
        };
        let moment = Moment { now: self.now, entropy: 9 };
        let word = observation(&seen, attempt, heard);
        let Reduced::Applied(reduction) = seen.observe(&word, &Policy::default(), moment) else { return };
        let (is_booked, wakes) = (reduction.transaction.is_some(), reduction.wake);
        if self.write(&seen, reduction.invoice) {
            self.booked += u8::from(is_booked);
            if wakes {
                self.messages.insert(about(&self.kept));
            }
        } else {
            self.workers[place] = Worker::Settling(self.kept.clone(), attempt, heard);
        }
    }

    fn sweep(&mut self) {
        let sweeping = std::mem::replace(&mut self.workers[SWEEP], Worker::Idle);
        let Worker::Sweeping { seen, next } = sweeping else { return };
        if self.write(&seen, Invoice::clone(&next)) {
            self.messages.insert(about(&self.kept));
        }
    }

    /// What the sweep makes of it, if its time has come.
    pub(crate) fn woken(&self) -> Option<Invoice> {
        let policy = Policy::default();
        match self.kept.woken(&policy, self.now)? {
            Woken::PutOff(next) | Woken::GaveUp(next) => Some(*next),
            Woken::Retry => {
                let State::ChargedWithError(failed) = &self.kept.state else { return None };
                self.kept.retried(failed.source.clone(), &policy, self.now).ok()
            }
        }
    }

    /// The next instant at which anything could come out differently.
    fn next_instant(&self) -> Option<Timestamp> {
        let lease = self.kept.state.live_attempt().and_then(|live| match live.phase {
            Phase::Sending { lease_until } => lease_until.checked_add(SignedDuration::from_millis(1)).ok(),
            _ => None,
        });
        lease.into_iter().chain(self.kept.state.due()).filter(|at| *at > self.now).min()
    }
}
