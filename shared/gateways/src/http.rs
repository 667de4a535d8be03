//! The way out to the gateways' servers, the same for all of them, and the one place that decides what a call without a
//! proper answer means.

use crate::trouble::Trouble;
use bytes::{Bytes, BytesMut};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use rustls::{ClientConfig, RootCertStore};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// The longest answer that is read: a hundred times what any gateway sends about one charge.
const MAX_BODY: usize = 1 << 20;
/// Shorter than servers keep them: on a connection that the server has just closed an order would be lost halfway, and
/// Unknown costs far more than a new connection.
const IDLE: Duration = Duration::from_secs(10);
const MAX_IDLE: usize = 4;

#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    pub connect: Duration,
    /// From the first byte out to the last one in, connecting included.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(2), total: Duration::from_secs(10) }
    }
}

/// It can't be made: a build with other TLS than this crate was written for.
#[derive(Debug, Error)]
pub enum HttpSetupError {
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
    #[error("the HTTP client cannot be set up")]
    Client(#[from] reqwest::Error),
}

/// The client that all gateways share; cloning it is cheap. Made without reading a file or opening a socket.
#[derive(Debug, Clone)]
pub struct Http {
    client: Client,
    timeouts: Timeouts,
}

impl Http {
    pub fn try_new(timeouts: Timeouts) -> Result<Self, HttpSetupError> {
        let client = Client::builder()
            .tls_backend_preconfigured(tls()?)
            // A redirected order is one that goes to whoever asks for it.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            // A proxy's own errors would read as the gateway's.
            .no_proxy()
            // With HTTP/2 all orders under way would be lost with one connection.
            .http1_only()
            .referer(false)
            .connect_timeout(timeouts.connect)
            .timeout(timeouts.total)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(MAX_IDLE)
            .build()?;
        Ok(Self { client, timeouts })
    }

    /// What one operation may take, however many calls it makes: whoever calls a gateway has reserved that much.
    pub(crate) const fn total(&self) -> Duration {
        self.timeouts.total
    }

    pub(crate) fn get(&self, url: Url) -> RequestBuilder {
        self.client.get(url)
    }

    pub(crate) fn post(&self, url: Url) -> RequestBuilder {
        self.client.post(url)
    }

    pub(crate) fn put(&self, url: Url) -> RequestBuilder {
        self.client.put(url)
    }

    pub(crate) fn delete(&self, url: Url) -> RequestBuilder {
        self.client.delete(url)
    }
}

/// Mozilla's roots as they were parsed when `webpki-roots` was built: loading the system's costs more than all the rest
/// of a cold start. The provider is named because the default one is guessed from features, which other crates may add to.
pub(crate) fn tls() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// A gateway's answer: a success, or a definite refusal of what was asked (most of 4xx).
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    body: Bytes,
}

impl Answer {
    /// For the little that isn't JSON.
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Trouble> {
        serde_json::from_slice(&self.body).map_err(|error| {
            // Not the error's own text: it may quote the body, and with it a payer's data.
            let (category, line, column) = (error.classify(), error.line(), error.column());
            let place = format!("{category:?} error at line {line}, column {column}");
            Trouble::unknown("unreadable_answer", format!("answered {}, unreadable: {place}", self.status))
        })
    }
}

/// Sends a request once and reads what comes back.
pub(crate) async fn exchange(request: RequestBuilder) -> Result<Answer, Trouble> {
    let response = request.send().await.map_err(|error| transport_trouble(&error))?;
    let status = response.status();
    if let Some(trouble) = status_trouble(status, response.headers()) {
        return Err(trouble);
    }
    Ok(Answer { status, body: read(response).await? })
}

fn transport_trouble(error: &reqwest::Error) -> Trouble {
    if error.is_builder() {
        return Trouble::configuration(
            "request_not_built",
            "the request cannot be built from this configuration",
        );
    }
    let cause = deepest(error);
    // Before asking for a timeout: one while connecting is a connection that was never there.
    if error.is_connect() {
        return Trouble::not_sent("unreachable", format!("cannot connect: {cause}"));
    }
    if error.is_timeout() {
        return Trouble::unknown("timeout", "no answer in time");
    }
    Trouble::unknown("connection_lost", format!("the connection was lost: {cause}"))
}

/// The last cause: the system's words. The outer errors name the URL.
fn deepest(error: &reqwest::Error) -> String {
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(next) = cause.and_then(std::error::Error::source) {
        cause = Some(next);
    }
    cause.map_or_else(|| "no cause given".to_owned(), ToString::to_string)
}

/// What a status alone says, whatever the body.
fn status_trouble(status: StatusCode, headers: &HeaderMap) -> Option<Trouble> {
    if status == StatusCode::TOO_MANY_REQUESTS {
        let wait = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()).unwrap_or("unstated");
        let wait: String = wait.chars().take(40).collect();
        return Some(Trouble::not_sent("rate_limited", format!("too many requests, retry after: {wait}")));
    }
    if status.is_server_error() {
        return Some(Trouble::unknown("gateway_error", format!("answered {status}")));
    }
    // 408: the server stopped waiting for the order, after it had read who knows how much of it.
    if status == StatusCode::REQUEST_TIMEOUT || !(status.is_success() || status.is_client_error()) {
        return Some(Trouble::unknown("unexpected_status", format!("answered {status}")));
    }
    None
}

async fn read(mut response: Response) -> Result<Bytes, Trouble> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| answer_trouble(&error))? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(Trouble::unknown("unreadable_answer", "the answer is too long"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// The answer had begun, so whatever was sent has been seen.
fn answer_trouble(error: &reqwest::Error) -> Trouble {
    if error.is_timeout() {
        return Trouble::unknown("timeout", "the answer did not end in time");
    }
    Trouble::unknown("unreadable_answer", format!("the answer broke off: {}", deepest(error)))
}

/// An operation of several calls, within the time of one. Only for questions: they can be given up at any point.
pub(crate) async fn within<T>(
    total: Duration,
    question: impl Future<Output = Result<T, Trouble>>,
) -> Result<T, Trouble> {
    tokio::time::timeout(total, question)
        .await
        .unwrap_or_else(|_| Err(Trouble::unknown("timeout", "no answer in time")))
}
