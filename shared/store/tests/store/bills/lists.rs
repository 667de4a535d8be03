//! Bills by customer, by status and by when they are due.

use super::*;
use fatura_application::ChangeSet;
use fatura_domain::bill::BillStatus;
use std::collections::HashSet;

fn page(limit: usize, after: Option<Position>) -> PageRequest {
    PageRequest { limit, after }
}

fn ids(bills: &[Bill]) -> Vec<BillId> {
    bills.iter().map(|bill| bill.id).collect()
}

async fn of_customer(table: &TestTable, number: u64, status: Option<BillStatus>, limit: usize) -> Vec<Bill> {
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = table.store.bills_of(customer_id(number), BillFilter { status }, page(limit, after)).await;
        let page = page.unwrap();
        assert!(page.next.is_none() || page.data.len() == limit);
        seen.extend(page.data);
        after = page.next;
        if after.is_none() {
            return seen;
        }
    }
}

async fn in_status(table: &TestTable, status: BillStatus, limit: usize) -> Vec<Bill> {
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = table.store.bills_in(status, page(limit, after)).await.unwrap();
        assert!(page.next.is_none() || page.data.len() == limit);
        seen.extend(page.data);
        after = page.next;
        if after.is_none() {
            return seen;
        }
    }
}

/// Closed with this in it, or with nothing.
fn closed(bill: &Bill, price: Option<&str>) -> Bill {
    let mut shards: Vec<Shard> = bill.shards.numbers().map(Shard::new).collect();
    if let Some(price) = price {
        shards[0] = shards[0].with(money(price, Currency::USD), bill.shards).unwrap();
    }
    let shards: Vec<Shard> = shards.iter().map(Shard::closed).collect();
    changed(closing(bill).finish_closing(&shards, None, at(7_200))).bill
}

async fn moved(table: &TestTable, before: &Bill, after: Bill) -> Bill {
    let next = Bill { version: before.version + 1, ..after };
    table.store.commit(ChangeSet::bill_moved(before, next.clone())).await.unwrap();
    next
}

#[tokio::test]
async fn a_customers_bills_come_newest_first_in_full_pages() {
    let table = TestTable::start().await;
    let mut bills: Vec<Bill> = (0..6).map(|second| bill_with(ANA, second, 1, 8)).collect();
    for bill in bills.iter().chain([&bill_with(BEA, 3, 1, 8)]) {
        opened(&table, bill).await;
    }
    // Neighbours in the partition that are no bills.
    write(&table.store, [Change::InvoiceCreated(draft(ANA, 0, 1)), Change::BillAwaited(bills[0].id)]).await;
    bills[2] = moved(&table, &bills[2], closing(&bills[2])).await;
    bills.reverse();
    for limit in [1, 2, 6, 100] {
        assert_eq!(of_customer(&table, ANA, None, limit).await, bills, "pages of {limit}");
        let closing = of_customer(&table, ANA, Some(BillStatus::Closing), limit).await;
        assert_eq!(closing, [bills[3].clone()]);
    }
    assert_eq!(of_customer(&table, ANA, Some(BillStatus::Open), 2).await.len(), 5);
    assert!(of_customer(&table, ANA, Some(BillStatus::Closed), 2).await.is_empty());
    assert!(of_customer(&table, 99, None, 2).await.is_empty());
}

#[tokio::test]
async fn a_status_is_one_list_over_all_customers() {
    let table = TestTable::start().await;
    let bills: Vec<Bill> =
        (0..30).map(|n| bill_with(n % 7, i64::try_from(n).unwrap(), n * 7_919, 8)).collect();
    for bill in &bills {
        opened(&table, bill).await;
    }
    write(&table.store, [Change::InvoiceCreated(draft(ANA, 0, 1))]).await;
    for limit in [1, 7, 29, 30, 100] {
        let seen = in_status(&table, BillStatus::Open, limit).await;
        assert_eq!(ids(&seen), ids(&bills), "pages of {limit}: the one that ends first comes first");
    }
    let settled = moved(&table, &bills[4], closed(&bills[4], None)).await;
    let settling = moved(&table, &bills[9], closed(&bills[9], Some("10.00"))).await;
    let canceled = changed(bills[2].cancel(&Sums::default(), &operator(), at(60)));
    let canceled = moved(&table, &bills[2], canceled).await;
    assert_eq!(
        in_status(&table, BillStatus::Closed, 1).await,
        [settling, settled],
        "what is due comes first"
    );
    assert_eq!(in_status(&table, BillStatus::Canceled, 5).await, [canceled]);
    assert!(in_status(&table, BillStatus::Closing, 5).await.is_empty());
    let open: HashSet<BillId> = ids(&in_status(&table, BillStatus::Open, 4).await).into_iter().collect();
    assert_eq!(open.len(), 27);
}

