//! How long each failure is tried, told along a time line: attempt by attempt until it ends or waits for somebody.

use super::*;
use crate::dunning::{ClassRule, Minutes, Rules};

/// One invoice whose every order is answered alike.
struct Life {
    invoice: Invoice,
    policy: Policy,
    now: Timestamp,
    /// Whether there is a message about it.
    is_told: bool,
    /// When orders went out, by attempt.
    sent: Vec<(u8, Timestamp)>,
    /// What it waits for when nothing is tried any more.
    rests: Option<(NextAction, Option<Timestamp>)>,
}

impl Life {
    fn of(invoice: Invoice, policy: Policy) -> Self {
        Self { invoice, policy, now: START, is_told: true, sent: Vec::new(), rests: None }
    }

    /// The queue and the sweep, until nothing is due any more.
    fn lived(mut self, answer: &ChargeOutcome) -> Self {
        for _ in 0..200 {
            if let (true, NextStep::Send(next)) = (self.is_told, self.invoice.next_step(self.now)) {
                self.is_told = false;
                self.sent.push((next.attempts.0, self.now));
                self.invoice = self.heard(&next, answer);
            } else if let Some(due) = self.invoice.state.due() {
                self.sweep(due);
            } else {
                return self;
            }
            if let State::ChargedWithError(Failed { retry_at: None, .. }) = &self.invoice.state {
                self.rests = self.invoice.next_action();
            }
        }
        panic!("tried for ever: {:?}", self.sent)
    }

    fn heard(&self, invoice: &Invoice, answer: &ChargeOutcome) -> Invoice {
        let observation = Observation {
            gateway: invoice.charge_request().unwrap().0.gateway,
            attempt: invoice.attempts,
            outcome: answer.clone(),
        };
        let moment = Moment { now: self.now, entropy: 0 };
        applied(invoice.observe(&observation, &self.policy, moment)).invoice
    }

    fn sweep(&mut self, due: Timestamp) {
        let early = due - SignedDuration::from_millis(1);
        assert_eq!(self.invoice.woken(&self.policy, early), None, "nothing is due before its time");
        self.now = self.now.max(due);
        self.is_told = true;
        self.invoice = match self.invoice.woken(&self.policy, self.now).unwrap() {
            Woken::PutOff(next) | Woken::GaveUp(next) => *next,
            Woken::Retry => self.invoice.retried(card(), &self.policy, self.now).unwrap(),
        };
    }

    fn attempts(&self) -> u8 {
        self.sent.last().map_or(0, |(attempt, _)| *attempt)
    }

    fn sent_after(&self, unit: i64) -> Vec<i64> {
        self.sent.iter().map(|(_, at)| at.duration_since(START).as_secs()).map(|s| s / unit).collect()
    }
}

fn lived(class: FailureClass, policy: Policy) -> Life {
    Life::of(pending_with(card()), policy).lived(&declined(class))
}

/// Every class but those with a schedule of their own, at the defaults.
#[test]
fn each_class_is_tried_on_its_days_and_given_up_after_sixty() {
    use FailureClass::{
        AuthenticationRequired, Configuration, CurrencyMismatch, CustomerNotFound, DoNotHonor, Generic, Hard,
        InsufficientFunds, IssuerUnavailable, PixExpired, RiskDeclined, SuspectedFraud,
    };
    let on_the_last_day = after(60 * DAY);
    let give_up = Some((NextAction::GiveUp, Some(on_the_last_day)));
    let operator = Some((NextAction::AwaitOperator, None));
    let table: [(FailureClass, &[i64], u8, _); 12] = [
        (InsufficientFunds, &[0, 3, 8, 15], 4, give_up),
        (DoNotHonor, &[0, 1, 4, 9], 4, give_up),
        (Generic, &[0, 1, 4, 9], 4, give_up),
        (IssuerUnavailable, &[0, 1, 2, 3], 4, give_up),
        (Hard, &[0], 1, Some((NextAction::AwaitPaymentMethod, None))),
        (AuthenticationRequired, &[0], 1, give_up),
        (SuspectedFraud, &[0], 1, give_up),
        (CurrencyMismatch, &[0], 0, operator),
        (Configuration, &[0], 0, operator),
        (CustomerNotFound, &[0, 1], 0, operator),
        (PixExpired, &[0, 0, 0, 0], 0, give_up),
        (RiskDeclined, &[0], 0, give_up),
    ];
    let told: Vec<FailureClass> = table.iter().map(|(class, ..)| *class).collect();
    let missing = FailureClass::ALL.into_iter().filter(|class| class.has_rule() && !told.contains(class));
    assert_eq!(missing.collect::<Vec<_>>(), [FailureClass::Duplicate], "which is asked about");

    for (class, days, declines, rests) in table {
        let life = lived(class, Policy::default());
        let name = class.as_str();
        assert_eq!(life.sent_after(1), days.iter().map(|day| day * DAY).collect::<Vec<_>>(), "{name}");
        assert_eq!(usize::from(life.attempts()), days.len(), "{name}");
        assert_eq!(life.invoice.declines, declines, "{name}: what the bank refused");
        assert_eq!(life.rests, rests, "{name}");
        assert_eq!(life.invoice.status(), Status::Uncollectible, "{name}");
        let last = life.invoice.history.last().unwrap();
        assert_eq!(
            (last.at, last.cause, life.invoice.state.due()),
            (on_the_last_day, Cause::GaveUp, None),
            "{name}"
        );
    }
}

