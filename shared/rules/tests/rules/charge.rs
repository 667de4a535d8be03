//! A charge like any other, and how to make it a special one.

use fatura_domain::gateway::MeansType;
use fatura_domain::id::{CustomerId, PaymentMethodId};
use fatura_domain::money::{Currency, Money};
use fatura_domain::risk::{Buyer, Counts, Facts, Method, Person, Record};
use fatura_domain::text::Email;
use fatura_domain::{SignedDuration, Timestamp};

pub(crate) fn usual() -> Facts {
    let id = CustomerId::new(7);
    Facts {
        amount: Money::try_new(10_000, Currency::BRL).unwrap(),
        customer: Buyer {
            id,
            person: Some(Person {
                email: Email::parse("ana@example.com").unwrap(),
                age: SignedDuration::from_hours(30 * 24),
                country: "BR".parse().ok(),
            }),
            record: Record { payments: 2, disputes: 0 },
        },
        method: Some(Method {
            id: PaymentMethodId::new(id, Timestamp::UNIX_EPOCH, 1),
            means: MeansType::CreditCard,
            brand: Some("visa".to_owned()),
            country: "BR".parse().ok(),
        }),
        velocity: Counts { attempts_hour: 1, attempts_day: 1, cards_hour: 1, cards_day: 1 },
    }
}

/// The charge with one fact as said: a value, or none.
pub(crate) fn with(facts: Facts, name: &str, value: Option<&str>) -> Facts {
    let Facts { mut amount, mut customer, mut method, mut velocity } = facts;
    let person = customer.person.as_mut().unwrap();
    let text = value.unwrap_or_default();
    let number = || text.parse::<u32>().unwrap();
    match name {
        "amount.minor" => amount = Money::try_new(text.parse().unwrap(), amount.currency()).unwrap(),
        "amount.currency" => amount = Money::try_new(amount.minor(), text.parse().unwrap()).unwrap(),
        "customer.email" => person.email = Email::parse(text).unwrap(),
        "customer.age_days" => person.age = SignedDuration::from_hours(24 * i64::from(number())),
        "customer.country" => person.country = value.map(|text| text.parse().unwrap()),
        "customer.payments" => customer.record.payments = number(),
        "customer.disputes" => customer.record.disputes = number(),
        "payment_method.type" => {
            let means =
                value.map(|text| MeansType::ALL.into_iter().find(|means| means.as_str() == text).unwrap());
            method = method.zip(means).map(|(method, means)| Method { means, ..method });
        }
        "payment_method.country" => {
            let country = value.map(|text| text.parse().unwrap());
            method = method.map(|method| Method { country, ..method });
        }
        "velocity.attempts_hour" => velocity.attempts_hour = number(),
        "velocity.attempts_day" => velocity.attempts_day = number(),
        "velocity.cards_hour" => velocity.cards_hour = number(),
        "velocity.cards_day" => velocity.cards_day = number(),
        other => panic!("{other} can't be set here"),
    }
    Facts { amount, customer, method, velocity }
}
