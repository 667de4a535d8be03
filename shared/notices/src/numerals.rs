//! Amounts and dates as each language writes them. From digits to digits: no float ever holds an amount.

use crate::Language;
use fatura_domain::Timestamp;
use fatura_domain::money::{Currency, Money};
use jiff::Zoned;
use jiff::tz::TimeZone;

/// `1,234.56 BRL`, `R$ 1.234,56`: with exactly the currency's digits.
pub(crate) fn money(amount: Money, language: Language) -> String {
    let digits = amount.to_string();
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits.as_str()), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let (thousands, point) = match language {
        Language::English => (',', '.'),
        Language::BrazilianPortuguese => ('.', ','),
    };
    let mut number = grouped(whole, thousands);
    if !fraction.is_empty() {
        number.push(point);
        number.push_str(fraction);
    }
    match (language, symbol(amount.currency())) {
        (Language::BrazilianPortuguese, Some(symbol)) => format!("{sign}{symbol} {number}"),
        _ => format!("{sign}{number} {}", amount.currency()),
    }
}

/// Those that a Brazilian reads without asking; any other currency is called by its code.
fn symbol(currency: Currency) -> Option<&'static str> {
    match currency {
        Currency::BRL => Some("R$"),
        Currency::USD => Some("US$"),
        Currency::EUR => Some("€"),
        _ => None,
    }
}

fn grouped(whole: &str, separator: char) -> String {
    let mut text = String::with_capacity(whole.len() * 2);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}

const MONTHS: [(&str, &str); 12] = [
    ("January", "janeiro"),
    ("February", "fevereiro"),
    ("March", "março"),
    ("April", "abril"),
    ("May", "maio"),
    ("June", "junho"),
    ("July", "julho"),
    ("August", "agosto"),
    ("September", "setembro"),
    ("October", "outubro"),
    ("November", "novembro"),
    ("December", "dezembro"),
];

/// `21 November 2026`, `21 de novembro de 2026`.
pub(crate) fn date(at: Timestamp, zone: &TimeZone, language: Language) -> String {
    let at = at.to_zoned(zone.clone());
    let (day, year) = (at.day(), at.year());
    let index = usize::from(at.month().unsigned_abs()).saturating_sub(1);
    let (english, portuguese) = MONTHS.get(index).copied().unwrap_or_default();
    match language {
        Language::English => format!("{day} {english} {year}"),
        Language::BrazilianPortuguese if day == 1 => format!("1º de {portuguese} de {year}"),
        Language::BrazilianPortuguese => format!("{day} de {portuguese} de {year}"),
    }
}

/// The same with the time of the day, and whose clock that is.
pub(crate) fn moment(at: Timestamp, zone: &TimeZone, language: Language) -> String {
    let zoned = at.to_zoned(zone.clone());
    format!("{}, {} ({})", date(at, zone, language), clock(&zoned), offset(&zoned))
}

/// As few characters as it takes: `2026-11-21`, `21/11/2026`.
pub(crate) fn short_date(at: Timestamp, zone: &TimeZone, language: Language) -> String {
    let at = at.to_zoned(zone.clone());
    let (year, month, day) = (at.year(), at.month(), at.day());
    match language {
        Language::English => format!("{year:04}-{month:02}-{day:02}"),
        Language::BrazilianPortuguese => format!("{day:02}/{month:02}/{year:04}"),
    }
}

pub(crate) fn short_moment(at: Timestamp, zone: &TimeZone, language: Language) -> String {
    let zoned = at.to_zoned(zone.clone());
    format!("{} {} ({})", short_date(at, zone, language), clock(&zoned), offset(&zoned))
}

fn clock(at: &Zoned) -> String {
    format!("{:02}:{:02}", at.hour(), at.minute())
}

/// `UTC-03:00`, as far as it is from it.
fn offset(at: &Zoned) -> String {
    let minutes = at.offset().seconds() / 60;
    if minutes == 0 {
        return "UTC".to_owned();
    }
    let sign = if minutes < 0 { '-' } else { '+' };
    let minutes = minutes.unsigned_abs();
    format!("UTC{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn both(minor: i64, currency: Currency) -> [String; 2] {
        Language::ALL.map(|language| money(Money::try_new(minor, currency).unwrap(), language))
    }

    #[test]
    fn an_amount_has_exactly_its_currencys_digits() {
        for (minor, currency, english, portuguese) in [
            (123_456, Currency::BRL, "1,234.56 BRL", "R$ 1.234,56"),
            (5, Currency::BRL, "0.05 BRL", "R$ 0,05"),
            (0, Currency::BRL, "0.00 BRL", "R$ 0,00"),
            (99_999, Currency::BRL, "999.99 BRL", "R$ 999,99"),
            (100_000, Currency::BRL, "1,000.00 BRL", "R$ 1.000,00"),
            (-123_456, Currency::BRL, "-1,234.56 BRL", "-R$ 1.234,56"),
            (123_456_789, Currency::USD, "1,234,567.89 USD", "US$ 1.234.567,89"),
            (1_000, Currency::EUR, "10.00 EUR", "€ 10,00"),
            (1_234_567, Currency::JPY, "1,234,567 JPY", "1.234.567 JPY"),
            (1_234_567, Currency::KWD, "1,234.567 KWD", "1.234,567 KWD"),
            (9_007_199_254_740_991, Currency::BRL, "90,071,992,547,409.91 BRL", "R$ 90.071.992.547.409,91"),
        ] {
            assert_eq!(both(minor, currency), [english, portuguese]);
        }
    }

    #[test]
    fn dates_are_by_the_readers_own_clock() {
        let zone = TimeZone::get("America/Sao_Paulo").unwrap();
        let at: Timestamp = "2026-12-01T02:05:00Z".parse().unwrap();
        let written = Language::ALL.map(|language| {
            [
                date(at, &zone, language),
                moment(at, &TimeZone::UTC, language),
                short_moment(at, &zone, language),
            ]
        });
        assert_eq!(
            written,
            [
                ["30 November 2026", "1 December 2026, 02:05 (UTC)", "2026-11-30 23:05 (UTC-03:00)"],
                [
                    "30 de novembro de 2026",
                    "1º de dezembro de 2026, 02:05 (UTC)",
                    "30/11/2026 23:05 (UTC-03:00)"
                ],
            ]
        );
        let kathmandu = TimeZone::get("Asia/Kathmandu").unwrap();
        assert_eq!(short_moment(at, &kathmandu, Language::English), "2026-12-01 07:50 (UTC+05:45)");
    }

    proptest! {
        #[test]
        fn no_digit_is_lost(minor in -9_007_199_254_740_991_i64..=9_007_199_254_740_991) {
            for currency in [Currency::BRL, Currency::JPY, Currency::KWD] {
                for text in both(minor, currency) {
                    let digits: String = text.chars().filter(|c| c.is_ascii_digit() || *c == '-').collect();
                    prop_assert_eq!(digits.parse::<i64>().unwrap(), minor, "{}", text);
                }
            }
        }
    }
}
