//! What happens to an invoice, told one by one.

use super::*;
use crate::charge::{AttemptOutcome, Phase};
use crate::ledger::{Account, Direction, TransactionKind};

#[test]
fn a_draft_adds_its_lines_and_belongs_to_its_customer() {
    let invoice = draft();
    assert_eq!(invoice.total.to_string(), "100.00");
    assert_eq!(invoice.customer(), CustomerId::new(7));
    assert_eq!(invoice.status(), Status::Draft);
}

#[test]
fn approved_is_paid_with_its_attempt_its_transaction_and_balanced_entries() {
    let reduction = applied(observe(&sending(), 1, approved("ch_1", 10_000), after(1)));
    assert_eq!(reduction.invoice.status(), Status::Paid);
    assert_eq!(reduction.invoice.amount_paid().to_string(), "100.00");
    assert_eq!(reduction.invoice.version, sending().version + 1);
    let attempt = reduction.attempt.unwrap();
    assert_eq!((attempt.outcome, attempt.id.number.0), (AttemptOutcome::Succeeded, 1));
    let transaction = reduction.transaction.unwrap();
    assert_eq!(
        (transaction.kind, transaction.amount.to_string()),
        (TransactionKind::Charge, "100.00".to_owned())
    );
    let entries: Vec<_> =
        transaction.journal.entries().iter().map(|e| (e.account.clone(), e.direction)).collect();
    assert_eq!(
        entries,
        [(Account::GatewayClearing(sandbox()), Direction::Debit), (Account::Revenue, Direction::Credit)]
    );
}

#[test]
fn the_same_word_again_changes_nothing() {
    let paid = after_outcome(&sending(), 1, approved("ch_1", 10_000), after(1));
    assert_eq!(observe(&paid, 1, approved("ch_1", 10_000), after(2)), Reduced::AlreadyApplied);
}

#[test]
fn nothing_to_pay_is_paid_through_pending_without_a_gateway() {
    let free = Invoice { total: Money::zero(Currency::BRL), content: content("0"), ..draft() };
    let paid = free.charged(None, None, &Policy::default(), after(1)).unwrap();
    let steps: Vec<_> = paid.history.iter().map(|step| step.status).collect();
    assert_eq!(steps, [Status::Draft, Status::Pending, Status::Paid]);
    assert_eq!(paid.next_step(after(1)), NextStep::Rest);
    assert_eq!(paid.version, 2);
}

#[test]
fn no_method_no_charge() {
    assert_eq!(draft().charged(None, None, &Policy::default(), START), Err(ChargeError::NoPaymentMethod));
}

#[test]
fn a_scheduled_invoice_waits_for_its_time() {
    let policy = Policy::default();
    let scheduled = draft().charged(Some(card()), Some(after(3_600)), &policy, START).unwrap();
    assert_eq!(scheduled.state.due(), Some(after(3_600)));
    assert_eq!(scheduled.next_step(after(3_599)), NextStep::Rest);
    assert_eq!(woken(&scheduled, after(3_599)), None);
    let due = woken(&scheduled, after(3_600)).unwrap();
    assert!(matches!(due.next_step(after(3_600)), NextStep::Send(_)));
    let now = draft().charged(Some(card()), Some(START), &policy, START).unwrap();
    assert_eq!(now, pending_with(card()), "a time that has come is now");
}

/// A number alone doesn't say whose attempt it is.
#[test]
fn only_the_gateway_that_was_asked_answers_for_its_attempt() {
    let word = |outcome| {
        let observation = Observation { gateway: other_gateway(), attempt: AttemptNumber(1), outcome };
        sending().observe(&observation, &Policy::default(), Moment { now: after(1), entropy: 9 })
    };
    assert_eq!(word(declined(FailureClass::Hard)), Reduced::AlreadyApplied);
    let money = applied(word(approved("ch_1", 10_000)));
    assert_eq!(money.invoice.status(), Status::Pending, "it is not what we wait for");
    let refund = money.refund.unwrap();
    assert_eq!((refund.amount, refund.gateway()), (brl(10_000), Some(&other_gateway())));
}