/// The index is a moment behind the table: here it still shows an open bill among the closed, and one twice.
#[tokio::test]
async fn what_the_index_says_is_checked() {
    let table = TestTable::start().await;
    let bill = bill();
    opened(&table, &bill).await;
    for (sk, partition, time) in
        [("a", "bill_closed#3", "1#1793620800000"), ("b", "bill_open#5", "0#1793620800000")]
    {
        let put = table.client.put_item().table_name(TestTable::name());
        put.item("PK", text("STALE"))
            .item("SK", text(sk))
            .item("WP", text(partition))
            .item("WS", text(format!("{time}#{}", bill.id)))
            .send()
            .await
            .unwrap();
    }
    assert!(in_status(&table, BillStatus::Closed, 10).await.is_empty());
    assert_eq!(in_status(&table, BillStatus::Open, 10).await, [bill]);
}

#[tokio::test]
async fn a_position_belongs_to_one_list() {
    let table = TestTable::start().await;
    for second in 0..5 {
        opened(&table, &bill_with(ANA, second, 1, 8)).await;
        opened(&table, &bill_with(BEA, second, 1, 8)).await;
        write(&table.store, [Change::InvoiceCreated(draft(ANA, second, 1))]).await;
    }
    let all = BillFilter::default();
    let of_ana = table.store.bills_of(customer_id(ANA), all, page(2, None)).await.unwrap().next.unwrap();
    let open = table.store.bills_in(BillStatus::Open, page(2, None)).await.unwrap().next.unwrap();
    let of_bea = table.store.bills_of(customer_id(BEA), all, page(2, Some(of_ana.clone()))).await;
    assert!(matches!(of_bea, Err(ListError::BadPosition)), "another customer's");
    let draft = fatura_domain::invoice::Status::Draft;
    let drafts = table.store.in_status(draft, &InvoiceFilter::default(), page(2, None)).await.unwrap();
    for (status, position) in [
        (BillStatus::Closed, open.clone()),
        (BillStatus::Open, of_ana),
        (BillStatus::Open, drafts.next.unwrap()),
        (BillStatus::Open, Position(format!("{}0", open.0))),
        (BillStatus::Open, Position(open.0.replace("bill_open#", ""))),
        (BillStatus::Open, Position(open.0.replace("#bill_", "#inv_"))),
    ] {
        let page = table.store.bills_in(status, page(2, Some(position.clone()))).await;
        assert!(matches!(page, Err(ListError::BadPosition)), "{position:?}");
    }
    let invoices = table.store.in_status(draft, &InvoiceFilter::default(), page(2, Some(open.clone()))).await;
    assert!(matches!(invoices, Err(ListError::BadPosition)));
    assert!(table.store.bills_in(BillStatus::Open, page(2, Some(open))).await.is_ok());
}

#[tokio::test]
async fn the_sweep_finds_what_is_due_and_nothing_else() {
    let table = TestTable::start().await;
    let open: Vec<Bill> =
        (0..9).map(|n| bill_with(n, i64::try_from(n).unwrap() * 100, n * 17 + 1, 8)).collect();
    for bill in &open {
        opened(&table, bill).await;
    }
    let closing = moved(&table, &open[5], closing(&open[5])).await;
    let settling = moved(&table, &open[6], closed(&open[6], Some("1.00"))).await;
    moved(&table, &open[7], closed(&open[7], None)).await;
    let canceled = changed(open[8].cancel(&Sums::default(), &operator(), at(60)));
    moved(&table, &open[8], canceled).await;

    let due = |at| table.store.due_bills(at, 100);
    assert!(due(at(3_600)).await.unwrap().is_empty());
    assert_eq!(due(closing.due().unwrap()).await.unwrap(), [closing.id]);
    assert_eq!(due(settling.due().unwrap()).await.unwrap(), [closing.id, settling.id]);
    let month = open[0].terms.period().end();
    assert!(!due(month - SignedDuration::from_millis(1)).await.unwrap().contains(&open[0].id));
    assert_eq!(due(month).await.unwrap(), [closing.id, settling.id, open[0].id]);
    let all = due(open[8].terms.period().end()).await.unwrap();
    let expected: Vec<BillId> = [closing.id, settling.id].into_iter().chain(ids(&open[..5])).collect();
    assert_eq!(all, expected);
    assert_eq!(table.store.due_bills(month, 2).await.unwrap(), expected[..2]);
}

#[tokio::test]
async fn what_waits_for_a_bill_is_told_oldest_first() {
    let table = TestTable::start().await;
    let waiting: Vec<BillId> = (0..4).map(|second| bill_with(ANA, second, 1, 8).id).collect();
    for index in [2, 0, 3, 1] {
        write(&table.store, [Change::BillAwaited(waiting[index])]).await;
    }
    write(&table.store, [Change::BillAwaited(bill_with(BEA, 0, 1, 8).id)]).await;
    opened(&table, &bill_with(ANA, 0, 1, 8)).await;
    assert_eq!(table.store.awaiting_bill(customer_id(ANA), 10).await.unwrap(), waiting);
    assert_eq!(table.store.awaiting_bill(customer_id(ANA), 2).await.unwrap(), waiting[..2]);
    write(&table.store, [Change::BillNoLongerAwaited(waiting[0])]).await;
    assert_eq!(table.store.awaiting_bill(customer_id(ANA), 10).await.unwrap(), waiting[1..]);
    assert!(table.store.awaiting_bill(customer_id(99), 10).await.unwrap().is_empty());
}
