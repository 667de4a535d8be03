//! Everything that Fatura is, in a hostile world that one seed decides: the real handlers, use cases and store, and around
//! them a table, queues, a stream, gateways, clients and clocks that do whatever the real ones may do on their worst day.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a world that cannot be set up has failed"
)]

mod books;
mod bus;
mod chance;
mod clients;
mod clock;
mod control;
mod crashes;
mod engine;
mod functions;
mod gateway;
#[cfg(feature = "deliberate-bugs")]
mod hunt;
mod plan;
mod queue;
mod rates;
mod receivers;
mod report;
mod runner;
mod table;
mod task;
mod wire;
mod world;

pub use crashes::{close, crashes};
#[cfg(feature = "deliberate-bugs")]
pub use hunt::hunt;
pub use plan::{Crash, Plan};
pub use report::Report;
pub use runner::{Progress, Run, run, shrink};
pub use world::{Failure, World};
