//! Risk: what is known about a charge before any gateway is asked, the rules that judge it, and what they came to. Rules are
//! data, changed while the system runs; what an expression means is `fatura-rules`' business, and what follows from it is
//! decided here.

mod assessment;
mod blocklists;
mod check;
mod country;
mod facts;
mod packed;
mod rules;
mod table;
mod velocity;

pub use assessment::{Assessment, Decision, Finding, Reason, Weight};
pub use blocklists::{Blocklists, EmailDomain, InvalidEmailDomain};
pub use check::RuleFault;
pub use country::{Country, InvalidCountry};
pub use facts::{Buyer, Facts, Method, Record};
pub use rules::{Effect, Expression, ExpressionError, InvalidRuleName, Rule, RuleName, RuleSet, Thresholds};
pub use table::{FACTS, Fact, FactKind, FactValue};
pub use velocity::{CardMark, Counts, Velocity};

#[cfg(test)]
mod tests;
