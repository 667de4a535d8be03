//! Dunning: what is tried again, when, and when it ends.

mod policy;

pub use policy::Policy;
