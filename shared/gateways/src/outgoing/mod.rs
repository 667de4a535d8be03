//! Webhooks that go out, to servers of which nobody knows anything: whoever registers an endpoint chooses where we send
//! something, and must not be able to make us call what only we can reach (SSRF).
//!
//! Architecture invariant: every address is judged, whether it was named or looked up, before anything connects to it; and
//! it is connected to as judged. Redirects, proxies, cookies and connections that are kept would each be a way around that.

mod lookup;
mod signature;

pub use lookup::{Lookup, SystemLookup};

use crate::http::{HttpSetupError, tls};
use async_trait::async_trait;
use fatura_application::ports::{OutgoingWebhook, WebhookSender};
use fatura_domain::Timestamp;
use fatura_domain::webhook_endpoint::{Answer, Attempt, Loopback, NoAnswer, Took, retry_after};
use lookup::{Guard, NameTrouble, may_call};
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response};
use signature::signatures;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// From looking the name up to the end of the answer.
const TOTAL: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(5);
/// What is read of an answer. Nobody looks at it, but a server that is cut off while it still speaks may take the message
/// for undelivered.
const MAX_BODY: usize = 4_096;
/// Who calls, for those who read logs.
const USER_AGENT: &str = "Fatura-Webhooks/1";

/// Cloning it is cheap. Made without reading a file or opening a socket.
#[derive(Debug, Clone)]
pub struct WebhookClient {
    client: Client,
    loopback: Loopback,
}

impl WebhookClient {
    pub fn try_new(loopback: Loopback) -> Result<Self, HttpSetupError> {
        Self::with(Arc::new(SystemLookup), loopback, TOTAL)
    }

    /// With somebody else to ask for names, and another patience.
    pub fn with(
        lookup: Arc<dyn Lookup>,
        loopback: Loopback,
        total: Duration,
    ) -> Result<Self, HttpSetupError> {
        let client = Client::builder()
            .tls_backend_preconfigured(tls()?)
            .dns_resolver(Guard { lookup, loopback })
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .http1_only()
            .referer(false)
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT)
            .timeout(total)
            // Each message is looked up and judged anew.
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(Self { client, loopback })
    }

    async fn answer(&self, webhook: OutgoingWebhook<'_>) -> Answer {
        // An address in the URL is never looked up, so that the guard doesn't see it.
        if webhook.to.literal_address().is_some_and(|address| !may_call(address, self.loopback)) {
            return Answer::Nothing(NoAnswer::AddressRefused);
        }
        match self.post(webhook).await {
            Ok(response) => {
                let answer = answer(&response, webhook.at);
                drain(response).await;
                answer
            }
            Err(error) => Answer::Nothing(no_answer(&error)),
        }
    }

    async fn post(&self, webhook: OutgoingWebhook<'_>) -> Result<Response, reqwest::Error> {
        let signatures = signatures(webhook.id, webhook.at, webhook.body, webhook.secrets);
        self.client
            .post(webhook.to.as_str())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", webhook.id.to_string())
            .header("webhook-timestamp", webhook.at.as_second().to_string())
            .header("webhook-signature", signatures)
            .body(webhook.body.to_owned())
            .send()
            .await
    }
}

#[async_trait]
impl WebhookSender for WebhookClient {
    async fn send(&self, webhook: OutgoingWebhook<'_>) -> Attempt {
        let began = Instant::now();
        let answer = self.answer(webhook).await;
        let took = Took::of(began.elapsed());
        tracing::info!(message = %webhook.id, host = webhook.to.host(), ?answer, ?took, "webhook sent");
        Attempt { at: webhook.at, answer, took }
    }
}

fn answer(response: &Response, now: Timestamp) -> Answer {
    Answer::Status { code: response.status().as_u16(), retry_after: wish(response.headers(), now) }
}

fn wish(headers: &HeaderMap, now: Timestamp) -> Option<u32> {
    retry_after(headers.get(RETRY_AFTER)?.to_str().ok()?, now)
}

/// What becomes of the rest changes nothing: the status has been said.
async fn drain(mut response: Response) {
    let mut length = 0;
    while let Ok(Some(chunk)) = response.chunk().await {
        length += chunk.len();
        if length >= MAX_BODY {
            return;
        }
    }
}

fn no_answer(error: &reqwest::Error) -> NoAnswer {
    match name_trouble(error) {
        Some(NameTrouble::Refused) => NoAnswer::AddressRefused,
        Some(NameTrouble::Unknown) => NoAnswer::NameUnknown,
        None if error.is_connect() => NoAnswer::Unreachable,
        None if error.is_timeout() => NoAnswer::TimedOut,
        None => NoAnswer::Broken,
    }
}

/// What the guard said, below all that others have wrapped it in.
fn name_trouble(error: &reqwest::Error) -> Option<NameTrouble> {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = cause {
        if let Some(trouble) = error.downcast_ref::<NameTrouble>() {
            return Some(*trouble);
        }
        cause = error.source();
    }
    None
}
