use crate::Language;
use fatura_domain::Timestamp;
use fatura_domain::charge::FailureClass;
use fatura_domain::customer::{Instrument, PaymentMethod};
use fatura_domain::id::{BillId, InvoiceId};
use fatura_domain::money::Money;
use fatura_domain::text::Name;
use jiff::tz::TimeZone;

/// Something that somebody is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub to: Addressee,
    /// The business that it comes from, as its customers know it.
    pub from: Name,
    pub matter: Matter,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressee {
    pub name: Name,
    pub language: Language,
    /// Whose clock and calendar its dates are read by.
    pub zone: TimeZone,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matter {
    Receipt {
        invoice: InvoiceId,
        amount: Money,
        at: Timestamp,
        with: PaidWith,
    },
    ChargeFailed {
        invoice: InvoiceId,
        amount: Money,
        remedy: Remedy,
        /// When we try again by ourselves, if we do.
        again_at: Option<Timestamp>,
    },
    Refund {
        invoice: InvoiceId,
        amount: Money,
        at: Timestamp,
        with: PaidWith,
    },
    DisputeOpened {
        invoice: InvoiceId,
        amount: Money,
        at: Timestamp,
    },
    BillClosed {
        bill: BillId,
        from: Timestamp,
        /// Exclusive.
        to: Timestamp,
        /// One for each currency.
        totals: Vec<Money>,
        /// All of it in the currency that it is paid in, if there is one.
        converted: Option<Money>,
    },
    PixQr {
        invoice: InvoiceId,
        amount: Money,
        /// What the picture says: it can be copied into a bank's app instead.
        emv: String,
        expires_at: Timestamp,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaidWith {
    /// With as much as may be shown of it.
    Card {
        brand: Option<String>,
        last4: Option<String>,
    },
    Pix,
    /// What the customer has with us, which moves at once.
    Wallet,
}

impl PaidWith {
    pub fn of(method: &PaymentMethod) -> Self {
        match &method.instrument {
            Instrument::CreditCard(card) => {
                Self::Card { brand: card.brand.as_ref().map(ToString::to_string), last4: card.last4.clone() }
            }
            Instrument::Pix(_) => Self::Pix,
        }
    }
}

/// What somebody whose charge failed can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Remedy {
    AddFunds,
    /// This card will never pay.
    AnotherMethod,
    AskTheBank,
    /// The bank wants its customer to confirm.
    Confirm,
    AnotherPix,
    /// The bank could not be reached: nothing is wrong with the payer.
    Wait,
    /// We didn't want it so, and another card is no way around that.
    AskUs,
    /// It is for us to mend.
    LeaveItToUs,
}

impl Remedy {
    pub const ALL: [Self; 8] = [
        Self::AddFunds,
        Self::AnotherMethod,
        Self::AskTheBank,
        Self::Confirm,
        Self::AnotherPix,
        Self::Wait,
        Self::AskUs,
        Self::LeaveItToUs,
    ];

    pub const fn of(class: FailureClass) -> Self {
        match class {
            FailureClass::InsufficientFunds => Self::AddFunds,
            FailureClass::Hard => Self::AnotherMethod,
            // Nobody is told that they are suspected: the bank knows, and is asked.
            FailureClass::DoNotHonor | FailureClass::Generic | FailureClass::SuspectedFraud => {
                Self::AskTheBank
            }
            FailureClass::AuthenticationRequired => Self::Confirm,
            FailureClass::PixExpired => Self::AnotherPix,
            FailureClass::NotSent | FailureClass::IssuerUnavailable => Self::Wait,
            FailureClass::RiskDeclined => Self::AskUs,
            FailureClass::Unknown
            | FailureClass::CurrencyMismatch
            | FailureClass::Configuration
            | FailureClass::CustomerNotFound
            | FailureClass::Duplicate
            | FailureClass::AmountMismatch => Self::LeaveItToUs,
        }
    }

    /// What templates call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AddFunds => "add_funds",
            Self::AnotherMethod => "another_method",
            Self::AskTheBank => "ask_the_bank",
            Self::Confirm => "confirm",
            Self::AnotherPix => "another_pix",
            Self::Wait => "wait",
            Self::AskUs => "ask_us",
            Self::LeaveItToUs => "leave_it_to_us",
        }
    }
}
