//! For tests only: the in-process engine, doubles that keep what they were given, time and chance that a test decides.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot be set up has failed")]

mod clock;
mod engine;
mod faults;
mod queues;
mod size;

pub use clock::{SeededEntropy, VirtualClock};
pub use engine::TestTable;
pub use faults::{Fault, Faults};
pub use queues::RecordingQueue;
