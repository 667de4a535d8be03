//! Why a payment was rejected. Source: the tables of `status_detail` in Mercado Pago's developer site, «payment creation
//! results» and «reasons for rejection» (D); what those leave out and integrators report is marked K.

use crate::brazil::declines::Decline;
use fatura_domain::charge::FailureClass;

pub(super) const DECLINES: &[Decline] = &[
    ("cc_rejected_insufficient_amount", "insufficient_funds", FailureClass::InsufficientFunds),
    ("cc_amount_rate_limit_exceeded", "limit_exceeded", FailureClass::InsufficientFunds), // K
    ("cc_rejected_high_risk", "suspected_fraud", FailureClass::SuspectedFraud),
    ("cc_rejected_blacklist", "suspected_fraud", FailureClass::SuspectedFraud),
    ("cc_rejected_fraud", "suspected_fraud", FailureClass::SuspectedFraud), // K
    ("rejected_high_risk", "suspected_fraud", FailureClass::SuspectedFraud), // K
    ("cc_rejected_call_for_authorize", "authentication_required", FailureClass::AuthenticationRequired),
    ("cc_rejected_3ds_mandatory", "authentication_required", FailureClass::AuthenticationRequired),
    ("cc_rejected_3ds_challenge", "authentication_required", FailureClass::AuthenticationRequired), // K
    ("cc_rejected_bad_filled_card_number", "invalid_card", FailureClass::Hard),
    ("cc_rejected_bad_filled_date", "expired_card", FailureClass::Hard),
    ("cc_rejected_bad_filled_other", "invalid_card", FailureClass::Hard),
    ("cc_rejected_bad_filled_security_code", "security_code", FailureClass::Hard),
    ("cc_rejected_card_disabled", "card_disabled", FailureClass::Hard),
    ("cc_rejected_card_type_not_allowed", "card_not_accepted", FailureClass::Hard), // K
    ("cc_rejected_max_attempts", "too_many_attempts", FailureClass::Hard),
    ("cc_rejected_invalid_installments", "installments", FailureClass::Configuration),
    ("cc_rejected_duplicated_payment", "duplicate", FailureClass::Duplicate),
    ("cc_rejected_card_error", "declined", FailureClass::Generic),
    ("cc_rejected_other_reason", "declined", FailureClass::Generic),
    ("cc_rejected_time_out", "issuer_unavailable", FailureClass::IssuerUnavailable), // K
    ("bank_error", "issuer_unavailable", FailureClass::IssuerUnavailable),
    ("rejected_by_bank", "do_not_honor", FailureClass::DoNotHonor), // K
];
