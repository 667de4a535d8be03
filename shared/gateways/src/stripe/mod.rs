//! Stripe: payments (its `PaymentIntent`) that are confirmed as they are made. A charge's reference is the payment's id.
//!
//! Sources: docs.stripe.com/api (payment intents, refunds, disputes, balance transactions, errors, idempotent requests) of
//! the version below. What is from memory says so where it stands.

mod amount;
mod customer;
mod declines;
mod dispute;
mod lookup;
mod movements;
mod outcome;
mod refund;
mod webhook;
mod wire;

use crate::base_url::BaseUrl;
use crate::form::Form;
use crate::http::{Answer, Http, exchange, within};
use crate::signature;
use crate::trouble::Trouble;
use amount::to_stripe;
use async_trait::async_trait;
use fatura_application::ports::{
    ChargeLookup, Gateway, GatewaySecrets, MalformedWebhook, Secrets, WebhookDelivery, WebhookHint,
    WebhookRefusal, WebhookSubject,
};
use fatura_domain::charge::Failure;
use fatura_domain::gateway::{
    Capabilities, ChargeOutcome, ChargeRequest, DisputeOutcome, GatewayName, GatewayReference, Means,
    MeansType, MovementPage, RefundOutcome, RefundRequest, StoreOutcome, StoreRequest, Token,
};
use fatura_domain::{SignedDuration, Timestamp};
use reqwest::{RequestBuilder, StatusCode};
use std::fmt;
use std::sync::Arc;

/// The shape of what is answered, whatever the account's own default is. Webhooks come in the endpoint's version; of
/// them only fields are read that have been the same since there are payment intents.
const VERSION: &str = "2025-03-31.basil";
const SIGNATURE_HEADER: &str = "stripe-signature";
/// How long a payer has for a QR code: an hour, as at the sandbox. Stripe takes 60 seconds (once 10) to 14 days, and has had
/// several defaults.
const PIX_SECONDS: u32 = 3_600;

#[derive(Clone)]
pub struct Stripe {
    name: GatewayName,
    http: Http,
    base_url: BaseUrl,
    secrets: Arc<dyn Secrets>,
}

impl Stripe {
    /// `base_url` is Stripe's host, without the version: `https://api.stripe.com`.
    #[expect(clippy::expect_used, reason = "the name is a constant, and a test reads it")]
    pub fn new(http: Http, base_url: BaseUrl, secrets: Arc<dyn Secrets>) -> Self {
        let name = GatewayName::parse("stripe").expect("is the name of a gateway");
        Self { name, http, base_url, secrets }
    }

    async fn order(&self, request: &ChargeRequest) -> Result<ChargeOutcome, Trouble> {
        let answer = self
            .post(&["payment_intents"], &order_form(request)?, Some(&request.attempt.to_string()))
            .await?;
        outcome::of_order(&answer, request)
    }

    async fn prove(&self) -> Result<(), Trouble> {
        let answer = self.get(&["balance"], &Form::new()).await?;
        match answer.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(Trouble::configuration("unauthorized", "the gateway does not accept our API key"))
            }
            _ => succeeded(&answer)?.json::<serde_json::Map<_, _>>().map(|_| ()),
        }
    }

    async fn get(&self, path: &[&str], query: &Form) -> Result<Answer, Trouble> {
        self.call(self.http.get(query.at(self.url(path)))).await
    }

    async fn post(&self, path: &[&str], form: &Form, key: Option<&str>) -> Result<Answer, Trouble> {
        let request = form.onto(self.http.post(self.url(path)));
        let request = match key {
            Some(key) => request.header("idempotency-key", key),
            None => request,
        };
        self.call(request).await
    }

    fn url(&self, path: &[&str]) -> reqwest::Url {
        let segments: Vec<&str> = std::iter::once("v1").chain(path.iter().copied()).collect();
        self.base_url.at(&segments)
    }

    async fn call(&self, request: RequestBuilder) -> Result<Answer, Trouble> {
        let api_key = self.api_key().await?;
        exchange(request.bearer_auth(api_key).header("stripe-version", VERSION)).await
    }

    async fn api_key(&self) -> Result<String, Trouble> {
        let secrets = self
            .secrets
            .gateway(&self.name)
            .await
            .map_err(|error| Trouble::not_sent("secrets_unavailable", error.to_string()))?;
        match secrets {
            Some(GatewaySecrets { api_key, .. }) if !api_key.is_empty() => Ok(api_key),
            _ => Err(Trouble::configuration("no_api_key", "no API key is configured for this gateway")),
        }
    }
}

