//! The access token that PayPal gives for our client's id and secret. It lasts for hours and is the same for every call,
//! so it is kept, and fetched once however many calls wait for it. Nothing is ordered by fetching it: whatever goes wrong
//! with that, the order it was for was not sent.

use super::PayPal;
use crate::http::{exchange, within};
use crate::trouble::Trouble;
use fatura_application::ports::GatewaySecrets;
use reqwest::StatusCode;
use serde::Deserialize;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// In `more`, beside the client's secret that is the API key.
const CLIENT_ID: &str = "client_id";
/// A token isn't used for so long before its end: the call has to arrive with it, and clocks differ.
const MARGIN: Duration = Duration::from_mins(2);
/// Of the time of a whole operation, what a token may take of it.
const SHARE: u32 = 3;

#[derive(Default)]
pub(super) struct Tokens(Mutex<Option<Kept>>);

struct Kept {
    access_token: String,
    ends: Instant,
    /// Whose it is: with other credentials it is no use.
    credentials: Credentials,
}

#[derive(PartialEq, Eq)]
struct Credentials {
    client_id: String,
    secret: String,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    token_type: String,
    expires_in: u64,
}

impl PayPal {
    /// A token to call with, and not the one that was refused.
    pub(super) async fn token(&self, refused: Option<&str>) -> Result<String, Trouble> {
        let credentials = Credentials::of(&self.told().await?)?;
        within(self.http.total() / SHARE, self.kept_or_new(credentials, refused)).await.map_err(not_sent)
    }

    /// Not by the token that is kept: that would prove what the credentials were.
    pub(super) async fn prove(&self) -> Result<(), Trouble> {
        let credentials = Credentials::of(&self.told().await?)?;
        self.fetch_token(&credentials).await.map(|_| ())
    }

    async fn kept_or_new(&self, credentials: Credentials, refused: Option<&str>) -> Result<String, Trouble> {
        // Held while it is fetched: the others wait for the same token instead of fetching their own.
        let mut kept = self.tokens.0.lock().await;
        let usable = kept.as_ref().filter(|kept| {
            kept.credentials == credentials
                && refused != Some(kept.access_token.as_str())
                && kept.ends > Instant::now()
        });
        if let Some(usable) = usable {
            return Ok(usable.access_token.clone());
        }
        let asked = Instant::now();
        let Granted { access_token, expires_in, .. } = self.fetch_token(&credentials).await?;
        let lasts = Duration::from_secs(expires_in).saturating_sub(MARGIN);
        let ends = asked.checked_add(lasts).unwrap_or(asked);
        *kept = Some(Kept { access_token: access_token.clone(), ends, credentials });
        Ok(access_token)
    }

    async fn fetch_token(&self, credentials: &Credentials) -> Result<Granted, Trouble> {
        let request = self
            .http
            .post(self.base_url.at(&["v1", "oauth2", "token"]))
            .basic_auth(&credentials.client_id, Some(&credentials.secret))
            .form(&[("grant_type", "client_credentials")]);
        let answer = exchange(request).await?;
        match answer.status {
            status if status.is_success() => {}
            // 400: how OAuth refuses a client that it doesn't know, `invalid_client`.
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::BAD_REQUEST => {
                let message = "the gateway does not accept our client id and secret";
                return Err(Trouble::configuration("unauthorized", message));
            }
            status => {
                return Err(Trouble::configuration(
                    "no_token",
                    format!("asked for a token, answered {status}"),
                ));
            }
        }
        let granted: Granted = answer.json()?;
        let is_usable = granted.token_type.eq_ignore_ascii_case("bearer")
            && !granted.access_token.is_empty()
            && granted.access_token.bytes().all(|byte| byte.is_ascii_graphic());
        if is_usable {
            return Ok(granted);
        }
        Err(Trouble::unknown("unreadable_answer", "the gateway's token is none that can be sent"))
    }

    pub(super) async fn told(&self) -> Result<GatewaySecrets, Trouble> {
        let secrets = self.secrets.gateway(&self.name).await;
        let secrets = secrets.map_err(|error| Trouble::not_sent("secrets_unavailable", error.to_string()))?;
        secrets.ok_or_else(no_api_key)
    }
}

impl Credentials {
    fn of(told: &GatewaySecrets) -> Result<Self, Trouble> {
        let client_id = told.more.get(CLIENT_ID).filter(|id| !id.is_empty()).ok_or_else(|| {
            Trouble::configuration("no_client_id", format!("{CLIENT_ID} is not configured for this gateway"))
        })?;
        if told.api_key.is_empty() {
            return Err(no_api_key());
        }
        Ok(Self { client_id: client_id.clone(), secret: told.api_key.clone() })
    }
}

fn no_api_key() -> Trouble {
    Trouble::configuration("no_api_key", "no API key is configured for this gateway")
}

fn not_sent(trouble: Trouble) -> Trouble {
    match trouble {
        Trouble::Unknown(reason) => Trouble::NotSent(reason),
        known => known,
    }
}
