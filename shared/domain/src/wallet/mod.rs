//! What we keep for a customer, a balance a currency: never below zero, and moved by journals alone.

use crate::Moment;
use crate::actor::Actor;
use crate::id::{CustomerId, TransactionId};
use crate::ledger::{Account, ByWallet, Journal, MovedBy, MovementReference, Transaction, TransactionKind};
use crate::money::{Currency, MAX_MINOR, Money};
use thiserror::Error;

/// More than nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount(Money);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be greater than zero")]
pub struct NotPositive;

impl Amount {
    pub fn try_new(money: Money) -> Result<Self, NotPositive> {
        if money.is_positive() { Ok(Self(money)) } else { Err(NotPositive) }
    }

    pub const fn money(self) -> Money {
        self.0
    }
}

/// One customer's money of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wallet {
    pub customer: CustomerId,
    /// Never negative.
    pub balance: Money,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WalletRefusal {
    #[error("the wallet has {0} {currency}, which is not enough", currency = .0.currency())]
    NotEnough(Money),
    #[error("the wallet can't hold so much {0}")]
    TooMuch(Currency),
}

impl Wallet {
    pub const fn empty(customer: CustomerId, currency: Currency) -> Self {
        Self { customer, balance: Money::zero(currency) }
    }

    /// The one rule: what is in it stays between nothing and the largest amount.
    pub fn moved(self, minor: i128) -> Result<Self, WalletRefusal> {
        let currency = self.balance.currency();
        let sum = i128::from(self.balance.minor()) + minor;
        if sum < 0 {
            return Err(WalletRefusal::NotEnough(self.balance));
        }
        let balance = i64::try_from(sum).ok().and_then(|sum| Money::try_new(sum, currency).ok());
        balance.map(|balance| Self { balance, ..self }).ok_or(WalletRefusal::TooMuch(currency))
    }

    /// The balances between which it may be for [`Self::moved`] to allow a movement, both inclusive: what a store asks
    /// of the balance that it finds.
    pub fn bounds_before(minor: i128) -> (i128, i128) {
        (0.max(-minor), i128::from(MAX_MINOR).min(i128::from(MAX_MINOR) - minor))
    }
}

/// Where money goes to or comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// From the platform's bank account into the wallet.
    Credit,
    /// Out of the wallet to the platform's bank account.
    Debit,
    /// Out of the wallet into another customer's.
    Transfer { to: CustomerId },
    /// Out of the wallet for what was bought: ours, or a merchant's, to whom it is owed then.
    Payment { merchant: Option<CustomerId> },
}

/// An order to move money in or out of a customer's wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    pub customer: CustomerId,
    pub route: Route,
    pub amount: Amount,
    pub reference: Option<MovementReference>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a wallet gives nothing to itself")]
pub struct SameWallet;

