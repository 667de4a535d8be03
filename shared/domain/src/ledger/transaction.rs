use super::account::Account;
use super::journal::{Direction, Journal};
use crate::Timestamp;
use crate::actor::Actor;
use crate::gateway::{GatewayName, GatewayReference, MeansType};
use crate::id::{AttemptNumber, CustomerId, InvoiceId, PaymentMethodId, TransactionId};
use crate::money::{Currency, Money};
use crate::text::{Description, Text};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One movement of a customer's money, with the journal that books it. Never changed: a correction is another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    pub id: TransactionId,
    pub kind: TransactionKind,
    pub amount: Money,
    pub moved_by: MovedBy,
    /// The descriptions of what was paid for, as they were.
    pub lines: Vec<String>,
    pub at: Timestamp,
    pub journal: Journal,
    /// The transaction that books this journal, where this one only shows it to another customer whom it concerns.
    pub mirrors: Option<TransactionId>,
}

/// What moved the money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MovedBy {
    Gateway(AtGateway),
    Wallet(ByWallet),
    Operator(Posted),
}

/// A movement at a gateway, for an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtGateway {
    pub invoice: InvoiceId,
    pub attempt: AttemptNumber,
    pub gateway: GatewayName,
    pub reference: GatewayReference,
    pub payment_method: PaymentMethodId,
    pub means: MeansType,
}

/// What whoever moves money in a wallet calls it.
pub type MovementReference = Text<255>;

/// A movement in or out of a wallet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByWallet {
    pub by: Actor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<MovementReference>,
    /// What it paid, or gave back of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice: Option<InvoiceId>,
}

/// A journal that somebody posted by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posted {
    pub by: Actor,
    pub description: Description,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverses: Option<TransactionId>,
}

impl MovedBy {
    pub const fn at_gateway(&self) -> Option<&AtGateway> {
        match self {
            Self::Gateway(at) => Some(at),
            Self::Wallet(_) | Self::Operator(_) => None,
        }
    }

    /// The invoice that it tells of, and that has to tell the same.
    pub const fn invoice(&self) -> Option<InvoiceId> {
        match self {
            Self::Gateway(at) => Some(at.invoice),
            Self::Wallet(by) => by.invoice,
            Self::Operator(_) => None,
        }
    }
}

impl Transaction {
    /// The customers whom it concerns beside the one whose it is, each with a transaction that shows it.
    pub fn mirrored(&self) -> impl Iterator<Item = Self> {
        let others = self.journal.customers().into_iter().filter(|other| *other != self.id.owner());
        others.map(|other| self.mirrored_to(other))
    }

    /// Of what was paid for, whoever else got some of it is shown no more than concerns them.
    fn mirrored_to(&self, customer: CustomerId) -> Self {
        let shown = Self { id: self.id.owned_by(customer), mirrors: Some(self.id), ..self.clone() };
        if self.moved_by.invoice().is_none() {
            return shown;
        }
        let journal = self.journal.part_of(customer);
        let amount = journal.moved_in(self.amount.currency()).unwrap_or(self.amount);
        Self { amount, journal, ..shown }
    }

    /// The same where some wallets don't take what is theirs: it is owed to their customers, or by them.
    #[must_use]
    pub fn owed_beside(self, wallets: &BTreeSet<CustomerId>) -> Self {
        Self { journal: self.journal.owed_beside(wallets), ..self }
    }

    /// The journal that it undoes.
    pub const fn reverses(&self) -> Option<TransactionId> {
        match &self.moved_by {
            MovedBy::Operator(posted) => posted.reverses,
            MovedBy::Gateway(_) | MovedBy::Wallet(_) => None,
        }
    }

    /// Which way it moved a customer's own wallet; None if it didn't.
    pub fn wallet_direction(&self) -> Option<Direction> {
        let own = Account::Wallet(self.id.owner());
        self.journal.entries().iter().find(|entry| entry.account == own).map(|entry| entry.direction)
    }
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
    /// Posted by hand.
    Journal,
}

