//! What customers are told: which kinds of notices there are, by which channels, who wants which, and that each goes out once.
//! (The words are `fatura-notices`'.)

mod language;
mod preferences;
mod telling;

pub use language::Language;
pub use preferences::{InvalidTarget, Phone, Preferences, PushTarget, Subscription, Wanted};
pub use telling::{Claim, Telling, TellingState};

use serde::{Deserialize, Serialize};

/// What a notice is about: who is told what, and who doesn't want to be, goes by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    Receipt,
    ChargeFailed,
    Refund,
    DisputeOpened,
    BillClosed,
    PixQr,
}

impl NoticeKind {
    pub const ALL: [Self; 6] =
        [Self::Receipt, Self::ChargeFailed, Self::Refund, Self::DisputeOpened, Self::BillClosed, Self::PixQr];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Receipt => "receipt",
            Self::ChargeFailed => "charge_failed",
            Self::Refund => "refund",
            Self::DisputeOpened => "dispute_opened",
            Self::BillClosed => "bill_closed",
            Self::PixQr => "pix_qr",
        }
    }
}

/// A way to reach somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    Email,
    Sms,
    /// To the shop's own app on the customer's phone.
    Push,
}

impl Channel {
    pub const ALL: [Self; 3] = [Self::Email, Self::Sms, Self::Push];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Push => "push",
        }
    }
}