/// One attempt: the order that never arrives is the same order each time.
#[test]
fn what_does_not_arrive_is_sent_eight_times_in_ten_hours_as_one_attempt() {
    let unsent = ChargeOutcome::NotSent { failure: failure(FailureClass::NotSent) };
    let life = Life::of(pending_with(card()), Policy::default()).lived(&unsent);
    assert_eq!(life.sent_after(MINUTE), [0, 5, 15, 35, 75, 155, 315, 635]);
    assert_eq!((life.attempts(), life.invoice.declines), (1, 0));
    assert_eq!(life.rests, Some((NextAction::GiveUp, Some(after(60 * DAY)))));
    assert_eq!(life.invoice.status(), Status::Uncollectible);
}

fn with_waits(class: FailureClass, waits: Vec<Minutes>) -> Policy {
    let mut rules = Rules::default();
    rules.classes.insert(class, ClassRule { retry_after: waits, on_new_payment_method: false });
    Policy::of(rules)
}

/// More patience than the caps allow.
#[test]
fn the_caps_end_it_whatever_the_class_would_allow() {
    let days = |days: u32, count| vec![Minutes::of_days(days); count];
    let table = [
        ("seven declines", FailureClass::Generic, days(1, 20), vec![0, 1, 2, 3, 4, 5, 6], 6),
        ("twenty attempts", FailureClass::PixExpired, days(1, 20), (0..20).collect(), 19),
        ("sixty days", FailureClass::Generic, days(25, 20), vec![0, 25, 50], 60),
        ("sixty days to the second", FailureClass::Generic, days(30, 20), vec![0, 30, 60], 60),
    ];
    for (cap, class, waits, tried, ended) in table {
        let life = lived(class, with_waits(class, waits));
        assert_eq!(life.sent_after(DAY), tried, "{cap}");
        let steps = &life.invoice.history;
        assert_eq!(life.invoice.since(), after(ended * DAY), "{cap}");
        assert_eq!(steps.last().unwrap().status, Status::Uncollectible, "{cap}");
    }
}

/// Another wait would end a second after the sixtieth day: it isn't begun.
#[test]
fn a_retry_that_would_come_too_late_is_not_planned() {
    let waits = vec![Minutes(60 * 24 * 60 - 1), Minutes(2)];
    let policy = with_waits(FailureClass::Generic, waits);
    let life = lived(FailureClass::Generic, policy);
    assert_eq!(life.sent_after(MINUTE), [0, 60 * 24 * 60 - 1]);
    assert_eq!(life.rests, Some((NextAction::GiveUp, Some(after(60 * DAY)))));
}

/// The sixty days count from when it was tried, not from when somebody planned it.
#[test]
fn what_was_planned_long_before_is_tried_as_patiently_as_anything() {
    let policy = Policy::default();
    let planned = draft().charged(Some(card()), Some(after(90 * DAY)), &policy, START).unwrap();
    let life = Life::of(planned, policy).lived(&declined(FailureClass::InsufficientFunds));
    assert_eq!(life.sent_after(DAY), [90, 93, 98, 105]);
    assert_eq!(life.invoice.since(), after(150 * DAY));
    assert_eq!(life.invoice.status(), Status::Uncollectible);
}

/// Whoever asks for another charge gets the class's patience again, and not the caps'.
#[test]
fn asking_again_does_not_forget_what_was_tried() {
    let policy = Policy::default();
    let life = lived(FailureClass::Generic, policy.clone());
    assert_eq!((life.invoice.declines, life.invoice.attempts.0), (4, 4));
    let again = failed_again(FailureClass::Generic, 3);
    let life = Life { now: again.updated_at, ..Life::of(again, policy) };
    let life = life.lived(&declined(FailureClass::Generic));
    assert_eq!(life.sent_after(DAY), [2, 3, 6, 11], "three were tried at once before");
    assert_eq!((life.invoice.declines, life.invoice.since()), (7, after(11 * DAY)));
    assert_eq!(life.invoice.status(), Status::Uncollectible);
}

/// Charged so many times, each time because somebody asked, once a day; and asked for once more.
fn failed_again(class: FailureClass, times: u8) -> Invoice {
    let mut invoice = sending();
    for number in 1..=times {
        let now = after(DAY * (i64::from(number) - 1));
        let failed = after_outcome(&invoice, number, declined(class), now);
        let requeued = failed.requeued(card(), &Policy::default(), now).unwrap();
        invoice = if number == times { requeued } else { claimed(&requeued, now) };
    }
    invoice
}
