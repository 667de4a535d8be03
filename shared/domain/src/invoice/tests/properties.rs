//! Whatever comes, in whatever order: invariants 2 and 3 of the design.

use super::*;
use crate::ledger::{Direction, Transaction, TransactionKind};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    Charge,
    Collect,
    Sweep,
    Cancel,
    Wait(i64),
    Hear { attempt: u8, outcome: ChargeOutcome },
}

fn outcomes() -> impl Strategy<Value = ChargeOutcome> {
    let class = prop::sample::select(FailureClass::ALL.to_vec());
    prop_oneof![
        (0..3_u8, prop_oneof![3 => Just(10_000_i64), 1 => 1..20_000_i64])
            .prop_map(|(which, minor)| approved(&format!("ch_{which}"), minor)),
        class.prop_map(declined),
        Just(qr(after(3_600))),
        Just(ChargeOutcome::NotSent { failure: failure(FailureClass::NotSent) }),
        Just(ChargeOutcome::Unknown { failure: failure(FailureClass::Unknown) }),
        (0..3_u8).prop_map(|which| ChargeOutcome::Voided { reference: reference(&format!("ch_{which}")) }),
        Just(ChargeOutcome::Absent),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => Just(Step::Charge),
        4 => Just(Step::Collect),
        2 => Just(Step::Sweep),
        1 => Just(Step::Cancel),
        2 => prop_oneof![1..120_i64, 3_600..1_000_000_i64].prop_map(Step::Wait),
        6 => (0..4_u8, outcomes()).prop_map(|(attempt, outcome)| Step::Hear { attempt, outcome }),
    ];
    prop::collection::vec(step, 0..60)
}

/// One invoice with the books that go with it.
struct World {
    invoice: Invoice,
    transactions: Vec<Transaction>,
    now: Timestamp,
    entropy: u64,
}

impl World {
    fn take(&mut self, step: Step) {
        let policy = Policy::default();
        let before = self.invoice.clone();
        match step {
            Step::Wait(seconds) => self.now += SignedDuration::from_secs(seconds),
            Step::Charge => {
                if let Ok(charged) = self.invoice.charged(Some(card()), None, &policy, self.now) {
                    self.invoice = charged;
                }
            }
            Step::Collect => {
                if let NextStep::Send(next) = self.invoice.next_step(self.now) {
                    assert!(self.may_send(), "an order goes out beside a live one");
                    self.invoice = *next;
                }
            }
            Step::Sweep => {
                if let Some(next) = woken(&self.invoice, self.now) {
                    self.invoice = next;
                }
            }
            Step::Cancel => match self.invoice.canceled(self.now) {
                Ok(Cancellation::Done(reduction)) => self.invoice = reduction.invoice,
                Ok(Cancellation::Requested(invoice)) => self.invoice = *invoice,
                Ok(Cancellation::AlreadyRequested) | Err(_) => {}
            },
            Step::Hear { attempt, outcome } => {
                self.entropy += 1;
                let observation =
                    Observation { gateway: sandbox(), attempt: AttemptNumber(attempt), outcome };
                let moment = Moment { now: self.now, entropy: self.entropy };
                if let Reduced::Applied(reduction) = self.invoice.observe(&observation, &policy, moment) {
                    self.transactions.extend(reduction.transaction);
                    self.invoice = reduction.invoice;
                    let again = self.invoice.observe(&observation, &policy, moment);
                    if let (ChargeOutcome::Approved { .. }, Reduced::Applied(_)) =
                        (&observation.outcome, again)
                    {
                        panic!("the same money is booked twice");
                    }
                }
            }
        }
        self.check(&before);
    }

    /// Nothing is live, or what is live is known not to have reached the gateway.
    fn may_send(&self) -> bool {
        use crate::charge::Phase;
        self.invoice.state.live_attempt().is_none_or(|live| matches!(live.phase, Phase::NotSent { .. }))
    }

    fn check(&self, before: &Invoice) {
        let statuses: Vec<Status> = self.invoice.history.iter().map(|step| step.status).collect();
        assert_eq!(statuses.last(), Some(&self.invoice.status()), "history ends where the invoice stands");
        for pair in statuses.windows(2) {
            assert!(pair[0].may_become().contains(&pair[1]), "{:?} → {:?}", pair[0], pair[1]);
        }
        assert!(self.invoice.history.starts_with(&before.history), "history only grows");
        let changed = self.invoice != *before;
        assert_eq!(self.invoice.version, before.version + u64::from(changed), "every change is one version");

        let charges: Vec<_> =
            self.transactions.iter().filter(|t| t.kind == TransactionKind::Charge).collect();
        let booked = charges.iter().map(|transaction| transaction.amount.minor()).sum::<i64>();
        assert_eq!(booked, self.invoice.amount_paid().minor(), "amounts agree with transactions");
        assert!(charges.len() <= 1, "an invoice is paid once");
        if self.invoice.status() == Status::Paid {
            assert_eq!(self.invoice.amount_paid(), self.invoice.total);
        }
        let sum: i64 = self.transactions.iter().flat_map(|transaction| transaction.journal.entries()).fold(
            0,
            |sum, entry| match entry.direction {
                Direction::Debit => sum + entry.amount.minor(),
                Direction::Credit => sum - entry.amount.minor(),
            },
        );
        assert_eq!(sum, 0, "the ledger balances");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_sequence_breaks_the_books(steps in steps()) {
        let mut world = World { invoice: draft(), transactions: Vec::new(), now: START, entropy: 0 };
        for step in steps {
            world.take(step);
        }
    }

    /// Whatever order they come in, the words of one charge end in the same status.
    #[test]
    fn the_order_of_words_does_not_matter(words in Just(vec![
        approved("ch_1", 10_000),
        qr(after(3_600)),
        ChargeOutcome::Unknown { failure: failure(FailureClass::Unknown) },
    ]).prop_shuffle(), repeats in 1..3_usize) {
        let mut invoice = sending();
        for word in words.iter().cycle().take(words.len() * repeats) {
            if let Reduced::Applied(reduction) = observe(&invoice, 1, word.clone(), after(1)) {
                invoice = reduction.invoice;
            }
        }
        prop_assert_eq!(invoice.status(), Status::Paid);
        prop_assert!(invoice.orphans.is_empty());
    }
}
