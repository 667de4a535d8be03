use crate::world::*;
use fatura_application::ports::*;
use fatura_application::{Change, ChangeSet};
use fatura_domain::Timestamp;
use fatura_domain::charge::FailureClass;
use fatura_domain::dunning::Policy;
use fatura_domain::gateway::MeansType;
use fatura_domain::id::InvoiceId;
use fatura_domain::invoice::{Invoice, Status};
use fatura_domain::ledger::{Transaction, TransactionFilter};
use fatura_domain::money::Currency;
use fatura_testkit::TestTable;
use std::collections::HashSet;

fn page(limit: usize, after: Option<Position>) -> PageRequest {
    PageRequest { limit, after }
}

fn all() -> InvoiceFilter {
    InvoiceFilter::default()
}

fn ids(invoices: &[Invoice]) -> Vec<InvoiceId> {
    invoices.iter().map(|invoice| invoice.id).collect()
}

/// Every page of a status, each checked to be full unless it is the last.
async fn in_status(table: &TestTable, status: Status, filter: &InvoiceFilter, limit: usize) -> Vec<Invoice> {
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = table.store.in_status(status, filter, page(limit, after)).await.unwrap();
        assert!(page.next.is_none() || page.data.len() == limit);
        seen.extend(page.data);
        after = page.next;
        if after.is_none() {
            return seen;
        }
    }
}

async fn of_customer(table: &TestTable, number: u64, filter: &InvoiceFilter, limit: usize) -> Vec<Invoice> {
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = table.store.of_customer(customer_id(number), filter, page(limit, after)).await.unwrap();
        assert!(page.next.is_none() || page.data.len() == limit);
        seen.extend(page.data);
        after = page.next;
        if after.is_none() {
            return seen;
        }
    }
}

async fn keep(table: &TestTable, invoices: impl IntoIterator<Item = Invoice>) {
    for invoice in invoices {
        write(&table.store, [Change::InvoiceCreated(invoice)]).await;
    }
}

async fn book(table: &TestTable, seconds: i64) -> Transaction {
    let claimed = in_flight(&pending(ANA, seconds, 5), at(seconds + 1));
    let paid = observed(&claimed, approved(&claimed), at(seconds + 2));
    keep(table, [claimed.clone()]).await;
    table.store.commit(ChangeSet::from_reduction(&claimed, paid.clone())).await.unwrap();
    paid.transaction.unwrap()
}

#[tokio::test]
async fn a_customers_invoices_come_newest_first_in_full_pages() {
    let table = TestTable::start().await;
    let mut invoices: Vec<Invoice> = (0..6).map(|second| draft(ANA, second, 1)).collect();
    keep(&table, invoices.clone()).await;
    keep(&table, [draft(BEA, 3, 1)]).await;
    invoices.reverse();
    for limit in [1, 2, 3, 4, 6, 100] {
        assert_eq!(of_customer(&table, ANA, &all(), limit).await, invoices, "pages of {limit}");
    }
    let exactly = table.store.of_customer(customer_id(ANA), &all(), page(6, None)).await.unwrap();
    assert!(exactly.next.is_none(), "the last page is known to be the last");
    assert!(of_customer(&table, 99, &all(), 10).await.is_empty());
}

#[tokio::test]
async fn a_filter_that_passes_little_still_fills_the_page() {
    let table = TestTable::start().await;
    let paid = {
        let claimed = in_flight(&pending(ANA, 0, 1), at(2));
        observed(&claimed, approved(&claimed), at(3)).invoice
    };
    keep(&table, [paid.clone()]).await;
    keep(&table, (1..60).map(|second| draft(ANA, second, 1))).await;
    let filter = InvoiceFilter { status: Some(Status::Paid), ..all() };
    assert_eq!(of_customer(&table, ANA, &filter, 3).await, [paid]);
    let drafts = InvoiceFilter { status: Some(Status::Draft), ..all() };
    assert_eq!(of_customer(&table, ANA, &drafts, 7).await.len(), 59);
}

