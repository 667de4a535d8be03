//! Adyen's JSON, Checkout API v71, as far as we write and read it. Source: its SDK's generated types (D).

use super::amount::{from_adyen, to_adyen};
use crate::brazil::is_plain;
use crate::trouble::Trouble;
use fatura_domain::gateway::GatewayReference;
use fatura_domain::money::Money;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Amount {
    pub(super) currency: String,
    pub(super) value: i64,
}

impl Amount {
    pub(super) fn of(amount: Money) -> Result<Self, Trouble> {
        Ok(Self { currency: amount.currency().code().to_owned(), value: to_adyen(amount)? })
    }

    /// None: no money that we could book.
    pub(super) fn money(&self) -> Option<Money> {
        from_adyen(self.value, &self.currency)
    }
}

/// Made of the request and the configuration alone and always in the same order: a repeat is the same bytes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PaymentRequest<'a> {
    pub(super) merchant_account: &'a str,
    pub(super) amount: Amount,
    pub(super) reference: String,
    pub(super) return_url: &'a str,
    pub(super) shopper_reference: String,
    pub(super) payment_method: PaymentMethod<'a>,
    #[serde(flatten)]
    pub(super) on_file: Option<OnFile<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub(super) enum PaymentMethod<'a> {
    #[serde(rename_all = "camelCase")]
    Scheme {
        stored_payment_method_id: &'a str,
    },
    Pix,
}

/// How a card is charged while its holder isn't there.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OnFile<'a> {
    pub(super) shopper_interaction: &'static str,
    pub(super) recurring_processing_model: &'a str,
    /// Captured at once, whatever the account's own default is: so what is authorised is captured, unless a later
    /// `CAPTURE_FAILED` says otherwise.
    pub(super) capture_delay_hours: u8,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PaymentResponse {
    pub(super) psp_reference: Option<Id>,
    pub(super) result_code: ResultCode,
    pub(super) merchant_reference: Option<String>,
    pub(super) amount: Option<Amount>,
    pub(super) refusal_reason: Option<String>,
    pub(super) refusal_reason_code: Option<String>,
    pub(super) action: Option<Action>,
    #[serde(default)]
    pub(super) additional_data: AdditionalData,
}

/// No case for others: a code that we don't know makes the answer unreadable, and so the charge unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum ResultCode {
    Authorised,
    PartiallyAuthorised,
    Refused,
    Error,
    Cancelled,
    Pending,
    Received,
    PresentToShopper,
    RedirectShopper,
    ChallengeShopper,
    IdentifyShopper,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Action {
    pub(super) qr_code_data: Option<String>,
    pub(super) expires_at: Option<String>,
    pub(super) url: Option<String>,
}

#[derive(Default, Deserialize)]
pub(super) struct AdditionalData {
    #[serde(rename = "pix.expirationDate")]
    pub(super) pix_expiry: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServiceError {
    pub(super) error_code: Option<String>,
    pub(super) error_type: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Modification<'a> {
    pub(super) merchant_account: &'a str,
    pub(super) reference: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) amount: Option<Amount>,
}

/// What becomes of it is told by a webhook; here it is only `received`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Modified {
    pub(super) psp_reference: Id,
    pub(super) payment_psp_reference: Id,
    pub(super) merchant_account: String,
    pub(super) reference: Option<String>,
    pub(super) amount: Option<Amount>,
    pub(super) status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StoredCards {
    #[serde(default)]
    pub(super) stored_payment_methods: Vec<StoredCard>,
}

#[derive(Deserialize)]
pub(super) struct StoredCard {
    pub(super) id: Option<String>,
}

/// An id that can stand in a path and be stored.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Id(String);

impl Id {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::try_from(text.to_owned()).ok()
    }

    pub(super) fn to_reference(&self) -> GatewayReference {
        GatewayReference(self.0.clone())
    }
}

impl TryFrom<String> for Id {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        if is_plain(&text) { Ok(Self(text)) } else { Err("is not an id of this gateway") }
    }
}
