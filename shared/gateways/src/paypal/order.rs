//! Orders: making them, and finding what became of them.

use super::amount::to_paypal;
use super::id::{Id, Named};
use super::wire::{Capture, NewCard, NewOrder, NewSource, NewUnit, Order, StoredCredential};
use super::{PayPal, outcome, vault};
use crate::trouble::Trouble;
use fatura_application::ports::ChargeLookup;
use fatura_domain::gateway::{ChargeOutcome, ChargeRequest, Means};

/// In `more`: `RECURRING`, unless the account bills without a rhythm, which is `UNSCHEDULED`.
const PAYMENT_TYPE: &str = "payment_type";

impl PayPal {
    pub(super) async fn order(&self, request: &ChargeRequest) -> Result<ChargeOutcome, Trouble> {
        let order = new_order(request, self.payment_type().await?)?;
        let key = request.attempt.to_string();
        let answer = self.post(&["v2", "checkout", "orders"], &order, &key).await?;
        if answer.status.is_success() {
            return outcome::of_order_sent(&answer.json()?, request);
        }
        outcome::refused(&answer)
    }

    async fn payment_type(&self) -> Result<&'static str, Trouble> {
        match self.told().await?.more.get(PAYMENT_TYPE).map(String::as_str) {
            None | Some("RECURRING") => Ok("RECURRING"),
            Some("UNSCHEDULED") => Ok("UNSCHEDULED"),
            Some(_) => {
                let message = format!("{PAYMENT_TYPE} is neither RECURRING nor UNSCHEDULED");
                Err(Trouble::configuration("not_configured", message))
            }
        }
    }

    pub(super) async fn find(&self, lookup: &ChargeLookup) -> Result<ChargeOutcome, Trouble> {
        match lookup.reference.as_ref().and_then(Named::of) {
            Some(Named::Capture(id)) => match self.capture(&id).await? {
                Some(capture) => outcome::of_capture(&capture, None, lookup.attempt),
                None => Err(not_found()),
            },
            Some(Named::Order(id)) => match self.made_order(&id).await? {
                Some(order) => outcome::of_order(&order, lookup.attempt),
                None => Err(not_found()),
            },
            None => Err(not_found()),
        }
    }

    pub(super) async fn capture(&self, id: &Id) -> Result<Option<Capture>, Trouble> {
        let found = self.ask(self.url(&["v2", "payments", "captures", id.as_str()])).await?;
        let capture: Option<Capture> = found.map(|answer| answer.json()).transpose()?;
        same(capture, |capture| capture.id == *id)
    }

    pub(super) async fn made_order(&self, id: &Id) -> Result<Option<Order>, Trouble> {
        let found = self.ask(self.url(&["v2", "checkout", "orders", id.as_str()])).await?;
        let order: Option<Order> = found.map(|answer| answer.json()).transpose()?;
        same(order, |order| order.id == *id)
    }
}

/// Made of the request alone but for the configured type, so that a repeat is the same.
fn new_order(request: &ChargeRequest, payment_type: &'static str) -> Result<NewOrder, Trouble> {
    let Means::CreditCard(token) = &request.means else {
        let message = "this gateway takes cards only";
        return Err(Trouble::configuration("means_not_offered", message));
    };
    let attempt = request.attempt.to_string();
    let stored_credential =
        StoredCredential { payment_initiator: "MERCHANT", payment_type, usage: "SUBSEQUENT" };
    Ok(NewOrder {
        intent: "CAPTURE",
        purchase_units: [NewUnit {
            reference_id: attempt.clone(),
            custom_id: attempt.clone(),
            invoice_id: attempt,
            amount: to_paypal(request.amount)?,
        }],
        payment_source: NewSource {
            card: NewCard { vault_id: vault::stored(token)?.as_str().to_owned(), stored_credential },
        },
    })
}

pub(super) fn same<T>(found: Option<T>, is_it: impl Fn(&T) -> bool) -> Result<Option<T>, Trouble> {
    match found {
        Some(other) if !is_it(&other) => {
            Err(Trouble::unknown("contradictory_answer", "the gateway told of another charge"))
        }
        found => Ok(found),
    }
}

/// Never Absent: another account's credentials, or an id that was never PayPal's, find nothing either.
fn not_found() -> Trouble {
    let message = "without the gateway's own id nobody can tell whether there is a charge";
    Trouble::unknown("not_found_by_reference", message)
}
