//! What the store promises to the use cases, each promise on a table of its own.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "that is how a test fails")]

mod access;
mod bills;
mod by_kind;
mod claim;
mod commit;
mod cost;
mod faults;
mod ledger;
mod lists;
mod notices;
mod operations;
mod orders;
mod outgoing;
mod patience;
mod rates;
mod records;
mod risk;
mod round_trip;
mod services;
mod world;
