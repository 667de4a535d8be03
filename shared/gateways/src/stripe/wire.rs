//! Stripe's JSON, as far as we read it.

use crate::trouble::Trouble;
use fatura_domain::gateway::GatewayReference;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

const MAX_ID: usize = 255;

pub(super) type Metadata = BTreeMap<String, String>;

#[derive(Deserialize)]
pub(super) struct Intent {
    pub(super) id: Id,
    pub(super) amount: i64,
    pub(super) amount_received: i64,
    pub(super) currency: String,
    pub(super) status: Status,
    #[serde(default)]
    pub(super) metadata: Metadata,
    pub(super) last_payment_error: Option<Blame>,
    pub(super) next_action: Option<NextAction>,
    /// An id, or the charge itself where it was asked for: read by need, see [`Intent::is_blocked`].
    #[serde(default)]
    latest_charge: Value,
}

impl Intent {
    /// Whether Stripe stopped the charge before it reached the bank.
    pub(super) fn is_blocked(&self) -> bool {
        self.latest_charge.pointer("/outcome/type").and_then(Value::as_str) == Some("blocked")
    }
}

/// No case for others: a status that we don't know makes the answer unreadable, and so the charge unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    Processing,
    RequiresCapture,
    Canceled,
    Succeeded,
}

#[derive(Deserialize)]
pub(super) struct Blame {
    pub(super) code: Option<String>,
    pub(super) decline_code: Option<String>,
    pub(super) advice_code: Option<String>,
    pub(super) message: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct NextAction {
    pub(super) redirect_to_url: Option<Redirect>,
    pub(super) pix_display_qr_code: Option<Pix>,
}

#[derive(Deserialize)]
pub(super) struct Redirect {
    pub(super) url: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Pix {
    pub(super) data: String,
    pub(super) expires_at: i64,
}

#[derive(Deserialize)]
pub(super) struct Refusal {
    pub(super) error: RefusalReason,
}

#[derive(Default, Deserialize)]
pub(super) struct RefusalReason {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) code: Option<String>,
    pub(super) decline_code: Option<String>,
    pub(super) advice_code: Option<String>,
    pub(super) message: Option<String>,
    pub(super) param: Option<String>,
    /// Left unread until somebody asks.
    #[serde(default)]
    pub(super) payment_intent: Value,
}

impl RefusalReason {
    pub(super) fn raw_code(&self) -> Option<String> {
        self.code.clone().or_else(|| self.kind.clone())
    }

    pub(super) fn into_blame(self) -> Blame {
        let Self { code, decline_code, advice_code, message, .. } = self;
        Blame { code, decline_code, advice_code, message }
    }
}

/// A page of a list or of what a search found.
#[derive(Deserialize)]
pub(super) struct Page<T> {
    pub(super) data: Vec<T>,
    /// Must be there: what was left out could be more.
    pub(super) has_more: bool,
}

#[derive(Deserialize)]
pub(super) struct Identified {
    pub(super) id: Id,
}

#[derive(Deserialize)]
pub(super) struct Refund {
    pub(super) id: Id,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) status: String,
    pub(super) payment_intent: Option<String>,
    pub(super) failure_reason: Option<String>,
    #[serde(default)]
    pub(super) metadata: Metadata,
}

#[derive(Deserialize)]
pub(super) struct Dispute {
    pub(super) id: Id,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) status: String,
    pub(super) payment_intent: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct PaymentMethod {
    pub(super) id: Id,
    /// An id, or the customer itself where it was asked for.
    #[serde(default)]
    pub(super) customer: Value,
}

/// Words and numbers as they come, so that a fault can be told of the entry that has it.
#[derive(Deserialize)]
pub(super) struct BalanceTransaction {
    pub(super) id: Id,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) created: i64,
    #[serde(default)]
    pub(super) source: Value,
}

/// The charge or the refund that moved the money.
#[derive(Deserialize)]
pub(super) struct Source {
    pub(super) id: Id,
    pub(super) amount: i64,
    pub(super) amount_captured: Option<i64>,
    pub(super) currency: String,
    pub(super) payment_intent: Option<Id>,
    pub(super) charge: Option<Id>,
    #[serde(default)]
    pub(super) metadata: Metadata,
}

/// An id that can stand in a path and be stored: short, and of plain characters.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Id(String);

impl Id {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn parse(text: &str, prefix: &str) -> Result<Self, Trouble> {
        Self::try_from(text.to_owned())
            .ok()
            .filter(|id| id.0.starts_with(prefix))
            .ok_or_else(|| Trouble::unknown("no_such_id", "is not an id of this gateway"))
    }

    pub(super) fn to_reference(&self) -> GatewayReference {
        GatewayReference(self.0.clone())
    }
}

impl TryFrom<String> for Id {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        if is_plain(&text) { Ok(Self(text)) } else { Err("is not an id of this gateway") }
    }
}

pub(super) fn is_plain(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=MAX_ID).contains(&id.len()) && id.bytes().all(plain)
}
