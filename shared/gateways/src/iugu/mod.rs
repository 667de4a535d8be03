//! Iugu: direct charges of kept cards, and invoices to be paid by Pix.

mod cards;
mod declines;
mod outcome;
mod refund;
mod webhook;
mod wire;

use crate::base_url::BaseUrl;
use crate::brazil::{Desk, KeyAs, is_plain, no_books, parts, pix, reais, refused_order, succeeded};
use crate::http::{Http, within};
use crate::trouble::Trouble;
use async_trait::async_trait;
use fatura_application::ports::{
    ChargeLookup, Gateway, GatewaySecrets, MalformedWebhook, Secrets, WebhookDelivery, WebhookHint,
    WebhookRefusal, WebhookSubject,
};
use fatura_domain::charge::Failure;
use fatura_domain::gateway::{
    Capabilities, ChargeOutcome, ChargeRequest, DisputeOutcome, GatewayName, GatewayReference, Means,
    MeansType, MovementPage, PendingAction, PixKey, RefundOutcome, RefundRequest, StoreOutcome, StoreRequest,
    Token,
};
use fatura_domain::{SignedDuration, Timestamp};
use outcome::{declined, dispute, standing, standing_among};
use std::sync::Arc;
use std::time::Instant;
use wire::{Charged, Invoice, Invoices, Item, NewCharge, NewInvoice, Refusal};

/// D on charges, invoices and customers; not on refunds.
const IDEMPOTENCY: &str = "idempotency-key";

#[derive(Debug, Clone)]
pub struct Iugu {
    desk: Desk,
}

impl Iugu {
    pub fn new(http: Http, base_url: BaseUrl, secrets: Arc<dyn Secrets>) -> Self {
        Self { desk: Desk::new("iugu", KeyAs::User, http, base_url, secrets) }
    }

    async fn order(&self, request: &ChargeRequest) -> Result<ChargeOutcome, Trouble> {
        let told = self.desk.told().await?;
        match &request.means {
            Means::CreditCard(token) => self.charge_card(request, token, &told).await,
            Means::Pix(key) => self.make_code(request, key, &told).await,
        }
    }

    async fn charge_card(
        &self,
        request: &ChargeRequest,
        token: &Token,
        told: &GatewaySecrets,
    ) -> Result<ChargeOutcome, Trouble> {
        let begun = Instant::now();
        let [customer, method] = parts(&token.0)?;
        let order = NewCharge {
            customer_id: customer,
            customer_payment_method_id: method,
            order_id: request.attempt.to_string(),
            items: [item(request)?],
        };
        let post = self.desk.http.post(self.desk.at(&["v1", "charge"]));
        let post = post.header(IDEMPOTENCY, request.attempt.to_string()).json(&order);
        let answer = self.desk.call_with(told, post).await?;
        if !answer.status.is_success() {
            return Err(refused_order(answer.status, answer.json::<Refusal>().ok().and_then(Refusal::code)));
        }
        let charged: Charged = answer.json()?;
        if !charged.success {
            return declined(charged);
        }
        let reference = charged.reference()?;
        // The answer says no amount: its invoice does. If that can't be read just now, it is at least known by name.
        let left = self.desk.total().saturating_sub(begun.elapsed());
        let lookup = ChargeLookup { attempt: request.attempt, reference: Some(reference.clone()) };
        Ok(match within(left, self.find(&lookup)).await {
            Ok(approved @ ChargeOutcome::Approved { .. }) => approved,
            _ => ChargeOutcome::Pending { reference, action: PendingAction::Review },
        })
    }

    async fn make_code(
        &self,
        request: &ChargeRequest,
        key: &PixKey,
        told: &GatewaySecrets,
    ) -> Result<ChargeOutcome, Trouble> {
        let payer = pix::PixPayer::of(key, told);
        let order = NewInvoice {
            order_id: request.attempt.to_string(),
            email: pix::PixPayer::needed(payer.email.as_ref(), "pix_payer_email")?,
            due_date: pix::due_date(request.begun_at),
            items: [item(request)?],
            payable_with: ["pix"],
            payer: wire::Payer {
                name: pix::PixPayer::needed(payer.name.as_ref(), "pix_payer_name")?,
                cpf_cnpj: pix::PixPayer::needed(payer.tax_id.as_ref(), "pix_payer_tax_id")?,
            },
        };
        let begun = Instant::now();
        let post = self.desk.http.post(self.desk.at(&["v1", "invoices"]));
        let post = post.header(IDEMPOTENCY, request.attempt.to_string()).json(&order);
        let answer = self.desk.call_with(told, post).await?;
        if !answer.status.is_success() {
            return Err(refused_order(answer.status, answer.json::<Refusal>().ok().and_then(Refusal::code)));
        }
        let mut invoice: Invoice = answer.json()?;
        if invoice.pix.is_none() && is_plain(&invoice.id) {
            // T: the code may come with the first reading only.
            let left = self.desk.total().saturating_sub(begun.elapsed());
            // There is an invoice, whatever becomes of the question for its code.
            if let Ok(Some(again)) = within(left, self.desk.ask(&["v1", "invoices", &invoice.id])).await {
                invoice = again.json().unwrap_or(invoice);
            }
        }
        standing(&invoice, request.attempt)
    }

