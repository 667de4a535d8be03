use super::*;
use crate::money::{MAX_MINOR, Money, parse_decimal};
use num_bigint::BigInt;
use proptest::prelude::*;
use rust_decimal::Decimal;

const CODES: [&str; 12] =
    ["USD", "EUR", "BRL", "GEL", "JPY", "KWD", "CLF", "XOF", "GBP", "TND", "VND", "MXN"];

fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

fn money(text: &str, code: &str) -> Money {
    Money::parse(text, currency(code)).unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_793_620_800 + seconds).unwrap()
}

fn publication(base: &str, rates: &[(&str, &str)]) -> ExchangeRates {
    let rates = rates.iter().map(|(code, rate)| (currency(code), Rate::parse(rate).unwrap()));
    ExchangeRates::try_new(RateSource::OpenExchangeRates, currency(base), at(0), rates).unwrap()
}

fn dollars() -> ExchangeRates {
    publication(
        "USD",
        &[("BRL", "5.4321"), ("EUR", "0.92"), ("GEL", "2.73"), ("JPY", "151.37"), ("KWD", "0.3071")],
    )
}

fn parts(conversion: &Conversion) -> Vec<(String, String)> {
    let shown = |(currency, part): (&Currency, &Money)| (currency.to_string(), part.to_string());
    conversion.parts().iter().map(shown).collect()
}

#[test]
fn lari_become_dollars_to_the_cent() {
    let conversion =
        dollars().convert([money("27.30", "GEL"), money("10.00", "USD")], Currency::USD).unwrap();
    assert_eq!(conversion.total(), money("20.00", "USD"));
    assert_eq!(parts(&conversion), [("GEL".into(), "10.00".into()), ("USD".into(), "10.00".into())]);
    let quote = conversion.quote().unwrap();
    assert_eq!(quote.rates[&currency("GEL")].to_string(), "0.3663003663003663");
    assert_eq!((quote.rates.len(), quote.published_at), (1, at(0)), "dollars are dollars");
}

#[test]
fn digits_are_each_currencys_own() {
    let rates = dollars();
    for (amount, to, converted) in [
        (money("1", "JPY"), "KWD", "0.002"),
        (money("151", "JPY"), "USD", "1.00"),
        (money("1.000", "KWD"), "JPY", "493"),
        (money("0.001", "KWD"), "USD", "0.00"),
        (money("-1.00", "USD"), "JPY", "-151"),
        (money("100.00", "EUR"), "BRL", "590.45"),
    ] {
        let conversion = rates.convert([amount], currency(to)).unwrap();
        assert_eq!(conversion.total().to_string(), converted, "{amount} {}", amount.currency());
    }
}

#[test]
fn what_rounding_took_is_given_back_to_whom_it_took_most_from() {
    let rates = publication("USD", &[("BRL", "3"), ("EUR", "3"), ("GEL", "6"), ("GBP", "7")]);
    let third = |code| Money::try_new(100, currency(code)).unwrap();
    // 33.3 + 33.3 + 16.7 + 14.3 cents: 97.6, and the parts as they round make 33 + 33 + 17 + 14 = 97.
    let all = [third("BRL"), third("EUR"), third("GEL"), third("GBP")];
    let conversion = rates.convert(all, Currency::USD).unwrap();
    assert_eq!(conversion.total(), money("0.98", "USD"));
    let expected = [("BRL", "0.34"), ("EUR", "0.33"), ("GBP", "0.14"), ("GEL", "0.17")];
    assert_eq!(parts(&conversion), expected.map(|(code, part)| (code.to_owned(), part.to_owned())));

    // 16.7 + 16.7 + 16.7: exactly 50, and the parts as they round make 51.
    let rates = publication("USD", &[("BRL", "6"), ("EUR", "6"), ("GEL", "6")]);
    let conversion = rates.convert([third("GEL"), third("EUR"), third("BRL")], Currency::USD).unwrap();
    assert_eq!(conversion.total(), money("0.50", "USD"));
    let expected = [("BRL", "0.16"), ("EUR", "0.17"), ("GEL", "0.17")];
    assert_eq!(parts(&conversion), expected.map(|(code, part)| (code.to_owned(), part.to_owned())));
}

