//! What of a payment moves: whose it is, and the journal of it.

use crate::id::CustomerId;
use crate::ledger::{Account, Direction, Entry, Journal};
use crate::money::{Currency, Money};
use std::collections::BTreeMap;

/// What moves of one payment, by merchant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::invoice) struct Parts {
    pub(super) of: Vec<Part>,
    /// What is no merchant's matter.
    pub(super) beyond: i64,
    /// What is revenue again, having been given in the merchants' place.
    pub(super) kept: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    merchant: CustomerId,
    net: i64,
    /// What of that settles a debt.
    pub(super) settles: i64,
    fee: i64,
}

impl Parts {
    /// A merchant with several orders has one part.
    pub(super) fn of(shares: impl Iterator<Item = (CustomerId, i64, i64)>, beyond: i64) -> Self {
        let mut places: BTreeMap<CustomerId, usize> = BTreeMap::new();
        let mut of: Vec<Part> = Vec::new();
        for (merchant, net, fee) in shares {
            let place = *places.entry(merchant).or_insert(of.len());
            match of.get_mut(place) {
                Some(part) => {
                    part.net += net;
                    part.fee += fee;
                }
                None => of.push(Part { merchant, net, settles: 0, fee }),
            }
        }
        Self { of, beyond, kept: 0 }
    }

    /// What a merchant would get is the platform's.
    pub(super) fn keep(&mut self, merchant: CustomerId, net: i64) {
        if let Some(part) = self.of.iter_mut().find(|part| part.merchant == merchant) {
            part.net -= net;
            self.kept += net;
        }
    }

    /// `settles` says how much of what a merchant gets goes to what it owes.
    pub(super) fn settle(&mut self, mut settles: impl FnMut(CustomerId, i64) -> i64) {
        for part in &mut self.of {
            part.settles = settles(part.merchant, part.net);
        }
    }

    /// From where the money is into the merchants' wallets and the platform's account. Each merchant's entries balance by
    /// themselves, so that each can be shown its own. None: nothing moves.
    pub(in crate::invoice) fn coming_from(
        &self,
        source: &Account,
        platform: &Account,
        currency: Currency,
    ) -> Option<Journal> {
        let mut entries = Vec::new();
        let mut book = |account: &Account, direction, minor: i64| {
            if let Ok(amount) = Money::try_new(minor, currency)
                && amount.is_positive()
            {
                entries.push(Entry { account: account.clone(), direction, amount });
            }
        };
        for part in &self.of {
            book(source, Direction::Debit, part.net + part.fee);
            book(&Account::MerchantPayable(part.merchant), Direction::Credit, part.settles);
            book(&Account::Wallet(part.merchant), Direction::Credit, part.net - part.settles);
            book(platform, Direction::Credit, part.fee);
        }
        book(source, Direction::Debit, self.beyond);
        book(platform, Direction::Credit, self.beyond);
        book(source, Direction::Debit, self.kept);
        book(&Account::Revenue, Direction::Credit, self.kept);
        Journal::try_new(entries).ok()
    }
}
