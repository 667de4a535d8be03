//! Every way to say no, as a problem document (RFC 9457): the same codes and titles as the rest of the API has.

use crate::wire::json;
use fatura_application::{Error, Fault, SignInError};
use lambda_http::http::{HeaderName, HeaderValue, header};
use lambda_http::{Body, Response};
use serde_json::{Value, json as value};

/// A status with what is always said beside it.
#[derive(Debug)]
struct Kind {
    status: u16,
    code: &'static str,
    title: &'static str,
}

macro_rules! kinds {
    ($($name:ident = $status:literal $code:literal $title:literal;)*) => {
        $(const $name: &Kind = &Kind { status: $status, code: $code, title: $title };)*
    };
}

kinds! {
    MALFORMED_JSON = 400 "malformed_json" "The body is not JSON";
    UNAUTHENTICATED = 401 "unauthenticated" "Credentials are missing or not valid";
    NOT_FOUND = 404 "not_found" "There is no such thing";
    METHOD_NOT_ALLOWED = 405 "method_not_allowed" "This resource does not take that method";
    PAYLOAD_TOO_LARGE = 413 "payload_too_large" "The body is too large";
    UNSUPPORTED_MEDIA_TYPE = 415 "unsupported_media_type" "The body must be JSON";
    INVALID_ARGUMENT = 422 "invalid_argument" "The request is not valid";
    RATE_LIMITED = 429 "rate_limited" "Too many requests";
    INTERNAL = 500 "internal" "Something went wrong on our side";
    UNAVAILABLE = 503 "unavailable" "Temporarily unavailable";
}

/// What the client can do about it.
#[derive(Debug)]
enum Advice {
    Allow(&'static str),
    RetryAfter(u64),
    Challenge,
}

#[derive(Debug)]
pub(crate) struct Problem {
    kind: &'static Kind,
    detail: String,
    errors: Vec<Value>,
    advice: Option<Advice>,
    /// For the log, never for the client.
    cause: Option<String>,
}

const WENT_WRONG: &str = "the request could not be processed";
const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"fatura\"");
/// Seconds after which trying again makes sense where nothing else is known.
const RETRY_SOON: u64 = 2;

impl Problem {
    fn new(kind: &'static Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), errors: Vec::new(), advice: None, cause: None }
    }

    fn advising(self, advice: Advice) -> Self {
        Self { advice: Some(advice), ..self }
    }

    fn because(self, cause: &impl ToString) -> Self {
        Self { cause: Some(cause.to_string()), ..self }
    }

    pub(crate) fn not_found() -> Self {
        Self::new(NOT_FOUND, "not found")
    }

    pub(crate) fn method_not_allowed(allowed: &'static str) -> Self {
        let detail = "the Allow header says which methods there are";
        Self::new(METHOD_NOT_ALLOWED, detail).advising(Advice::Allow(allowed))
    }

    pub(crate) fn malformed() -> Self {
        Self::new(MALFORMED_JSON, "the body is not JSON, or is empty")
    }

    pub(crate) fn too_large(most: usize) -> Self {
        Self::new(PAYLOAD_TOO_LARGE, format!("the body may have at most {most} bytes"))
    }

    pub(crate) fn not_json() -> Self {
        Self::new(UNSUPPORTED_MEDIA_TYPE, "send Content-Type: application/json")
    }

    pub(crate) fn invalid(faults: &[Fault]) -> Self {
        let detail = match faults {
            [fault] => format!("{} {}", fault.field, fault.reason),
            _ => format!("{} members of the request are not valid", faults.len()),
        };
        let error = |fault: &Fault| value!({"field": fault.field, "reason": fault.reason});
        Self { errors: faults.iter().map(error).collect(), ..Self::new(INVALID_ARGUMENT, detail) }
    }

    pub(crate) fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    pub(crate) fn render(self, request_id: &str) -> Response<Body> {
        let details = if self.errors.is_empty() { value!({}) } else { value!({ "errors": self.errors }) };
        let document = value!({
            "type": format!("urn:fatura:problem:{}", self.kind.code),
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            "code": self.kind.code,
            "message": self.detail,
            "details": details,
            "request_id": request_id,
        });
        let mut response = json(self.kind.status, "application/problem+json", &document);
        response.headers_mut().extend(self.advice.map(Advice::header));
        response
    }
}

impl Advice {
    fn header(self) -> (HeaderName, HeaderValue) {
        match self {
            Self::Allow(method) => (header::ALLOW, HeaderValue::from_static(method)),
            Self::RetryAfter(seconds) => (header::RETRY_AFTER, HeaderValue::from(seconds)),
            Self::Challenge => (header::WWW_AUTHENTICATE, CHALLENGE),
        }
    }
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        match error {
            // One answer for everything that isn't right: it tells nobody which part was.
            SignInError::Refused => {
                Self::new(UNAUTHENTICATED, "the credentials are not valid").advising(Advice::Challenge)
            }
            SignInError::Failed(error) => error.into(),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::TooSoon(wait) => {
                Self::new(RATE_LIMITED, detail).advising(Advice::RetryAfter(wait.seconds()))
            }
            Error::TooMany | Error::Busy => {
                Self::new(RATE_LIMITED, detail).advising(Advice::RetryAfter(RETRY_SOON))
            }
            Error::Unavailable(cause) => Self::new(UNAVAILABLE, "the service is temporarily unavailable")
                .advising(Advice::RetryAfter(RETRY_SOON))
                .because(&cause),
            Error::Internal(cause) => Self::new(INTERNAL, WENT_WRONG).because(&cause),
            // What signing in never answers: then it is a mistake of ours.
            other => Self::new(INTERNAL, WENT_WRONG).because(&other),
        }
    }
}
