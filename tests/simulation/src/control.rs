//! Where everything that a function does outside of itself waits for the world's word: whether it happens, whether its
//! caller hears of it, and whether its caller lives to hear anything.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

pub(crate) type TaskId = u64;

/// Who is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Whom {
    Table,
    Gateway,
    Queue,
    Bus,
    Rates,
    /// Whoever is told: a server, a mailbox.
    Receiver,
    /// Nobody: a pause between two tries.
    Rest,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Call {
    pub(crate) to: Whom,
    pub(crate) what: &'static str,
    /// Tells it from another of its kind; nothing where that isn't known.
    pub(crate) about: u64,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)?;
        if self.about == 0 { Ok(()) } else { write!(f, "({:x})", self.about) }
    }
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    Done,
    /// It has its effect, and the answer is lost.
    Unheard,
    /// It comes to nothing, and nobody says so.
    Lost,
    /// It has its effect later, when its caller has stopped listening.
    Late,
    /// Surely not done.
    Refused,
    Throttled,
    Conflict,
    ServerError,
    /// Not done, and its caller is no more.
    DiesBefore,
    /// Done, and its caller is no more.
    DiesAfter,
}

#[derive(Debug)]
struct Waiting {
    task: TaskId,
    call: Call,
    waker: Waker,
}

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    current: TaskId,
    waiting: BTreeMap<u64, Waiting>,
    verdicts: BTreeMap<u64, Verdict>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Control(Arc<Mutex<Inner>>);

impl Control {
    /// What is polled from now on is this task's.
    pub(crate) fn runs(&self, task: TaskId) {
        self.0.lock().unwrap().current = task;
    }

    /// The task's oldest call that waits for a verdict.
    pub(crate) fn next_of(&self, task: TaskId) -> Option<(u64, Call)> {
        let inner = self.0.lock().unwrap();
        inner.waiting.iter().find(|(_, waiting)| waiting.task == task).map(|(id, found)| (*id, found.call))
    }

    pub(crate) fn decide(&self, gate: u64, verdict: Verdict) {
        let mut inner = self.0.lock().unwrap();
        let Some(waiting) = inner.waiting.remove(&gate) else { panic!("nobody waits at {gate}") };
        inner.verdicts.insert(gate, verdict);
        drop(inner);
        waiting.waker.wake();
    }

    pub(crate) fn call(&self, to: Whom, what: &'static str) -> Gate {
        self.call_about(to, what, 0)
    }

    pub(crate) fn call_about(&self, to: Whom, what: &'static str, about: u64) -> Gate {
        Gate { control: self.clone(), call: Call { to, what, about }, id: None }
    }
}

/// A call that waits for its verdict.
pub(crate) struct Gate {
    control: Control,
    call: Call,
    id: Option<u64>,
}

impl Future for Gate {
    type Output = Verdict;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Verdict> {
        let control = self.control.clone();
        let mut inner = control.0.lock().unwrap();
        let id = *self.id.get_or_insert_with(|| {
            inner.next += 1;
            inner.next
        });
        if let Some(verdict) = inner.verdicts.remove(&id) {
            return Poll::Ready(verdict);
        }
        let (task, call, waker) = (inner.current, self.call, context.waker().clone());
        inner.waiting.insert(id, Waiting { task, call, waker });
        Poll::Pending
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            let mut inner = self.control.0.lock().unwrap();
            inner.waiting.remove(&id);
            inner.verdicts.remove(&id);
        }
    }
}
