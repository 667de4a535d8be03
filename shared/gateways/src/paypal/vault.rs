//! Cards that are kept: PayPal's payment tokens. The browser makes a setup token and has it approved; that becomes a
//! payment token, by which the card is charged from then on.

use super::id::Id;
use super::wire::{PaymentToken, Refusal};
use super::{PayPal, declines, succeeded};
use crate::trouble::Trouble;
use fatura_domain::charge::{Failure, FailureClass};
use fatura_domain::gateway::{StoreOutcome, StoreRequest, Token};
use reqwest::StatusCode;
use serde_json::json;

impl PayPal {
    pub(super) async fn store(&self, request: &StoreRequest) -> Result<StoreOutcome, Trouble> {
        let Some(setup) = Id::parse(&request.token.0) else {
            return Ok(declined("invalid_token", "the token is not one of PayPal's forms", None));
        };
        let body = json!({ "payment_source": { "token": { "id": setup.as_str(), "type": "SETUP_TOKEN" } } });
        // The key is known for 3 hours; after that the setup token is used up, so a repeat makes no second card.
        let answer = self.post(&["v3", "vault", "payment-tokens"], &body, &request.key.to_string()).await?;
        if answer.status.is_success() {
            let token: PaymentToken = answer.json()?;
            return Ok(match token.payment_source.card {
                Some(_) => StoreOutcome::Stored(Token(token.id.as_str().to_owned())),
                None => declined("not_a_card", "only cards are charged through this gateway", None),
            });
        }
        let refusal = Refusal::of(&answer);
        if answer.status == StatusCode::CONFLICT || declines::is_seen_before(refusal.words()) {
            return Err(Trouble::unknown("key_reused", "the gateway has seen this order before"));
        }
        if let Some(failure) = declines::of_issues(refusal.words()) {
            return Ok(StoreOutcome::Declined { failure });
        }
        match answer.status {
            StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY => {
                let message = "the gateway does not accept the token";
                Ok(declined("invalid_token", message, refusal.raw_code().as_deref()))
            }
            _ => Err(succeeded(&answer).err().unwrap_or_else(|| {
                Trouble::unknown("unexpected_status", format!("answered {}", answer.status))
            })),
        }
    }

    /// 204 also for a token that is gone (from memory), and 404 for one that never was.
    pub(super) async fn forget(&self, token: &Token) -> Result<(), Trouble> {
        let url = self.url(&["v3", "vault", "payment-tokens", stored(token)?.as_str()]);
        let answer = self.call(self.http.delete(url)).await?;
        if answer.status == StatusCode::NOT_FOUND { Ok(()) } else { succeeded(&answer).map(|_| ()) }
    }
}

/// What a card of ours is charged by.
pub(super) fn stored(token: &Token) -> Result<Id, Trouble> {
    Id::parse(&token.0).ok_or_else(|| {
        Trouble::configuration("not_a_stored_card", "the token was not stored by this gateway")
    })
}

fn declined(code: &'static str, message: &str, raw_code: Option<&str>) -> StoreOutcome {
    let failure = Failure::new(FailureClass::Hard, code, message);
    StoreOutcome::Declined { failure: raw_code.map_or(failure.clone(), |raw| failure.with_raw_code(raw)) }
}
