//! Money of several merchants: what each gets, gives back and loses, and payments from a wallet.

use super::*;
use crate::actor::Actor;
use crate::attention::AttentionKind;
use crate::dispute::Dispute;
use crate::gateway::{DisputeStanding, DisputeVerdict};
use crate::id::OrderId;
use crate::ledger::TransactionKind;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn merchant(number: u64) -> CustomerId {
    CustomerId::new(100 + number)
}

/// Ana's 70.00 and Bea's 30.00, of which the platform keeps 2.10 and 0.90.
fn of_two_merchants(invoice: Invoice) -> Invoice {
    let order = |number| OrderId::new(CustomerId::new(7), START, number);
    let shares = vec![
        Share::new(order(1), merchant(1), 7_000, 210, 1),
        Share::new(order(2), merchant(2), 3_000, 90, 1),
    ];
    Invoice { split: Some(Split::try_new(shares).unwrap()), ..invoice }
}

fn settled() -> (Invoice, Transaction) {
    let reduction = applied(observe(&of_two_merchants(sending()), 1, approved("ch_1", 10_000), START));
    (reduction.invoice, reduction.transaction.unwrap())
}

fn by() -> Actor {
    Actor::new("key_1")
}

fn at(second: i64) -> Moment {
    Moment { now: after(second), entropy: u64::try_from(second).unwrap() }
}

fn names() -> [String; 2] {
    [1, 2].map(|number| format!("wallet:{}", merchant(number)))
}

#[test]
fn what_came_is_the_merchants_but_for_the_fee() {
    let (invoice, transaction) = settled();
    assert_eq!((invoice.status(), invoice.amount_paid()), (Status::Paid, brl(10_000)));
    let [ana, bea] = names();
    let expected = [
        ("gateway_clearing:sandbox", 10_000),
        (ana.as_str(), -6_790),
        (bea.as_str(), -2_910),
        ("revenue", -300),
    ];
    assert_eq!(balances([&transaction]), in_accounts(&expected));
    assert_eq!(transaction.amount, brl(10_000));
}

#[test]
fn a_merchant_is_shown_its_own_part() {
    let (invoice, transaction) = settled();
    let shown: Vec<Transaction> = transaction.mirrored().collect();
    assert_eq!(shown.iter().map(|shown| shown.id.owner()).collect::<Vec<_>>(), [merchant(1), merchant(2)]);
    let [ana, _] = names();
    let expected = [("gateway_clearing:sandbox", 7_000), (ana.as_str(), -6_790), ("revenue", -210)];
    assert_eq!((balances([&shown[0]]), shown[0].amount), (in_accounts(&expected), brl(7_000)));
    assert_eq!(shown[1].wallet_direction(), Some(Direction::Credit));
    assert_eq!(invoice.lines_sold_by(merchant(1)), ["Plan"]);
    assert_eq!(invoice.lines_sold_by(merchant(2)), ["Seats"]);
}

#[test]
fn parts_that_go_back_are_taken_in_proportion_and_end_at_nothing() {
    let (mut invoice, paid) = settled();
    let mut books = vec![paid];
    for (minor, ana_left, bea_left, fees_left) in
        [(3_333, -4_527, -1_940, -200), (1, -4_526, -1_940, -200), (6_666, 0, 0, 0)]
    {
        let (reserved, refund) = refunding(&invoice, Some(minor), START).unwrap();
        let (next, _, transaction) = heard(&reserved, &refund, &succeeded(minor));
        books.extend(transaction);
        invoice = next;
        let left = balances(&books);
        let of = |account: &str| left.get(&format!("{account} BRL")).copied().unwrap_or_default();
        let [ana, bea] = names();
        assert_eq!((of(&ana), of(&bea), of("revenue")), (ana_left, bea_left, fees_left), "after {minor}");
    }
    assert_eq!((invoice.status(), balances(&books)), (Status::Refunded, in_accounts(&[])));
}

#[test]
fn what_a_wallet_does_not_have_is_owed_and_a_person_is_told() {
    let (invoice, _) = settled();
    let (reserved, refund) = refunding(&invoice, None, START).unwrap();
    let (invoice, _, transaction) = heard(&reserved, &refund, &succeeded(10_000));
    let transaction = transaction.unwrap();
    assert_eq!(invoice.unsettled(&transaction), None);
    let owed = transaction.owed_beside(&BTreeSet::from([merchant(2)]));
    let [ana, _] = names();
    let bea_owes = format!("merchant_payable:{}", merchant(2));
    let expected = [
        ("gateway_clearing:sandbox", -10_000),
        (ana.as_str(), 6_790),
        (bea_owes.as_str(), 2_910),
        ("revenue", 300),
    ];
    assert_eq!(balances([&owed]), in_accounts(&expected));
    let matter = invoice.unsettled(&owed).unwrap();
    assert_eq!((matter.kind, matter.invoice), (AttentionKind::MerchantNotSettled, Some(invoice.id)));
    assert_eq!(matter.detail, format!("{} owes 29.10, which its wallet didn't have", merchant(2)));
}

