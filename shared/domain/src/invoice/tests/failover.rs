//! Where an order goes that its gateway doesn't take: elsewhere only if it surely moved no money here.

use super::*;
use crate::routing::{Why, WhyThere};

fn not_sent() -> ChargeOutcome {
    ChargeOutcome::NotSent { failure: failure(FailureClass::NotSent) }
}

/// A card that two gateways hold, its first order under way.
fn sending_at_two() -> Invoice {
    let why = Some(Why { edition: 3, there: WhyThere::Rule(1) });
    claimed(&pending_with(PaymentSource { why, ..also_elsewhere(card()) }), START)
}

fn gateway(invoice: &Invoice) -> Option<String> {
    let State::Pending(collection) = &invoice.state else { return None };
    Some(collection.source.gateway.to_string())
}

fn hear(invoice: &Invoice, outcome: ChargeOutcome, now: Timestamp) -> Reduction {
    let State::Pending(collection) = &invoice.state else { panic!("nothing is under way") };
    let gateway = collection.source.gateway.clone();
    let observation = Observation { gateway, attempt: invoice.attempts, outcome };
    applied(invoice.observe(&observation, &Policy::default(), Moment { now, entropy: 9 }))
}

#[test]
fn what_was_not_sent_goes_to_the_next_gateway_as_an_attempt_of_its_own() {
    let reduction = hear(&sending_at_two(), not_sent(), after(1));
    let first = reduction.attempt.clone().unwrap();
    assert_eq!((first.id.number.0, first.gateway), (1, sandbox()));
    assert_eq!(first.why, Some(Why { edition: 3, there: WhyThere::Rule(1) }));
    assert!(reduction.wake, "at once");
    let invoice = reduction.invoice;
    let steps: Vec<_> = invoice.history[2..].iter().map(|step| (step.status, step.cause)).collect();
    assert_eq!(steps, [(Status::ChargedWithError, Cause::NotSent), (Status::Pending, Cause::FailedOver)]);
    assert_eq!((invoice.failures, invoice.declines, live_number(&invoice)), (0, 0, None));

    let second = claimed(&invoice, after(2));
    let (source, request) = second.charge_request().unwrap();
    assert_eq!((source.gateway, request.attempt.number.0), (other_gateway(), 2));
    assert_eq!(request.means, Means::CreditCard(Token("tok_elsewhere".to_owned())), "each has its own token");
    let paid = hear(&second, approved("ch_2", 10_000), after(3));
    let attempt = paid.attempt.unwrap();
    assert_eq!(attempt.why, Some(Why { edition: 3, there: WhyThere::Failover }));
    assert_eq!(paid.invoice.state.payment().unwrap().charge.as_ref().unwrap().gateway, other_gateway());
    assert_eq!(
        balances(paid.transaction.iter()),
        in_accounts(&[("gateway_clearing:other", 10_000), ("revenue", -10_000)])
    );
}

fn live_number(invoice: &Invoice) -> Option<u8> {
    invoice.state.live_attempt().map(|live| live.number.0)
}

#[test]
fn the_last_gateway_is_asked_again_as_if_it_were_the_only_one() {
    let second = claimed(&hear(&sending_at_two(), not_sent(), after(1)).invoice, after(2));
    let waiting = hear(&second, not_sent(), after(3)).invoice;
    assert_eq!((gateway(&waiting).as_deref(), live_number(&waiting)), (Some("other"), Some(2)));
    assert!(waiting.state.due().is_some());
    let (_, first) = second.charge_request().unwrap();
    let (_, again) = claimed(&waiting, after(DAY)).charge_request().unwrap();
    assert_eq!(
        (again.clone(), again.begun_at),
        (first, after(2)),
        "the same order, to the instant that it speaks of"
    );
}

#[test]
fn silence_keeps_the_order_where_it_is() {
    let silent = hear(&sending_at_two(), silence(), after(1)).invoice;
    assert_eq!(gateway(&silent).as_deref(), Some("sandbox"));
    let asked = hear(&silent, silence(), after(HOUR)).invoice;
    assert_eq!(gateway(&asked).as_deref(), Some("sandbox"));
    // The gateway knows nothing of it: it goes out again there, under its own key, and stays there.
    let absent = hear(&asked, ChargeOutcome::Absent, after(2 * HOUR)).invoice;
    let again = claimed(&absent, after(2 * HOUR));
    assert_eq!((gateway(&again).as_deref(), live_number(&again)), (Some("sandbox"), Some(1)));
    let unreachable = hear(&again, not_sent(), after(2 * HOUR + 1)).invoice;
    assert_eq!(gateway(&unreachable).as_deref(), Some("sandbox"), "the first order may still be on its way");
}

