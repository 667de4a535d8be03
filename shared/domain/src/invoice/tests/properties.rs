//! Whatever comes, in whatever order: invariants 2 and 3 of the design.

use super::*;
use crate::actor::Actor;
use crate::charge::Phase;
use crate::dispute::{ContestReason, Dispute, DisputeState};
use crate::gateway::{DisputeStanding, DisputeVerdict};
use crate::invoice::dispute::DisputeReduction;
use crate::ledger::TransactionKind;
use crate::refund::{RefundOf, RefundState};
use crate::risk::{Assessment, Verdict};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::collections::HashSet;
use std::sync::Mutex;

#[derive(Debug, Clone)]
enum Step {
    Charge { by_pix: bool },
    Plan,
    Collect,
    HoldBack,
    HoldForReview,
    Review(Verdict),
    Sweep { has_method: bool },
    Cancel,
    Wait(i64),
    Hear { attempt: u8, outcome: ChargeOutcome },
    Requeue,
    BringCard,
    Resolve(Resolution),
    Refund(Option<i64>),
    HearOfRefund { which: usize, word: RefundWord },
    Contest,
    HearOfDispute(DisputeStanding),
}

#[derive(Debug, Clone, Copy)]
enum RefundWord {
    Succeeded,
    OfAnotherAmount,
    Failed,
    Unclear,
}

fn outcomes() -> impl Strategy<Value = ChargeOutcome> {
    let class = prop::sample::select(FailureClass::ALL.to_vec());
    prop_oneof![
        4 => (0..3_u8, prop_oneof![3 => Just(10_000_i64), 1 => 1..20_000_i64])
            .prop_map(|(which, minor)| approved(&format!("ch_{which}"), minor)),
        2 => class.prop_map(declined),
        1 => Just(qr(after(3_600))),
        1 => Just(ChargeOutcome::NotSent { failure: failure(FailureClass::NotSent) }),
        2 => Just(silence()),
        1 => (0..3_u8)
            .prop_map(|which| ChargeOutcome::Voided { reference: reference(&format!("ch_{which}")) }),
        1 => Just(ChargeOutcome::Absent),
    ]
}

fn standings() -> impl Strategy<Value = DisputeStanding> {
    let verdict = prop::sample::select(vec![DisputeVerdict::Open, DisputeVerdict::Won, DisputeVerdict::Lost]);
    let amount = prop_oneof![3 => Just(None), 1 => (1..10_000_i64).prop_map(|minor| Some(brl(minor)))];
    (verdict, amount).prop_map(|(status, amount)| DisputeStanding {
        reference: reference("dp_1"),
        status,
        amount,
    })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let resolution = prop_oneof![
        Just(Resolution::NotCharged),
        (0..3_u8).prop_map(|which| Resolution::Charged(reference(&format!("ch_{which}")))),
    ];
    let refund_word = prop::sample::select(vec![
        RefundWord::Succeeded,
        RefundWord::Succeeded,
        RefundWord::OfAnotherAmount,
        RefundWord::Failed,
        RefundWord::Unclear,
    ]);
    let step = prop_oneof![
        3 => any::<bool>().prop_map(|by_pix| Step::Charge { by_pix }),
        1 => Just(Step::Plan),
        5 => Just(Step::Collect),
        1 => Just(Step::HoldBack),
        1 => Just(Step::HoldForReview),
        1 => prop::sample::select(Verdict::ALL.to_vec()).prop_map(Step::Review),
        3 => any::<bool>().prop_map(|has_method| Step::Sweep { has_method }),
        1 => Just(Step::Cancel),
        3 => prop_oneof![
            4 => 1..120_i64,
            2 => 3_600..1_000_000_i64,
            1 => Just(60 * DAY),
        ].prop_map(Step::Wait),
        8 => (0..4_u8, outcomes()).prop_map(|(attempt, outcome)| Step::Hear { attempt, outcome }),
        2 => Just(Step::Requeue),
        1 => Just(Step::BringCard),
        2 => resolution.prop_map(Step::Resolve),
        2 => prop::option::of(1..12_000_i64).prop_map(Step::Refund),
        2 => (0..4_usize, refund_word).prop_map(|(which, word)| Step::HearOfRefund { which, word }),
        1 => Just(Step::Contest),
        2 => standings().prop_map(Step::HearOfDispute),
    ];
    prop::collection::vec(step, 0..80)
}

/// One invoice with the books that go with it.
struct World {
    invoice: Invoice,
    transactions: Vec<Transaction>,
    refunds: Vec<Refund>,
    disputes: Vec<Dispute>,
    now: Timestamp,
    entropy: u64,
}

