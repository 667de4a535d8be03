//! Every text in every language, as people read it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod escaping;
mod samples;
mod short;
mod snapshots;
mod whole;
