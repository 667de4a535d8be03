use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// A status with a JSON body; kept under an idempotency key as it is.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
    replayed: bool,
}

impl Answer {
    pub(crate) fn new(status: StatusCode, body: Value) -> Self {
        Self { status, body, replayed: false }
    }

    pub(crate) fn ok(body: Value) -> Self {
        Self::new(StatusCode::OK, body)
    }

    pub(crate) fn list(data: Vec<Value>) -> Self {
        Self::ok(json!({ "data": Value::Array(data) }))
    }

    pub(crate) fn problem(status: StatusCode, code: &str, message: &str) -> Self {
        Self::new(status, json!({ "error": { "code": code, "message": message } }))
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::problem(StatusCode::NOT_FOUND, "not_found", &format!("no such {what}"))
    }

    pub(crate) fn add(&mut self, name: &str, value: Value) {
        if let Some(fields) = self.body.as_object_mut() {
            fields.insert(name.to_owned(), value);
        }
    }

    /// Marked, so that a test can tell a repeat from a second charge.
    pub(crate) fn replayed(self) -> Self {
        Self { replayed: true, ..self }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        if self.replayed {
            let value = axum::http::HeaderValue::from_static("true");
            response.headers_mut().insert("idempotent-replayed", value);
        }
        response
    }
}