#[test]
fn only_the_version_that_was_asked_for_is_claimed_and_once() {
    let pending = pending_with(card());
    let attempt = LiveAttempt::begun(AttemptNumber(1), after(1));
    let claimed = pending.claimed(pending.version, attempt.clone(), after(1)).unwrap();
    assert_eq!(
        (live(&claimed), claimed.attempts, claimed.version),
        (&attempt, AttemptNumber(1), pending.version + 1)
    );
    assert_eq!(pending.claimed(pending.version + 1, attempt.clone(), after(1)), None);
    assert_eq!(pending.claimed(pending.version - 1, attempt.clone(), after(1)), None);
    assert_eq!(claimed.claimed(claimed.version, attempt.clone(), after(1)), None, "somebody is at it");
    assert_eq!(draft().claimed(draft().version, attempt, after(1)), None);
}

#[test]
fn a_lease_keeps_others_away_and_then_has_them_ask() {
    let invoice = sending();
    assert_eq!(invoice.next_step(after(30)), NextStep::Rest);
    assert!(matches!(invoice.next_step(after(31)), NextStep::Ask(_)));
    assert_eq!(
        observe(&invoice, 1, ChargeOutcome::Absent, after(10)),
        Reduced::AlreadyApplied,
        "its owner still runs"
    );
}

#[test]
fn what_the_gateway_never_saw_goes_out_again_as_the_same_attempt() {
    let absent = applied(observe(&sending(), 1, ChargeOutcome::Absent, after(31)));
    assert!(absent.wake);
    let again = claimed(&absent.invoice, after(32));
    assert_eq!(again.attempts.0, 1);
    let (_, first) = sending().charge_request().unwrap();
    let (_, second) = again.charge_request().unwrap();
    assert_eq!(first, second, "same key, same body");
}

#[test]
fn unknown_is_asked_about_on_a_schedule_and_never_sent() {
    let unknown = || ChargeOutcome::Unknown { failure: failure(FailureClass::Unknown) };
    let mut invoice = after_outcome(&sending(), 1, unknown(), START);
    let (minute, hour) = (60, 3_600);
    let mut waits = Vec::new();
    let mut now = START;
    while let Some(due) = invoice.state.due().filter(|_| waits.len() < 50) {
        waits.push(due.duration_since(now).as_secs());
        now = due;
        assert!(matches!(invoice.next_step(now), NextStep::Ask(_)));
        invoice = after_outcome(&invoice, 1, unknown(), now);
    }
    assert_eq!(waits, [minute, 5 * minute, hour, 24 * hour, 24 * hour, 24 * hour, 24 * hour, 24 * hour]);
    assert_eq!(invoice.status(), Status::Pending, "a person decides now");
    assert_eq!(after_outcome(&invoice, 1, approved("ch_1", 10_000), now).status(), Status::Paid);
}

#[test]
fn not_sent_is_patient_and_then_a_failure() {
    let not_sent = || ChargeOutcome::NotSent { failure: failure(FailureClass::NotSent) };
    let mut invoice = after_outcome(&sending(), 1, not_sent(), START);
    let mut sends = 1;
    while let Some(due) = invoice.state.due().filter(|_| invoice.status() == Status::Pending) {
        assert_eq!(live(&invoice).number.0, 1);
        invoice = after_outcome(&claimed(&invoice, due), 1, not_sent(), due);
        sends += 1;
    }
    assert_eq!((sends, invoice.status()), (8, Status::ChargedWithError));
    assert_eq!(
        invoice.history.last().map(|step| step.cause),
        Some(Cause::ChargeFailed),
        "no other gateway had it"
    );
}

