//! Charged again: because somebody asks, because there is another card, or because a gateway takes orders again.

use super::*;
use crate::actor::Actor;
use crate::charge::Phase;

fn requeued(invoice: &Invoice, now: Timestamp) -> Result<Invoice, RequeueError> {
    invoice.requeued(another_card(), &Policy::default(), now)
}

#[test]
fn only_what_failed_is_requeued() {
    for invoice in legality::in_every_status() {
        let status = invoice.status();
        let may = matches!(status, Status::ChargedWithError | Status::Uncollectible);
        let illegal = IllegalTransition { from: status, to: Status::Pending };
        match requeued(&invoice, after(5)) {
            Ok(pending) => {
                assert!(may, "{status:?}");
                assert_eq!((pending.status(), pending.version), (Status::Pending, invoice.version + 1));
                assert_eq!(pending.state.due(), Some(after(5 + MINUTE)), "its message may be lost");
                let step = pending.history.last().unwrap();
                assert_eq!((step.cause, step.at), (Cause::Requeued, after(5)));
            }
            Err(refusal) => assert_eq!((may, refusal), (false, RequeueError::Illegal(illegal)), "{status:?}"),
        }
    }
}

#[test]
fn the_next_attempt_is_made_with_what_was_brought_and_as_patiently_as_the_first() {
    let policy = Policy::default();
    let mut invoice = failed(FailureClass::InsufficientFunds);
    for _ in 0..3 {
        let due = invoice.state.due().unwrap();
        let retried = claimed(&woken(&invoice, due).unwrap(), due);
        let number = retried.attempts.0;
        invoice = after_outcome(&retried, number, declined(FailureClass::InsufficientFunds), due);
    }
    assert_eq!((invoice.failures, invoice.declines), (4, 4));
    let now = invoice.updated_at;
    let again = claimed(&requeued(&invoice, now).unwrap(), now);
    assert_eq!((again.attempts.0, again.failures, again.declines), (5, 0, 4));
    assert_eq!(again.charge_request().unwrap().0, another_card());
    let failed = after_outcome(&again, 5, declined(FailureClass::InsufficientFunds), now);
    assert_eq!(failed.state.due(), policy.retry_at(FailureClass::InsufficientFunds, 1, now));
}

#[test]
fn the_ninety_ninth_attempt_is_the_last() {
    let tried = |attempts| Invoice { attempts: AttemptNumber(attempts), ..uncollectible() };
    let last = claimed(&requeued(&tried(98), after(5)).unwrap(), after(5));
    assert_eq!(last.charge_request().unwrap().1.attempt.to_string().get(32..), Some("99"));
    assert_eq!(requeued(&tried(99), after(5)), Err(RequeueError::TooManyAttempts));
    let waits = Invoice { attempts: AttemptNumber(99), ..failed(FailureClass::Hard) };
    assert_eq!(waits.charged_by_new_method(another_card(), &Policy::default(), after(5)), None);
}

#[test]
fn another_card_is_tried_at_once_if_that_is_what_it_waits_for() {
    let policy = Policy::default();
    let waits = failed(FailureClass::Hard);
    assert!(waits.awaits_method());
    assert_eq!(waits.charged_by_new_method(card(), &policy, after(5)), None, "the same card again");
    let charged = waits.charged_by_new_method(another_card(), &policy, after(5)).unwrap();
    let step = charged.history.last().unwrap();
    assert_eq!((step.status, step.cause), (Status::Pending, Cause::PaymentMethodChanged));
    assert!(!charged.awaits_method());
    assert_eq!(claimed(&charged, after(5)).charge_request().unwrap().0, another_card());

    for invoice in legality::in_every_status() {
        let waits = invoice.status() == Status::ChargedWithError;
        let charged = invoice.charged_by_new_method(another_card(), &policy, after(5));
        assert_eq!(charged.is_some(), waits, "{:?}", invoice.status());
    }
    let patient = failed(FailureClass::InsufficientFunds);
    assert_eq!(patient.charged_by_new_method(another_card(), &policy, after(5)), None, "it has its own day");
}

/// The networks fine whoever sends a stolen card again, under whatever name it is registered.
#[test]
fn a_refused_card_that_is_registered_once_more_is_the_same_card() {
    let policy = Policy::default();
    let registered_again = PaymentSource { method: another_card().method, ..card() };
    let stolen = failed(FailureClass::Hard);
    assert_eq!(stolen.charged_by_new_method(registered_again.clone(), &policy, after(5)), None);
    assert_eq!(stolen.next_action(), Some((NextAction::AwaitPaymentMethod, None)), "and waits on");
    // Its own retry came, and there was nothing to charge: the card itself was not refused for good.
    let bare = failed(FailureClass::InsufficientFunds).without_method(after(3 * DAY)).unwrap();
    assert!(bare.charged_by_new_method(registered_again, &policy, after(3 * DAY)).is_some());
    assert_eq!(bare.charged_by_new_method(card(), &policy, after(3 * DAY)), None, "nothing was brought");
}

