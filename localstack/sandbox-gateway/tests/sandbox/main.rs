//! The sandbox as its clients see it: in process, on a random port, over real HTTP.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails says where")]

mod charging;
mod clock;
mod disputes;
mod movements;
mod outside;
mod refunding;
mod shop;
mod tokens;
mod trouble;
mod webhooks;
