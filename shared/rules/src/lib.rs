//! What the expressions of risk rules mean: the Common Expression Language, as much of it as a rule needs. An expression is
//! read, its types are checked, and it is tried on sample charges when it is put, so that what can be told to be wrong is
//! told then. Asked about a charge, it answers yes, no, or that it failed; what follows from that the domain decides.
//!
//! A crate of its own, because what it depends on nobody else does: whoever doesn't judge charges doesn't link a language.

mod engine;
mod mentions;
mod parse;
mod presence;
mod samples;
mod types;
mod variables;
mod words;

pub use engine::{Compiled, RuleEngine};
