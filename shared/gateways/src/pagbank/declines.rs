//! Why a charge was declined: `payment_response.code`. Source: PagBank's «motivos de compra negada», which follows ABECS's
//! Normativo 21. 10001 to 10004, 20000 and 20017 were read there (D); the rest in a copy of that table which names it as
//! its source (T). A row that stands for several of the network's reasons has the one that does least harm.

use crate::brazil::declines::Decline;
use fatura_domain::charge::FailureClass;

pub(super) const DECLINES: &[Decline] = &[
    ("10000", "suspected_fraud", FailureClass::SuspectedFraud),
    ("10001", "too_many_attempts", FailureClass::Hard),
    ("10002", "do_not_honor", FailureClass::DoNotHonor),
    ("10003", "invalid_transaction", FailureClass::Configuration),
    ("10004", "not_permitted", FailureClass::Hard),
    ("20001", "do_not_honor", FailureClass::DoNotHonor),
    ("20003", "insufficient_funds", FailureClass::InsufficientFunds),
    ("20007", "invalid_card", FailureClass::Hard),
    ("20008", "installments", FailureClass::Configuration),
    ("20012", "amount_not_accepted", FailureClass::Configuration),
    ("20017", "not_permitted", FailureClass::Hard),
    ("20018", "do_not_retry", FailureClass::Hard),
    ("20019", "issuer_unavailable", FailureClass::IssuerUnavailable),
    ("20039", "not_permitted", FailureClass::Hard),
    ("20101", "wrong_pin", FailureClass::AuthenticationRequired),
    ("20102", "wrong_pin", FailureClass::AuthenticationRequired),
    ("20103", "wrong_pin", FailureClass::AuthenticationRequired),
    ("20104", "limit_exceeded", FailureClass::InsufficientFunds),
    ("20105", "limit_exceeded", FailureClass::InsufficientFunds),
    ("20110", "closed_account", FailureClass::Hard),
    ("20111", "closed_account", FailureClass::Hard),
    ("20112", "amount_not_accepted", FailureClass::Configuration),
    ("20113", "card_not_accepted", FailureClass::Hard),
    ("20114", "debit_card", FailureClass::Hard),
    ("20115", "not_permitted", FailureClass::Hard),
    ("20116", "invalid_card", FailureClass::Hard),
    ("20117", "card_error", FailureClass::Hard),
    ("20118", "recurring_stopped", FailureClass::Hard),
    ("20119", "try_again", FailureClass::IssuerUnavailable),
    ("20158", "do_not_honor", FailureClass::DoNotHonor),
    ("20159", "authentication_required", FailureClass::AuthenticationRequired),
    ("20301", "card_not_unlocked", FailureClass::Hard),
    ("20999", "declined", FailureClass::Generic),
];