/// Made of the request alone and always in the same order: Stripe compares a repeat with what came first.
fn order_form(request: &ChargeRequest) -> Result<Form, Trouble> {
    let form = Form::new()
        .with("amount", &to_stripe(request.amount)?)
        .with("currency", &request.amount.currency().code().to_ascii_lowercase())
        .with("confirm", &true)
        .with("capture_method", "automatic");
    // The type is named because Stripe would otherwise offer all that the account has, and ask for a return URL.
    let form = match &request.means {
        Means::CreditCard(token) => {
            let (customer, method) = customer::halves(token)?;
            form.with("off_session", &true)
                .with("customer", customer.as_str())
                .with("payment_method", method.as_str())
                .with("payment_method_types[]", "card")
        }
        // Stripe makes the QR code by itself: the payer's key has no place in it.
        Means::Pix(_) => form
            .with("payment_method_types[]", "pix")
            .nested("payment_method_data", "type", "pix")
            .with("payment_method_options[pix][expires_after_seconds]", &PIX_SECONDS),
    };
    Ok(form
        .nested("metadata", "attempt", &request.attempt)
        .nested("metadata", "invoice", &request.invoice())
        .with("expand[]", "latest_charge"))
}

/// Of a question, anything but a success leaves it open.
fn succeeded(answer: &Answer) -> Result<&Answer, Trouble> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    Err(Trouble::unknown("unexpected_status", format!("answered {}", answer.status)))
}

#[async_trait]
impl Gateway for Stripe {
    fn name(&self) -> &GatewayName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            means: &MeansType::ALL,
            currencies: &[],
            // Both: docs.stripe.com/payments/pix, "Refunds / Partial refunds".
            partial_refund: &MeansType::ALL,
            // "at least 24 hours" (docs.stripe.com/api/idempotent_requests).
            idempotency_key_lifetime: SignedDuration::from_hours(24),
            // Within the limits that `lookup` explains.
            looks_up_by_reference: true,
            // Only invoices and subscriptions of Stripe's own are retried by it, and we make none.
            retries_by_itself: false,
            keeps_books: true,
        }
    }

    async fn charge(&self, request: &ChargeRequest) -> ChargeOutcome {
        self.order(request).await.unwrap_or_else(Trouble::of_order)
    }

    async fn store_method(&self, request: &StoreRequest) -> StoreOutcome {
        // May be given up at any point: each step has a key of its own, and so the same order can go out again.
        within(self.http.total(), self.store(request))
            .await
            .unwrap_or_else(|trouble| StoreOutcome::Unclear { failure: trouble.into_failure() })
    }

    async fn detach_method(&self, token: &Token) -> Result<(), Failure> {
        within(self.http.total(), self.detach(token)).await.map_err(Trouble::into_failure)
    }

    async fn check(&self) -> Result<(), Failure> {
        self.prove().await.map_err(Trouble::into_failure)
    }

    async fn cancel(&self, lookup: &ChargeLookup) -> ChargeOutcome {
        within(self.http.total(), self.void(lookup)).await.unwrap_or_else(Trouble::of_question)
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
        signature::verify(SIGNATURE_HEADER, delivery, &secrets.webhook_secrets, now)
    }

    fn parse_webhook(&self, body: &[u8]) -> Result<WebhookHint, MalformedWebhook> {
        webhook::parse(body)
    }

    async fn resolve(&self, subject: &GatewayReference) -> Result<Option<WebhookSubject>, Failure> {
        self.whose_dispute(subject).await.map_err(Trouble::into_failure)
    }
}

impl fmt::Debug for Stripe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stripe").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}
