//! Readers of single values, each around a constructor of the domain. No reason repeats what the client sent.

use super::fields::{Fields, Read, shown};
use fatura_domain::Timestamp;
use fatura_domain::money::{Currency, Money};
use fatura_domain::text::{Metadata, Text};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Display;

pub(crate) fn text<T, E: Display>(parse: impl Fn(&str) -> Result<T, E>) -> impl Fn(&Value) -> Read<T> {
    move |value| {
        let text = value.as_str().ok_or("must be text")?;
        parse(text).map_err(|error| error.to_string())
    }
}

/// A decimal as text or as a JSON number, whose digits are taken as they were written.
pub(crate) fn numeral<T, E: Display>(parse: impl Fn(&str) -> Result<T, E>) -> impl Fn(&Value) -> Read<T> {
    move |value| {
        let text = match value {
            Value::String(text) => text.as_str(),
            Value::Number(number) => number.as_str(),
            _ => return Err("must be a decimal, as text or as a number".to_owned()),
        };
        parse(text).map_err(|error| error.to_string())
    }
}

/// An amount with its currency.
pub(crate) fn money(value: &Value) -> Read<Money> {
    let Value::Object(members) = value else {
        return Err("must be an amount, such as {\"amount\": \"12.50\", \"currency\": \"BRL\"}".to_owned());
    };
    if members.keys().any(|name| name != "amount" && name != "currency") {
        return Err("must have amount and currency and nothing else".to_owned());
    }
    let currency = members.get("currency").and_then(Value::as_str).unwrap_or_default();
    let currency: Currency = currency.parse().map_err(|error| format!("currency {error}"))?;
    let amount = match members.get("amount") {
        Some(Value::String(text)) => text.as_str(),
        Some(Value::Number(number)) => number.as_str(),
        _ => return Err("amount must be a decimal number, such as \"12.50\"".to_owned()),
    };
    Money::parse(amount, currency).map_err(|error| error.to_string())
}

/// One of a few words.
pub(crate) fn one_of<T: Copy>(
    words: impl Iterator<Item = (&'static str, T)>,
) -> impl FnOnce(&Value) -> Read<T> {
    move |value| {
        let given = value.as_str();
        let mut known = Vec::new();
        for (word, thing) in words {
            if given == Some(word) {
                return Ok(thing);
            }
            known.push(word);
        }
        Err(format!("must be one of: {}", known.join(", ")))
    }
}

pub(crate) fn flag(value: &Value) -> Read<bool> {
    value.as_bool().ok_or_else(|| "must be true or false".to_owned())
}

pub(crate) fn whole<T: TryFrom<u64>>(value: &Value) -> Read<T> {
    let number = value.as_u64().ok_or("must be a whole number")?;
    T::try_from(number).map_err(|_| "is too large".to_owned())
}

/// An instant, kept to the millisecond.
pub(crate) fn instant(value: &Value) -> Read<Timestamp> {
    let written = value.as_str().filter(|text| text.contains(['T', 't']) && !text.contains('['));
    let at =
        written.and_then(|text| text.parse::<Timestamp>().ok()).filter(|at| *at >= Timestamp::UNIX_EPOCH);
    at.and_then(|at| Timestamp::from_millisecond(at.as_millisecond()).ok())
        .ok_or_else(|| "must be a time of RFC 3339, such as 2026-11-02T12:00:00Z".to_owned())
}

/// An id of something of ours, by its kind's own name in the reason.
pub(crate) fn id<T: std::str::FromStr<Err: Display>>(value: &Value) -> Read<T> {
    text(str::parse::<T>)(value)
}

impl Fields {
    /// Pairs of text. Each pair that isn't is named; `null` empties them.
    pub(crate) fn metadata(&mut self) -> Option<Metadata> {
        const NAME: &str = "metadata";
        let pairs = match self.change(NAME, |value| Ok(value.clone()))? {
            None => return Some(Metadata::default()),
            Some(Value::Object(pairs)) => pairs,
            Some(_) => {
                self.fault(NAME, "must be an object of text");
                return None;
            }
        };
        let mut kept = BTreeMap::new();
        let mut refused = false;
        // A few more than are allowed, so that too many are too many.
        for (key, value) in pairs.into_iter().take(Metadata::MAX_ENTRIES + 1) {
            let pair = Text::<40>::parse(&key)
                .map_err(|error| format!("has a key that {error}"))
                .and_then(|name| Ok((name, note(&value)?)));
            match pair {
                Ok((key, value)) => {
                    kept.insert(key, value);
                }
                Err(reason) => {
                    refused = true;
                    self.fault(&format!("{NAME}.{}", shown(&key)), reason);
                }
            }
        }
        let metadata = Metadata::parse(kept).map_err(|error| self.fault(NAME, error.to_string())).ok()?;
        (!refused).then_some(metadata)
    }
}

fn note(value: &Value) -> Read<String> {
    let text = value.as_str().ok_or("must be text")?;
    if text.chars().count() > Metadata::MAX_VALUE {
        return Err(format!("must have at most {} characters", Metadata::MAX_VALUE));
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err("must not contain control characters".to_owned());
    }
    Ok(text.to_owned())
}
