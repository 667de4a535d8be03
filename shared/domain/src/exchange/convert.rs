//! Amounts in many currencies as one: exact fractions of whole numbers of any size, rounded at the very end.

use super::{Conversion, ExchangeRates, PartsError, Quote, Rate};
use crate::bug::Bug;
use crate::money::{Currency, Money, MoneyError};
use num_bigint::{BigInt, Sign};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use thiserror::Error;

/// All currencies that lack a rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingRates(pub BTreeSet<Currency>);

impl fmt::Display for MissingRates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let codes: Vec<&str> = self.0.iter().map(|currency| currency.code()).collect();
        write!(f, "there is no rate for {}", codes.join(", "))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConvertError {
    #[error("{0}")]
    Missing(MissingRates),
    /// An amount, a part or the total.
    #[error("more than {} minor units", crate::money::MAX_MINOR)]
    TooLarge,
}

impl From<MoneyError> for ConvertError {
    fn from(_: MoneyError) -> Self {
        Self::TooLarge
    }
}

impl From<PartsError> for ConvertError {
    fn from(_: PartsError) -> Self {
        Self::TooLarge
    }
}

impl ExchangeRates {
    /// What the amounts make in another currency. Amounts of one currency are added up first, so that their order never
    /// matters. The total is the exact sum, rounded once, half to even. Each part is its exact value rounded the same way;
    /// what these lack to the total, or have too much, goes by single minor units to the parts that rounding has taken most
    /// from, or given most to; among equals to the first by code. So no part is a whole minor unit off, an amount in the
    /// target currency stays what it is, and amounts of the other sign make the same of the other sign.
    ///
    /// What comes to nothing needs no rate.
    pub fn convert(
        &self,
        amounts: impl IntoIterator<Item = Money>,
        to: Currency,
    ) -> Result<Conversion, ConvertError> {
        let amounts = by_currency(amounts)?;
        let exact = self.exact(&amounts, to)?;
        let sum = exact.values().fold(Fraction::ZERO, |sum, value| sum.plus(value));
        let total = sum.rounded(to)?;

        let mut parts = BTreeMap::new();
        let mut off = BTreeMap::new();
        for (currency, value) in &exact {
            let part = value.rounded(to)?;
            off.insert(*currency, value.minus(&Fraction::whole(part.minor())));
            parts.insert(*currency, part);
        }
        spread(total, &mut parts, off)?;
        let conversion = Conversion::try_new(to, parts, self.quote(&amounts, to))?;
        assert_eq!(conversion.total(), total, "the parts add up");
        Ok(conversion)
    }

    /// Of what had to be converted; None: of nothing.
    fn quote(&self, amounts: &BTreeMap<Currency, Money>, to: Currency) -> Option<Quote> {
        let foreign = amounts.iter().filter(|(of, amount)| **of != to && !amount.is_zero());
        let rates: BTreeMap<_, _> = foreign.filter_map(|(of, _)| Some((*of, self.cross(*of, to)?))).collect();
        let (source, published_at) = (self.source, self.published_at);
        (!rates.is_empty()).then_some(Quote { rates, source, published_at })
    }

    /// In minor units of the target, by currency.
    fn exact(
        &self,
        amounts: &BTreeMap<Currency, Money>,
        to: Currency,
    ) -> Result<BTreeMap<Currency, Fraction>, ConvertError> {
        let mut missing = BTreeSet::new();
        let mut exact = BTreeMap::new();
        for (currency, amount) in amounts {
            if *currency == to || amount.is_zero() {
                exact.insert(*currency, Fraction::whole(amount.minor()));
                continue;
            }
            match (self.rate(*currency), self.rate(to)) {
                (Some(from), Some(rate)) => {
                    let value = Fraction::converted(*amount, from, rate, to);
                    let is_rounded = Bug::ConvertedByPart.is_planted();
                    let value = if is_rounded { Fraction::whole(value.rounded(to)?.minor()) } else { value };
                    exact.insert(*currency, value);
                }
                (from, rate) => {
                    missing.extend(from.is_none().then_some(*currency));
                    missing.extend(rate.is_none().then_some(to));
                }
            }
        }
        if missing.is_empty() { Ok(exact) } else { Err(ConvertError::Missing(MissingRates(missing))) }
    }
}