#[tokio::test]
async fn a_period_holds_its_beginning_and_not_its_end() {
    let table = TestTable::start().await;
    keep(&table, (0..5).map(|second| draft(ANA, second, 1))).await;
    let between = |from, to| InvoiceFilter { created_from: Some(from), created_to: Some(to), ..all() };
    let seconds = |invoices: Vec<Invoice>| {
        invoices.iter().map(|invoice| invoice.created_at.as_second() - at(0).as_second()).collect::<Vec<_>>()
    };
    assert_eq!(seconds(of_customer(&table, ANA, &between(at(1), at(3)), 10).await), [2, 1]);
    assert_eq!(seconds(in_status(&table, Status::Draft, &between(at(1), at(3)), 10).await), [1, 2]);
    assert!(of_customer(&table, ANA, &between(at(3), at(1)), 10).await.is_empty());
    assert!(of_customer(&table, ANA, &between(at(3), at(3)), 10).await.is_empty());
    let nanosecond = fatura_domain::SignedDuration::from_nanos(1);
    assert_eq!(
        seconds(of_customer(&table, ANA, &between(at(1) + nanosecond, at(3) + nanosecond), 10).await),
        [3, 2]
    );
    let ever = between(Timestamp::MIN, Timestamp::MAX);
    assert_eq!(of_customer(&table, ANA, &ever, 10).await.len(), 5);
    assert_eq!(in_status(&table, Status::Draft, &ever, 10).await.len(), 5);
}

#[tokio::test]
async fn a_position_belongs_to_one_list() {
    let table = TestTable::start().await;
    keep(&table, (0..9).map(|second| draft(ANA, second, 1))).await;
    keep(&table, (0..3).map(|second| draft(BEA, second, 1))).await;
    for second in [20, 30, 40] {
        book(&table, second).await;
    }
    let of = |number, filter, after| {
        let store = table.store.clone();
        async move { store.of_customer(customer_id(number), &filter, page(2, Some(after))).await }
    };
    let in_status = |status, after| {
        let store = table.store.clone();
        async move { store.in_status(status, &all(), page(2, Some(after))).await }
    };
    let booked = |after| {
        let store = table.store.clone();
        async move {
            store.transactions(customer_id(ANA), &TransactionFilter::default(), page(2, Some(after))).await
        }
    };
    let ana = table.store.of_customer(customer_id(ANA), &all(), page(2, None)).await.unwrap().next.unwrap();
    let drafts = table.store.in_status(Status::Draft, &all(), page(2, None)).await.unwrap().next.unwrap();
    let first =
        table.store.transactions(customer_id(ANA), &TransactionFilter::default(), page(2, None)).await;
    let transactions = first.unwrap().next.unwrap();
    assert!(of(ANA, all(), ana.clone()).await.is_ok());
    assert!(in_status(Status::Draft, drafts.clone()).await.is_ok());
    assert!(booked(transactions.clone()).await.is_ok());

    let bad = |result: Result<Page<Invoice>, ListError>| matches!(result, Err(ListError::BadPosition));
    assert!(bad(of(BEA, all(), ana.clone()).await), "another customer's");
    assert!(bad(of(ANA, all(), transactions.clone()).await), "another list's");
    assert!(bad(of(ANA, all(), drafts.clone()).await), "another list's");
    let earlier = InvoiceFilter { created_to: Some(at(1)), ..all() };
    assert!(bad(of(ANA, earlier, ana.clone()).await), "outside of the period");
    assert!(bad(in_status(Status::Paid, drafts.clone()).await), "another status's");
    assert!(matches!(booked(ana.clone()).await, Err(ListError::BadPosition)));
    let tampered = |Position(text): &Position| {
        let mut texts = vec![String::new(), "~".to_owned(), format!("{text}0"), text.to_lowercase() + "x"];
        texts.push(text.chars().skip(1).collect());
        texts.push(text.chars().take(text.len() - 1).collect());
        texts.push(format!("{text}\u{0}"));
        texts.push("x".repeat(5_000));
        texts
    };
    for text in tampered(&ana) {
        assert!(bad(of(ANA, all(), Position(text.clone())).await), "{text}");
    }
    for text in tampered(&drafts) {
        assert!(bad(in_status(Status::Draft, Position(text.clone())).await), "{text}");
    }
    for text in tampered(&transactions) {
        assert!(matches!(booked(Position(text.clone())).await, Err(ListError::BadPosition)), "{text}");
    }
}

