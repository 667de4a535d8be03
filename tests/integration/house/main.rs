//! The rules of the house that a compiler doesn't know.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test says what went wrong by failing")]

mod crates;
mod sources;
