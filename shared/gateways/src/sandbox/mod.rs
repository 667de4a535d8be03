//! The gateway of the local stack and the tests: real HTTP, signatures and failures, no real money.

mod dispute;
mod movements;
mod outcome;
mod refund;
mod wire;

use crate::base_url::BaseUrl;
use crate::http::{Answer, Http, exchange, within};
use crate::signature;
use crate::trouble::Trouble;
use async_trait::async_trait;
use fatura_application::ports::{
    ChargeLookup, Gateway, GatewaySecrets, MalformedWebhook, Secrets, WebhookDelivery, WebhookHint,
    WebhookRefusal,
};
use fatura_domain::charge::Failure;
use fatura_domain::gateway::{
    Capabilities, ChargeOutcome, ChargeRequest, DisputeOutcome, GatewayName, MeansType, MovementPage,
    RefundOutcome, RefundRequest,
};
use fatura_domain::{SignedDuration, Timestamp};
use outcome::{standing, standing_among};
use reqwest::{RequestBuilder, StatusCode, Url};
use std::fmt;
use std::sync::Arc;
use wire::{Charge, ChargeId, Charges, Event, Order, Refusal, Status};

const SIGNATURE_HEADER: &str = "sandbox-signature";

#[derive(Clone)]
pub struct Sandbox {
    name: GatewayName,
    http: Http,
    base_url: BaseUrl,
    secrets: Arc<dyn Secrets>,
}

impl Sandbox {
    #[expect(clippy::expect_used, reason = "the name is a constant, and a test reads it")]
    pub fn new(http: Http, base_url: BaseUrl, secrets: Arc<dyn Secrets>) -> Self {
        let name = GatewayName::parse("sandbox").expect("is the name of a gateway");
        Self::named(name, http, base_url, secrets)
    }

    /// A second one beside it, to route between.
    pub fn named(name: GatewayName, http: Http, base_url: BaseUrl, secrets: Arc<dyn Secrets>) -> Self {
        Self { name, http, base_url, secrets }
    }

    async fn order(&self, request: &ChargeRequest) -> Result<ChargeOutcome, Trouble> {
        let order = self
            .http
            .post(self.base_url.at(&["charges"]))
            .header("idempotency-key", request.attempt.to_string())
            .json(&Order::from(request));
        let answer = self.call(order).await?;
        let is_declined = answer.status == StatusCode::PAYMENT_REQUIRED;
        if !answer.status.is_success() && !is_declined {
            return Err(refused_order(&answer));
        }
        let charge: Charge = answer.json()?;
        // Only both together are a decline: believing one of two contradicting words could charge twice.
        if is_declined != (charge.status == Status::Declined) {
            let message = format!("answered {}, with a charge that is {:?}", answer.status, charge.status);
            return Err(Trouble::unknown("contradictory_answer", message));
        }
        standing(charge, request.attempt)
    }

    async fn find(&self, lookup: &ChargeLookup) -> Result<ChargeOutcome, Trouble> {
        standing_among(self.look_up(lookup).await?, lookup.attempt)
    }

    /// What the gateway finds: one by its own id, or all under our reference. Whose they are is yet to be checked.
    async fn look_up(&self, lookup: &ChargeLookup) -> Result<Vec<Charge>, Trouble> {
        if let Some(id) = known_id(lookup) {
            let answer = self.call(self.http.get(self.base_url.at(&["charges", id.as_str()]))).await?;
            if answer.status != StatusCode::NOT_FOUND {
                return Ok(vec![succeeded(&answer)?.json()?]);
            }
            // A wrong id says nothing about the attempt: only its own reference can be absent.
        }
        let answer = self.call(self.http.get(self.charges_of(lookup))).await?;
        let charges: Charges = succeeded(&answer)?.json()?;
        Ok(charges.data)
    }

    async fn void(&self, lookup: &ChargeLookup) -> Result<ChargeOutcome, Trouble> {
        let id = match known_id(lookup) {
            Some(id) => id,
            None => match self.find(lookup).await? {
                ChargeOutcome::Pending { reference, .. } => ChargeId::from_reference(&reference)?,
                settled => return Ok(settled),
            },
        };
        let answer = self.call(self.http.post(self.base_url.at(&["charges", id.as_str(), "void"]))).await?;
        if answer.status.is_success() {
            return standing(answer.json()?, lookup.attempt);
        }
        // Too late to void, or no such charge: what counts is how it stands.
        self.find(lookup).await
    }

