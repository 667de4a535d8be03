//! Money for which nothing was owed: it is booked, it goes back by itself, and a person is told.

use super::*;
use crate::attention::{AttentionId, AttentionKind};
use crate::charge::Phase;
use crate::ledger::TransactionKind;
use crate::refund::{RefundOf, RefundState};

/// Canceled while a call was out, which failed; then the same attempt brings money after all.
fn canceled() -> Invoice {
    let Ok(Cancellation::Requested(requested)) = sending().canceled(after(1)) else {
        panic!("not requested")
    };
    let canceled = after_outcome(&requested, 1, declined(FailureClass::Generic), after(2));
    assert_eq!(canceled.status(), Status::Canceled);
    canceled
}

fn orphaned() -> (Invoice, Refund, Transaction) {
    let reduction = applied(observe(&canceled(), 1, approved("ch_late", 10_000), after(9)));
    (reduction.invoice, reduction.refund.unwrap(), reduction.transaction.unwrap())
}

#[test]
fn money_for_a_canceled_invoice_is_ordered_back_at_once() {
    let (invoice, refund, booked) = orphaned();
    assert_eq!((invoice.status(), invoice.amount_paid()), (Status::Canceled, brl(0)));
    assert_eq!(booked.kind, TransactionKind::Orphan);
    let held = in_accounts(&[("gateway_clearing:sandbox", 10_000), ("unapplied", -10_000)]);
    assert_eq!(balances([&booked]), held);

    assert_eq!((refund.of, refund.amount, refund.version), (RefundOf::Orphan, brl(10_000), 1));
    assert_eq!((refund.gateway(), refund.charge()), (Some(&sandbox()), Some(&reference("ch_late"))));
    assert_eq!((refund.invoice, refund.due()), (invoice.id, Some(after(9 + MINUTE))));
    let [orphan] = &invoice.orphans[..] else { panic!("{:?}", invoice.orphans) };
    assert_eq!((orphan.refund, orphan.returned), (Some(refund.id), false));

    let matter = invoice.orphan_matter(0, orphan);
    assert_eq!(matter.id, AttentionId::of_orphan(invoice.id, 0));
    assert_eq!((matter.kind, matter.amount), (AttentionKind::OrphanPayment, Some(brl(10_000))));
    assert_eq!(matter.detail, "100.00 came for an invoice that is canceled");
}

#[test]
fn what_went_back_leaves_nothing_on_the_books() {
    let (invoice, refund, booked) = orphaned();
    let (returned, settled, reversal) = heard(&invoice, &refund, &succeeded(10_000));
    let reversal = reversal.unwrap();
    assert_eq!((reversal.kind, reversal.amount), (TransactionKind::Refund, brl(10_000)));
    assert_eq!(balances([&booked, &reversal]), in_accounts(&[]));
    assert!(matches!(settled.state, RefundState::Succeeded { .. }));
    assert_eq!((settled.matter(), settled.due()), (None, None));
    assert!(returned.orphans[0].returned);
    assert_eq!((returned.status(), returned.version), (Status::Canceled, invoice.version + 1));
    assert_eq!(returned.amount_refunded(), brl(0), "nothing had been paid");
    let (_, _, again) = heard(&returned, &settled, &succeeded(10_000));
    assert_eq!(again, None, "told twice, booked once");
}

#[test]
fn a_refusal_to_take_it_back_is_for_a_person() {
    let (invoice, refund, _) = orphaned();
    let refused = RefundOutcome::Failed { failure: failure(FailureClass::Generic) };
    let (after_it, refund, transaction) = heard(&invoice, &refund, &refused);
    assert_eq!((after_it, transaction), (invoice.clone(), None), "the money is still with us");
    let matter = refund.matter().unwrap();
    assert_eq!((matter.kind, matter.id), (AttentionKind::RefundFailed, AttentionId::of_refund(refund.id)));
    assert_eq!(matter.detail, "the gateway refused the refund: message");
    assert_eq!((matter.invoice, matter.amount), (Some(invoice.id), Some(brl(10_000))));
}

#[test]
fn each_piece_of_money_is_an_orphan_of_its_own() {
    let (invoice, first, _) = orphaned();
    let reduction = applied(observe(&invoice, 1, approved("ch_later", 4_000), after(12)));
    let second = reduction.refund.unwrap();
    let orders: Vec<_> = reduction.invoice.orphans.iter().map(|orphan| orphan.refund).collect();
    assert_eq!(orders, [Some(first.id), Some(second.id)]);
    let (returned, ..) = heard(&reduction.invoice, &second, &succeeded(4_000));
    let back: Vec<_> = returned.orphans.iter().map(|orphan| orphan.returned).collect();
    assert_eq!(back, [false, true], "each order gives back its own");
}

