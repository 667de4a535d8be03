use fatura_application::ports::WebhookDelivery;
use fatura_domain::gateway::GatewayName;
use lambda_http::{Body, Request, RequestExt, Response};
use serde_json::json;

pub(crate) fn gateway(path: &str) -> Option<GatewayName> {
    GatewayName::parse(path.trim_end_matches('/').strip_prefix("/webhooks/")?).ok()
}

/// The bytes as they were signed: API Gateway's base64 is already undone.
pub(crate) fn delivery(request: Request) -> WebhookDelivery {
    let query = request.query_string_parameters();
    let query = query.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let header = |(name, value): (&lambda_http::http::HeaderName, &lambda_http::http::HeaderValue)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let headers = request.headers().iter().map(header).collect();
    let body = match request.into_body() {
        Body::Text(text) => text.into_bytes(),
        Body::Binary(bytes) => bytes,
        _ => Vec::new(),
    };
    WebhookDelivery { body, headers, query }
}

pub(crate) fn problem(status: u16, code: &str, detail: &str) -> Response<Body> {
    let body = json!({
        "type": format!("urn:fatura:problem:{code}"),
        "title": code.replace('_', " "),
        "status": status,
        "detail": detail,
        "code": code,
        "message": detail,
        "details": {},
    });
    answer(status, "application/problem+json", body.to_string())
}

pub(crate) fn answer(status: u16, content_type: &str, body: String) -> Response<Body> {
    let built =
        Response::builder().status(status).header("content-type", content_type).body(Body::Text(body));
    // Only a status out of range could fail, and all of them are above.
    built.unwrap_or_default()
}
