//! What the risk rules hold back, and what becomes of it.

use super::*;
use crate::actor::Actor;
use crate::attention::{AttentionId, AttentionKind};
use crate::charge::AttemptOutcome;
use crate::dunning::{ClassRule, Minutes, Rules};
use crate::id::PaymentMethodId;
use crate::risk::{Assessment, Decision, Judgement, Verdict};
use crate::routing::{Why, WhyThere};

fn assessment(decision: Decision) -> Assessment {
    Assessment { decision, score: 60, reasons: Vec::new(), edition: 3 }
}

fn moment(seconds: i64) -> Moment {
    Moment { now: after(seconds), entropy: 9 }
}

fn held() -> Invoice {
    let judged = sending().judged(assessment(Decision::Review).into());
    judged.held(&Policy::default(), moment(1)).unwrap().invoice
}

fn reviewed(invoice: &Invoice, verdict: Verdict) -> Result<Reduction, NotHeld> {
    invoice.reviewed(verdict, Actor::new("key_ana"), &Policy::default(), moment(60))
}

#[test]
fn what_is_held_waits_for_a_person_and_for_nobody_else() {
    let held = held();
    assert_eq!((held.status(), held.version), (Status::Pending, sending().version + 1));
    assert_eq!(held.state.due(), None, "the sweep leaves it alone");
    assert_eq!(held.next_step(after(DAY)), NextStep::Rest, "and so does a message");
    assert_eq!(held.next_action(), Some((NextAction::AwaitOperator, None)));
    let matter = held.matter().unwrap();
    assert_eq!((matter.kind, matter.amount), (AttentionKind::RiskReview, Some(held.total)));
    assert_eq!(matter.id, AttentionId::of_review(held.attempt_id(held.attempts)));
    assert!(matter.detail.contains("60"), "{}", matter.detail);
    assert_eq!(held.begins(), None, "it has begun");
    for outcome in [
        declined(FailureClass::Hard),
        silence(),
        ChargeOutcome::Absent,
        ChargeOutcome::NotSent { failure: failure(FailureClass::NotSent) },
        ChargeOutcome::Voided { reference: reference("ch_1") },
        qr(after(HOUR)),
    ] {
        assert_eq!(observe(&held, 1, outcome, after(2)), Reduced::AlreadyApplied, "no gateway has seen it");
    }
    assert_eq!(
        after_outcome(&held, 1, approved("ch_1", 10_000), after(2)).status(),
        Status::Paid,
        "money is money"
    );
}

#[test]
fn only_what_is_about_to_be_sent_is_held() {
    let policy = Policy::default();
    let unknown = after_outcome(&sending(), 1, silence(), START);
    for invoice in [draft(), pending_with(card()), unknown, held(), paid()] {
        assert_eq!(invoice.held(&policy, moment(1)), None, "{:?}", invoice.state);
    }
    let Ok(Cancellation::Requested(canceling)) = sending().canceled(START) else { panic!("not live") };
    let judged = canceling.judged(assessment(Decision::Review).into());
    let reduction = judged.held(&policy, moment(1)).unwrap();
    assert_eq!(reduction.invoice.status(), Status::Canceled, "there is nothing left to review");
    assert!(matches!(reduction.attempt.unwrap().outcome, AttemptOutcome::NotSent(_)));
}

#[test]
fn what_is_approved_goes_out_as_the_same_attempt_and_isnt_judged_again() {
    let released = reviewed(&held(), Verdict::Approve).unwrap();
    assert!(released.wake, "at once");
    let released = released.invoice;
    assert_eq!((released.status(), released.matter()), (Status::Pending, None));
    assert!(released.state.due().is_some(), "a message that is lost is sent again");
    assert_eq!(released.begins(), None);
    let NextStep::Send(sent) = released.next_step(after(61)) else { panic!("not sent") };
    let judgement = sent.judgement().unwrap().clone();
    assert!(judgement.allows());
    let (_, request) = sent.charge_request().unwrap();
    assert_eq!((request.attempt.number.0, request.begun_at), (1, after(60)), "it begins when it is released");
    let paid = applied(observe(&sent, 1, approved("ch_1", 10_000), after(62)));
    assert_eq!(paid.attempt.unwrap().risk, Some(judgement));
}

#[test]
fn what_is_rejected_is_declined_for_good_and_by_no_bank() {
    let rejected = reviewed(&held(), Verdict::Reject).unwrap();
    let attempt = rejected.attempt.unwrap();
    let AttemptOutcome::Declined(failure) = &attempt.outcome else { panic!("{attempt:?}") };
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::RiskDeclined, "risk_rejected"));
    let review = attempt.risk.unwrap().review.unwrap();
    assert_eq!((review.verdict, review.by.as_str(), review.at), (Verdict::Reject, "key_ana", after(60)));
    let invoice = rejected.invoice;
    assert_eq!(invoice.status(), Status::ChargedWithError);
    let State::ChargedWithError(failed) = &invoice.state else { panic!() };
    assert_eq!((failed.retry_at, failed.awaits_method), (None, false));
    assert_eq!((invoice.failures, invoice.declines), (1, 0), "no card network has heard of it");
    assert_eq!(invoice.history.last().unwrap().cause, Cause::RiskDeclined);
    assert_eq!(invoice.barred_until(&card(), Some("visa"), &Policy::default(), after(61)), None);
    assert_eq!(reviewed(&invoice, Verdict::Approve), Err(NotHeld(Status::ChargedWithError)), "once");
}

