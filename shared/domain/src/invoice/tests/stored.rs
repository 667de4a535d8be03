//! What is stored of an invoice comes back as it was, and what says nothing isn't stored.

use super::*;
use crate::customer::PaymentSource;
use crate::id::OrderId;

fn stored(state: &State) -> String {
    let json = serde_json::to_string(state).unwrap();
    assert_eq!(&serde_json::from_str::<State>(&json).unwrap(), state, "{json}");
    json
}

fn has(state: &State, name: &str) -> bool {
    stored(state).contains(&format!("\"{name}\":"))
}

#[test]
fn every_state_comes_back() {
    for invoice in legality::in_every_status() {
        stored(&invoice.state);
    }
    for invoice in [mismatched(), forgotten(), uncollectible(), pending_with(pix())] {
        stored(&invoice.state);
    }
}

#[test]
fn what_is_on_its_way_back_and_what_is_back_is_stored() {
    let (reserved, refund) = refunding(&paid(), Some(2_500), after(1)).unwrap();
    let (back, _, _) = heard(&reserved, &refund, &succeeded(2_500));
    let counts = |invoice: &Invoice| ["rf", "ri"].map(|name| has(&invoice.state, name));
    assert_eq!(counts(&paid()), [false, false]);
    assert_eq!(counts(&reserved), [false, true]);
    assert_eq!(counts(&back), [true, false]);
}

#[test]
fn an_order_that_was_not_sent_is_counted_in_what_is_stored() {
    let not_sent = ChargeOutcome::NotSent { failure: failure(FailureClass::NotSent) };
    let not_sent = after_outcome(&sending(), 1, not_sent, START);
    assert_eq!((has(&sending().state, "u"), has(&not_sent.state, "u")), (false, true));
    let elsewhere: PaymentSource = also_elsewhere(card());
    stored(&pending_with(elsewhere).state);
}

#[test]
fn what_was_taken_from_merchants_is_stored() {
    let order = OrderId::new(CustomerId::new(7), START, 1);
    let split = Split::try_new(vec![Share::new(order, CustomerId::new(101), 10_000, 290, 1)]).unwrap();
    let json = |split: &Split| {
        let json = serde_json::to_string(split).unwrap();
        assert_eq!(&serde_json::from_str::<Split>(&json).unwrap(), split, "{json}");
        ["bn", "bf", "tn", "tf", "rb", "tb"].map(|name| json.contains(&format!("\"{name}\":")))
    };
    assert_eq!(json(&split), [false; 6]);
    let (lost, _) = split.charged_back(10_000);
    assert_eq!(json(&lost), [true, true, true, true, false, false]);
    assert_eq!(json(&lost.refunded(500).0.charged_back(500).0), [true; 6]);
}