#[tokio::test]
async fn a_status_is_one_list_over_all_customers() {
    let table = TestTable::start().await;
    let mut drafts: Vec<Invoice> =
        (0..50).map(|n| draft(n % 7, i64::try_from(n * 37 % 50).unwrap(), n * 7_919)).collect();
    keep(&table, drafts.clone()).await;
    keep(&table, (0..5).map(|n| pending(n, 0, n * 31 + 5))).await;
    drafts.sort_by_key(|invoice| invoice.created_at);
    let instants = |invoices: &[Invoice]| invoices.iter().map(|i| i.created_at).collect::<Vec<_>>();
    for limit in [1, 7, 10, 49, 50, 100] {
        let seen = in_status(&table, Status::Draft, &all(), limit).await;
        assert_eq!(instants(&seen), instants(&drafts), "pages of {limit}");
        assert_eq!(ids(&seen).into_iter().collect::<HashSet<_>>().len(), 50);
    }
    assert_eq!(in_status(&table, Status::Pending, &all(), 2).await.len(), 5);
    assert!(in_status(&table, Status::Paid, &all(), 2).await.is_empty());
}

#[tokio::test]
async fn what_is_due_comes_before_what_is_not() {
    let table = TestTable::start().await;
    let soon = pending(ANA, 100, 1);
    let later =
        draft(BEA, 0, 2).charged(Some(source(BEA)), Some(at(9_000)), &Policy::default(), at(1)).unwrap();
    let by_hand = {
        let mut claimed = in_flight(&pending(ANA, 0, 3), at(2));
        let more = fatura_domain::money::Money::parse("1.00", Currency::BRL).unwrap();
        let wrong = fatura_domain::gateway::ChargeOutcome::Approved {
            reference: fatura_domain::gateway::GatewayReference("ch_9".to_owned()),
            captured: more,
        };
        claimed = observed(&claimed, wrong, at(3)).invoice;
        assert!(claimed.state.due().is_none());
        claimed
    };
    keep(&table, [by_hand.clone(), later.clone(), soon.clone()]).await;
    assert_eq!(ids(&in_status(&table, Status::Pending, &all(), 1).await), [soon.id, later.id, by_hand.id]);
}

#[tokio::test]
async fn an_invoice_that_moves_while_it_is_listed_is_seen_where_it_stands() {
    let table = TestTable::start().await;
    let invoices: Vec<Invoice> = (0..12).map(|n| pending(n, i64::try_from(n).unwrap(), n * 13)).collect();
    keep(&table, invoices.clone()).await;
    let first = table.store.in_status(Status::Pending, &all(), page(5, None)).await.unwrap();
    // One that was seen and one that was not are canceled meanwhile.
    for index in [0, 8] {
        let canceled = invoices[index].canceled(at(60)).unwrap();
        let fatura_domain::invoice::Cancellation::Done(reduction) = canceled else { panic!("live") };
        table.store.commit(ChangeSet::from_reduction(&invoices[index], *reduction)).await.unwrap();
    }
    let rest = table.store.in_status(Status::Pending, &all(), page(100, first.next)).await.unwrap();
    assert_eq!(ids(&first.data), ids(&invoices[..5]));
    let expected: Vec<InvoiceId> =
        ids(&invoices[5..]).into_iter().filter(|id| *id != invoices[8].id).collect();
    assert_eq!(ids(&rest.data), expected);
    assert_eq!(in_status(&table, Status::Canceled, &all(), 1).await.len(), 2);
}