#[test]
fn what_a_wallet_does_not_take_is_owed_to_its_merchant() {
    let (invoice, transaction) = settled();
    let matter = invoice.unsettled(&transaction.owed_beside(&BTreeSet::from([merchant(1)]))).unwrap();
    assert_eq!(matter.detail, format!("{} is owed 67.90, which its wallet didn't take", merchant(1)));
}

fn told(
    invoice: &Invoice,
    known: Option<&Dispute>,
    status: DisputeVerdict,
    second: i64,
) -> (Invoice, Dispute, Option<Transaction>) {
    let standing = DisputeStanding { reference: reference("dp_1"), status, amount: None };
    let known = known.map(std::slice::from_ref).unwrap_or_default();
    match invoice.observe_dispute(known, &standing, &Policy::default(), at(second)) {
        DisputeReduced::Applied(reduction) => (reduction.invoice, reduction.dispute, reduction.transaction),
        DisputeReduced::AlreadyApplied => panic!("nothing new"),
    }
}

#[test]
fn a_chargeback_is_the_merchants_loss_and_what_is_reinstated_their_gain() {
    let (invoice, paid) = settled();
    let (invoice, dispute, lost) = told(&invoice, None, DisputeVerdict::Lost, 1);
    let lost = lost.unwrap();
    assert_eq!((invoice.status(), lost.kind), (Status::Chargeback, TransactionKind::Chargeback));
    let [ana, bea] = names();
    let expected = [
        ("gateway_clearing:sandbox", -10_000),
        (ana.as_str(), 6_790),
        (bea.as_str(), 2_910),
        ("chargebacks", 300),
    ];
    assert_eq!(balances([&lost]), in_accounts(&expected));
    let (invoice, _, won) = told(&invoice, Some(&dispute), DisputeVerdict::Won, 2);
    let won = won.unwrap();
    assert_eq!(invoice.status(), Status::Paid);
    assert_eq!(balances([&lost, &won]), in_accounts(&[]));
    assert_eq!(balances([&paid, &lost, &won]), balances([&paid]));
}

#[test]
fn a_bank_that_takes_what_went_back_takes_it_from_the_platform() {
    let (invoice, _) = settled();
    let (reserved, refund) = refunding(&invoice, None, START).unwrap();
    let (refunded, _, _) = heard(&reserved, &refund, &succeeded(10_000));
    let standing = DisputeStanding {
        reference: reference("dp_1"),
        status: DisputeVerdict::Lost,
        amount: Some(brl(10_000)),
    };
    let observed = refunded.observe_dispute(&[], &standing, &Policy::default(), at(1));
    let DisputeReduced::Applied(reduction) = observed else { panic!("nothing new") };
    let expected = [("gateway_clearing:sandbox", -10_000), ("chargebacks", 10_000)];
    assert_eq!(balances(&reduction.transaction), in_accounts(&expected));
}

#[test]
fn a_wallet_pays_at_once_and_through_pending() {
    let WalletPayment { invoice, transaction } =
        of_two_merchants(draft()).paid_from_wallet(&by(), at(1)).unwrap();
    let statuses: Vec<Status> = invoice.history.iter().map(|step| step.status).collect();
    assert_eq!(statuses, [Status::Draft, Status::Pending, Status::Paid]);
    assert_eq!((invoice.version, invoice.amount_paid()), (2, brl(10_000)));
    assert!(invoice.is_paid_from_wallet() && !paid().is_paid_from_wallet());
    let transaction = transaction.unwrap();
    let [ana, bea] = names();
    let payer = format!("wallet:{}", CustomerId::new(7));
    let expected =
        [(payer.as_str(), 10_000), (ana.as_str(), -6_790), (bea.as_str(), -2_910), ("revenue", -300)];
    assert_eq!(balances([&transaction]), in_accounts(&expected));
    assert_eq!(transaction.moved_by.invoice(), Some(invoice.id));
    assert_eq!(
        invoice.paid_from_wallet(&by(), at(2)),
        Err(IllegalTransition { from: Status::Paid, to: Status::Paid })
    );
}

