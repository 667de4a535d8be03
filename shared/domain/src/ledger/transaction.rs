use super::journal::Journal;
use crate::Timestamp;
use crate::gateway::{GatewayName, GatewayReference, MeansType};
use crate::id::{AttemptNumber, InvoiceId, PaymentMethodId, TransactionId};
use crate::money::{Currency, Money};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// One movement of a customer's money, with the journal that books it. Never changed: a correction is another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    pub id: TransactionId,
    pub kind: TransactionKind,
    pub amount: Money,
    pub invoice: InvoiceId,
    pub attempt: AttemptNumber,
    pub gateway: GatewayName,
    pub reference: GatewayReference,
    pub payment_method: PaymentMethodId,
    pub means: MeansType,
    /// The descriptions of what was paid for, as they were.
    pub lines: Vec<String>,
    pub at: Timestamp,
    pub journal: Journal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransactionKind {
    Charge,
    Refund,
    Chargeback,
    Reinstatement,
    Wallet,
    /// Money that nothing was owed for.
    Orphan,
}

impl TransactionKind {
    pub const ALL: [Self; 6] =
        [Self::Charge, Self::Refund, Self::Chargeback, Self::Reinstatement, Self::Wallet, Self::Orphan];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Refund => "refund",
            Self::Chargeback => "chargeback",
            Self::Reinstatement => "reinstatement",
            Self::Wallet => "wallet",
            Self::Orphan => "orphan",
        }
    }
}

/// What a list of transactions may be narrowed to; every condition that is given has to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransactionFilter {
    pub from: Option<Timestamp>,
    /// Exclusive, so that adjoining periods share nothing.
    pub to: Option<Timestamp>,
    pub min_amount: Option<Decimal>,
    pub max_amount: Option<Decimal>,
    pub currency: Option<Currency>,
    pub kind: Option<TransactionKind>,
    pub item: Option<String>,
    pub gateway: Option<GatewayName>,
    pub means: Option<MeansType>,
}

impl TransactionFilter {
    pub fn matches(&self, transaction: &Transaction) -> bool {
        fn holds<T>(condition: Option<&T>, test: impl FnOnce(&T) -> bool) -> bool {
            condition.is_none_or(test)
        }
        holds(self.from.as_ref(), |from| transaction.at >= *from)
            && holds(self.to.as_ref(), |to| transaction.at < *to)
            && holds(self.min_amount.as_ref(), |min| transaction.amount.major() >= *min)
            && holds(self.max_amount.as_ref(), |max| transaction.amount.major() <= *max)
            && holds(self.currency.as_ref(), |currency| transaction.amount.currency() == *currency)
            && holds(self.kind.as_ref(), |kind| transaction.kind == *kind)
            && holds(self.gateway.as_ref(), |gateway| transaction.gateway == *gateway)
            && holds(self.means.as_ref(), |means| transaction.means == *means)
            && holds(self.item.as_ref(), |item| {
                let wanted = item.to_lowercase();
                transaction.lines.iter().any(|line| line.to_lowercase().contains(&wanted))
            })
    }
}
