//! JSON read without a loss: numbers keep their digits, and an object that names a member twice is refused, because no
//! two readers agree on which of them counts.

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use sha2::{Digest, Sha256};
use std::fmt;

pub(crate) fn parse(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

struct Strict;

/// The name under which `serde_json` hands over a number with all its digits (its feature `arbitrary_precision`).
const NUMBER: &str = "$serde_json::private::Number";

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    // Small integers come as such, everything else with a digit in it as a map: see `NUMBER`.
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element_seed(Strict)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value_seed(Strict)?;
            if name == NUMBER {
                let digits = value.as_str().unwrap_or_default();
                return digits.parse::<Number>().map(Value::Number).map_err(A::Error::custom);
            }
            // The name isn't repeated: it is the client's, and this text goes into answers.
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("an object names a member twice"));
            }
        }
        Ok(Value::Object(members))
    }
}

/// A hash of what a body says, whatever the order of its members and the blanks between them.
pub(crate) fn fingerprint(value: &Value) -> [u8; 32] {
    let mut hash = Sha256::new();
    feed(&mut hash, value);
    hash.finalize().into()
}

/// Each part is preceded by its kind and length, so that different bodies never feed the same bytes.
fn feed(hash: &mut Sha256, value: &Value) {
    let mut part = |kind: u8, length: usize, bytes: &[u8]| {
        hash.update([kind]);
        hash.update(length.to_be_bytes());
        hash.update(bytes);
    };
    match value {
        Value::Null => part(b'0', 0, b""),
        Value::Bool(value) => part(b'b', 0, if *value { b"t" } else { b"f" }),
        Value::Number(number) => part(b'n', number.as_str().len(), number.as_str().as_bytes()),
        Value::String(text) => part(b's', text.len(), text.as_bytes()),
        Value::Array(values) => {
            part(b'a', values.len(), b"");
            for value in values {
                feed(hash, value);
            }
        }
        Value::Object(members) => {
            part(b'o', members.len(), b"");
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by_key(|(name, _)| *name);
            for (name, value) in sorted {
                feed(hash, &Value::String(name.clone()));
                feed(hash, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits() {
        let value =
            parse(br#"{"a": 0.10, "b": 1e400, "c": -0, "d": 123456789012345678901234567890}"#).unwrap();
        let digits = |name: &str| value[name].as_number().unwrap().as_str().to_owned();
        assert_eq!(
            ["a", "b", "c", "d"].map(digits),
            ["0.10", "1e+400", "-0", "123456789012345678901234567890"]
        );
    }

    #[test]
    fn what_is_not_exactly_json_is_refused() {
        for text in [
            "",
            "{",
            "{} {}",
            "NaN",
            "{\"a\": 01}",
            "{\"a\": 1, \"a\": 2}",
            "[{\"x\": {\"a\": 1, \"a\": 1}}]",
            "\"\u{0}\"",
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text:?}");
        }
        assert!(parse(&[b'"', 0xff, b'"']).is_err());
        assert!(parse("[".repeat(100_000).as_bytes()).is_err());
        assert!(parse(br#"{"$serde_json::private::Number": "x"}"#).is_err());
    }

    #[test]
    fn a_fingerprint_is_of_what_is_said_and_not_of_how() {
        let of = |text: &str| fingerprint(&parse(text.as_bytes()).unwrap());
        assert_eq!(of(r#"{"a": 1, "b": [true]}"#), of(r#"{ "b":[true],"a":1 }"#));
        assert_ne!(of(r#"{"a": 1}"#), of(r#"{"a": "1"}"#));
        assert_ne!(of(r#"["ab", "c"]"#), of(r#"["a", "bc"]"#));
        assert_ne!(of("[[], []]"), of("[[[]]]"));
    }
}
