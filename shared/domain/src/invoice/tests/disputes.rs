//! The cardholder's case: contested with us or opened by the bank, and whatever the gateway says of it, in any order.

use super::*;
use crate::attention::{AttentionId, AttentionKind};
use crate::dispute::{ContestReason, Dispute, DisputeEnd, DisputeState, Origin};
use crate::gateway::{DisputeStanding, DisputeVerdict};
use crate::ledger::TransactionKind;
use DisputeVerdict::{Lost, Open, Won};

/// A paid invoice, its case and its books.
#[derive(Clone)]
struct Case {
    invoice: Invoice,
    dispute: Option<Dispute>,
    books: Vec<Transaction>,
    now: Timestamp,
}

impl Case {
    fn paid() -> Self {
        let reduction = applied(observe(&sending(), 1, approved("ch_1", 10_000), START));
        let books = reduction.transaction.into_iter().collect();
        Self { invoice: reduction.invoice, dispute: None, books, now: START }
    }

    fn contested() -> Self {
        let mut case = Self::paid();
        let (invoice, dispute) = contest(&case.invoice, after(1)).unwrap();
        (case.invoice, case.dispute, case.now) = (invoice, Some(dispute), after(1));
        case
    }

    /// Given back, as far as it is named: the refund has succeeded.
    fn refunded(mut self, minor: Option<i64>) -> Self {
        let (invoice, refund) = refunding(&self.invoice, minor, self.now).unwrap();
        let (invoice, _, transaction) = heard(&invoice, &refund, &succeeded(refund.amount.minor()));
        self.books.extend(transaction);
        Self { invoice, ..self }
    }

    /// The gateway's word; what came of it besides is a matter for a person.
    fn told(&mut self, standing: &DisputeStanding) -> Option<AttentionKind> {
        self.now += SignedDuration::from_secs(1);
        let moment = Moment { now: self.now, entropy: 3 };
        let policy = Policy::default();
        let observed = self.invoice.observe_dispute(self.dispute.as_slice(), standing, &policy, moment);
        let DisputeReduced::Applied(reduction) = observed else { return None };
        assert_eq!(reduction.invoice.version, self.invoice.version + 1, "one change");
        assert_eq!(reduction.invoice.dispute, Some(reduction.dispute.id));
        assert_eq!(reduction.is_new, self.dispute.as_ref().is_none_or(|d| d.id != reduction.dispute.id));
        let version = self.dispute.as_ref().filter(|_| !reduction.is_new).map_or(1, |d| d.version + 1);
        assert_eq!(reduction.dispute.version, version);
        self.invoice = reduction.invoice;
        self.dispute = Some(reduction.dispute);
        self.books.extend(reduction.transaction);
        let again = self.invoice.observe_dispute(self.dispute.as_slice(), standing, &policy, moment);
        assert_eq!(again, DisputeReduced::AlreadyApplied, "told twice");
        reduction.matter.map(|matter| matter.kind)
    }

    fn word_of(&self, end: DisputeEnd) -> Option<DisputeReduction> {
        self.invoice.dispute_resolved(
            self.dispute.as_slice(),
            self.dispute(),
            end,
            Moment { now: self.now, entropy: 5 },
        )
    }

    fn resolved(mut self, end: DisputeEnd) -> Self {
        let reduction = self.word_of(end).unwrap();
        assert!(!reduction.is_new && reduction.matter.is_none());
        (self.invoice, self.dispute) = (reduction.invoice, Some(reduction.dispute));
        self.books.extend(reduction.transaction);
        self
    }

    fn hears(mut self, verdicts: &[DisputeVerdict]) -> Self {
        for verdict in verdicts {
            self.told(&standing(*verdict));
        }
        self
    }

    fn dispute(&self) -> &Dispute {
        self.dispute.as_ref().unwrap()
    }

    fn causes(&self) -> Vec<Cause> {
        self.invoice.history.iter().skip(3).map(|step| step.cause).collect()
    }

    fn kinds(&self) -> Vec<(TransactionKind, i64)> {
        self.books.iter().map(|booked| (booked.kind, booked.amount.minor())).collect()
    }
}