#[test]
fn a_rule_of_dunning_may_say_otherwise() {
    let mut rules = Rules::default();
    let again = ClassRule { retry_after: vec![Minutes(60)], on_new_payment_method: true };
    rules.classes.insert(FailureClass::RiskDeclined, again);
    assert_eq!(rules.faults(), []);
    let policy = Policy::of(rules);
    let rejected =
        held().reviewed(Verdict::Reject, Actor::new("key_ana"), &policy, moment(60)).unwrap().invoice;
    assert_eq!(rejected.state.due(), Some(after(60 + HOUR)));
    let retried = rejected.retried(card(), &policy, after(60 + HOUR)).unwrap();
    assert_eq!((retried.judgement(), retried.begins()), (None, Some(Begins::default())), "judged anew");
}

#[test]
fn what_is_held_or_released_can_be_canceled() {
    let released = reviewed(&held(), Verdict::Approve).unwrap().invoice;
    for invoice in [held(), released] {
        let Ok(Cancellation::Done(reduction)) = invoice.canceled(after(61)) else { panic!("{invoice:?}") };
        assert_eq!(reduction.invoice.status(), Status::Canceled);
        let attempt = reduction.attempt.unwrap();
        assert!(
            matches!(&attempt.outcome, AttemptOutcome::NotSent(failure) if failure.code == "risk_review")
        );
        assert!(attempt.risk.is_some());
    }
}

#[test]
fn an_order_that_another_gateway_is_given_stays_judged() {
    let why = Some(Why { edition: 3, there: WhyThere::Rule(1) });
    let first = claimed(&pending_with(PaymentSource { why, ..also_elsewhere(card()) }), START);
    let judged = first.judged(assessment(Decision::Approve).into());
    let not_sent = ChargeOutcome::NotSent { failure: failure(FailureClass::NotSent) };
    let second = after_outcome(&judged, 1, not_sent, after(1));
    assert_eq!(second.judgement(), judged.judgement());
    assert_eq!(second.begins(), None, "neither asked nor counted");
    let again = claimed(&second, after(2));
    let other: Judgement = assessment(Decision::Decline).into();
    assert_eq!(again.clone().judged(other).judgement(), judged.judgement(), "the first word stays");
}

#[test]
fn what_was_judged_is_remembered_of_the_same_attempt_only() {
    let judged = sending().judged(assessment(Decision::Approve).into());
    let Ok(Cancellation::Requested(stored)) = sending().canceled(START) else { panic!("not live") };
    assert_eq!(stored.judged_as(&judged).judgement(), judged.judgement());
    assert_eq!(pending_with(card()).judged_as(&judged).judgement(), None);
    let failed = after_outcome(&sending(), 1, declined(FailureClass::InsufficientFunds), START);
    let another = claimed(&woken(&failed, after(3 * DAY)).unwrap(), after(3 * DAY));
    assert_eq!(another.judged_as(&judged).judgement(), None);
}

#[test]
fn a_message_says_by_which_card_its_attempt_begins() {
    let card_mark = || {
        let id = PaymentMethodId::new(CustomerId::new(7), START, 2);
        let card = crate::customer::Card {
            gateway: sandbox(),
            token: Token("tok_visa".to_owned()),
            others: BTreeMap::new(),
            brand: None,
            is_brand_claimed: false,
            last4: None,
            expiry: None,
            country: None,
        };
        let instrument = crate::customer::Instrument::CreditCard(card);
        crate::customer::KnownCard::of(&crate::customer::PaymentMethod { id, instrument, created_at: START })
    };
    let known = card_mark();
    let begins = pending_with(PaymentSource { card: known.clone(), ..card() }).begins();
    assert_eq!(begins, Some(Begins { card: known.map(|card| card.mark) }));
    assert_eq!(pending_with(pix()).begins(), Some(Begins { card: None }));
    assert_eq!((draft().begins(), sending().begins(), paid().begins()), (None, None, None));
}

/// Neither an end as uncollectible nor a cancellation undoes it, only another order that came to something else.
#[test]
fn what_was_refused_for_its_risk_stays_so_until_it_was_tried_again() {
    let rejected = reviewed(&held(), Verdict::Reject).unwrap().invoice;
    let uncollectible = woken(&rejected, after(61 * DAY)).unwrap();
    assert_eq!(uncollectible.status(), Status::Uncollectible);
    let requeued = rejected.requeued(card(), &Policy::default(), after(61)).unwrap();
    let Ok(Cancellation::Done(recalled)) = requeued.canceled(after(62)) else { panic!("it isn't sent") };
    let given_up = [&rejected, &uncollectible].map(|refused| refused.given_up(after(61 * DAY)).unwrap());
    for refused in [&rejected, &uncollectible, &requeued, &recalled.invoice].into_iter().chain(&given_up) {
        assert!(refused.was_refused_for_risk(), "{:?}", refused.history);
    }
    let again = claimed(&requeued, after(62));
    let refused_by_bank = after_outcome(&again, 2, declined(FailureClass::Hard), after(63));
    for other in [held(), paid(), refused_by_bank.given_up(after(64)).unwrap(), refused_by_bank] {
        assert!(!other.was_refused_for_risk(), "{:?}", other.history);
    }
}
