//! What a store has said of wallets while something was decided, for deciding it again.

use crate::change_set::{Change, ChangeSet};
use crate::ports::Refusal;
use fatura_domain::id::CustomerId;
use fatura_domain::money::{Currency, Money};
use fatura_domain::wallet::WalletRefusal;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
pub struct WalletNotes {
    /// Wallets that aren't there yet.
    opened: BTreeSet<(CustomerId, Currency)>,
    refused: BTreeMap<CustomerId, WalletRefusal>,
}

/// The wallets that a change set takes from.
pub(crate) struct Givers(BTreeSet<(CustomerId, Currency)>);

impl Givers {
    pub(crate) fn of(changes: &ChangeSet) -> Self {
        let givers = changes.changes().iter().filter_map(|change| match change {
            Change::WalletMoved { customer, currency, minor, .. } if *minor < 0 => {
                Some((*customer, *currency))
            }
            _ => None,
        });
        Self(givers.collect())
    }
}

impl WalletNotes {
    pub(crate) fn note(&mut self, refusal: &Refusal, givers: &Givers) {
        let Refusal::WalletRefused { customer, currency, why } = refusal else { return };
        let key = (*customer, *currency);
        match why {
            Some(why) => {
                self.refused.insert(*customer, why.clone());
            }
            // There is nothing to take from.
            None if givers.0.contains(&key) => {
                self.refused.insert(*customer, WalletRefusal::NotEnough(Money::zero(*currency)));
            }
            // Somebody else may have opened it in the meantime.
            None if !self.opened.remove(&key) => {
                self.opened.insert(key);
            }
            None => {}
        }
    }

    pub(crate) const fn opened(&self) -> &BTreeSet<(CustomerId, Currency)> {
        &self.opened
    }

    pub(crate) fn refusal_of(&self, customer: CustomerId) -> Option<&WalletRefusal> {
        self.refused.get(&customer)
    }

    /// Whose wallet didn't take its movement, but for the payer's: that one pays, or nothing is paid.
    pub(crate) fn beside(&self, payer: CustomerId) -> BTreeSet<CustomerId> {
        self.refused.keys().copied().filter(|customer| *customer != payer).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(number: u64, why: Option<WalletRefusal>) -> Refusal {
        Refusal::WalletRefused { customer: CustomerId::new(number), currency: Currency::BRL, why }
    }

    fn changes(minors: &[(u64, i128)]) -> Givers {
        Givers::of(&ChangeSet::of(minors.iter().map(|(number, minor)| Change::WalletMoved {
            customer: CustomerId::new(*number),
            currency: Currency::BRL,
            minor: *minor,
            opens: false,
        })))
    }

    #[test]
    fn a_wallet_that_is_not_there_is_opened_and_one_that_is_there_after_all_is_not() {
        let (mut notes, givers) = (WalletNotes::default(), changes(&[(1, 5)]));
        notes.note(&refused(1, None), &givers);
        assert_eq!(notes.opened().len(), 1);
        notes.note(&refused(1, None), &givers);
        assert!(notes.opened().is_empty() && notes.refused.is_empty());
    }

    #[test]
    fn nothing_is_taken_from_a_wallet_that_is_not_there() {
        let (mut notes, givers) = (WalletNotes::default(), changes(&[(1, -5)]));
        notes.note(&refused(1, None), &givers);
        assert!(
            matches!(notes.refusal_of(CustomerId::new(1)), Some(WalletRefusal::NotEnough(held)) if held.is_zero())
        );
        assert!(notes.opened().is_empty());
    }

    #[test]
    fn the_payer_is_never_owed_beside() {
        let mut notes = WalletNotes::default();
        let why = || Some(WalletRefusal::TooMuch(Currency::BRL));
        notes.note(&refused(1, why()), &changes(&[]));
        notes.note(&refused(2, why()), &changes(&[]));
        assert_eq!(notes.beside(CustomerId::new(1)), BTreeSet::from([CustomerId::new(2)]));
    }
}
