use crate::answer::Answer;
use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;
use std::collections::HashMap;

const MAX_KEY: usize = 255;

/// The keys of one operation, with what was asked and answered under each.
#[derive(Default)]
pub(crate) struct Keys(HashMap<String, Kept>);

struct Kept {
    request: Value,
    answer: Answer,
}

impl Keys {
    /// The answer to give instead of acting: the first one again, or a conflict if something else is asked. Bodies are
    /// compared as JSON, so that the order of fields doesn't matter.
    pub(crate) fn seen(&self, key: &str, request: &Value) -> Option<Answer> {
        let kept = self.0.get(key)?;
        if kept.request == *request {
            return Some(kept.answer.clone().replayed());
        }
        let message = "this Idempotency-Key was used with another body";
        Some(Answer::problem(StatusCode::CONFLICT, "idempotency_key_reused", message))
    }

    pub(crate) fn keep(&mut self, key: &str, request: Value, answer: Answer) {
        let before = self.0.insert(key.to_owned(), Kept { request, answer });
        assert!(before.is_none(), "a key is kept once");
    }
}

pub(crate) fn key_of(headers: &HeaderMap) -> Result<String, Answer> {
    let key = headers.get("idempotency-key").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if key.is_empty() || key.len() > MAX_KEY {
        let message = "an Idempotency-Key of 1 to 255 characters is required";
        return Err(Answer::problem(StatusCode::BAD_REQUEST, "idempotency_key_required", message));
    }
    Ok(key.to_owned())
}
