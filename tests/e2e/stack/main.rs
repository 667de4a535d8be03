//! A client's stories, told to the deployed `template.yaml` over HTTP, with the sandbox gateway's own journal as the
//! truth about what was charged.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what went wrong by failing"
)]

mod auth;
mod aws;
mod bad_input;
mod bills;
mod charging;
mod client;
mod crash;
mod days;
mod disputes;
mod duplicates;
mod events;
mod failures;
mod gateways;
mod notices;
mod notifying;
mod payments;
mod readme;
mod refunds;
mod risk;
mod runs;
mod services;
mod wallet;
mod webhooks;
