//! Money back: within the window, never more than came, each order once.

use super::*;
use crate::gateway::RefundOutcome;
use crate::ledger::{Account, Direction};
use crate::refund::{Refund, RefundState, RefundTo};
use proptest::prelude::*;

#[test]
fn all_of_it_back_is_refunded_with_the_entries_reversed() {
    let (invoice, refund) = refunding(&paid(), None, after(1)).unwrap();
    assert_eq!((invoice.status(), refund.amount.minor()), (Status::Paid, 10_000));
    let (invoice, refund, transaction) = heard(&invoice, &refund, &succeeded(10_000));
    assert_eq!(invoice.status(), Status::Refunded);
    assert_eq!(invoice.amount_refunded().to_string(), "100.00");
    assert!(matches!(refund.state, RefundState::Succeeded { .. }));
    let entries: Vec<_> =
        transaction.unwrap().journal.entries().iter().map(|e| (e.account.clone(), e.direction)).collect();
    assert_eq!(
        entries,
        [(Account::Revenue, Direction::Debit), (Account::GatewayClearing(sandbox()), Direction::Credit)]
    );
}

#[test]
fn a_part_leaves_it_paid() {
    let (invoice, refund) = refunding(&paid(), Some(2_500), after(1)).unwrap();
    let (invoice, refund, _) = heard(&invoice, &refund, &succeeded(2_500));
    assert_eq!((invoice.status(), invoice.amount_refunded().minor()), (Status::Paid, 2_500));
    let again = heard(&invoice, &refund, &succeeded(2_500));
    assert_eq!((again.0, again.2), (invoice, None), "heard twice, done once");
}

#[test]
fn the_window_ends_seven_days_after_the_payment() {
    let week = 7 * 24 * 3_600;
    assert!(refunding(&paid(), None, after(week)).is_ok());
    assert_eq!(refunding(&paid(), None, after(week + 1)), Err(RefundError::TooLate(after(week))));
}

#[test]
fn only_what_is_left_of_a_payment_goes_back() {
    assert_eq!(refunding(&paid(), Some(10_001), START), Err(RefundError::TooMuch(brl(10_000))));
    assert_eq!(refunding(&paid(), Some(0), START), Err(RefundError::NotPositive));
    assert_eq!(refunding(&draft(), None, START), Err(RefundError::NotPaid(Status::Draft)));
    let (first, _) = refunding(&paid(), Some(6_000), START).unwrap();
    assert_eq!(
        refunding(&first, Some(4_001), START),
        Err(RefundError::TooMuch(brl(4_000))),
        "on its way counts"
    );
}

#[test]
fn a_refusal_gives_the_reserve_back() {
    let (invoice, refund) = refunding(&paid(), None, START).unwrap();
    let refused = RefundOutcome::Failed { failure: failure(FailureClass::Generic) };
    let (invoice, refund, transaction) = heard(&invoice, &refund, &refused);
    assert!(matches!(refund.state, RefundState::Failed { .. }) && transaction.is_none());
    assert!(refunding(&invoice, None, START).is_ok());
}

#[test]
fn another_amount_than_ordered_is_not_this_refund() {
    let (invoice, refund) = refunding(&paid(), Some(2_500), after(1)).unwrap();
    for minor in [2_499, 2_501] {
        let (untouched, open, transaction) = heard(&invoice, &refund, &succeeded(minor));
        assert_eq!((&untouched, transaction), (&invoice, None), "nothing is booked");
        assert_eq!(open.state, RefundState::Pending { sends: 0, due: None });
        assert_eq!(open.matter().map(|matter| matter.amount), Some(Some(brl(2_500))), "a person looks");
    }
}

#[test]
fn silence_sends_the_same_order_again_and_in_the_end_a_person_looks() {
    let (invoice, mut refund) = refunding(&paid(), None, START).unwrap();
    let order = refund.request().map(|(gateway, order)| (gateway.clone(), order));
    let silence = RefundOutcome::Unclear { failure: failure(FailureClass::Unknown) };
    let mut sends = 0;
    while refund.due().is_some() {
        assert_eq!(refund.request().map(|(gateway, order)| (gateway.clone(), order)), order);
        refund = heard(&invoice, &refund, &silence).1;
        sends += 1;
    }
    assert_eq!(sends, 12);
}

#[test]
fn the_order_says_what_goes_back_of_which_charge() {
    let (_, refund) = refunding(&paid(), Some(2_500), START).unwrap();
    let (gateway, order) = refund.request().unwrap();
    assert_eq!((gateway, order.charge, order.refund), (&sandbox(), reference("ch_1"), refund.id));
    assert_eq!(order.amount, brl(2_500));
    let from_wallet = Refund { to: RefundTo::Wallet, ..refund };
    assert_eq!(from_wallet.request(), None, "nobody has to be asked");
    assert_eq!((from_wallet.gateway(), from_wallet.charge()), (None, None));
}

#[test]
fn a_refund_is_looked_at_once_it_is_due_and_then_put_off() {
    let (reserved, refund) = refunding(&paid(), None, START).unwrap();
    let policy = Policy::default();
    assert_eq!(refund.due(), Some(after(60)));
    assert_eq!(refund.woken(&policy, after(59)), None);
    let woken = refund.woken(&policy, after(60)).unwrap();
    assert_eq!(woken.state, RefundState::Pending { sends: 0, due: Some(after(60 + HOUR)) });
    assert_eq!((woken.version, woken.updated_at), (refund.version + 1, after(60)));
    let (_, settled, _) = heard(&reserved, &refund, &succeeded(10_000));
    assert_eq!((settled.due(), settled.woken(&policy, after(DAY))), (None, None));
    assert_eq!(settled.updated_at, after(10));
}

proptest! {
    /// Invariant: refunded + being refunded ≤ paid, whatever is asked and whatever comes of it.
    #[test]
    fn never_more_goes_back_than_came(steps in prop::collection::vec((1_i64..6_000, 0_u8..4), 0..30)) {
        let mut invoice = paid();
        let mut open: Vec<Refund> = Vec::new();
        let mut back = 0;
        for (minor, what) in steps {
            if what == 0 || open.is_empty() {
                if let Ok((next, refund)) = refunding(&invoice, Some(minor), START) {
                    invoice = next;
                    open.push(refund);
                }
            } else {
                let refund = open.remove(usize::try_from(minor).unwrap() % open.len());
                let outcome = match what {
                    1 | 2 => succeeded(refund.amount.minor()),
                    _ => RefundOutcome::Failed { failure: failure(FailureClass::Generic) },
                };
                let (next, _, transaction) = heard(&invoice, &refund, &outcome);
                back += transaction.map_or(0, |transaction| transaction.amount.minor());
                invoice = next;
            }
            let payment = invoice.state.payment().unwrap();
            let on_its_way: i64 = open.iter().map(|refund| refund.amount.minor()).sum();
            prop_assert_eq!((payment.refunded, payment.refunding), (back, on_its_way));
            prop_assert!(back + on_its_way <= 10_000);
            prop_assert_eq!(invoice.status() == Status::Refunded, back == 10_000);
        }
    }
}
