//! Whose the money of a payment is: each order's merchant gets its part, the platform its fee, and what goes back goes
//! back from each in proportion to what it still has.

mod parts;

use self::parts::Parts;
use crate::bug::Bug;
use crate::id::{CustomerId, OrderId};
use crate::ledger::{Account, Direction, Journal};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

/// One order's part of a payment, in minor units of the invoice's currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    #[serde(rename = "o")]
    pub order: OrderId,
    #[serde(rename = "m")]
    pub merchant: CustomerId,
    /// What the order comes to.
    #[serde(rename = "g")]
    pub gross: i64,
    /// What the platform keeps of it, decided when the payment was made.
    #[serde(rename = "f")]
    pub fee: i64,
    /// How many of the invoice's lines are this order's; they follow each other as the shares do.
    #[serde(rename = "l")]
    pub lines: usize,
    /// What has gone back of the merchant's part, and of the fee.
    #[serde(rename = "bn", default, skip_serializing_if = "is_zero")]
    pub net_returned: i64,
    #[serde(rename = "bf", default, skip_serializing_if = "is_zero")]
    pub fee_returned: i64,
    /// What of that a bank took, and of whom: only that much can be reinstated.
    #[serde(rename = "tn", default, skip_serializing_if = "is_zero")]
    pub net_taken: i64,
    #[serde(rename = "tf", default, skip_serializing_if = "is_zero")]
    pub fee_taken: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's skip_serializing_if hands over a reference")]
const fn is_zero(minor: &i64) -> bool {
    *minor == 0
}

/// The parts of one payment. Together they are the invoice's total, to the last cent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    #[serde(rename = "s")]
    shares: Vec<Share>,
    /// What refunds gave back when a bank had taken everything already: the platform's loss until the bank gives it again.
    #[serde(rename = "rb", default, skip_serializing_if = "is_zero")]
    refunded_beyond: i64,
    /// What banks took when everything had gone back already: the platform's loss, too, and the first that is made good.
    #[serde(rename = "tb", default, skip_serializing_if = "is_zero")]
    taken_beyond: i64,
    /// What of the returned merchants' wallets didn't have, so that they owe it.
    #[serde(rename = "ow", default, skip_serializing_if = "BTreeMap::is_empty")]
    owed: BTreeMap<CustomerId, i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SplitError {
    #[error("must name at least one order")]
    Empty,
    #[error("must name at most {} orders", Split::MOST_SHARES)]
    TooMany,
    #[error("must not name an order twice")]
    Twice,
    #[error("a fee is neither negative nor more than it is taken from")]
    BadFee,
}

impl Share {
    pub const fn new(order: OrderId, merchant: CustomerId, gross: i64, fee: i64, lines: usize) -> Self {
        let (net_returned, fee_returned, net_taken, fee_taken) = (0, 0, 0, 0);
        Self { order, merchant, gross, fee, lines, net_returned, fee_returned, net_taken, fee_taken }
    }

    pub const fn net(&self) -> i64 {
        self.gross - self.fee
    }
}

impl Split {
    /// Each may bring a wallet and a journal of its merchant's into the transaction that settles them, which takes a
    /// hundred writes.
    pub const MOST_SHARES: usize = 20;

    pub fn try_new(shares: Vec<Share>) -> Result<Self, SplitError> {
        if shares.is_empty() {
            return Err(SplitError::Empty);
        }
        if shares.len() > Self::MOST_SHARES {
            return Err(SplitError::TooMany);
        }
        let orders: std::collections::BTreeSet<OrderId> = shares.iter().map(|share| share.order).collect();
        if orders.len() < shares.len() {
            return Err(SplitError::Twice);
        }
        if shares.iter().any(|share| share.fee < 0 || share.fee > share.gross) {
            return Err(SplitError::BadFee);
        }
        Ok(Self { shares, refunded_beyond: 0, taken_beyond: 0, owed: BTreeMap::new() })
    }

    pub fn shares(&self) -> &[Share] {
        &self.shares
    }