fn contest(invoice: &Invoice, now: Timestamp) -> Result<(Invoice, Dispute), ContestError> {
    invoice.contested(ContestReason::Fraud, None, &Policy::default(), Moment { now, entropy: 4 })
}

fn standing(status: DisputeVerdict) -> DisputeStanding {
    DisputeStanding { reference: reference("dp_1"), status, amount: None }
}

fn of_amount(status: DisputeVerdict, minor: i64) -> DisputeStanding {
    DisputeStanding { amount: Some(brl(minor)), ..standing(status) }
}

fn paid_in() -> BTreeMap<String, i64> {
    in_accounts(&[("gateway_clearing:sandbox", 10_000), ("revenue", -10_000)])
}

#[test]
fn only_what_was_paid_by_a_charge_is_contested() {
    for invoice in legality::in_every_status() {
        let refused =
            ContestError::Illegal(IllegalTransition { from: invoice.status(), to: Status::InProtest });
        match contest(&invoice, after(1)) {
            Ok(_) => assert_eq!(invoice.status(), Status::Paid),
            Err(refusal) => assert_eq!(refusal, refused),
        }
    }
    let free = Invoice { total: Money::zero(Currency::BRL), content: content("0"), ..draft() };
    let free = free.charged(None, None, &Policy::default(), START).unwrap();
    assert_eq!(contest(&free, after(1)), Err(ContestError::NothingCharged));
}

#[test]
fn a_contest_is_in_protest_and_the_gateway_is_asked_each_day() {
    let case = Case::contested();
    assert_eq!((case.invoice.status(), case.causes()), (Status::InProtest, vec![Cause::Contested]));
    assert_eq!(case.invoice.dispute, Some(case.dispute().id));
    let Dispute { version, case: reference, amount, origin, charge, .. } = case.dispute().clone();
    assert_eq!((version, reference, amount), (1, None, brl(10_000)));
    assert_eq!(origin, Origin::Contest { reason: ContestReason::Fraud, note: None });
    assert_eq!(charge, self::reference("ch_1"));
    assert_eq!(case.dispute().due(), Some(after(1 + DAY)));

    let policy = Policy::default();
    assert_eq!(case.dispute().woken(&policy, after(DAY)), None);
    let woken = case.dispute().woken(&policy, after(DAY + 1)).unwrap();
    assert_eq!((woken.version, woken.due()), (2, Some(after(2 * DAY + 1))));
    assert_eq!(woken.updated_at, after(DAY + 1));
    assert_eq!(case.invoice.state.due(), None, "the invoice itself waits for nothing");
}

/// A contest at whose last waking no bank had taken it up.
fn contested_in_vain() -> Case {
    let mut case = Case::contested();
    let last = after(1 + 120 * DAY);
    case.dispute = case.dispute().woken(&Policy::default(), last);
    case.now = last;
    case
}

/// A bank's case of which its gateway has told nothing a day later.
fn missed() -> Case {
    let mut case = Case::paid().hears(&[Open]);
    case.now = after(2 * DAY);
    case.dispute = case.dispute().missed(&[], case.now);
    case
}

#[test]
fn a_contest_that_no_bank_takes_up_is_for_a_person_after_120_days() {
    let policy = Policy::default();
    let contest = Case::contested().dispute().clone();
    let before = contest.woken(&policy, after(120 * DAY)).unwrap();
    assert_eq!((before.due(), before.matter()), (Some(after(121 * DAY)), None), "a second early, a day more");

    let case = contested_in_vain();
    assert_eq!((case.dispute().due(), case.invoice.status()), (None, Status::InProtest));
    assert_eq!(case.dispute().woken(&policy, after(1_000 * DAY)), None, "nobody is asked any more");
    let matter = case.dispute().matter().unwrap();
    assert_eq!((matter.kind, matter.amount), (AttentionKind::ContestUnanswered, Some(brl(10_000))));
    assert_eq!((matter.invoice, matter.raised_at), (Some(case.invoice.id), case.now));

    // A case that the bank has opened is asked about for longer.
    let open = Case::contested().hears(&[Open]);
    let woken = open.dispute().woken(&policy, after(365 * DAY)).unwrap();
    assert_eq!((woken.due(), woken.matter()), (Some(after(366 * DAY)), None));
    let last = open.dispute().woken(&policy, after(1 + 365 * DAY)).unwrap();
    let matter = last.matter().unwrap();
    assert_eq!((last.due(), matter.kind), (None, AttentionKind::DisputeOutcomeUnknown));
    assert_eq!(matter.reference, Some(reference("dp_1")), "the case, not the charge");
}