/// What a refund is asked for, or what is paid meanwhile, moves nobody from the place where a reader expects it.
#[tokio::test]
async fn what_stays_is_seen_exactly_once_while_others_come_change_and_go() {
    let table = TestTable::start().await;
    let paid = |n: u64| {
        let second = i64::try_from(n).unwrap();
        let claimed = in_flight(&pending(n, second, n * 13), at(second + 2));
        observed(&claimed, approved(&claimed), at(second + 3)).invoice
    };
    let invoices: Vec<Invoice> = (0..12).map(paid).collect();
    keep(&table, invoices.clone()).await;
    let first = table.store.in_status(Status::Paid, &all(), page(5, None)).await.unwrap();
    assert_eq!(ids(&first.data), ids(&invoices[..5]));

    // One that was seen and one that was not are being refunded, which leaves them paid; two others are gone.
    for index in [1, 7] {
        let (reserved, refund) = refunding(&invoices[index], at(60));
        let changes = ChangeSet::moved(&invoices[index], reserved);
        table.store.commit(changes.and([Change::RefundRequested(refund)])).await.unwrap();
    }
    for index in [2, 9] {
        let (protested, dispute) = contested(&invoices[index], at(60));
        let changes = ChangeSet::moved(&invoices[index], protested);
        table.store.commit(changes.and([Change::DisputeOpened(dispute)])).await.unwrap();
    }
    keep(&table, [paid(50)]).await;

    let rest = table.store.in_status(Status::Paid, &all(), page(100, first.next)).await.unwrap();
    let expected: Vec<InvoiceId> =
        ids(&invoices[5..]).into_iter().filter(|id| *id != invoices[9].id).chain([paid(50).id]).collect();
    assert_eq!(ids(&rest.data), expected);
    assert_eq!(
        ids(&in_status(&table, Status::InProtest, &all(), 1).await),
        ids(&[invoices[2].clone(), invoices[9].clone(),])
    );
}

#[tokio::test]
async fn failures_are_found_by_their_class() {
    let table = TestTable::start().await;
    let failed = |second: i64, class| {
        let claimed = in_flight(&pending(ANA, second, 1), at(second + 2));
        observed(&claimed, declined(class), at(second + 3)).invoice
    };
    let hard: Vec<Invoice> = [10, 30].map(|second| failed(second, FailureClass::Hard)).into();
    let funds = failed(20, FailureClass::InsufficientFunds);
    keep(&table, hard.iter().chain([&funds]).cloned()).await;
    // A call that never arrived has met a failure too, and is still pending.
    let unsent = {
        let claimed = in_flight(&pending(ANA, 40, 1), at(42));
        let failure = fatura_domain::charge::Failure::new(FailureClass::NotSent, "refused", "no route");
        observed(&claimed, fatura_domain::gateway::ChargeOutcome::NotSent { failure }, at(43)).invoice
    };
    keep(&table, [unsent.clone(), draft(ANA, 50, 1)]).await;

    let of = |class| InvoiceFilter { failure_class: Some(class), ..all() };
    let newest_first: Vec<Invoice> = hard.iter().rev().cloned().collect();
    for limit in [1, 2, 10] {
        assert_eq!(of_customer(&table, ANA, &of(FailureClass::Hard), limit).await, newest_first);
        let listed = in_status(&table, Status::ChargedWithError, &of(FailureClass::Hard), limit).await;
        assert_eq!(listed, hard, "pages of {limit}");
    }
    assert_eq!(of_customer(&table, ANA, &of(FailureClass::InsufficientFunds), 5).await, [funds]);
    assert_eq!(of_customer(&table, ANA, &of(FailureClass::NotSent), 5).await, [unsent]);
    assert!(of_customer(&table, ANA, &of(FailureClass::Generic), 5).await.is_empty());
    let hard_drafts = InvoiceFilter { status: Some(Status::Draft), ..of(FailureClass::Hard) };
    assert!(of_customer(&table, ANA, &hard_drafts, 5).await.is_empty());
}

