//! What each state asks of others.

use super::*;
use crate::attention::AttentionKind;
use crate::charge::Phase;
use crate::id::RunId;
use crate::run::Outcome;

#[test]
fn every_state_says_what_happens_next() {
    use NextAction::{Ask, AwaitOperator, AwaitPayer, AwaitPaymentMethod, Charge, GiveUp, Retry, SendAgain};
    let policy = Policy::default();
    let scheduled = draft().charged(Some(card()), Some(after(DAY)), &policy, START).unwrap();
    let not_sent = ChargeOutcome::NotSent { failure: failure(FailureClass::NotSent) };
    let not_sent = after_outcome(&sending(), 1, not_sent, START);
    let resend = not_sent.state.due();
    let waiting = after_outcome(&claimed(&pending_with(pix()), START), 1, qr(after(HOUR)), after(1));
    let in_hours = |hours| Some(after(hours * HOUR));
    let table = [
        ("draft", draft(), None),
        ("asked for", pending_with(card()), Some((Charge, None))),
        ("scheduled", scheduled, Some((Charge, in_hours(24)))),
        ("being sent", sending(), Some((Charge, None))),
        ("not sent", not_sent, Some((SendAgain, resend))),
        ("waiting for the payer", waiting, Some((AwaitPayer, None))),
        ("unknown", after_outcome(&sending(), 1, silence(), START), Some((Ask, Some(after(MINUTE))))),
        ("unknown for good", forgotten(), Some((AwaitOperator, None))),
        ("another amount", mismatched(), Some((AwaitOperator, None))),
        ("no money", failed(FailureClass::InsufficientFunds), Some((Retry, in_hours(72)))),
        ("stolen", failed(FailureClass::Hard), Some((AwaitPaymentMethod, None))),
        ("wrong set-up", failed(FailureClass::Configuration), Some((AwaitOperator, None))),
        ("unknown customer", failed(FailureClass::CustomerNotFound), Some((Retry, in_hours(24)))),
        ("suspected", failed(FailureClass::SuspectedFraud), Some((GiveUp, in_hours(60 * 24)))),
        ("given up", uncollectible(), None),
        ("paid", paid(), None),
    ];
    for (name, invoice, expected) in table {
        assert_eq!(invoice.next_action(), expected, "{name}");
    }
    for invoice in legality::in_every_status() {
        let is_unpaid = matches!(invoice.status(), Status::Pending | Status::ChargedWithError);
        assert_eq!(invoice.next_action().is_some(), is_unpaid, "{:?}", invoice.status());
    }
}

/// Only where no retry is planned: a person is not bothered with what may still end by itself.
#[test]
fn a_set_up_that_keeps_the_charge_from_being_made_is_for_a_person() {
    let kinds = |invoice: Invoice| invoice.matter().map(|matter| (matter.kind, matter.detail));
    let cannot = |detail: &str| Some((AttentionKind::CannotCharge, detail.to_owned()));
    assert_eq!(kinds(failed(FailureClass::Configuration)), cannot("configuration: message"));
    assert_eq!(kinds(failed(FailureClass::CurrencyMismatch)), cannot("currency_mismatch: message"));
    let unknown_customer = failed(FailureClass::CustomerNotFound);
    assert_eq!(kinds(unknown_customer.clone()), None, "it is tried once more");
    let again = claimed(&woken(&unknown_customer, after(DAY)).unwrap(), after(DAY));
    let twice = after_outcome(&again, 2, declined(FailureClass::CustomerNotFound), after(DAY));
    assert_eq!(kinds(twice.clone()), cannot("customer_not_found: message"));
    let given_up = woken(&twice, after(60 * DAY)).unwrap();
    assert_eq!(given_up.status(), Status::Uncollectible);
    assert_eq!(given_up.matter().map(|matter| matter.id), twice.matter().map(|matter| matter.id));
    let requeued = twice.requeued(card(), &Policy::default(), after(2 * DAY)).unwrap();
    assert_eq!(kinds(requeued), None, "charged again, it is nobody's any more");
    for class in [FailureClass::Hard, FailureClass::Generic, FailureClass::SuspectedFraud] {
        assert_eq!(kinds(failed(class)), None);
    }
}

#[test]
fn a_run_counts_each_invoice_as_what_became_of_it() {
    let run = RunId::named("202611").unwrap();
    let charged = |invoice: Invoice| Invoice { run: Some(run.clone()), ..invoice }.outcome_for_run();
    let is = |outcome| Some((run.clone(), outcome));
    assert_eq!(charged(draft()), None, "not charged yet");
    for (invoice, outcome) in [
        (pending_with(card()), Outcome::Pending),
        (sending(), Outcome::Pending),
        (after_outcome(&sending(), 1, silence(), START), Outcome::Unknown),
        (mismatched(), Outcome::Unknown),
        (failed(FailureClass::Hard), Outcome::Failed(FailureClass::Hard)),
        (uncollectible(), Outcome::Failed(FailureClass::Hard)),
        (paid(), Outcome::Paid),
    ] {
        assert_eq!(charged(invoice.clone()), is(outcome), "{:?}", invoice.state);
        assert_eq!(Invoice { run: None, ..invoice }.outcome_for_run(), None, "charged by no run");
    }
    for invoice in legality::in_every_status() {
        let outcome = match invoice.status() {
            Status::Refunded | Status::InProtest | Status::Chargeback => Outcome::Paid,
            Status::Canceled => Outcome::Canceled,
            _ => continue,
        };
        assert_eq!(charged(invoice), is(outcome));
    }
    assert_eq!(Outcome::Failed(FailureClass::Hard).name(), "failed_hard");
}

#[test]
fn the_failure_of_an_attempt_under_way_is_told_too() {
    assert_eq!(sending().failure_class(), None);
    assert_eq!(forgotten().failure_class(), Some(FailureClass::Unknown));
    assert_eq!(mismatched().failure_class(), Some(FailureClass::AmountMismatch));
    assert_eq!(uncollectible().failure_class(), Some(FailureClass::Hard));
    assert_eq!(paid().failure_class(), None);
    assert!(matches!(live(&forgotten()).phase, Phase::Unknown { polls: 8, .. }));
}
