//! Mercado Pago: cards of its customers, and Pix.

mod cards;
mod declines;
mod dispute;
mod movements;
mod outcome;
mod refund;
mod webhook;
mod wire;

use crate::base_url::BaseUrl;
use crate::brazil::{Desk, KeyAs, pix, reais, refused_order, succeeded};
use crate::http::{Http, within};
use crate::trouble::Trouble;
use async_trait::async_trait;
use fatura_application::ports::{
    ChargeLookup, Gateway, GatewaySecrets, MalformedWebhook, Secrets, WebhookDelivery, WebhookHint,
    WebhookRefusal, WebhookSubject,
};
use fatura_domain::charge::{Failure, FailureClass};
use fatura_domain::gateway::{
    Capabilities, ChargeOutcome, ChargeRequest, DisputeOutcome, GatewayName, GatewayReference, Means,
    MeansType, MovementPage, PixKey, RefundOutcome, RefundRequest, StoreOutcome, StoreRequest, Token,
};
use fatura_domain::{SignedDuration, Timestamp};
use outcome::{standing, standing_among};
use std::sync::Arc;
use std::time::Instant;
use wire::{Found, Id, Identification, Order, OrderPayer, Payment, Refusal};

const IDEMPOTENCY: &str = "x-idempotency-key";
const PAYMENTS: [&str; 2] = ["v1", "payments"];

#[derive(Debug, Clone)]
pub struct MercadoPago {
    desk: Desk,
}

impl MercadoPago {
    pub fn new(http: Http, base_url: BaseUrl, secrets: Arc<dyn Secrets>) -> Self {
        Self { desk: Desk::new("mercado-pago", KeyAs::Bearer, http, base_url, secrets) }
    }

    async fn order(&self, request: &ChargeRequest) -> Result<ChargeOutcome, Trouble> {
        let begun = Instant::now();
        let told = self.desk.told().await?;
        let order = match &request.means {
            Means::CreditCard(token) => match self.card_order(request, token).await? {
                Ok(order) => order,
                Err(declined) => return Ok(declined),
            },
            Means::Pix(key) => pix_order(request, key, &told)?,
        };
        let left = self.desk.total().saturating_sub(begun.elapsed());
        let post = self.desk.http.post(self.desk.at(&PAYMENTS)).timeout(left);
        let post = post.header(IDEMPOTENCY, request.attempt.to_string()).json(&order);
        let answer = self.desk.call_with(&told, post).await?;
        if answer.status.is_success() {
            return standing(answer.json()?, request.attempt);
        }
        let code = answer.json::<Refusal>().ok().and_then(Refusal::code);
        match code.as_deref() {
            // D: the same was posted a moment ago, so it may have charged.
            Some("2001") => Err(Trouble::unknown("key_reused", "the gateway has seen this order before")),
            Some("2002") => Ok(ChargeOutcome::Declined { reference: None, failure: no_customer("2002") }),
            _ => Err(refused_order(answer.status, code)),
        }
    }

    /// A stored card is charged by a token for one use, made of it first. Nothing is charged by making it, so whatever
    /// goes wrong with that, the order was not sent.
    async fn card_order(
        &self,
        request: &ChargeRequest,
        token: &Token,
    ) -> Result<Result<Order, ChargeOutcome>, Trouble> {
        let mut order = blank_order(request)?;
        let [customer, card, method] = crate::brazil::parts(&token.0)?;
        let made = within(self.desk.total() / 2, self.one_use_token(customer, card)).await;
        let Some(one_use) = made.map_err(not_sent)? else {
            let failure = no_customer("card_not_found");
            return Ok(Err(ChargeOutcome::Declined { reference: None, failure }));
        };
        order.token = Some(one_use.0);
        order.installments = Some(1);
        method.clone_into(&mut order.payment_method_id);
        order.payer.kind = Some("customer");
        order.payer.id = Some(customer.to_owned());
        Ok(Ok(order))
    }

    async fn find(&self, lookup: &ChargeLookup) -> Result<ChargeOutcome, Trouble> {
        standing_among(self.look_up(lookup).await?, lookup.attempt)
    }

    /// What the gateway finds: one by its own id, or all under our reference. Whose they are is yet to be checked.
    async fn look_up(&self, lookup: &ChargeLookup) -> Result<Vec<Payment>, Trouble> {
        if let Some(id) = lookup.reference.as_ref().and_then(Id::of)
            && let Some(answer) = self.desk.ask(&["v1", "payments", id]).await?
        {
            return Ok(vec![answer.json()?]);
        }
        // A wrong id says nothing about the attempt: only its own reference can be absent. K: the search may be some
        // seconds behind, which is why it is asked again before anything is given up.
        let mut url = self.desk.at(&["v1", "payments", "search"]);
        url.query_pairs_mut().append_pair("external_reference", &lookup.attempt.to_string());
        let answer = self.desk.call(self.desk.http.get(url)).await?;
        let found: Found<Payment> = succeeded(&answer)?.json()?;
        if found.paging.total > found.results.len() {
            return Err(Trouble::unknown("contradictory_answer", "more payments than an attempt can have"));
        }
        Ok(found.results)
    }

