//! Keeping a card. The form gives the card encrypted; `POST /tokens/cards` checks and keeps it without a charge (K), and
//! answers with the id that is charged from then on. The other way, D: charge it with `store: true`, which gives the id even
//! if the charge is declined; but an order here is for a card that is kept already. No way to forget one is known.

use super::PagBank;
use super::wire::{Card, Refusal};
use crate::brazil::{is_plain, succeeded};
use crate::trouble::Trouble;
use fatura_domain::charge::{Failure, FailureClass};
use fatura_domain::gateway::{StoreOutcome, StoreRequest, Token};
use reqwest::StatusCode;
use serde_json::json;

impl PagBank {
    pub(super) async fn store(&self, request: &StoreRequest) -> Result<StoreOutcome, Trouble> {
        let post = self.desk.http.post(self.desk.at(&["tokens", "cards"]));
        let post = post.header(super::IDEMPOTENCY, request.key.to_string());
        let answer = self.desk.call(post.json(&json!({ "encrypted": request.token.0 }))).await?;
        if matches!(answer.status, StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY) {
            let failure =
                Failure::new(FailureClass::Hard, "invalid_card", "the gateway does not keep this card");
            let code = answer.json::<Refusal>().ok().and_then(Refusal::code).unwrap_or_default();
            return Ok(StoreOutcome::Declined { failure: failure.with_raw_code(&code) });
        }
        let card: Card = succeeded(&answer)?.json()?;
        if !card.id.starts_with("CARD_") || !is_plain(&card.id) {
            return Err(Trouble::unknown("unreadable_answer", "the card's id is not one of this gateway"));
        }
        Ok(StoreOutcome::Stored(Token(card.id)))
    }
}
