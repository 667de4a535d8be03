//! Every way to say no, as a problem document (RFC 9457): the same codes and titles as the rest of the API has.

use crate::wire::json;
use fatura_application::{Error, Fault, SignInError};
use lambda_http::http::{HeaderName, HeaderValue, Method, header};
use lambda_http::{Body, Response};
use serde_json::{Value, json as value};

#[derive(Debug)]
pub(crate) struct Problem {
    status: u16,
    code: &'static str,
    title: &'static str,
    detail: String,
    details: Value,
    advice: Option<(HeaderName, HeaderValue)>,
    /// For the log, never for the client.
    cause: Option<String>,
}

const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"fatura\"");
/// Seconds after which trying again makes sense where nothing else is known.
const RETRY_SOON: u64 = 2;

impl Problem {
    fn new(status: u16, code: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, title, detail: detail.into(), details: value!({}), advice: None, cause: None }
    }

    pub(crate) fn not_found() -> Self {
        Self::new(404, "not_found", "There is no such thing", "not found")
    }

    pub(crate) fn method_not_allowed(allowed: Method) -> Self {
        let detail = "the Allow header says which methods there are";
        let title = "This resource does not take that method";
        let allowed = HeaderValue::from_str(allowed.as_str()).ok().map(|allowed| (header::ALLOW, allowed));
        Self { advice: allowed, ..Self::new(405, "method_not_allowed", title, detail) }
    }

    pub(crate) fn malformed() -> Self {
        Self::new(400, "malformed_json", "The body is not JSON", "the body is not JSON, or is empty")
    }

    pub(crate) fn too_large(most: usize) -> Self {
        let detail = format!("the body may have at most {most} bytes");
        Self::new(413, "payload_too_large", "The body is too large", detail)
    }

    pub(crate) fn not_json() -> Self {
        let detail = "send Content-Type: application/json";
        Self::new(415, "unsupported_media_type", "The body must be JSON", detail)
    }

    pub(crate) fn invalid(faults: &[Fault]) -> Self {
        let errors: Vec<Value> =
            faults.iter().map(|fault| value!({"field": fault.field, "reason": fault.reason})).collect();
        let detail = match faults {
            [fault] => format!("{} {}", fault.field, fault.reason),
            _ => format!("{} members of the request are not valid", faults.len()),
        };
        let problem = Self::new(422, "invalid_argument", "The request is not valid", detail);
        Self { details: value!({ "errors": errors }), ..problem }
    }

    /// One answer for everything that isn't right: it tells nobody which part was.
    fn refused() -> Self {
        let title = "Credentials are missing or not valid";
        let problem = Self::new(401, "unauthenticated", title, "the credentials are not valid");
        Self { advice: Some((header::WWW_AUTHENTICATE, CHALLENGE)), ..problem }
    }

    fn retry_after(self, seconds: u64) -> Self {
        Self { advice: Some((header::RETRY_AFTER, HeaderValue::from(seconds))), ..self }
    }

    pub(crate) fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    pub(crate) fn render(self, request_id: &str) -> Response<Body> {
        let document = value!({
            "type": format!("urn:fatura:problem:{}", self.code),
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "message": self.detail,
            "details": self.details,
            "request_id": request_id,
        });
        let mut response = json(self.status, "application/problem+json", &document);
        response.headers_mut().extend(self.advice.map(|(name, value)| (Some(name), value)));
        response
    }
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Refused => Self::refused(),
            SignInError::Failed(error) => error.into(),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        let too_many = |detail| Self::new(429, "rate_limited", "Too many requests", detail);
        match error {
            Error::TooSoon(wait) => too_many(detail).retry_after(wait.seconds()),
            Error::TooMany | Error::Busy => too_many(detail).retry_after(RETRY_SOON),
            Error::Unavailable(cause) => {
                let detail = "the service is temporarily unavailable";
                let problem = Self::new(503, "unavailable", "Temporarily unavailable", detail);
                Self { cause: Some(cause.to_string()), ..problem.retry_after(RETRY_SOON) }
            }
            other => {
                let detail = "the request could not be processed";
                let problem = Self::new(500, "internal", "Something went wrong on our side", detail);
                Self { cause: Some(other.to_string()), ..problem }
            }
        }
    }
}
