//! What becomes of each call outside.

use super::World;
use crate::control::{Call, Verdict, Whom};
use crate::engine::is_write;
use crate::task::Fate;

impl World {
    /// In a thousand of an invocation's calls. Trouble comes in heaps.
    pub(super) fn calm(&self) -> u64 {
        if self.is_quiet {
            0
        } else if self.chance.happens(100) {
            self.plan.faults * 10
        } else {
            self.plan.faults
        }
    }

    /// Whether it stands still from now on.
    pub(super) fn falls_asleep(&mut self, place: usize) -> bool {
        let now = self.clock.ms();
        let Some(task) = self.tasks.get_mut(place) else { return false };
        let Fate::Sleeps { at, ms } = task.fate else { return false };
        if task.calls + 1 != at {
            return false;
        }
        task.fate = Fate::Lives;
        task.asleep_until_ms = now + ms;
        let (id, operation) = (task.id, task.about.operation());
        self.report.fault("stands still past its lease");
        self.trace.note(&self.clock, &format!("#{id} {operation} stands still for {ms} ms"));
        true
    }

    pub(super) fn verdict(&mut self, place: usize, call: Call) -> Verdict {
        let Some(task) = self.tasks.get_mut(place) else { return Verdict::Done };
        task.calls += 1;
        let (id, operation, nth) = (task.id, task.about.operation(), task.calls);
        // A call to a gateway is rarer than others, and dearer.
        let faults = if call.to == Whom::Gateway { 4 * task.faults } else { task.faults };
        let is_meant = self.plan.crash.is_some_and(|crash| crash.operation == operation && crash.nth == nth);
        if !self.is_quiet {
            self.report.call(operation, nth, self.plan.seed);
        }
        let verdict = match task.fate {
            _ if is_meant && !self.is_quiet => self.crash_once(operation, nth),
            Fate::Dies { at, after } if at == nth => {
                self.report.crash(operation, nth, after);
                if after { Verdict::DiesAfter } else { Verdict::DiesBefore }
            }
            _ if self.chance.happens(faults) => self.trouble(call),
            _ => Verdict::Done,
        };
        if verdict != Verdict::Done {
            self.report.fault(fault_name(verdict));
        }
        self.trace.note(&self.clock, &format!("#{id} {operation} {nth}: {call} {verdict:?}"));
        verdict
    }

    fn crash_once(&mut self, operation: &'static str, nth: u32) -> Verdict {
        let Some(crash) = self.plan.crash.take() else { return Verdict::Done };
        self.report.crash(operation, nth, crash.after);
        if crash.after { Verdict::DiesAfter } else { Verdict::DiesBefore }
    }

    fn trouble(&self, call: Call) -> Verdict {
        match call.to {
            Whom::Table if is_write(call.what) => self.chance.weighed(&[
                (4, Verdict::Unheard),
                (2, Verdict::Conflict),
                (2, Verdict::Throttled),
                (1, Verdict::ServerError),
                (1, Verdict::Refused),
            ]),
            Whom::Table => self.chance.weighed(&[
                (1, Verdict::Throttled),
                (1, Verdict::ServerError),
                (1, Verdict::Refused),
            ]),
            Whom::Gateway => self.chance.weighed(&[
                (4, Verdict::Unheard),
                (2, Verdict::Late),
                (2, Verdict::Lost),
                (2, Verdict::Refused),
                (1, Verdict::ServerError),
            ]),
            Whom::Rates => self.chance.weighed(&[(2, Verdict::Lost), (1, Verdict::Refused)]),
            Whom::Queue => self.chance.weighed(&[(1, Verdict::Unheard), (1, Verdict::Lost)]),
            Whom::Bus => {
                self.chance.weighed(&[(1, Verdict::Unheard), (1, Verdict::Lost), (1, Verdict::Late)])
            }
            Whom::Receiver => {
                self.chance.weighed(&[(2, Verdict::Unheard), (1, Verdict::Lost), (1, Verdict::Refused)])
            }
            Whom::Rest => Verdict::Done,
        }
    }
}

const fn fault_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Done => "none",
        Verdict::Unheard => "done, answer lost",
        Verdict::Lost => "lost on the way",
        Verdict::Late => "done later, answer lost",
        Verdict::Refused => "refused",
        Verdict::Throttled => "throttled",
        Verdict::Conflict => "transaction conflict",
        Verdict::ServerError => "5xx",
        Verdict::DiesBefore => "dies before a call has its effect",
        Verdict::DiesAfter => "dies after a call had its effect",
    }
}
