//! What an event's signed fields say. Source for the codes: the SDK's `NotificationRequestItem` and
//! docs.adyen.com/development-resources/webhooks (D); what follows from each is our reading, and uncertain where it says so.
//!
//! `reason` and all of `additionalData` (`disputeStatus`, `modification.action`, the refusal's code) are not signed, and so
//! decide nothing: a refusal that is told by webhook alone is one of the general kind.

use super::webhook::Item;
use super::wire::Id;
use fatura_application::ports::Told;
use fatura_domain::charge::{Failure, FailureClass};
use fatura_domain::gateway::{
    ChargeOutcome, DisputeStanding, DisputeVerdict, GatewayReference, RefundOutcome,
};
use fatura_domain::id::AttemptId;

/// None: nothing of ours, or nothing that changes how something of ours stands.
pub(super) fn told(item: &Item) -> Option<Told> {
    let success = match item.success.as_str() {
        "true" => true,
        "false" => false,
        _ => return None,
    };
    match (item.event_code.as_str(), success) {
        ("AUTHORISATION", true) => {
            let captured = item.amount.money()?;
            charge(item, ChargeOutcome::Approved { reference: own(item)?, captured })
        }
        ("AUTHORISATION", false) => {
            let message = "the gateway refused the charge, and its signature covers no reason";
            let failure = Failure::new(FailureClass::Generic, "declined", message);
            charge(item, ChargeOutcome::Declined { reference: own(item), failure })
        }
        // K: by the payment's own reference. A code that nobody paid in time.
        ("OFFER_CLOSED", true) => charge(item, ChargeOutcome::Voided { reference: own(item)? }),
        ("CANCELLATION" | "TECHNICAL_CANCEL", true) => {
            charge(item, ChargeOutcome::Voided { reference: original(item)? })
        }
        // Whether it was cancelled or refunded is not signed, and we order neither in this way.
        ("CAPTURE_FAILED" | "CANCEL_OR_REFUND", true) | ("CAPTURE", false) => {
            withdrawn(item, original(item)?)
        }
        // U which of the two names the payment.
        ("EXPIRE", true) => withdrawn(item, original(item).or_else(|| own(item))?),
        ("REFUND", true) => {
            let amount = item.amount.money()?;
            refund(item, RefundOutcome::Succeeded { reference: own(item)?, amount })
        }
        ("REFUND", false) => refund(item, failed("the gateway refused the refund")),
        ("REFUND_FAILED" | "REFUNDED_REVERSED", true) => refund(item, failed("the refund came back to us")),
        (code, true) => dispute(item, code),
        _ => None,
    }
}

/// The money is gone from `CHARGEBACK` on and back from `CHARGEBACK_REVERSED` on; whether the one is defended is not
/// signed. A second chargeback takes it again, which is a case of its own to our books. All events of a dispute have its
/// own reference (D). A request for information moves no money, and nothing that is signed says when it ends.
fn dispute(item: &Item, code: &str) -> Option<Told> {
    let (status, round) = match code {
        "NOTIFICATION_OF_CHARGEBACK" => (DisputeVerdict::Open, ""),
        "CHARGEBACK" => (DisputeVerdict::Lost, ""),
        // U for the second: that the first chargeback was reversed is what was fought about.
        "CHARGEBACK_REVERSED" | "PREARBITRATION_WON" => (DisputeVerdict::Won, ""),
        // U whether a lost prearbitration moves money by itself, or a second chargeback always comes with it: either way
        // it is booked once.
        "SECOND_CHARGEBACK" | "PREARBITRATION_LOST" => (DisputeVerdict::Lost, "/2"),
        _ => return None,
    };
    let reference = GatewayReference(format!("{}{round}", own(item)?.0));
    let standing = DisputeStanding { reference, status, amount: item.amount.money() };
    Some(Told::Dispute { attempt: attempt(item)?, charge: original(item)?, standing })
}

fn charge(item: &Item, outcome: ChargeOutcome) -> Option<Told> {
    Some(Told::Charge { attempt: attempt(item)?, outcome })
}

fn withdrawn(item: &Item, charge: GatewayReference) -> Option<Told> {
    Some(Told::Withdrawn { attempt: attempt(item)?, charge })
}

/// K: the reference is the one of the refund's order, not of the payment.
fn refund(item: &Item, outcome: RefundOutcome) -> Option<Told> {
    Some(Told::Refund { refund: item.merchant_reference.parse().ok()?, charge: original(item)?, outcome })
}

fn failed(message: &str) -> RefundOutcome {
    RefundOutcome::Failed { failure: Failure::new(FailureClass::Generic, "refund_failed", message) }
}

fn attempt(item: &Item) -> Option<AttemptId> {
    item.merchant_reference.parse().ok()
}

fn own(item: &Item) -> Option<GatewayReference> {
    Id::parse(&item.psp_reference).map(|id| id.to_reference())
}

/// The payment that it is about.
fn original(item: &Item) -> Option<GatewayReference> {
    Id::parse(item.original_reference.as_deref()?).map(|id| id.to_reference())
}
