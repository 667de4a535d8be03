//! PayPal's words for a decline, and what can be done about each.
//!
//! Sources: `processor_response.response_code` of `checkout_orders_v2` (PayPal's OpenAPI document; the list is the newer one
//! of its server SDKs, `ProcessorResponseCode`), and the issues of its 422s. Only their names are documented: the classes
//! are our reading. The order is that of the SDKs' list.

use FailureClass::{
    AuthenticationRequired, Configuration, CurrencyMismatch, CustomerNotFound, DoNotHonor, Duplicate,
    Generic, Hard, InsufficientFunds, IssuerUnavailable, SuspectedFraud,
};
use fatura_domain::charge::{Failure, FailureClass};

/// What the card's bank or PayPal's processor said of a capture.
const RESPONSE_CODES: &[(&str, &str, FailureClass)] = &[
    ("0000", "approved", Generic),
    ("00N7", "cvv2_failure_possible_retry_with_cvv", Hard),
    ("0100", "referral", DoNotHonor),
    ("0390", "account_not_found", Hard),
    ("0500", "do_not_honor", DoNotHonor),
    ("0580", "unauthorized_transaction", DoNotHonor),
    ("0800", "bad_response_reversal_required", IssuerUnavailable),
    ("0880", "cryptographic_failure", IssuerUnavailable),
    ("0890", "unacceptable_pin", Hard),
    ("0960", "system_malfunction", IssuerUnavailable),
    ("0R00", "cancelled_payment", Hard),
    ("1000", "partial_authorization", InsufficientFunds),
    ("10BR", "issuer_rejected", DoNotHonor),
    ("1300", "invalid_data_format", Generic),
    ("1310", "invalid_amount", Generic),
    ("1312", "invalid_transaction_card_issuer_acquirer", Generic),
    ("1317", "invalid_capture_date", Generic),
    ("1320", "invalid_currency_code", CurrencyMismatch),
    ("1330", "invalid_account", Hard),
    ("1335", "invalid_account_recurring", Hard),
    ("1340", "invalid_terminal", Configuration),
    ("1350", "invalid_merchant", Configuration),
    ("1352", "restricted_or_inactive_account", Hard),
    ("1360", "bad_processing_code", Configuration),
    ("1370", "invalid_mcc", Configuration),
    ("1380", "invalid_expiration", Hard),
    ("1382", "invalid_card_verification_value", Hard),
    ("1384", "invalid_life_cycle_of_transaction", Generic),
    ("1390", "invalid_order", Generic),
    ("1393", "transaction_cannot_be_completed", DoNotHonor),
    ("5100", "generic_decline", Generic),
    ("5110", "cvv2_failure", Hard),
    ("5120", "insufficient_funds", InsufficientFunds),
    ("5130", "invalid_pin", Hard),
    ("5135", "declined_pin_try_exceeded", Hard),
    ("5140", "card_closed", Hard),
    ("5150", "pickup_card_special_conditions", Hard),
    ("5160", "unauthorized_user", Hard),
    ("5170", "avs_failure", Hard),
    ("5180", "invalid_or_restricted_card", Hard),
    ("5190", "soft_avs", Hard),
    ("5200", "duplicate_transaction", Duplicate),
    ("5210", "invalid_transaction", Generic),
    ("5400", "expired_card", Hard),
    ("5500", "incorrect_pin_reenter", Hard),
    ("5650", "declined_sca_required", AuthenticationRequired),
    ("5700", "transaction_not_permitted", DoNotHonor),
    ("5710", "tx_attempts_exceed_limit", InsufficientFunds),
    ("5800", "reversal_rejected", Generic),
    ("5900", "invalid_issue", Hard),
    ("5910", "issuer_not_available_not_retriable", Hard),
    ("5920", "issuer_not_available_retriable", IssuerUnavailable),
    ("5930", "card_not_activated", Hard),
    ("5950", "declined_due_to_updated_account", Hard),
    ("6300", "account_not_on_file", Hard),
    ("7600", "approved_non_capture", Generic),
    ("7700", "error_3ds", AuthenticationRequired),
    ("7710", "authentication_failed", AuthenticationRequired),
    ("7800", "bin_error", Hard),
    ("7900", "pin_error", Hard),
    ("8000", "processor_system_error", IssuerUnavailable),
    ("8010", "host_key_error", IssuerUnavailable),
    ("8020", "configuration_error", Configuration),
    ("8030", "unsupported_operation", Configuration),
    ("8100", "fatal_communication_error", IssuerUnavailable),
    ("8110", "retriable_communication_error", IssuerUnavailable),
    ("8220", "system_unavailable", IssuerUnavailable),
    ("9100", "declined_please_retry", IssuerUnavailable),
    ("9500", "suspected_fraud", SuspectedFraud),
    ("9510", "security_violation", DoNotHonor),
    ("9520", "lost_or_stolen", Hard),
    ("9530", "hold_call_center", DoNotHonor),
    ("9540", "refused_card", DoNotHonor),
    ("9600", "unrecognized_response_code", Generic),
    ("PCNR", "contingencies_not_resolved", AuthenticationRequired),
    ("PCVV", "cvv_failure", Hard),
    ("PP06", "account_closed", Hard),
    ("PPRN", "reattempt_not_permitted", Hard),
    ("PPAD", "billing_address", Hard),
    ("PPAB", "account_blocked_by_issuer", Hard),
    ("PPAE", "amex_disabled", Hard),
    ("PPAG", "adult_gaming_unsupported", Configuration),
    ("PPAI", "amount_incompatible", Generic),
    ("PPAR", "auth_result", Generic),
    ("PPAU", "mcc_code", Configuration),
    ("PPAV", "arc_avs", Hard),
    ("PPAX", "amount_exceeded", InsufficientFunds),
    ("PPBG", "bad_gaming", Configuration),
    ("PPC2", "arc_cvv", Hard),
    ("PPCE", "ce_registration_incomplete", Configuration),
    ("PPCO", "country", Configuration),
    ("PPCR", "credit_error", Generic),
    ("PPCT", "card_type_unsupported", Hard),
    ("PPCU", "currency_used_invalid", CurrencyMismatch),
    ("PPD3", "secure_error_3ds", AuthenticationRequired),
    ("PPDC", "dcc_unsupported", Configuration),
    ("PPDI", "diners_reject", Generic),
    ("PPDV", "auth_message", Generic),
    ("PPDT", "decline_threshold_breach", Hard),
    ("PPEF", "expired_funding_instrument", Hard),
    ("PPEL", "exceeds_frequency_limit", InsufficientFunds),
    ("PPER", "internal_system_error", IssuerUnavailable),
    ("PPEX", "expiry_date", Hard),
    ("PPFE", "funding_source_already_exists", Generic),
    ("PPFI", "invalid_funding_instrument", Hard),
    ("PPFR", "restricted_funding_instrument", Hard),
    ("PPFV", "field_validation_failed", Configuration),
    ("PPGR", "gaming_refund_error", Generic),
    ("PPH1", "h1_error", Generic),
    ("PPIF", "idempotency_failure", Duplicate),
    ("PPII", "invalid_input_failure", Configuration),
    ("PPIM", "id_mismatch", Generic),
    ("PPIT", "invalid_trace_id", Configuration),
    ("PPLR", "late_reversal", Generic),
    ("PPLS", "large_status_code", Generic),
    ("PPMB", "missing_business_rule_or_data", Configuration),
    ("PPMC", "blocked_mastercard", Hard),
    ("PPMD", "deprecated", Generic),
    ("PPNC", "not_supported_nrc", Configuration),
    ("PPNL", "exceeds_network_frequency_limit", Hard),
    ("PPNM", "no_mid_found", Configuration),
    ("PPNT", "network_error", IssuerUnavailable),
    ("PPPH", "no_phone_for_dcc_transaction", Configuration),
    ("PPPI", "invalid_product", Configuration),
    ("PPPM", "invalid_payment_method", Hard),
    ("PPQC", "quasi_cash_unsupported", Configuration),
    ("PPRE", "unsupport_refund_on_pending_bc", Generic),
    ("PPRF", "invalid_parent_transaction_status", Generic),
    ("PPRR", "merchant_not_registered", Configuration),
    ("PPS0", "bankauth_row_mismatch", Generic),
    ("PPS1", "bankauth_row_settled", Generic),
    ("PPS2", "bankauth_row_voided", Generic),
    ("PPS3", "bankauth_expired", Generic),
    ("PPS4", "currency_mismatch", CurrencyMismatch),
    ("PPS5", "creditcard_mismatch", Generic),
    ("PPS6", "amount_mismatch", Generic),
    ("PPSC", "arc_score", SuspectedFraud),
    ("PPSD", "status_description", Generic),
    ("PPSE", "amex_denied", DoNotHonor),
    ("PPTE", "verification_token_expired", Hard),
    ("PPTF", "invalid_trace_reference", Configuration),
    ("PPTI", "invalid_transaction_id", Configuration),
    ("PPTR", "verification_token_revoked", Hard),
    ("PPTT", "transaction_type_unsupported", Configuration),
    ("PPTV", "invalid_verification_token", Hard),
    ("PPUA", "user_not_authorized", Configuration),
    ("PPUC", "currency_code_unsupported", CurrencyMismatch),
    ("PPUE", "unsupport_entity", Configuration),
    ("PPUI", "unsupport_installment", Configuration),
    ("PPUP", "unsupport_pos_flag", Configuration),
    ("PPUR", "unsupported_reversal", Generic),
    ("PPVC", "validate_currency", CurrencyMismatch),
    ("PPVE", "validation_error", Configuration),
    ("PPVT", "virtual_terminal_unsupported", Configuration),
];

