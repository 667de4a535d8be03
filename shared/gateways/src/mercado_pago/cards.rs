//! Customers and their cards. A stored card is `customer/card/payment method`: the last, such as `visa`, has to be said
//! with every payment (D).

use super::wire::{Card, Found, Named, Refusal};
use super::{Id, MercadoPago};
use crate::brazil::{forgotten, parts, succeeded};
use crate::trouble::Trouble;
use fatura_domain::charge::{Failure, FailureClass};
use fatura_domain::gateway::{StoreOutcome, StoreRequest, Token};
use reqwest::StatusCode;
use serde_json::json;

impl MercadoPago {
    pub(super) async fn store(&self, request: &StoreRequest) -> Result<StoreOutcome, Trouble> {
        let customer = match self.known_customer(&request.email).await? {
            Some(known) => known,
            None => self.new_customer(request).await?,
        };
        let cards = self.desk.at(&["v1", "customers", &customer.0, "cards"]);
        let post = self.desk.http.post(cards).header(super::IDEMPOTENCY, request.key.to_string());
        let answer = self.desk.call(post.json(&json!({ "token": request.token.0 }))).await?;
        if is_about_the_card(answer.status) {
            let failure =
                Failure::new(FailureClass::Hard, "invalid_card", "the gateway does not keep this card");
            let code = answer.json::<Refusal>().ok().and_then(Refusal::code).unwrap_or_default();
            return Ok(StoreOutcome::Declined { failure: failure.with_raw_code(&code) });
        }
        let card: Card = succeeded(&answer)?.json()?;
        let stored = format!("{}/{}/{}", customer.0, card.id.0, card.payment_method.id.0);
        Ok(StoreOutcome::Stored(Token(stored)))
    }

    /// There is one customer for an address (D), so an order that goes out again finds the one it made.
    async fn known_customer(&self, email: &str) -> Result<Option<Id>, Trouble> {
        let mut url = self.desk.at(&["v1", "customers", "search"]);
        url.query_pairs_mut().append_pair("email", email);
        let answer = self.desk.call(self.desk.http.get(url)).await?;
        let found: Found<Named> = succeeded(&answer)?.json()?;
        Ok(found.results.into_iter().next().map(|customer| customer.id))
    }

    async fn new_customer(&self, request: &StoreRequest) -> Result<Id, Trouble> {
        let post = self.desk.http.post(self.desk.at(&["v1", "customers"]));
        let body = json!({ "email": request.email, "first_name": request.name });
        let answer = self.desk.call(post.json(&body)).await?;
        Ok(succeeded(&answer)?.json::<Named>()?.id)
    }

    /// None: there is no such card any more. K: of a card on file it needs no security code.
    pub(super) async fn one_use_token(&self, customer: &str, card: &str) -> Result<Option<Id>, Trouble> {
        let post = self.desk.http.post(self.desk.at(&["v1", "card_tokens"]));
        let answer = self.desk.call(post.json(&json!({ "customer_id": customer, "card_id": card }))).await?;
        if is_about_the_card(answer.status) {
            return Ok(None);
        }
        Ok(Some(succeeded(&answer)?.json::<Named>()?.id))
    }

    pub(super) async fn forget(&self, token: &Token) -> Result<(), Trouble> {
        let [customer, card, _] = parts(&token.0)?;
        let url = self.desk.at(&["v1", "customers", customer, "cards", card]);
        forgotten(&self.desk.call(self.desk.http.delete(url)).await?)
    }
}

const fn is_about_the_card(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY)
}
