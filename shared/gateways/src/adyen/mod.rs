//! Adyen: stored cards that are charged while their holder isn't there, and Pix. A charge's reference is the payment's
//! `pspReference`.
//!
//! Adyen answers no question about a payment: there is no GET of one, and none by our reference. So what its webhooks'
//! signatures cover is its word (`words`), and an order that nobody answered stays unknown until that comes. An answer that
//! was lost could be had again by sending the order again under its key; but that would charge whatever had not arrived,
//! which no question may do.
//!
//! Sources: the SDK for Node 32.1 (Checkout API v71), docs.adyen.com. D, T, K and U as in GATEWAYS.md.

mod amount;
mod cards;
mod declines;
mod outcome;
mod refund;
mod webhook;
mod wire;
mod words;

use crate::base_url::BaseUrl;
use crate::brazil::{no_books, parts, succeeded};
use crate::http::{Answer, Http, exchange};
use crate::trouble::Trouble;
use async_trait::async_trait;
use fatura_application::ports::{
    ChargeLookup, Gateway, GatewaySecrets, MalformedWebhook, Secrets, Told as Word, WebhookDelivery,
    WebhookHint, WebhookRefusal,
};
use fatura_domain::charge::Failure;
use fatura_domain::gateway::{
    Capabilities, ChargeOutcome, ChargeRequest, DisputeOutcome, GatewayName, Means, MeansType, MovementPage,
    RefundOutcome, RefundRequest, StoreOutcome, StoreRequest, Token,
};
use fatura_domain::money::Currency;
use fatura_domain::{SignedDuration, Timestamp};
use reqwest::header::HeaderValue;
use reqwest::{RequestBuilder, Url};
use serde::Serialize;
use serde_json::json;
use std::fmt;
use std::sync::Arc;
use wire::{Amount, OnFile, PaymentMethod, PaymentRequest};

const VERSION: &str = "v71";
const MERCHANT_ACCOUNT: &str = "merchant_account";
/// D: must be there in every payment, though nobody returns from one that is made without its payer.
const RETURN_URL: &str = "return_url";
/// The card networks' word for our charges, unless configured otherwise: bills come on a schedule, of whatever amount (D).
const MODEL: &str = "recurring_processing_model";
const MODELS: [&str; 3] = ["Subscription", "UnscheduledCardOnFile", "CardOnFile"];

#[derive(Clone)]
pub struct Adyen {
    name: GatewayName,
    http: Http,
    base_url: BaseUrl,
    secrets: Arc<dyn Secrets>,
}

/// What the adapter has to be told, checked.
struct Told {
    api_key: String,
    merchant_account: String,
    secrets: GatewaySecrets,
}

impl Adyen {
    /// `base_url` is what comes before the version: `https://checkout-test.adyen.com`, or
    /// `https://{prefix}-checkout-live.adyenpayments.com/checkout` with the merchant's own prefix.
    #[expect(clippy::expect_used, reason = "the name is a constant, and a test reads it")]
    pub fn new(http: Http, base_url: BaseUrl, secrets: Arc<dyn Secrets>) -> Self {
        let name = GatewayName::parse("adyen").expect("is the name of a gateway");
        Self { name, http, base_url, secrets }
    }

    async fn order(&self, request: &ChargeRequest) -> Result<ChargeOutcome, Trouble> {
        let told = self.told_merchant().await?;
        let order = payment(request, &told)?;
        let answer = self.post(&told, &["payments"], &order, Some(&request.attempt.to_string())).await?;
        outcome::of_order(&answer, request)
    }

    async fn prove(&self) -> Result<(), Trouble> {
        let told = self.told_merchant().await?;
        let question = json!({ "merchantAccount": told.merchant_account });
        let answer = self.post(&told, &["paymentMethods"], &question, None).await?;
        succeeded(&answer)?.json::<serde_json::Map<_, _>>().map(|_| ())
    }

    async fn post(
        &self,
        told: &Told,
        path: &[&str],
        body: &(impl Serialize + Sync),
        key: Option<&str>,
    ) -> Result<Answer, Trouble> {
        let request = self.http.post(self.url(path)).json(body);
        let request = match key {
            Some(key) => request.header("idempotency-key", key),
            None => request,
        };
        self.call(told, request).await
    }

    fn url(&self, path: &[&str]) -> Url {
        let segments: Vec<&str> = std::iter::once(VERSION).chain(path.iter().copied()).collect();
        self.base_url.at(&segments)
    }

    async fn call(&self, told: &Told, request: RequestBuilder) -> Result<Answer, Trouble> {
        let key = HeaderValue::from_str(&told.api_key).map(|mut key| {
            key.set_sensitive(true);
            key
        });
        let key = key.map_err(|_| Trouble::configuration("no_api_key", "the API key is not one"))?;
        exchange(request.header("x-api-key", key)).await
    }

    async fn told_merchant(&self) -> Result<Told, Trouble> {
        let secrets = self.secrets.gateway(&self.name).await;
        let secrets = secrets.map_err(|error| Trouble::not_sent("secrets_unavailable", error.to_string()))?;
        let secrets = secrets.filter(|secrets| !secrets.api_key.is_empty()).ok_or_else(|| {
            Trouble::configuration("no_api_key", "no API key is configured for this gateway")
        })?;
        let merchant_account = setting(&secrets, MERCHANT_ACCOUNT)?.to_owned();
        Ok(Told { api_key: secrets.api_key.clone(), merchant_account, secrets })
    }
}

