//! Cards that are kept. Our token is `cus_…/pm_…`: a card belongs to a customer of Stripe's, and is charged with it.

use super::declines::failure;
use super::wire::{Id, Identified, PaymentMethod, Refusal};
use super::{Stripe, succeeded};
use crate::form::Form;
use crate::http::Answer;
use crate::trouble::Trouble;
use fatura_domain::charge::{Failure, FailureClass};
use fatura_domain::gateway::{StoreOutcome, StoreRequest, Token};
use reqwest::StatusCode;
use serde_json::Value;

impl Stripe {
    /// A customer for each method, because there is no place yet to remember one for several. The steps have keys of their
    /// own, made from the method's: Stripe refuses one key for two kinds of request.
    ///
    /// The card's form should have confirmed a `SetupIntent`, so that the bank knows of charges to come; attaching alone
    /// works but is declined more often (as `/v1/payment_methods/{id}/attach` says in Stripe's reference).
    pub(super) async fn store(&self, request: &StoreRequest) -> Result<StoreOutcome, Trouble> {
        let method = match self.method_of(request).await? {
            Ok(method) => method,
            Err(declined) => return Ok(declined),
        };
        let key = format!("{}-customer", request.key);
        let form = Form::new()
            .with("name", &request.name)
            .with("email", &request.email)
            .nested("metadata", "customer", &request.customer)
            .nested("metadata", "method", &request.key);
        let answer = self.post(&["customers"], &form, Some(&key)).await?;
        if !answer.status.is_success() {
            return refused(&answer);
        }
        let customer: Identified = answer.json()?;

        let path = ["payment_methods", method.as_str(), "attach"];
        let form = Form::new().with("customer", customer.id.as_str());
        let answer = self.post(&path, &form, Some(&request.key.to_string())).await?;
        if answer.status.is_success() {
            let attached: PaymentMethod = answer.json()?;
            if attached.id != method || attached.customer.as_str() != Some(customer.id.as_str()) {
                return Err(Trouble::unknown(
                    "contradictory_answer",
                    "another card was attached, or elsewhere",
                ));
            }
            return Ok(stored(&customer.id, &method));
        }
        // Attached by the same order before, whose answer was lost and whose key has ended: it is stored.
        if answer.status == StatusCode::BAD_REQUEST
            && let Some(earlier) = self.attached_for(&method, request).await?
        {
            return Ok(stored(&earlier, &method));
        }
        refused(&answer)
    }

    /// The payment method to attach: a form's token is made into one first.
    async fn method_of(&self, request: &StoreRequest) -> Result<Result<Id, StoreOutcome>, Trouble> {
        let Ok(token) = Id::try_from(request.token.0.clone()) else { return Ok(Err(not_a_token())) };
        if token.as_str().starts_with("pm_") {
            return Ok(Ok(token));
        }
        if !token.as_str().starts_with("tok_") {
            return Ok(Err(not_a_token()));
        }
        let key = format!("{}-method", request.key);
        let form = Form::new().with("type", "card").nested("card", "token", token.as_str());
        let answer = self.post(&["payment_methods"], &form, Some(&key)).await?;
        if answer.status.is_success() {
            return Ok(Ok(answer.json::<PaymentMethod>()?.id));
        }
        refused(&answer).map(Err)
    }

    /// The customer that an earlier run of this very order attached the card to.
    async fn attached_for(&self, method: &Id, request: &StoreRequest) -> Result<Option<Id>, Trouble> {
        let query = Form::new().with("expand[]", "customer");
        let answer = self.get(&["payment_methods", method.as_str()], &query).await?;
        if !answer.status.is_success() {
            return Ok(None);
        }
        let method: PaymentMethod = answer.json()?;
        let is_ours = method.customer.pointer("/metadata/method").and_then(Value::as_str)
            == Some(request.key.to_string().as_str());
        let id = method.customer.get("id").and_then(Value::as_str).filter(|_| is_ours);
        id.map(|id| Id::parse(id, "cus_")).transpose()
    }

    pub(super) async fn detach(&self, token: &Token) -> Result<(), Trouble> {
        let (_, method) = halves(token)?;
        let answer = self.post(&["payment_methods", method.as_str(), "detach"], &Form::new(), None).await?;
        match answer.status {
            StatusCode::NOT_FOUND => return Ok(()),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(Trouble::configuration(
                    "unauthorized",
                    "the gateway does not accept our API key",
                ));
            }
            // Without a code of its own (from memory), so it is asked whether the card is anybody's still.
            StatusCode::BAD_REQUEST => {}
            _ => return succeeded(&answer).map(|_| ()),
        }
        let answer = self.get(&["payment_methods", method.as_str()], &Form::new()).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(());
        }
        let method: PaymentMethod = succeeded(&answer)?.json()?;
        if method.customer.is_null() {
            return Ok(());
        }
        Err(Trouble::unknown("not_detached", "the gateway refused to forget the card"))
    }
}

fn stored(customer: &Id, method: &Id) -> StoreOutcome {
    StoreOutcome::Stored(Token(format!("{}/{}", customer.as_str(), method.as_str())))
}

/// The customer and the payment method of a token of ours.
pub(super) fn halves(token: &Token) -> Result<(Id, Id), Trouble> {
    let halves = token.0.split_once('/').and_then(|(customer, method)| {
        Some((Id::parse(customer, "cus_").ok()?, Id::try_from(method.to_owned()).ok()?))
    });
    halves.ok_or_else(|| {
        Trouble::configuration("unusable_token", "the card's token is not one of this gateway")
    })
}

fn not_a_token() -> StoreOutcome {
    let message = "the token is not one of Stripe's forms";
    StoreOutcome::Declined { failure: Failure::new(FailureClass::Hard, "invalid_token", message) }
}

/// A no to the card is for good; a no to us is for a person to mend, and the order may go out again then.
fn refused(answer: &Answer) -> Result<StoreOutcome, Trouble> {
    let error = answer.json::<Refusal>().map(|refusal| refusal.error).unwrap_or_default();
    let kind = error.kind.clone().unwrap_or_default();
    let raw_code = error.raw_code();
    match (answer.status, kind.as_str()) {
        (StatusCode::PAYMENT_REQUIRED, "card_error") => {
            Ok(StoreOutcome::Declined { failure: failure(&error.into_blame(), false) })
        }
        (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => {
            Err(Trouble::refused("unauthorized", "the gateway does not accept our API key", raw_code))
        }
        // Used up, unknown or somebody's already. A repeat under the same key gets the earlier answer instead.
        (StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND, "invalid_request_error") => {
            let message = "the gateway does not accept the token";
            let failure = Failure::new(FailureClass::Hard, "invalid_token", message);
            Ok(StoreOutcome::Declined { failure: failure.with_raw_code(&raw_code.unwrap_or_default()) })
        }
        (status, _) => Err(Trouble::unknown("unexpected_status", format!("answered {status}"))),
    }
}