    /// Which of the invoice's lines a merchant has sold, out of all of them.
    pub fn lines_of<T: Clone>(&self, merchant: CustomerId, lines: &[T]) -> Vec<T> {
        let mut rest = lines.iter();
        let mut sold = Vec::new();
        for share in &self.shares {
            let of_share = rest.by_ref().take(share.lines);
            if share.merchant == merchant {
                sold.extend(of_share.cloned());
            } else {
                of_share.for_each(drop);
            }
        }
        sold
    }

    /// All of it, as it comes in.
    pub(super) fn settled(&self) -> Parts {
        let parts = self.shares.iter().map(|share| (share.merchant, share.net(), share.fee));
        Parts::of(parts, 0)
    }

    /// What goes back is taken from what each still has, the fee included. Nobody gives back more than there is: what
    /// goes beyond is the platform's loss.
    fn returning(&self, amount: i64) -> (Self, Parts) {
        let held = self
            .shares
            .iter()
            .flat_map(|share| [share.net() - share.net_returned, share.fee - share.fee_returned]);
        let held: Vec<i64> = held.collect();
        let within = amount.min(held.iter().sum());
        let parts = allocated(within, &held);
        let mut after = self.clone();
        for (share, (net, fee)) in after.shares.iter_mut().zip(pairs(&parts)) {
            share.net_returned += net;
            share.fee_returned += fee;
        }
        let moved = self.moved(&parts, amount - within);
        (after, moved)
    }

    /// What we give back ourselves.
    pub(super) fn refunded(&self, amount: i64) -> (Self, Parts) {
        let (mut after, parts) = self.returning(amount);
        after.refunded_beyond += parts.beyond;
        (after, parts)
    }

    /// The same where a bank takes it back, which may come to be reinstated.
    pub(super) fn charged_back(&self, amount: i64) -> (Self, Parts) {
        let (mut after, parts) = self.returning(amount);
        for (share, before) in after.shares.iter_mut().zip(&self.shares) {
            share.net_taken += share.net_returned - before.net_returned;
            share.fee_taken += share.fee_returned - before.fee_returned;
        }
        after.taken_beyond += parts.beyond;
        (after, parts)
    }

    /// What a bank took and gives again makes good first what the platform has lost by banks, whichever case it is of. The
    /// rest goes to those from whom it was taken, but for what was refunded in the meantime: that stays returned, and the
    /// platform gets again what it has given in their place. Who owes gets out of debt first.
    pub(super) fn reinstated(&self, amount: i64) -> (Self, Parts) {
        let taken: Vec<i64> =
            self.shares.iter().flat_map(|share| [share.net_taken, share.fee_taken]).collect();
        let made_good = amount.min(self.taken_beyond);
        let within = (amount - made_good).min(taken.iter().sum());
        let given = allocated(within, &taken);
        let kept = within.min(self.refunded_beyond);
        let mut after = self.clone();
        after.taken_beyond -= made_good;
        after.refunded_beyond -= kept;
        let mut moved = self.moved(&given, amount - within);
        let parts_kept = allocated(kept, &given);
        let each = pairs(&given).zip(pairs(&parts_kept));
        for (share, ((net, fee), (net_kept, fee_kept))) in after.shares.iter_mut().zip(each) {
            share.net_taken -= net;
            share.fee_taken -= fee;
            share.net_returned -= net - net_kept;
            share.fee_returned -= fee - fee_kept;
            moved.keep(share.merchant, net_kept);
        }
        moved.settle(|merchant, net| after.settles(merchant, net));
        (after, moved)
    }

    /// Remembers what the merchants' wallets didn't have of what a journal takes from them.
    #[must_use]
    pub(super) fn owing(mut self, journal: &Journal) -> Self {
        for entry in journal.entries() {
            if let (Account::MerchantPayable(merchant), Direction::Debit) = (&entry.account, entry.direction)
            {
                *self.owed.entry(*merchant).or_default() += entry.amount.minor();
            }
        }
        self
    }

