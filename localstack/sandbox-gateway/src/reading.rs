//! Request bodies, read in one pass that names every fault.

use crate::answer::Answer;
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::ops::RangeInclusive;

/// Plenty for any currency, and far from where sums overflow.
pub(crate) const AMOUNTS: RangeInclusive<i64> = 1..=1_000_000_000_000;
const MAX_TEXT: usize = 255;

pub(crate) fn parse_json(body: &[u8]) -> Result<Value, Answer> {
    serde_json::from_slice(body).map_err(|error| {
        Answer::problem(StatusCode::BAD_REQUEST, "malformed_json", &format!("the body is not JSON: {error}"))
    })
}

/// For requests that may come without a body.
pub(crate) fn parse_optional_json(body: &[u8]) -> Result<Value, Answer> {
    if body.is_empty() { Ok(json!({})) } else { parse_json(body) }
}

pub(crate) struct Reader<'a> {
    body: &'a Value,
    faults: Vec<Value>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(body: &'a Value) -> Self {
        Self { body, faults: Vec::new() }
    }

    pub(crate) fn fault(&mut self, field: &str, message: &str) {
        self.faults.push(json!({ "field": field, "message": message }));
    }

    /// A text that must be there. `field` may be a path with dots. Gives an empty one beside a fault.
    pub(crate) fn text(&mut self, field: &str) -> String {
        let text = self.value(field).and_then(Value::as_str).unwrap_or_default();
        if text.trim().is_empty() || text.len() > MAX_TEXT {
            self.fault(field, "must be a text of 1 to 255 characters");
        }
        text.to_owned()
    }

    pub(crate) fn integer(&mut self, field: &str, range: RangeInclusive<i64>) -> i64 {
        let number = self.optional_integer(field, range.clone());
        if self.value(field).is_none() {
            self.fault(field, &format!("must be an integer from {} to {}", range.start(), range.end()));
        }
        number.unwrap_or_default()
    }

    pub(crate) fn optional_integer(&mut self, field: &str, range: RangeInclusive<i64>) -> Option<i64> {
        let number = self.value(field)?.as_i64().filter(|number| range.contains(number));
        if number.is_none() {
            self.fault(field, &format!("must be an integer from {} to {}", range.start(), range.end()));
        }
        number
    }

    pub(crate) fn flag(&mut self, field: &str) -> bool {
        let Some(value) = self.value(field) else { return false };
        value.as_bool().unwrap_or_else(|| {
            self.fault(field, "must be true or false");
            false
        })
    }

    /// The value, or all faults as one 422.
    pub(crate) fn finish<T>(self, value: T) -> Result<T, Answer> {
        if self.faults.is_empty() {
            return Ok(value);
        }
        let error = json!({ "code": "invalid_request", "message": "see faults", "faults": self.faults });
        Err(Answer::new(StatusCode::UNPROCESSABLE_ENTITY, json!({ "error": error })))
    }

    fn value(&self, path: &str) -> Option<&'a Value> {
        let value = path.split('.').try_fold(self.body, |value, name| value.get(name))?;
        (!value.is_null()).then_some(value)
    }
}
