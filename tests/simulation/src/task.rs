//! One invocation of a function, from its first call outside to its end.

use crate::clients::{Asked, Kind};
use crate::control::TaskId;
use crate::gateway::Delivery;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// What an invocation says at its end.
#[derive(Debug)]
pub(crate) enum Finished {
    Answered {
        status: u16,
        body: String,
    },
    /// The letters that come again.
    Batch(Vec<String>),
    Swept,
    /// The place of the first record that comes again.
    Relayed(Option<usize>),
    Failed,
}

/// What an invocation is about, and what its end means to the world.
#[derive(Debug)]
pub(crate) enum About {
    Request(Asked),
    Charges(Vec<u64>, Collected),
    Webhooks(Vec<u64>, Collected),
    Notices(Vec<u64>),
    Intake {
        gateway: usize,
        delivery: Delivery,
    },
    Sweep,
    /// What the schedule asks for once in a month.
    Month,
    Relay {
        from: usize,
        count: usize,
    },
}

impl About {
    pub(crate) const fn operation(&self) -> &'static str {
        match self {
            Self::Request(asked) => asked.kind.name(),
            Self::Charges(_, of) | Self::Webhooks(_, of) => of.0,
            Self::Notices(_) => "notifier",
            Self::Intake { .. } => "webhook-intake",
            Self::Sweep => "retry-sweep",
            Self::Month => "monthly-billing",
            Self::Relay { .. } => "event-relay",
        }
    }
}

/// Whoever collects messages is called by what they are about, if they are all about the same: each is an operation of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Collected(&'static str);

const CHARGES: &str = "charge-consumer";
const WEBHOOKS: &str = "webhook-consumer";
/// By what is in such a message.
const ABOUT_CHARGES: [(&str, &str); 6] = [
    ("\"invoice_id\"", "charge-consumer/charge"),
    ("\"refund_id\"", "charge-consumer/refund"),
    ("\"dispute_id\"", "charge-consumer/dispute"),
    ("\"run_id\"", "charge-consumer/run"),
    ("\"detached_id\"", "charge-consumer/card"),
    ("\"bill_id\"", "charge-consumer/bill"),
];
const ABOUT_WEBHOOKS: [(&str, &str); 3] = [
    ("evt_charge_", "webhook-consumer/charge"),
    ("evt_refund_", "webhook-consumer/refund"),
    ("evt_dispute_", "webhook-consumer/dispute"),
];

impl Collected {
    pub(crate) fn charges(messages: &[String]) -> Self {
        Self(only(messages, &ABOUT_CHARGES).unwrap_or(CHARGES))
    }

    pub(crate) fn webhooks(messages: &[String]) -> Self {
        Self(only(messages, &ABOUT_WEBHOOKS).unwrap_or(WEBHOOKS))
    }
}

fn only(messages: &[String], names: &[(&str, &'static str)]) -> Option<&'static str> {
    let of = |message: &String| names.iter().find(|(mark, _)| message.contains(mark)).map(|(_, name)| *name);
    let first = messages.first().and_then(of);
    first.filter(|_| messages.iter().all(|message| of(message) == first))
}

/// What runs without being asked by a client.
const FUNCTIONS: [&str; 7] =
    [CHARGES, WEBHOOKS, "notifier", "webhook-intake", "retry-sweep", "monthly-billing", "event-relay"];

/// All that there is to be killed.
pub(crate) fn operations() -> impl Iterator<Item = &'static str> {
    let collected = ABOUT_CHARGES.into_iter().chain(ABOUT_WEBHOOKS).map(|(_, name)| name);
    Kind::ALL.into_iter().map(Kind::name).chain(FUNCTIONS).chain(collected)
}

/// What befalls an invocation, decided when it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Lives,
    /// At its k-th call; before that has its effect, or after.
    Dies {
        at: u32,
        after: bool,
    },
    /// At its k-th call it stands still for so long, and goes on as if nothing had happened.
    Sleeps {
        at: u32,
        ms: i64,
    },
}

pub(crate) type Running = Pin<Box<dyn Future<Output = Finished>>>;

pub(crate) struct Task {
    pub(crate) id: TaskId,
    pub(crate) about: About,
    pub(crate) environment: usize,
    pub(crate) fate: Fate,
    /// In a thousand calls.
    pub(crate) faults: u64,
    pub(crate) calls: u32,
    /// Whether any of its calls went wrong.
    pub(crate) is_disturbed: bool,
    /// How often it is its turn, compared with others.
    pub(crate) pace: u64,
    pub(crate) asleep_until_ms: i64,
    pub(crate) running: Running,
    woken: Arc<Woken>,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Task {
    pub(crate) fn new(
        id: TaskId,
        about: About,
        environment: usize,
        fate: Fate,
        faults: u64,
        running: Running,
    ) -> Self {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        Self {
            id,
            about,
            environment,
            fate,
            faults,
            calls: 0,
            is_disturbed: false,
            pace: 1,
            asleep_until_ms: 0,
            running,
            woken,
        }
    }

    /// Runs until it waits for a verdict, or ends.
    pub(crate) fn run(&mut self) -> Poll<Finished> {
        while self.woken.0.swap(false, Ordering::Relaxed) {
            let waker = Waker::from(self.woken.clone());
            if let Poll::Ready(finished) = self.running.as_mut().poll(&mut Context::from_waker(&waker)) {
                return Poll::Ready(finished);
            }
        }
        Poll::Pending
    }
}
