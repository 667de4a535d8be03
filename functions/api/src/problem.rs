//! Every way to say no, as a problem document (RFC 9457). The only place that knows status codes of refusals.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use fatura_application::{Error, Fault, ListFailure};
use serde::Serialize;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::sync::Arc;

macro_rules! codes {
    ($($code:ident = $status:literal $name:literal $title:literal;)*) => {
        /// What went wrong, stable for programs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $($code),* }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$code),*];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$code => $name),* }
            }

            pub const fn status(self) -> u16 {
                match self { $(Self::$code => $status),* }
            }

            const fn title(self) -> &'static str {
                match self { $(Self::$code => $title),* }
            }
        }
    };
}

codes! {
    MalformedJson = 400 "malformed_json" "The body is not JSON";
    IdempotencyKeyMissing = 400 "idempotency_key_missing" "The Idempotency-Key header is missing";
    InvalidCursor = 400 "invalid_cursor" "The cursor is not one of this list";
    Unauthenticated = 401 "unauthenticated" "Credentials are missing or not valid";
    Forbidden = 403 "forbidden" "This caller may not do that";
    NotFound = 404 "not_found" "There is no such thing";
    MethodNotAllowed = 405 "method_not_allowed" "This resource does not take that method";
    Conflict = 409 "conflict" "In conflict with what is there";
    IdempotencyInProgress = 409 "idempotency_in_progress" "The first request with this key is still running";
    VersionMismatch = 412 "version_mismatch" "The object has changed";
    PayloadTooLarge = 413 "payload_too_large" "The body is too large";
    UnsupportedMediaType = 415 "unsupported_media_type" "The body must be JSON";
    InvalidArgument = 422 "invalid_argument" "The request is not valid";
    IdempotencyKeyReused = 422 "idempotency_key_reused" "The idempotency key was used for another request";
    FailedPrecondition = 422 "failed_precondition" "The present state forbids it";
    InsufficientFunds = 422 "insufficient_funds" "The wallet does not cover it";
    NoPaymentMethod = 422 "no_payment_method" "There is nothing to charge";
    RateLimited = 429 "rate_limited" "Too many requests";
    Internal = 500 "internal" "Something went wrong on our side";
    Unavailable = 503 "unavailable" "Temporarily unavailable";
}

#[derive(Debug, Clone)]
pub struct Problem {
    code: Code,
    detail: Cow<'static, str>,
    details: Value,
    /// For the log, never for the client.
    cause: Option<Arc<str>>,
    /// Where it is known after how many seconds trying again makes sense.
    retry_after: Option<u64>,
}

/// Seconds after which trying again makes sense.
const RETRY_CONFLICT: HeaderValue = HeaderValue::from_static("1");
const RETRY_UNAVAILABLE: HeaderValue = HeaderValue::from_static("2");
const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"fatura\"");
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