#[test]
fn a_bank_that_takes_it_up_after_all_decides_it() {
    let opened = contested_in_vain().hears(&[Open]);
    assert_eq!(opened.dispute().case, Some(reference("dp_1")));
    assert_eq!(opened.dispute().matter(), None, "no longer a person's");
    assert_eq!(
        opened.dispute().due(),
        Some(opened.now + SignedDuration::from_secs(DAY)),
        "asked about again"
    );
    assert_eq!(opened.hears(&[Lost]).invoice.status(), Status::Chargeback);
}

#[test]
fn a_person_ends_only_what_no_bank_ends() {
    for begun in [contested_in_vain(), missed()] {
        let won = begun.clone().resolved(DisputeEnd::Won);
        assert_eq!((won.invoice.status(), won.invoice.version), (Status::Paid, begun.invoice.version + 1));
        assert_eq!((won.dispute().state.as_str(), won.dispute().matter()), ("won", None));
        assert_eq!(balances(&won.books), paid_in());
        assert!(contest(&won.invoice, won.now).is_ok(), "and may be contested anew");

        let lost = begun.resolved(DisputeEnd::Lost);
        assert_eq!((lost.invoice.status(), lost.dispute().state.as_str()), (Status::Chargeback, "lost"));
        let taken = in_accounts(&[("revenue", -10_000), ("chargebacks", 10_000)]);
        assert_eq!(balances(&lost.books), taken);
        for case in [won, lost] {
            assert_eq!(case.word_of(DisputeEnd::Lost), None, "once");
        }
    }
    let ended = Case::paid().hears(&[Lost]);
    for case in [Case::contested(), Case::paid().hears(&[Open]), contested_in_vain().hears(&[Open]), ended] {
        assert_eq!(case.word_of(DisputeEnd::Won), None);
    }
}

#[test]
fn a_case_that_its_gateway_tells_no_more_of_is_for_a_person() {
    let open = Case::paid().hears(&[Open]);
    let missed = |case: &Case, told: &[DisputeStanding]| case.dispute().missed(told, after(2 * DAY));
    let newer = DisputeStanding { reference: reference("dp_2"), ..standing(Open) };
    assert_eq!(missed(&open, &[standing(Open)]), None);
    assert_eq!(missed(&open, &[newer.clone(), standing(Lost)]), None, "it is told of, and that counts");
    for told in [&[][..], &[newer]] {
        let missed = missed(&open, told).unwrap();
        assert_eq!((missed.version, missed.due(), missed.updated_at), (2, None, after(2 * DAY)));
        let matter = missed.matter().unwrap();
        assert_eq!(matter.kind, AttentionKind::DisputeOutcomeUnknown);
        assert_eq!(matter.id, AttentionId::of_missed(missed.id));
        assert_eq!((matter.amount, matter.invoice), (Some(brl(10_000)), Some(open.invoice.id)));
        assert_eq!(matter.reference, Some(reference("dp_1")));
    }
    for case in [Case::contested(), self::missed(), open.hears(&[Lost])] {
        assert_eq!(missed(&case, &[]), None, "there is none, or none that is asked about");
    }
}

