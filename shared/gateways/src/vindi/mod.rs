//! Vindi: bills, charged to kept cards or by Pix. It knows no idempotency keys (none found, U), so every order is looked for
//! by its code before it is sent. And it charges a rejected bill again by itself, when it sees fit (D): so whoever meets one
//! here closes it, as Vindi's own plugin for Magento does (D), and calls it declined when it is closed and not before.

mod cards;
mod declines;
mod order;
mod outcome;
mod refund;
mod webhook;
mod wire;

use crate::base_url::BaseUrl;
use crate::brazil::{Desk, KeyAs, is_plain, no_books, reais, refused_order, succeeded};
use crate::http::{Http, within};
use crate::trouble::Trouble;
use async_trait::async_trait;
use fatura_application::ports::{
    ChargeLookup, Gateway, MalformedWebhook, Secrets, WebhookDelivery, WebhookHint, WebhookRefusal,
};
use fatura_domain::charge::Failure;
use fatura_domain::gateway::{
    Capabilities, ChargeOutcome, ChargeRequest, DisputeOutcome, GatewayName, GatewayReference, MeansType,
    MovementPage, RefundOutcome, RefundRequest, StoreOutcome, StoreRequest, Token,
};
use fatura_domain::id::AttemptId;
use fatura_domain::{SignedDuration, Timestamp};
use order::new_bill;
use outcome::{Standing, is_of, standing, standing_among};
use std::sync::Arc;
use std::time::{Duration, Instant};
use wire::{Bill, Bills, OneBill, Refusal};

#[derive(Debug, Clone)]
pub struct Vindi {
    desk: Desk,
}

impl Vindi {
    pub fn new(http: Http, base_url: BaseUrl, secrets: Arc<dyn Secrets>) -> Self {
        Self { desk: Desk::new("vindi", KeyAs::User, http, base_url, secrets) }
    }

    async fn order(&self, request: &ChargeRequest) -> Result<ChargeOutcome, Trouble> {
        let begun = Instant::now();
        let told = self.desk.told().await?;
        let bill = new_bill(request, &told)?;
        // Nothing is ordered by looking: if that fails, this order was not sent.
        let there = within(self.desk.total() / 2, self.by_code(request.attempt)).await.map_err(not_sent)?;
        if there.iter().any(|bill| is_of(bill, request.attempt)) {
            if there.iter().any(|bill| is_of(bill, request.attempt) && !bill.is_over(request.amount)) {
                return Err(key_reused());
            }
            return Ok(self.settled(standing_among(there, request.attempt)?, request.attempt, begun).await);
        }
        // A search that finds others' is not the search that was asked for, and may have missed ours.
        if !there.is_empty() {
            return Err(Trouble::not_sent(
                "search_not_exact",
                "the gateway found the bills of other attempts only",
            ));
        }
        let post = self.desk.http.post(self.desk.at(&["api", "v1", "bills"])).timeout(self.left(begun));
        let answer = self.desk.call_with(&told, post.json(&bill)).await?;
        if answer.status.is_success() {
            let made = standing(&answer.json::<OneBill>()?.bill, request.attempt)?;
            return Ok(self.settled(made, request.attempt, begun).await);
        }
        let refusal = answer.json::<Refusal>().ok();
        if refusal.as_ref().is_some_and(|refusal| refusal.is_about("code")) {
            return Err(key_reused());
        }
        Err(refused_order(answer.status, refusal.and_then(Refusal::code)))
    }

    /// K: how bills are searched (D of products and customers). What is found is compared, so a search that finds too much
    /// does no harm.
    async fn by_code(&self, attempt: AttemptId) -> Result<Vec<Bill>, Trouble> {
        let mut url = self.desk.at(&["api", "v1", "bills"]);
        url.query_pairs_mut().append_pair("query", &format!("code:{attempt}"));
        let answer = self.desk.call(self.desk.http.get(url)).await?;
        let found: Bills = succeeded(&answer)?.json()?;
        Ok(found.bills)
    }

