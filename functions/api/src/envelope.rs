//! What every request gets, whatever becomes of it: an id, one line in the log, and an answer even after a panic.

use crate::problem::Problem;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use fatura_application::ports::Entropy;
use futures::FutureExt;
use lambda_http::RequestExt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const AMAZON_REQUEST_ID: &str = "x-amzn-request-id";

/// Where authentication leaves the caller's name for the log.
#[derive(Debug, Clone, Default)]
pub(crate) struct CallerSlot(Arc<OnceLock<String>>);

impl CallerSlot {
    pub(crate) fn set(&self, caller: &str) {
        // Whoever authenticated first stays: there is one caller in a request.
        let _ = self.0.set(caller.to_owned());
    }
}

pub(crate) async fn envelope(
    State(entropy): State<Arc<dyn Entropy>>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let id = request_id(&request, &*entropy);
    let method = request.method().clone();
    // The pattern, not the path: no ids of customers in the log, and few distinct values.
    let path = request.extensions().get::<MatchedPath>().cloned();
    let caller = CallerSlot::default();
    request.extensions_mut().insert(caller.clone());

    let mut response = if is_cut_short(&request) {
        Problem::not_found().into_response()
    } else {
        let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        answer.unwrap_or_else(|_| Problem::internal("the handler panicked").into_response())
    };
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        if let Some(cause) = problem.cause() {
            tracing::error!(request_id = id, cause, "failed");
        }
        response = problem.render(&id);
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    tracing::info!(
        method = method.as_str(),
        path = path.as_ref().map_or("none", MatchedPath::as_str),
        status = response.status().as_u16(),
        duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        request_id = id,
        caller = caller.0.get().map_or("none", String::as_str),
        "answered"
    );
    response
}

/// API Gateway decodes the path, and what follows a `?` or `#` in it is no longer taken for path: the request would be one
/// for something else. No id has either.
fn is_cut_short(request: &Request) -> bool {
    request.raw_http_path().contains(['?', '#'])
}

/// Lambda's own id, under which its log lines are found; outside of Lambda the caller's, if it is harmless, or a new one.
fn request_id(request: &Request, entropy: &dyn Entropy) -> String {
    if let Some(context) = request.lambda_context_ref() {
        return context.request_id.clone();
    }
    let harmless = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let given = request.headers().get(AMAZON_REQUEST_ID).and_then(|id| id.to_str().ok()).filter(harmless);
    given.map_or_else(|| format!("req-{:016x}", entropy.bits()), str::to_owned)
}
