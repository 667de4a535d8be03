//! The way of a charge with everything real but AWS: the handlers, the store on an engine of its own, and the sandbox
//! gateway, all in this process, under a clock that a test moves.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what went wrong by failing"
)]

mod asks;
mod billing_runs;
mod bills;
mod books;
mod circuit;
mod crashes;
mod disputes;
mod dunning;
mod events;
mod faults;
#[path = "../../gateways-outside/localstripe.rs"]
mod localstripe;
mod new_method;
mod orphans;
mod outside;
mod payments;
mod reconciliation;
mod refund_bounds;
mod refunds;
mod retries;
mod risk;
mod stories;
mod told;
mod unknown;
mod webhooks;
mod world;
