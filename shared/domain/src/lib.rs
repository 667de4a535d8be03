//! The rules of Fatura, and nothing else: no I/O, no clock, no randomness. Instants and ids come as arguments,
//! and what may happen comes back as values.
//!
//! Architecture invariant: this crate names no other crate of the workspace.

pub mod actor;
pub mod attention;
pub mod bill;
pub mod bug;
pub mod calendar;
pub mod charge;
pub mod customer;
pub mod dispute;
pub mod dunning;
pub mod event;
pub mod exchange;
pub mod fees;
pub mod gateway;
pub mod id;
pub mod invoice;
pub mod ledger;
pub mod money;
#[cfg(test)]
mod names;
pub mod notice;
pub mod order;
pub mod refund;
pub mod risk;
pub mod routing;
pub mod run;
pub mod service;
pub mod sign_in;
pub mod stored_instant;
pub mod text;
pub mod wallet;
pub mod webhook_endpoint;

pub use jiff::{SignedDuration, Timestamp};

/// Where a decision happens in time, and the randomness it may use: the two things a pure rule has to be given.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    pub now: Timestamp,
    pub entropy: u64,
}
