use super::rules::{Effect, Rule, RuleName, RuleSet};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What becomes of a charge, the milder first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    Approve,
    /// Held until an operator approves or rejects it.
    Review,
    Decline,
}

impl Decision {
    pub const ALL: [Self; 3] = [Self::Approve, Self::Review, Self::Decline];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Review => "review",
            Self::Decline => "decline",
        }
    }
}

/// What the rules of one edition said about a charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    #[serde(rename = "d")]
    pub decision: Decision,
    #[serde(rename = "s", default)]
    pub score: i32,
    /// In the order of the rules.
    #[serde(rename = "r", default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    #[serde(rename = "e", default)]
    pub edition: u64,
}

/// A rule that had something to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    #[serde(rename = "n")]
    pub rule: RuleName,
    #[serde(rename = "w")]
    pub weight: Weight,
}

/// What a rule weighed in an assessment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Weight {
    #[serde(rename = "s")]
    Added(i32),
    #[serde(rename = "d")]
    Decided(Decision),
    /// It could not be asked about this charge.
    #[serde(rename = "f")]
    Failed,
}

/// What asking a rule's question came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    Holds,
    DoesNotHold,
    Failed,
}

/// `new_card +30`, `blocked:decline`, `rule_failed:new_card`.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.weight {
            Weight::Added(score) => write!(f, "{} {score:+}", self.rule),
            Weight::Decided(decision) => write!(f, "{}:{}", self.rule, decision.as_str()),
            Weight::Failed => write!(f, "rule_failed:{}", self.rule),
        }
    }
}

impl RuleSet {
    /// What follows from what each rule was found to say. A decision beats the score, the stricter of two the milder; and
    /// whatever the others say, a charge that some rule could not be asked about is not approved.
    pub fn conclude<'a>(
        &self,
        edition: u64,
        findings: impl IntoIterator<Item = (&'a Rule, Finding)>,
    ) -> Assessment {
        let reasons: Vec<Reason> =
            findings.into_iter().filter_map(|(rule, found)| reason(rule, found)).collect();
        let added = reasons.iter().map(|reason| match reason.weight {
            Weight::Added(score) => score,
            Weight::Decided(_) | Weight::Failed => 0,
        });
        let score = added.fold(0_i32, i32::saturating_add);
        let decided = reasons.iter().filter_map(|reason| match reason.weight {
            Weight::Decided(decision) => Some(decision),
            Weight::Added(_) | Weight::Failed => None,
        });
        let decision = decided.max().unwrap_or_else(|| self.thresholds.judge(score));
        let failed = reasons.iter().any(|reason| reason.weight == Weight::Failed);
        let decision = if failed { decision.max(Decision::Review) } else { decision };
        Assessment { decision, score, reasons, edition }
    }
}

impl Assessment {
    /// Of a charge that could not be judged, because what it is judged by can't be read: that errs towards review.
    pub fn unreadable(edition: u64) -> Self {
        let reason = Reason { rule: RuleName::all_of_them(), weight: Weight::Failed };
        Self { decision: Decision::Review, score: 0, reasons: vec![reason], edition }
    }
}

fn reason(rule: &Rule, found: Finding) -> Option<Reason> {
    let weight = match (found, rule.effect) {
        (Finding::DoesNotHold, _) => return None,
        (Finding::Failed, _) => Weight::Failed,
        (Finding::Holds, Effect::Score(score)) => Weight::Added(score),
        (Finding::Holds, Effect::Decide(decision)) => Weight::Decided(decision),
    };
    Some(Reason { rule: rule.name.clone(), weight })
}
