//! One notice of each kind, told to the same customer.

use fatura_domain::Timestamp;
use fatura_domain::id::{BillId, CustomerId, InvoiceId};
use fatura_domain::money::{Currency, Money};
use fatura_domain::text::Name;
use fatura_notices::{Addressee, Kind, Language, Matter, Notice, PaidWith, Remedy, Renderer, Texts};
use jiff::tz::TimeZone;

/// Late in the evening of the 20th, where the customer lives.
pub(crate) fn at() -> Timestamp {
    "2026-11-21T02:30:00Z".parse().unwrap()
}

fn later(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn brl(minor: i64) -> Money {
    Money::try_new(minor, Currency::BRL).unwrap()
}

pub(crate) fn invoice() -> InvoiceId {
    InvoiceId::new(CustomerId::new(42), at(), 7)
}

fn visa() -> PaidWith {
    PaidWith::Card { brand: Some("Visa".to_owned()), last4: Some("4242".to_owned()) }
}

const EMV: &str = "00020126580014br.gov.bcb.pix0136123e4567-e12b-12d1-a456-4266554400005204000053039865406123.455802BR5908FULANO A6008BRASILIA62070503***63041D3D";

pub(crate) fn failed(remedy: Remedy, again_at: Option<Timestamp>) -> Matter {
    Matter::ChargeFailed { invoice: invoice(), amount: brl(123_456), remedy, again_at }
}

pub(crate) fn sample(kind: Kind) -> Matter {
    let (invoice, amount, at) = (invoice(), brl(123_456), at());
    match kind {
        Kind::Receipt => Matter::Receipt { invoice, amount, at, with: visa() },
        Kind::ChargeFailed => failed(Remedy::AddFunds, Some(later("2026-11-24T12:00:00Z"))),
        Kind::Refund => Matter::Refund { invoice, amount: brl(1_000), at, with: PaidWith::Pix },
        Kind::DisputeOpened => Matter::DisputeOpened { invoice, amount, at },
        Kind::BillClosed => Matter::BillClosed {
            bill: BillId::new(CustomerId::new(42), at, 8),
            from: later("2026-11-01T03:00:00Z"),
            to: later("2026-12-01T03:00:00Z"),
            totals: vec![brl(100_000), Money::try_new(1_234, Currency::USD).unwrap()],
            converted: Some(brl(106_665)),
        },
        Kind::PixQr => {
            let expires_at = later("2026-11-21T15:00:00Z");
            Matter::PixQr { invoice, amount, emv: EMV.to_owned(), expires_at }
        }
    }
}

/// What the wallet paid, and what went back there: told in other words, because nobody waits for a bank.
pub(crate) fn of_wallet() -> [(&'static str, Matter); 2] {
    let (invoice, amount, at, with) = (invoice(), brl(123_456), at(), PaidWith::Wallet);
    let receipt = Matter::Receipt { invoice, amount, at, with: with.clone() };
    [("receipt_from_wallet", receipt), ("refund_to_wallet", Matter::Refund { invoice, amount, at, with })]
}

pub(crate) fn notice(matter: Matter, language: Language) -> Notice {
    let to = Addressee {
        name: Name::parse("Ana Conceição").unwrap(),
        language,
        zone: TimeZone::get("America/Sao_Paulo").unwrap(),
    };
    Notice { to, from: Name::parse("Padaria Central").unwrap(), matter }
}

pub(crate) fn texts(matter: Matter, language: Language) -> Texts {
    Renderer::try_new().unwrap().render(&notice(matter, language)).unwrap()
}