#[test]
fn an_invoice_of_our_own_paid_from_a_wallet_is_revenue_and_a_free_one_nothing() {
    let paid = draft().paid_from_wallet(&by(), at(1)).unwrap();
    let payer = format!("wallet:{}", CustomerId::new(7));
    let expected = [(payer.as_str(), 10_000), ("revenue", -10_000)];
    assert_eq!(balances(&paid.transaction), in_accounts(&expected));
    let free = Invoice::draft(draft().id, content("0.00"), None, START).unwrap();
    let paid = free.paid_from_wallet(&by(), at(1)).unwrap();
    assert_eq!((paid.invoice.status(), paid.transaction), (Status::Paid, None));
}

#[test]
fn what_a_wallet_paid_goes_back_there_at_once() {
    let paid = of_two_merchants(draft()).paid_from_wallet(&by(), at(1)).unwrap();
    let id = |number| RefundId::new(CustomerId::new(7), START, number);
    let policy = Policy::default();
    let back = |invoice: &Invoice, number, minor| {
        invoice.refunded_to_wallet(id(number), minor, None, &by(), &policy, at(2))
    };
    let (partly, refund, first) = back(&paid.invoice, 1, Some(brl(2_500))).unwrap();
    assert_eq!((partly.status(), partly.version), (Status::Paid, paid.invoice.version + 1));
    assert_eq!((refund.version, refund.state.as_str(), refund.gateway()), (1, "succeeded", None));
    assert_eq!(back(&partly, 2, Some(brl(7_501))), Err(RefundError::TooMuch(brl(7_500))));
    let (whole, _, second) = back(&partly, 2, None).unwrap();
    assert_eq!((whole.status(), whole.amount_refunded()), (Status::Refunded, brl(10_000)));
    assert_eq!(balances([&paid.transaction.unwrap(), &first, &second]), in_accounts(&[]));
    assert_eq!(back(&settled().0, 3, None), Err(RefundError::NothingCharged), "a card's goes to the card");
    assert_eq!(refunding(&paid.invoice, None, START), Err(RefundError::NothingCharged));
    let late = Moment { now: after(9 * DAY), entropy: 1 };
    let late = paid.invoice.refunded_to_wallet(id(4), None, None, &by(), &policy, late);
    assert!(matches!(late, Err(RefundError::TooLate(_))));
}

#[test]
fn refund_in_flight_across_a_reinstated_chargeback() {
    let (invoice, paid) = settled();
    let (invoice, refund) = refunding(&invoice, Some(4_000), START).unwrap();
    let (invoice, dispute, lost) = told(&invoice, None, DisputeVerdict::Lost, 1);
    let (invoice, _, back) = heard(&invoice, &refund, &succeeded(4_000));
    let (invoice, _, won) = told(&invoice, Some(&dispute), DisputeVerdict::Won, 2);
    let books = [Some(paid), lost, back, won].into_iter().flatten();
    let mut books: Vec<Transaction> = books.collect();
    let [ana, bea] = names();
    let expected = [
        ("gateway_clearing:sandbox", 6_000),
        (ana.as_str(), -4_074),
        (bea.as_str(), -1_746),
        ("revenue", -180),
    ];
    assert_eq!(balances(&books), in_accounts(&expected), "as if the bank had never asked");
    let (reserved, refund) = refunding(&invoice, None, after(20)).unwrap();
    let (_, _, rest) = heard(&reserved, &refund, &succeeded(6_000));
    books.extend(rest);
    assert_eq!(balances(&books), in_accounts(&[]));
}

#[test]
fn what_is_reinstated_settles_what_was_owed_first() {
    let (invoice, paid) = settled();
    let (invoice, dispute, lost) = told(&invoice, None, DisputeVerdict::Lost, 1);
    let lost = lost.unwrap().owed_beside(&BTreeSet::from([merchant(2)]));
    let invoice = invoice.owing(&lost);
    let (invoice, _, won) = told(&invoice, Some(&dispute), DisputeVerdict::Won, 2);
    let won = won.unwrap();
    let [ana, _] = names();
    let bea_owes = format!("merchant_payable:{}", merchant(2));
    let expected = [
        ("gateway_clearing:sandbox", 10_000),
        (ana.as_str(), -6_790),
        (bea_owes.as_str(), -2_910),
        ("chargebacks", -300),
    ];
    assert_eq!(balances([&won]), in_accounts(&expected));
    assert_eq!(balances([&lost, &won]), in_accounts(&[]));
    let matter = invoice.unsettled(&won).unwrap();
    assert_eq!(matter.kind, AttentionKind::MerchantNotSettled);
    let told = format!("29.10 came again for {} and is booked against what it owed", merchant(2));
    assert!(matter.detail.starts_with(&told), "{}", matter.detail);
    assert_eq!(balances([&paid, &lost, &won]), balances([&paid]));
}

