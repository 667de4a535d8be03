use crate::engine::Compiled;
use fatura_domain::risk::{Assessment, Decision, Facts};

/// A charge that somebody wants to see judged before the rules are in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    pub facts: Facts,
    /// None: they only want to see.
    pub expected: Option<Decision>,
}

/// What became of an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub assessment: Assessment,
    pub expected: Option<Decision>,
}

impl Outcome {
    pub fn is_as_expected(&self) -> bool {
        self.expected.is_none_or(|expected| expected == self.assessment.decision)
    }
}

/// Judges examples, in their order.
pub fn dry_run(rules: &Compiled, examples: &[Example]) -> Vec<Outcome> {
    let outcome =
        |example: &Example| Outcome { assessment: rules.assess(&example.facts), expected: example.expected };
    examples.iter().map(outcome).collect()
}