impl Movement {
    /// The transaction that books it. A transfer is one journal: both wallets move by it, or neither.
    pub fn booked(&self, by: Actor, moment: Moment) -> Result<Transaction, SameWallet> {
        let wallet = Account::Wallet(self.customer);
        let (debit, credit) = match self.route {
            Route::Credit => (Account::Bank, wallet),
            Route::Debit => (wallet, Account::Bank),
            Route::Transfer { to } if to == self.customer => return Err(SameWallet),
            Route::Transfer { to } => (wallet, Account::Wallet(to)),
            Route::Payment { merchant } => {
                (wallet, merchant.map_or(Account::Revenue, Account::MerchantPayable))
            }
        };
        let amount = self.amount.money();
        // An amount is more than nothing, so there is nothing else that a transfer could be refused for.
        let journal = Journal::transfer(debit, credit, amount).map_err(|_| SameWallet)?;
        Ok(Transaction {
            id: TransactionId::new(self.customer, moment.now, moment.entropy),
            kind: TransactionKind::Wallet,
            amount,
            moved_by: MovedBy::Wallet(ByWallet { by, reference: self.reference.clone(), invoice: None }),
            lines: Vec::new(),
            at: moment.now,
            journal,
            mirrors: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;
    use crate::ledger::Direction;
    use proptest::prelude::*;

    fn brl(minor: i64) -> Money {
        Money::try_new(minor, Currency::BRL).unwrap()
    }

    fn holding(minor: i64) -> Wallet {
        Wallet { customer: CustomerId::new(1), balance: brl(minor) }
    }

    fn movement(route: Route) -> Movement {
        Movement {
            customer: CustomerId::new(1),
            route,
            amount: Amount::try_new(brl(700)).unwrap(),
            reference: None,
        }
    }

    fn booked(route: Route) -> Result<Transaction, SameWallet> {
        let now = Timestamp::from_millisecond(1_793_620_800_000).unwrap();
        movement(route).booked(Actor::new("key_1"), Moment { now, entropy: 7 })
    }

    #[test]
    fn the_last_cent_may_go_and_no_more() {
        assert_eq!(holding(700).moved(-700), Ok(holding(0)));
        assert_eq!(holding(700).moved(-701), Err(WalletRefusal::NotEnough(brl(700))));
        assert_eq!(holding(MAX_MINOR - 1).moved(1), Ok(holding(MAX_MINOR)));
        assert_eq!(holding(MAX_MINOR).moved(1), Err(WalletRefusal::TooMuch(Currency::BRL)));
        let refusal = WalletRefusal::NotEnough(brl(700));
        assert_eq!(refusal.to_string(), "the wallet has 7.00 BRL, which is not enough");
    }

    #[test]
    fn an_amount_is_more_than_nothing() {
        assert!(Amount::try_new(brl(1)).is_ok());
        assert_eq!(Amount::try_new(brl(0)), Err(NotPositive));
        assert_eq!(Amount::try_new(brl(-1)), Err(NotPositive));
    }

    #[test]
    fn a_movement_is_one_balanced_journal() {
        let (ana, bea) = (CustomerId::new(1), CustomerId::new(2));
        let credit = booked(Route::Credit).unwrap();
        assert_eq!(credit.journal.wallets(), [(ana, Currency::BRL, 700)]);
        assert_eq!(credit.wallet_direction(), Some(Direction::Credit));
        assert_eq!(booked(Route::Debit).unwrap().journal.wallets(), [(ana, Currency::BRL, -700)]);

        let given = booked(Route::Transfer { to: bea }).unwrap();
        assert_eq!(given.journal.wallets(), [(ana, Currency::BRL, -700), (bea, Currency::BRL, 700)]);
        let shown: Vec<Transaction> = given.mirrored().collect();
        assert_eq!(shown.len(), 1);
        assert_eq!((shown[0].id.owner(), shown[0].mirrors), (bea, Some(given.id)));
        assert_eq!(shown[0].journal, given.journal);
        assert_eq!(shown[0].wallet_direction(), Some(Direction::Credit));
        assert_eq!(booked(Route::Transfer { to: ana }), Err(SameWallet));

        let paid = booked(Route::Payment { merchant: None }).unwrap();
        let credited = |paid: &Transaction| paid.journal.entries()[1].account.clone();
        assert_eq!((credited(&paid), paid.mirrored().count()), (Account::Revenue, 0));
        let sold = booked(Route::Payment { merchant: Some(bea) }).unwrap();
        assert_eq!(credited(&sold), Account::MerchantPayable(bea));
        assert_eq!(sold.journal.wallets(), [(ana, Currency::BRL, -700)]);
        assert_eq!(sold.mirrored().next().unwrap().wallet_direction(), None, "owed, and not in her wallet");
    }

    proptest! {
        #[test]
        fn a_store_that_asks_for_the_bounds_asks_for_the_rule(held in 0..=MAX_MINOR, by in -2 * i128::from(MAX_MINOR)..2 * i128::from(MAX_MINOR)) {
            let (least, most) = Wallet::bounds_before(by);
            let within = (least..=most).contains(&i128::from(held));
            prop_assert_eq!(holding(held).moved(by).is_ok(), within);
        }
    }
}
