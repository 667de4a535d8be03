//! PagBank, once called `PagSeguro`: orders with a card's charge or a Pix code in them.

mod cards;
mod declines;
mod outcome;
mod refund;
mod webhook;
mod wire;

use crate::base_url::BaseUrl;
use crate::brazil::{Desk, KeyAs, is_plain, no_books, pix, reais, refused_order, succeeded};
use crate::http::{Http, within};
use crate::trouble::Trouble;
use async_trait::async_trait;
use fatura_application::ports::{
    ChargeLookup, Gateway, GatewaySecrets, MalformedWebhook, Secrets, WebhookDelivery, WebhookHint,
    WebhookRefusal,
};
use fatura_domain::charge::Failure;
use fatura_domain::gateway::{
    Capabilities, ChargeOutcome, ChargeRequest, DisputeOutcome, GatewayName, GatewayReference, Means,
    MeansType, MovementPage, RefundOutcome, RefundRequest, StoreOutcome, StoreRequest,
};
use fatura_domain::{SignedDuration, Timestamp};
use outcome::{of_charge, of_charges, of_order};
use std::sync::Arc;
use wire::{Amount, Charge, NewCharge, NewOrder, NewQrCode, Order, Refusal};

/// K.
const IDEMPOTENCY: &str = "x-idempotency-key";
/// D: nine digits of cents.
const MOST: i64 = 999_999_999;

#[derive(Debug, Clone)]
pub struct PagBank {
    desk: Desk,
}

impl PagBank {
    pub fn new(http: Http, base_url: BaseUrl, secrets: Arc<dyn Secrets>) -> Self {
        Self { desk: Desk::new("pagbank", KeyAs::Bearer, http, base_url, secrets) }
    }

    async fn order(&self, request: &ChargeRequest) -> Result<ChargeOutcome, Trouble> {
        let told = self.desk.told().await?;
        let post = self.desk.http.post(self.desk.at(&["orders"]));
        let post = post.header(IDEMPOTENCY, request.attempt.to_string()).json(&new_order(request, &told)?);
        let answer = self.desk.call_with(&told, post).await?;
        if answer.status.is_success() {
            return of_order(answer.json()?, request.attempt);
        }
        Err(refused_order(answer.status, answer.json::<Refusal>().ok().and_then(Refusal::code)))
    }

    /// By the id of an order or of a charge; without one, K: charges can be asked for by reference. A Pix code that
    /// nobody has paid has no charge, so finding none never means that there is none.
    async fn find(&self, lookup: &ChargeLookup) -> Result<ChargeOutcome, Trouble> {
        if let Some(reference) = &lookup.reference {
            if let Some(id) = id_of("ORDE_", reference)
                && let Some(answer) = self.desk.ask(&["orders", id]).await?
            {
                return of_order(answer.json()?, lookup.attempt);
            }
            if let Some(id) = id_of("CHAR_", reference)
                && let Some(answer) = self.desk.ask(&["charges", id]).await?
            {
                return of_charge(answer.json()?, None, lookup.attempt);
            }
        }
        let mut url = self.desk.at(&["charges"]);
        url.query_pairs_mut().append_pair("reference_id", &lookup.attempt.to_string());
        let answer = self.desk.call(self.desk.http.get(url)).await?;
        let found: Vec<Charge> = succeeded(&answer)?.json()?;
        if found.is_empty() {
            let message = "without the gateway's own id nobody can tell whether there is an order";
            return Err(Trouble::unknown("not_found_by_reference", message));
        }
        of_charges(found, None, lookup.attempt)
    }

    /// Only what is surely ours and still waits is cancelled. A Pix code can't be: it ends by itself.
    async fn void(&self, lookup: &ChargeLookup) -> Result<ChargeOutcome, Trouble> {
        let found = self.find(lookup).await?;
        let ChargeOutcome::Pending { reference, .. } = &found else { return Ok(found) };
        let Some(charge) = self.charge_of(reference).await? else { return Ok(found) };
        // Of a charge that was paid meanwhile the same call would give the money back.
        if !charge.still_waits() {
            return self.find(lookup).await;
        }
        let body = wire::Cancel { amount: wire::CancelAmount { value: charge.amount.value } };
        let post = self.desk.http.post(self.desk.at(&["charges", &charge.id, "cancel"]));
        // One void for an attempt, however often it is asked for.
        let post = post.header(IDEMPOTENCY, format!("void-{}", lookup.attempt)).json(&body);
        let answer = self.desk.call(post).await?;
        if answer.status.is_success() {
            return of_charge(answer.json()?, Some(reference), lookup.attempt);
        }
        self.find(lookup).await
    }

