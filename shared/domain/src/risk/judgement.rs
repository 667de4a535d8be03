use super::assessment::{Assessment, Decision};
use crate::actor::Actor;
use crate::{Timestamp, stored_instant};
use serde::{Deserialize, Serialize};

/// What an attempt was judged to be before it was sent: by the rules, and by a person where they asked for one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    #[serde(rename = "a")]
    pub assessment: Assessment,
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
}

/// What a person decided about a charge that was held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    #[serde(rename = "v")]
    pub verdict: Verdict,
    #[serde(rename = "b")]
    pub by: Actor,
    #[serde(rename = "t", with = "stored_instant")]
    pub at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Approve,
    Reject,
}

impl Verdict {
    pub const ALL: [Self; 2] = [Self::Approve, Self::Reject];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
        }
    }
}

impl Judgement {
    /// Whether the order may go out: the rules say so, or a person.
    pub fn allows(&self) -> bool {
        match &self.review {
            Some(review) => review.verdict == Verdict::Approve,
            None => self.assessment.decision == Decision::Approve,
        }
    }
}

impl From<Assessment> for Judgement {
    fn from(assessment: Assessment) -> Self {
        Self { assessment, review: None }
    }
}
