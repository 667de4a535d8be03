//! Why a charge was declined: `gateway_response_code`, which is the acquirer's word, passed on. Which acquirer's depends on
//! the account. Vindi's help page on rejections names the codes of ABECS's Normativo 21 as what they come down to: the rows
//! here are those that it reads otherwise than, or that are missing from, the table of the issuers' codes (51 to 81 D from
//! that page); 1000 and above are one acquirer's, Stone's (T: two copies of
//! Stone's own table, which agree).

use super::wire::{Transaction, text};
use crate::brazil::declines::{Decline, ISSUER_CODES, failure, issuer_code};
use fatura_domain::charge::{Failure, FailureClass};

const OF_VINDI: &[Decline] = &[
    ("76", "invalid_card", FailureClass::Hard),
    ("79", "closed_account", FailureClass::Hard),
    ("80", "issuer_unavailable", FailureClass::IssuerUnavailable),
    ("81", "try_again", FailureClass::IssuerUnavailable),
    ("1000", "do_not_honor", FailureClass::DoNotHonor),
    ("1001", "expired_card", FailureClass::Hard),
    ("1002", "suspected_fraud", FailureClass::SuspectedFraud),
    ("1003", "merchant_not_accepted", FailureClass::Configuration),
    ("1004", "restricted_card", FailureClass::Hard),
    ("1005", "security_violation", FailureClass::SuspectedFraud),
    ("1006", "wrong_pin", FailureClass::AuthenticationRequired),
    ("1007", "do_not_honor", FailureClass::DoNotHonor),
    ("1008", "do_not_honor", FailureClass::DoNotHonor),
    ("1009", "merchant_not_accepted", FailureClass::Configuration),
    ("1010", "amount_not_accepted", FailureClass::Configuration),
    ("1011", "invalid_card", FailureClass::Hard),
    ("1012", "wrong_pin", FailureClass::AuthenticationRequired),
    ("1014", "closed_account", FailureClass::Hard),
    ("1015", "card_not_accepted", FailureClass::Hard),
    ("1016", "insufficient_funds", FailureClass::InsufficientFunds),
    ("1017", "wrong_pin", FailureClass::AuthenticationRequired),
    ("1018", "invalid_card", FailureClass::Hard),
    ("1019", "not_permitted", FailureClass::DoNotHonor),
    ("1020", "not_permitted", FailureClass::Configuration),
    ("1021", "limit_exceeded", FailureClass::InsufficientFunds),
    ("1022", "security_violation", FailureClass::SuspectedFraud),
    ("1023", "limit_exceeded", FailureClass::InsufficientFunds),
    ("1024", "unlawful", FailureClass::Hard),
    ("1025", "restricted_card", FailureClass::Hard),
    ("1029", "suspected_fraud", FailureClass::SuspectedFraud),
    ("1030", "currency_mismatch", FailureClass::CurrencyMismatch),
    ("1032", "stolen_card", FailureClass::Hard),
];

pub(super) fn of_rejection(transaction: &Transaction) -> Failure {
    let raw =
        transaction.gateway_response_code.as_ref().map(text).filter(|raw| !raw.is_empty() && raw != "null");
    let code = raw.as_deref().map(issuer_code);
    let is_own = OF_VINDI.iter().any(|(own, ..)| Some(*own) == code);
    let told =
        failure(if is_own { OF_VINDI } else { ISSUER_CODES }, code, transaction.gateway_message.as_deref());
    // As it was written.
    raw.map_or(told.clone(), |raw| told.with_raw_code(&raw))
}