impl TransactionKind {
    pub const ALL: [Self; 7] = [
        Self::Charge,
        Self::Refund,
        Self::Chargeback,
        Self::Reinstatement,
        Self::Wallet,
        Self::Orphan,
        Self::Journal,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Refund => "refund",
            Self::Chargeback => "chargeback",
            Self::Reinstatement => "reinstatement",
            Self::Wallet => "wallet",
            Self::Orphan => "orphan",
            Self::Journal => "journal",
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
        let at_gateway =
            |test: &dyn Fn(&AtGateway) -> bool| transaction.moved_by.at_gateway().is_some_and(test);
        holds(self.from.as_ref(), |from| transaction.at >= *from)
            && holds(self.to.as_ref(), |to| transaction.at < *to)
            && holds(self.min_amount.as_ref(), |min| transaction.amount.major() >= *min)
            && holds(self.max_amount.as_ref(), |max| transaction.amount.major() <= *max)
            && holds(self.currency.as_ref(), |currency| transaction.amount.currency() == *currency)
            && holds(self.kind.as_ref(), |kind| transaction.kind == *kind)
            && holds(self.gateway.as_ref(), |gateway| at_gateway(&|at| at.gateway == *gateway))
            && holds(self.means.as_ref(), |means| at_gateway(&|at| at.means == *means))
            && holds(self.item.as_ref(), |item| {
                let wanted = item.to_lowercase();
                transaction.lines.iter().any(|line| line.to_lowercase().contains(&wanted))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_793_620_800_000;

    fn at(millisecond: i64) -> Timestamp {
        Timestamp::from_millisecond(millisecond).unwrap()
    }

    /// 10.00 by a card at the sandbox, for cups, at noon.
    fn cups() -> Transaction {
        let owner = CustomerId::new(1);
        let amount = Money::try_new(1_000, Currency::BRL).unwrap();
        let gateway = GatewayName::parse("sandbox").unwrap();
        Transaction {
            id: TransactionId::new(owner, at(NOON), 7),
            kind: TransactionKind::Charge,
            amount,
            moved_by: MovedBy::Gateway(AtGateway {
                invoice: InvoiceId::new(owner, at(NOON), 8),
                attempt: AttemptNumber(1),
                gateway: gateway.clone(),
                reference: GatewayReference("ch_1".to_owned()),
                payment_method: PaymentMethodId::new(owner, at(NOON), 9),
                means: MeansType::CreditCard,
            }),
            lines: vec!["Saucers".to_owned(), "Blue CUPS".to_owned()],
            at: at(NOON),
            journal: Journal::transfer(Account::GatewayClearing(gateway), Account::Revenue, amount).unwrap(),
            mirrors: None,
        }
    }

    fn posted() -> Transaction {
        let posted = Posted {
            by: Actor::new("key_1"),
            description: Description::parse("a gift").unwrap(),
            reverses: Some(cups().id),
        };
        Transaction { moved_by: MovedBy::Operator(posted), ..cups() }
    }

    fn amount(text: &str) -> Option<Decimal> {
        text.parse().ok()
    }

    #[test]
    fn a_filter_without_conditions_lets_everything_through() {
        assert!(TransactionFilter::default().matches(&cups()));
        assert!(TransactionFilter::default().matches(&posted()));
    }

    #[test]
    fn each_condition_lets_through_what_it_says() {
        let any = TransactionFilter::default;
        for filter in [
            TransactionFilter { from: Some(at(NOON)), ..any() },
            TransactionFilter { to: Some(at(NOON + 1)), ..any() },
            TransactionFilter { min_amount: amount("10.00"), max_amount: amount("10"), ..any() },
            TransactionFilter { currency: Some(Currency::BRL), ..any() },
            TransactionFilter { kind: Some(TransactionKind::Charge), ..any() },
            TransactionFilter { item: Some("cup".to_owned()), ..any() },
            TransactionFilter { gateway: GatewayName::parse("sandbox").ok(), ..any() },
            TransactionFilter { means: Some(MeansType::CreditCard), ..any() },
        ] {
            assert!(filter.matches(&cups()), "{filter:?}");
        }
    }

    /// Everything else holds, so that the one condition alone refuses it.
    #[test]
    fn one_condition_that_does_not_hold_is_enough() {
        let all = TransactionFilter {
            from: Some(at(NOON)),
            to: Some(at(NOON + 1)),
            min_amount: amount("10.00"),
            max_amount: amount("10.00"),
            currency: Some(Currency::BRL),
            kind: Some(TransactionKind::Charge),
            item: Some("cups".to_owned()),
            gateway: GatewayName::parse("sandbox").ok(),
            means: Some(MeansType::CreditCard),
        };
        assert!(all.matches(&cups()));
        for filter in [
            TransactionFilter { from: Some(at(NOON + 1)), ..all.clone() },
            TransactionFilter { to: Some(at(NOON)), ..all.clone() },
            TransactionFilter { min_amount: amount("10.01"), max_amount: None, ..all.clone() },
            TransactionFilter { max_amount: amount("9.99"), min_amount: None, ..all.clone() },
            TransactionFilter { currency: Some(Currency::USD), ..all.clone() },
            TransactionFilter { kind: Some(TransactionKind::Refund), ..all.clone() },
            TransactionFilter { item: Some("plates".to_owned()), ..all.clone() },
            TransactionFilter { gateway: GatewayName::parse("sandbox-2").ok(), ..all.clone() },
            TransactionFilter { means: Some(MeansType::Pix), ..all.clone() },
        ] {
            assert!(!filter.matches(&cups()), "{filter:?}");
        }
    }

    #[test]
    fn what_no_gateway_moved_is_at_none() {
        let sandbox = TransactionFilter { gateway: GatewayName::parse("sandbox").ok(), ..Default::default() };
        assert!(!sandbox.matches(&posted()));
    }

    #[test]
    fn only_what_was_posted_undoes_another() {
        assert_eq!(posted().reverses(), Some(cups().id));
        assert_eq!(cups().reverses(), None);
    }
}
