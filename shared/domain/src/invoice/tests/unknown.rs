//! Nobody knows whether it charged: the gateway is asked, and in the end a person.

use super::*;
use crate::attention::{AttentionId, AttentionKind};
use crate::charge::{Attempt, AttemptOutcome, Phase};

fn resolved(invoice: &Invoice, resolution: &Resolution, now: Timestamp) -> Result<Reduction, ResolveError> {
    invoice.resolved(invoice.attempts, resolution, &Policy::default(), Moment { now, entropy: 5 })
}

fn charged() -> Resolution {
    Resolution::Charged(reference("ch_found"))
}

#[test]
fn after_eight_silent_polls_a_person_is_told_and_nothing_is_due() {
    let mut invoice = after_outcome(&sending(), 1, silence(), START);
    let mut asked = Vec::new();
    while let Some(due) = invoice.state.due() {
        assert!(asked.len() < 50, "asked about for ever");
        assert_eq!(invoice.matter(), None, "the gateway may still tell");
        assert_eq!(invoice.next_action(), Some((NextAction::Ask, Some(due))));
        asked.push(due.duration_since(START).as_secs());
        invoice = after_outcome(&invoice, 1, silence(), due);
    }
    let daily = |days: i64| MINUTE + 5 * MINUTE + HOUR + days * DAY;
    let first = [MINUTE, 6 * MINUTE, HOUR + 6 * MINUTE];
    assert_eq!(asked, [&first[..], &[1, 2, 3, 4, 5].map(daily)].concat());

    let matter = invoice.matter().unwrap();
    assert_eq!(matter.kind, AttentionKind::UnknownOutcome);
    assert_eq!(matter.id, AttentionId::of_attempt(invoice.attempt_id(AttemptNumber(1))));
    assert_eq!((matter.invoice, matter.amount), (Some(invoice.id), Some(brl(10_000))));
    assert_eq!((matter.gateway, matter.raised_at), (Some(sandbox()), after(daily(5))));
    assert_eq!(matter.detail, "the gateway has not said what became of the charge: message");
    assert_eq!(invoice.next_action(), Some((NextAction::AwaitOperator, None)));
    assert_eq!(woken(&invoice, after(365 * DAY)), None, "it is not tried again by itself");
}

#[test]
fn a_late_answer_closes_the_matter() {
    let invoice = forgotten();
    let late = invoice.updated_at + SignedDuration::from_hours(1);
    for (answer, status) in [
        (approved("ch_1", 10_000), Status::Paid),
        (declined(FailureClass::Hard), Status::ChargedWithError),
        (ChargeOutcome::Absent, Status::Pending),
        (qr(late), Status::Pending),
    ] {
        let told = after_outcome(&invoice, 1, answer, late);
        assert_eq!((told.status(), told.matter()), (status, None));
    }
}

#[test]
fn a_person_who_found_the_charge_pays_the_invoice_with_it() {
    let invoice = after_outcome(&sending(), 1, silence(), START);
    let reduction = resolved(&invoice, &charged(), after(9)).unwrap();
    assert_eq!((reduction.invoice.status(), reduction.invoice.version), (Status::Paid, invoice.version + 1));
    assert_eq!(reduction.invoice.amount_paid(), brl(10_000));
    let attempt = reduction.attempt.unwrap();
    assert_eq!(
        (attempt.outcome, attempt.reference),
        (AttemptOutcome::Succeeded, Some(reference("ch_found")))
    );
    let booked = reduction.transaction.unwrap();
    assert_eq!(
        balances([&booked]),
        in_accounts(&[("gateway_clearing:sandbox", 10_000), ("revenue", -10_000)])
    );
    let heard_again = observe(&reduction.invoice, 1, approved("ch_found", 10_000), after(10));
    assert_eq!(heard_again, Reduced::AlreadyApplied, "the gateway's own word comes late");
}

#[test]
fn a_person_who_found_nothing_ends_the_attempt_as_one_that_was_not_sent() {
    for invoice in [after_outcome(&sending(), 1, silence(), START), forgotten()] {
        let now = invoice.updated_at;
        let reduction = resolved(&invoice, &Resolution::NotCharged, now).unwrap();
        let told = Failure::new(
            FailureClass::Unknown,
            "resolved_as_not_charged",
            "an operator found nothing charged",
        );
        let Some(Attempt { outcome, finished_at, .. }) = reduction.attempt else { panic!("no attempt") };
        assert_eq!((outcome, finished_at), (AttemptOutcome::NotSent(told), now));
        assert_eq!((reduction.transaction, reduction.refund), (None, None));
        let invoice = reduction.invoice;
        assert_eq!((invoice.status(), invoice.declines), (Status::ChargedWithError, 0));
        assert_eq!((invoice.matter(), invoice.state.due()), (None, Some(after(60 * DAY))));
        assert!(invoice.requeued(card(), &Policy::default(), now).is_ok(), "and may be charged again");
        // The person was wrong: the money came after all.
        assert_eq!(after_outcome(&invoice, 1, approved("ch_1", 10_000), now).status(), Status::Paid);
    }
}

#[test]
fn what_was_to_be_canceled_is_canceled_by_the_word_of_a_person() {
    let Ok(Cancellation::Requested(requested)) = forgotten().canceled(after(9 * DAY)) else {
        panic!("not requested")
    };
    let reduction = resolved(&requested, &Resolution::NotCharged, after(10 * DAY)).unwrap();
    assert_eq!(reduction.invoice.status(), Status::Canceled);
    assert_eq!(resolved(&requested, &charged(), after(10 * DAY)).unwrap().invoice.status(), Status::Paid);
}