    /// How much of what a merchant gets goes to what it owes, which is less from then on.
    fn settles(&mut self, merchant: CustomerId, net: i64) -> i64 {
        let owed = self.owed.remove(&merchant).unwrap_or_default();
        let settled = net.min(owed);
        if owed > settled {
            self.owed.insert(merchant, owed - settled);
        }
        settled
    }

    fn moved(&self, parts: &[i64], beyond: i64) -> Parts {
        let merchants = self.shares.iter().map(|share| share.merchant);
        Parts::of(merchants.zip(pairs(parts)).map(|(merchant, (net, fee))| (merchant, net, fee)), beyond)
    }
}

fn pairs(parts: &[i64]) -> impl Iterator<Item = (i64, i64)> {
    parts.chunks_exact(2).map(|pair| match pair {
        [net, fee] => (*net, *fee),
        _ => (0, 0),
    })
}

/// Divides an amount in proportion, to the last unit: the largest remainders get what rounding down has left over, the
/// first of equals first. Nobody gets more than their weight while the amount is at most all weights together, and exactly
/// that if it is all of them: so any number of such steps ends at nothing.
fn allocated(amount: i64, weights: &[i64]) -> Vec<i64> {
    let whole: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
    if whole == 0 {
        return vec![0; weights.len()];
    }
    let exact = |weight: i64| i128::from(amount) * i128::from(weight);
    let floor = |weight: i64| i64::try_from(exact(weight) / whole).unwrap_or_default();
    let mut parts: Vec<i64> = weights.iter().map(|weight| floor(*weight)).collect();
    let mut left =
        if Bug::AllotmentRoundedDown.is_planted() { 0 } else { amount - parts.iter().sum::<i64>() };
    let mut by_remainder: Vec<(usize, i128)> =
        weights.iter().map(|weight| exact(*weight) % whole).enumerate().collect();
    by_remainder.sort_by_key(|(place, remainder)| (std::cmp::Reverse(*remainder), *place));
    for (place, _) in by_remainder {
        if left == 0 {
            break;
        }
        if let Some(part) = parts.get_mut(place) {
            *part += 1;
            left -= 1;
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;
    use crate::money::{Currency, Money};
    use proptest::prelude::*;

    fn merchant(number: u64) -> CustomerId {
        CustomerId::new(100 + number)
    }

    fn share(number: u64, merchant_number: u64, gross: i64, fee: i64) -> Share {
        let order = OrderId::new(CustomerId::new(7), Timestamp::UNIX_EPOCH, number);
        Share::new(order, merchant(merchant_number), gross, fee, 1)
    }

    fn shares(of: &[(i64, i64)]) -> Vec<Share> {
        let number = |place: usize| u64::try_from(place).unwrap();
        of.iter()
            .enumerate()
            .map(|(place, (gross, fee))| share(number(place), number(place) % 3, *gross, (*fee).min(*gross)))
            .collect()
    }

    fn source() -> Account {
        Account::Bank
    }

    fn wallets(parts: &Parts) -> i128 {
        let journal = parts.coming_from(&source(), &Account::Revenue, Currency::BRL);
        journal.map_or(0, |journal| journal.wallets().iter().map(|(_, _, minor)| minor).sum())
    }

    #[test]
    fn a_merchant_with_two_orders_has_one_part() {
        let split =
            Split::try_new(vec![share(1, 1, 10_000, 290), share(2, 2, 5_000, 0), share(3, 1, 100, 10)])
                .unwrap();
        let journal = split.settled().coming_from(&source(), &Account::Revenue, Currency::BRL).unwrap();
        let told: Vec<String> = journal
            .entries()
            .iter()
            .map(|entry| format!("{} {} {}", entry.direction.as_str(), entry.account.general(), entry.amount))
            .collect();
        assert_eq!(
            told,
            [
                "debit bank 101.00",
                "credit wallet 98.00",
                "credit revenue 3.00",
                "debit bank 50.00",
                "credit wallet 50.00",
            ]
        );
        let of_second = journal.part_of(merchant(2));
        assert_eq!(of_second.entries(), &journal.entries()[3..], "each is shown its own");
        assert_eq!(journal.part_of(merchant(1)).entries(), &journal.entries()[..3]);
    }

    #[test]
    fn lines_follow_their_orders() {
        let mut shares = vec![share(1, 1, 1, 0), share(2, 2, 1, 0), share(3, 1, 1, 0)];
        shares[0].lines = 2;
        let split = Split::try_new(shares).unwrap();
        assert_eq!(split.lines_of(merchant(1), &["a", "b", "c", "d"]), ["a", "b", "d"]);
        assert_eq!(split.lines_of(merchant(2), &["a", "b", "c", "d"]), ["c"]);
    }

    #[test]
    fn what_cannot_be_split_is_refused() {
        assert_eq!(Split::try_new(vec![]), Err(SplitError::Empty));
        assert_eq!(Split::try_new(vec![share(1, 1, 5, 0), share(1, 2, 5, 0)]), Err(SplitError::Twice));
        assert_eq!(Split::try_new(vec![share(1, 1, 5, 6)]), Err(SplitError::BadFee));
        assert_eq!(Split::try_new(vec![share(1, 1, 5, -1)]), Err(SplitError::BadFee));
        let many = (0..21).map(|number| share(number, 1, 5, 0)).collect();
        assert_eq!(Split::try_new(many), Err(SplitError::TooMany));
    }

    #[test]
    fn a_third_is_divided_to_the_last_cent() {
        assert_eq!(allocated(100, &[1, 1, 1]), [34, 33, 33]);
        assert_eq!(allocated(2, &[5, 3, 2]), [1, 1, 0]);
        assert_eq!(allocated(10, &[5, 3, 2]), [5, 3, 2]);
        assert_eq!(allocated(0, &[0, 0]), [0, 0]);
    }

    #[test]
    fn beyond_what_came_nobody_but_the_platform_loses() {
        let split = Split::try_new(vec![share(1, 1, 1_000, 100)]).unwrap();
        let (refunded, _) = split.returning(1_000);
        let (lost, parts) = refunded.charged_back(1_000);
        assert_eq!((parts.beyond, wallets(&parts)), (1_000, 0));
        let (after, parts) = lost.reinstated(1_000);
        assert_eq!(
            (parts.beyond, wallets(&parts), after),
            (1_000, 0, refunded),
            "and nobody gains by it either"
        );
    }

    #[test]
    fn of_what_two_cases_took_nobody_gets_more_than_is_left() {
        let split = Split::try_new(vec![share(1, 1, 1_000, 0)]).unwrap();
        let (refunded, _) = split.refunded(400);
        let (first, _) = refunded.charged_back(500);
        let (both, parts) = first.charged_back(250);
        assert_eq!((parts.beyond, wallets(&parts)), (150, 100));
        let (after, parts) = both.reinstated(250);
        assert_eq!((parts.beyond, wallets(&parts), &after), (150, 100, &first), "as if it had not been");
        let (after, parts) = both.reinstated(500);
        assert_eq!((parts.beyond, wallets(&parts)), (150, 350), "650 are gone, by the refund and the second");
        assert_eq!(after.shares()[0].net_returned, 650);
    }

    #[test]
    fn what_was_refunded_to_the_buyer_gives_no_claim_to_what_a_bank_took_from_another() {
        let split = Split::try_new(vec![share(1, 1, 1, 0), share(2, 2, 1, 0)]).unwrap();
        let (refunded, _) = split.refunded(1);
        let (lost, taken) = refunded.charged_back(1);
        let (after, given) = lost.reinstated(1);
        assert_eq!(given, taken);
        assert_eq!(after, refunded);
    }

    #[test]
    fn what_was_refunded_in_the_meantime_is_kept_once() {
        let split = Split::try_new(vec![share(1, 1, 1_000, 0)]).unwrap();
        let (lost, _) = split.charged_back(1_000);
        let (refunded, _) = lost.refunded(400);
        let (back, parts) = refunded.reinstated(1_000);
        assert_eq!((parts.kept, wallets(&parts)), (400, 600));
        let (lost, _) = back.charged_back(600);
        let (_, parts) = lost.reinstated(600);
        assert_eq!(
            (parts.kept, wallets(&parts)),
            (0, 600),
            "a second case owes nothing to the first one's refund"
        );
    }

    #[test]
    fn a_debt_is_settled_as_the_money_comes_and_no_further() {
        let split = Split::try_new(vec![share(1, 1, 1_000, 0)]).unwrap();
        let (lost, _) = split.charged_back(1_000);
        let owed = Money::try_new(900, Currency::BRL).unwrap();
        let journal = Journal::transfer(Account::MerchantPayable(merchant(1)), source(), owed).unwrap();
        let (after, first) = lost.owing(&journal).reinstated(400);
        assert_eq!((first.of[0].settles, wallets(&first)), (400, 0));
        let (_, second) = after.reinstated(600);
        assert_eq!((second.of[0].settles, wallets(&second)), (500, 100));
    }

    fn is_within(share: &Share) -> bool {
        (0..=share.net()).contains(&share.net_returned)
            && (0..=share.fee).contains(&share.fee_returned)
            && (0..=share.net_returned).contains(&share.net_taken)
            && (0..=share.fee_returned).contains(&share.fee_taken)
    }

    fn some_shares() -> impl Strategy<Value = Vec<Share>> {
        prop::collection::vec((0_i64..100_000, 0_i64..2_000), 1..=Split::MOST_SHARES)
            .prop_map(|of| shares(&of))
    }

    proptest! {
        #[test]
        fn a_split_is_the_whole_to_the_last_cent(shares in some_shares()) {
            let split = Split::try_new(shares.clone()).unwrap();
            let gross: i64 = shares.iter().map(|share| share.gross).sum();
            let nets: i64 = shares.iter().map(Share::net).sum();
            let journal = split.settled().coming_from(&source(), &Account::Revenue, Currency::BRL);
            let moved = journal.as_ref().map_or(0, |journal| journal.moved_in(Currency::BRL).unwrap().minor());
            prop_assert_eq!(moved, gross);
            prop_assert_eq!(wallets(&split.settled()), i128::from(nets));
        }

        #[test]
        fn any_sequence_of_refunds_ends_at_nothing(shares in some_shares(), steps in prop::collection::vec(1_i64..50_000, 0..12)) {
            let mut split = Split::try_new(shares).unwrap();
            let mut left: i64 = split.shares().iter().map(|share| share.gross).sum();
            let nets = i128::from(split.shares().iter().map(Share::net).sum::<i64>());
            let mut given_back = 0_i128;
            for step in steps.into_iter().chain([i64::MAX]) {
                let step = step.min(left);
                let (after, parts) = split.returning(step);
                prop_assert_eq!(parts.beyond, 0);
                prop_assert!(after.shares().iter().all(is_within));
                for (before, after) in split.shares().iter().zip(after.shares()) {
                    prop_assert!(before.net_returned <= after.net_returned && before.fee_returned <= after.fee_returned);
                }
                given_back += wallets(&parts);
                (split, left) = (after, left - step);
            }
            prop_assert_eq!((left, given_back), (0, nets));
        }

        #[test]
        fn what_is_reinstated_goes_to_whom_it_was_taken_from(
            shares in some_shares(),
            refunded in 0_i64..50_000,
            lost in 0_i64..50_000,
            first in 0_i64..50_000,
        ) {
            let split = Split::try_new(shares).unwrap();
            let whole: i64 = split.shares().iter().map(|share| share.gross).sum();
            let (refunded, _) = split.returning(refunded.min(whole));
            let (charged_back, taken) = refunded.charged_back(lost);
            let first = first.min(lost);
            let (partly, given_first) = charged_back.reinstated(first);
            prop_assert!(partly.shares().iter().all(is_within));
            let (after, given) = partly.reinstated(lost - first);
            prop_assert_eq!(taken.beyond, given_first.beyond + given.beyond);
            prop_assert_eq!(after, refunded, "each has what it had before");
        }
    }
}
