//! Disputes, refunds that went back, what waits for a card, and one shard of a list at a time.

use crate::world::*;
use fatura_application::ports::*;
use fatura_application::{Change, ChangeSet};
use fatura_domain::Timestamp;
use fatura_domain::charge::FailureClass;
use fatura_domain::customer::PaymentSource;
use fatura_domain::dispute::{Dispute, DisputeState};
use fatura_domain::dunning::Policy;
use fatura_domain::gateway::{
    DisputeStanding, DisputeVerdict, GatewayReference, Means, RefundOutcome, Token,
};
use fatura_domain::id::{DisputeId, InvoiceId, PaymentMethodId};
use fatura_domain::invoice::{DisputeReduced, Invoice, RefundReduced, Status};
use fatura_domain::refund::Refund;
use fatura_domain::{Moment, SignedDuration};
use fatura_testkit::TestTable;
use std::collections::HashSet;

fn page(limit: usize, after: Option<Position>) -> PageRequest {
    PageRequest { limit, after }
}

fn paid(number: u64, seconds: i64, entropy: u64) -> Invoice {
    let claimed = in_flight(&pending(number, seconds, entropy), at(seconds + 2));
    observed(&claimed, approved(&claimed), at(seconds + 3)).invoice
}

async fn keep(table: &TestTable, invoices: impl IntoIterator<Item = Invoice>) {
    for invoice in invoices {
        write(&table.store, [Change::InvoiceCreated(invoice)]).await;
    }
}

/// An invoice that was paid and is contested now.
async fn in_protest(table: &TestTable, number: u64, seconds: i64) -> (Invoice, Dispute) {
    let paid = paid(number, seconds, 1);
    keep(table, [paid.clone()]).await;
    let (protested, dispute) = contested(&paid, at(seconds + 10));
    let changes = ChangeSet::moved(&paid, protested.clone()).and([Change::DisputeOpened(dispute.clone())]);
    table.store.commit(changes).await.unwrap();
    (protested, dispute)
}

/// The gateway's word about the case, written as it is decided.
async fn told(
    table: &TestTable,
    (invoice, dispute): &(Invoice, Dispute),
    verdict: DisputeVerdict,
    now: Timestamp,
) -> (Invoice, Dispute) {
    let reference = GatewayReference("dp_1".to_owned());
    let standing = DisputeStanding { reference, status: verdict, amount: None };
    let moment = Moment { now, entropy: 8 };
    let observed =
        invoice.observe_dispute(std::slice::from_ref(dispute), &standing, &Policy::default(), moment);
    let DisputeReduced::Applied(reduction) = observed else { panic!("nothing new") };
    let changes = ChangeSet::moved(invoice, reduction.invoice.clone())
        .and([Change::DisputeChanged(reduction.dispute.clone())])
        .and(reduction.transaction.map(Change::TransactionBooked));
    table.store.commit(changes).await.unwrap();
    (reduction.invoice, reduction.dispute)
}

#[tokio::test]
async fn a_dispute_is_read_back_at_each_of_its_turns_and_changed_at_its_version() {
    let table = TestTable::start().await;
    let mut case = in_protest(&table, ANA, 0).await;
    assert_eq!(table.store.dispute(case.1.id).await.unwrap().as_ref(), Some(&case.1));
    for (now, verdict, state, status) in [
        (at(60), DisputeVerdict::Open, "open", Status::InProtest),
        (at(61), DisputeVerdict::Lost, "lost", Status::Chargeback),
        (at(62), DisputeVerdict::Won, "won", Status::Paid),
    ] {
        let before = case.clone();
        case = told(&table, &case, verdict, now).await;
        assert_eq!((case.1.state.as_str(), case.0.status()), (state, status));
        assert_eq!(table.store.dispute(case.1.id).await.unwrap().as_ref(), Some(&case.1));
        assert_eq!(stored(&table.store, case.0.id).await, case.0);
        let late = before.1.woken(&Policy::default(), at(999_999)).unwrap_or(before.1);
        let refused = refusals(&table.store, [Change::DisputeChanged(late)]).await;
        assert!(matches!(refused[..], [Refusal::Stale]), "somebody else was faster");
    }
    let again = refusals(&table.store, [Change::DisputeOpened(case.1)]).await;
    assert!(matches!(again[..], [Refusal::Stale]));
    assert_eq!(table.store.dispute(in_protest(&table, BEA, 0).await.1.id).await.unwrap().unwrap().version, 1);
}