#[test]
fn another_amount_can_only_go_back() {
    let invoice = mismatched();
    let matter = invoice.matter().unwrap();
    assert_eq!((matter.kind, matter.reference), (AttentionKind::AmountMismatch, Some(reference("ch_1"))));
    assert_eq!(matter.detail, "the gateway captured 99.99 instead of 100.00");
    assert_eq!(resolved(&invoice, &charged(), after(2)), Err(ResolveError::OtherAmount));

    let reduction = resolved(&invoice, &Resolution::NotCharged, after(2)).unwrap();
    let refund = reduction.refund.unwrap();
    assert_eq!((refund.amount, refund.charge()), (brl(9_999), Some(&reference("ch_1"))));
    assert_eq!(reduction.invoice.orphans[0].refund, Some(refund.id));
    assert_eq!(reduction.invoice.status(), Status::ChargedWithError);
    assert_eq!(reduction.invoice.failure_class(), Some(FailureClass::AmountMismatch));
    assert_eq!((reduction.invoice.matter(), reduction.invoice.declines), (None, 0));
}

#[test]
fn nothing_else_can_be_resolved() {
    let not_sent = ChargeOutcome::NotSent { failure: failure(FailureClass::NotSent) };
    let waiting = after_outcome(&claimed(&pending_with(pix()), START), 1, qr(after(HOUR)), after(1));
    let refused = [
        draft(),
        pending_with(card()),
        sending(),
        after_outcome(&sending(), 1, not_sent, START),
        waiting,
        paid(),
        failed(FailureClass::Hard),
        uncollectible(),
    ];
    for invoice in refused {
        for resolution in [charged(), Resolution::NotCharged] {
            let refusal = Err(ResolveError::NotUnknown(invoice.status()));
            assert_eq!(resolved(&invoice, &resolution, after(2)), refusal, "{:?}", invoice.state);
        }
    }
    let unknown = after_outcome(&sending(), 1, silence(), START);
    for number in [0, 2] {
        let moment = Moment { now: after(2), entropy: 5 };
        let other = unknown.resolved(AttemptNumber(number), &charged(), &Policy::default(), moment);
        assert_eq!(other, Err(ResolveError::NotUnknown(Status::Pending)), "attempt {number} is not live");
    }
}

/// The gateway says each time that it has never heard of the order.
#[test]
fn an_order_that_never_arrives_is_not_sent_for_ever() {
    let mut invoice = sending();
    let mut now = START;
    let mut sends = 1;
    loop {
        assert!(sends < 50, "sent for ever");
        now += SignedDuration::from_secs(31);
        let reduction = applied(observe(&invoice, 1, ChargeOutcome::Absent, now));
        invoice = reduction.invoice;
        if invoice.status() != Status::Pending {
            break;
        }
        assert!(reduction.wake && invoice.state.due() == Some(now), "it goes out again at once");
        invoice = claimed(&invoice, now);
        sends += 1;
    }
    assert_eq!((sends, invoice.attempts.0), (8, 1));
    assert_eq!(invoice.status(), Status::ChargedWithError);
    assert_eq!(invoice.failure_class(), Some(FailureClass::NotSent));
}

#[test]
fn what_may_be_on_its_way_is_asked_about_once_more_before_it_ends_as_never_sent() {
    let unknown = after_outcome(&sending(), 1, silence(), START);
    let Ok(Cancellation::Requested(requested)) = unknown.canceled(after(1)) else { panic!("not requested") };
    let asked = after_outcome(&requested, 1, ChargeOutcome::Absent, after(2));
    let again = after(2 + 5 * MINUTE);
    assert_eq!((asked.status(), asked.state.due()), (Status::Pending, Some(again)));
    assert_eq!(after_outcome(&asked, 1, approved("ch_1", 10_000), again).status(), Status::Paid);
    assert_eq!(after_outcome(&asked, 1, ChargeOutcome::Absent, again).status(), Status::Canceled);
}

#[test]
fn a_duplicate_is_asked_about_at_once_and_is_no_decline() {
    let reduction = applied(observe(&sending(), 1, declined(FailureClass::Duplicate), after(3)));
    let invoice = &reduction.invoice;
    assert!(reduction.wake && reduction.attempt.is_none());
    assert_eq!((invoice.status(), invoice.state.due()), (Status::Pending, Some(after(3))));
    assert!(matches!(live(invoice).phase, Phase::Unknown { polls: 0, .. }));
    assert!(matches!(invoice.next_step(after(3)), NextStep::Ask(_)), "never sent again unasked");
    assert_eq!((invoice.declines, invoice.failures), (0, 0));
    let asked = after_outcome(invoice, 1, declined(FailureClass::Duplicate), after(4));
    assert!(matches!(live(&asked).phase, Phase::Unknown { polls: 1, .. }), "that was no answer");
    assert_eq!(after_outcome(invoice, 1, approved("ch_1", 10_000), after(5)).status(), Status::Paid);
    let silent = after_outcome(invoice, 1, silence(), after(5));
    assert_eq!(silent.state.due(), Some(after(5 + 5 * MINUTE)), "as any other that is asked about");
}

#[test]
fn a_gateway_that_says_duplicate_when_asked_leaves_it_to_a_person_in_the_end() {
    let mut invoice = after_outcome(&sending(), 1, declined(FailureClass::Duplicate), START);
    let mut looks = 0;
    while let Some(due) = invoice.state.due() {
        looks += 1;
        assert!(looks <= 20, "asked for ever");
        invoice = after_outcome(&invoice, 1, declined(FailureClass::Duplicate), due);
    }
    assert_eq!(invoice.next_action(), Some((NextAction::AwaitOperator, None)));
    assert!(invoice.matter().is_some());
}