/// The order was read and refused for what it is to be paid with. Other issues of a 422 are faults of the order or of the
/// account.
const ISSUES: &[(&str, &str, FailureClass)] = &[
    ("INSTRUMENT_DECLINED", "instrument_declined", Generic),
    ("CARD_EXPIRED", "card_expired", Hard),
    ("REFERENCED_CARD_EXPIRED", "referenced_card_expired", Hard),
    ("CARD_CLOSED", "card_closed", Hard),
    ("CARD_BRAND_NOT_SUPPORTED", "card_brand_not_supported", Hard),
    ("CARD_TYPE_NOT_SUPPORTED", "card_type_not_supported", Hard),
    ("BILLING_ADDRESS_INVALID", "billing_address_invalid", Hard),
    ("INVALID_SECURITY_CODE", "invalid_security_code", Hard),
    ("DOMESTIC_TRANSACTION_REQUIRED", "domestic_transaction_required", Hard),
    ("REDIRECT_PAYER_FOR_ALTERNATE_FUNDING", "redirect_payer_for_alternate_funding", Hard),
    ("AGREEMENT_ALREADY_CANCELLED", "agreement_already_cancelled", Hard),
    ("PAYER_ACCOUNT_LOCKED_OR_CLOSED", "payer_account_locked_or_closed", Hard),
    ("PAYER_ACCOUNT_RESTRICTED", "payer_account_restricted", Hard),
    ("PAYER_CANNOT_PAY", "payer_cannot_pay", DoNotHonor),
    ("TRANSACTION_REFUSED", "transaction_refused", DoNotHonor),
    ("MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED", "max_number_of_payment_attempts_exceeded", DoNotHonor),
    ("TRANSACTION_LIMIT_EXCEEDED", "transaction_limit_exceeded", InsufficientFunds),
    ("PAYER_ACTION_REQUIRED", "payer_action_required", AuthenticationRequired),
    ("COMPLIANCE_VIOLATION", "compliance_violation", SuspectedFraud),
    ("PAYEE_BLOCKED_TRANSACTION", "payee_blocked_transaction", SuspectedFraud),
    ("TRANSACTION_BLOCKED_BY_PAYEE", "transaction_blocked_by_payee", SuspectedFraud),
    (
        "PREVIOUS_TRANSACTION_REFERENCE_HAS_CHARGEBACK",
        "previous_transaction_reference_has_chargeback",
        SuspectedFraud,
    ),
    ("CURRENCY_NOT_SUPPORTED", "currency_not_supported", CurrencyMismatch),
    ("CURRENCY_NOT_SUPPORTED_FOR_CARD_BRAND", "currency_not_supported_for_card_brand", CurrencyMismatch),
    ("CURRENCY_NOT_SUPPORTED_FOR_CARD_TYPE", "currency_not_supported_for_card_type", CurrencyMismatch),
    ("CURRENCY_NOT_SUPPORTED_FOR_COUNTRY", "currency_not_supported_for_country", CurrencyMismatch),
    ("INVALID_CURRENCY_CODE", "invalid_currency_code", CurrencyMismatch),
    ("TOKEN_ID_NOT_FOUND", "token_id_not_found", CustomerNotFound),
    ("BILLING_AGREEMENT_NOT_FOUND", "billing_agreement_not_found", CustomerNotFound),
];