fn setting<'a>(secrets: &'a GatewaySecrets, name: &str) -> Result<&'a str, Trouble> {
    let value = secrets.more.get(name).filter(|value| !value.is_empty());
    value.map(String::as_str).ok_or_else(|| {
        Trouble::configuration("not_configured", format!("{name} is not configured for this gateway"))
    })
}

fn payment<'a>(request: &'a ChargeRequest, told: &'a Told) -> Result<PaymentRequest<'a>, Trouble> {
    let owner = request.invoice().owner().to_string();
    let (shopper_reference, payment_method, on_file) = match &request.means {
        Means::CreditCard(token) => {
            let [shopper, card] = parts(&token.0)?;
            if shopper != owner {
                let message = "the card was stored for another customer";
                return Err(Trouble::configuration("not_a_stored_card", message));
            }
            let method = PaymentMethod::Scheme { stored_payment_method_id: card };
            (shopper.to_owned(), method, Some(on_file(told)?))
        }
        // Adyen makes the QR code by itself: the payer's key has no place in it.
        Means::Pix(_) if request.amount.currency() == Currency::BRL => (owner, PaymentMethod::Pix, None),
        Means::Pix(_) => {
            return Err(Trouble::configuration("currency_not_offered", "Pix is paid in BRL alone"));
        }
    };
    Ok(PaymentRequest {
        merchant_account: &told.merchant_account,
        amount: Amount::of(request.amount)?,
        reference: request.attempt.to_string(),
        return_url: setting(&told.secrets, RETURN_URL)?,
        shopper_reference,
        payment_method,
        on_file,
    })
}

fn on_file(told: &Told) -> Result<OnFile<'_>, Trouble> {
    let model = told.secrets.more.get(MODEL).map_or(MODELS[0], String::as_str);
    if !MODELS.contains(&model) {
        return Err(Trouble::configuration("not_configured", format!("{MODEL} is none that Adyen has")));
    }
    Ok(OnFile { shopper_interaction: "ContAuth", recurring_processing_model: model, capture_delay_hours: 0 })
}

fn cannot_be_asked() -> Trouble {
    Trouble::unknown("cannot_be_asked", "this gateway tells how a charge stands by webhook alone")
}

#[async_trait]
impl Gateway for Adyen {
    fn name(&self) -> &GatewayName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            means: &MeansType::ALL,
            currencies: &[],
            // K for Pix.
            partial_refund: &MeansType::ALL,
            // "a minimum period of 31 days" in older documents, 7 in newer ones (docs.adyen.com, "API idempotency").
            idempotency_key_lifetime: SignedDuration::from_hours(7 * 24),
            looks_up_by_reference: false,
            // Auto Rescue would be asked for with each payment, and isn't.
            retries_by_itself: false,
            keeps_books: false,
        }
    }

    async fn charge(&self, request: &ChargeRequest) -> ChargeOutcome {
        self.order(request).await.unwrap_or_else(Trouble::of_order)
    }

    async fn store_method(&self, request: &StoreRequest) -> StoreOutcome {
        self.store(request)
            .await
            .unwrap_or_else(|trouble| StoreOutcome::Unclear { failure: trouble.into_failure() })
    }

    async fn detach_method(&self, token: &Token) -> Result<(), Failure> {
        self.forget(token).await.map_err(Trouble::into_failure)
    }

    async fn check(&self) -> Result<(), Failure> {
        self.prove().await.map_err(Trouble::into_failure)
    }

    async fn cancel(&self, lookup: &ChargeLookup) -> ChargeOutcome {
        self.void(lookup).await.unwrap_or_else(Trouble::of_question)
    }

    async fn fetch_charge(&self, _: &ChargeLookup) -> ChargeOutcome {
        cannot_be_asked().of_question()
    }

    async fn refund(&self, request: &RefundRequest) -> RefundOutcome {
        self.give_back(request).await.unwrap_or_else(Trouble::of_refund)
    }

    async fn fetch_refund(&self, _: &RefundRequest) -> Option<RefundOutcome> {
        Some(cannot_be_asked().of_refund())
    }

    async fn fetch_dispute(&self, _: &ChargeLookup) -> DisputeOutcome {
        cannot_be_asked().of_dispute()
    }

    /// K: the settlement details report has them, as a file that is made once a day.
    async fn movements(&self, _: Timestamp, _: Timestamp, _: Option<&str>) -> Result<MovementPage, Failure> {
        Err(no_books().into_failure())
    }

    async fn verify_webhook(&self, delivery: &WebhookDelivery, _: Timestamp) -> Result<(), WebhookRefusal> {
        let secrets = self.secrets.gateway(&self.name).await;
        let secrets = secrets.map_err(|error| WebhookRefusal::Unavailable(error.to_string()))?;
        let secrets = secrets.ok_or(WebhookRefusal::NoSecret)?;
        let keys = webhook::Keys::of(secrets.more.get(MERCHANT_ACCOUNT), &secrets.webhook_secrets);
        webhook::verify(delivery, &keys.ok_or(WebhookRefusal::NoSecret)?)
    }

    fn kept_body(&self, delivery: &WebhookDelivery) -> Vec<u8> {
        webhook::kept(delivery)
    }

    fn parse_webhook(&self, body: &[u8]) -> Result<WebhookHint, MalformedWebhook> {
        webhook::parse(body)
    }

    fn can_be_asked(&self) -> bool {
        false
    }

    fn told(&self, body: &[u8]) -> Vec<Word> {
        webhook::told(body)
    }
}

impl fmt::Debug for Adyen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adyen").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}
