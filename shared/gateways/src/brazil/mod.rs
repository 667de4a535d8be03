//! What the Brazilian gateways have in common: JSON under one key, reais, Pix, and secrets that are shown and not signed
//! with.

pub(crate) mod declines;
pub(crate) mod pix;
pub(crate) mod reais;
pub(crate) mod refunds;
pub(crate) mod shown;

use crate::base_url::BaseUrl;
use crate::http::{Answer, Http, exchange};
use crate::trouble::Trouble;
use fatura_application::ports::{GatewaySecrets, Secrets, WebhookRefusal};
use fatura_domain::gateway::GatewayName;
use reqwest::{RequestBuilder, StatusCode, Url};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

const MAX_ID: usize = 100;

/// How a gateway wants to see its API key.
#[derive(Debug, Clone, Copy)]
pub(crate) enum KeyAs {
    Bearer,
    /// As the user of Basic authentication, with no password.
    User,
}

/// One gateway's server, and the key to it.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) name: GatewayName,
    pub(crate) http: Http,
    base_url: BaseUrl,
    secrets: Arc<dyn Secrets>,
    key_as: KeyAs,
}

impl Desk {
    #[expect(clippy::expect_used, reason = "the names are constants, and tests read them")]
    pub(crate) fn new(
        name: &'static str,
        key_as: KeyAs,
        http: Http,
        base_url: BaseUrl,
        secrets: Arc<dyn Secrets>,
    ) -> Self {
        let name = GatewayName::parse(name).expect("is the name of a gateway");
        Self { name, http, base_url, secrets, key_as }
    }

    pub(crate) fn at(&self, segments: &[&str]) -> Url {
        self.base_url.at(segments)
    }

    pub(crate) async fn call(&self, request: RequestBuilder) -> Result<Answer, Trouble> {
        self.call_with(&self.told().await?, request).await
    }

    pub(crate) async fn call_with(
        &self,
        told: &GatewaySecrets,
        request: RequestBuilder,
    ) -> Result<Answer, Trouble> {
        exchange(match self.key_as {
            KeyAs::Bearer => request.bearer_auth(&told.api_key),
            KeyAs::User => request.basic_auth(&told.api_key, Some("")),
        })
        .await
    }

    /// A question about one thing. None: there is no such thing.
    pub(crate) async fn ask(&self, segments: &[&str]) -> Result<Option<Answer>, Trouble> {
        let answer = self.call(self.http.get(self.at(segments))).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        succeeded(&answer)?;
        Ok(Some(answer))
    }

    pub(crate) async fn told(&self) -> Result<GatewaySecrets, Trouble> {
        let secrets = self.secrets.gateway(&self.name).await;
        match secrets.map_err(|error| Trouble::not_sent("secrets_unavailable", error.to_string()))? {
            Some(told) if !told.api_key.is_empty() => Ok(told),
            _ => Err(Trouble::configuration("no_api_key", "no API key is configured for this gateway")),
        }
    }

    /// Never empty, and no empty one among them: that is a setting which was forgotten, and anybody could know it.
    pub(crate) async fn webhook_secrets(&self) -> Result<Vec<String>, WebhookRefusal> {
        let secrets = self.secrets.gateway(&self.name).await;
        let secrets = secrets.map_err(|error| WebhookRefusal::Unavailable(error.to_string()))?;
        let secrets: Vec<String> = secrets
            .ok_or(WebhookRefusal::NoSecret)?
            .webhook_secrets
            .into_iter()
            .filter(|s| !s.is_empty())
            .collect();
        if secrets.is_empty() { Err(WebhookRefusal::NoSecret) } else { Ok(secrets) }
    }

    pub(crate) const fn total(&self) -> Duration {
        self.http.total()
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk")
            .field("name", &self.name)
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}

/// A definite no to the order itself; nothing was charged.
pub(crate) fn refused_order(status: StatusCode, raw_code: Option<String>) -> Trouble {
    match status {
        // What was first sent under this key differs, and may have charged.
        StatusCode::CONFLICT => {
            Trouble::unknown("key_reused", "another order was sent under this idempotency key")
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            Trouble::refused("unauthorized", "the gateway does not accept our API key", raw_code)
        }
        status => {
            Trouble::refused("order_refused", format!("the gateway refused the order: {status}"), raw_code)
        }
    }
}

/// Of a question, anything but a success leaves it open.
pub(crate) fn succeeded(answer: &Answer) -> Result<&Answer, Trouble> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    if matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        return Err(Trouble::refused("unauthorized", "the gateway does not accept our API key", None));
    }
    Err(Trouble::unknown("unexpected_status", format!("answered {}", answer.status)))
}

/// What was to be forgotten is forgotten, or was never there.
pub(crate) fn forgotten(answer: &Answer) -> Result<(), Trouble> {
    if answer.status == StatusCode::NOT_FOUND { Ok(()) } else { succeeded(answer).map(|_| ()) }
}

/// What can stand in a path and be stored: short, and of plain characters.
pub(crate) fn is_plain(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=MAX_ID).contains(&id.len()) && id.bytes().all(plain)
}

/// This adapter's own form of a stored card: plain parts with slashes between.
pub(crate) fn parts<const N: usize>(token: &str) -> Result<[&str; N], Trouble> {
    let parts: Vec<&str> = token.split('/').collect();
    let parts = <[&str; N]>::try_from(parts).ok().filter(|parts| parts.iter().all(|part| is_plain(part)));
    parts.ok_or_else(|| {
        Trouble::configuration("not_a_stored_card", "the token was not stored by this gateway")
    })
}

/// The gateways' books can't be asked for what moved in a time, so far as is known.
pub(crate) fn no_books() -> Trouble {
    Trouble::configuration("books_not_offered", "this gateway lists no movements by time")
}
