//! Text that has been checked once, at the door.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use thiserror::Error;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TextError {
    #[error("must not be empty")]
    Empty,
    #[error("must have at most {0} characters")]
    TooLong(usize),
    #[error("must not contain control characters")]
    ControlCharacter,
    #[error("must be an email address")]
    NotAnEmail,
    #[error("must be lower-case letters, digits and hyphens")]
    NotAName,
    #[error("must be an IANA time zone, such as America/Sao_Paulo")]
    NotATimeZone,
    #[error("must have at most {0} entries")]
    TooManyEntries(usize),
}

/// One to `MAX` characters, none of them a control character.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text<const MAX: usize>(String);

pub type Description = Text<500>;
pub type Name = Text<200>;
pub type ExternalId = Text<255>;

impl<const MAX: usize> Text<MAX> {
    pub fn parse(text: &str) -> Result<Self, TextError> {
        if text.trim().is_empty() {
            Err(TextError::Empty)
        } else if text.chars().count() > MAX {
            Err(TextError::TooLong(MAX))
        } else if text.chars().any(char::is_control) {
            Err(TextError::ControlCharacter)
        } else {
            Ok(Self(text.to_owned()))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> TryFrom<String> for Text<MAX> {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        Self::parse(&text)
    }
}

impl<const MAX: usize> From<Text<MAX>> for String {
    fn from(text: Text<MAX>) -> Self {
        text.0
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MAX: usize> fmt::Debug for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// An address for mail: one `@`, something either side, a dot in the domain. Whether it exists, only a mail can tell.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

impl Email {
    const MAX: usize = 254;

    /// Kept as written but for its letters' case: two spellings of one address are one customer.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        if text.chars().count() > Self::MAX {
            return Err(TextError::TooLong(Self::MAX));
        }
        let plain = !text.chars().any(|c| c.is_whitespace() || c.is_control());
        let parts = text.split_once('@').filter(|(local, domain)| {
            !local.is_empty()
                && domain.contains('.')
                && !domain.contains('@')
                && domain.split('.').all(|label| !label.is_empty())
        });
        if plain && parts.is_some() { Ok(Self(text.to_lowercase())) } else { Err(TextError::NotAnEmail) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Email {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        Self::parse(&text)
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

/// Personal data stays out of logs.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(..)")
    }
}

/// A client's own notes: at most 20 pairs of 40 and 500 characters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Metadata(BTreeMap<Text<40>, String>);

impl Metadata {
    pub const MAX_ENTRIES: usize = 20;
    pub const MAX_VALUE: usize = 500;

    pub fn parse(entries: BTreeMap<Text<40>, String>) -> Result<Self, TextError> {
        if entries.len() > Self::MAX_ENTRIES {
            return Err(TextError::TooManyEntries(Self::MAX_ENTRIES));
        }
        if entries.values().any(|value| value.chars().count() > Self::MAX_VALUE) {
            return Err(TextError::TooLong(Self::MAX_VALUE));
        }
        Ok(Self(entries))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

/// Thirteen to nineteen digits that pass Luhn's check, alone or within a text, with blanks or hyphens between them.
pub fn holds_card_number(text: &str) -> bool {
    let mut digits: Vec<u8> = Vec::new();
    let mut runs = Vec::new();
    for character in text.chars() {
        match character {
            '0'..='9' => digits.push(u8::try_from(u32::from(character) - u32::from('0')).unwrap_or_default()),
            ' ' | '-' | '.' => {}
            _ => runs.push(std::mem::take(&mut digits)),
        }
    }
    runs.push(digits);
    runs.iter().any(|run| (13..=19).contains(&run.len()) && passes_luhn(run))
}

fn passes_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, &digit)| {
            let doubled = u32::from(digit) * 2;
            match (index % 2, doubled) {
                (0, _) => u32::from(digit),
                (_, 10..) => doubled - 9,
                (_, _) => doubled,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_bounded_in_characters_not_bytes() {
        assert!(Text::<3>::parse("ção").is_ok());
        assert_eq!(Text::<3>::parse("ções"), Err(TextError::TooLong(3)));
        assert_eq!(Text::<3>::parse("  "), Err(TextError::Empty));
        assert_eq!(Text::<3>::parse("a\n"), Err(TextError::ControlCharacter));
    }

    #[test]
    fn an_email_is_one_address() {
        assert_eq!(Email::parse("Ana@Example.com").map(String::from), Ok("ana@example.com".to_owned()));
        for text in ["", "ana", "@example.com", "ana@", "ana@localhost", "a@b@c.d", "a b@c.d", "a@c..d"] {
            assert!(Email::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_email_has_at_most_254_characters() {
        let of = |length: usize| Email::parse(&format!("{}@example.com", "a".repeat(length - 12)));
        assert!(of(254).is_ok());
        assert_eq!(of(255), Err(TextError::TooLong(254)));
        assert_eq!(format!("{:?}", of(254).unwrap()), "Email(..)");
    }

    #[test]
    fn notes_are_twenty_short_pairs() {
        let of = |pairs: usize, length: usize| {
            let key = |number: usize| Text::parse(&number.to_string()).unwrap();
            Metadata::parse((0..pairs).map(|number| (key(number), "é".repeat(length))).collect())
        };
        assert!(of(20, 500).is_ok_and(|notes| !notes.is_empty()));
        assert!(of(0, 0).is_ok_and(|notes| notes.is_empty()));
        assert_eq!(of(21, 1), Err(TextError::TooManyEntries(20)));
        assert_eq!(of(1, 501), Err(TextError::TooLong(500)));
    }

    #[test]
    fn card_numbers_are_recognised_however_written() {
        for text in [
            "4111111111111111",
            "4111 1111 1111 1111",
            "my card: 5500-0000-0000-0004!",
            "378282246310005",
            "6304000000000000000",
        ] {
            assert!(holds_card_number(text), "{text}");
        }
        for text in ["4111111111111112", "tok_visa", "411111111111", "12345678901234567890", ""] {
            assert!(!holds_card_number(text), "{text}");
        }
    }
}
