//! PayPal: orders (v2) that charge a vaulted card in the call that makes them. A charge's reference is its capture's id:
//! that is what is given back, disputed and on PayPal's books. An order that has none yet is `order/{id}`.
//!
//! Sources: PayPal's OpenAPI documents (github.com/paypal/paypal-rest-api-specifications: `checkout_orders_v2`,
//! `payments_payment_v2`, `vault_payment_tokens_v3`, `customer_disputes_v1`, `reporting_transactions_v1`) and the models
//! of PayPal's server SDKs. What is from memory or from others says so where it stands.
//!
//! What PayPal doesn't offer:
//! - Orders can't be looked up by our reference, and the reports lag by hours: without PayPal's id a charge stays Unknown
//!   until its webhook names it, or the same order goes out again while its key lives.
//! - An order to capture can't be voided. One that nobody completes ends by itself, hours later.
//! - Captures can be refunded for 180 days (from memory: `REFUND_TIME_LIMIT_EXCEEDED` after that).

mod amount;
mod certificate;
mod declines;
mod dispute;
mod id;
mod movements;
mod order;
mod outcome;
mod refund;
mod token;
mod vault;
mod webhook;
mod wire;

use crate::base_url::BaseUrl;
use crate::http::{Answer, Http, exchange, within};
use crate::trouble::Trouble;
use async_trait::async_trait;
use certificate::Certificates;
use fatura_application::ports::{
    ChargeLookup, Gateway, MalformedWebhook, Secrets, WebhookDelivery, WebhookHint, WebhookRefusal,
    WebhookSubject,
};
use fatura_domain::charge::Failure;
use fatura_domain::gateway::{
    Capabilities, ChargeOutcome, ChargeRequest, DisputeOutcome, GatewayName, GatewayReference, MeansType,
    MovementPage, RefundOutcome, RefundRequest, StoreOutcome, StoreRequest, Token,
};
use fatura_domain::{SignedDuration, Timestamp};
use reqwest::{RequestBuilder, StatusCode, Url};
use rustls::RootCertStore;
use serde::Serialize;
use std::fmt;
use std::sync::Arc;
use token::Tokens;

const IDEMPOTENCY: &str = "paypal-request-id";

#[derive(Clone)]
pub struct PayPal {
    name: GatewayName,
    http: Http,
    base_url: BaseUrl,
    secrets: Arc<dyn Secrets>,
    tokens: Arc<Tokens>,
    certificates: Arc<Certificates>,
}

impl PayPal {
    /// `base_url` is PayPal's host: `https://api-m.paypal.com`, or `https://api-m.sandbox.paypal.com`.
    #[expect(clippy::expect_used, reason = "the name is a constant, and a test reads it")]
    pub fn new(http: Http, base_url: BaseUrl, secrets: Arc<dyn Secrets>) -> Self {
        let name = GatewayName::parse("paypal").expect("is the name of a gateway");
        let certificates = Arc::new(Certificates::pinned(&base_url));
        Self { name, http, base_url, secrets, tokens: Arc::default(), certificates }
    }

    /// For tests: webhooks' certificates are fetched from elsewhere and lead to other roots. What their addresses have to
    /// look like, and whose they have to be, stays as it is.
    #[must_use]
    pub fn with_certificates(mut self, at: BaseUrl, roots: RootCertStore) -> Self {
        self.certificates = Arc::new(Certificates::pinned(&self.base_url).instead(at, roots));
        self
    }

    fn url(&self, path: &[&str]) -> Url {
        self.base_url.at(path)
    }

    /// A question about one thing. None: there is no such thing.
    async fn ask(&self, url: Url) -> Result<Option<Answer>, Trouble> {
        let answer = self.call(self.http.get(url)).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        succeeded(&answer)?;
        Ok(Some(answer))
    }

    async fn post(&self, path: &[&str], body: &impl Serialize, key: &str) -> Result<Answer, Trouble> {
        let post = self.http.post(self.url(path)).header(IDEMPOTENCY, key);
        // Without it there is only an id, and nothing to judge by.
        self.call(post.header("prefer", "return=representation").json(body)).await
    }