#[test]
fn the_banks_word_counts_whenever_it_comes() {
    let back = missed().hears(&[Open]);
    assert_eq!(back.dispute().matter(), None, "no longer a person's");
    assert_eq!(back.dispute().due(), Some(back.now + SignedDuration::from_secs(DAY)), "asked about again");
    assert_eq!(missed().hears(&[Lost]).invoice.status(), Status::Chargeback);

    let presumed = missed().resolved(DisputeEnd::Won);
    let reopened = presumed.clone().hears(&[Open]);
    assert_eq!((reopened.invoice.status(), reopened.dispute().state.as_str()), (Status::InProtest, "open"));
    let taken = in_accounts(&[("revenue", -10_000), ("chargebacks", 10_000)]);
    let lost = presumed.clone().hears(&[Lost]);
    assert_eq!((lost.invoice.status(), balances(&lost.books)), (Status::Chargeback, taken.clone()));
    let confirmed = presumed.clone().hears(&[Won]);
    assert_eq!(confirmed.causes(), presumed.causes(), "nothing has happened");
    let stale = confirmed.hears(&[Lost]);
    assert_eq!(
        (stale.invoice.status(), stale.dispute().state.as_str()),
        (Status::Paid, "won"),
        "it is final"
    );

    let lost = missed().resolved(DisputeEnd::Lost);
    assert_eq!(balances(&lost.clone().hears(&[Lost]).books), taken, "not twice");
    let reinstated = lost.hears(&[Won]);
    assert_eq!((reinstated.invoice.status(), balances(&reinstated.books)), (Status::Paid, paid_in()));
}

#[test]
fn an_older_case_that_is_missed_is_booked_by_a_persons_word() {
    let mut case = Case::paid().hears(&[Open]);
    let first = case.dispute().missed(&[], after(DAY)).unwrap();
    case.dispute = None;
    case.told(&DisputeStanding { reference: reference("dp_2"), ..standing(Open) });
    let moment = Moment { now: after(9 * DAY), entropy: 5 };
    let both = [case.dispute().clone(), first.clone()];
    let lost = case.invoice.dispute_resolved(&both, &first, DisputeEnd::Lost, moment).unwrap();
    assert_eq!((lost.invoice.status(), lost.invoice.dispute), (Status::Chargeback, case.invoice.dispute));
    let booked = lost.transaction.unwrap();
    assert_eq!((booked.kind, booked.amount), (TransactionKind::Chargeback, brl(10_000)));
    assert_eq!(lost.dispute.state, DisputeState::Lost { chargeback: booked.id });
    // Told of again, it is asked about again.
    let policy = Policy::default();
    let told = case.invoice.observe_dispute(&both, &standing(Open), &policy, moment);
    let DisputeReduced::Applied(told) = told else { panic!("nothing new") };
    assert_eq!(told.dispute.due(), Some(after(10 * DAY)));
    assert_eq!(told.invoice.dispute, case.invoice.dispute);
}

#[test]
fn a_contest_that_the_bank_follows_ends_as_the_bank_says() {
    let opened = Case::contested().hears(&[Open]);
    assert_eq!(
        (opened.invoice.status(), &opened.dispute().case),
        (Status::InProtest, &Some(reference("dp_1")))
    );
    assert!(matches!(opened.dispute().origin, Origin::Contest { .. }), "who spoke first stays on record");

    let won = opened.clone().hears(&[Won]);
    assert_eq!((won.invoice.status(), won.dispute().state.as_str()), (Status::Paid, "won"));
    assert_eq!(won.causes(), [Cause::Contested, Cause::DisputeWon]);
    assert_eq!(balances(&won.books), paid_in());
    assert_eq!(won.dispute().due(), None);

    let lost = opened.hears(&[Lost]);
    assert_eq!((lost.invoice.status(), lost.dispute().state.as_str()), (Status::Chargeback, "lost"));
    assert_eq!(lost.causes(), [Cause::Contested, Cause::DisputeLost]);
    assert_eq!(lost.kinds(), [(TransactionKind::Charge, 10_000), (TransactionKind::Chargeback, 10_000)]);
    let taken = in_accounts(&[("revenue", -10_000), ("chargebacks", 10_000)]);
    assert_eq!(balances(&lost.books), taken, "the gateway holds nothing of it any more");
    assert_eq!(lost.dispute().state, DisputeState::Lost { chargeback: lost.books[1].id });
    assert_eq!(
        lost.books[1].moved_by.at_gateway().map(|at| at.reference.clone()),
        Some(reference("dp_1")),
        "the case, not the charge"
    );
}

