//! Rules as who writes them sees them: what is refused, what is decided, and whether the page about them is true.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what went wrong by failing"
)]

mod any_text;
mod charge;
mod decisions;
mod page;
mod refusals;

use fatura_domain::risk::{Decision, Effect, Expression, Facts, Finding, Rule, RuleName, RuleSet};
use fatura_rules::{Compiled, RuleEngine};

fn rule(name: &str, expression: &str, effect: Effect) -> Rule {
    let expression = Expression::parse(expression).unwrap();
    Rule { name: RuleName::parse(name).unwrap(), expression, effect }
}

fn set(rules: Vec<Rule>) -> RuleSet {
    RuleSet { rules, ..RuleSet::default() }
}

/// One rule that declines, so that its answer can be told from the decision.
fn question(expression: &str) -> RuleSet {
    set(vec![rule("it", expression, Effect::Decide(Decision::Decline))])
}

fn compile(set: &RuleSet) -> Result<Compiled, Vec<String>> {
    let said = |faults: Vec<fatura_domain::risk::RuleFault>| {
        faults.into_iter().map(|fault| format!("{}: {}", fault.field, fault.reason)).collect()
    };
    RuleEngine::new().compile(1, set).map_err(said)
}

/// What one rule finds of a charge.
fn found(rules: &Compiled, facts: &Facts) -> Finding {
    match rules.assess(facts).decision {
        Decision::Approve => Finding::DoesNotHold,
        Decision::Review => Finding::Failed,
        Decision::Decline => Finding::Holds,
    }
}
