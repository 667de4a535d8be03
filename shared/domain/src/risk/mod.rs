//! Risk: what is known about a charge before any gateway is asked, the rules that judge it, and what they came to. Rules are
//! data, changed while the system runs; what an expression means is `fatura-rules`' business, and what follows from it is
//! decided here.

mod assessment;
mod blocklists;
mod check;
mod country;
mod facts;
mod judgement;
mod needs;
mod rules;
mod table;
mod velocity;

pub use assessment::{Assessment, Decision, Finding, Reason, Weight};
pub use blocklists::{Blocklists, EmailDomain, InvalidEmailDomain};
pub use check::RuleFault;
pub use country::{Country, InvalidCountry};
pub use facts::{Buyer, Facts, Method, Person, Record};
pub use judgement::{Judgement, Review, Verdict};
pub use needs::Needs;
pub use rules::{Effect, Expression, ExpressionError, InvalidRuleName, Rule, RuleName, RuleSet, Thresholds};
pub use table::{FACTS, Fact, FactKind, FactValue};
pub use velocity::{CardMark, Counts, Hour, Try, Velocity};

#[cfg(test)]
mod tests;