fn by_currency(amounts: impl IntoIterator<Item = Money>) -> Result<BTreeMap<Currency, Money>, ConvertError> {
    let mut sums: BTreeMap<Currency, i128> = BTreeMap::new();
    for amount in amounts {
        // Sums on the way may be larger than any amount: whether they fit must not depend on the order.
        let sum = sums.entry(amount.currency()).or_default();
        *sum = sum.checked_add(i128::from(amount.minor())).ok_or(ConvertError::TooLarge)?;
    }
    let fits = |(currency, sum)| Ok((currency, Money::rounded(sum, Currency::digits(currency), currency)?));
    sums.into_iter().map(fits).collect()
}

/// Makes the parts add up to the total. `off` is what rounding has taken from each. There is always enough to take from:
/// to be off by a number of minor units, at least as many parts have to be off in that direction.
fn spread(
    total: Money,
    parts: &mut BTreeMap<Currency, Money>,
    off: BTreeMap<Currency, Fraction>,
) -> Result<(), ConvertError> {
    let to = total.currency();
    let sum: i128 = parts.values().map(|part| i128::from(part.minor())).sum();
    let lacking = i128::from(total.minor()) - sum;
    let unit = Money::try_new(i64::try_from(lacking.signum()).unwrap_or_default(), to)?;
    let mut most_off: Vec<(Currency, Fraction)> = off.into_iter().collect();
    // Stable: among equals the first by code stays the first.
    most_off.sort_by(|(_, a), (_, b)| if lacking > 0 { b.cmp(a) } else { a.cmp(b) });
    let count = usize::try_from(lacking.unsigned_abs()).map_err(|_| ConvertError::TooLarge)?;
    for (currency, _) in most_off.iter().take(count) {
        if let Some(part) = parts.get_mut(currency) {
            *part = part.plus(unit)?;
        }
    }
    Ok(())
}

/// An exact number. The denominator is positive; nothing is ever reduced, because there are at most as many factors as
/// there are currencies.
#[derive(Debug, Clone)]
struct Fraction {
    numerator: BigInt,
    denominator: BigInt,
}

impl Fraction {
    const ZERO: Self = Self { numerator: BigInt::ZERO, denominator: BigInt::ONE };

    fn whole(number: i64) -> Self {
        Self { numerator: number.into(), denominator: 1.into() }
    }

    /// `amount × to / from`, in minor units of the target.
    fn converted(amount: Money, from: Rate, to: Rate, target: Currency) -> Self {
        let (from, to) = (from.value(), to.value());
        let ten = |power: u32| BigInt::from(10).pow(power);
        Self {
            numerator: BigInt::from(amount.minor()) * to.mantissa() * ten(from.scale() + target.digits()),
            denominator: BigInt::from(from.mantissa()) * ten(to.scale() + amount.currency().digits()),
        }
    }

    fn plus(&self, other: &Self) -> Self {
        Self {
            numerator: &self.numerator * &other.denominator + &other.numerator * &self.denominator,
            denominator: &self.denominator * &other.denominator,
        }
    }

    fn minus(&self, other: &Self) -> Self {
        self.plus(&Self { numerator: -&other.numerator, denominator: other.denominator.clone() })
    }

    /// As money, by the one function that rounds money. It is told a decimal digit more than there are minor units, and one
    /// beyond that which says whether anything was cut off: enough to tell a half from a little more than a half.
    fn rounded(&self, currency: Currency) -> Result<Money, ConvertError> {
        let tenths = &self.numerator * 10;
        let (quotient, remainder): (BigInt, BigInt) =
            (&tenths / &self.denominator, &tenths % &self.denominator);
        let cut_off = match remainder.sign() {
            Sign::Minus => -1,
            Sign::NoSign => 0,
            Sign::Plus => 1,
        };
        let mantissa = i128::try_from(quotient * 10 + cut_off).map_err(|_| ConvertError::TooLarge)?;
        Ok(Money::rounded(mantissa, currency.digits() + 2, currency)?)
    }

    fn cmp(&self, other: &Self) -> Ordering {
        (&self.numerator * &other.denominator).cmp(&(&other.numerator * &self.denominator))
    }
}