#[tokio::test]
async fn disputes_are_due_while_they_are_open() {
    let table = TestTable::start().await;
    let mut cases = Vec::new();
    for number in 0..12 {
        cases.push(in_protest(&table, number, i64::try_from(number).unwrap()).await);
    }
    let due = |now: Timestamp, limit| {
        let store = table.store.clone();
        async move { store.due_disputes(now, limit).await.unwrap() }
    };
    let first = cases[0].1.due().unwrap();
    assert!(due(first - SignedDuration::from_millis(1), 50).await.is_empty());
    assert_eq!(due(first, 50).await, [cases[0].1.id]);
    let all: Vec<_> = cases.iter().map(|(_, dispute)| dispute.id).collect();
    assert_eq!(due(at(9_999_999), 50).await, all, "the longest overdue first");
    assert_eq!(due(at(9_999_999), 5).await, all[..5]);

    let woken = cases[0].1.woken(&Policy::default(), first).unwrap();
    write(&table.store, [Change::DisputeChanged(woken)]).await;
    told(&table, &cases[1], DisputeVerdict::Won, at(60)).await;
    assert_eq!(due(cases[11].1.due().unwrap(), 50).await, all[2..]);
    assert_eq!(due(at(9_999_999), 50).await.last(), Some(&all[0]), "put off for a day");
}

#[tokio::test]
async fn an_invoices_disputes_come_newest_first() {
    let table = TestTable::start().await;
    let (mut invoice, mut dispute) = in_protest(&table, ANA, 0).await;
    in_protest(&table, ANA, 5).await;
    let mut disputes = Vec::new();
    for day in 1..=4 {
        let now = at(86_400 * day);
        let (paid, decided) = told(&table, &(invoice, dispute), DisputeVerdict::Won, now).await;
        assert_eq!(decided.state, DisputeState::Won { reinstatement: None, presumed: false });
        disputes.push(decided);
        let again = contested(&paid, now + SignedDuration::from_secs(1));
        let changes = ChangeSet::moved(&paid, again.0.clone());
        table.store.commit(changes.and([Change::DisputeOpened(again.1.clone())])).await.unwrap();
        (invoice, dispute) = again;
    }
    disputes.push(dispute);
    disputes.reverse();
    for limit in [1, 2, 5, 100] {
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let page = table.store.disputes_of(&invoice, page(limit, after)).await.unwrap();
            assert!(page.next.is_none() || page.data.len() == limit);
            seen.extend(page.data);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, disputes, "pages of {limit}");
    }
    let of_bea = in_protest(&table, BEA, 0).await.0;
    let elsewhere = table.store.disputes_of(&invoice, page(1, None)).await.unwrap().next;
    let bad = table.store.disputes_of(&of_bea, page(1, elsewhere)).await;
    assert!(matches!(bad, Err(ListError::BadPosition)), "another customer's");
}

#[tokio::test]
async fn what_waits_for_a_card_is_found_by_its_customer_until_it_waits_no_more() {
    let table = TestTable::start().await;
    let fail = |number, seconds| {
        let claimed = in_flight(&pending(number, seconds, 1), at(seconds + 2));
        let failed = observed(&claimed, declined(FailureClass::Hard), at(seconds + 3));
        (claimed, failed)
    };
    let mut waiting = Vec::new();
    for (claimed, failed) in [0, 10, 20].map(|seconds| fail(ANA, seconds)).into_iter().chain([fail(BEA, 0)]) {
        keep(&table, [claimed.clone()]).await;
        table.store.commit(ChangeSet::from_reduction(&claimed, failed.clone())).await.unwrap();
        waiting.push(failed.invoice);
    }
    let of_ana = |limit| {
        let store = table.store.clone();
        async move { store.awaiting_method(customer_id(ANA), limit).await.unwrap() }
    };
    let newest_first = [waiting[2].clone(), waiting[1].clone(), waiting[0].clone()];
    assert_eq!(of_ana(10).await, newest_first);
    assert_eq!(of_ana(2).await, newest_first[..2]);

    let other_card = PaymentSource::at(
        PaymentMethodId::new(customer_id(ANA), at(98), 4),
        sandbox(),
        Means::CreditCard(Token("tok_another".to_owned())),
    );
    let charged = waiting[1].charged_by_new_method(other_card, &Policy::default(), at(99)).unwrap();
    table.store.commit(ChangeSet::moved(&waiting[1], charged)).await.unwrap();
    let given_up = woken(&waiting[0], at(61 * 86_400)).unwrap();
    assert_eq!(given_up.status(), Status::Uncollectible);
    table.store.commit(ChangeSet::moved(&waiting[0], given_up)).await.unwrap();
    assert_eq!(of_ana(10).await, newest_first[..1]);
    assert!(table.store.awaiting_method(customer_id(99), 10).await.unwrap().is_empty());
    // What marks it is none of the customer's other things.
    let payer = table.store.payer(customer_id(ANA)).await.unwrap();
    assert!(payer.is_none(), "nobody has made this customer");
    let filter = InvoiceFilter::default();
    let all = table.store.of_customer(customer_id(ANA), &filter, page(10, None)).await.unwrap();
    assert_eq!(all.data.len(), 3);
}

