//! PayPal's JSON, as far as we read and write it.

use super::amount::Amount;
use super::id::Id;
use crate::http::Answer;
use serde::{Deserialize, Serialize};

// ---- what we send --------------------------------------------------------------------------------------------------

#[derive(Serialize)]
pub(super) struct NewOrder {
    pub(super) intent: &'static str,
    pub(super) purchase_units: [NewUnit; 1],
    pub(super) payment_source: NewSource,
}

/// Our own id stands three times: `custom_id` is in reports and events, `invoice_id` is what PayPal refuses a second time
/// if the account's settings say so (that outlasts the idempotency key), `reference_id` names the unit.
#[derive(Serialize)]
pub(super) struct NewUnit {
    pub(super) reference_id: String,
    pub(super) custom_id: String,
    pub(super) invoice_id: String,
    pub(super) amount: Amount,
}

#[derive(Serialize)]
pub(super) struct NewSource {
    pub(super) card: NewCard,
}

#[derive(Serialize)]
pub(super) struct NewCard {
    pub(super) vault_id: String,
    pub(super) stored_credential: StoredCredential,
}

#[derive(Serialize)]
pub(super) struct StoredCredential {
    pub(super) payment_initiator: &'static str,
    pub(super) payment_type: &'static str,
    pub(super) usage: &'static str,
}

#[derive(Serialize)]
pub(super) struct NewRefund {
    pub(super) amount: Amount,
    pub(super) custom_id: String,
}

// ---- what we are told ----------------------------------------------------------------------------------------------

#[derive(Deserialize)]
pub(super) struct Order {
    pub(super) id: Id,
    pub(super) status: String,
    pub(super) purchase_units: Vec<Unit>,
    #[serde(default)]
    pub(super) links: Vec<Link>,
}

#[derive(Deserialize)]
pub(super) struct Unit {
    pub(super) custom_id: Option<String>,
    pub(super) amount: Option<Amount>,
    #[serde(default)]
    pub(super) payments: Payments,
}

#[derive(Default, Deserialize)]
pub(super) struct Payments {
    #[serde(default)]
    pub(super) captures: Vec<Capture>,
    #[serde(default)]
    pub(super) refunds: Vec<Refund>,
}

#[derive(Deserialize)]
pub(super) struct Capture {
    pub(super) id: Id,
    pub(super) status: String,
    pub(super) amount: Amount,
    pub(super) custom_id: Option<String>,
    #[serde(default)]
    pub(super) processor_response: ProcessorResponse,
    #[serde(default)]
    pub(super) supplementary_data: Supplement,
    #[serde(default)]
    pub(super) links: Vec<Link>,
}

#[derive(Default, Deserialize)]
pub(super) struct ProcessorResponse {
    pub(super) response_code: Option<String>,
    pub(super) payment_advice_code: Option<String>,
}

#[derive(Default, Deserialize)]
pub(super) struct Supplement {
    #[serde(default)]
    pub(super) related_ids: RelatedIds,
}

#[derive(Default, Deserialize)]
pub(super) struct RelatedIds {
    pub(super) order_id: Option<Id>,
}

#[derive(Deserialize)]
pub(super) struct Refund {
    pub(super) id: Id,
    pub(super) status: String,
    pub(super) amount: Option<Amount>,
    pub(super) custom_id: Option<String>,
    #[serde(default)]
    pub(super) links: Vec<Link>,
}

#[derive(Deserialize)]
pub(super) struct Link {
    pub(super) rel: String,
    pub(super) href: String,
}

/// The id at the end of a link to what a thing belongs to, if that is of this kind: `…/v2/checkout/orders/{id}`.
pub(super) fn up(links: &[Link], kind: &str) -> Option<Id> {
    let up = links.iter().find(|link| link.rel == "up")?;
    let (parent, id) = up.href.rsplit_once('/')?;
    let (_, found) = parent.rsplit_once('/')?;
    Id::parse(id).filter(|_| found == kind)
}

#[derive(Deserialize)]
pub(super) struct PaymentToken {
    pub(super) id: Id,
    #[serde(default)]
    pub(super) payment_source: VaultedSource,
}

#[derive(Default, Deserialize)]
pub(super) struct VaultedSource {
    /// Its brand and last digits are the browser's to tell; that it is a card is ours to know.
    pub(super) card: Option<serde_json::Value>,
}

#[derive(Deserialize)]
pub(super) struct Disputes {
    #[serde(default)]
    pub(super) items: Vec<NamedDispute>,
    #[serde(default)]
    pub(super) links: Vec<Link>,
}

#[derive(Deserialize)]
pub(super) struct NamedDispute {
    pub(super) dispute_id: Id,
}

#[derive(Deserialize)]
pub(super) struct Dispute {
    #[serde(rename = "dispute_id")]
    pub(super) id: Id,
    pub(super) status: String,
    #[serde(rename = "dispute_amount")]
    pub(super) amount: Option<Amount>,
    #[serde(default, rename = "dispute_outcome")]
    pub(super) outcome: DisputeEnd,
    #[serde(default)]
    pub(super) disputed_transactions: Vec<Disputed>,
}

#[derive(Default, Deserialize)]
pub(super) struct DisputeEnd {
    pub(super) outcome_code: Option<String>,
    pub(super) amount_refunded: Option<Amount>,
}

#[derive(Deserialize)]
pub(super) struct Disputed {
    pub(super) seller_transaction_id: Option<Id>,
}

#[derive(Deserialize)]
pub(super) struct Transactions {
    #[serde(default)]
    pub(super) transaction_details: Vec<Transaction>,
    pub(super) total_pages: usize,
    pub(super) last_refreshed_datetime: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Transaction {
    pub(super) transaction_info: TransactionInfo,
}

#[derive(Deserialize)]
pub(super) struct TransactionInfo {
    pub(super) transaction_id: Id,
    pub(super) paypal_reference_id: Option<Id>,
    pub(super) transaction_event_code: String,
    pub(super) transaction_initiation_date: String,
    pub(super) transaction_amount: Amount,
    pub(super) transaction_status: Option<String>,
    pub(super) invoice_id: Option<String>,
    pub(super) custom_field: Option<String>,
}

// ---- refusals ------------------------------------------------------------------------------------------------------

#[derive(Default, Deserialize)]
pub(super) struct Refusal {
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) details: Vec<Detail>,
}

#[derive(Deserialize)]
pub(super) struct Detail {
    pub(super) issue: Option<String>,
}

impl Refusal {
    /// What can't be read says nothing, and is no error: the status has said no.
    pub(super) fn of(answer: &Answer) -> Self {
        answer.json().unwrap_or_default()
    }

    /// The issues, the finer words first, and then the error's name.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        self.details.iter().filter_map(|detail| detail.issue.as_deref()).chain(self.name.as_deref())
    }

    pub(super) fn raw_code(&self) -> Option<String> {
        self.words().next().map(str::to_owned)
    }
}