#[test]
fn a_case_that_nobody_told_us_of_puts_the_invoice_in_protest() {
    let case = Case::paid().hears(&[Open]);
    assert_eq!((case.invoice.status(), case.causes()), (Status::InProtest, vec![Cause::DisputeOpened]));
    assert_eq!((&case.dispute().origin, case.dispute().version), (&Origin::Gateway, 1));
    let lost = Case::paid().hears(&[Lost]);
    assert_eq!(lost.causes(), [Cause::DisputeOpened, Cause::DisputeLost], "both steps in one change");
    let won = Case::paid().hears(&[Won]);
    assert_eq!(won.causes(), [Cause::DisputeOpened, Cause::DisputeWon]);
    for invoice in [draft(), sending(), failed(FailureClass::Hard), uncollectible()] {
        let moment = Moment { now: START, entropy: 3 };
        let word = invoice.observe_dispute(&[], &standing(Lost), &Policy::default(), moment);
        assert_eq!(word, DisputeReduced::AlreadyApplied, "nothing was charged for it");
    }
}

#[test]
fn a_chargeback_that_is_taken_back_is_paid_with_both_on_the_books() {
    let case = Case::paid().hears(&[Open, Lost, Won]);
    assert_eq!(case.invoice.status(), Status::Paid);
    assert_eq!(case.causes(), [Cause::DisputeOpened, Cause::DisputeLost, Cause::Reinstated]);
    let kinds = case.kinds();
    assert_eq!(kinds[1..], [(TransactionKind::Chargeback, 10_000), (TransactionKind::Reinstatement, 10_000)]);
    assert_eq!(balances(&case.books), paid_in());
    assert_eq!(
        case.dispute().state,
        DisputeState::Won { reinstatement: Some(case.books[2].id), presumed: false }
    );
}

fn orders(words: &[DisputeVerdict]) -> Vec<Vec<DisputeVerdict>> {
    if words.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (place, word) in words.iter().enumerate() {
        let rest: Vec<_> = words.iter().enumerate().filter(|(at, _)| *at != place).map(|(_, w)| *w).collect();
        all.extend(orders(&rest).into_iter().map(|mut order| {
            order.insert(0, *word);
            order
        }));
    }
    all
}

#[test]
fn whatever_the_order_of_the_words_the_end_is_the_same() {
    let taken = in_accounts(&[("revenue", -10_000), ("chargebacks", 10_000)]);
    for (words, status, state, books) in [
        (&[Open][..], Status::InProtest, "open", paid_in()),
        (&[Open, Won], Status::Paid, "won", paid_in()),
        (&[Open, Lost], Status::Chargeback, "lost", taken.clone()),
        (&[Open, Open, Lost, Lost], Status::Chargeback, "lost", taken),
        (&[Open, Lost, Won], Status::Paid, "won", paid_in()),
        (&[Open, Lost, Won, Lost, Won], Status::Paid, "won", paid_in()),
    ] {
        for order in orders(words) {
            for begun in [Case::paid(), Case::contested()] {
                let ended = begun.hears(&order);
                assert_eq!(ended.invoice.status(), status, "{order:?}");
                assert_eq!(ended.dispute().state.as_str(), state, "{order:?}");
                assert_eq!(balances(&ended.books), books, "{order:?}");
            }
        }
    }
}

#[test]
fn what_was_given_back_and_is_disputed_all_the_same_stays_refunded_and_is_shown_to_a_person() {
    let mut case = Case::paid().refunded(None);
    assert_eq!(case.invoice.status(), Status::Refunded);
    let matter = case.told(&standing(Open));
    assert_eq!(matter, Some(AttentionKind::DisputeAfterRefund));
    assert_eq!((case.invoice.status(), case.dispute().amount), (Status::Refunded, brl(10_000)));
    assert_eq!(balances(&case.books), in_accounts(&[]));
    let won = case.clone().hears(&[Won]);
    assert_eq!((won.invoice.status(), won.dispute().state.as_str()), (Status::Refunded, "won"));
    assert_eq!(balances(&won.books), in_accounts(&[]));
    // The bank took it a second time: that it did is on the books, whatever the invoice is.
    assert_eq!(case.told(&standing(Lost)), None, "the person knows");
    assert_eq!((case.invoice.status(), case.dispute().state.as_str()), (Status::Refunded, "lost"));
    let twice = in_accounts(&[("gateway_clearing:sandbox", -10_000), ("chargebacks", 10_000)]);
    assert_eq!(balances(&case.books), twice);
    let back = case.hears(&[Won]);
    assert_eq!((back.invoice.status(), balances(&back.books)), (Status::Refunded, in_accounts(&[])));
}