impl World {
    fn new() -> Self {
        Self {
            invoice: draft(),
            transactions: Vec::new(),
            refunds: Vec::new(),
            disputes: Vec::new(),
            now: START,
            entropy: 0,
        }
    }

    fn take(&mut self, step: Step) {
        self.entropy += 1;
        let (policy, now) = (Policy::default(), self.now);
        let moment = Moment { now, entropy: self.entropy };
        let before = self.invoice.clone();
        let next = match step {
            Step::Wait(seconds) => {
                self.now += SignedDuration::from_secs(seconds);
                None
            }
            Step::Charge { by_pix } => {
                let source = also_elsewhere(if by_pix { pix() } else { card() });
                self.invoice.charged(Some(source), None, &policy, now).ok()
            }
            Step::Plan => {
                let later = Some(now + SignedDuration::from_secs(9 * DAY));
                self.invoice.charged(Some(card()), later, &policy, now).ok()
            }
            Step::Collect => match self.invoice.next_step(now) {
                NextStep::Send(next) => {
                    assert!(self.may_send(), "an order goes out beside a live one");
                    Some(*next)
                }
                NextStep::Rest | NextStep::Ask(_) | NextStep::Void(..) => None,
            },
            Step::HoldBack => {
                let until = now + SignedDuration::from_secs(90);
                self.invoice.held_back(failure(FailureClass::NotSent), until, now)
            }
            Step::HoldForReview => {
                let assessment = Assessment::unreadable(1);
                let judged = self.invoice.clone().judged(assessment.into());
                let held = judged.held(&policy, moment);
                held.map(|reduction| self.written(reduction))
            }
            Step::Review(verdict) => {
                let by = Actor::new("key_1");
                let reviewed = self.invoice.reviewed(verdict, by, &policy, moment);
                reviewed.ok().map(|reduction| self.written(reduction))
            }
            Step::Sweep { has_method } => match self.invoice.woken(&policy, now) {
                Some(Woken::PutOff(next) | Woken::GaveUp(next)) => Some(*next),
                Some(Woken::Retry) if has_method => {
                    Some(self.invoice.retried(also_elsewhere(another_card()), &policy, now).unwrap())
                }
                Some(Woken::Retry) => Some(self.invoice.without_method(now).unwrap()),
                None => None,
            },
            Step::Cancel => match self.invoice.canceled(now) {
                Ok(Cancellation::Done(reduction)) => Some(self.written(*reduction)),
                Ok(Cancellation::Requested(invoice)) => Some(*invoice),
                Ok(Cancellation::AlreadyRequested) | Err(_) => None,
            },
            Step::Requeue => self.invoice.requeued(also_elsewhere(card()), &policy, now).ok(),
            Step::BringCard => self.invoice.charged_by_new_method(another_card(), &policy, now),
            Step::Resolve(resolution) => {
                let resolved = self.invoice.resolved(self.invoice.attempts, &resolution, &policy, moment);
                resolved.ok().map(|reduction| self.written(reduction))
            }
            Step::Hear { attempt, outcome } => self.hear(attempt, outcome, moment),
            Step::Refund(minor) => {
                let id = RefundId::new(self.invoice.customer(), now, self.entropy);
                let refunding = self.invoice.refunding(id, minor.map(brl), None, &policy, now).ok();
                refunding.map(|(invoice, refund)| {
                    self.refunds.push(refund);
                    invoice
                })
            }
            Step::HearOfRefund { which, word } => self.hear_of_refund(which, word, moment),
            Step::Contest => {
                let contested = self.invoice.contested(ContestReason::Other, None, &policy, moment).ok();
                contested.map(|(invoice, dispute)| {
                    self.disputes.push(dispute);
                    invoice
                })
            }
            Step::HearOfDispute(standing) => self.hear_of_dispute(&standing, moment),
        };
        self.invoice = next.unwrap_or(before.clone());
        self.check(&before);
    }

    fn written(&mut self, reduction: Reduction) -> Invoice {
        self.transactions.extend(reduction.transaction);
        self.refunds.extend(reduction.refund);
        reduction.invoice
    }

