use crate::access::Scope;
use crate::ports::{CommitError, ListError, StoreError};
use fatura_domain::customer::HeldError;
use fatura_domain::invoice::{ChargeError, IllegalTransition};
use fatura_domain::sign_in::Wait;
use fatura_domain::wallet::WalletRefusal;
use thiserror::Error as ThisError;

/// A cause, for the log only.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// One thing wrong with what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub field: String,
    pub reason: String,
}

impl Fault {
    pub fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }
}

/// Why a use case did nothing, by what the caller can do about it.
#[derive(Debug, ThisError)]
pub enum Error {
    #[error("not found")]
    NotFound,
    #[error("this role may not do that")]
    Forbidden,
    #[error("the scopes of this key do not include {0}")]
    OutOfScope(Scope),
    #[error("no scope gives this: it takes a key without scopes")]
    BeyondScopes,
    #[error("the request is invalid")]
    Invalid(Vec<Fault>),
    #[error("{0}")]
    Conflict(String),
    #[error("{detail}")]
    FailedPrecondition { detail: String, status: Option<&'static str> },
    /// It can't go on, and some of it is done: whoever sends it again does no harm.
    #[error("{detail}")]
    StoppedHalfway { detail: String, status: &'static str, accepted: Vec<String> },
    #[error("the customer has no payment method")]
    NoPaymentMethod,
    #[error(transparent)]
    InsufficientFunds(WalletRefusal),
    #[error("no gateway that is enabled takes this payment method in this currency")]
    NoGateway,
    #[error("the object has changed: its version is {current}")]
    VersionMismatch { current: u64 },
    #[error("the idempotency key was used for another request")]
    IdempotencyKeyReused,
    /// More is asked of one object than it can take just now.
    #[error("too many requests change the same object at once: send it again in a moment")]
    TooMany,
    /// Too many tries have failed.
    #[error("too many tries have failed: wait {} seconds", .0.seconds())]
    TooSoon(Wait),
    /// Somebody is changing the same thing just now, again and again.
    #[error("the object is being changed by other requests")]
    Busy,
    #[error("a service that this depends on is unavailable")]
    Unavailable(#[source] Cause),
    #[error("a stored record is not what it should be")]
    Internal(#[source] Cause),
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) | StoreError::Contended(_) => Self::Unavailable(Box::new(error)),
            StoreError::Corrupt(_) => Self::Internal(Box::new(error)),
        }
    }
}

/// Of a list that is read for its own sake: every place in it was given by the store, which must know it.
pub(crate) fn listed(error: ListError) -> Error {
    match error {
        ListError::Store(error) => error.into(),
        ListError::BadPosition => Error::Internal(Box::new(error)),
    }
}

impl From<CommitError> for Error {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Refused(_) => Self::Busy,
            CommitError::Store(error) => error.into(),
        }
    }
}

impl From<IllegalTransition> for Error {
    fn from(illegal: IllegalTransition) -> Self {
        Self::FailedPrecondition { detail: illegal.to_string(), status: Some(illegal.from.as_str()) }
    }
}

impl From<HeldError> for Error {
    fn from(error: HeldError) -> Self {
        Self::FailedPrecondition { detail: error.to_string(), status: None }
    }
}

impl From<ChargeError> for Error {
    fn from(error: ChargeError) -> Self {
        match error {
            ChargeError::Illegal(illegal) => illegal.into(),
            ChargeError::NoPaymentMethod => Self::NoPaymentMethod,
        }
    }
}