/// A code is one charge, however often it is paid: the gateway tells the sum.
#[test]
fn a_code_that_is_paid_twice_keeps_what_is_owed_and_gives_the_rest_back() {
    let waiting = after_outcome(&claimed(&pending_with(pix()), START), 1, qr(after(HOUR)), after(1));
    let first = applied(observe(&waiting, 1, approved("ch_1", 10_000), after(2)));
    let twice = applied(observe(&first.invoice, 1, approved("ch_1", 20_000), after(3)));
    assert_eq!((twice.invoice.status(), twice.invoice.amount_paid()), (Status::Paid, brl(10_000)));
    let refund = twice.refund.unwrap();
    assert_eq!(
        (refund.of, refund.amount, refund.charge().cloned()),
        (RefundOf::Orphan, brl(10_000), Some(reference("ch_1")))
    );
    let again = observe(&twice.invoice, 1, approved("ch_1", 20_000), after(4));
    assert_eq!(again, Reduced::AlreadyApplied, "told twice, given back once");
    let more = applied(observe(&twice.invoice, 1, approved("ch_1", 20_001), after(5)));
    assert_eq!(more.refund.unwrap().amount, brl(1));
    let less = observe(&more.invoice, 1, approved("ch_1", 10_000), after(6));
    assert_eq!(less, Reduced::AlreadyApplied, "what came before comes late");
}

#[test]
fn another_amount_of_a_cards_charge_is_nothing_to_give_money_away_for() {
    assert_eq!(observe(&paid(), 1, approved("ch_1", 20_000), after(3)), Reduced::AlreadyApplied);
}

/// A second charge of an earlier attempt, while a person has yet to decide about another amount.
#[test]
fn an_orphan_in_between_does_not_keep_the_other_from_going_back() {
    let failed = failed(FailureClass::Generic);
    let again = failed.requeued(card(), &Policy::default(), after(1)).unwrap();
    let mismatched = after_outcome(&claimed(&again, after(1)), 2, approved("ch_2", 9_999), after(2));
    let late = applied(observe(&mismatched, 1, approved("ch_1", 10_000), after(3)));
    assert_eq!(late.refund.unwrap().amount, brl(10_000));
    let moment = Moment { now: after(4), entropy: 5 };
    let resolved =
        late.invoice.resolved(AttemptNumber(2), &Resolution::NotCharged, &Policy::default(), moment);
    let reduction = resolved.unwrap();
    let refund = reduction.refund.expect("the other amount goes back");
    assert_eq!((refund.amount, refund.charge()), (brl(9_999), Some(&reference("ch_2"))));
    assert!(reduction.invoice.orphans.iter().all(|orphan| orphan.refund.is_some()));
}

/// Money of another amount is on the books: until a person decides, no word of failure may forget it.
#[test]
fn nothing_but_money_or_a_person_ends_a_mismatch() {
    let voided = ChargeOutcome::Voided { reference: reference("ch_1") };
    for word in [
        declined(FailureClass::Generic),
        voided,
        ChargeOutcome::NotSent { failure: failure(FailureClass::NotSent) },
        silence(),
        ChargeOutcome::Absent,
        qr(after(HOUR)),
        approved("ch_1", 9_999),
        // The gateway changes its mind about the same charge: what is booked is booked.
        approved("ch_1", 10_000),
    ] {
        assert_eq!(observe(&mismatched(), 1, word.clone(), after(5)), Reduced::AlreadyApplied, "{word:?}");
    }
}

#[test]
fn a_cancel_waits_for_the_person_who_decides_about_a_mismatch_and_wakes_nobody() {
    let Cancellation::Requested(waiting) = mismatched().canceled(after(2)).unwrap() else {
        panic!("a person has to decide first")
    };
    assert_eq!(waiting.state.due(), None, "nothing that a sweep could do");
    assert!(matches!(live(&waiting).phase, Phase::Mismatched { .. }));
    assert_eq!(waiting.canceled(after(3)), Ok(Cancellation::AlreadyRequested));
    // Where the gateway can be asked, it is at once.
    let Cancellation::Requested(asked) = sending().canceled(after(2)).unwrap() else { panic!("on its way") };
    assert_eq!(asked.state.due(), Some(after(2)));
}

#[test]
fn a_second_charge_that_is_wrong_too_goes_back_at_once_and_the_first_when_a_person_says_so() {
    let reduction = applied(observe(&mismatched(), 1, approved("ch_2", 5), after(5)));
    let second = reduction.refund.expect("one decision is asked for, not two");
    assert_eq!((second.amount, second.charge()), (brl(5), Some(&reference("ch_2"))));
    let moment = Moment { now: after(6), entropy: 5 };
    let resolved =
        reduction.invoice.resolved(AttemptNumber(1), &Resolution::NotCharged, &Policy::default(), moment);
    let first = resolved.unwrap().refund.unwrap();
    assert_eq!((first.amount, first.charge()), (brl(9_999), Some(&reference("ch_1"))));
}

#[test]
fn a_second_charge_that_is_right_pays_and_the_wrong_one_goes_back() {
    let reduction = applied(observe(&mismatched(), 1, approved("ch_2", 10_000), after(5)));
    assert_eq!(reduction.invoice.status(), Status::Paid);
    let refund = reduction.refund.expect("the wrong amount goes back");
    assert_eq!(
        (refund.of, refund.amount, refund.charge().cloned()),
        (RefundOf::Orphan, brl(9_999), Some(reference("ch_1")))
    );
    assert_eq!(reduction.invoice.orphans[0].refund, Some(refund.id));
}