    fn charges_of(&self, lookup: &ChargeLookup) -> Url {
        let mut url = self.base_url.at(&["charges"]);
        url.query_pairs_mut().append_pair("reference", &lookup.attempt.to_string());
        url
    }

    async fn call(&self, request: RequestBuilder) -> Result<Answer, Trouble> {
        exchange(request.bearer_auth(self.api_key().await?)).await
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

/// A definite no to the order itself; nothing was charged.
fn refused_order(answer: &Answer) -> Trouble {
    let raw_code = answer.json::<Refusal>().ok().map(|refusal| refusal.error.code);
    match answer.status {
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

fn allowed(answer: &Answer) -> Result<(), Trouble> {
    match answer.status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            Err(Trouble::refused("unauthorized", "the gateway does not accept our API key", None))
        }
        _ => succeeded(answer).map(|_| ()),
    }
}

/// Of a question, anything but a success leaves it open.
fn succeeded(answer: &Answer) -> Result<&Answer, Trouble> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    Err(Trouble::unknown("unexpected_status", format!("answered {}", answer.status)))
}

/// The gateway's id of the charge, if it is one that can be asked for.
fn known_id(lookup: &ChargeLookup) -> Option<ChargeId> {
    lookup.reference.as_ref().and_then(|reference| ChargeId::from_reference(reference).ok())
}

#[async_trait]
impl Gateway for Sandbox {
    fn name(&self) -> &GatewayName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            means: &MeansType::ALL,
            currencies: &[],
            partial_refund: &MeansType::ALL,
            // It remembers keys until it is stopped; a day is what the strictest of the real ones promise.
            idempotency_key_lifetime: SignedDuration::from_hours(24),
            looks_up_by_reference: true,
            retries_by_itself: false,
            keeps_books: true,
        }
    }

    async fn check(&self) -> Result<(), Failure> {
        let mut url = self.base_url.at(&["charges"]);
        url.query_pairs_mut().append_pair("reference", "of-nothing");
        let asked = self.call(self.http.get(url)).await;
        asked.and_then(|answer| allowed(&answer)).map_err(Trouble::into_failure)
    }

    async fn charge(&self, request: &ChargeRequest) -> ChargeOutcome {
        self.order(request).await.unwrap_or_else(Trouble::of_order)
    }

    async fn cancel(&self, lookup: &ChargeLookup) -> ChargeOutcome {
        within(self.http.total(), self.void(lookup)).await.unwrap_or_else(Trouble::of_question)
    }

    async fn fetch_charge(&self, lookup: &ChargeLookup) -> ChargeOutcome {
        within(self.http.total(), self.find(lookup)).await.unwrap_or_else(Trouble::of_question)
    }

    async fn refund(&self, request: &RefundRequest) -> RefundOutcome {
        self.give_back(request).await.unwrap_or_else(Trouble::of_refund)
    }

    async fn fetch_refund(&self, request: &RefundRequest) -> Option<RefundOutcome> {
        self.find_refund(request).await.unwrap_or_else(|trouble| Some(trouble.of_refund()))
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
        self.find_movements(from..to, after).await.map_err(Trouble::into_failure)
    }

    async fn verify_webhook(&self, delivery: &WebhookDelivery, now: Timestamp) -> Result<(), WebhookRefusal> {
        let secrets = self.secrets.gateway(&self.name).await;
        let secrets = secrets.map_err(|error| WebhookRefusal::Unavailable(error.to_string()))?;
        let secrets = secrets.ok_or(WebhookRefusal::NoSecret)?;
        signature::verify(SIGNATURE_HEADER, delivery, &secrets.webhook_secrets, now)
    }

    fn parse_webhook(&self, body: &[u8]) -> Result<WebhookHint, MalformedWebhook> {
        Event::parse(body).map(Event::into_hint)
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}
