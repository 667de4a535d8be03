//! What is stored, told and asked for by a name has one of its own: a name that two share, or that is none, would be read
//! back as something else.

use crate::attention::AttentionKind;
use crate::bill::{BillStatus, LineKind, Recurs};
use crate::charge::FailureClass;
use crate::customer::CustomerKind;
use crate::dispute::ContestReason;
use crate::event::EventKind;
use crate::exchange::RateSource;
use crate::gateway::MeansType;
use crate::invoice::{Cause, NextAction, Status};
use crate::ledger::{Direction, TransactionKind};
use crate::notice::{Channel, NoticeKind};
use crate::risk::{Decision, FactKind, Verdict};
use crate::service::{Health, TroubleClass};
use crate::webhook_endpoint::NoAnswer;
use std::collections::BTreeSet;

fn are_names(names: &[&str]) -> bool {
    let plain = |name: &&str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'.'))
    };
    names.iter().all(plain) && names.iter().collect::<BTreeSet<_>>().len() == names.len()
}

macro_rules! names_of_all {
    ($($kind:ty)*) => { [$((stringify!($kind), <$kind>::ALL.map(|each| each.as_str()).to_vec())),*] };
}

#[test]
fn each_has_a_name_of_its_own() {
    for (kind, names) in names_of_all!(
        AttentionKind BillStatus LineKind Recurs FailureClass ContestReason EventKind RateSource MeansType Status Direction
        TransactionKind Channel NoticeKind Decision Verdict
    ) {
        assert!(are_names(&names), "{kind}: {names:?}");
    }
}

#[test]
fn what_nobody_lists_has_names_too() {
    let since = crate::Timestamp::UNIX_EPOCH;
    for names in [
        [CustomerKind::Buyer, CustomerKind::Merchant].map(CustomerKind::as_str).to_vec(),
        [FactKind::Integer, FactKind::Text, FactKind::Truth].map(FactKind::as_str).to_vec(),
        [Health::Healthy, Health::Failing { since }, Health::Unknown].map(Health::as_str).to_vec(),
        [TroubleClass::InvocationFailed, TroubleClass::RecordsFailed, TroubleClass::ServerError]
            .map(TroubleClass::as_str)
            .to_vec(),
        [
            NoAnswer::AddressRefused,
            NoAnswer::NameUnknown,
            NoAnswer::Unreachable,
            NoAnswer::TimedOut,
            NoAnswer::Broken,
        ]
        .map(NoAnswer::as_str)
        .to_vec(),
        [NextAction::Charge, NextAction::SendAgain, NextAction::Retry, NextAction::Ask, NextAction::GiveUp]
            .map(NextAction::as_str)
            .to_vec(),
        [Cause::Created, Cause::ChargeSucceeded, Cause::PaidFromWallet, Cause::GaveUp]
            .map(Cause::as_str)
            .to_vec(),
    ] {
        assert!(are_names(&names), "{names:?}");
    }
}

#[test]
fn a_step_that_nobody_asked_for_says_what_it_follows_from() {
    let origins = [Cause::GaveUp, Cause::DisputeLost, Cause::FailedOver].map(Cause::origin);
    assert_eq!(origins, ["schedule", "gateway", "system"]);
}

#[test]
fn classes_of_failures_are_read_back() {
    for class in FailureClass::ALL {
        assert_eq!(FailureClass::parse(class.as_str()), Some(class));
    }
    assert_eq!(FailureClass::parse("hard_decline"), None);
}
