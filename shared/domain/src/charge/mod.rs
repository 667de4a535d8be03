//! A charge: one intent to collect an invoice, made of attempts.

mod attempt;
mod failure;

pub use attempt::{Attempt, AttemptOutcome, LiveAttempt, Phase};
pub use failure::{Failure, FailureClass, Retry};