#[test]
fn a_decline_is_tried_again_when_its_class_says() {
    let failed = after_outcome(&sending(), 1, declined(FailureClass::InsufficientFunds), START);
    let three_days = 3 * 24 * 3_600;
    assert_eq!(failed.state.due(), Some(after(three_days)));
    assert_eq!(woken(&failed, after(three_days - 1)), None);
    let retried = woken(&failed, after(three_days)).unwrap();
    assert_eq!(retried.status(), Status::Pending);
    assert_eq!(claimed(&retried, after(three_days)).attempts.0, 2);
}

#[test]
fn a_hard_decline_waits_for_somebody() {
    let failed = after_outcome(&sending(), 1, declined(FailureClass::Hard), START);
    assert_eq!(
        (failed.status(), failed.next_action()),
        (Status::ChargedWithError, Some((NextAction::AwaitPaymentMethod, None)))
    );
    assert_eq!(failed.state.due(), Some(after(60 * 24 * 3_600)), "and not for ever");
}

#[test]
fn seven_declines_are_enough() {
    let mut invoice = sending();
    for number in 1..=7_u8 {
        let at = after(i64::from(number));
        invoice = after_outcome(&invoice, number, declined(FailureClass::PixExpired), at);
        assert_eq!(invoice.status(), Status::ChargedWithError);
        let State::ChargedWithError(failed) = invoice.state.clone() else { panic!("not failed") };
        invoice.declines = number;
        invoice.state = State::ChargedWithError(Failed { retry_at: Some(at), ..failed });
        invoice = claimed(&woken(&invoice, at).unwrap(), at);
    }
    let ended = after_outcome(&invoice, 8, declined(FailureClass::DoNotHonor), after(9));
    assert_eq!((ended.status(), ended.state.due()), (Status::Uncollectible, None));
    assert_eq!(ended.version, invoice.version + 1, "one change, two steps");
}

#[test]
fn a_late_success_pays_what_had_failed() {
    let failed = after_outcome(&sending(), 1, declined(FailureClass::Generic), START);
    let reduction = applied(observe(&failed, 1, approved("ch_1", 10_000), after(5)));
    assert_eq!(reduction.invoice.status(), Status::Paid);
    assert!(reduction.transaction.is_some());
}

#[test]
fn another_amount_is_not_payment() {
    let reduction = applied(observe(&sending(), 1, approved("ch_1", 9_999), after(1)));
    assert_eq!(reduction.invoice.status(), Status::Pending);
    assert!(matches!(live(&reduction.invoice).phase, Phase::Mismatched { .. }));
    assert_eq!(reduction.transaction.unwrap().kind, TransactionKind::Orphan);
    assert_eq!(reduction.invoice.next_step(after(90)), NextStep::Rest, "nothing else is charged");
    assert_eq!(observe(&reduction.invoice, 1, approved("ch_1", 9_999), after(2)), Reduced::AlreadyApplied);
}

#[test]
fn a_qr_code_is_waited_for_paid_or_expires() {
    let waiting = after_outcome(&claimed(&pending_with(pix()), START), 1, qr(after(3_600)), after(1));
    assert_eq!(waiting.state.due(), Some(after(3_660)));
    assert!(matches!(waiting.next_step(after(3_660)), NextStep::Ask(_)), "nobody has canceled it");
    assert_eq!(observe(&waiting, 1, qr(after(3_600)), after(2)), Reduced::AlreadyApplied);
    assert_eq!(after_outcome(&waiting, 1, approved("ch_1", 10_000), after(9)).status(), Status::Paid);
    let declined = applied(observe(&waiting, 1, declined(FailureClass::Generic), after(9)));
    assert_eq!(declined.attempt.unwrap().reference, Some(reference("ch_1")), "as it was called before");
    let expired =
        after_outcome(&waiting, 1, ChargeOutcome::Voided { reference: reference("ch_1") }, after(3_700));
    let State::ChargedWithError(failed) = &expired.state else { panic!("not failed") };
    assert_eq!(failed.failure.class, FailureClass::PixExpired);
    assert_eq!(
        (failed.retry_at, expired.declines),
        (Some(after(3_700)), 0),
        "a new code at once, and no decline"
    );
}

