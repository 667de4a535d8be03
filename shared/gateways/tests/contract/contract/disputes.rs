//! The cardholder's case, as the gateway tells of it.

use super::charging::{approved, keeps_secrets};
use crate::bench::{Bench, Wanted, by_ours, request};
use fatura_application::ports::ChargeLookup;
use fatura_domain::charge::FailureClass;
use fatura_domain::gateway::{
    ChargeRequest, DisputeOutcome, DisputeStanding, DisputeVerdict, GatewayReference,
};

pub(crate) async fn a_charge_is_undisputed_until_its_holder_goes_to_the_bank(bench: &dyn Bench) {
    let (gateway, order) = (bench.gateway(), request(bench.means(Wanted::Approval)));
    let reference = approved(&gateway.charge(&order).await, &order);
    let lookups = [by_ours(&order), ChargeLookup { reference: Some(reference.clone()), ..by_ours(&order) }];
    for lookup in &lookups {
        assert_eq!(gateway.fetch_dispute(lookup).await, UNDISPUTED);
    }
    let mut case = None;
    for verdict in [DisputeVerdict::Open, DisputeVerdict::Won] {
        bench.dispute(&reference, verdict).await;
        for lookup in &lookups {
            let standing = disputed(gateway.fetch_dispute(lookup).await, &order);
            assert_eq!(standing.status, verdict);
            assert_eq!(*case.get_or_insert(standing.reference.clone()), standing.reference, "one case");
        }
    }
}

pub(crate) async fn a_lost_dispute_is_lost(bench: &dyn Bench) {
    let (gateway, order) = (bench.gateway(), request(bench.means(Wanted::Approval)));
    let reference = approved(&gateway.charge(&order).await, &order);
    bench.dispute(&reference, DisputeVerdict::Lost).await;
    let standing = disputed(gateway.fetch_dispute(&by_ours(&order)).await, &order);
    assert_eq!(standing.status, DisputeVerdict::Lost);
    // Nobody else's.
    let other = request(bench.means(Wanted::Approval));
    approved(&gateway.charge(&other).await, &other);
    assert_eq!(gateway.fetch_dispute(&by_ours(&other)).await, UNDISPUTED);
    // Under another charge's id, it is not ours to believe.
    let mixed = ChargeLookup { reference: Some(reference), ..by_ours(&other) };
    assert_eq!(unclear(&gateway.fetch_dispute(&mixed).await), "reference_mismatch");
}

pub(crate) async fn what_was_never_charged_is_not_there(bench: &dyn Bench) {
    let (gateway, order) = (bench.gateway(), request(bench.means(Wanted::Approval)));
    let wrong =
        |id: &str| ChargeLookup { reference: Some(GatewayReference(id.to_owned())), ..by_ours(&order) };
    for lookup in [by_ours(&order), wrong("ch_unheard_of"), wrong("../charges"), wrong("")] {
        assert_eq!(gateway.fetch_dispute(&lookup).await, DisputeOutcome::Uncharged, "{lookup:?}");
    }
    // A wrong id doesn't hide the case that our own reference finds.
    let reference = approved(&gateway.charge(&order).await, &order);
    bench.dispute(&reference, DisputeVerdict::Open).await;
    disputed(gateway.fetch_dispute(&wrong("ch_unheard_of")).await, &order);
}

pub(crate) async fn a_dispute_leaves_the_charge_as_it_is(bench: &dyn Bench) {
    let (gateway, order) = (bench.gateway(), request(bench.means(Wanted::Approval)));
    let charged = gateway.charge(&order).await;
    for verdict in [DisputeVerdict::Open, DisputeVerdict::Lost] {
        bench.dispute(&approved(&charged, &order), verdict).await;
        assert_eq!(gateway.fetch_charge(&by_ours(&order)).await, charged, "{verdict:?}");
    }
}

/// There is no case about the charge.
pub(crate) const UNDISPUTED: DisputeOutcome = DisputeOutcome::Told(Vec::new());

/// The only case that the gateway tells of.
pub(crate) fn only(outcome: DisputeOutcome) -> DisputeStanding {
    let DisputeOutcome::Told(told) = outcome else { panic!("{outcome:?}") };
    let [standing] = <[_; 1]>::try_from(told).unwrap();
    standing
}

/// A case about the whole charge, whether or not the gateway says how much that is.
fn disputed(outcome: DisputeOutcome, order: &ChargeRequest) -> DisputeStanding {
    keeps_secrets(&outcome);
    let standing = only(outcome);
    assert_eq!(standing.amount.unwrap_or(order.amount), order.amount);
    assert!(!standing.reference.0.is_empty());
    standing
}

/// The code of an outcome that leaves the question open, and that tells nothing it shouldn't.
pub(crate) fn unclear(outcome: &DisputeOutcome) -> &str {
    let DisputeOutcome::Unclear { failure } = outcome else { panic!("{outcome:?}") };
    assert_eq!(failure.class, FailureClass::Unknown);
    keeps_secrets(outcome);
    &failure.code
}
