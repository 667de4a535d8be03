//! Questions and refunds. Whatever goes wrong with one, nothing follows from it.

use super::{Common, forgotten, troubles};
use crate::bench::by_ours;
use crate::brazil::{Told, refund_of, theirs};
use crate::contract::charging::{keeps_secrets, unknown};
use crate::contract::disputes::unclear;
use crate::scripted::{Act, Deserted, Scripted};
use fatura_application::ports::{ChargeLookup, Gateway, SecretsError};
use fatura_domain::charge::FailureClass;
use fatura_domain::gateway::{ChargeOutcome, DisputeOutcome, MeansType, RefundOutcome};
use fatura_domain::{SignedDuration, Timestamp};
use fatura_gateways::Timeouts;
use std::collections::BTreeSet;
use std::sync::Arc;

pub(super) async fn a_question_that_fails_says_nothing(common: &Common) {
    for act in troubles() {
        let server = Scripted::always(act).await;
        asks_in_vain(common, &*common.at(&server.url)).await;
    }
    let server = Scripted::always(Act::Silence).await;
    asks_in_vain(common, &*common.impatient_at(&server.url)).await;
    let gone = Deserted::new();
    // That the question couldn't be asked says nothing about an order that was sent before.
    asks_in_vain(common, &*common.at(&gone.url)).await;
}

pub(super) async fn a_refund_that_fails_is_unclear(common: &Common) {
    for act in troubles() {
        let server = Scripted::always(act).await;
        gives_back_in_vain(common, &*common.at(&server.url)).await;
    }
    let server = Scripted::always(Act::Silence).await;
    gives_back_in_vain(common, &*common.impatient_at(&server.url)).await;
    let gone = Deserted::new();
    gives_back_in_vain(common, &*common.at(&gone.url)).await;
}

pub(super) async fn without_secrets_nothing_is_asked(common: &Common) {
    let server = Scripted::always(Act::Reset).await;
    let throttled = Arc::new(Told(Err(SecretsError("throttled".to_owned()))));
    for secrets in forgotten().into_iter().chain([throttled as _]) {
        let gateway = common.gateway(&server.url, Timeouts::default(), secrets);
        asks_in_vain(common, &*gateway).await;
        gives_back_in_vain(common, &*gateway).await;
    }
    assert_eq!(server.unseen(), 0);
}

pub(super) async fn what_it_says_of_itself_makes_sense(common: &Common) {
    let gateway = common.at("http://127.0.0.1:1");
    let told = gateway.capabilities();
    let distinct: BTreeSet<MeansType> = told.means.iter().copied().collect();
    assert!(!told.means.is_empty() && distinct.len() == told.means.len());
    assert!(told.means.contains(&common.order().means.kind()));
    assert!(
        told.partial_refund.iter().all(|means| told.means.contains(means)),
        "what it takes it gives back"
    );
    assert!(told.idempotency_key_lifetime >= SignedDuration::ZERO);
    // One of the two has to keep an order from being sent twice.
    assert!(told.looks_up_by_reference || told.idempotency_key_lifetime > SignedDuration::ZERO);
    assert_eq!(common.key.is_some(), told.idempotency_key_lifetime > SignedDuration::ZERO);
}

async fn asks_in_vain(common: &Common, gateway: &dyn Gateway) {
    let order = common.order();
    let (ours, theirs) = (by_ours(&order), theirs(&order, common.reference));
    let (now, refund) = (Timestamp::now(), refund_of(common.reference, 5_005));
    // All at once: some are to wait in vain.
    let (by_ours, by_theirs, movements, given_back) = tokio::join!(
        asked(gateway, &ours),
        asked(gateway, &theirs),
        gateway.movements(now, now, None),
        gateway.fetch_refund(&refund),
    );
    for (charge, canceled, dispute) in [by_ours, by_theirs] {
        unknown(&charge);
        unknown(&canceled);
        unclear(&dispute);
    }
    keeps_secrets(&movements.unwrap_err());
    still_unclear(given_back.as_ref());
}

async fn asked(
    gateway: &dyn Gateway,
    lookup: &ChargeLookup,
) -> (ChargeOutcome, ChargeOutcome, DisputeOutcome) {
    tokio::join!(gateway.fetch_charge(lookup), gateway.cancel(lookup), gateway.fetch_dispute(lookup))
}

async fn gives_back_in_vain(common: &Common, gateway: &dyn Gateway) {
    still_unclear(Some(&gateway.refund(&refund_of(common.reference, 5_005)).await));
}

fn still_unclear(outcome: Option<&RefundOutcome>) {
    let Some(RefundOutcome::Unclear { failure }) = outcome else { panic!("{outcome:?}") };
    assert_eq!(failure.class, FailureClass::Unknown);
    keeps_secrets(failure);
}
