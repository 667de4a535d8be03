use super::status::Status;
use crate::Timestamp;
use crate::charge::{Failure, LiveAttempt};
use crate::customer::PaymentSource;
use crate::gateway::{GatewayName, GatewayReference, MeansType};
use crate::id::{AttemptNumber, PaymentMethodId, RefundId, TransactionId};
use crate::money::Money;
use crate::risk::Judgement;
use crate::stored_instant;
use serde::{Deserialize, Serialize};

/// What an invoice is, each case with exactly the data that the case has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Draft(Draft),
    Pending(Collection),
    Paid(Payment),
    ChargedWithError(Failed),
    Canceled(Canceled),
    Refunded(Payment),
    InProtest(Payment),
    Chargeback(Payment),
    Uncollectible(Failed),
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// The method to charge when it is charged, if one was named.
    #[serde(rename = "pm", default, skip_serializing_if = "Option::is_none")]
    pub payment_method: Option<PaymentMethodId>,
    /// It would be charged, and there is nothing to charge: the first thing that the customer brings is.
    #[serde(rename = "aw", default, skip_serializing_if = "std::ops::Not::not")]
    pub awaits_method: bool,
}

/// Money is being collected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collection {
    #[serde(rename = "src")]
    pub source: PaymentSource,
    /// When the sweep looks at it next. None: a person has to.
    #[serde(
        rename = "due",
        default,
        with = "stored_instant::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub due: Option<Timestamp>,
    #[serde(
        rename = "sch",
        default,
        with = "stored_instant::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub scheduled_for: Option<Timestamp>,
    #[serde(rename = "live", default, skip_serializing_if = "Option::is_none")]
    pub live: Option<LiveAttempt>,
    #[serde(rename = "cr", default, skip_serializing_if = "std::ops::Not::not")]
    pub cancel_requested: bool,
    /// What the order was judged to be, which holds for it at every gateway that it is carried to.
    #[serde(rename = "rk", default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<Judgement>,
}

/// The last attempt failed for good; another may follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    #[serde(rename = "src")]
    pub source: PaymentSource,
    #[serde(rename = "f")]
    pub failure: Failure,
    #[serde(
        rename = "due",
        default,
        with = "stored_instant::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub retry_at: Option<Timestamp>,
    /// When it ends as uncollectible if nothing happens before.
    #[serde(
        rename = "gu",
        default,
        with = "stored_instant::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub gives_up_at: Option<Timestamp>,
    /// A new payment method of the customer's is tried at once.
    #[serde(rename = "nm", default, skip_serializing_if = "std::ops::Not::not")]
    pub awaits_method: bool,
}

/// Nothing is owed any more. By what it was tried to collect stays known, because money may still arrive.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Canceled {
    #[serde(rename = "pm", default, skip_serializing_if = "Option::is_none")]
    pub tried: Option<(PaymentMethodId, MeansType)>,
}

/// Money came. It stays on record whatever happens to it afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    #[serde(rename = "at", with = "stored_instant")]
    pub at: Timestamp,
    /// None for what no gateway saw: a total of zero, or what came from a wallet.
    #[serde(rename = "ch", default, skip_serializing_if = "Option::is_none")]
    pub charge: Option<Captured>,
    /// What came from the customer's wallet instead.
    #[serde(rename = "wa", default, skip_serializing_if = "Option::is_none")]
    pub wallet: Option<FromWallet>,
    /// Minor units given back, and on their way back. Together never more than was paid.
    #[serde(rename = "rf", default, skip_serializing_if = "is_zero")]
    pub refunded: i64,
    #[serde(rename = "ri", default, skip_serializing_if = "is_zero")]
    pub refunding: i64,
}

impl Payment {
    pub const fn new(at: Timestamp, charge: Option<Captured>) -> Self {
        Self { at, charge, wallet: None, refunded: 0, refunding: 0 }
    }

