//! How customers are reached, what they want to be told, and what they were.

use super::StoreError;
use async_trait::async_trait;
use fatura_domain::id::CustomerId;
use fatura_domain::notice::{Channel, Phone, Preferences, PushTarget, Telling};
use fatura_domain::text::Email;
use thiserror::Error;

/// One mail in its two forms.
#[derive(Debug, Clone, Copy)]
pub struct Mail<'a> {
    pub to: &'a Email,
    pub subject: &'a str,
    pub text: &'a str,
    pub html: &'a str,
}

/// Why somebody was not told, by what may be done about it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TellError {
    /// Nobody will ever be reached there.
    #[error("the address takes nothing: {0}")]
    Refused(String),
    /// It surely did not go out.
    #[error("not sent: {0}")]
    NotSent(String),
    /// It may have.
    #[error("nobody knows whether it was sent: {0}")]
    Unknown(String),
}

#[async_trait]
pub trait Mailer: Send + Sync {
    async fn mail(&self, mail: Mail<'_>) -> Result<(), TellError>;
}

#[async_trait]
pub trait Texter: Send + Sync {
    async fn sms(&self, to: &Phone, text: &str) -> Result<(), TellError>;
    async fn push(&self, to: &PushTarget, text: &str) -> Result<(), TellError>;
}

#[async_trait]
pub trait Notices: Send + Sync {
    /// What the customer has said, or nobody has.
    async fn preferences(&self, customer: CustomerId) -> Result<Preferences, StoreError>;

    async fn telling(&self, event: &str, channel: Channel) -> Result<Option<Telling>, StoreError>;
}