    fn hear(&mut self, attempt: u8, outcome: ChargeOutcome, moment: Moment) -> Option<Invoice> {
        let attempt = AttemptNumber(attempt);
        let live = self.invoice.state.live_attempt().filter(|live| live.number == attempt);
        let at = live.and(self.invoice.charge_request()).map(|(source, _)| source.gateway);
        // A late word may come from either gateway.
        let late = if attempt.0.is_multiple_of(2) { other_gateway() } else { sandbox() };
        let observation = Observation { gateway: at.unwrap_or(late), attempt, outcome };
        let policy = Policy::default();
        let Reduced::Applied(reduction) = self.invoice.observe(&observation, &policy, moment) else {
            return None;
        };
        let invoice = self.written(*reduction);
        // Silence is counted each time; anything else is news once.
        let is_silence = match &observation.outcome {
            ChargeOutcome::Unknown { .. } => true,
            // The first time that it isn't there it may be on its way: that is looked at twice.
            ChargeOutcome::Absent => invoice
                .state
                .live_attempt()
                .is_some_and(|live| matches!(live.phase, Phase::Unknown { polls: 1, .. })),
            // "I had this before" says nothing of what became of it.
            ChargeOutcome::Declined { failure, .. } => failure.class == FailureClass::Duplicate,
            _ => false,
        };
        if !is_silence {
            let again = invoice.observe(&observation, &policy, moment);
            assert_eq!(again, Reduced::AlreadyApplied, "{:?} twice", observation.outcome);
        }
        Some(invoice)
    }

    fn hear_of_refund(&mut self, which: usize, word: RefundWord, moment: Moment) -> Option<Invoice> {
        let count = self.refunds.len().max(1);
        let refund = self.refunds.get_mut(which % count)?;
        let of = |minor| RefundOutcome::Succeeded { reference: reference("re_1"), amount: brl(minor) };
        let outcome = match word {
            RefundWord::Succeeded => of(refund.amount.minor()),
            RefundWord::OfAnotherAmount => of(refund.amount.minor() + 1),
            RefundWord::Failed => RefundOutcome::Failed { failure: failure(FailureClass::Generic) },
            RefundWord::Unclear => RefundOutcome::Unclear { failure: failure(FailureClass::Unknown) },
        };
        let policy = Policy::default();
        let observed = self.invoice.observe_refund(refund, &outcome, &policy, moment);
        let RefundReduced::Applied { refund: next, invoice, transaction } = observed else { return None };
        assert_eq!(next.version, refund.version + 1);
        *refund = *next;
        self.transactions.extend(transaction.map(|transaction| *transaction));
        let invoice = invoice.map(|invoice| *invoice);
        if !matches!(refund.state, RefundState::Pending { .. }) {
            let seen = invoice.as_ref().unwrap_or(&self.invoice);
            let again = seen.observe_refund(refund, &outcome, &policy, moment);
            assert_eq!(again, RefundReduced::AlreadyApplied);
        }
        assert!(refund.due().is_some() || refund.matter().is_some() || refund.state.as_str() == "succeeded");
        invoice
    }

    fn hear_of_dispute(&mut self, standing: &DisputeStanding, moment: Moment) -> Option<Invoice> {
        let policy = Policy::default();
        let observed = self.invoice.observe_dispute(&self.disputes, standing, &policy, moment);
        let DisputeReduced::Applied(reduction) = observed else { return None };
        let DisputeReduction { dispute, invoice, transaction, .. } = *reduction;
        self.disputes.retain(|known| known.id != dispute.id);
        self.disputes.push(dispute);
        let again = invoice.observe_dispute(&self.disputes, standing, &policy, moment);
        assert_eq!(again, DisputeReduced::AlreadyApplied, "{standing:?} twice");
        self.transactions.extend(transaction);
        Some(invoice)
    }

    /// Nothing is live, or what is live is known not to have reached the gateway.
    fn may_send(&self) -> bool {
        self.invoice
            .state
            .live_attempt()
            .is_none_or(|live| matches!(live.phase, Phase::NotSent { .. } | Phase::Cleared))
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
        if let Some(live) = self.invoice.state.live_attempt() {
            assert_eq!(live.number, self.invoice.attempts, "what is live is the latest");
        }
        self.check_books();
        self.check_nothing_is_forgotten();
    }

