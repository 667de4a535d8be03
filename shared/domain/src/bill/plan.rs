//! What a closed bill is to become, the same however often it is asked.

use super::settle::SettleError;
use super::state::{Closed, Settlement};
use super::{Bill, entropy_of};
use crate::Timestamp;
use crate::exchange::Conversion;
use crate::id::{BillId, InvoiceId};
use crate::invoice::{Content, FactorError, LineItem, MAX_FACTOR, Quantity, UnitPrice};
use crate::money::{Currency, Money, MoneyError};
use crate::text::{Description, Metadata, Text, TextError};
use std::collections::BTreeMap;
use thiserror::Error;

/// What is still to be done about one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettlementStep {
    Invoice(Box<InvoicePlan>),
    /// A balance that some other bill takes as a credit.
    Carry(Money),
}

impl SettlementStep {
    pub const fn invoice(&self) -> Option<&InvoicePlan> {
        match self {
            Self::Invoice(plan) => Some(plan),
            Self::Carry(_) => None,
        }
    }

    pub const fn balance(&self) -> Option<Money> {
        match self {
            Self::Carry(balance) => Some(*balance),
            Self::Invoice(_) => None,
        }
    }
}

/// An invoice that asks for what a bill comes to in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoicePlan {
    pub id: InvoiceId,
    pub bill: BillId,
    /// When it was known what is owed: as of then the invoice is made, whenever somebody gets around to it.
    pub at: Timestamp,
    pub content: Content,
    /// What the content comes to.
    pub total: Money,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlanError {
    #[error(transparent)]
    Settle(#[from] SettleError),
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error("an invoice's price cannot be written: {0}")]
    Factor(#[from] FactorError),
    #[error("an invoice's text cannot be written: {0}")]
    Text(#[from] TextError),
    #[error("the lines come to {lines}, and {owed} is owed")]
    Uneven { lines: Money, owed: Money },
}

/// How many currencies an invoice shows one by one. No amount fills more than nine lines beyond the first, so that with one
/// more for the other currencies the lines are never more than an invoice may have.
const MOST_SHOWN: usize = 90;

impl Bill {
    /// What is to be done until it is settled. Empty: nothing any more.
    pub fn settlement_steps(&self) -> Result<Vec<SettlementStep>, PlanError> {
        let closed = self.closed()?;
        let Settlement::Settling { since, .. } = &closed.settlement else {
            return Ok(Vec::new());
        };
        let step = |amount: Money| {
            if amount.is_positive() {
                self.invoice(closed, amount, *since).map(|plan| SettlementStep::Invoice(Box::new(plan)))
            } else {
                Ok(SettlementStep::Carry(amount))
            }
        };
        closed.unsettled().into_iter().map(step).collect()
    }

    fn invoice(&self, closed: &Closed, owed: Money, at: Timestamp) -> Result<InvoicePlan, PlanError> {
        let shares = match closed.settlement.conversion() {
            Some(conversion) => shares_of(closed, conversion)?,
            None => vec![Share { what: format!("Fees in {}", owed.currency()), amount: owed }],
        };
        let mut items = Vec::new();
        for share in shares {
            share.push_lines(&mut items)?;
        }
        let (first, last) = self.terms.days();
        let content = Content {
            currency: owed.currency(),
            items,
            description: Some(Description::parse(&format!("Fees from {first} to {last}"))?),
            metadata: Metadata::parse(BTreeMap::from([(Text::parse("bill_id")?, self.id.to_string())]))?,
        };
        let lines = content.total()?;
        if lines != owed {
            return Err(PlanError::Uneven { lines, owed });
        }
        let id = invoice_id(self.id, owed.currency(), at, 0);
        Ok(InvoicePlan { id, bill: self.id, at, content, total: owed })
    }
}

impl InvoicePlan {
    /// The same invoice under another id, where some other invoice has this one: thirty bits of a digest may meet.
    #[must_use]
    pub fn with_other_id(self, salt: u8) -> Self {
        Self { id: invoice_id(self.bill, self.content.currency, self.at, salt), ..self }
    }
}

fn invoice_id(bill: BillId, currency: Currency, at: Timestamp, salt: u8) -> InvoiceId {
    let entropy = entropy_of(&["invoice", bill.code(), currency.code(), &salt.to_string()]);
    InvoiceId::new(bill.owner(), at, entropy)
}

/// What one or more lines of an invoice ask for.
struct Share {
    what: String,
    amount: Money,
}

impl Share {
    /// One line, or more where the amount is beyond what a line's price may be.
    fn push_lines(&self, items: &mut Vec<LineItem>) -> Result<(), PlanError> {
        let currency = self.amount.currency();
        let most = Money::rounded(i128::from(MAX_FACTOR), 0, currency).unwrap_or(self.amount);
        let mut rest = self.amount;
        while rest.is_positive() {
            let part = if rest.minor() > most.minor() { most } else { rest };
            items.push(LineItem {
                description: Description::parse(&self.what)?,
                quantity: Quantity::parse("1")?,
                unit_price: UnitPrice::parse(&part.to_string())?,
            });
            rest = rest.minus(part)?;
        }
        Ok(())
    }
}

/// What each currency adds to the converted total. An invoice has no negative lines: what is given back in one currency
/// lowers what the others ask for, each by its part of the whole.
fn shares_of(closed: &Closed, conversion: &Conversion) -> Result<Vec<Share>, PlanError> {
    let asked = conversion.parts().iter().filter(|(_, part)| part.is_positive());
    let asked: Vec<(Currency, Money)> = asked.map(|(of, part)| (*of, *part)).collect();
    let weights: Vec<i64> = asked.iter().map(|(_, part)| part.minor()).collect();
    let is_lowered = weights.iter().map(|minor| i128::from(*minor)).sum::<i128>()
        != i128::from(conversion.total().minor());
    let mut shares = Vec::new();
    for ((of, _), minor) in asked.iter().zip(shared_out(conversion.total().minor(), &weights)) {
        let what = describe(closed.sums.totals.get(*of), conversion, is_lowered);
        shares.push(Share { what, amount: Money::try_new(minor, conversion.currency())? });
    }
    if shares.len() <= MOST_SHOWN {
        return Ok(shares);
    }
    shares.sort_by_key(|share| std::cmp::Reverse(share.amount.minor()));
    let others = shares.split_off(MOST_SHOWN);
    shares.push(Share {
        what: format!("Fees in {} other currencies", others.len()),
        amount: Money::sum(conversion.currency(), others.iter().map(|share| share.amount))?,
    });
    Ok(shares)
}

fn describe(total: Money, conversion: &Conversion, is_lowered: bool) -> String {
    let of = total.currency();
    let rate = conversion.quote().and_then(|quote| quote.rates.get(&of));
    let rate = rate.filter(|_| of != conversion.currency());
    let at = rate.map_or_else(String::new, |rate| format!(" at {rate}"));
    let less = if is_lowered { ", less credits" } else { "" };
    format!("Fees in {of}: {total}{at}{less}")
}

/// Divides a total by weights, none of them negative, so that the shares come to exactly the total: each has its part rounded
/// down, and what is left goes one by one to those who lost most, the first of equals first.
fn shared_out(total: i64, weights: &[i64]) -> Vec<i64> {
    let sum: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
    let exact = |weight: &i64| i128::from(total) * i128::from(*weight);
    let whole = |weight: &i64| exact(weight).checked_div_euclid(sum).unwrap_or_default();
    let mut shares: Vec<i64> =
        weights.iter().map(|weight| i64::try_from(whole(weight)).unwrap_or_default()).collect();
    let left = total - shares.iter().sum::<i64>();
    let mut by_loss: Vec<usize> = (0..weights.len()).collect();
    by_loss.sort_by_key(|index| {
        let lost = weights.get(*index).and_then(|weight| exact(weight).checked_rem_euclid(sum));
        std::cmp::Reverse(lost)
    });
    for index in by_loss.into_iter().take(usize::try_from(left).unwrap_or_default()) {
        if let Some(share) = shares.get_mut(index) {
            *share += 1;
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::MAX_MINOR;
    use proptest::prelude::*;

    #[test]
    fn what_is_left_goes_to_those_who_lost_most() {
        assert_eq!(shared_out(100, &[1, 1, 1]), [34, 33, 33]);
        assert_eq!(shared_out(2, &[1, 1, 1]), [1, 1, 0]);
        assert_eq!(shared_out(10, &[1, 5]), [2, 8]);
        assert_eq!(shared_out(7, &[7]), [7]);
        assert_eq!(shared_out(0, &[]), [0; 0]);
        assert_eq!(shared_out(MAX_MINOR, &[MAX_MINOR, MAX_MINOR]), [MAX_MINOR / 2 + 1, MAX_MINOR / 2]);
    }

    proptest! {
        #[test]
        fn shares_come_to_the_total_and_are_near_their_part(total in 0..=MAX_MINOR, weights in prop::collection::vec(1..=MAX_MINOR, 1..120)) {
            let shares = shared_out(total, &weights);
            prop_assert_eq!(shares.iter().sum::<i64>(), total);
            let sum: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
            for (share, weight) in shares.iter().zip(&weights) {
                let off = i128::from(*share) * sum - i128::from(total) * i128::from(*weight);
                prop_assert!(off.abs() < sum, "within one of its part");
            }
        }
    }
}