#[test]
fn a_half_is_even_and_a_hair_more_than_a_half_is_more() {
    for (rate, minor) in [("0.5", 0), ("0.500000000001", 1), ("1.5", 2), ("2.5", 2), ("0.499999999999", 0)] {
        let rates = publication("USD", &[("BRL", rate)]);
        for sign in [1, -1] {
            let cent = Money::try_new(sign, Currency::USD).unwrap();
            let total = rates.convert([cent], Currency::BRL).unwrap().total();
            assert_eq!(total.minor(), sign * minor, "{rate}");
        }
    }
}

#[test]
fn every_currency_without_a_rate_is_named() {
    let rates = dollars();
    let amounts = [money("1", "XOF"), money("1.00", "GEL"), money("1.00", "MXN"), money("0", "VND")];
    let missing = rates.convert(amounts, Currency::USD).unwrap_err();
    assert_eq!(missing.to_string(), "there is no rate for MXN, XOF");
    let missing = rates.convert(amounts, currency("CLF")).unwrap_err();
    assert_eq!(missing.to_string(), "there is no rate for CLF, MXN, XOF");
    // Nothing is nothing at any rate, and what is already there needs none.
    let alone = rates.convert([money("5.0000", "CLF"), money("0", "VND")], currency("CLF")).unwrap();
    assert_eq!(alone.total(), money("5.0000", "CLF"));
    assert_eq!(rates.convert([], currency("CLF")).unwrap().total(), Money::zero(currency("CLF")));
}

#[test]
fn what_is_too_large_is_an_error_and_never_less() {
    let rates = publication("USD", &[("BRL", "1000000000000"), ("EUR", "0.000000000001")]);
    let most = |code| Money::try_new(MAX_MINOR, currency(code)).unwrap();
    assert_eq!(rates.convert([most("USD")], Currency::BRL), Err(ConvertError::TooLarge));
    assert_eq!(rates.convert([most("EUR")], Currency::BRL), Err(ConvertError::TooLarge));
    assert_eq!(rates.convert([most("USD"), most("USD")], Currency::USD), Err(ConvertError::TooLarge));
    let cent = Money::try_new(-1, Currency::USD).unwrap();
    let debt = Money::try_new(-MAX_MINOR, Currency::USD).unwrap();
    // Too much on the way, whatever comes first.
    for amounts in [[most("USD"), most("USD"), debt, cent], [debt, cent, most("USD"), most("USD")]] {
        assert_eq!(rates.convert(amounts, Currency::USD).unwrap().total().minor(), MAX_MINOR - 1);
    }
}

#[test]
fn a_cross_rate_is_shown_to_eighteen_digits() {
    let rates = dollars();
    let cross = |from, to| rates.cross(currency(from), currency(to)).map(|cross| cross.to_string());
    assert_eq!(cross("USD", "GEL"), Some("2.73".to_owned()));
    assert_eq!(cross("GEL", "USD"), Some("0.366300366300366300".trim_end_matches('0').to_owned()));
    assert_eq!(cross("EUR", "JPY"), Some("164.532608695652174".to_owned()));
    assert_eq!(cross("GEL", "GEL"), Some("1".to_owned()));
    assert_eq!(cross("VND", "VND"), Some("1".to_owned()), "worth itself");
    assert_eq!(cross("VND", "USD"), None);
    assert_eq!(cross("USD", "VND"), None);
    let wide = publication("USD", &[("BRL", "1000000000000"), ("EUR", "0.000000000001")]);
    let cross = |from, to| wide.cross(from, to).map(|cross| cross.to_string());
    assert_eq!(cross(Currency::EUR, Currency::BRL), Some("1000000000000000000000000".to_owned()));
    assert_eq!(cross(Currency::BRL, Currency::EUR), Some("0.000000000000000000000001".to_owned()));
}

#[test]
fn a_rate_is_a_positive_number_and_kept_as_it_is() {
    for text in ["0", "-1", "0.0", "-0", "NaN", "", "1,5", "1e13", "0.0000000000001", "+1", "1e-99", " 1"] {
        assert!(Rate::parse(text).is_err(), "{text:?}");
    }
    for (text, kept) in [("2.7300", "2.73"), ("1e-5", "0.00001"), ("1000000000000", "1000000000000")] {
        assert_eq!(Rate::parse(text).map(|rate| rate.to_string()), Ok(kept.to_owned()));
    }
    assert_eq!(Rate::parse("0"), Err(RateError::NotPositive));
    assert_eq!(Rate::parse("1e13"), Err(RateError::OutOfRange));
}