#[test]
fn after_part_went_back_the_case_is_about_the_rest() {
    let contested = {
        let mut case = Case::paid().refunded(Some(2_550));
        let (invoice, dispute) = contest(&case.invoice, after(20)).unwrap();
        (case.invoice, case.dispute, case.now) = (invoice, Some(dispute), after(20));
        case
    };
    for begun in [Case::paid().refunded(Some(2_550)), contested] {
        let lost = begun.hears(&[Open, Lost]);
        assert_eq!(lost.dispute().amount, brl(7_450));
        assert_eq!(lost.invoice.status(), Status::Chargeback);
        let taken = in_accounts(&[("revenue", -7_450), ("chargebacks", 7_450)]);
        assert_eq!(balances(&lost.books), taken);
        let back = lost.hears(&[Won]);
        assert_eq!((back.invoice.status(), back.invoice.amount_refunded()), (Status::Paid, brl(2_550)));
        let rest = in_accounts(&[("gateway_clearing:sandbox", 7_450), ("revenue", -7_450)]);
        assert_eq!(balances(&back.books), rest);
    }
}

/// What the customer says with us has no amount of its own; the bank's case has.
#[test]
fn the_amount_is_the_banks_whoever_spoke_first() {
    for mut case in [Case::paid(), Case::contested()] {
        case.told(&of_amount(Open, 4_000));
        assert_eq!(case.dispute().amount, brl(4_000));
        case.told(&of_amount(Lost, 4_000));
        assert_eq!(case.kinds().last(), Some(&(TransactionKind::Chargeback, 4_000)));
        let taken = [("gateway_clearing:sandbox", 6_000), ("revenue", -10_000), ("chargebacks", 4_000)];
        assert_eq!(balances(&case.books), in_accounts(&taken));
        case.told(&of_amount(Won, 4_000));
        assert_eq!((case.invoice.status(), balances(&case.books)), (Status::Paid, paid_in()));
    }
}

/// In another currency, or of nothing, it is no amount of this charge's: then it is about all that is left.
#[test]
fn an_amount_that_cannot_be_booked_is_none() {
    let dollars = Money::try_new(4_000, Currency::USD).unwrap();
    for amount in [dollars, brl(0), brl(-4_000)] {
        let mut case = Case::paid();
        case.told(&DisputeStanding { amount: Some(amount), ..standing(Lost) });
        assert_eq!(case.kinds().last(), Some(&(TransactionKind::Chargeback, 10_000)), "{amount:?}");
    }
}

#[test]
fn a_refund_that_ends_while_in_protest_is_counted_and_decides_what_comes_after() {
    let in_protest = |minor: Option<i64>| {
        let mut case = Case::paid();
        let (invoice, refund) = refunding(&case.invoice, minor, START).unwrap();
        case.invoice = invoice;
        let mut case = case.hears(&[Open]);
        let (invoice, refund, transaction) = heard(&case.invoice, &refund, &succeeded(refund.amount.minor()));
        assert_eq!((invoice.status(), refund.state.as_str()), (Status::InProtest, "succeeded"));
        case.invoice = invoice;
        case.books.extend(transaction);
        case
    };
    let whole = in_protest(None);
    assert_eq!(whole.invoice.amount_refunded(), brl(10_000));
    let won = whole.hears(&[Won]);
    assert_eq!(won.invoice.status(), Status::Refunded, "there is nothing left that is paid");
    assert_eq!(won.causes(), [Cause::DisputeOpened, Cause::DisputeWon, Cause::Refunded]);
    assert_eq!(balances(&won.books), in_accounts(&[]));

    let part = in_protest(Some(3_000)).hears(&[Won]);
    assert_eq!((part.invoice.status(), part.invoice.amount_refunded()), (Status::Paid, brl(3_000)));
    let (_, rest) = refunding(&part.invoice, None, after(99)).unwrap();
    assert_eq!(rest.amount, brl(7_000));
}