#[test]
fn a_decline_that_another_gateway_may_not_repeat_is_tried_there_once() {
    for class in FailureClass::ALL.into_iter().filter(|class| *class != FailureClass::Duplicate) {
        let next = hear(&sending_at_two(), declined(class), after(1)).invoice;
        let goes_on = matches!(class, FailureClass::DoNotHonor | FailureClass::Generic);
        assert_eq!(gateway(&next).as_deref(), goes_on.then_some("other"), "{class:?}");
    }
    let first = hear(&sending_at_two(), declined(FailureClass::DoNotHonor), after(1)).invoice;
    assert_eq!((first.declines, first.failures), (1, 0));
    let mut second = claimed(&first, after(2));
    // A third gateway that holds the card isn't asked for the same card once more.
    if let State::Pending(collection) = &mut second.state {
        collection.source = also_elsewhere(collection.source.clone());
    }
    let failed = hear(&second, declined(FailureClass::DoNotHonor), after(3)).invoice;
    assert_eq!((failed.status(), failed.declines, failed.failures), (Status::ChargedWithError, 2, 1));
    assert_eq!(failed.state.due(), Some(after(3 + DAY)), "the first of the patient retries");

    let retried = failed.retried(also_elsewhere(card()), &Policy::default(), after(3 + DAY)).unwrap();
    let declined_again =
        hear(&claimed(&retried, after(4 + DAY)), declined(FailureClass::Generic), after(5 + DAY));
    assert_eq!(declined_again.invoice.status(), Status::ChargedWithError, "once before the patient retries");
    let unreachable = hear(&claimed(&retried, after(4 + DAY)), not_sent(), after(5 + DAY)).invoice;
    assert_eq!(gateway(&unreachable).as_deref(), Some("other"), "what was not sent counts for nothing");
}

#[test]
fn caps_and_cancellations_end_it_first() {
    let mut tired = sending_at_two();
    tired.declines = Policy::default().rules.caps.declines - 1;
    let ended = hear(&tired, declined(FailureClass::Generic), after(1)).invoice;
    assert_eq!(ended.status(), Status::Uncollectible);
    let mut last = sending_at_two();
    let cap = AttemptNumber(Policy::default().rules.caps.attempts);
    last.attempts = cap;
    if let State::Pending(Collection { live: Some(live), .. }) = &mut last.state {
        live.number = cap;
    }
    let waiting = hear(&last, not_sent(), after(1)).invoice;
    assert_eq!(
        gateway(&waiting).as_deref(),
        Some("sandbox"),
        "no attempt is left: the same order goes out again"
    );
    let Ok(Cancellation::Requested(unwanted)) = sending_at_two().canceled(after(1)) else {
        panic!("not live")
    };
    for outcome in [not_sent(), declined(FailureClass::Generic)] {
        assert_eq!(hear(&unwanted, outcome, after(2)).invoice.status(), Status::Canceled);
    }
}

#[test]
fn money_that_the_first_gateway_took_after_all_goes_back_there() {
    let second = claimed(&hear(&sending_at_two(), not_sent(), after(1)).invoice, after(2));
    let late = after_outcome(&second, 1, approved("ch_1", 10_000), after(3));
    assert_eq!((late.status(), late.orphans.len(), live_number(&late)), (Status::Pending, 1, Some(2)));
    assert_eq!(late.orphans[0].gateway, sandbox());
}

#[test]
fn what_was_planned_ahead_is_rerouted_until_it_begins() {
    let policy = Policy::default();
    let planned = draft().charged(Some(card()), Some(after(DAY)), &policy, START).unwrap();
    let elsewhere = also_elsewhere(card()).elsewhere().unwrap();
    let rerouted = planned.clone().rerouted(elsewhere.clone());
    assert_eq!((gateway(&rerouted).as_deref(), rerouted.version), (Some("other"), planned.version));
    for begun in [claimed(&planned, after(DAY)), pending_with(card())] {
        assert_eq!(gateway(&begun.rerouted(elsewhere.clone())).as_deref(), Some("sandbox"));
    }
    let other_card = PaymentSource { gateway: other_gateway(), ..another_card() };
    assert_eq!(planned.clone().rerouted(other_card), planned);
}
