//! Dunning: what is tried again, when, and when it ends.

mod policy;
mod rules;

pub use policy::Policy;
pub use rules::{Caps, ClassRule, Minutes, NetworkRule, NotSentRule, RuleFault, Rules};
