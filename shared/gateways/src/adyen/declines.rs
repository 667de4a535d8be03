//! Adyen's words for a refusal, and what can be done about each.
//!
//! Source: docs.adyen.com/development-resources/refusal-reasons (D for the codes; the classes are our reading of the
//! descriptions there). 30 is not in the table. Codes from 40 on are from integrators (T).

use super::wire::{PaymentResponse, ServiceError};
use crate::brazil::declines::{Decline, failure};
use fatura_domain::charge::{Failure, FailureClass};

pub(super) const DECLINES: &[Decline] = &[
    ("2", "do_not_honor", FailureClass::DoNotHonor),
    ("3", "referral", FailureClass::DoNotHonor),
    ("4", "acquirer_error", FailureClass::IssuerUnavailable),
    ("5", "card_blocked", FailureClass::Hard),
    ("6", "expired_card", FailureClass::Hard),
    ("7", "amount_not_accepted", FailureClass::Configuration),
    ("8", "invalid_card", FailureClass::Hard),
    ("9", "issuer_unavailable", FailureClass::IssuerUnavailable),
    ("10", "not_permitted", FailureClass::DoNotHonor),
    ("11", "authentication_required", FailureClass::AuthenticationRequired),
    ("12", "insufficient_funds", FailureClass::InsufficientFunds),
    ("14", "suspected_fraud", FailureClass::SuspectedFraud),
    ("15", "canceled", FailureClass::Generic),
    ("16", "canceled_by_payer", FailureClass::Generic),
    ("17", "wrong_pin", FailureClass::AuthenticationRequired),
    ("18", "too_many_attempts", FailureClass::Hard),
    ("19", "pin_not_validated", FailureClass::AuthenticationRequired),
    ("20", "suspected_fraud", FailureClass::SuspectedFraud),
    ("21", "not_submitted", FailureClass::Configuration),
    ("22", "suspected_fraud", FailureClass::SuspectedFraud),
    ("23", "not_permitted", FailureClass::DoNotHonor),
    ("24", "security_code", FailureClass::Hard),
    ("25", "restricted_card", FailureClass::Hard),
    // The cardholder has taken the permission back: charging on would break the networks' rules.
    ("26", "recurring_stopped", FailureClass::Hard),
    ("27", "declined", FailureClass::Generic),
    // The limits of the card, not of the merchant.
    ("28", "limit_exceeded", FailureClass::InsufficientFunds),
    ("29", "limit_exceeded", FailureClass::InsufficientFunds),
    ("31", "suspected_fraud", FailureClass::SuspectedFraud),
    ("32", "address_mismatch", FailureClass::Hard),
    ("33", "wrong_pin", FailureClass::AuthenticationRequired),
    ("34", "no_such_account", FailureClass::Hard),
    ("35", "no_such_account", FailureClass::Hard),
    ("36", "wrong_pin", FailureClass::AuthenticationRequired),
    ("37", "authentication_required", FailureClass::AuthenticationRequired),
    ("38", "authentication_required", FailureClass::AuthenticationRequired),
    ("39", "authentication_required", FailureClass::AuthenticationRequired),
    ("40", "declined", FailureClass::Generic),
    ("41", "authentication_required", FailureClass::AuthenticationRequired),
    ("42", "authentication_required", FailureClass::AuthenticationRequired),
    ("43", "wrong_pin", FailureClass::AuthenticationRequired),
    ("44", "declined", FailureClass::Generic),
    ("45", "declined", FailureClass::Generic),
    // "Transaction blocked by Adyen to prevent excessive retry fees".
    ("46", "too_many_attempts", FailureClass::Hard),
];

/// A stored card that Adyen doesn't have: `refusalReason` as its SDKs know it (D), `errorCode` K.
const MISSING_REASON: &str = "803 PaymentDetail not found";
const MISSING: &[&str] = &["800", "803"];
/// K: "unsupported currency specified".
const CURRENCY: &str = "138";

pub(super) fn refused(response: &PaymentResponse) -> Failure {
    if response.refusal_reason.as_deref() == Some(MISSING_REASON) {
        return no_such_card("803");
    }
    failure(DECLINES, response.refusal_reason_code.as_deref(), response.refusal_reason.as_deref())
}

/// What a refused order is a decline of. None: of nothing, it is our own fault or nobody knows.
pub(super) fn of_error(error: &ServiceError) -> Option<Failure> {
    let code = error.error_code.as_deref()?;
    if MISSING.contains(&code) {
        return Some(no_such_card(code));
    }
    (code == CURRENCY).then(|| {
        let message = "the gateway does not take this currency";
        Failure::new(FailureClass::CurrencyMismatch, "currency_not_supported", message).with_raw_code(code)
    })
}

fn no_such_card(raw_code: &str) -> Failure {
    let message = "the gateway has no such customer or card";
    Failure::new(FailureClass::CustomerNotFound, "customer_not_found", message).with_raw_code(raw_code)
}
