//! Use cases: load, ask the domain, commit what it decided. Everything outside is a port.
//!
//! Architecture invariant: this crate names the domain and nothing else of the workspace.

pub mod access;
pub mod change_set;
pub mod error;
pub mod idempotency;
pub mod ports;

pub use change_set::{Change, ChangeSet};
pub use error::{Error, Fault};