    async fn find(&self, lookup: &ChargeLookup) -> Result<ChargeOutcome, Trouble> {
        let begun = Instant::now();
        let found = self.look_up(lookup).await?;
        Ok(self.settled(found, lookup.attempt, begun).await)
    }

    async fn look_up(&self, lookup: &ChargeLookup) -> Result<Standing, Trouble> {
        if let Some(reference) = &lookup.reference
            && is_plain(&reference.0)
            && let Some(answer) = self.desk.ask(&["api", "v1", "bills", &reference.0]).await?
        {
            return standing(&answer.json::<OneBill>()?.bill, lookup.attempt);
        }
        standing_among(self.by_code(lookup.attempt).await?, lookup.attempt)
    }

    /// Closes a bill that was rejected, so that the rejection is the last word. If it can't be closed it waits: whoever asks
    /// next closes it.
    async fn settled(&self, found: Standing, attempt: AttemptId, begun: Instant) -> ChargeOutcome {
        let rejection = match found {
            Standing::Known(outcome) => return outcome,
            Standing::Rejected(rejection) => rejection,
        };
        match within(self.left(begun), self.close(&rejection.reference, attempt)).await {
            Ok(Standing::Known(ChargeOutcome::Declined { .. } | ChargeOutcome::Voided { .. })) => {
                rejection.closed()
            }
            // Charged again between the rejection and this.
            Ok(Standing::Known(charged @ ChargeOutcome::Approved { .. })) => charged,
            Ok(_) | Err(_) => {
                tracing::warn!(%attempt, "a rejected bill is not closed yet");
                rejection.open()
            }
        }
    }

    /// Takes the bill back, and says how it stands then.
    async fn close(&self, bill: &GatewayReference, attempt: AttemptId) -> Result<Standing, Trouble> {
        let delete = self.desk.http.delete(self.desk.at(&["api", "v1", "bills", &bill.0]));
        if let Ok(answer) = self.desk.call(delete).await
            && answer.status.is_success()
            && let Ok(told) = answer.json::<OneBill>()
        {
            return standing(&told.bill, attempt);
        }
        // Closed already, too late, or nobody knows: what counts is how it stands.
        let Some(answer) = self.desk.ask(&["api", "v1", "bills", &bill.0]).await? else {
            return Err(Trouble::unknown("bill_vanished", "the gateway no longer knows the bill"));
        };
        standing(&answer.json::<OneBill>()?.bill, attempt)
    }

    /// Only what is surely ours and still waits is cancelled.
    async fn void(&self, lookup: &ChargeLookup) -> Result<ChargeOutcome, Trouble> {
        let found = self.find(lookup).await?;
        let ChargeOutcome::Pending { reference, .. } = &found else { return Ok(found) };
        Ok(match self.close(reference, lookup.attempt).await? {
            Standing::Known(outcome) => outcome,
            Standing::Rejected(rejection) => rejection.open(),
        })
    }

    /// Of the time that one operation may take.
    fn left(&self, begun: Instant) -> Duration {
        self.desk.total().saturating_sub(begun.elapsed())
    }
}

fn key_reused() -> Trouble {
    Trouble::unknown("key_reused", "the gateway has a bill of this code that is not this order's")
}

fn not_sent(trouble: Trouble) -> Trouble {
    match trouble {
        Trouble::Unknown(reason) => Trouble::NotSent(reason),
        known => known,
    }
}

#[async_trait]
impl Gateway for Vindi {
    fn name(&self) -> &GatewayName {
        &self.desk.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            means: &MeansType::ALL,
            currencies: &[reais::ONLY],
            // U whether part of a Pix can go back.
            partial_refund: &[MeansType::CreditCard],
            // There are none: a repeat is safe because it is looked for first.
            idempotency_key_lifetime: SignedDuration::ZERO,
            looks_up_by_reference: true,
            retries_by_itself: true,
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
        // K: whose the key is.
        let asked = self.desk.call(self.desk.http.get(self.desk.at(&["api", "v1", "merchant"]))).await;
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
        let found = within(self.desk.total(), self.find_refund(request)).await;
        found.unwrap_or_else(|trouble| Some(trouble.of_refund()))
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