#[test]
fn a_publication_says_one_thing_of_each_currency() {
    let quoted = |rates: &[(&str, &str)]| {
        let rates = rates.iter().map(|(code, rate)| (currency(code), Rate::parse(rate).unwrap()));
        ExchangeRates::try_new(RateSource::OpenExchangeRates, Currency::USD, at(0), rates.collect::<Vec<_>>())
    };
    assert_eq!(quoted(&[("BRL", "5"), ("BRL", "5")]), Err(PublicationError::Repeated(Currency::BRL)));
    assert_eq!(quoted(&[("BRL", "5"), ("USD", "1.1")]), Err(PublicationError::BaseNotOne(Currency::USD)));
    assert_eq!(quoted(&[("USD", "1")]), Err(PublicationError::Empty));
    let sound = quoted(&[("BRL", "5"), ("USD", "1.0")]).unwrap();
    assert_eq!(sound.rate(Currency::USD), Some(Rate::ONE));
    assert_eq!(sound.currencies().map(Currency::code).collect::<Vec<_>>(), ["BRL", "USD"]);
}

#[test]
fn what_is_stored_is_short_and_comes_back() {
    let rates = dollars();
    let narrowed = rates.only(&[currency("GEL"), currency("VND")].into());
    let stored = serde_json::to_string(&narrowed).unwrap();
    assert_eq!(stored, r#"{"s":"oxr","b":"USD","at":1793620800000,"r":{"GEL":"2.73"}}"#);
    assert_eq!(serde_json::from_str::<ExchangeRates>(&stored).unwrap(), narrowed);
    assert_eq!(narrowed.convert([money("27.30", "GEL")], Currency::USD).unwrap().total().minor(), 1_000);
    let none = rates.only(&BTreeSet::new());
    let stored = serde_json::to_string(&none).unwrap();
    assert_eq!(serde_json::from_str::<ExchangeRates>(&stored).unwrap(), none);
    for bad in [
        r#"{"s":"oxr","b":"USD","at":1793620800000,"r":{"GEL":"-2.73"}}"#,
        r#"{"s":"oxr","b":"USD","at":1793620800000,"r":{"USD":"2"}}"#,
        r#"{"s":"oxr","b":"XAU","at":1793620800000,"r":{}}"#,
    ] {
        assert!(serde_json::from_str::<ExchangeRates>(bad).is_err(), "{bad}");
    }
    let conversion = rates.convert([money("27.30", "GEL")], Currency::USD).unwrap();
    let stored = serde_json::to_string(&conversion).unwrap();
    let expected =
        r#"{"c":"USD","p":{"GEL":1000},"q":{"r":{"GEL":"0.3663003663003663"},"s":"oxr","t":1793620800000}}"#;
    assert_eq!(stored, expected);
    assert_eq!(serde_json::from_str::<Conversion>(&stored).unwrap(), conversion);
}

#[test]
fn rates_are_fresh_then_stale_then_none() {
    let hours = SignedDuration::from_hours;
    let limits = AgeLimits::try_new(hours(1), hours(72)).unwrap();
    let published = Publication { rates: dollars(), confirmed_at: at(3_600 * 24) };
    let ms = |hours: i64, ms: i64| at(hours * 3_600) + SignedDuration::from_millis(ms);
    for (now, freshness) in [
        (ms(24, 0), Freshness::Fresh),
        (ms(25, -1), Freshness::Fresh),
        (ms(25, 0), Freshness::Stale),
        (ms(72, 0), Freshness::Stale),
        (ms(72, 1), Freshness::NoRate),
        // Confirmed by a clock that is ahead of ours; then by one that has been put back since.
        (ms(23, 1), Freshness::Fresh),
        (ms(23, 0), Freshness::Stale),
        (ms(-1, 0), Freshness::Stale),
        (ms(-1, -1), Freshness::NoRate),
    ] {
        assert_eq!(limits.freshness(&published, now), freshness, "{now}");
    }
    let old = Publication { confirmed_at: ms(73, 0), ..published };
    assert_eq!(limits.freshness(&old, ms(73, 0)), Freshness::NoRate, "however lately it was confirmed");
    assert_eq!(old.rates.age(ms(5, 0)), hours(5));
    assert_eq!(old.rates.age(ms(-5, 0)), SignedDuration::ZERO);
    assert_eq!(AgeLimits::try_new(hours(0), hours(1)), Err(InvalidAgeLimits));
    assert_eq!(AgeLimits::try_new(hours(2), hours(1)), Err(InvalidAgeLimits));
}

#[test]
fn sources_have_names() {
    let names = RateSource::ALL.map(|source| source.to_string());
    assert_eq!(names, ["open_exchange_rates", "european_central_bank"]);
}

#[test]
fn older_never_supersedes_newer() {
    let of = |published: i64, confirmed: i64| {
        let rates = ExchangeRates { published_at: at(published), ..dollars() };
        Publication { rates, confirmed_at: at(confirmed) }
    };
    assert!(of(10, 10).supersedes(&of(9, 99)));
    assert!(of(10, 11).supersedes(&of(10, 10)));
    assert!(of(10, 10).supersedes(&of(10, 10)));
    assert!(!of(10, 9).supersedes(&of(10, 10)));
    assert!(!of(9, 99).supersedes(&of(10, 10)));
}

/// Mostly such as money has; sometimes anything that a rate may be.
fn any_quotes() -> impl Strategy<Value = Vec<Rate>> {
    let rate = |mantissas: std::ops::RangeInclusive<i64>, scales: std::ops::RangeInclusive<u32>| {
        let rate = (mantissas, scales)
            .prop_map(|(n, scale)| Rate::parse(&Decimal::new(n, scale).to_string()).unwrap());
        proptest::collection::vec(rate, CODES.len())
    };
    prop_oneof![3 => rate(1_000..=9_999_999, 3..=6), 1 => rate(1..=999_999_999, 0..=12)]
}

fn any_rates() -> impl Strategy<Value = ExchangeRates> {
    (0..CODES.len(), any_quotes()).prop_map(|(base, rates)| {
        let quoted = CODES.iter().zip(rates).filter(|(code, _)| **code != CODES[base]);
        let quoted = quoted.map(|(code, rate)| (currency(code), rate));
        ExchangeRates::try_new(RateSource::EuropeanCentralBank, currency(CODES[base]), at(0), quoted).unwrap()
    })
}

fn any_amounts() -> impl Strategy<Value = Vec<Money>> {
    let amount = prop_oneof![-1_000_i64..=1_000, -10_i64.pow(11)..=10_i64.pow(11), Just(0)];
    let amount =
        (0..CODES.len(), amount).prop_map(|(n, minor)| Money::try_new(minor, currency(CODES[n])).unwrap());
    proptest::collection::vec(amount, 0..20)
}

/// The exact sum in minor units of the target, by another way: everything over one common denominator.
fn exact_sum(rates: &ExchangeRates, amounts: &[Money], to: Currency) -> (BigInt, BigInt) {
    let integers = |currency| {
        let rate = rates.rate(currency).unwrap().value();
        (BigInt::from(rate.mantissa()), BigInt::from(10).pow(rate.scale()))
    };
    // minor × 10^(digits of to) × (to) / (10^(digits of from) × (from))
    let denominator: BigInt = amounts
        .iter()
        .map(|amount| {
            let (mantissa, _) = integers(amount.currency());
            mantissa * BigInt::from(10).pow(amount.currency().digits())
        })
        .product();
    let (to_mantissa, to_scale) = integers(to);
    let numerator: BigInt = amounts
        .iter()
        .map(|amount| {
            let (mantissa, scale) = integers(amount.currency());
            let own = mantissa * BigInt::from(10).pow(amount.currency().digits());
            &denominator / own * scale * amount.minor()
        })
        .sum();
    (numerator * to_mantissa * BigInt::from(10).pow(to.digits()), denominator * to_scale)
}

proptest! {
    #[test]
    fn parts_make_the_total_and_the_total_is_exact(rates in any_rates(), amounts in any_amounts(), to in 0..CODES.len()) {
        let to = currency(CODES[to]);
        let (numerator, denominator) = exact_sum(&rates, &amounts, to);
        match rates.convert(amounts.clone(), to) {
            Ok(conversion) => {
                let sum: i128 = conversion.parts().values().map(|part| i128::from(part.minor())).sum();
                prop_assert_eq!(sum, i128::from(conversion.total().minor()));
                // Within half a minor unit of what it is exactly.
                let off: BigInt = (BigInt::from(conversion.total().minor()) * &denominator - numerator) * 2;
                prop_assert!(off.magnitude() <= denominator.magnitude());
                for (currency, part) in conversion.parts() {
                    // No part a whole minor unit off, and the target's own as it was.
                    let given: i64 = amounts.iter().filter(|a| a.currency() == *currency).map(|a| a.minor()).sum();
                    let given = Money::try_new(given, *currency).unwrap();
                    let (numerator, denominator) = exact_sum(&rates, &[given], to);
                    let off: BigInt = BigInt::from(part.minor()) * &denominator - numerator;
                    prop_assert!(off.magnitude() < denominator.magnitude());
                    prop_assert!(*currency != to || *part == given);
                    prop_assert!(!given.is_zero() || part.is_zero());
                    let is_quoted = conversion.quote().is_some_and(|quote| quote.rates.contains_key(currency));
                    prop_assert_eq!(is_quoted, *currency != to && !given.is_zero());
                }
            }
            Err(error) => prop_assert_eq!(error, ConvertError::TooLarge),
        }
    }

    #[test]
    fn the_order_of_amounts_does_not_matter(
        rates in any_rates(),
        (amounts, shuffled) in any_amounts().prop_flat_map(|amounts| (Just(amounts.clone()), Just(amounts).prop_shuffle())),
        to in 0..CODES.len(),
    ) {
        prop_assert_eq!(rates.convert(amounts, currency(CODES[to])), rates.convert(shuffled, currency(CODES[to])));
    }

    #[test]
    fn the_other_sign_makes_the_same_of_the_other_sign(rates in any_rates(), amounts in any_amounts(), to in 0..CODES.len()) {
        let to = currency(CODES[to]);
        let negated = |amount: Money| Money::try_new(-amount.minor(), amount.currency()).unwrap();
        let mirrored = rates.convert(amounts.iter().copied().map(negated), to).map(|conversion| {
            let parts = conversion.parts().iter().map(|(currency, part)| (*currency, negated(*part)));
            Conversion::try_new(to, parts.collect(), conversion.quote().cloned()).unwrap()
        });
        prop_assert_eq!(rates.convert(amounts, to), mirrored);
    }

    #[test]
    fn equal_amounts_are_a_minor_unit_apart_at_most(count in 1_usize..CODES.len(), minor in 1_i64..50, halves in 1_i64..6) {
        // All at the same rate of so many halves of a minor unit: every part is as far off as every other.
        let rate = Rate::parse(&Decimal::new(halves * 5, 1).to_string()).unwrap();
        let quoted = ["BRL", "GEL", "GBP", "MXN", "EUR"].map(|code| (currency(code), rate));
        let rates = ExchangeRates::try_new(RateSource::OpenExchangeRates, Currency::USD, at(0), quoted).unwrap();
        let amounts: Vec<Money> = quoted.iter().take(count).map(|(of, _)| Money::try_new(minor, *of).unwrap()).collect();
        let conversion = rates.convert(amounts.clone(), Currency::USD).unwrap();
        let sum: i64 = conversion.parts().values().map(|part| part.minor()).sum();
        prop_assert_eq!(sum, conversion.total().minor());
        let mut units: Vec<i64> = conversion.parts().values().map(|part| part.minor()).collect();
        units.sort_unstable();
        prop_assert!(units.last().unwrap() - units.first().unwrap() <= 1);
    }

    #[test]
    fn a_numeral_is_a_rate_or_refused_and_never_something_else(text in "-?[0-9]{0,14}\\.?[0-9]{0,14}([eE]-?[0-9]{1,2})?") {
        match Rate::parse(&text) {
            Ok(rate) => {
                prop_assert_eq!(Ok(rate.value()), parse_decimal(&text));
                prop_assert_eq!(Rate::parse(&rate.to_string()), Ok(rate));
            }
            Err(RateError::NotPositive) => prop_assert!(parse_decimal(&text).unwrap() <= Decimal::ZERO),
            Err(RateError::OutOfRange) => prop_assert!(parse_decimal(&text).unwrap() > Decimal::ZERO),
            Err(RateError::Numeral(_)) => prop_assert!(parse_decimal(&text).is_err()),
        }
    }

    #[test]
    fn a_cross_rate_there_and_back_is_one(rates in any_rates(), from in 0..CODES.len(), to in 0..CODES.len()) {
        let (from, to) = (currency(CODES[from]), currency(CODES[to]));
        let (there, back) = (rates.cross(from, to).unwrap(), rates.cross(to, from).unwrap());
        let off = (there.value() * back.value() - Decimal::ONE).abs();
        prop_assert!(off < Decimal::new(1, 6), "{} {}", there, back);
    }
}
