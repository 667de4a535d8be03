//! Customers and payment profiles. A kept card is `customer/payment profile`. The form's token is called `gateway_token`
//! (K).

use super::Vindi;
use super::wire::{Customers, OneCustomer, OneProfile, Refusal};
use crate::brazil::{forgotten, parts, succeeded};
use crate::trouble::Trouble;
use fatura_domain::charge::{Failure, FailureClass};
use fatura_domain::gateway::{StoreOutcome, StoreRequest, Token};
use reqwest::StatusCode;
use serde_json::json;

impl Vindi {
    pub(super) async fn store(&self, request: &StoreRequest) -> Result<StoreOutcome, Trouble> {
        let customer = match self.known_customer(request).await? {
            Some(known) => known,
            None => self.new_customer(request).await?,
        };
        let body = json!({
            "gateway_token": request.token.0,
            "customer_id": customer,
            "payment_method_code": "credit_card",
        });
        let post = self.desk.http.post(self.desk.at(&["api", "v1", "payment_profiles"]));
        let answer = self.desk.call(post.json(&body)).await?;
        if matches!(answer.status, StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY) {
            let failure =
                Failure::new(FailureClass::Hard, "invalid_card", "the gateway does not keep this card");
            let code = answer.json::<Refusal>().ok().and_then(Refusal::code).unwrap_or_default();
            return Ok(StoreOutcome::Declined { failure: failure.with_raw_code(&code) });
        }
        let profile = succeeded(&answer)?.json::<OneProfile>()?.payment_profile.id;
        Ok(StoreOutcome::Stored(Token(format!("{customer}/{profile}"))))
    }

    /// By our own id, so that an order which goes out again finds the customer that it made.
    async fn known_customer(&self, request: &StoreRequest) -> Result<Option<u64>, Trouble> {
        let mut url = self.desk.at(&["api", "v1", "customers"]);
        url.query_pairs_mut().append_pair("query", &format!("code:{}", request.customer));
        let answer = self.desk.call(self.desk.http.get(url)).await?;
        let found: Customers = succeeded(&answer)?.json()?;
        Ok(found.customers.first().map(|customer| customer.id))
    }

    async fn new_customer(&self, request: &StoreRequest) -> Result<u64, Trouble> {
        let body = json!({ "name": request.name, "email": request.email, "code": request.customer });
        let post = self.desk.http.post(self.desk.at(&["api", "v1", "customers"]));
        let answer = self.desk.call(post.json(&body)).await?;
        Ok(succeeded(&answer)?.json::<OneCustomer>()?.customer.id)
    }

    pub(super) async fn forget(&self, token: &Token) -> Result<(), Trouble> {
        let [_, profile] = parts(&token.0)?;
        let url = self.desk.at(&["api", "v1", "payment_profiles", profile]);
        forgotten(&self.desk.call(self.desk.http.delete(url)).await?)
    }
}
