//! `POST /v1/auth` and what belongs to it: signing in, staying signed in, signing out, and the keys to check tokens with.

mod problem;
mod wire;

use fatura_application::SignIn;
use lambda_http::http::{HeaderValue, header};
use lambda_http::{Body, Request, RequestExt, Response};
use problem::Problem;
use std::net::IpAddr;
use std::time::Instant;
use wire::{Fields, granted, json, no_content};

/// Every operation of this function, as method (in lower case) and path.
pub const OPERATIONS: [(&str, &str); 4] = [
    ("post", "/v1/auth"),
    ("post", "/v1/auth/refresh"),
    ("post", "/v1/auth/sign-out"),
    ("get", "/.well-known/jwks.json"),
];

/// Others may keep the keys for so long. A rotated key signs after a minute at the latest: whoever meets one that isn't
/// among those that are kept looks again.
const KEYS_KEPT_FOR: HeaderValue = HeaderValue::from_static("public, max-age=300");
const REQUEST_ID: &str = "x-request-id";

pub async fn handle(sign_in: &SignIn, request: Request) -> Response<Body> {
    let started = Instant::now();
    let id = request_id(sign_in, &request);
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut response = answer(sign_in, request).await.unwrap_or_else(|problem| {
        if let Some(cause) = problem.cause() {
            tracing::error!(request_id = id, cause, "failed");
        }
        problem.render(&id)
    });
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    // Paths of this function have nobody's id in them; any other isn't written down.
    let known = OPERATIONS.iter().find(|(_, known)| *known == path).map_or("none", |(_, known)| known);
    tracing::info!(
        method = method.as_str(),
        path = known,
        status = response.status().as_u16(),
        duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        request_id = id,
        "answered"
    );
    response
}

async fn answer(sign_in: &SignIn, request: Request) -> Result<Response<Body>, Problem> {
    let path = request.uri().path().to_owned();
    let wanted = if path == "/.well-known/jwks.json" { "GET" } else { "POST" };
    if !OPERATIONS.iter().any(|(_, known)| *known == path) {
        return Err(Problem::not_found());
    }
    if request.method().as_str() != wanted {
        return Err(Problem::method_not_allowed(wanted));
    }
    match path.as_str() {
        "/v1/auth" => {
            let address = address(&request);
            let [email, password] = Fields::of(request)?.texts(["email", "password"])?;
            Ok(granted(&sign_in.sign_in(&email, &password, address).await?))
        }
        "/v1/auth/refresh" => {
            let [token] = Fields::of(request)?.texts(["refresh_token"])?;
            Ok(granted(&sign_in.refresh(&token).await?))
        }
        "/v1/auth/sign-out" => {
            let [token] = Fields::of(request)?.texts(["refresh_token"])?;
            sign_in.sign_out(&token).await?;
            Ok(no_content())
        }
        _ => {
            let mut response = json(200, "application/json", &sign_in.tokens.key_set().await?);
            response.headers_mut().insert(header::CACHE_CONTROL, KEYS_KEPT_FOR);
            Ok(response)
        }
    }
}

/// Where the request came from, as API Gateway saw it. What a header says of it anybody can say.
fn address(request: &Request) -> Option<IpAddr> {
    use lambda_http::request::RequestContext;
    let RequestContext::ApiGatewayV2(context) = request.request_context_ref()? else { return None };
    context.http.source_ip.as_deref()?.parse().ok()
}

/// Lambda's own id, under which its log lines are found; outside of Lambda a new one.
fn request_id(sign_in: &SignIn, request: &Request) -> String {
    match request.lambda_context_ref() {
        Some(context) => context.request_id.clone(),
        None => format!("req-{:016x}", sign_in.entropy.bits()),
    }
}
