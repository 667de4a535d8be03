use fatura_domain::charge::{Failure, FailureClass};
use fatura_domain::gateway::{ChargeOutcome, DisputeOutcome, RefundOutcome};

/// Why there is no answer to go by. What it means depends on whether money was ordered or a question asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Known not to have reached the gateway.
    NotSent(Reason),
    /// It may have reached the gateway, and nobody can tell what it did.
    Unknown(Reason),
    /// Our own set-up is wrong, or the gateway says so: nothing happens until a person mends it.
    Configuration(Reason),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    code: &'static str,
    message: String,
    raw_code: Option<String>,
}

impl Trouble {
    pub(crate) fn not_sent(code: &'static str, message: impl Into<String>) -> Self {
        Self::NotSent(Reason { code, message: message.into(), raw_code: None })
    }

    pub(crate) fn unknown(code: &'static str, message: impl Into<String>) -> Self {
        Self::Unknown(Reason { code, message: message.into(), raw_code: None })
    }

    pub(crate) fn configuration(code: &'static str, message: impl Into<String>) -> Self {
        Self::Configuration(Reason { code, message: message.into(), raw_code: None })
    }

    /// The gateway read the order and refused it as it stands. Sending it again would change nothing.
    pub(crate) fn refused(code: &'static str, message: impl Into<String>, raw_code: Option<String>) -> Self {
        Self::Configuration(Reason { code, message: message.into(), raw_code })
    }

    /// What became of an order to charge.
    pub(crate) fn of_order(self) -> ChargeOutcome {
        match self {
            Self::NotSent(reason) => {
                ChargeOutcome::NotSent { failure: reason.into_failure(FailureClass::NotSent) }
            }
            Self::Unknown(reason) => {
                ChargeOutcome::Unknown { failure: reason.into_failure(FailureClass::Unknown) }
            }
            Self::Configuration(reason) => ChargeOutcome::Declined {
                reference: None,
                failure: reason.into_failure(FailureClass::Configuration),
            },
        }
    }

    /// What became of an order to give money back, or of a question about it. Whatever the reason, the same order may go
    /// out again under the same key.
    pub(crate) fn of_refund(self) -> RefundOutcome {
        let (Self::NotSent(reason) | Self::Unknown(reason) | Self::Configuration(reason)) = self;
        RefundOutcome::Unclear { failure: reason.into_failure(FailureClass::Unknown) }
    }

    /// What a question brought: nothing, whatever the reason. That *this* call was not sent says nothing about a charge
    /// that was ordered before.
    pub(crate) fn of_question(self) -> ChargeOutcome {
        let (Self::NotSent(reason) | Self::Unknown(reason) | Self::Configuration(reason)) = self;
        ChargeOutcome::Unknown { failure: reason.into_failure(FailureClass::Unknown) }
    }

    /// What the question for a dispute brought: the same nothing.
    pub(crate) fn of_dispute(self) -> DisputeOutcome {
        let (Self::NotSent(reason) | Self::Unknown(reason) | Self::Configuration(reason)) = self;
        DisputeOutcome::Unclear { failure: reason.into_failure(FailureClass::Unknown) }
    }

    /// For questions about no charge in particular, where the class can be the reason itself.
    pub(crate) fn into_failure(self) -> Failure {
        match self {
            Self::NotSent(reason) => reason.into_failure(FailureClass::NotSent),
            Self::Unknown(reason) => reason.into_failure(FailureClass::Unknown),
            Self::Configuration(reason) => reason.into_failure(FailureClass::Configuration),
        }
    }
}

impl Reason {
    fn into_failure(self, class: FailureClass) -> Failure {
        let failure = Failure::new(class, self.code, &self.message);
        match self.raw_code {
            Some(raw_code) => failure.with_raw_code(&raw_code),
            None => failure,
        }
    }
}
