//! What card networks allow for one invoice on one card.

use super::*;
use crate::dunning::{NetworkRule, Rules};
use std::collections::BTreeMap;

const DAY: i64 = 24 * 3_600;

fn policy(declines: u8, days: u16) -> Policy {
    let visa = BTreeMap::from([("visa".to_owned(), NetworkRule { declines, days })]);
    Policy::of(Rules { card_networks: visa, ..Rules::default() })
}

/// Declined once a day, from the first day on.
fn declined_daily(times: i64) -> Invoice {
    let mut invoice = after_outcome(&sending(), 1, declined(FailureClass::InsufficientFunds), START);
    for day in 1..times {
        let requeued = invoice.requeued(card(), &Policy::default(), after(day * DAY)).unwrap();
        let attempt = u8::try_from(day).unwrap() + 1;
        let next = claimed(&requeued, after(day * DAY));
        invoice = after_outcome(&next, attempt, declined(FailureClass::InsufficientFunds), after(day * DAY));
    }
    invoice
}

#[test]
fn one_decline_too_many_waits_until_the_first_has_left_the_window() {
    let invoice = declined_daily(3);
    let (strict, lenient) = (policy(3, 30), policy(4, 30));
    let until = |policy: &Policy, at| invoice.barred_until(&card(), Some("Visa"), policy, at);
    assert_eq!(until(&lenient, after(2 * DAY)), None);
    assert_eq!(until(&strict, after(2 * DAY)), Some(after(30 * DAY)));
    assert_eq!(until(&strict, after(30 * DAY - 1)), Some(after(30 * DAY)));
    assert_eq!(until(&strict, after(30 * DAY)), None);
    // Four in the window of three: the second has to leave it, too.
    assert_eq!(
        declined_daily(4).barred_until(&card(), None, &strict, after(3 * DAY)),
        Some(after(31 * DAY)),
        "of a card whose brand isn't told the strictest holds"
    );
}

#[test]
fn another_method_is_another_card_and_pix_has_no_network() {
    let invoice = declined_daily(3);
    let strict = policy(1, 30);
    let method = PaymentMethodId::new(CustomerId::new(7), START, 99);
    let other = PaymentSource { method, ..card() };
    assert_eq!(invoice.barred_until(&other, Some("visa"), &strict, after(3 * DAY)), None);
    assert_eq!(invoice.barred_until(&pix(), None, &strict, after(3 * DAY)), None);
}

#[test]
fn a_retry_that_is_put_off_past_the_end_is_none() {
    let failed = after_outcome(&sending(), 1, declined(FailureClass::InsufficientFunds), START);
    let later = failed.postponed(after(59 * DAY), after(DAY)).unwrap();
    assert_eq!(later.next_action(), Some((NextAction::Retry, Some(after(59 * DAY)))));
    let never = failed.postponed(after(61 * DAY), after(DAY)).unwrap();
    assert_eq!(never.next_action(), Some((NextAction::GiveUp, Some(after(60 * DAY)))));
    assert_eq!(sending().postponed(after(1), START), None);
}