impl Problem {
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into(), details: json!({}), cause: None, retry_after: None }
    }

    /// All faults at once, each with its path.
    pub fn invalid(faults: &[Fault]) -> Self {
        let errors: Vec<Value> =
            faults.iter().map(|fault| json!({"field": fault.field, "reason": fault.reason})).collect();
        let detail = match faults {
            [fault] => format!("{} {}", fault.field, fault.reason),
            _ => format!("{} members of the request are not valid", faults.len()),
        };
        Self { details: json!({ "errors": errors }), ..Self::new(Code::InvalidArgument, detail) }
    }

    pub fn not_found() -> Self {
        Self::new(Code::NotFound, "not found")
    }

    pub fn unauthenticated(detail: &'static str) -> Self {
        Self::new(Code::Unauthenticated, detail)
    }

    pub fn internal(cause: &str) -> Self {
        Self { cause: Some(cause.into()), ..Self::new(Code::Internal, "the request could not be processed") }
    }

    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    fn with_details(self, details: Value) -> Self {
        Self { details, ..self }
    }

    /// The document itself, once the request's id is known.
    pub(crate) fn render(&self, request_id: &str) -> Response {
        #[derive(Serialize)]
        struct Document<'a> {
            r#type: String,
            title: &'static str,
            status: u16,
            detail: &'a str,
            code: &'static str,
            message: &'a str,
            details: &'a Value,
            request_id: &'a str,
        }
        let document = Document {
            r#type: format!("urn:fatura:problem:{}", self.code.as_str()),
            title: self.code.title(),
            status: self.code.status(),
            detail: &self.detail,
            code: self.code.as_str(),
            message: &self.detail,
            details: &self.details,
            request_id,
        };
        let mut response = crate::wire::to_json(&document).into_response();
        *response.status_mut() = self.status();
        response.headers_mut().insert(header::CONTENT_TYPE, PROBLEM_JSON);
        response.headers_mut().extend(self.advice());
        response
    }

    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn advice(&self) -> HeaderMap {
        let advice: Option<(HeaderName, HeaderValue)> = match self.code {
            Code::Unauthenticated => Some((header::WWW_AUTHENTICATE, CHALLENGE)),
            Code::Conflict | Code::IdempotencyInProgress => Some((header::RETRY_AFTER, RETRY_CONFLICT)),
            Code::RateLimited if self.retry_after.is_some() => {
                self.retry_after.map(|seconds| (header::RETRY_AFTER, HeaderValue::from(seconds)))
            }
            Code::RateLimited | Code::Unavailable => Some((header::RETRY_AFTER, RETRY_UNAVAILABLE)),
            _ => None,
        };
        advice.into_iter().collect()
    }
}

/// The response is only a carrier: the envelope renders the document, because it knows the request's id.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::NotFound => Self::not_found(),
            Error::Forbidden | Error::BeyondScopes => Self::new(Code::Forbidden, detail),
            Error::OutOfScope(scope) => {
                Self::new(Code::Forbidden, detail).with_details(json!({"scope": scope.as_str()}))
            }
            Error::Invalid(faults) => Self::invalid(&faults),
            Error::Conflict(_) | Error::Busy => Self::new(Code::Conflict, detail),
            Error::FailedPrecondition { status, .. } => {
                let details = status.map_or(json!({}), |status| json!({"status": status}));
                Self::new(Code::FailedPrecondition, detail).with_details(details)
            }
            Error::StoppedHalfway { status, accepted, .. } => Self::new(Code::FailedPrecondition, detail)
                .with_details(json!({"status": status, "accepted": accepted})),
            Error::InsufficientFunds(_) => Self::new(Code::InsufficientFunds, detail),
            Error::NoPaymentMethod => Self::new(Code::NoPaymentMethod, detail),
            Error::NoGateway => Self::new(Code::FailedPrecondition, detail),
            Error::VersionMismatch { current } => {
                Self::new(Code::VersionMismatch, detail).with_details(json!({"version": current}))
            }
            Error::IdempotencyKeyReused => Self::new(Code::IdempotencyKeyReused, detail),
            Error::TooMany => Self::new(Code::RateLimited, detail),
            Error::TooSoon(wait) => {
                Self { retry_after: Some(wait.seconds()), ..Self::new(Code::RateLimited, detail) }
            }
            Error::Unavailable(cause) => {
                let problem = Self::new(Code::Unavailable, "the service is temporarily unavailable");
                Self { cause: Some(cause.to_string().into()), ..problem }
            }
            Error::Internal(cause) => Self::internal(&cause.to_string()),
        }
    }
}

impl From<ListFailure> for Problem {
    fn from(failure: ListFailure) -> Self {
        match failure {
            ListFailure::BadPosition => Self::new(Code::InvalidCursor, "the cursor is not one of this list"),
            ListFailure::Refused(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asks_too_much_at_once_is_told_when_to_ask_again() {
        let answer = Problem::from(Error::TooMany).render("req-1");
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(answer.headers()[header::RETRY_AFTER], "2");
    }
}