    /// Only what is surely ours and still waits is cancelled.
    async fn void(&self, lookup: &ChargeLookup) -> Result<ChargeOutcome, Trouble> {
        let found = self.find(lookup).await?;
        let ChargeOutcome::Pending { reference, .. } = &found else { return Ok(found) };
        let Some(id) = Id::of(reference) else { return Ok(found) };
        let put = self.desk.http.put(self.desk.at(&["v1", "payments", id]));
        let answer = self.desk.call(put.json(&serde_json::json!({ "status": "cancelled" }))).await?;
        if answer.status.is_success() {
            return standing(answer.json()?, lookup.attempt);
        }
        // Too late: what counts is how it stands.
        self.find(lookup).await
    }
}

fn blank_order(request: &ChargeRequest) -> Result<Order, Trouble> {
    Ok(Order {
        transaction_amount: reais::number(request.amount)?,
        description: request.invoice().to_string(),
        external_reference: request.attempt.to_string(),
        payment_method_id: String::new(),
        token: None,
        installments: None,
        date_of_expiration: None,
        payer: OrderPayer::default(),
    })
}

fn pix_order(request: &ChargeRequest, key: &PixKey, told: &GatewaySecrets) -> Result<Order, Trouble> {
    let payer = pix::PixPayer::of(key, told);
    let identification = payer.tax_id.map(|number| {
        let kind = if number.len() == 14 { "CNPJ" } else { "CPF" };
        Identification { kind, number }
    });
    let email = pix::PixPayer::needed(payer.email.as_ref(), "pix_payer_email")?;
    Ok(Order {
        payment_method_id: "pix".to_owned(),
        date_of_expiration: Some(pix::expiry(request.begun_at)),
        payer: OrderPayer { email: Some(email), identification, ..OrderPayer::default() },
        ..blank_order(request)?
    })
}

fn no_customer(raw_code: &str) -> Failure {
    let message = "the gateway has no such customer or card";
    Failure::new(FailureClass::CustomerNotFound, "customer_not_found", message).with_raw_code(raw_code)
}

fn not_sent(trouble: Trouble) -> Trouble {
    match trouble {
        Trouble::Unknown(reason) => Trouble::NotSent(reason),
        known => known,
    }
}

#[async_trait]
impl Gateway for MercadoPago {
    fn name(&self) -> &GatewayName {
        &self.desk.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            means: &MeansType::ALL,
            currencies: &[reais::ONLY],
            partial_refund: &MeansType::ALL,
            // U: nowhere said. A day is what others promise; past it, an attempt is looked up.
            idempotency_key_lifetime: SignedDuration::from_hours(24),
            looks_up_by_reference: true,
            retries_by_itself: false,
            keeps_books: true,
        }
    }

    async fn charge(&self, request: &ChargeRequest) -> ChargeOutcome {
        self.order(request).await.unwrap_or_else(Trouble::of_order)
    }

    async fn store_method(&self, request: &StoreRequest) -> StoreOutcome {
        let stored = within(self.desk.total(), self.store(request)).await;
        stored.unwrap_or_else(|trouble| StoreOutcome::Unclear { failure: trouble.into_failure() })
    }

    async fn detach_method(&self, token: &Token) -> Result<(), Failure> {
        self.forget(token).await.map_err(Trouble::into_failure)
    }

    async fn check(&self) -> Result<(), Failure> {
        // K: who the token belongs to.
        let asked = self.desk.ask(&["users", "me"]).await;
        asked.map(|_| ()).map_err(Trouble::into_failure)
    }

    async fn cancel(&self, lookup: &ChargeLookup) -> ChargeOutcome {
        within(self.desk.total(), self.void(lookup)).await.unwrap_or_else(Trouble::of_question)
    }

    async fn fetch_charge(&self, lookup: &ChargeLookup) -> ChargeOutcome {
        within(self.desk.total(), self.find(lookup)).await.unwrap_or_else(Trouble::of_question)
    }

    async fn refund(&self, request: &RefundRequest) -> RefundOutcome {
        self.give_back(request).await.unwrap_or_else(Trouble::of_refund)
    }

    async fn fetch_refund(&self, request: &RefundRequest) -> Option<RefundOutcome> {
        self.find_refund(request).await.unwrap_or_else(|trouble| Some(trouble.of_refund()))
    }

    async fn fetch_dispute(&self, lookup: &ChargeLookup) -> DisputeOutcome {
        within(self.desk.total(), self.find_dispute(lookup)).await.unwrap_or_else(Trouble::of_dispute)
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
        webhook::verify(delivery, &self.desk.webhook_secrets().await?, now)
    }

    fn kept_body(&self, delivery: &WebhookDelivery) -> Vec<u8> {
        webhook::kept(delivery)
    }

    fn parse_webhook(&self, body: &[u8]) -> Result<WebhookHint, MalformedWebhook> {
        webhook::parse(body)
    }

    async fn resolve(&self, subject: &GatewayReference) -> Result<Option<WebhookSubject>, Failure> {
        within(self.desk.total(), self.whose(subject)).await.map_err(Trouble::into_failure)
    }
}
