use super::rules::{Effect, RuleSet};
use std::collections::BTreeSet;

/// One thing that is wrong with a rule set, by its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFault {
    pub field: String,
    pub reason: String,
}

impl RuleFault {
    pub fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }
}

impl RuleSet {
    pub const MOST_RULES: usize = 100;
    /// Either way, of one rule. A hundred of them stay far from an `i32`'s end.
    pub const MOST_SCORE: i32 = 1_000;
    pub const MOST_BLOCKED: usize = 500;

    /// Everything that is wrong with its bounds. Its expressions are the engine's to check.
    pub fn faults(&self) -> Vec<RuleFault> {
        let mut faults = Vec::new();
        if self.rules.len() > Self::MOST_RULES {
            faults.push(RuleFault::new("rules", format!("must have at most {} entries", Self::MOST_RULES)));
        }
        let mut names = BTreeSet::new();
        for (index, rule) in self.rules.iter().enumerate() {
            if !names.insert(&rule.name) {
                faults.push(RuleFault::new(format!("rules[{index}].name"), "must not be another rule's"));
            }
            let score = match rule.effect {
                Effect::Score(score) => score,
                Effect::Decide(_) => continue,
            };
            let bounds = -Self::MOST_SCORE..=Self::MOST_SCORE;
            if score == 0 || !bounds.contains(&score) {
                let reason = format!("must be {} to {}, and not 0", -Self::MOST_SCORE, Self::MOST_SCORE);
                faults.push(RuleFault::new(format!("rules[{index}].score"), reason));
            }
        }
        faults.extend(self.thresholds_faults());
        let long = self.blocklists.lengths().into_iter().filter(|(_, length)| *length > Self::MOST_BLOCKED);
        faults.extend(long.map(|(kind, _)| {
            let reason = format!("must have at most {} entries", Self::MOST_BLOCKED);
            RuleFault::new(format!("blocklists.{kind}"), reason)
        }));
        faults
    }

    fn thresholds_faults(&self) -> Vec<RuleFault> {
        let mut faults = Vec::new();
        // A score of nothing is what a charge has that no rule knows anything about.
        if self.thresholds.review < 1 {
            faults.push(RuleFault::new("thresholds.review", "must be at least 1"));
        }
        if self.thresholds.decline < self.thresholds.review {
            faults.push(RuleFault::new("thresholds.decline", "must not be below thresholds.review"));
        }
        faults
    }
}
