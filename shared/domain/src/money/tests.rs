use super::*;
use num_bigint::BigInt;
use proptest::prelude::*;

fn brl(text: &str) -> Result<Money, MoneyError> {
    Money::parse(text, Currency::BRL)
}

#[test]
fn reads_major_units_exactly() {
    let cases = [
        ("0", 0),
        ("0.1", 10),
        ("0.10", 10),
        ("123.45", 12_345),
        ("-1.05", -105),
        ("1e2", 10_000),
        ("12e-1", 120),
    ];
    for (text, minor) in cases {
        assert_eq!(brl(text).map(Money::minor), Ok(minor), "{text}");
    }
    assert_eq!(Money::parse("7", Currency::JPY).map(Money::minor), Ok(7));
    assert_eq!(Money::parse("1.234", Currency::KWD).map(Money::minor), Ok(1_234));
}

#[test]
fn refuses_what_is_not_exactly_an_amount() {
    for text in
        ["", "-", ".5", "1.", "+1", "1_000", "0x10", "NaN", "Infinity", "1e", "1e+", "1,00", " 1", "01", "１"]
    {
        assert_eq!(brl(text), Err(NumeralError::Malformed.into()), "{text:?}");
    }
    assert!(matches!(brl("1.000"), Err(MoneyError::TooPrecise { digits: 2, .. })));
    assert!(matches!(Money::parse("1.5", Currency::JPY), Err(MoneyError::TooPrecise { digits: 0, .. })));
    assert_eq!(brl("90071992547409.92"), Err(MoneyError::TooLarge));
    for text in [
        "1e30",
        "1e-29",
        "1e999999999999999999999",
        "1e-999999999",
        "0.5e-9223372036854775807",
        &"9".repeat(65),
    ] {
        assert!(brl(text).is_err(), "{text}");
    }
}

#[test]
fn a_numeral_has_at_most_64_characters_and_28_decimals() {
    let padded = |zeros: usize| format!("1e{}2", "0".repeat(zeros));
    assert_eq!(parse_decimal(&padded(61)), Ok(Decimal::from(100)));
    assert_eq!(parse_decimal(&padded(62)), Err(NumeralError::OutOfRange));
    assert_eq!(parse_decimal("1e-28"), Ok(Decimal::new(1, 28)));
    assert_eq!(parse_decimal("0e5"), Ok(Decimal::ZERO));
}

#[test]
fn the_largest_amount_is_an_amount() {
    assert_eq!(brl("90071992547409.91").map(Money::minor), Ok(MAX_MINOR));
    assert_eq!(brl("-90071992547409.91").map(Money::minor), Ok(-MAX_MINOR));
}

#[test]
fn ties_go_to_the_even_neighbour() {
    for (mantissa, minor) in
        [(5, 0), (15, 2), (25, 2), (35, 4), (-5, 0), (-15, -2), (-25, -2), (26, 3), (-26, -3)]
    {
        assert_eq!(Money::rounded(mantissa, 3, Currency::BRL).map(Money::minor), Ok(minor), "{mantissa}");
    }
}

#[test]
fn shows_exactly_the_currencys_digits() {
    for (minor, currency, shown) in [
        (12_345, Currency::BRL, "123.45"),
        (5, Currency::BRL, "0.05"),
        (-5, Currency::BRL, "-0.05"),
        (100, Currency::BRL, "1.00"),
        (100, Currency::JPY, "100"),
        (100, Currency::KWD, "0.100"),
    ] {
        assert_eq!(Money::try_new(minor, currency).map(|money| money.to_string()), Ok(shown.to_owned()));
    }
}

#[test]
fn currencies_do_not_mix() {
    assert!(Money::zero(Currency::BRL).plus(Money::zero(Currency::USD)).is_err());
    for code in ["brl", "XXX", "XAU", "ZZZ", "", "BR"] {
        assert_eq!(code.parse::<Currency>(), Err(UnknownCurrency), "{code}");
    }
}

#[test]
fn currencies_are_in_order_of_their_codes() {
    assert!(Currency::BRL < Currency::EUR && Currency::EUR < Currency::JPY);
    assert!(Currency::USD > Currency::KWD);
}

/// The oracle: scale both to integers of any size, divide, and compare twice the remainder with the divisor.
fn oracle(mantissa: i128, scale: u32, digits: u32) -> BigInt {
    let numerator = BigInt::from(mantissa) * BigInt::from(10).pow(digits);
    let divisor = BigInt::from(10).pow(scale);
    let truncated = &numerator / &divisor;
    let twice: BigInt = (&numerator - &truncated * &divisor).magnitude().clone().into();
    let twice = twice * 2;
    let odd = &truncated % 2 != BigInt::from(0);
    let away = if numerator < BigInt::from(0) { -1 } else { 1 };
    if twice > divisor || (twice == divisor && odd) { truncated + away } else { truncated }
}

proptest! {
    #[test]
    fn rounding_agrees_with_arithmetic_of_any_size(mantissa in -(10_i128.pow(37))..10_i128.pow(37), scale in 0_u32..28) {
        for currency in [Currency::JPY, Currency::BRL, Currency::KWD] {
            let expected = oracle(mantissa, scale, currency.digits());
            match Money::rounded(mantissa, scale, currency) {
                Ok(money) => prop_assert_eq!(BigInt::from(money.minor()), expected),
                Err(_) => prop_assert!(*expected.magnitude() > BigInt::from(MAX_MINOR).magnitude().clone()),
            }
        }
    }

    #[test]
    fn what_is_shown_is_read_back(minor in -MAX_MINOR..=MAX_MINOR) {
        for currency in [Currency::JPY, Currency::BRL, Currency::KWD] {
            let money = Money::try_new(minor, currency).unwrap();
            prop_assert_eq!(Money::parse(&money.to_string(), currency), Ok(money));
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,80}") {
        let _ = Money::parse(&text, Currency::BRL);
    }

    #[test]
    fn numerals_agree_with_rust_decimal(whole in 0_u64..10_u64.pow(15), fraction in "[0-9]{1,12}", exponent in -9_i32..9) {
        let text = format!("{whole}.{fraction}e{exponent}");
        let theirs = Decimal::from_scientific(&text);
        if let (Ok(ours), Ok(theirs)) = (parse_decimal(&text), theirs) {
            prop_assert_eq!(ours, theirs);
        }
    }
}