/// The index is a moment behind the table: here it still shows a draft among the paid, and one draft twice.
#[tokio::test]
async fn what_the_index_says_is_checked() {
    let table = TestTable::start().await;
    let invoice = draft(ANA, 0, 1);
    keep(&table, [invoice.clone(), draft(ANA, 1, 2)]).await;
    let stale = |partition: &str, time: &str, sk: &str| {
        let text = |text: String| aws_sdk_dynamodb::types::AttributeValue::S(text);
        table
            .client
            .put_item()
            .table_name(TestTable::name())
            .item("PK", text("STALE".to_owned()))
            .item("SK", text(sk.to_owned()))
            .item("WP", text(partition.to_owned()))
            .item("WS", text(format!("{time}#{}", invoice.id)))
            .send()
    };
    stale("paid#0", "1#1793620800000", "a").await.unwrap();
    for shard in 0..8 {
        stale(&format!("draft#{shard}"), "1#1793620799999", &format!("b{shard}")).await.unwrap();
    }
    assert!(in_status(&table, Status::Paid, &all(), 10).await.is_empty());
    assert_eq!(in_status(&table, Status::Draft, &all(), 10).await.len(), 2);
}

#[tokio::test]
async fn transactions_are_filtered_by_everything_at_once() {
    let table = TestTable::start().await;
    let mut booked = Vec::new();
    for second in [10, 20, 30, 40, 50] {
        booked.push(book(&table, second).await);
    }
    booked.reverse();
    let list = |filter: TransactionFilter, limit: usize| {
        let store = table.store.clone();
        async move {
            let mut seen = Vec::new();
            let mut after = None;
            loop {
                let page = store.transactions(customer_id(ANA), &filter, page(limit, after)).await.unwrap();
                assert!(page.next.is_none() || page.data.len() == limit);
                seen.extend(page.data);
                after = page.next;
                if after.is_none() {
                    return seen;
                }
            }
        }
    };
    for limit in [1, 2, 5, 50] {
        assert_eq!(list(TransactionFilter::default(), limit).await, booked);
    }
    let period = TransactionFilter { from: Some(booked[3].at), to: Some(booked[1].at), ..Default::default() };
    assert_eq!(list(period, 2).await, booked[2..4]);
    let matching = TransactionFilter {
        currency: Some(Currency::BRL),
        means: Some(MeansType::CreditCard),
        gateway: Some(sandbox()),
        item: Some("ONBOARDING".to_owned()),
        min_amount: Some(booked[0].amount.major()),
        max_amount: Some(booked[0].amount.major()),
        ..Default::default()
    };
    assert_eq!(list(matching.clone(), 2).await, booked);
    assert!(list(TransactionFilter { currency: Some(Currency::USD), ..matching }, 2).await.is_empty());
    let nobody =
        table.store.transactions(customer_id(BEA), &TransactionFilter::default(), page(5, None)).await;
    assert!(nobody.unwrap().data.is_empty());
}

#[tokio::test]
async fn the_sweep_finds_what_is_due_and_nothing_else() {
    let table = TestTable::start().await;
    let policy = Policy::default();
    let lost: Vec<Invoice> = (0..30).map(|n| pending(n, i64::try_from(n).unwrap(), n * 17)).collect();
    let failed = {
        let claimed = in_flight(&pending(ANA, 0, 999), at(2));
        observed(&claimed, declined(FailureClass::IssuerUnavailable), at(3)).invoice
    };
    let scheduled =
        draft(ANA, 0, 1_000).charged(Some(source(ANA)), Some(at(999_999)), &policy, at(1)).unwrap();
    let paid = {
        let claimed = in_flight(&pending(ANA, 0, 1_001), at(2));
        observed(&claimed, approved(&claimed), at(3)).invoice
    };
    keep(&table, lost.clone()).await;
    keep(&table, [failed.clone(), scheduled, paid, draft(ANA, 0, 1_002)]).await;

    assert!(table.store.due(at(0), 100).await.unwrap().is_empty());
    let due_first = lost[0].state.due().unwrap();
    assert_eq!(table.store.due(due_first, 100).await.unwrap(), [lost[0].id]);
    let longest_overdue = table.store.due(at(3_600), 10).await.unwrap();
    assert_eq!(longest_overdue, ids(&lost[..10]));
    let everything = table.store.due(failed.state.due().unwrap(), 100).await.unwrap();
    assert_eq!(everything.len(), 31);
    assert!(everything.contains(&failed.id));
}