#[test]
fn a_refund_that_fails_while_in_protest_gives_its_reserve_back() {
    let (invoice, refund) = refunding(&paid(), Some(3_000), START).unwrap();
    let case = Case { invoice, ..Case::paid() }.hears(&[Open]);
    let refused = RefundOutcome::Failed { failure: failure(FailureClass::Generic) };
    let (invoice, ..) = heard(&case.invoice, &refund, &refused);
    let payment = invoice.state.payment().unwrap();
    assert_eq!((payment.refunding, payment.refunded), (0, 0));
}

#[test]
fn nothing_is_refunded_while_in_protest_or_charged_back() {
    for case in [Case::contested(), Case::paid().hears(&[Lost])] {
        let status = case.invoice.status();
        assert_eq!(refunding(&case.invoice, Some(1), after(9)), Err(RefundError::NotPaid(status)));
    }
}

#[test]
fn a_second_case_after_the_first_was_won_is_a_dispute_of_its_own() {
    let mut case = Case::paid().hears(&[Open, Won]);
    let first = case.dispute().id;
    case.now = after(9 * DAY);
    case.told(&DisputeStanding { reference: reference("dp_2"), ..standing(Open) });
    assert_eq!(case.invoice.status(), Status::InProtest);
    assert!(case.dispute().id != first && case.invoice.dispute == Some(case.dispute().id));
    case.told(&DisputeStanding { reference: reference("dp_2"), ..standing(Lost) });
    assert_eq!(case.invoice.status(), Status::Chargeback);
    assert_eq!(balances(&case.books), in_accounts(&[("revenue", -10_000), ("chargebacks", 10_000)]));
}

/// An invoice, its disputes and its books.
struct Cases(Invoice, Vec<Dispute>, Vec<Transaction>);

impl Cases {
    fn hear(&mut self, case: &str, status: DisputeVerdict) -> Status {
        let told = DisputeStanding { reference: reference(case), ..standing(status) };
        let moment =
            Moment { now: after(9 * DAY), entropy: u64::try_from(self.2.len() + self.1.len()).unwrap() };
        let observe = |of: &Self| of.0.observe_dispute(&of.1, &told, &Policy::default(), moment);
        let DisputeReduced::Applied(reduction) = observe(self) else { return self.0.status() };
        assert_eq!(reduction.invoice.version, self.0.version + 1);
        self.1.retain(|dispute| dispute.id != reduction.dispute.id);
        self.1.push(reduction.dispute);
        self.0 = reduction.invoice;
        self.2.extend(reduction.transaction);
        assert_eq!(observe(self), DisputeReduced::AlreadyApplied, "told twice");
        self.0.status()
    }
}

/// Whatever the order, an invoice is paid only if no bank has money of it or may come to have.
#[test]
fn what_counts_of_several_cases_is_the_worst() {
    let stands = |words: &[DisputeVerdict]| [Won, Lost, Open].into_iter().find(|word| words.contains(word));
    for (order, other, place) in orders(&[Open, Lost, Won])
        .into_iter()
        .flat_map(|order| [Open, Lost, Won].map(|other| (order.clone(), other)))
        .flat_map(|(order, other)| (0..=order.len()).map(move |place| (order.clone(), other, place)))
    {
        let paid = Case::paid();
        let mut cases = Cases(paid.invoice, Vec::new(), paid.books);
        let mut words: Vec<_> = order.iter().map(|word| ("dp_1", *word)).collect();
        words.insert(place, ("dp_2", other));
        for heard in 1..=words.len() {
            let (case, word) = words[heard - 1];
            let status = cases.hear(case, word);
            let of = |case: &str| -> Vec<DisputeVerdict> {
                words[..heard].iter().filter(|(of, _)| *of == case).map(|(_, word)| *word).collect()
            };
            let each = [stands(&of("dp_1")), stands(&of("dp_2"))];
            let expected = if each.contains(&Some(Lost)) {
                Status::Chargeback
            } else if each.contains(&Some(Open)) {
                Status::InProtest
            } else {
                Status::Paid
            };
            assert_eq!(status, expected, "{:?}", &words[..heard]);
            let taken: i64 = each.iter().map(|word| if *word == Some(Lost) { 10_000 } else { 0 }).sum();
            let books = balances(&cases.2);
            assert_eq!(
                books.get("chargebacks BRL").copied().unwrap_or_default(),
                taken,
                "{:?}",
                &words[..heard]
            );
        }
    }
}