#[test]
fn canceling_waits_for_the_gateway_to_agree() {
    let waiting = after_outcome(&claimed(&pending_with(pix()), START), 1, qr(after(3_600)), after(1));
    let Ok(Cancellation::Requested(requested)) = waiting.canceled(after(2)) else { panic!("not requested") };
    assert_eq!((requested.status(), requested.state.due()), (Status::Pending, Some(after(2))));
    assert!(matches!(requested.next_step(after(2)), NextStep::Void(..)));
    assert_eq!(requested.canceled(after(3)), Ok(Cancellation::AlreadyRequested));
    let voided =
        applied(observe(&requested, 1, ChargeOutcome::Voided { reference: reference("ch_1") }, after(4)));
    assert_eq!(voided.invoice.status(), Status::Canceled);
    assert_eq!(voided.attempt.unwrap().outcome, AttemptOutcome::Voided);
    assert_eq!(
        after_outcome(&requested, 1, approved("ch_1", 10_000), after(4)).status(),
        Status::Paid,
        "too late"
    );
}

#[test]
fn canceling_while_a_call_is_out_takes_effect_when_it_fails() {
    let Ok(Cancellation::Requested(requested)) = sending().canceled(after(1)) else {
        panic!("not requested")
    };
    let end = |outcome| after_outcome(&requested, 1, outcome, after(40)).status();
    assert_eq!(end(declined(FailureClass::InsufficientFunds)), Status::Canceled);
    assert_eq!(end(ChargeOutcome::NotSent { failure: failure(FailureClass::NotSent) }), Status::Canceled);
    assert_eq!(end(ChargeOutcome::Absent), Status::Canceled);
    assert!(applied(observe(&requested, 1, qr(after(90)), after(40))).wake, "there is something to void now");
}

#[test]
fn the_sweep_puts_off_what_it_has_sent() {
    let pending = pending_with(card());
    let mut due = pending.state.due().unwrap();
    assert_eq!(due, after(60));
    let mut invoice = pending;
    let mut waits = Vec::new();
    for _ in 0..4 {
        let next = woken(&invoice, due).unwrap();
        assert_eq!(woken(&next, due), None, "twice in a minute is once");
        let next_due = next.state.due().unwrap();
        waits.push(next_due.duration_since(due).as_secs());
        (invoice, due) = (next, next_due);
    }
    assert_eq!(waits, [60, 120, 240, 480]);
}

#[test]
fn what_may_have_charged_does_not_become_unsent_by_a_later_failure() {
    let unknown = ChargeOutcome::Unknown { failure: failure(FailureClass::Unknown) };
    let unknown = after_outcome(&sending(), 1, unknown, START);
    let waiting = after_outcome(&claimed(&pending_with(pix()), START), 1, qr(after(3_600)), after(1));
    for invoice in [unknown, waiting] {
        let not_sent = ChargeOutcome::NotSent { failure: failure(FailureClass::NotSent) };
        assert_eq!(observe(&invoice, 1, not_sent, after(70)), Reduced::AlreadyApplied);
    }
}

#[test]
fn twenty_attempts_are_enough() {
    let end = |attempts| {
        let invoice = Invoice { attempts: AttemptNumber(attempts), ..sending() };
        after_outcome(&invoice, 1, declined(FailureClass::PixExpired), after(1)).status()
    };
    assert_eq!((end(19), end(20)), (Status::ChargedWithError, Status::Uncollectible));
}

#[test]
fn sixty_days_are_enough() {
    let end = |seconds| {
        after_outcome(&sending(), 1, declined(FailureClass::InsufficientFunds), after(seconds)).status()
    };
    let days = 60 * 24 * 3_600;
    assert_eq!((end(days - 1), end(days)), (Status::ChargedWithError, Status::Uncollectible));
    let State::Uncollectible(failed) = uncollectible().state else { panic!("not given up") };
    assert_eq!(failed.gives_up_at, None, "it is over");
}