    async fn find(&self, lookup: &ChargeLookup) -> Result<ChargeOutcome, Trouble> {
        standing_among(self.look_up(lookup).await?, lookup.attempt)
    }

    /// By Iugu's id; else K: `query` searches through what invoices say, among it the order's id, which is compared then.
    async fn look_up(&self, lookup: &ChargeLookup) -> Result<Vec<Invoice>, Trouble> {
        if let Some(id) = lookup.reference.as_ref().map(|reference| reference.0.as_str())
            && is_plain(id)
            && let Some(answer) = self.desk.ask(&["v1", "invoices", id]).await?
        {
            return Ok(vec![answer.json()?]);
        }
        let mut url = self.desk.at(&["v1", "invoices"]);
        url.query_pairs_mut().append_pair("query", &lookup.attempt.to_string());
        let answer = self.desk.call(self.desk.http.get(url)).await?;
        let found: Invoices = succeeded(&answer)?.json()?;
        Ok(found.items)
    }

    /// Only what is surely ours and still waits is cancelled.
    async fn void(&self, lookup: &ChargeLookup) -> Result<ChargeOutcome, Trouble> {
        let found = self.find(lookup).await?;
        let ChargeOutcome::Pending { reference, .. } = &found else { return Ok(found) };
        let put = self.desk.http.put(self.desk.at(&["v1", "invoices", &reference.0, "cancel"]));
        let answer = self.desk.call(put).await?;
        if answer.status.is_success() {
            return standing(&answer.json()?, lookup.attempt);
        }
        // Too late: what counts is how it stands.
        self.find(lookup).await
    }

    async fn find_dispute(&self, lookup: &ChargeLookup) -> Result<DisputeOutcome, Trouble> {
        dispute(&self.look_up(lookup).await?, lookup.attempt)
    }
}

fn item(request: &ChargeRequest) -> Result<Item, Trouble> {
    let price_cents = reais::only_brl(request.amount)?.minor();
    Ok(Item { description: request.invoice().to_string(), quantity: 1, price_cents })
}

#[async_trait]
impl Gateway for Iugu {
    fn name(&self) -> &GatewayName {
        &self.desk.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            means: &MeansType::ALL,
            currencies: &[reais::ONLY],
            // D: a Pix goes back whole or not at all, and for 90 days; a card's 180 days are kept in `refund`.
            partial_refund: &[MeansType::CreditCard],
            // U: nowhere said. A day is what others promise.
            idempotency_key_lifetime: SignedDuration::from_hours(24),
            looks_up_by_reference: true,
            retries_by_itself: false,
            keeps_books: false,
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
        let mut url = self.desk.at(&["v1", "customers"]);
        url.query_pairs_mut().append_pair("limit", "1");
        let asked = self.desk.call(self.desk.http.get(url)).await;
        asked.and_then(|answer| succeeded(&answer).map(|_| ())).map_err(Trouble::into_failure)
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

    async fn movements(&self, _: Timestamp, _: Timestamp, _: Option<&str>) -> Result<MovementPage, Failure> {
        Err(no_books().into_failure())
    }

    async fn verify_webhook(&self, delivery: &WebhookDelivery, _: Timestamp) -> Result<(), WebhookRefusal> {
        webhook::verify(delivery, &self.desk.webhook_secrets().await?)
    }

    fn parse_webhook(&self, body: &[u8]) -> Result<WebhookHint, MalformedWebhook> {
        webhook::parse(body)
    }

    async fn resolve(&self, subject: &GatewayReference) -> Result<Option<WebhookSubject>, Failure> {
        self.whose(subject).await.map_err(Trouble::into_failure)
    }
}