    fn check_books(&self) {
        let charges: Vec<_> =
            self.transactions.iter().filter(|t| t.kind == TransactionKind::Charge).collect();
        let booked = charges.iter().map(|transaction| transaction.amount.minor()).sum::<i64>();
        assert_eq!(booked, self.invoice.amount_paid().minor(), "amounts agree with transactions");
        assert!(charges.len() <= 1, "an invoice is paid once");
        if self.invoice.status() == Status::Paid {
            assert_eq!(self.invoice.amount_paid(), self.invoice.total);
        }
        let ids: HashSet<_> = self.transactions.iter().map(|transaction| transaction.id).collect();
        assert_eq!(ids.len(), self.transactions.len(), "each has an id of its own");
        for transaction in &self.transactions {
            assert_eq!(balances([transaction]).values().sum::<i64>(), 0, "each journal balances");
        }

        let held = balances(&self.transactions);
        let account = |name: &str| held.get(&format!("{name} BRL")).copied().unwrap_or_default();
        let (paid, refunded) = (self.invoice.amount_paid(), self.invoice.amount_refunded());
        assert_eq!(account("revenue"), refunded.minor() - paid.minor());
        let orphans = self.invoice.orphans.iter().filter(|orphan| !orphan.returned);
        assert_eq!(account("unapplied"), -orphans.map(|orphan| orphan.amount.minor()).sum::<i64>());
        let lost = self.disputes.iter().filter(|d| matches!(d.state, DisputeState::Lost { .. }));
        assert_eq!(account("chargebacks"), lost.map(|dispute| dispute.amount.minor()).sum::<i64>());

        let refunding = self.invoice.state.payment().map_or(0, |payment| payment.refunding);
        assert!(refunded.minor() + refunding <= paid.minor(), "never more goes back than came");
        let is_on_its_way =
            |r: &&Refund| r.of == RefundOf::Payment && matches!(r.state, RefundState::Pending { .. });
        let on_their_way = self.refunds.iter().filter(is_on_its_way);
        assert_eq!(refunding, on_their_way.map(|refund| refund.amount.minor()).sum::<i64>());
    }

    /// Whatever is owed, disputed or held without a reason has a time, or somebody who knows.
    fn check_nothing_is_forgotten(&self) {
        let invoice = &self.invoice;
        let is_unpaid = matches!(invoice.status(), Status::Pending | Status::ChargedWithError);
        assert_eq!(invoice.next_action().is_some(), is_unpaid, "{:?}", invoice.state);
        if is_unpaid {
            assert!(invoice.state.due().is_some() || invoice.matter().is_some(), "{:?}", invoice.state);
        }
        for orphan in &invoice.orphans {
            let order = self.refunds.iter().find(|refund| Some(refund.id) == orphan.refund);
            let is_decided_about = invoice.state.live_attempt().is_some_and(|live| {
                matches!(&live.phase, Phase::Mismatched { reference, .. } if *reference == orphan.reference)
            });
            assert!(is_decided_about || order.is_some(), "{orphan:?} is kept without a reason");
            if let Some(order) = order {
                assert_eq!((order.amount, order.charge()), (orphan.amount, Some(&orphan.reference)));
            }
        }
        let stands = |state: &str| self.disputes.iter().any(|dispute| dispute.state.as_str() == state);
        let worst = match invoice.status() {
            Status::Paid => Some((false, false)),
            Status::InProtest => Some((true, false)),
            Status::Chargeback => Some((stands("open"), true)),
            _ => None,
        };
        assert!(worst.is_none_or(|worst| worst == (stands("open"), stands("lost"))), "{:?}", self.disputes);
        let is_asked = |dispute: &Dispute| dispute.state.as_str() != "open" || dispute.due().is_some();
        assert!(self.disputes.iter().all(is_asked), "the gateway is asked about each that is open");
    }
}

/// Lives through what a runner thinks of, and tells which statuses were come to.
fn live(mut runner: TestRunner) -> HashSet<Status> {
    let seen: Mutex<HashSet<Status>> = Mutex::default();
    let told = runner.run(&steps(), |steps| {
        let mut world = World::new();
        for step in steps {
            world.take(step);
            seen.lock().unwrap().insert(world.invoice.status());
        }
        Ok(())
    });
    told.unwrap_or_else(|failure| panic!("{failure}"));
    seen.into_inner().unwrap()
}

fn cases(cases: u32) -> Config {
    Config { cases, failure_persistence: None, ..Config::default() }
}

#[test]
fn no_sequence_breaks_the_books_or_forgets_an_invoice() {
    live(TestRunner::new(cases(1_000)));
}

/// The same sequences each time, because every status has to be among them.
#[test]
fn sequences_come_to_every_status() {
    let seen = live(TestRunner::new_with_rng(cases(1_000), TestRng::deterministic_rng(RngAlgorithm::ChaCha)));
    for status in Status::ALL {
        assert!(seen.contains(&status), "no sequence came to {}", status.as_str());
    }
}

proptest! {
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