/// The same order has been here before, or is under way: it may have charged. `DUPLICATE_REQUEST_ID` is in older versions
/// of the document, the two about requests are from memory.
const SEEN_BEFORE: &[&str] = &[
    "DUPLICATE_INVOICE_ID",
    "DUPLICATE_REQUEST_ID",
    "ORDER_ALREADY_CAPTURED",
    "ORDER_ALREADY_COMPLETED",
    "ORDER_COMPLETION_IN_PROGRESS",
    "PAYPAL_REQUEST_ID_REUSED",
    "PREVIOUS_REQUEST_IN_PROGRESS",
    "RESOURCE_CONFLICT",
];

pub(super) fn is_seen_before<'a>(mut words: impl Iterator<Item = &'a str>) -> bool {
    words.any(|word| SEEN_BEFORE.contains(&word))
}

/// None: no issue with what it is to be paid with.
pub(super) fn of_issues<'a>(words: impl Iterator<Item = &'a str>) -> Option<Failure> {
    let (raw, code, class) =
        words.filter_map(|word| ISSUES.iter().find(|(known, ..)| *known == word)).copied().next()?;
    Some(Failure::new(class, code, "declined by the gateway").with_raw_code(raw))
}

/// What a declined capture failed of.
pub(super) fn of_processor(response_code: Option<&str>, advice: Option<&str>) -> Failure {
    let known = response_code.and_then(|raw| RESPONSE_CODES.iter().find(|(known, ..)| *known == raw));
    let (code, class) = known.map_or(("declined", Generic), |&(_, code, class)| (code, class));
    let class = if may_be_tried_again(class) && is_final(class, advice) { Hard } else { class };
    let failure = Failure::new(class, code, "the card's bank or processor declined");
    match response_code {
        Some(raw) => failure.with_raw_code(raw),
        None => failure,
    }
}

