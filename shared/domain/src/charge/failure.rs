use serde::{Deserialize, Serialize};

/// Why money didn't come, by what can be done about it. Each gateway maps its own codes onto these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    NotSent,
    Unknown,
    InsufficientFunds,
    DoNotHonor,
    Generic,
    IssuerUnavailable,
    /// Lost, stolen, closed, invalid or expired: this card will never pay.
    Hard,
    AuthenticationRequired,
    SuspectedFraud,
    CurrencyMismatch,
    Configuration,
    CustomerNotFound,
    PixExpired,
    Duplicate,
    /// The gateway took another amount than it was asked for.
    AmountMismatch,
    /// Our own rules, or a person whom they asked: no gateway has seen it.
    RiskDeclined,
}

/// What a failure leaves open to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    Never,
    Later,
    OtherGateway,
    NewMethod,
}

impl FailureClass {
    pub const ALL: [Self; 16] = [
        Self::NotSent,
        Self::Unknown,
        Self::InsufficientFunds,
        Self::DoNotHonor,
        Self::Generic,
        Self::IssuerUnavailable,
        Self::Hard,
        Self::AuthenticationRequired,
        Self::SuspectedFraud,
        Self::CurrencyMismatch,
        Self::Configuration,
        Self::CustomerNotFound,
        Self::PixExpired,
        Self::Duplicate,
        Self::AmountMismatch,
        Self::RiskDeclined,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotSent => "not_sent",
            Self::Unknown => "unknown",
            Self::InsufficientFunds => "insufficient_funds",
            Self::DoNotHonor => "do_not_honor",
            Self::Generic => "generic",
            Self::IssuerUnavailable => "issuer_unavailable",
            Self::Hard => "hard",
            Self::AuthenticationRequired => "authentication_required",
            Self::SuspectedFraud => "suspected_fraud",
            Self::CurrencyMismatch => "currency_mismatch",
            Self::Configuration => "configuration",
            Self::CustomerNotFound => "customer_not_found",
            Self::PixExpired => "pix_expired",
            Self::Duplicate => "duplicate",
            Self::AmountMismatch => "amount_mismatch",
            Self::RiskDeclined => "risk_declined",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == text)
    }

    /// Whether what follows it is a rule that can be changed. The order that wasn't sent and the outcome that isn't known
    /// have schedules of their own, and another amount is for a person.
    pub const fn has_rule(self) -> bool {
        !matches!(self, Self::NotSent | Self::Unknown | Self::AmountMismatch)
    }

    /// Whether this card must not be sent again: the networks fine whoever does.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Hard | Self::SuspectedFraud)
    }

    /// Whether no retry of ours can help, but a person who looks at our set-up.
    pub const fn needs_operator(self) -> bool {
        matches!(self, Self::CurrencyMismatch | Self::Configuration | Self::CustomerNotFound)
    }

    pub const fn retry(self) -> Retry {
        match self {
            Self::NotSent
            | Self::InsufficientFunds
            | Self::IssuerUnavailable
            | Self::CustomerNotFound
            | Self::PixExpired => Retry::Later,
            Self::DoNotHonor | Self::Generic => Retry::OtherGateway,
            Self::Hard => Retry::NewMethod,
            Self::Unknown
            | Self::AuthenticationRequired
            | Self::SuspectedFraud
            | Self::CurrencyMismatch
            | Self::Configuration
            | Self::Duplicate
            | Self::AmountMismatch
            | Self::RiskDeclined => Retry::Never,
        }
    }

    /// Whether the cardholder's bank said no: what the card networks count against us.
    pub const fn is_decline(self) -> bool {
        !matches!(
            self,
            Self::NotSent
                | Self::Unknown
                | Self::Configuration
                | Self::CustomerNotFound
                | Self::CurrencyMismatch
                | Self::PixExpired
                | Self::Duplicate
                | Self::AmountMismatch
                | Self::RiskDeclined
        )
    }
}

/// A failure as told: our class and stable code, and the gateway's own words for whoever asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    #[serde(rename = "c")]
    pub class: FailureClass,
    #[serde(rename = "k")]
    pub code: String,
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub raw_code: Option<String>,
    #[serde(rename = "m")]
    pub message: String,
}

impl Failure {
    /// What a gateway says is kept, but not without bound.
    const MAX_MESSAGE: usize = 300;

    pub fn new(class: FailureClass, code: &str, message: &str) -> Self {
        let message = message.chars().filter(|c| !c.is_control()).take(Self::MAX_MESSAGE).collect();
        Self { class, code: code.to_owned(), raw_code: None, message }
    }

    /// Whether the gateway did answer, and told of something else than was asked about: asking again changes nothing.
    pub fn is_contradiction(&self) -> bool {
        matches!(self.code.as_str(), "reference_mismatch" | "amount_mismatch" | "contradictory_answer")
    }

    #[must_use]
    pub fn with_raw_code(mut self, raw_code: &str) -> Self {
        self.raw_code = Some(raw_code.chars().take(100).collect());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contradiction_is_told_by_its_code() {
        let told = |code| Failure::new(FailureClass::Unknown, code, "message").is_contradiction();
        assert!(["reference_mismatch", "amount_mismatch", "contradictory_answer"].into_iter().all(told));
        assert!(!["unreachable", "timed_out", ""].into_iter().any(told));
    }

    #[test]
    fn a_message_is_one_bounded_line() {
        let failure = Failure::new(FailureClass::Generic, "c", &format!("a\nb{}", "é".repeat(400)));
        assert_eq!(failure.message, format!("ab{}", "é".repeat(298)));
        let raw = failure.with_raw_code(&"r".repeat(101)).raw_code;
        assert_eq!(raw.map(|code| code.len()), Some(100));
    }
}
