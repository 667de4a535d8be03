//! Charges on which a rule is tried when it is put. What its types don't tell, such as a division by what may be nothing, they do.

use fatura_domain::gateway::MeansType;
use fatura_domain::id::{CustomerId, PaymentMethodId};
use fatura_domain::money::{Currency, MAX_MINOR, Money};
use fatura_domain::risk::{Buyer, Counts, Facts, Method, Person, Record, Velocity};
use fatura_domain::text::Email;
use fatura_domain::{SignedDuration, Timestamp};

/// What one is like, and the charge.
pub(crate) type Sample = (&'static str, Facts);

/// The ends of what facts can be, all of them known: what an expression does in between, and with what is absent, follows.
pub(crate) fn samples() -> Vec<Sample> {
    let nothing = Numbers { minor: 0, hours: 0, often: 0, attempts: 0, cards: 0 };
    let one = Numbers { minor: 1, hours: 24, often: 1, attempts: 1, cards: 1 };
    let most = Numbers {
        minor: MAX_MINOR,
        hours: SignedDuration::MAX.as_hours(),
        often: u32::MAX,
        attempts: bound(Velocity::MOST_ATTEMPTS),
        cards: bound(Velocity::MOST_CARDS),
    };
    let named = [
        ("all numbers are 0", nothing),
        ("all numbers are 1", one),
        ("all numbers are as large as can be", most),
    ];
    named.into_iter().filter_map(|(name, numbers)| Some((name, sample(&numbers)?))).collect()
}

struct Numbers {
    minor: i64,
    hours: i64,
    often: u32,
    attempts: u32,
    cards: u32,
}

fn sample(numbers: &Numbers) -> Option<Facts> {
    let id = CustomerId::new(0);
    let country = "BR".parse().ok();
    Some(Facts {
        amount: Money::try_new(numbers.minor, Currency::BRL).ok()?,
        customer: Buyer {
            id,
            person: Some(Person {
                email: Email::parse("ana@example.com").ok()?,
                age: SignedDuration::from_secs(numbers.hours.saturating_mul(3_600)),
                country,
            }),
            record: Record { payments: numbers.often, disputes: numbers.often },
        },
        method: Some(Method {
            id: PaymentMethodId::new(id, Timestamp::UNIX_EPOCH, 0),
            means: MeansType::CreditCard,
            brand: Some("visa".to_owned()),
            country,
        }),
        velocity: Counts {
            attempts_hour: numbers.attempts,
            attempts_day: numbers.attempts,
            cards_hour: numbers.cards,
            cards_day: numbers.cards,
        },
    })
}

fn bound(most: usize) -> u32 {
    u32::try_from(most).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fatura_domain::risk::{Blocklists, FACTS};

    #[test]
    fn no_sample_is_lost_and_all_is_known_of_each() {
        let samples = samples();
        assert_eq!(samples.len(), 3);
        for (name, facts) in samples {
            for fact in &FACTS {
                assert!(fact.read(&facts, &Blocklists::default()).is_some(), "{name}: {}", fact.name);
            }
        }
    }
}