/// The card network's own advice (`payment_advice_code`): 01 new account data, 03 and 21 stop for good. 02 means one thing
/// for each network and the answer doesn't say whose it is: with too little money Mastercard's (later), else Visa's (never
/// again).
fn is_final(class: FailureClass, advice: Option<&str>) -> bool {
    match advice {
        Some("01" | "03" | "21") => true,
        Some("02") => class != InsufficientFunds,
        _ => false,
    }
}

const fn may_be_tried_again(class: FailureClass) -> bool {
    matches!(class, DoNotHonor | Generic | InsufficientFunds | IssuerUnavailable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_code_is_there_once() {
        for table in [RESPONSE_CODES, ISSUES] {
            let codes: BTreeSet<_> = table.iter().map(|(raw, ..)| raw).collect();
            assert_eq!(codes.len(), table.len());
        }
        assert!(ISSUES.iter().all(|(raw, ..)| !SEEN_BEFORE.contains(raw)));
    }

    #[test]
    fn the_networks_advice_can_only_make_it_worse() {
        for (raw, advice, class, code) in [
            (Some("0500"), None, DoNotHonor, "do_not_honor"),
            (Some("0500"), Some("01"), Hard, "do_not_honor"),
            (Some("0500"), Some("02"), Hard, "do_not_honor"),
            (Some("0500"), Some("03"), Hard, "do_not_honor"),
            (Some("0500"), Some("21"), Hard, "do_not_honor"),
            (Some("0500"), Some("99"), DoNotHonor, "do_not_honor"),
            (Some("5120"), Some("02"), InsufficientFunds, "insufficient_funds"),
            (Some("5120"), Some("21"), Hard, "insufficient_funds"),
            (Some("9500"), Some("21"), SuspectedFraud, "suspected_fraud"),
            (Some("8020"), Some("03"), Configuration, "configuration_error"),
            (Some("XXXX"), None, Generic, "declined"),
            (None, None, Generic, "declined"),
        ] {
            let failure = of_processor(raw, advice);
            assert_eq!((failure.class, failure.code.as_str()), (class, code), "{raw:?} {advice:?}");
            assert_eq!(failure.raw_code.as_deref(), raw);
        }
    }
}
