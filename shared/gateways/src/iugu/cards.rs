//! Customers and their cards. A kept card is `customer/payment method`; the form's token is good once, even if what it is
//! used for fails (D).

use super::wire::{Named, Refusal};
use super::{IDEMPOTENCY, Iugu};
use crate::brazil::{forgotten, is_plain, parts, succeeded};
use crate::trouble::Trouble;
use fatura_domain::charge::{Failure, FailureClass};
use fatura_domain::gateway::{StoreOutcome, StoreRequest, Token};
use reqwest::StatusCode;
use serde_json::json;

impl Iugu {
    pub(super) async fn store(&self, request: &StoreRequest) -> Result<StoreOutcome, Trouble> {
        let post = self.desk.http.post(self.desk.at(&["v1", "customers"]));
        // An order that goes out again gets the customer that it made.
        let post = post.header(IDEMPOTENCY, request.key.to_string());
        let body = json!({ "email": request.email, "name": request.name });
        let answer = self.desk.call(post.json(&body)).await?;
        let customer = plain(succeeded(&answer)?.json()?)?;

        let methods = self.desk.at(&["v1", "customers", &customer, "payment_methods"]);
        let body = json!({ "description": request.key, "token": request.token.0 });
        let answer = self.desk.call(self.desk.http.post(methods).json(&body)).await?;
        if matches!(answer.status, StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY) {
            let failure =
                Failure::new(FailureClass::Hard, "invalid_card", "the gateway does not keep this card");
            let code = answer.json::<Refusal>().ok().and_then(Refusal::code).unwrap_or_default();
            return Ok(StoreOutcome::Declined { failure: failure.with_raw_code(&code) });
        }
        let method = plain(succeeded(&answer)?.json()?)?;
        Ok(StoreOutcome::Stored(Token(format!("{customer}/{method}"))))
    }

    pub(super) async fn forget(&self, token: &Token) -> Result<(), Trouble> {
        let [customer, method] = parts(&token.0)?;
        let url = self.desk.at(&["v1", "customers", customer, "payment_methods", method]);
        forgotten(&self.desk.call(self.desk.http.delete(url)).await?)
    }
}

fn plain(named: Named) -> Result<String, Trouble> {
    if is_plain(&named.id) {
        return Ok(named.id);
    }
    Err(Trouble::unknown("unreadable_answer", "the id is not one of this gateway"))
}
