//! The table of legal steps, row by row, and that nothing else happens.

use super::*;

#[test]
fn the_table_is_the_contracts() {
    use Status::{
        Canceled, Chargeback, ChargedWithError, Draft, InProtest, Paid, Pending, Refunded, Uncollectible,
    };
    let table: [(Status, &[Status]); 9] = [
        (Draft, &[Pending, Canceled]),
        (Pending, &[Paid, ChargedWithError, Canceled]),
        (ChargedWithError, &[Pending, Paid, Canceled, Uncollectible]),
        (Uncollectible, &[Pending, Paid, Canceled]),
        (Paid, &[Refunded, InProtest]),
        (InProtest, &[Chargeback, Paid]),
        (Chargeback, &[Paid]),
        (Canceled, &[]),
        (Refunded, &[]),
    ];
    for (from, to) in table {
        for status in Status::ALL {
            assert_eq!(from.may_become().contains(&status), to.contains(&status), "{from:?} → {status:?}");
        }
    }
}

#[test]
fn statuses_are_read_back() {
    for status in Status::ALL {
        assert_eq!(Status::parse(status.as_str()), Some(status));
    }
    assert_eq!(Status::parse("PAID"), None);
}

pub(super) fn in_every_status() -> Vec<Invoice> {
    let paid = after_outcome(&sending(), 1, approved("ch_1", 10_000), START);
    let State::Paid(payment) = paid.state.clone() else { panic!("not paid") };
    let failed = after_outcome(&sending(), 1, declined(FailureClass::Hard), START);
    let State::ChargedWithError(failure) = failed.state.clone() else { panic!("not failed") };
    let with = |state| Invoice { state, ..paid.clone() };
    vec![
        draft(),
        sending(),
        paid.clone(),
        failed.clone(),
        with(State::Canceled(Canceled { tried: paid.state.tried() })),
        with(State::Refunded(payment.clone())),
        with(State::InProtest(payment.clone())),
        with(State::Chargeback(payment)),
        Invoice { state: State::Uncollectible(failure), ..failed },
    ]
}

#[test]
fn only_a_draft_is_charged_or_changed() {
    for invoice in in_every_status() {
        let is_draft = invoice.status() == Status::Draft;
        let charged = invoice.charged(Some(card()), None, &Policy::default(), START);
        assert_eq!(charged.is_ok(), is_draft, "{:?}", invoice.status());
        assert_eq!(invoice.amended(content("1.00"), None, START).is_ok(), is_draft, "{:?}", invoice.status());
    }
}

#[test]
fn a_changed_draft_is_for_what_it_has_now() {
    let waits = draft().awaiting_method();
    let changed = waits.amended(content("1.25"), Some(card().method), after(1)).unwrap();
    assert_eq!((changed.total, &changed.content), (brl(125), &content("1.25")));
    assert_eq!((changed.version, changed.updated_at), (draft().version + 1, after(1)));
    assert_eq!(changed.payment_method(), Some(card().method));
    assert!(changed.awaits_method(), "still to be charged once there is something to charge");
    assert_eq!(paid().payment_method(), Some(card().method), "what paid it");
}

#[test]
fn only_what_is_unpaid_is_canceled() {
    for invoice in in_every_status() {
        let may = matches!(
            invoice.status(),
            Status::Draft | Status::Pending | Status::ChargedWithError | Status::Uncollectible
        );
        assert_eq!(invoice.canceled(START).is_ok(), may, "{:?}", invoice.status());
    }
}

/// Words about attempts that are over never change a status, unless they bring money to what is unpaid.
#[test]
fn late_words_do_nothing_but_pay() {
    for invoice in in_every_status().into_iter().filter(|invoice| invoice.status() != Status::Pending) {
        for outcome in [
            declined(FailureClass::Generic),
            ChargeOutcome::NotSent { failure: failure(FailureClass::NotSent) },
            ChargeOutcome::Unknown { failure: failure(FailureClass::Unknown) },
            ChargeOutcome::Voided { reference: reference("ch_1") },
            ChargeOutcome::Absent,
            qr(after(60)),
        ] {
            assert_eq!(
                observe(&invoice, 1, outcome, after(1)),
                Reduced::AlreadyApplied,
                "{:?}",
                invoice.status()
            );
        }
    }
}

#[test]
fn money_for_what_is_not_owed_is_an_orphan() {
    for invoice in in_every_status().into_iter().filter(|invoice| invoice.status() != Status::Draft) {
        let expects_orphan =
            !matches!(invoice.status(), Status::Pending | Status::ChargedWithError | Status::Uncollectible);
        let reduction = applied(observe(&invoice, 1, approved("ch_other", 10_000), after(1)));
        if expects_orphan {
            assert_eq!(reduction.invoice.status(), invoice.status());
            assert_eq!(reduction.invoice.orphans.len(), 1, "{:?}", invoice.status());
            let again = observe(&reduction.invoice, 1, approved("ch_other", 10_000), after(2));
            assert_eq!(again, Reduced::AlreadyApplied, "booked once");
        } else {
            assert_eq!(reduction.invoice.status(), Status::Paid);
        }
    }
}

#[test]
fn money_for_an_attempt_that_was_never_begun_is_not_ours() {
    for (invoice, attempt) in [(draft(), 1), (sending(), 2), (sending(), 0)] {
        assert_eq!(observe(&invoice, attempt, approved("ch_1", 10_000), START), Reduced::AlreadyApplied);
    }
}
