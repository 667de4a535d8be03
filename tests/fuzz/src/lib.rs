//! Fuzzing: inputs that nobody thought of, for whatever reads what others send. A target is one such reader; what it tries must
//! never panic, never be our fault (a 500), and never cost more memory than it is allowed, whatever the input.
//!
//! Inputs are made of a corpus, `corpus/<target>`, by changing it where it hurts. Built by `make fuzz`, each branch of our crates
//! is counted, and what reaches something new is changed further. `make unit` tries the corpus and a fixed number of changes,
//! without counters: the same in each run. What is found lies in `found/`; once mended, it belongs into the corpus.
//!
//! An engine of our own, because those that are kept for Rust (libFuzzer, AFL, honggfuzz) bring a C++ compiler or a process an
//! input with them, and all but the counters of `cargo fuzz` need a nightly compiler; the counters don't.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fuzzes fails by panicking, as a test does"
)]

mod corpus;
mod coverage;
mod engine;
mod memory;
mod mutate;
mod panics;
mod request;
mod targets;
mod world;

pub use engine::{Found, Fuzzer, Tally};
pub use targets::{TARGETS, Target};
