//! Everything that Fatura is, in a hostile world that one seed decides: the real handlers, use cases and store, and around
//! them a table, queues, a stream, gateways, clients and clocks that do whatever the real ones may do on their worst day.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a world that cannot be set up has failed"
)]

mod books;
mod chance;
mod clients;
mod clock;
mod control;
mod engine;
mod functions;
mod gateway;
mod plan;
mod queue;
mod report;
mod task;
mod wire;
mod world;

pub use plan::Plan;
pub use report::Report;
pub use world::{Failure, World};
