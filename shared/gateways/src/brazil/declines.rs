//! From a gateway's words for a decline to ours.

use fatura_domain::charge::{Failure, FailureClass};

/// The gateway's code, ours, and what can be done about it.
pub(crate) type Decline = (&'static str, &'static str, FailureClass);

/// A code that is not in the table is a decline all the same: of the general kind, with the raw code kept.
pub(crate) fn failure(table: &[Decline], code: Option<&str>, message: Option<&str>) -> Failure {
    let Some(code) = code.map(str::trim).filter(|code| !code.is_empty()) else {
        return Failure::new(
            FailureClass::Generic,
            "declined",
            message.unwrap_or("declined without a reason"),
        );
    };
    let known = table.iter().find(|(raw, ..)| *raw == code);
    let (ours, class) = known.map_or(("declined", FailureClass::Generic), |(_, ours, class)| (*ours, *class));
    Failure::new(class, ours, message.unwrap_or("declined by the gateway")).with_raw_code(code)
}

/// What Brazilian issuers answer, in the codes of ABECS's Normativo 21 and of ISO 8583 beneath it: source Cielo's
/// published table (D there), so T for any other acquirer; the codes of letters are K. Leading zeros are cut off before
/// it is asked.
pub(crate) const ISSUER_CODES: &[Decline] = &[
    ("1", "do_not_honor", FailureClass::DoNotHonor),
    ("2", "do_not_honor", FailureClass::DoNotHonor),
    ("3", "merchant_not_accepted", FailureClass::Configuration),
    ("4", "card_to_be_retained", FailureClass::Hard),
    ("5", "do_not_honor", FailureClass::DoNotHonor),
    ("6", "declined", FailureClass::Generic),
    ("7", "card_to_be_retained", FailureClass::Hard),
    ("12", "invalid_transaction", FailureClass::Generic),
    ("13", "amount_not_accepted", FailureClass::Configuration),
    ("14", "invalid_card", FailureClass::Hard),
    ("15", "invalid_card", FailureClass::Hard),
    ("19", "try_again", FailureClass::IssuerUnavailable),
    ("30", "malformed_order", FailureClass::Configuration),
    ("41", "lost_card", FailureClass::Hard),
    ("43", "stolen_card", FailureClass::Hard),
    ("46", "closed_account", FailureClass::Hard),
    ("51", "insufficient_funds", FailureClass::InsufficientFunds),
    ("54", "expired_card", FailureClass::Hard),
    ("55", "wrong_pin", FailureClass::AuthenticationRequired),
    ("56", "invalid_card", FailureClass::Hard),
    ("57", "not_permitted", FailureClass::DoNotHonor),
    ("58", "not_permitted", FailureClass::Configuration),
    ("59", "suspected_fraud", FailureClass::SuspectedFraud),
    ("61", "limit_exceeded", FailureClass::InsufficientFunds),
    ("62", "restricted_card", FailureClass::Hard),
    ("63", "security_violation", FailureClass::SuspectedFraud),
    ("64", "amount_not_accepted", FailureClass::Configuration),
    ("65", "limit_exceeded", FailureClass::InsufficientFunds),
    ("75", "wrong_pin", FailureClass::AuthenticationRequired),
    ("76", "reversal_unknown", FailureClass::Generic),
    ("78", "card_not_unlocked", FailureClass::Hard),
    ("82", "security_code", FailureClass::Hard),
    ("83", "security_violation", FailureClass::SuspectedFraud),
    ("91", "issuer_unavailable", FailureClass::IssuerUnavailable),
    ("92", "issuer_unavailable", FailureClass::IssuerUnavailable),
    ("93", "unlawful", FailureClass::Hard),
    ("94", "duplicate", FailureClass::Duplicate),
    ("96", "issuer_unavailable", FailureClass::IssuerUnavailable),
    ("99", "try_again", FailureClass::IssuerUnavailable),
    ("1A", "authentication_required", FailureClass::AuthenticationRequired),
    ("70", "authentication_required", FailureClass::AuthenticationRequired),
    ("AA", "issuer_unavailable", FailureClass::IssuerUnavailable),
    ("AC", "debit_card", FailureClass::Hard),
    ("AE", "issuer_unavailable", FailureClass::IssuerUnavailable),
    ("BL", "limit_exceeded", FailureClass::InsufficientFunds),
    ("BM", "invalid_card", FailureClass::Hard),
    ("FA", "do_not_honor", FailureClass::DoNotHonor),
    ("GA", "suspected_fraud", FailureClass::SuspectedFraud),
    ("N7", "security_code", FailureClass::Hard),
    ("R0", "recurring_stopped", FailureClass::Hard),
    ("R1", "recurring_stopped", FailureClass::Hard),
    ("R3", "recurring_stopped", FailureClass::Hard),
];

/// As the issuer's codes are in the table: `05`, `005` and `5` are one.
pub(crate) fn issuer_code(code: &str) -> &str {
    let cut = code.trim().trim_start_matches('0');
    if cut.is_empty() { "0" } else { cut }
}