#[test]
fn a_retry_without_a_card_waits_for_one() {
    let due = after(3 * DAY);
    let failed = failed(FailureClass::InsufficientFunds);
    assert_eq!(failed.woken(&Policy::default(), due), Some(Woken::Retry));
    let waits = failed.without_method(due).unwrap();
    assert!(waits.awaits_method());
    assert_eq!((waits.status(), waits.version), (Status::ChargedWithError, failed.version + 1));
    assert_eq!(waits.history, failed.history, "it has not become anything else");
    assert_eq!(waits.next_action(), Some((NextAction::AwaitPaymentMethod, None)));
    assert_eq!(waits.state.due(), Some(after(60 * DAY)), "and not for ever");
    assert!(waits.charged_by_new_method(another_card(), &Policy::default(), due).is_some());
    for invoice in [draft(), sending(), paid(), uncollectible()] {
        assert_eq!(invoice.without_method(due), None);
    }
}

#[test]
fn what_is_held_back_counts_for_nothing() {
    let held =
        |invoice: &Invoice, now| invoice.held_back(failure(FailureClass::NotSent), after(90), now).unwrap();
    let invoice = held(&sending(), after(1));
    assert_eq!((invoice.status(), invoice.state.due()), (Status::Pending, Some(after(90))));
    assert_eq!((live(&invoice).unsent, invoice.failures, invoice.declines), (0, 0, 0));
    assert_eq!(invoice.next_action(), Some((NextAction::SendAgain, Some(after(90)))));
    assert_eq!((invoice.matter(), invoice.version), (None, sending().version + 1));
    // However often that is: the same attempt, with the patience of the first.
    let mut often = invoice;
    for _ in 0..20 {
        often = held(&claimed(&often, after(90)), after(90));
    }
    assert_eq!((live(&often).unsent, often.attempts.0), (0, 1));
    let (_, order) = claimed(&often, after(90)).charge_request().unwrap();
    assert_eq!(order, sending().charge_request().unwrap().1);
}

#[test]
fn only_what_is_about_to_be_sent_is_held_back() {
    let unknown = after_outcome(&sending(), 1, silence(), START);
    let waiting = after_outcome(&claimed(&pending_with(pix()), START), 1, qr(after(HOUR)), after(1));
    for invoice in [draft(), pending_with(card()), unknown, waiting, mismatched(), paid()] {
        let held = invoice.held_back(failure(FailureClass::NotSent), after(90), after(2));
        assert_eq!(held, None, "{:?}", invoice.state);
    }
    let held = sending().held_back(failure(FailureClass::NotSent), after(90), after(1)).unwrap();
    assert!(matches!(live(&held).phase, Phase::NotSent { .. }));
    let Ok(Cancellation::Done(canceled)) = held.canceled(after(2)) else { panic!("nothing is out") };
    assert_eq!(canceled.invoice.status(), Status::Canceled);
}

#[test]
fn whoever_asked_is_named_beside_the_new_steps_alone() {
    let operator = Actor::new("key_7");
    let before = failed(FailureClass::Generic);
    let after_it = requeued(&before, after(5)).unwrap().by(&operator, before.history.len());
    let askers: Vec<_> = after_it.history.iter().map(|step| step.by.as_ref()).collect();
    assert_eq!(askers, [None, None, None, Some(&operator)]);

    // One change of two steps, both of them asked for; and a change of none.
    let free = Invoice { total: Money::zero(Currency::BRL), content: content("0"), ..draft() };
    let paid = free.charged(None, None, &Policy::default(), START).unwrap().by(&operator, 1);
    let askers: Vec<_> = paid.history.iter().map(|step| step.by.is_some()).collect();
    assert_eq!(askers, [false, true, true]);
    let amended = draft().amended(content("1.00"), None, after(1)).unwrap().by(&operator, 1);
    assert_eq!(amended.history, draft().history);
}

#[test]
fn a_draft_that_would_be_charged_takes_the_first_card_that_comes() {
    let policy = Policy::default();
    assert_eq!(draft().charged_by_new_method(card(), &policy, after(5)), None, "nobody wants it charged");
    let waits = draft().awaiting_method();
    assert_eq!(waits.next_action(), Some((NextAction::AwaitPaymentMethod, None)));
    let amended = waits.amended(waits.content.clone(), None, after(4)).unwrap();
    assert!(amended.awaits_method(), "other words change nothing of that");
    let charged = amended.charged_by_new_method(card(), &policy, after(5)).unwrap();
    assert_eq!((charged.status(), charged.awaits_method()), (Status::Pending, false));
    assert!(waits.canceled(after(5)).is_ok());
}

#[test]
fn only_what_has_failed_is_given_up() {
    for invoice in legality::in_every_status() {
        let has_failed = matches!(invoice.status(), Status::ChargedWithError | Status::Uncollectible);
        let given_up = invoice.given_up(after(5)).map(|invoice| invoice.status());
        assert_eq!(given_up, has_failed.then_some(Status::Canceled), "{:?}", invoice.status());
    }
}