    /// The charge in an order, if there is one yet: the one that took money first.
    async fn charge_of(&self, reference: &GatewayReference) -> Result<Option<Charge>, Trouble> {
        if let Some(id) = id_of("CHAR_", reference) {
            let answer = self.desk.ask(&["charges", id]).await?;
            return answer.map(|answer| answer.json()).transpose();
        }
        let Some(id) = id_of("ORDE_", reference) else {
            return Err(Trouble::unknown("no_such_id", "is not an id of this gateway"));
        };
        let Some(answer) = self.desk.ask(&["orders", id]).await? else { return Ok(None) };
        let mut order: Order = answer.json()?;
        order.charges.sort_by_key(outcome::rank);
        Ok(order.charges.into_iter().next())
    }
}

fn id_of<'a>(kind: &str, reference: &'a GatewayReference) -> Option<&'a str> {
    Some(reference.0.as_str()).filter(|id| id.starts_with(kind) && is_plain(id))
}

fn new_order<'a>(request: &'a ChargeRequest, told: &GatewaySecrets) -> Result<NewOrder<'a>, Trouble> {
    let value = reais::only_brl(request.amount)?.minor();
    if value > MOST {
        return Err(Trouble::configuration(
            "amount_not_accepted",
            "the amount has too many digits for this gateway",
        ));
    }
    let reference_id = request.attempt.to_string();
    let mut order =
        NewOrder { reference_id: reference_id.clone(), customer: None, charges: None, qr_codes: None };
    match &request.means {
        Means::CreditCard(token) => {
            if id_of("CARD_", &GatewayReference(token.0.clone())).is_none() {
                let message = "the token was not stored by this gateway";
                return Err(Trouble::configuration("not_a_stored_card", message));
            }
            let description = request.invoice().to_string();
            let amount = Amount { value, currency: "BRL".to_owned(), summary: None };
            order.charges = Some([NewCharge::by_card(reference_id, description, amount, &token.0)]);
        }
        Means::Pix(key) => {
            let payer = pix::PixPayer::of(key, told);
            order.customer = Some(wire::Customer {
                name: pix::PixPayer::needed(payer.name.as_ref(), "pix_payer_name")?,
                email: pix::PixPayer::needed(payer.email.as_ref(), "pix_payer_email")?,
                tax_id: pix::PixPayer::needed(payer.tax_id.as_ref(), "pix_payer_tax_id")?,
            });
            let expiration_date = pix::expiry(request.begun_at);
            order.qr_codes = Some([NewQrCode { amount: wire::CancelAmount { value }, expiration_date }]);
        }
    }
    Ok(order)
}

#[async_trait]
impl Gateway for PagBank {
    fn name(&self) -> &GatewayName {
        &self.desk.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            means: &MeansType::ALL,
            currencies: &[reais::ONLY],
            partial_refund: &MeansType::ALL,
            // U: nowhere said. A day is what others promise.
            idempotency_key_lifetime: SignedDuration::from_hours(24),
            // Card charges perhaps (K), Pix codes not.
            looks_up_by_reference: false,
            retries_by_itself: false,
            keeps_books: false,
        }
    }

    async fn charge(&self, request: &ChargeRequest) -> ChargeOutcome {
        self.order(request).await.unwrap_or_else(Trouble::of_order)
    }

    async fn store_method(&self, request: &StoreRequest) -> StoreOutcome {
        let stored = self.store(request).await;
        stored.unwrap_or_else(|trouble| StoreOutcome::Unclear { failure: trouble.into_failure() })
    }

    async fn check(&self) -> Result<(), Failure> {
        // K: the key that cards are encrypted with. That there is none yet proves the token as well.
        let asked = self.desk.ask(&["public-keys", "card"]).await;
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

    /// No way to ask is known, and that says nothing about whether there is a case.
    async fn fetch_dispute(&self, _: &ChargeLookup) -> DisputeOutcome {
        Trouble::configuration("disputes_not_offered", "this gateway can't be asked about disputes")
            .of_dispute()
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
}