async fn shard_by_shard(
    table: &TestTable,
    status: Status,
    since: Option<Timestamp>,
    limit: usize,
) -> Vec<Invoice> {
    let mut seen = Vec::new();
    for shard in 0..table.store.shards() {
        let mut after = None;
        loop {
            let request = page(limit, after);
            let listed = match since {
                Some(since) => table.store.in_shard_since(status, shard, since, request).await,
                None => table.store.in_shard(status, shard, request).await,
            };
            let page = listed.unwrap();
            assert!(page.data.len() <= limit);
            assert!(page.data.is_sorted_by_key(Invoice::since), "oldest first in each");
            seen.extend(page.data);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    seen
}

fn ids(invoices: &[Invoice]) -> HashSet<InvoiceId> {
    invoices.iter().map(|invoice| invoice.id).collect()
}

#[tokio::test]
async fn the_shards_together_are_the_list_and_share_nothing() {
    let table = TestTable::start().await;
    let invoices: Vec<Invoice> = (0..60).map(|n| paid(n, i64::try_from(n).unwrap(), n * 7_919)).collect();
    keep(&table, invoices.clone()).await;
    keep(&table, (0..5).map(|n| draft(n, 500, n))).await;
    for limit in [1, 3, 7, 100] {
        let seen = shard_by_shard(&table, Status::Paid, None, limit).await;
        assert_eq!((seen.len(), ids(&seen)), (60, ids(&invoices)), "pages of {limit}");
        // They came to be paid three seconds after they were made; the first instant belongs to it.
        let late = shard_by_shard(&table, Status::Paid, Some(at(3 + 40)), limit).await;
        assert_eq!((late.len(), ids(&late)), (20, ids(&invoices[40..])), "pages of {limit}");
    }
    assert!(shard_by_shard(&table, Status::Paid, Some(at(99)), 5).await.is_empty());
    assert_eq!(shard_by_shard(&table, Status::Draft, None, 2).await.len(), 5);
    assert!(table.store.in_shard(Status::Paid, 200, page(5, None)).await.unwrap().data.is_empty());
}

#[tokio::test]
async fn a_page_of_a_shard_may_be_short_and_is_not_the_last() {
    let table = TestTable::start().await;
    // What the index still shows as drafts is paid by now.
    let text = aws_sdk_dynamodb::types::AttributeValue::S;
    let gone: Vec<Invoice> = (0..4).map(|n| paid(n, 0, n)).collect();
    keep(&table, gone.clone()).await;
    for (n, invoice) in gone.iter().enumerate() {
        let request = table
            .client
            .put_item()
            .table_name(TestTable::name())
            .item("PK", text("STALE".to_owned()))
            .item("SK", text(n.to_string()))
            .item("WP", text("draft#3".to_owned()))
            .item("WS", text(format!("1#179362080000{n}#{}", invoice.id)));
        request.send().await.unwrap();
    }
    let first = table.store.in_shard(Status::Draft, 3, page(3, None)).await.unwrap();
    assert!(first.data.is_empty() && first.next.is_some());
    let rest = table.store.in_shard(Status::Draft, 3, page(3, first.next)).await.unwrap();
    assert!(rest.data.is_empty() && rest.next.is_none());
}

/// Other functions gave their ids, by clocks that were five minutes behind.
#[tokio::test]
async fn what_follows_from_an_invoice_is_found_though_its_id_is_older() {
    let table = TestTable::start().await;
    let (of_dispute, dispute) = in_protest(&table, ANA, 0).await;
    let minutes_ago = |minutes: i64| at(3 - 60 * minutes);
    let early = Dispute {
        id: DisputeId::new(of_dispute.customer(), minutes_ago(5), 6),
        created_at: minutes_ago(5),
        ..dispute.clone()
    };
    write(&table.store, [Change::DisputeOpened(early.clone())]).await;
    let disputes = table.store.disputes_of(&of_dispute, page(10, None)).await.unwrap();
    assert_eq!(disputes.data, [dispute, early]);

    let (of_refund, refund) = refunding(&paid(BEA, 0, 1), minutes_ago(5));
    write(&table.store, [Change::RefundRequested(refund.clone())]).await;
    let refunds = table.store.of_invoice(&of_refund, page(10, None)).await.unwrap();
    assert_eq!(refunds.data, [refund]);
}

/// A refund that has succeeded, by when it did.
async fn returned(table: &TestTable, number: u64, seconds: i64) -> Refund {
    let paid = paid(number, 0, number);
    let (reserved, refund) = refunding(&paid, at(4));
    let reference = GatewayReference(format!("re_{number}"));
    let outcome = RefundOutcome::Succeeded { reference, amount: refund.amount };
    let moment = Moment { now: at(seconds), entropy: number };
    let observed = reserved.observe_refund(&refund, &outcome, &Policy::default(), moment);
    let RefundReduced::Applied { refund: settled, .. } = observed else { panic!("nothing new") };
    write(&table.store, [Change::RefundRequested(refund)]).await;
    write(&table.store, [Change::RefundChanged((*settled).clone())]).await;
    *settled
}

#[tokio::test]
async fn refunds_that_went_back_are_found_by_shard_in_their_period() {
    let table = TestTable::start().await;
    let mut refunds = Vec::new();
    for number in 0..30 {
        refunds.push(returned(&table, number, 100 + i64::try_from(number).unwrap()).await);
    }
    let (_, pending) = refunding(&paid(99, 0, 99), at(4));
    write(&table.store, [Change::RefundRequested(pending)]).await;
    for limit in [1, 2, 50] {
        let mut seen = Vec::new();
        for shard in 0..table.store.shards() {
            let mut after = None;
            loop {
                let request = page(limit, after);
                let page = table.store.returned_in_shard(shard, at(105), at(125), request).await.unwrap();
                assert!(page.data.is_sorted_by_key(|refund| refund.updated_at));
                seen.extend(page.data);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        seen.sort_by_key(|refund| refund.updated_at);
        assert_eq!(seen, refunds[5..25], "the period's end is not in it; pages of {limit}");
    }
}

#[tokio::test]
async fn a_place_outside_of_its_list_is_refused() {
    let table = TestTable::start().await;
    keep(&table, (0..20).map(|n| paid(n, 0, n))).await;
    let text = |text: &str| Some(Position(text.to_owned()));
    let long = format!("1#1793620803000#{}", "x".repeat(5_000));
    for place in ["", "0", "~", "2", "paid#0", "INV#1", "1#", "1#1793620803000", "1#x#inv_1", &long] {
        let bad = table.store.in_shard(Status::Paid, 0, page(5, text(place))).await;
        assert!(matches!(bad, Err(ListError::BadPosition)), "{place}");
    }
    let id = paid(1, 0, 1).id;
    let early = format!("1#1793620803000#{id}");
    let since = at(3_600);
    let bad = table.store.in_shard_since(Status::Paid, 0, since, page(5, text(&early))).await;
    assert!(matches!(bad, Err(ListError::BadPosition)), "before the list begins");
    assert!(table.store.in_shard(Status::Paid, 0, page(5, text(&early))).await.is_ok());
    let refund = returned(&table, 7, 100).await;
    let late = format!("1#{}#{}", at(200).as_millisecond(), refund.id);
    let bad = table.store.returned_in_shard(0, at(0), at(200), page(5, text(&late))).await;
    assert!(matches!(bad, Err(ListError::BadPosition)), "after the list ends");
}