#[test]
fn an_older_case_takes_from_the_merchants_and_gives_to_them_again() {
    let (invoice, paid) = settled();
    let (invoice, first, _) = told(&invoice, None, DisputeVerdict::Open, 1);
    let second = DisputeStanding { reference: reference("dp_2"), status: DisputeVerdict::Open, amount: None };
    let DisputeReduced::Applied(newer) = invoice.observe_dispute(&[], &second, &Policy::default(), at(2))
    else {
        panic!("nothing new")
    };
    let (invoice, first, lost) = told(&newer.invoice, Some(&first), DisputeVerdict::Lost, 3);
    assert_eq!(invoice.dispute, Some(newer.dispute.id));
    let (_, _, won) = told(&invoice, Some(&first), DisputeVerdict::Won, 4);
    let (lost, won) = (lost.unwrap(), won.unwrap());
    assert_eq!(balances([&paid, &lost, &won]), balances([&paid]));
}

#[derive(Debug, Clone)]
enum Happens {
    Ordered(i64),
    Succeeds,
    Fails,
    Lost,
    Won,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        (1_i64..6_000).prop_map(Happens::Ordered),
        Just(Happens::Succeeds),
        Just(Happens::Fails),
        Just(Happens::Lost),
        Just(Happens::Won),
    ]
}

/// A payment with its orders for refunds that are on their way, and what a bank has said.
struct Told {
    invoice: Invoice,
    pending: Vec<Refund>,
    dispute: Option<Dispute>,
    books: Vec<Transaction>,
    second: i64,
}

impl Told {
    fn hear(&mut self, what: &Happens) {
        self.second += 1;
        match what {
            Happens::Ordered(minor) => self.order(Some(*minor)),
            Happens::Succeeds => self.refund(|refund| succeeded(refund.amount.minor())),
            Happens::Fails => {
                self.refund(|_| RefundOutcome::Failed { failure: failure(FailureClass::Generic) });
            }
            Happens::Lost => self.say(DisputeVerdict::Lost),
            Happens::Won => self.say(DisputeVerdict::Won),
        }
    }

    fn order(&mut self, minor: Option<i64>) {
        if let Ok((invoice, refund)) = refunding(&self.invoice, minor, after(self.second)) {
            self.invoice = invoice;
            self.pending.push(refund);
        }
    }

    fn refund(&mut self, outcome: impl Fn(&Refund) -> RefundOutcome) {
        let Some(refund) = self.pending.pop() else { return };
        let (invoice, _, transaction) = heard(&self.invoice, &refund, &outcome(&refund));
        self.invoice = invoice;
        self.books.extend(transaction);
    }

    fn say(&mut self, status: DisputeVerdict) {
        let standing = DisputeStanding { reference: reference("dp_1"), status, amount: None };
        let policy = Policy::default();
        let said = self.invoice.observe_dispute(self.dispute.as_slice(), &standing, &policy, at(self.second));
        let DisputeReduced::Applied(reduction) = said else { return };
        self.invoice = reduction.invoice;
        self.dispute = Some(reduction.dispute);
        self.books.extend(reduction.transaction);
    }
}

proptest! {
    #[test]
    fn what_goes_back_and_comes_again_ends_at_nothing(story in prop::collection::vec(happens(), 0..16)) {
        let (invoice, paid) = settled();
        let mut told = Told { invoice, pending: vec![], dispute: None, books: vec![paid], second: 0 };
        for what in story.iter().chain([&Happens::Won]) {
            told.hear(what);
        }
        while !told.pending.is_empty() {
            told.hear(&Happens::Succeeds);
        }
        told.order(None);
        told.hear(&Happens::Succeeds);
        let mut left = balances(&told.books);
        // A cent that doesn't divide may lie between the platform's own two accounts.
        let fees = ["revenue BRL", "chargebacks BRL"].map(|account| left.remove(account).unwrap_or_default());
        prop_assert_eq!((fees.iter().sum::<i64>(), left), (0, in_accounts(&[])));
        prop_assert!(fees.iter().all(|minor| minor.abs() <= 16), "{:?}", fees);
    }
}
