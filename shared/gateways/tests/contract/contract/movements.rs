//! The gateway's books, for those who compare them with ours.

use super::charging::approved;
use crate::bench::{Bench, Wanted, request};
use fatura_application::ports::Gateway;
use fatura_domain::gateway::{Movement, MovementKind, RefundOutcome, RefundRequest};
use fatura_domain::id::RefundId;
use fatura_domain::money::{Currency, Money};
use fatura_domain::{SignedDuration, Timestamp};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// Enough for pages of any gateway's that a test can afford to fill, also where they are cut by the second and the machine
/// is busy.
const PAGES: usize = 200;

pub(crate) async fn what_was_captured_and_given_back_is_told_page_by_page(bench: &dyn Bench) {
    let gateway = bench.gateway();
    let mut expected = Vec::new();
    for number in 0..105 {
        let order = request(bench.means(Wanted::Approval));
        let charge = approved(&gateway.charge(&order).await, &order);
        expected.push((
            MovementKind::Capture,
            charge.clone(),
            charge.clone(),
            order.attempt.to_string(),
            12_345,
        ));
        if number < 2 {
            let refund = RefundId::new(order.invoice().owner(), Timestamp::now(), number);
            let amount = Money::try_new(345, Currency::BRL).unwrap();
            let given = gateway.refund(&RefundRequest { refund, charge: charge.clone(), amount }).await;
            let RefundOutcome::Succeeded { reference, .. } = given else { panic!("{given:?}") };
            expected.push((MovementKind::Refund, reference, charge, refund.to_string(), 345));
        }
    }
    // Neither moved any money.
    let (means, ..) = bench.declines().remove(0);
    gateway.charge(&request(means)).await;
    gateway.charge(&request(bench.means(Wanted::Pix))).await;

    let told = all(&*gateway).await;
    assert!(told.is_sorted_by_key(|movement| movement.at), "oldest first");
    let place = |kind| told.iter().position(|movement| movement.kind == kind).unwrap();
    assert!(place(MovementKind::Capture) < place(MovementKind::Refund));
    let mut told: Vec<_> = told
        .into_iter()
        .map(|movement| {
            assert_eq!(movement.amount.currency(), Currency::BRL);
            let Movement { kind, reference, charge, ours, amount, .. } = movement;
            (kind, reference, charge, ours, amount.minor())
        })
        .collect();
    // In what order those of one moment come is the gateway's business.
    told.sort_by(|one, other| one.3.cmp(&other.3));
    expected.sort_by(|one, other| one.3.cmp(&other.3));
    assert_eq!(told, expected);
}

pub(crate) async fn the_window_begins_with_from_and_ends_before_to(bench: &dyn Bench) {
    let (gateway, order) = (bench.gateway(), request(bench.means(Wanted::Approval)));
    approved(&gateway.charge(&order).await, &order);
    let told = all(&*gateway).await;
    let [Movement { at, .. }] = told[..] else { panic!("{told:?}") };
    let tick = SignedDuration::from_nanos(1);
    for (from, to, expected) in [
        (at, at + tick, 1),
        (at - tick, at + HOUR, 1),
        (at + tick, at + HOUR, 0),
        (at - HOUR, at, 0),
        (at, at, 0),
    ] {
        let page = gateway.movements(from, to, None).await.unwrap();
        assert_eq!((page.data.len(), page.next), (expected, None), "from {from} to {to}, {at}");
    }
}

pub(crate) async fn nothing_moved_is_an_empty_page(bench: &dyn Bench) {
    assert_eq!(all(&*bench.gateway()).await, []);
}

async fn all(gateway: &dyn Gateway) -> Vec<Movement> {
    let (now, mut told, mut after) = (Timestamp::now(), Vec::new(), None);
    for _ in 0..PAGES {
        let page = gateway.movements(now - HOUR, now + HOUR, after.as_deref()).await.unwrap();
        told.extend(page.data);
        after = page.next;
        if after.is_none() {
            return told;
        }
    }
    panic!("the pages don't end");
}
