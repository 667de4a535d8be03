use super::assessment::Decision;
use super::blocklists::Blocklists;
use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

/// What a business knows about risk, changed as one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleSet {
    #[serde(rename = "r", default)]
    pub rules: Vec<Rule>,
    #[serde(rename = "t", default)]
    pub thresholds: Thresholds,
    #[serde(rename = "b", default)]
    pub blocklists: Blocklists,
}

/// One question about a charge, and what it means if the answer is yes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    #[serde(rename = "n")]
    pub name: RuleName,
    #[serde(rename = "x")]
    pub expression: Expression,
    #[serde(rename = "e")]
    pub effect: Effect,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// Adds to the score; less than nothing speaks for the charge.
    #[serde(rename = "s")]
    Score(i32),
    /// Decides, whatever the score.
    #[serde(rename = "d")]
    Decide(Decision),
}

/// From which score on a charge is held for a person, and from which it is declined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thresholds {
    #[serde(rename = "r")]
    pub review: i32,
    #[serde(rename = "d")]
    pub decline: i32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { review: 50, decline: 100 }
    }
}

impl Thresholds {
    pub const fn judge(self, score: i32) -> Decision {
        if score >= self.decline {
            Decision::Decline
        } else if score >= self.review {
            Decision::Review
        } else {
            Decision::Approve
        }
    }
}

/// What a rule is called in reasons: lower-case letters, digits and underscores.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RuleName(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be 1 to 40 lower-case letters, digits and underscores, beginning with a letter")]
pub struct InvalidRuleName;

impl RuleName {
    pub fn parse(text: &str) -> Result<Self, InvalidRuleName> {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let begins = text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
        if begins && text.len() <= 40 && text.bytes().all(is_plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidRuleName)
        }
    }

    /// Stands for the whole set where none of it can be asked.
    pub(super) fn all_of_them() -> Self {
        Self("rules".to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RuleName {
    type Error = InvalidRuleName;

    fn try_from(text: String) -> Result<Self, InvalidRuleName> {
        Self::parse(&text)
    }
}

impl From<RuleName> for String {
    fn from(name: RuleName) -> Self {
        name.0
    }
}

impl fmt::Display for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text of a rule's question, bounded. Whether it means anything, only the engine can tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Expression(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ExpressionError {
    #[error("must not be empty")]
    Empty,
    #[error("must have at most {} characters", Expression::MAX)]
    TooLong,
}

impl Expression {
    pub const MAX: usize = 1_000;

    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        if text.trim().is_empty() {
            Err(ExpressionError::Empty)
        } else if text.chars().count() > Self::MAX {
            Err(ExpressionError::TooLong)
        } else {
            Ok(Self(text.to_owned()))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Expression {
    type Error = ExpressionError;

    fn try_from(text: String) -> Result<Self, ExpressionError> {
        Self::parse(&text)
    }
}

impl From<Expression> for String {
    fn from(expression: Expression) -> Self {
        expression.0
    }
}
