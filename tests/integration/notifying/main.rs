//! The notifier as its queue wakes it: what happened reaches those who want to know it, whatever goes wrong on the way.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up has failed"
)]

mod deaths;
mod endpoints;
mod notices;
mod post;
mod receiver;
mod samples;
mod webhooks;
mod world;