    pub const fn from_wallet(at: Timestamp, wallet: FromWallet) -> Self {
        Self { at, charge: None, wallet: Some(wallet), refunded: 0, refunding: 0 }
    }

    /// What came. None: nothing had to.
    pub fn amount(&self) -> Option<Money> {
        let charged = self.charge.as_ref().map(|charge| charge.amount);
        charged.or_else(|| self.wallet.as_ref().map(|wallet| wallet.amount))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's skip_serializing_if hands over a reference")]
const fn is_zero(minor: &i64) -> bool {
    *minor == 0
}

/// Which movement of the customer's wallet paid, and gets back what is refunded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FromWallet {
    #[serde(rename = "tx")]
    pub transaction: TransactionId,
    #[serde(rename = "a")]
    pub amount: Money,
}

/// Which charge paid: where refunds go and disputes come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Captured {
    #[serde(rename = "n")]
    pub attempt: AttemptNumber,
    #[serde(rename = "gw")]
    pub gateway: GatewayName,
    #[serde(rename = "ref")]
    pub reference: GatewayReference,
    #[serde(rename = "pm")]
    pub payment_method: PaymentMethodId,
    #[serde(rename = "by")]
    pub means: MeansType,
    #[serde(rename = "tx")]
    pub transaction: TransactionId,
    #[serde(rename = "a")]
    pub amount: Money,
}

/// Money that arrived although nothing was owed for it: it goes back, and operators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orphan {
    #[serde(rename = "n")]
    pub attempt: AttemptNumber,
    #[serde(rename = "gw")]
    pub gateway: GatewayName,
    #[serde(rename = "ref")]
    pub reference: GatewayReference,
    #[serde(rename = "a")]
    pub amount: Money,
    /// The order that gives it back. None: a person has to decide first.
    #[serde(rename = "rf", default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<RefundId>,
    #[serde(rename = "ok", default, skip_serializing_if = "std::ops::Not::not")]
    pub returned: bool,
}

impl State {
    pub const fn status(&self) -> Status {
        match self {
            Self::Draft(_) => Status::Draft,
            Self::Pending(_) => Status::Pending,
            Self::Paid(_) => Status::Paid,
            Self::ChargedWithError(_) => Status::ChargedWithError,
            Self::Canceled(_) => Status::Canceled,
            Self::Refunded(_) => Status::Refunded,
            Self::InProtest(_) => Status::InProtest,
            Self::Chargeback(_) => Status::Chargeback,
            Self::Uncollectible(_) => Status::Uncollectible,
        }
    }

    /// When the sweep has to look, if it has to.
    pub const fn due(&self) -> Option<Timestamp> {
        match self {
            Self::Pending(collection) => collection.due,
            Self::ChargedWithError(failed) => match failed.retry_at {
                None => failed.gives_up_at,
                retry_at => retry_at,
            },
            _ => None,
        }
    }

    pub const fn payment(&self) -> Option<&Payment> {
        match self {
            Self::Paid(payment)
            | Self::Refunded(payment)
            | Self::InProtest(payment)
            | Self::Chargeback(payment) => Some(payment),
            _ => None,
        }
    }

    /// By what money was collected, or was to be.
    pub fn tried(&self) -> Option<(PaymentMethodId, MeansType)> {
        let of_source = |source: &PaymentSource| (source.method, source.means.kind());
        match self {
            Self::Draft(_) => None,
            Self::Pending(collection) => Some(of_source(&collection.source)),
            Self::ChargedWithError(failed) | Self::Uncollectible(failed) => Some(of_source(&failed.source)),
            Self::Canceled(canceled) => canceled.tried,
            Self::Paid(payment)
            | Self::Refunded(payment)
            | Self::InProtest(payment)
            | Self::Chargeback(payment) => {
                payment.charge.as_ref().map(|charge| (charge.payment_method, charge.means))
            }
        }
    }

    pub const fn live_attempt(&self) -> Option<&LiveAttempt> {
        match self {
            Self::Pending(collection) => collection.live.as_ref(),
            _ => None,
        }
    }
}
