//! Why a charge was declined: the `LR`. Mostly the issuers' own codes, as at every Brazilian acquirer; K that Iugu's are
//! these, but for the first rows, which a copy of its help page has (T), and the antifraud's (K).

use crate::brazil::declines::{Decline, ISSUER_CODES, failure, issuer_code};
use fatura_domain::charge::{Failure, FailureClass};

const OF_IUGU: &[Decline] = &[
    ("1", "suspected_fraud", FailureClass::SuspectedFraud),
    ("2", "suspected_fraud", FailureClass::SuspectedFraud),
    ("3", "merchant_not_accepted", FailureClass::Configuration),
    ("4", "card_to_be_retained", FailureClass::Hard),
    ("AF01", "suspected_fraud", FailureClass::SuspectedFraud),
    ("AF02", "suspected_fraud", FailureClass::SuspectedFraud),
    ("AF03", "suspected_fraud", FailureClass::SuspectedFraud),
];

pub(super) fn of_lr(lr: Option<&str>, message: Option<&str>) -> Failure {
    let code = lr.map(issuer_code);
    let is_own = OF_IUGU.iter().any(|(own, ..)| Some(*own) == code);
    let told = failure(if is_own { OF_IUGU } else { ISSUER_CODES }, code, message);
    // As it was written.
    lr.map_or(told.clone(), |raw| told.with_raw_code(raw))
}
