use serde::{Deserialize, Serialize};

/// Where an invoice stands, for clients and for lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Draft,
    Pending,
    Paid,
    ChargedWithError,
    Canceled,
    Refunded,
    InProtest,
    Chargeback,
    Uncollectible,
}

impl Status {
    pub const ALL: [Self; 9] = [
        Self::Draft,
        Self::Pending,
        Self::Paid,
        Self::ChargedWithError,
        Self::Canceled,
        Self::Refunded,
        Self::InProtest,
        Self::Chargeback,
        Self::Uncollectible,
    ];

    /// Every step that an invoice may take. What isn't here doesn't happen.
    pub const fn may_become(self) -> &'static [Self] {
        match self {
            Self::Draft => &[Self::Pending, Self::Canceled],
            Self::Pending => &[Self::Paid, Self::ChargedWithError, Self::Canceled],
            Self::ChargedWithError => &[Self::Pending, Self::Paid, Self::Canceled, Self::Uncollectible],
            Self::Uncollectible => &[Self::Pending, Self::Paid, Self::Canceled],
            Self::Paid => &[Self::Refunded, Self::InProtest],
            Self::InProtest => &[Self::Chargeback, Self::Paid],
            Self::Chargeback => &[Self::Paid],
            Self::Canceled | Self::Refunded => &[],
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::ChargedWithError => "charged_with_error",
            Self::Canceled => "canceled",
            Self::Refunded => "refunded",
            Self::InProtest => "in_protest",
            Self::Chargeback => "chargeback",
            Self::Uncollectible => "uncollectible",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}
