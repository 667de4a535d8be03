//! The words, one file for each kind of notice and language.

use crate::{Kind, Language, Matter};

impl Matter {
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Receipt { .. } => Kind::Receipt,
            Self::ChargeFailed { .. } => Kind::ChargeFailed,
            Self::Refund { .. } => Kind::Refund,
            Self::DisputeOpened { .. } => Kind::DisputeOpened,
            Self::BillClosed { .. } => Kind::BillClosed,
            Self::PixQr { .. } => Kind::PixQr,
        }
    }
}

/// The parts that each template has.
pub(crate) const SUBJECT: &str = "subject";
pub(crate) const SMS: &str = "sms";
pub(crate) const TEXT: &str = "text";

/// What stands around the paragraphs of a mail.
pub(crate) const LAYOUT: &str = include_str!("../templates/layout.html");

macro_rules! words {
    ($file:literal) => {
        [
            include_str!(concat!("../templates/en/", $file)),
            include_str!(concat!("../templates/pt-BR/", $file)),
        ]
    };
}

/// A kind without its words in every language does not compile.
pub(crate) const fn words(kind: Kind, language: Language) -> &'static str {
    let [english, brazilian_portuguese] = match kind {
        Kind::Receipt => words!("receipt.j2"),
        Kind::ChargeFailed => words!("charge_failed.j2"),
        Kind::Refund => words!("refund.j2"),
        Kind::DisputeOpened => words!("dispute_opened.j2"),
        Kind::BillClosed => words!("bill_closed.j2"),
        Kind::PixQr => words!("pix_qr.j2"),
    };
    match language {
        Language::English => english,
        Language::BrazilianPortuguese => brazilian_portuguese,
    }
}