#[test]
fn what_went_back_meanwhile_is_refunded_once_the_last_case_is_won() {
    let paid = Case::paid();
    let (invoice, refund) = refunding(&paid.invoice, None, START).unwrap();
    let mut cases = Cases(invoice, Vec::new(), paid.books);
    for (case, word, status) in [
        ("dp_1", Open, Status::InProtest),
        ("dp_2", Open, Status::InProtest),
        ("dp_1", Lost, Status::Chargeback),
    ] {
        assert_eq!(cases.hear(case, word), status);
    }
    let (invoice, _, _) = heard(&cases.0, &refund, &succeeded(10_000));
    cases.0 = invoice;
    assert_eq!(cases.hear("dp_1", Won), Status::InProtest, "the other is open");
    let latest: Vec<Cause> = cases.0.history.iter().rev().take(2).map(|step| step.cause).collect();
    assert_eq!(latest, [Cause::Reinstated, Cause::Reinstated], "no case was opened just now");
    assert_eq!(cases.hear("dp_2", Won), Status::Refunded);
}

#[test]
fn a_word_is_about_its_own_case() {
    let mut cases = Cases(Case::paid().invoice, Vec::new(), Vec::new());
    assert_eq!(cases.hear("dp_1", Open), Status::InProtest);
    assert_eq!(cases.hear("dp_2", Open), Status::InProtest);
    let [first, second] = [&cases.1[0], &cases.1[1]];
    assert_eq!(Dispute::meant(&cases.1, &standing(Won)), Some(first));
    let told = DisputeStanding { reference: reference("dp_2"), ..standing(Lost) };
    assert_eq!(Dispute::meant(&cases.1, &told), Some(second));
    assert_eq!(cases.0.dispute, Some(second.id), "the latest that was heard of");
    assert_eq!(cases.hear("dp_2", Lost), Status::Chargeback);
    let chargeback = cases.2[0].id;
    assert_eq!(cases.1[1].state, DisputeState::Lost { chargeback });
}

#[test]
fn a_contest_that_a_person_called_lost_gets_its_case_and_is_not_booked_twice() {
    let lost = contested_in_vain().resolved(DisputeEnd::Lost);
    let taken = in_accounts(&[("revenue", -10_000), ("chargebacks", 10_000)]);
    assert_eq!(lost.clone().hears(&[Open]).dispute(), lost.dispute(), "not by one that is open");
    for words in [&[Lost][..], &[Open, Lost]] {
        let named = lost.clone().hears(words);
        assert_eq!(named.dispute().case, Some(reference("dp_1")));
        assert_eq!((named.invoice.status(), balances(&named.books)), (Status::Chargeback, taken.clone()));
        let back = named.hears(&[Won]);
        assert_eq!((back.invoice.status(), balances(&back.books)), (Status::Paid, paid_in()));
    }
    let back = lost.hears(&[Won]);
    assert_eq!((back.invoice.status(), balances(&back.books)), (Status::Paid, paid_in()));
}

#[test]
fn a_case_that_is_open_for_a_year_stays_a_persons_though_it_is_told_again() {
    let mut case = Case::paid().hears(&[Open]);
    let last = after(2 + 365 * DAY);
    case.dispute = case.dispute().woken(&Policy::default(), last);
    case.now = last;
    let told = case.clone().hears(&[Open]);
    assert_eq!(told.dispute(), case.dispute(), "nothing new");
    assert!(told.dispute().matter().is_some());
    assert_eq!(told.hears(&[Lost]).invoice.status(), Status::Chargeback);
}

#[test]
fn what_was_presumed_won_and_given_back_is_shown_when_the_bank_says_otherwise() {
    for word in [Open, Lost] {
        let mut case = missed().resolved(DisputeEnd::Won).refunded(None);
        assert_eq!(case.told(&standing(word)), Some(AttentionKind::DisputeAfterRefund));
    }
    let mut case = missed().resolved(DisputeEnd::Won).refunded(None);
    assert_eq!(case.told(&standing(Won)), None, "as was thought");
}
