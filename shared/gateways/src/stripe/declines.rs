//! Stripe's words for a decline, and what can be done about each.
//!
//! Sources: docs.stripe.com/declines/codes ("Card decline codes") and docs.stripe.com/error-codes for those below the
//! line; the classes are our reading of the "next steps" there.

use super::wire::Blame;
use fatura_domain::charge::{Failure, FailureClass};

const DECLINES: &[(&str, FailureClass)] = &[
    ("authentication_required", FailureClass::AuthenticationRequired),
    ("authentication_not_handled", FailureClass::AuthenticationRequired),
    ("approve_with_id", FailureClass::Generic),
    ("call_issuer", FailureClass::DoNotHonor),
    ("card_not_supported", FailureClass::Hard),
    // The limit of the card, not of the merchant.
    ("card_velocity_exceeded", FailureClass::InsufficientFunds),
    ("currency_not_supported", FailureClass::CurrencyMismatch),
    ("do_not_honor", FailureClass::DoNotHonor),
    ("do_not_try_again", FailureClass::Hard),
    ("duplicate_transaction", FailureClass::Duplicate),
    ("expired_card", FailureClass::Hard),
    ("fraudulent", FailureClass::SuspectedFraud),
    ("generic_decline", FailureClass::Generic),
    ("incorrect_address", FailureClass::Hard),
    ("incorrect_cvc", FailureClass::Hard),
    ("incorrect_number", FailureClass::Hard),
    ("incorrect_pin", FailureClass::Hard),
    ("incorrect_zip", FailureClass::Hard),
    ("insufficient_funds", FailureClass::InsufficientFunds),
    ("invalid_account", FailureClass::Hard),
    ("invalid_amount", FailureClass::Generic),
    ("invalid_cvc", FailureClass::Hard),
    ("invalid_expiry_month", FailureClass::Hard),
    ("invalid_expiry_year", FailureClass::Hard),
    ("invalid_number", FailureClass::Hard),
    ("invalid_pin", FailureClass::Hard),
    ("issuer_not_available", FailureClass::IssuerUnavailable),
    ("lost_card", FailureClass::Hard),
    ("merchant_blacklist", FailureClass::SuspectedFraud),
    ("mobile_device_authentication_required", FailureClass::AuthenticationRequired),
    ("new_account_information_available", FailureClass::Hard),
    ("no_action_taken", FailureClass::DoNotHonor),
    ("not_permitted", FailureClass::DoNotHonor),
    ("offline_pin_required", FailureClass::AuthenticationRequired),
    ("online_or_offline_pin_required", FailureClass::AuthenticationRequired),
    ("pickup_card", FailureClass::Hard),
    ("pin_try_exceeded", FailureClass::Hard),
    ("processing_error", FailureClass::IssuerUnavailable),
    ("reenter_transaction", FailureClass::IssuerUnavailable),
    ("restricted_card", FailureClass::Hard),
    // The cardholder has taken the permission back: charging on would break the networks' rules.
    ("revocation_of_all_authorizations", FailureClass::Hard),
    ("revocation_of_authorization", FailureClass::Hard),
    ("security_violation", FailureClass::DoNotHonor),
    ("service_not_allowed", FailureClass::DoNotHonor),
    ("stolen_card", FailureClass::Hard),
    ("stop_payment_order", FailureClass::Hard),
    // A test card with a live key.
    ("testmode_decline", FailureClass::Configuration),
    ("transaction_not_allowed", FailureClass::DoNotHonor),
    ("try_again_later", FailureClass::IssuerUnavailable),
    ("withdrawal_count_limit_exceeded", FailureClass::InsufficientFunds),
    // ---- error codes that come without a decline code ----
    ("card_declined", FailureClass::Generic),
    ("card_decline_rate_limit_exceeded", FailureClass::DoNotHonor),
    ("payment_intent_authentication_failure", FailureClass::AuthenticationRequired),
    ("payment_intent_payment_attempt_failed", FailureClass::Generic),
    ("payment_method_customer_decline", FailureClass::DoNotHonor),
    ("payment_method_provider_decline", FailureClass::Generic),
    ("payment_method_provider_timeout", FailureClass::IssuerUnavailable),
    ("payment_method_not_available", FailureClass::IssuerUnavailable),
    ("payment_method_currency_mismatch", FailureClass::CurrencyMismatch),
];

/// The error code of a payment that nobody made in time: no decline.
pub(super) const EXPIRED: &str = "payment_intent_payment_attempt_expired";

/// What a declined attempt failed of. `is_blocked`: Stripe itself stopped it before it reached the bank.
pub(super) fn failure(blame: &Blame, is_blocked: bool) -> Failure {
    let raw_code = blame.decline_code.as_ref().or(blame.code.as_ref());
    let known = raw_code.and_then(|raw| DECLINES.iter().find(|(known, _)| known == raw)).copied();
    let (code, class) = known.unwrap_or(("declined", FailureClass::Generic));
    let class = match class {
        FailureClass::Generic if is_blocked => FailureClass::SuspectedFraud,
        class if may_be_tried_again(class) && blame.advice_code.as_deref() == Some("do_not_try_again") => {
            FailureClass::Hard
        }
        class => class,
    };
    let message = blame.message.as_deref().unwrap_or("declined without a reason");
    let failure = Failure::new(class, code, message);
    match raw_code {
        Some(raw) => failure.with_raw_code(raw),
        None => failure,
    }
}

/// Where the card network's own advice (`advice_code`, docs.stripe.com/declines/card) can make it worse.
fn may_be_tried_again(class: FailureClass) -> bool {
    use FailureClass::{DoNotHonor, Generic, InsufficientFunds, IssuerUnavailable};
    matches!(class, DoNotHonor | Generic | InsufficientFunds | IssuerUnavailable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_code_is_there_once() {
        let codes: BTreeSet<_> = DECLINES.iter().map(|(code, _)| code).collect();
        assert_eq!(codes.len(), DECLINES.len());
    }

    #[test]
    fn the_decline_code_says_more_than_the_error_code() {
        let blame = |code: &str, decline_code: Option<&str>, advice: Option<&str>| Blame {
            code: Some(code.to_owned()),
            decline_code: decline_code.map(str::to_owned),
            advice_code: advice.map(str::to_owned),
            message: None,
        };
        for (blame, is_blocked, class, code, raw_code) in [
            (
                blame("card_declined", Some("lost_card"), None),
                false,
                FailureClass::Hard,
                "lost_card",
                "lost_card",
            ),
            (blame("expired_card", None, None), false, FailureClass::Hard, "expired_card", "expired_card"),
            (blame("card_declined", Some("moon"), None), false, FailureClass::Generic, "declined", "moon"),
            (
                blame("card_declined", Some("generic_decline"), None),
                true,
                FailureClass::SuspectedFraud,
                "generic_decline",
                "generic_decline",
            ),
            (
                blame("card_declined", Some("do_not_honor"), Some("do_not_try_again")),
                false,
                FailureClass::Hard,
                "do_not_honor",
                "do_not_honor",
            ),
            (
                blame("card_declined", Some("fraudulent"), Some("do_not_try_again")),
                false,
                FailureClass::SuspectedFraud,
                "fraudulent",
                "fraudulent",
            ),
            (
                blame("card_declined", Some("do_not_honor"), Some("try_again_later")),
                false,
                FailureClass::DoNotHonor,
                "do_not_honor",
                "do_not_honor",
            ),
        ] {
            let failure = failure(&blame, is_blocked);
            assert_eq!((failure.class, failure.code.as_str()), (class, code));
            assert_eq!(failure.raw_code.as_deref(), Some(raw_code));
        }
    }
}
