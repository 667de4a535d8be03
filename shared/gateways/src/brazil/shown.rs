//! Webhooks that show a secret instead of signing with it, and what they are read from.

use fatura_application::ports::WebhookDelivery;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// What is looked at before anything is known to be genuine.
const MAX_SHOWN: usize = 1_024;

/// Given twice, nobody can say which one the next reader would take.
pub(crate) fn only_header<'a>(delivery: &'a WebhookDelivery, name: &str) -> Option<&'a str> {
    only(delivery.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)))
}

pub(crate) fn only_query<'a>(delivery: &'a WebhookDelivery, name: &str) -> Option<&'a str> {
    only(delivery.query.iter().filter(|(known, _)| known == name))
}

fn only<'a>(mut values: impl Iterator<Item = &'a (String, String)>) -> Option<&'a str> {
    let (_, value) = values.next()?;
    let is_only = values.next().is_none() && value.len() <= MAX_SHOWN;
    is_only.then_some(value.as_str())
}

/// Whether it is one of these. The time taken says neither which, nor how much of it was right, nor how long they are.
pub(crate) fn is_one_of(shown: &str, known: impl IntoIterator<Item = String>) -> bool {
    let shown = Sha256::digest(shown);
    let equal = known.into_iter().fold(Choice::from(0), |equal, known| {
        equal | shown.as_slice().ct_eq(Sha256::digest(known).as_slice())
    });
    bool::from(equal)
}

/// As `Authorization` shows what is to be shown: `Basic`, and the text in base 64.
pub(crate) fn basic(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut basic = "Basic ".to_owned();
    for group in text.as_bytes().chunks(3) {
        let bits = (0..3)
            .fold(0_usize, |bits, place| bits << 8 | usize::from(group.get(place).copied().unwrap_or(0)));
        for place in 0..4 {
            let digit = ALPHABET.get(bits >> (18 - 6 * place) & 63).copied().unwrap_or(b'=');
            basic.push(if place > group.len() { '=' } else { char::from(digit) });
        }
    }
    basic
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From `printf %s … | base64`.
    #[test]
    fn basic_is_base_64() {
        for (text, expected) in [
            ("", "Basic "),
            ("a", "Basic YQ=="),
            ("ab", "Basic YWI="),
            ("abc", "Basic YWJj"),
            ("whsec_current", "Basic d2hzZWNfY3VycmVudA=="),
            ("fatura:s3cr\u{e9}t?>~", "Basic ZmF0dXJhOnMzY3LDqXQ/Pn4="),
        ] {
            assert_eq!(basic(text), expected);
        }
    }
}
