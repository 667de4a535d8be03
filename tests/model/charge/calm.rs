//! From wherever it has come to: everybody has died, every message is lost, and from now on nothing goes wrong.

use crate::steps::{Action, Fate};
use crate::world::{Left, Verdict, Worker, World, about};
use fatura_domain::invoice::Status;

/// More sweeps than any policy needs.
const MOST_SWEEPS: usize = 100;
const NOTHING_GOES_WRONG: Left = Left { ticks: 0, crashes: 0, faults: 0, declines: 0, webhooks: 0 };

impl World {
    /// Everybody is dead and nothing is queued. Orders that were on their way arrive before it goes on, or never.
    pub(crate) fn abandoned(&self, late_ones_arrive: bool) -> Self {
        let mut world = self.clone();
        world.workers = [const { Worker::Idle }; 4];
        world.messages.clear();
        world.left = NOTHING_GOES_WRONG;
        for attempt in std::mem::take(&mut world.gateway.on_the_way) {
            if late_ones_arrive {
                world.gateway.take(attempt, Verdict::Captured);
            }
        }
        world
    }

    /// Whether it comes to its end, by the sweep and one consumer alone, and books and gateway then agree.
    pub(crate) fn comes_to_its_end(&self) -> bool {
        let mut world = self.clone();
        for _ in 0..MOST_SWEEPS {
            let Some(due) = world.kept.state.due() else { break };
            world.now = world.now.max(due);
            world = world.after(Action::Look).after(Action::Sweep).worked_off();
        }
        let is_booked_once = world.booked == 1 && world.kept.orphans.is_empty();
        world.kept.status() == Status::Paid && world.gateway.captured() == 1 && is_booked_once
    }

    /// One consumer takes every message to its end.
    fn worked_off(mut self) -> Self {
        while self.messages.remove(&about(&self.kept)) {
            self = self.after(Action::Deliver(0, about(&self.kept)));
            while self.workers[0] != Worker::Idle {
                self = match &self.workers[0] {
                    Worker::Taking(_) => self.after(Action::Take(0)),
                    Worker::Calling(_) => self.after(Action::Call(0, Fate::Answered(Verdict::Captured))),
                    Worker::Asking(_) => self.after(Action::Ask(0, Some(()))),
                    _ => self.after(Action::Settle(0)),
                };
            }
        }
        self
    }
}