    /// Sends it; and once more if the token is refused, because that may have ended early. A 401 did nothing, so the same
    /// order under the same key is safe to repeat.
    async fn call(&self, request: RequestBuilder) -> Result<Answer, Trouble> {
        let again = request.try_clone();
        let token = self.token(None).await?;
        let answer = exchange(request.bearer_auth(&token)).await?;
        match again {
            Some(again) if answer.status == StatusCode::UNAUTHORIZED => {
                exchange(again.bearer_auth(self.token(Some(&token)).await?)).await
            }
            _ => Ok(answer),
        }
    }
}

/// Of a question, anything but a success leaves it open.
fn succeeded(answer: &Answer) -> Result<&Answer, Trouble> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    if matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        let message = "the gateway does not accept our credentials, or not for this";
        return Err(Trouble::refused("unauthorized", message, None));
    }
    Err(Trouble::unknown("unexpected_status", format!("answered {}", answer.status)))
}

#[async_trait]
impl Gateway for PayPal {
    fn name(&self) -> &GatewayName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            means: &[MeansType::CreditCard],
            currencies: &[],
            partial_refund: &[MeansType::CreditCard],
            // "The server stores keys for 6 hours", of orders; of refunds for 45 days.
            idempotency_key_lifetime: SignedDuration::from_hours(6),
            looks_up_by_reference: false,
            // Only subscriptions of PayPal's own are, and we make none.
            retries_by_itself: false,
            keeps_books: true,
        }
    }

    async fn charge(&self, request: &ChargeRequest) -> ChargeOutcome {
        // Given up in time it may have been sent, which is what `within` says of it.
        within(self.http.total(), self.order(request)).await.unwrap_or_else(Trouble::of_order)
    }

    async fn store_method(&self, request: &StoreRequest) -> StoreOutcome {
        within(self.http.total(), self.store(request))
            .await
            .unwrap_or_else(|trouble| StoreOutcome::Unclear { failure: trouble.into_failure() })
    }

    async fn detach_method(&self, token: &Token) -> Result<(), Failure> {
        within(self.http.total(), self.forget(token)).await.map_err(Trouble::into_failure)
    }

    /// A token is what the credentials are good for, and fetching one does nothing else.
    async fn check(&self) -> Result<(), Failure> {
        within(self.http.total(), self.prove()).await.map_err(Trouble::into_failure)
    }

    /// There is nothing to void: a capture is money taken, and an order without one can't be cancelled.
    async fn cancel(&self, lookup: &ChargeLookup) -> ChargeOutcome {
        self.fetch_charge(lookup).await
    }

    async fn fetch_charge(&self, lookup: &ChargeLookup) -> ChargeOutcome {
        within(self.http.total(), self.find(lookup)).await.unwrap_or_else(Trouble::of_question)
    }

    async fn refund(&self, request: &RefundRequest) -> RefundOutcome {
        // May be given up at any point: what is unclear goes out again under the same key.
        within(self.http.total(), self.give_back(request)).await.unwrap_or_else(Trouble::of_refund)
    }

    async fn fetch_refund(&self, request: &RefundRequest) -> Option<RefundOutcome> {
        within(self.http.total(), self.find_refund(request))
            .await
            .unwrap_or_else(|trouble| Some(trouble.of_refund()))
    }

    async fn fetch_dispute(&self, lookup: &ChargeLookup) -> DisputeOutcome {
        within(self.http.total(), self.find_dispute(lookup)).await.unwrap_or_else(Trouble::of_dispute)
    }

    async fn movements(
        &self,
        from: Timestamp,
        to: Timestamp,
        after: Option<&str>,
    ) -> Result<MovementPage, Failure> {
        within(self.http.total(), self.find_movements(from..to, after)).await.map_err(Trouble::into_failure)
    }

    async fn verify_webhook(&self, delivery: &WebhookDelivery, now: Timestamp) -> Result<(), WebhookRefusal> {
        let secrets = self.secrets.gateway(&self.name).await;
        let secrets = secrets.map_err(|error| WebhookRefusal::Unavailable(error.to_string()))?;
        let secrets = secrets.ok_or(WebhookRefusal::NoSecret)?;
        webhook::verify(delivery, &secrets, &self.certificates, &self.http, now).await
    }

    fn parse_webhook(&self, body: &[u8]) -> Result<WebhookHint, MalformedWebhook> {
        webhook::parse(body)
    }

    async fn resolve(&self, subject: &GatewayReference) -> Result<Option<WebhookSubject>, Failure> {
        within(self.http.total(), self.whose_dispute(subject)).await.map_err(Trouble::into_failure)
    }
}

impl fmt::Debug for PayPal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PayPal").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}
